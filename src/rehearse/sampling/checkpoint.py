"""A take between two steps as one safetensors file: all that continues it, bit for bit, elsewhere.

Tensors: latents, predicted x0, the scheduler's history, the generator's state. Metadata: the shot, the
model's fingerprint, the step, the scheduler's scalars. A blended take's file also carries its original: the
shot, or the predictions that were kept of it. The file is written beside its place, flushed to the
disk and renamed: whoever is killed in between leaves the old file or the new one.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rehearse.sampling.original import Original
from rehearse.sampling.snapshot import Snapshot
from rehearse.sampling.state import State

FORMAT = "rehearse-checkpoint"
VERSION = 2
"""1: no originals. 2: the originals of a blend may follow; a program that reads 1 only would lose them."""
_SCHEDULER = "scheduler."
_KEPT = "kept."


class CheckpointError(ValueError):
    """A checkpoint cannot be written, read or continued. ``str(error)`` is one sentence."""


@dataclass(frozen=True, eq=False, slots=True)
class Checkpoint:
    """A state with what it belongs to.

    state: where the run stands. shot: the shot as JSON text. model: what ``--model`` was given.
    fingerprint: of the model's files. notes: text by name, such as the parent take; not needed to continue.
    original: what a blended take is mixed with, see :class:`~rehearse.sampling.original.Original`.
    """

    state: State
    shot: str
    model: str
    fingerprint: str
    notes: Mapping[str, str] = field(default_factory=dict)
    original: Original | None = None


def save_checkpoint(checkpoint: Checkpoint, path: str | os.PathLike[str]) -> Path:
    """Write the checkpoint, whole or not at all. Raises CheckpointError where it cannot be written."""
    from safetensors.torch import save

    state = checkpoint.state
    tensors = {"latents": state.latents, "generator": state.generator}
    if state.x0 is not None:
        tensors["x0"] = state.x0
    tensors |= {_SCHEDULER + key: value for key, value in state.scheduler.tensors.items()}
    originals, kept = _taken_apart(checkpoint.original)
    tensors |= kept
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "step": str(state.step),
        "model": checkpoint.model,
        "fingerprint": checkpoint.fingerprint,
        "shot": checkpoint.shot,
        "scheduler": state.scheduler.to_json(),
        "notes": json.dumps(dict(checkpoint.notes)),
        "originals": originals,
        "made_with": json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads()}),
    }
    # Copies: several history entries may share one tensor, which the format does not allow.
    content = save({name: tensor.detach().clone() for name, tensor in tensors.items()}, metadata)
    return _write_whole(Path(path), content)


def load_checkpoint(
    path: str | os.PathLike[str], *, fingerprint: str | None = None, model: str | None = None
) -> Checkpoint:
    """Read a checkpoint.

    fingerprint: of the model to continue with; None does not compare. model: its name, for messages.
    Raises CheckpointError: unreadable, cut off, no checkpoint, of another format version or another model.
    """
    from safetensors import SafetensorError, safe_open

    file = Path(path)
    try:
        with safe_open(file, framework="pt") as content:
            metadata = content.metadata() or {}
            _check_format(metadata, file)
            # Copies: memory of our own is aligned as torch's kernels expect it, whatever the file's offsets.
            tensors: dict[str, Tensor] = {name: content.get_tensor(name).clone() for name in content.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, struct.error) as error:
        reason = (
            "there is no such file"
            if isinstance(error, FileNotFoundError)
            else "it is not a whole safetensors file"
        )
        if isinstance(error, PermissionError | IsADirectoryError):
            reason = str(error.strerror).lower()
        raise CheckpointError(f"cannot read checkpoint {file}: {reason}") from None
    try:
        checkpoint = _assemble(metadata, tensors)
    except (KeyError, ValueError, TypeError) as error:
        raise CheckpointError(f"checkpoint {file} is damaged: {error}") from None
    if fingerprint is not None and fingerprint != checkpoint.fingerprint:
        raise CheckpointError(
            f"checkpoint {file} was made with other weights of {checkpoint.model!r} "
            f"({checkpoint.fingerprint[:12]}) than {model or 'this model'!r} has ({fingerprint[:12]}); "
            "continue it with the model it was made with"
        )
    return checkpoint


def _check_format(metadata: Mapping[str, str], file: Path) -> None:
    if metadata.get("format") != FORMAT:
        raise CheckpointError(f"{file} is a safetensors file but not a checkpoint of a take")
    if metadata.get("version") not in [str(version) for version in range(1, VERSION + 1)]:
        raise CheckpointError(
            f"checkpoint {file} has format version {metadata.get('version')}, this program reads {VERSION}; "
            "continue it with the version of rehearse that wrote it"
        )


def _assemble(metadata: Mapping[str, str], tensors: dict[str, Tensor]) -> Checkpoint:
    history = {
        name.removeprefix(_SCHEDULER): tensor
        for name, tensor in tensors.items()
        if name.startswith(_SCHEDULER)
    }
    notes: dict[str, Any] = json.loads(metadata.get("notes", "{}"))
    return Checkpoint(
        state=State(
            step=int(metadata["step"]),
            latents=tensors["latents"],
            scheduler=Snapshot.from_json(metadata["scheduler"], history),
            generator=tensors["generator"],
            x0=tensors.get("x0"),
        ),
        shot=metadata["shot"],
        model=metadata["model"],
        fingerprint=metadata["fingerprint"],
        notes=notes,
        original=_put_together(metadata.get("originals", "[]"), tensors),
    )


def _taken_apart(original: Original | None) -> tuple[str, dict[str, Tensor]]:
    """An original as JSON text, from the nearest to the farthest, and the tensors kept of them."""
    lineage = original.lineage() if original else ()
    tensors = {
        f"{_KEPT}{depth}.{step}": x0
        for depth, one in enumerate(lineage)
        for step, x0 in (one.kept or {}).items()
    }
    return json.dumps([{"shot": one.shot, "kept": one.kept is not None} for one in lineage]), tensors


def _put_together(originals: str, tensors: Mapping[str, Tensor]) -> Original | None:
    kept: dict[int, dict[int, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith(_KEPT):
            depth, step = map(int, name.removeprefix(_KEPT).split("."))
            kept.setdefault(depth, {})[step] = tensor
    found: Original | None = None
    for depth, one in reversed(list(enumerate(json.loads(originals)))):
        found = Original(one["shot"], kept.get(depth, {}) if one["kept"] else None, found)
    return found


def _write_whole(path: Path, content: bytes) -> Path:
    part = path.parent / f".{path.name}.{secrets.token_hex(6)}.part"
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise CheckpointError(
            f"cannot write checkpoint {path}: {(error.strerror or str(error)).lower()}"
        ) from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    return path


def _sync_folder(folder: Path) -> None:
    """Make the renaming itself last through a power cut, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
