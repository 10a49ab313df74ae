"""One image-to-video clip: made, read by the judge, kept as one row and one small picture."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehearse.evaluation.animate.arms import Request
from rehearse.evaluation.kit.judging import Judge, find_subjects
from rehearse.evaluation.kit.measure import Measured, filmstrip, key_of, pack
from rehearse.evaluation.kit.motion import pixel_change
from rehearse.shot import Box

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Made:
    """What a model made of a request. frames: uint8 [F, H, W, 3]. before, after: the picture the clip starts
    from before and after its edits, uint8 [H, W, 3]; None where the model tells of no such picture."""

    frames: Pixels
    before: Pixels | None = None
    after: Pixels | None = None


Animator = Callable[[Request], Made]


@dataclass(frozen=True)
class AnimateTools:
    """What a process that measures holds."""

    animator: Animator
    judge: Judge


@dataclass(frozen=True)
class AnimateTask:
    """A clip to make and measure. key: see :func:`request_key`. subjects: (kind, colour) of whom to look for.
    region: what an edit may change. embeds: whether the judge embeds it."""

    key: str
    request: Request
    subjects: tuple[tuple[str, str], ...]
    region: Box | None = None
    embeds: bool = True


def request_key(request: Request, *fingerprints: str) -> str:
    """What decides a measurement, as one short text."""
    if request.parent is None:
        return key_of(request.shot, *fingerprints)
    return key_of(request.shot, request.parent.digest(), f"at {request.at:g}", *fingerprints)


def measure_animation(tools: AnimateTools, task: AnimateTask) -> Measured:
    """Make and measure one clip. The row holds boxes [subjects][F] (four numbers or null); embeddings of the
    clip and, as a mean, of its frames (base64 of little-endian float32; only where ``embeds``); pixel change,
    flicker, the distances of :func:`closure`, and what an edit did outside its region (null: no edit, or
    nothing is known of its picture)."""
    began = time.perf_counter()
    made = tools.animator(task.request)
    seconds = time.perf_counter() - began
    frames = made.frames
    boxes = find_subjects(tools.judge, frames, task.subjects)
    row: dict[str, Any] = {
        "key": task.key,
        "prompt": task.request.shot.prompt,
        "boxes": [[None if np.isnan(b).any() else [round(float(v), 6) for v in b] for b in t] for t in boxes],
        "pixel_change": pixel_change(frames),
        "flicker": flicker(frames, tools.judge.segment(frames).kind > 0),
        "aspect": frames.shape[2] / frames.shape[1],
        "seconds": round(seconds, 3),
        "outside": None,
        "moved_outside": None,
        **closure(frames),
    }
    if task.region is not None and made.before is not None and made.after is not None:
        row["outside"], row["moved_outside"] = outside_change(made.before, made.after, task.region)
    if task.embeds:
        judge: Any = tools.judge
        row["clip"] = pack(judge.embed_clips(frames[None])[0])
        row["frames"] = pack(judge.embed_frames(frames).mean(axis=0))
    return Measured(row, filmstrip(frames))


def flicker(frames: Pixels, subjects: NDArray[np.bool_]) -> float:
    """Temporal flicker of the backdrop: half the mean absolute second difference over three neighbouring
    frames, in [0, 1], where no puppet is in any of them; 0 for fewer than three frames, NaN-free.

    frames: [F, H, W, 3]; subjects: [F, H, W], where puppets are. A puppet that passes is motion, a backdrop
    that goes there and back is not: a steady drift has no second difference.
    """
    if len(frames) < 3:
        return 0.0
    levels = frames.astype(np.float32) / 255
    second = np.abs(levels[2:] - 2 * levels[1:-1] + levels[:-2]).mean(axis=3) / 2
    still = ~(subjects[2:] | subjects[1:-1] | subjects[:-2])
    return float(second[still].mean()) if still.any() else 0.0


def closure(frames: Pixels) -> dict[str, float]:
    """How far the last frame is from the first, and neighbours from each other: mean absolute difference of
    pixels in [0, 1]. ``closing`` of last to first, ``step`` the mean and ``largest_step`` the largest of all
    neighbours; 0 for a single frame."""
    if len(frames) < 2:
        return {"closing": 0.0, "step": 0.0, "largest_step": 0.0}
    levels = frames.astype(np.float32) / 255
    steps = np.abs(np.diff(levels, axis=0)).mean(axis=(1, 2, 3))
    closing = float(np.abs(levels[-1] - levels[0]).mean())
    return {"closing": closing, "step": float(steps.mean()), "largest_step": float(steps.max())}


def outside_change(before: Pixels, after: Pixels, region: Box) -> tuple[int, float]:
    """What an edit did to pixels that no part of its region covers: the largest difference in grey levels (0
    to 255, of any channel), and the share of those pixels that moved by more than 2."""
    height, width = before.shape[:2]
    covered = np.zeros((height, width), bool)
    rows = slice(int(np.floor(region.y0 * height)), int(np.ceil(region.y1 * height)))
    columns = slice(int(np.floor(region.x0 * width)), int(np.ceil(region.x1 * width)))
    covered[rows, columns] = True
    change = np.abs(after.astype(np.int16) - before.astype(np.int16)).max(axis=2)[~covered]
    return (int(change.max()), float((change > 2).mean())) if change.size else (0, 0.0)
