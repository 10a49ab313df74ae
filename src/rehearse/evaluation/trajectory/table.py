"""The measurements of one arm as arrays, and its metrics under any counting of the cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehearse.evaluation.kit.measure import boxes_of, features_of
from rehearse.evaluation.kit.motion import subject_motion
from rehearse.evaluation.kit.quality import ClipFeatures, Discrepancy, Reference
from rehearse.evaluation.kit.trajectory_metrics import TrackScore, score_track
from rehearse.evaluation.trajectory.cases import Case

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Metric:
    """What a number is called, and which way is better (1 more, -1 less, 0 neither). scale: on print."""

    key: str
    title: str
    better: int
    scale: float = 1.0
    digits: int = 3


METRICS: tuple[Metric, ...] = (
    Metric("miou", "mIoU", 1),
    Metric("miou_covered", "mIoU (covered)", 1),
    Metric("volume_iou", "volume IoU (Peekaboo)", 1),
    Metric("ap50", "AP50", 1),
    Metric("coverage", "coverage", 1),
    Metric("distance", "centre distance", -1),
    Metric("kid", "KID x100", -1, 100, 2),
    Metric("kid_change", "KID x100 of change", -1, 100, 2),
    Metric("motion", "motion x100", 0, 100, 2),
    Metric("excess", "motion x100 - asked", 0, 100, 2),
    Metric("change", "pixel change x100", 0, 100, 2),
    Metric("text", "right subjects", 1),
)
"""All that has an interval; FID stands beside them without one."""

TITLES: Mapping[str, Metric] = {metric.key: metric for metric in METRICS}


@dataclass(frozen=True)
class Table:
    """One arm's clips, in the order of the cases.

    cases: their indices [n]. keys: of their rows. tracks: scores of all tracks; owner [t]: position of each
    track's case. motions [t]: dynamic degree, NaN where it cannot be told; asked [t]: that of the path.
    features: of the clips; change [n]: mean pixel change.
    """

    cases: tuple[int, ...]
    keys: tuple[str, ...]
    tracks: tuple[TrackScore, ...]
    owner: NDArray[np.int64]
    motions: Array
    asked: Array
    features: ClipFeatures
    change: Array
    reference: Reference

    @classmethod
    def of(cls, cases: Sequence[Case], rows: Sequence[Mapping[str, Any]], reference: Reference) -> Table:
        """From the cases and the row of each."""
        tracks, owner, motions, ways = [], [], [], []
        for position, (case, row) in enumerate(zip(cases, rows, strict=True)):
            found = boxes_of(dict(row))
            for asked, boxes in zip(case.asked(found.shape[1]), found, strict=True):
                tracks.append(score_track(asked, boxes, row["aspect"]))
                owner.append(position)
                motions.append(subject_motion(boxes, row["aspect"]))
                ways.append(subject_motion(asked, row["aspect"]))
        return cls(
            cases=tuple(case.index for case in cases),
            keys=tuple(row["key"] for row in rows),
            tracks=tuple(tracks),
            owner=np.array(owner),
            motions=np.array(motions),
            asked=np.array(ways),
            features=ClipFeatures.join([features_of(dict(row)) for row in rows]),
            change=np.array([row["pixel_change"] for row in rows]),
            reference=reference,
        )

    def first(self, count: int) -> Table:
        """The same for the first ``count`` cases."""
        if count >= len(self.cases):
            return self
        kept = self.owner < count
        return Table(
            self.cases[:count], self.keys[:count],
            tuple(track for track, keep in zip(self.tracks, kept, strict=True) if keep),
            self.owner[kept], self.motions[kept], self.asked[kept], self.features.first(count),
            self.change[:count], self.reference,
        )  # fmt: skip

    def track(self, name: str) -> Array:
        """One score of all tracks [t]."""
        return np.array([getattr(track, name) for track in self.tracks], dtype=np.float64)

    @cached_property
    def case_iou(self) -> Array:
        """Mean IoU of each case's tracks [n]."""
        total = np.bincount(self.owner, self.track("iou"), minlength=len(self.cases))
        return total / np.bincount(self.owner, minlength=len(self.cases))

    @cached_property
    def _kid(self) -> Discrepancy:
        return self.reference.look.compare(self.features.look)

    @cached_property
    def _kid_change(self) -> Discrepancy:
        return self.reference.change.compare(self.features.change[:, None])

    @property
    def fid(self) -> float:
        """FID of the look of all clips; NaN for fewer than two."""
        return self.reference.look.fid(self.features.look)

    def values(self, key: str, weights: Array) -> Array:
        """A metric for each row of counts [r, n] -> [r]; NaN where nothing that counts has a value.

        A track counts as often as its case: the two tracks of a case are drawn together."""
        if key == "kid":
            return self._kid.kid(weights)
        if key == "kid_change":
            return self._kid_change.kid(weights)
        if key == "change":
            return _mean(self.change, weights)
        covered = self.track("covered")
        if key == "text":
            # A clip shows what it was asked for when every subject of it is found, in most frames.
            lacking = np.bincount(self.owner, 1 - covered, minlength=len(self.cases))
            return _mean((lacking == 0).astype(np.float64), weights)
        values = {
            "miou": lambda: self.track("iou"),
            "miou_covered": lambda: np.where(covered > 0, self.track("iou_found"), np.nan),
            "volume_iou": lambda: np.where(covered > 0, self.track("volume_iou"), np.nan),
            "ap50": lambda: (self.track("volume_iou") >= 0.5).astype(np.float64),
            "coverage": lambda: covered,
            "distance": lambda: self.track("distance"),
            "motion": lambda: self.motions,
            "excess": lambda: self.motions - self.asked,
        }[key]()
        return _mean(values, weights[:, self.owner])


def _mean(values: Array, weights: Array) -> Array:
    """Weighted means of the values that are there: [n], [r, n] -> [r]."""
    there = ~np.isnan(values)
    total = weights[:, there].sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Array = (weights[:, there] @ values[there]) / total
    return mean
