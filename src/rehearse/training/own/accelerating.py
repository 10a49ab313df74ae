"""The Accelerator of a run, which leaves nothing of it behind in the process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rehearse.training.own.errors import TrainingError
from rehearse.training.own.settings import Precision


@contextmanager
def accelerating(precision: Precision, on_cpu: bool) -> Iterator[Any]:
    """An Accelerator. Raises TrainingError where the caller has one already, of another precision or device.

    Accelerate keeps one state a process, which the next run in it could not leave: what was not there before
    is gone afterwards, but for the process group of several processes, which lasts as long as they do.
    """
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState, GradientState, PartialState

    # The classes, and no instances: making one would fill what is asked for.
    mine, whole = not AcceleratorState._shared_state, not PartialState._shared_state
    try:
        accelerator = Accelerator(cpu=on_cpu, mixed_precision=precision)
    except ValueError as error:
        if mine:
            raise
        raise TrainingError(
            f"--precision is {precision}: this Python process holds an Accelerator of another precision or "
            "device; train in a process of its own, or with that one's"
        ) from error
    try:
        yield accelerator
    finally:
        if mine:
            AcceleratorState._reset_state(reset_partial_state=whole and accelerator.num_processes == 1)
            GradientState._reset_state()
