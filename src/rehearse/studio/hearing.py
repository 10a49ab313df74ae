"""What the house warns of while a take is run, caught so that the take can keep it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_MOST = 20
_LONGEST = 1000


class _Ear(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        # Another thread of the worker looks at shots that are not run yet.
        if threading.get_ident() != self._thread:
            return
        sentence = record.getMessage()[:_LONGEST]
        if sentence not in self.heard and len(self.heard) < _MOST:
            self.heard.append(sentence)


@contextmanager
def hearing() -> Iterator[list[str]]:
    """Inside, what is warned of in this thread is added to the list that it gives, each sentence once."""
    house, ear = logging.getLogger("rehearse"), _Ear()
    house.addHandler(ear)
    try:
        yield ear.heard
    finally:
        house.removeHandler(ear)
