"""The folder of a run: fit to be one, and written by one run at a time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from rehearse.media import MediaError, check_writable
from rehearse.training.own.checkpoint import checkpoints
from rehearse.training.own.errors import TrainingError


@contextmanager
def held(folder: Path, *bases: Path) -> Iterator[None]:
    """Around a run that writes into ``folder``, which is made. bases: where the model lies that it trains on,
    and the ones that this borrows of.

    Raises TrainingError, before anything in it is touched, where it lies in one of these, holds a model that
    is not this run's, cannot be written to, or another process trains in it.
    """
    _refuse_a_model(folder, bases)
    there = folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        check_writable(folder / "metrics.jsonl")
    except (OSError, MediaError) as error:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise TrainingError(
            f"--out is {folder}: it cannot be written to ({why}); name a folder to write in"
        ) from error
    lock = FileLock(folder / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise TrainingError(
            f"--out is {folder}: another process trains in it now; wait for it, or name another folder"
        ) from error
    except (OSError, NotImplementedError):
        pass  # a file system that knows no locks
    try:
        _sweep(folder)
        yield
    finally:
        (folder / "lock").unlink(missing_ok=True)
        lock.release()
        if not there:
            with suppress(OSError):  # it stays where anything was written
                folder.rmdir()


def _refuse_a_model(folder: Path, bases: Sequence[Path]) -> None:
    place, models = folder.resolve(), [base.resolve() for base in bases]
    if (folder / "model_index.json").exists() or place in models:
        raise TrainingError(f"--out is {folder}: it is a model itself; name another folder for the run")
    for model in models:
        # What the run writes would count as the model's own, and make it another one at the next call.
        if place.is_relative_to(model):
            raise TrainingError(
                f"--out is {folder}: it lies inside of the base {model}, which a run does not change; name a "
                "folder elsewhere"
            )
    if (folder / "rehearse.json").exists() and not checkpoints(folder):
        raise TrainingError(
            f"--out is {folder}: it holds a model and no checkpoint to go on from; name another folder, so "
            "that the model is not written over"
        )


def _sweep(folder: Path) -> None:
    """Remove what a run that was killed had half written."""
    for part in folder.glob(".*.part"):
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)
