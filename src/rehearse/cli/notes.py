"""What the house logs while it works, as notes on the terminal; what its libraries mutter, silenced."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_LIBRARIES = ("diffusers", "transformers", "torch", "huggingface_hub", "py.warnings")


class _Notes(logging.Handler):
    def __init__(self, console: Console) -> None:
        super().__init__(logging.WARNING)
        self._console = console
        self._said: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        # What is read for every take of a run is told once.
        text = f"note: {record.getMessage()}"
        if text not in self._said:
            self._said.add(text)
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def notes_to(console: Console, quiet: bool) -> Iterator[None]:
    """Inside, the house's warnings are printed on ``console`` (not if ``quiet``), its libraries' are not."""
    house = logging.getLogger("rehearse")
    handler: logging.Handler = logging.NullHandler() if quiet else _Notes(console)
    house.addHandler(handler)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        house.removeHandler(handler)
