"""What differs between the trainers, as the loop sees it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

from rehearse.training.own.samples import Draw, Samples

Figures = dict[str, Tensor]


@contextmanager
def looking(module: nn.Module) -> Iterator[None]:
    """A module without what is for training alone, such as a base's dropout; afterwards as it was."""
    was = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(was)


class Task(Protocol):
    """A module to train and what to do with it. Every process holds the same one."""

    module: nn.Module
    """What Accelerate wraps; what is trained in it requires gradients."""
    facts: dict[str, Any]
    """All that a run belongs to (JSON values): a checkpoint of others is refused."""

    def groups(self) -> list[dict[str, Any]]:
        """AdamW parameter groups over what is trained."""
        ...

    held_out: Samples | None
    """Rows that are shown and judged and never trained on; None: there are none, and the first ones that are
    trained on are shown."""

    def loss(
        self, module: nn.Module, batch: Sequence[Draw], step: int | None, rows: Samples | None = None
    ) -> tuple[Tensor, Figures]:
        """The mean loss of these clips, through ``module`` (the wrapped one), and figures to log, the same
        names in every process: 0-d tensors, or ``[2]``, a sum and what to divide it by once all are added.

        step: which one, counted from 0; None: it is to be judged, with all text and all blocks. rows: what
        the batch is drawn of; None: what is trained on.
        """
        ...

    def sheet(self, path: Path | None) -> None:
        """Draw what the model makes now. path: None for a process that only takes part in making it."""
        ...

    def export(self, folder: Path, step: int, write: bool = True) -> Path:
        """Write what was trained, whole or not at all, and return the file or folder.

        write: false for a process that only gives its part of the weights.
        """
        ...
