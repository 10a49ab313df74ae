"""Does it look like the world? FID and KID between generated and rendered clips, on the judge's features.

Two views of a clip. Its *look*: the features of FRAMES frames, evenly spaced, each a sample of its own, as
FID and KID are usually taken. Its *change*: one sample a clip, the frame features averaged over all frames,
followed by their mean absolute difference between neighbouring frames. The two halves of the latter are
divided by one number each, so that they weigh the same.

Features are centred on the reference and divided by its root mean square. The numbers are on that scale: not
comparable with values from Inception features.

FID: |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)). Biased upward for few clips: compare equal numbers only.
KID: unbiased squared maximum mean discrepancy under the kernel (x.y / d + 1)^3. Two frames of one clip are
never paired: it is clips that are independent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rehearse.evaluation.kit.errors import EvaluationError

Features = NDArray[np.float64]

FRAMES = 4
"""Frames of a clip whose features are kept."""


@dataclass(frozen=True)
class ClipFeatures:
    """Features of clips. look: float32 [n, FRAMES, d]; change: float32 [n, 2 d]."""

    look: NDArray[np.float32]
    change: NDArray[np.float32]

    @classmethod
    def of(cls, frames: NDArray[np.floating]) -> ClipFeatures:
        """Of one clip, from the features [F, d] of all its frames; of a short clip frames are repeated."""
        kept = np.linspace(0, len(frames) - 1, FRAMES).round().astype(int)
        mean = frames.mean(axis=0)
        change = np.abs(np.diff(frames, axis=0)).mean(axis=0) if len(frames) > 1 else np.zeros_like(mean)
        both = np.concatenate([mean, change])
        return cls(frames[kept][None].astype(np.float32), both[None].astype(np.float32))

    @classmethod
    def join(cls, parts: list[ClipFeatures]) -> ClipFeatures:
        """All clips of the parts, in order."""
        return cls(
            np.concatenate([part.look for part in parts]), np.concatenate([part.change for part in parts])
        )

    def first(self, count: int) -> ClipFeatures:
        """The first ``count`` clips."""
        return ClipFeatures(self.look[:count], self.change[:count])


def kernel(x: Features, y: Features) -> Features:
    """(x.y / d + 1)^3 for all pairs: [n, d], [m, d] -> [n, m]."""
    cubed: Features = (x @ y.T / x.shape[1] + 1.0) ** 3
    return cubed


def frechet_distance(x: Features, y: Features) -> float:
    """FID of two sets of features [n, d] and [m, d]; at least two rows each (EvaluationError)."""
    if len(x) < 2 or len(y) < 2:
        raise EvaluationError(f"FID needs two samples on each side at least, not {len(x)} and {len(y)}")
    gap = x.mean(axis=0) - y.mean(axis=0)
    cx, cy = np.atleast_2d(np.cov(x, rowvar=False)), np.atleast_2d(np.cov(y, rowvar=False))
    # tr (Cx Cy)^(1/2) is the sum of the roots of the eigenvalues of Cx^(1/2) Cy Cx^(1/2), which is symmetric.
    values, vectors = np.linalg.eigh(cx)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ cy @ root).clip(min=0)).sum()
    return float(gap @ gap + np.trace(cx) + np.trace(cy) - 2 * cross)


@dataclass(frozen=True)
class Population:
    """A set of reference clips. samples: [m, s, d], s samples a clip; parts: equal parts of d, each brought
    to the same scale."""

    samples: NDArray[np.float32]
    parts: int = 1

    @cached_property
    def _centre(self) -> Features:
        return self.samples.astype(np.float64).mean(axis=(0, 1))

    @cached_property
    def _scale(self) -> Features:
        spread = (self.samples.astype(np.float64) - self._centre) ** 2
        pieces = np.split(spread, self.parts, axis=2)
        return np.concatenate([np.full(p.shape[2], np.sqrt(p.mean()) or 1.0) for p in pieces])

    def scaled(self, samples: NDArray[np.floating]) -> Features:
        """Samples [n, s, d] on the reference's scale, as rows [n s, d]."""
        rows: Features = ((samples.astype(np.float64) - self._centre) / self._scale).reshape(
            -1, samples.shape[2]
        )
        return rows

    @cached_property
    def _within(self) -> float:
        count, each, _ = self.samples.shape
        rows = self.scaled(self.samples)
        own = _by_clip(kernel(rows, rows), each)
        return float((own.sum() - np.trace(own)) / (count * (count - 1)))

    def compare(self, samples: NDArray[np.floating]) -> Discrepancy:
        """Generated clips [n, s, d] against these."""
        rows, each = self.scaled(samples), samples.shape[1]
        across = kernel(rows, self.scaled(self.samples)).mean(axis=1)
        return Discrepancy(
            _by_clip(kernel(rows, rows), each), across.reshape(-1, each).mean(axis=1), self._within
        )

    def fid(self, samples: NDArray[np.floating]) -> float:
        """FID of generated clips [n, s, d]; NaN for fewer than two."""
        if len(samples) < 2:
            return float("nan")
        return frechet_distance(self.scaled(samples), self.scaled(self.samples))


def _by_clip(pairs: Features, each: int) -> Features:
    """Means of a kernel matrix over the samples of each pair of clips: [n s, n s] -> [n, n]."""
    count = len(pairs) // each
    return pairs.reshape(count, each, count, each).mean(axis=(1, 3))


@dataclass(frozen=True)
class Reference:
    """The rendered clips that generated ones are compared with: ``world`` for the look, ``asked`` for the
    change (see `reference`)."""

    world: ClipFeatures
    asked: ClipFeatures

    @cached_property
    def look(self) -> Population:
        """What frames of the world look like."""
        return Population(self.world.look)

    @cached_property
    def change(self) -> Population:
        """What clips look like whose subjects follow paths such as the cases'."""
        return Population(self.asked.change[:, None], parts=2)


@dataclass(frozen=True)
class Discrepancy:
    """KID of a set of clips as a function of how often each is counted.

    within: kernel among the clips [n, n]. across: each clip's mean kernel to the reference [n].
    reference: mean kernel among the reference's clips.
    """

    within: Features
    across: Features
    reference: float

    def kid(self, weights: NDArray[np.floating]) -> Features:
        """KID for each row of counts [r, n] -> [r]; NaN for rows that count fewer than two different clips.

        A clip is never compared with itself, however often it is counted, so that resampled values are not
        biased by their doubles."""
        w = np.atleast_2d(np.asarray(weights, dtype=np.float64))
        squares = w * w
        pairs = w.sum(axis=1) ** 2 - squares.sum(axis=1)
        inside = ((w @ self.within) * w).sum(axis=1) - squares @ np.diag(self.within)
        with np.errstate(invalid="ignore", divide="ignore"):
            value: Features = inside / pairs + self.reference - 2 * (w @ self.across) / w.sum(axis=1)
        value[pairs <= 0] = np.nan
        return value
