"""One clip of the target evaluation: made, and its contact read from its pixels."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehearse.evaluation.animate.measure import flicker
from rehearse.evaluation.kit.measure import Measured, filmstrip, key_of
from rehearse.evaluation.target.cases import truth
from rehearse.evaluation.target.contact import DETECTOR, MOST, actor_mask, coverage_of_props, read_contact
from rehearse.shot import Shot

TargetEngine = Callable[[str, Shot], NDArray[np.uint8]]
"""Frames uint8 [F, H, W, 3] of a shot, made by the model of a name."""
MASK_COVERS = 2
"""Pixels around the props that may flicker because a prop answers."""


@dataclass(frozen=True)
class Looks:
    """How a model's blocks look at the marked prop at the word that marks it: mean attention of first-frame
    cells inside and outside of its mask, for each block."""

    inside: tuple[float, ...]
    outside: tuple[float, ...]


Looker = Callable[[str, int], Looks]
"""How the model of a name looks in the case at a place."""


@dataclass(frozen=True)
class TargetTools:
    """What a process that measures holds."""

    engine: TargetEngine
    look: Looker


@dataclass(frozen=True)
class TargetTask:
    """A clip to make and measure. model: its name or folder. place: of the case. key: see
    :func:`clip_key`."""

    key: str
    model: str
    shot: Shot
    place: int


@dataclass(frozen=True)
class LookTask:
    """An attention map to measure."""

    key: str
    model: str
    place: int


def clip_key(shot: Shot, fingerprint: str, place: int) -> str:
    """What decides a measurement, as one short text. fingerprint: of the model, and of the format it ran
    in."""
    return key_of(shot, fingerprint, f"target case {place}, detector {DETECTOR}")


def look_key(fingerprint: str, place: int) -> str:
    """The same for an attention map."""
    return hashlib.sha256(f"attention\n{fingerprint}\n{place}".encode()).hexdigest()[:24]


def measure_target(tools: TargetTools, task: TargetTask) -> Measured:
    """Make and measure one clip. The row holds the props touched, in their order; the frame of the first
    touch (null: none); the share of each prop that is covered, frame by frame; the share of frames that show
    the actor; the backdrop's flicker; the seconds."""
    clip = truth(task.place)
    began = time.perf_counter()
    frames = tools.engine(task.model, task.shot)
    seconds = time.perf_counter() - began
    actor = clip.scene.actor
    covered, seen = coverage_of_props(frames, actor, clip.props)
    found = read_contact(covered, seen)
    row: dict[str, Any] = {
        "key": task.key,
        "touched": list(found.touched),
        "frame": found.frame,
        "covered": [[round(float(share), 4) for share in frame] for frame in covered],
        "seen": round(seen, 4),
        "flicker": round(flicker(frames, _covered(frames, actor, clip.props)), 6),
        "seconds": round(seconds, 3),
    }
    return Measured(row, filmstrip(frames))


def look_at(tools: TargetTools, task: LookTask) -> dict[str, Any]:
    """Measure one attention map, as a row."""
    found = tools.look(task.model, task.place)
    return {"key": task.key, "inside": list(found.inside), "outside": list(found.outside)}


def _covered(frames: NDArray[np.uint8], actor: str, props: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where actor or props are, [F, H, W]: what moves there is no flicker."""
    from scipy import ndimage

    where = ndimage.binary_dilation(props.any(axis=0), iterations=MASK_COVERS)
    return np.stack([actor_mask(frame, actor) | where for frame in frames])


def visible(seen: float) -> bool:
    """Whether an actor seen in that share of the frames counts as visible."""
    return seen >= MOST
