"""A take between two steps as one safetensors file: all that continues it elsewhere, bit for bit where the
same number of threads computes in the same format (the file says which made it).

Tensors: latents, predicted x0, the scheduler's history, the generator's state. Metadata: the shot, the
model's fingerprint, the step, the scheduler's scalars. A blended take's file also carries its original: the
shot, or the predictions that were kept of it. The file is written beside its place, flushed to the
disk and renamed: whoever is killed in between leaves the old file or the new one.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rehearse.durable import because, write_durably
from rehearse.sampling.checkpoint_format import FORMAT, VERSION, newer
from rehearse.sampling.original import Original
from rehearse.sampling.snapshot import Snapshot
from rehearse.sampling.state import State
from rehearse.sampling.surroundings import surroundings

_SCHEDULER = "scheduler."
_KEPT = "kept."


class CheckpointError(ValueError):
    """A checkpoint cannot be written, read or continued. ``str(error)`` is one sentence."""


class CheckpointDamaged(CheckpointError):
    """A checkpoint is gone, cut off or not what was written. Others of the same take may be whole."""


@dataclass(frozen=True, eq=False, slots=True)
class Checkpoint:
    """A state with what it belongs to.

    state: where the run stands. shot: the shot as JSON text. model: what ``--model`` was given.
    fingerprint: of the model's files. notes: text by name, such as the parent take; not needed to continue.
    original: what a blended take is mixed with, see :class:`~rehearse.sampling.original.Original`.
    made_with: see :func:`~rehearse.sampling.surroundings.surroundings`; files of older versions say less.
    """

    state: State
    shot: str
    model: str
    fingerprint: str
    notes: Mapping[str, str] = field(default_factory=dict)
    original: Original | None = None
    made_with: Mapping[str, str] = field(default_factory=dict)


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
        "made_with": json.dumps(surroundings(None) | dict(checkpoint.made_with)),
    }
    metadata["digest"] = _digest(metadata, tensors)
    # Copies: several history entries may share one tensor, which the format does not allow.
    content = save({name: tensor.detach().clone() for name, tensor in tensors.items()}, metadata)
    file = Path(path)
    try:
        write_durably(file, content)
    except OSError as error:
        raise CheckpointError(f"cannot write checkpoint {file}: {because(error)}") from error
    return file


def load_checkpoint(
    path: str | os.PathLike[str], *, fingerprint: str | None = None, model: str | None = None
) -> Checkpoint:
    """Read a checkpoint.

    fingerprint: of the model to continue with; None does not compare. model: its name, for messages.
    Raises CheckpointError: unreadable, no checkpoint, of another format version or another model;
    CheckpointDamaged: not there, cut off, or a bit of it is not what was written.
    """
    from safetensors import SafetensorError, safe_open

    file = Path(path)
    try:
        with safe_open(file, framework="pt") as content:
            metadata = content.metadata() or {}
            _check_format(metadata, file)
            # Copies: memory of our own is aligned as torch's kernels expect it, whatever the file's offsets.
            tensors: dict[str, Tensor] = {name: content.get_tensor(name).clone() for name in content.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        raise CheckpointDamaged(f"cannot read checkpoint {file}: there is no such file") from error
    except (PermissionError, IsADirectoryError) as error:
        raise CheckpointError(f"cannot read checkpoint {file}: {because(error)}") from error
    except (SafetensorError, OSError, struct.error) as error:
        raise CheckpointDamaged(
            f"cannot read checkpoint {file}: it is not a whole safetensors file"
        ) from error
    # Files from before there were digests have none.
    if metadata.get("digest", digest := _digest(metadata, tensors)) != digest:
        raise CheckpointDamaged(f"checkpoint {file} is damaged: it does not hold what was written")
    try:
        checkpoint = _assemble(metadata, tensors)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise CheckpointDamaged(f"checkpoint {file} is damaged: {error}") from error
    if fingerprint is not None and fingerprint != checkpoint.fingerprint:
        raise CheckpointError(
            f"checkpoint {file} was made with other weights of {checkpoint.model!r} "
            f"({checkpoint.fingerprint[:12]}) than {model or 'this model'!r} has ({fingerprint[:12]}); "
            "continue it with the model it was made with"
        )
    return checkpoint


def _digest(metadata: Mapping[str, str], tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of all a checkpoint says: a flipped bit would else lead to another clip without a word."""
    said = {name: text for name, text in metadata.items() if name != "digest"}
    found = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        found.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        found.update(tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def _check_format(metadata: Mapping[str, str], file: Path) -> None:
    if metadata.get("format") != FORMAT:
        raise CheckpointError(f"{file} is a safetensors file but not a checkpoint of a take")
    if (said := newer(metadata)) is not None:
        raise CheckpointError(f"checkpoint {file} {said}")
    if metadata.get("version") not in [str(version) for version in range(1, VERSION + 1)]:
        raise CheckpointError(
            f"checkpoint {file} says that its format version is {metadata.get('version')!r}; this Rehearse "
            f"reads 1 to {VERSION}"
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
        # The first versions wrote the threads as a number.
        made_with={str(k): str(v) for k, v in json.loads(metadata.get("made_with", "{}")).items()},
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
