"""A run's curves for TensorBoard."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rehearse.training.own.checkpoint import keeping_checkpoints
from rehearse.training.own.errors import TrainingError

_LOG = logging.getLogger(__name__)
_NAME = "tensorboard"


def refuse_without_tensorboard() -> None:
    """Raise TrainingError where tensorboard is not installed."""
    try:
        import torch.utils.tensorboard  # noqa: F401
    except ImportError as error:
        raise TrainingError(
            "--tensorboard needs tensorboard, which is not installed; pip install "
            "'rehearse[tensorboard]', or leave it out: metrics.jsonl has every figure"
        ) from error


class Board:
    """Curves in the folder ``tensorboard`` of a run's folder.

    first: the step that the run goes on from; what an earlier process drew behind it is not shown any more.
    Raises TrainingError where tensorboard is not installed, or its file cannot be written.
    """

    def __init__(self, folder: Path, first: int) -> None:
        refuse_without_tensorboard()
        from torch.utils.tensorboard import SummaryWriter

        self._folder = folder
        with keeping_checkpoints(folder, _NAME):
            self._writer: Any = SummaryWriter(str(folder / _NAME), purge_step=first + 1)

    def add(self, step: int, figures: Mapping[str, float]) -> None:
        """Figures of a step. Raises TrainingError where they, or those before, cannot be written."""
        with keeping_checkpoints(self._folder, _NAME):
            for name, value in figures.items():
                self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is left. Where that fails it is only said: the run is over, however it ended."""
        try:
            self._writer.close()
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            _LOG.warning("%s lacks the last figures (%s); metrics.jsonl has them all", _NAME, why)
