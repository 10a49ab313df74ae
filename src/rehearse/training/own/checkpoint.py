"""Checkpoints of a run: each one safetensors file, written beside its name and renamed when it is whole.

A checkpoint holds what is trained, its optimiser moments and averages, the gradient scaler of fp16, and in
its header the step and what the run belongs to. Data order, noise and block choice follow from seed and step,
so no random state needs keeping. A crash or a full disk leaves the last whole one where it was.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from rehearse.media import MediaError, replacing
from rehearse.models.errors import ModelError
from rehearse.models.folder import check_safetensors
from rehearse.training.own.errors import TrainingError

_LOG = logging.getLogger(__name__)

_NAME = re.compile(r"checkpoint-(\d{6,})\.safetensors")

_SHAPE = ("frames", "size", "every")
"""How clips are read. Checkpoints of earlier versions do not say it: there it is in ``data`` alone."""
_OPTIONS = {"weight": "attention-weight", "normalisation": "normalise"}
_NO_OPTIONS = ("kind", "masks", "warmup", "weight_decay", "clip")
_FIRST = ("kind", "base_fingerprint", "precision", *_SHAPE, "data")


@dataclass(frozen=True, eq=False, slots=True)
class TrainingState:
    """step: optimiser steps done. tensors: by name. facts: what the run belongs to. extra: further JSON."""

    step: int
    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]
    extra: Mapping[str, Any]


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoint files of a run, oldest first."""
    found = [(int(match[1]), path) for path in folder.glob("*") if (match := _NAME.fullmatch(path.name))]
    return [path for _, path in sorted(found)]


def save_state(folder: Path, state: TrainingState, keep: int) -> Path:
    """Write a checkpoint and remove all but the newest ``keep``. Raises TrainingError; what was there
    stays."""
    path = folder / f"checkpoint-{state.step:06d}.safetensors"
    header = {
        "facts": json.dumps(state.facts, sort_keys=True),
        "extra": json.dumps(state.extra),
        "step": str(state.step),
    }
    tensors = {name: value.detach().cpu().contiguous() for name, value in state.tensors.items()}
    try:
        with replacing(path) as part:
            save_file(tensors, part, metadata=header)
            # The name must not be there before the bytes are: also through a loss of power.
            with part.open("rb") as file:
                os.fsync(file.fileno())
    except (MediaError, OSError, SafetensorError) as error:
        raise TrainingError(
            f"step {state.step} could not be saved: {error}; {_standing(folder, state.step)}: make room and "
            "call again"
        ) from error
    # What is numbered higher is damaged, or this run would have gone on from it: it is no reason to remove
    # one that is whole.
    mine = [old for old in checkpoints(folder) if _step_of(old) <= state.step]
    for old in mine[: -max(keep, 1)]:
        old.unlink(missing_ok=True)
    return path


@contextmanager
def keeping_checkpoints(folder: Path, what: str) -> Iterator[None]:
    """Around the writing of ``what``, into the folder of a run: where it fails, TrainingError says which
    checkpoint the run goes on from."""
    try:
        yield
    except (MediaError, OSError, SafetensorError) as error:
        why = error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)
        raise TrainingError(
            f"{what} could not be written: {why}; {_standing(folder)}: make room and call again"
        ) from error


def _standing(folder: Path, step: int | None = None) -> str:
    """Which checkpoint there is to go on from; step: the one that was to be written, and is not there."""
    last = [path for path in checkpoints(folder) if step is None or _step_of(path) < step]
    return f"{last[-1].name} is whole" if last else "there is no checkpoint from before"


def _step_of(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


def load_state(folder: Path, facts: Mapping[str, Any]) -> TrainingState | None:
    """The newest checkpoint of a run that is whole; None where there is none.

    Damaged ones are passed over, which is said. Raises TrainingError where it belongs to other settings, data
    or another base, and where there are checkpoints and none is whole.
    """
    found = checkpoints(folder)
    for path in reversed(found):
        try:
            check_safetensors(path, str(folder))
            with safe_open(str(path), framework="pt", device="cpu") as file:
                said = file.metadata() or {}
                state = TrainingState(
                    int(said["step"]),
                    {name: file.get_tensor(name) for name in file.keys()},  # noqa: SIM118 (safe_open is no mapping)
                    json.loads(said["facts"]),
                    json.loads(said["extra"]),
                )
        except (ModelError, SafetensorError, OSError, KeyError, ValueError, TypeError):
            # Damaged from outside: the one before it is as good as new.
            _LOG.warning("%s is damaged and is passed over", path.name)
            continue
        _refuse_others(folder, state.facts, json.loads(json.dumps(facts)))
        return state
    if found:
        raise TrainingError(
            f"--out is {folder}: none of its checkpoints is whole; name another folder, or remove "
            f"{' and '.join(path.name for path in found)} to begin again"
        )
    return None


def refuse_other_runs(folder: Path, facts: Mapping[str, Any]) -> None:
    """Raise TrainingError where the newest whole checkpoint is of a run on other data, another base or under
    other settings. Reads no tensors: it is asked before clips are encoded."""
    was = facts_in(folder)
    if was:
        _refuse_others(folder, was, json.loads(json.dumps(facts)))


def facts_in(folder: Path) -> dict[str, Any]:
    """What the newest whole checkpoint of a run says it belongs to; nothing where there is none."""
    for path in reversed(checkpoints(folder)):
        try:
            check_safetensors(path, str(folder))
            with safe_open(str(path), framework="pt", device="cpu") as file:
                return dict(json.loads((file.metadata() or {})["facts"]))
        except (ModelError, SafetensorError, OSError, KeyError, ValueError, TypeError):
            continue
    return {}


def _refuse_others(folder: Path, was: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    # The first to differ is the one that is told: the rest may only follow from it.
    names = [*_FIRST, *sorted({*was, *now} - {*_FIRST})]
    unsaid = {*_SHAPE} - {*was}
    changed = [name for name in names if name not in unsaid and was.get(name) != now.get(name)]
    if not changed:
        return
    name = changed[0]
    data = "other data, or another --size, --frames or --every" if unsaid else "other data"
    what = {"data": data, "base_fingerprint": "another base"}.get(
        name, f"{_option(name)} {_told(was.get(name))}, and now it is {_told(now.get(name))}"
    )
    raise TrainingError(
        f"--out is {folder}: the run in it has {what}; name another folder, or ask for the same again"
    )


def _option(name: str) -> str:
    """A fact as a person asks for it."""
    if name in _NO_OPTIONS:
        return name.replace("_", " ")
    return f"--{_OPTIONS.get(name, name).replace('_', '-')}"


def _told(value: object) -> str:
    return "none" if value is None else ",".join(map(str, value)) if isinstance(value, list) else str(value)
