"""How well a subject kept to its path (docs/methods.md, section 2.3).

A *track* is one subject of one case: where it was asked to be and where the judge found it, frame by frame.
Frames in which its box is wholly out of the frame ask for nothing and do not count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehearse.evaluation.kit.errors import EvaluationError

Boxes = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class TrackScore:
    """One track's scores, fractions in [0, 1] unless said.

    found: share of the frames in which the subject is found. covered: found in more than half of them.
    iou: intersection over union per frame, averaged over all frames, a missed frame counting 0 (ours; the
        mIoU of the aims).
    iou_found: the same over the frames in which it is found; NaN where there is none.
    volume_iou: intersection over union of the two space-time volumes, sums over all frames of the areas
        shared and joined (Peekaboo's variant; a missed frame adds its asked box to what is joined).
    distance: centre to centre over the frames found, in frame diagonals; NaN where it is never found.
    """

    found: float
    covered: bool
    iou: float
    iou_found: float
    volume_iou: float
    distance: float


def areas(a: Boxes, b: Boxes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Area shared and area joined by boxes [..., 4]; an absent box (NaN) has no area."""
    with np.errstate(invalid="ignore"):
        sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
        shared = np.nan_to_num(sides.clip(min=0).prod(axis=-1), nan=0.0)
        own = [np.nan_to_num((x[..., 2:] - x[..., :2]).clip(min=0).prod(axis=-1), nan=0.0) for x in (a, b)]
    return shared, own[0] + own[1] - shared


def frame_iou(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """Intersection over union of boxes [..., 4] -> [...]; 0 where either is absent (NaN)."""
    shared, joined = areas(a, b)
    return np.divide(shared, joined, out=np.zeros_like(shared), where=joined > 0)


def centre_distance(a: Boxes, b: Boxes, aspect: float = 1.0) -> NDArray[np.float64]:
    """Distance of the boxes' centres in frame diagonals, [..., 4] -> [...]; aspect: width over height."""
    gap = (a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2 * np.array([aspect, 1.0])
    return np.hypot(gap[..., 0], gap[..., 1]) / np.hypot(aspect, 1.0)


def score_track(asked: Boxes, found: Boxes, aspect: float = 1.0) -> TrackScore:
    """Score one track. asked, found: [F, 4], NaN where there is no box. EvaluationError where nothing is
    asked."""
    if asked.shape != found.shape or asked.ndim != 2:
        raise EvaluationError(
            f"a track needs two arrays [frames, 4] of one shape, not {asked.shape} and {found.shape}"
        )
    due = ~np.isnan(asked).any(axis=1)
    if not due.any():
        raise EvaluationError("the path is out of the frame all the time; give one that can be seen")
    asked, found = asked[due], found[due]
    hit = ~np.isnan(found).any(axis=1)
    iou = frame_iou(asked, found)
    shared, joined = areas(asked, found)
    return TrackScore(
        found=float(hit.mean()),
        covered=bool(hit.mean() > 0.5),
        iou=float(iou.mean()),
        iou_found=float(iou[hit].mean()) if hit.any() else float("nan"),
        volume_iou=float(shared.sum() / joined.sum()),
        distance=float(centre_distance(asked[hit], found[hit], aspect).mean()) if hit.any() else float("nan"),
    )
