"""What is under the handles: a region found from where it is taken.

A quick, plain segmentation without a trained model, on the picture at most 128 pixels a side:

1. *Ways.* The cost of reaching a pixel, from the handles and from the frame's border, is the least sum over
   any way to it of squared colour differences (OKLab) from pixel to neighbour, plus a very little for its
   length: crossing one sharp edge costs more than many soft ones.
2. *Palettes.* Pixels nearer the handles teach the colours of the thing, pixels nearer the border those of
   what is around it, as two smoothed histograms; ``l`` is the share of the thing's at a colour. A step into a
   pixel then costs ``0.1 + 2 (1 - l)`` times as much on the way from the handles and ``0.1 + 2 l`` times from
   the border. The ways are gone again, twice: so a sail and its hull, apart but of one colour, come together.
3. *Cut.* A pixel belongs to the thing if the handles reach it at less cost than the border. Holes are filled,
   what hangs together with a handle is kept, and it grows by one pixel to take its soft edge along.

It finds things that stand out: paper puppets, a ball on grass. It does not know what a thing is: of two
things of like colour that touch it may take both, of a many-coloured one a part. Give the region where it
matters.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SIDE = 128
_LENGTH = np.float32(4e-6)
_ROUNDS = 2
_BINS = 12
_LOW, _HIGH = np.array([0.0, -0.25, -0.25]), np.array([1.0, 0.3, 0.25])
_ROUNDS_UNWATCHED = 8

Reals = NDArray[np.float32]
Marked = NDArray[np.bool_]


def find_region(picture: NDArray[np.uint8], handles: Sequence[tuple[float, float]]) -> Marked:
    """The region that hangs together with the handles, bool ``[H, W]``; never empty.

    picture: uint8 ``[H, W, 3]``. handles: (x, y) in fractions of the frame.
    """
    height, width = picture.shape[:2]
    scale = max(1.0, max(height, width) / _SIDE)
    low, narrow = max(1, round(height / scale)), max(1, round(width / scale))
    image = Image.fromarray(picture)
    seeds = np.zeros((low, narrow), dtype=bool)
    for x, y in handles:
        column, row = min(int(x * narrow), narrow - 1), min(int(y * low), low - 1)
        seeds[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = True
    found = _compete(oklab(np.asarray(image.resize((narrow, low), Image.Resampling.BOX))), seeds)
    found = grow(connected(fill_holes(found), seeds))
    if scale == 1.0:
        return found
    shade = Image.fromarray(found.astype(np.uint8) * 255).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(shade) > 127


def _compete(lab: Reals, seeds: Marked) -> Marked:
    """Steps 1 to 3 but for the clean-up: what the handles reach at less cost than the border."""
    border = np.zeros_like(seeds)
    border[[0, -1], :] = True
    border[:, [0, -1]] = True
    border &= ~grow(grow(grow(seeds)))
    if not border.any():
        return np.ones_like(seeds)
    steps = (np.sum(np.diff(lab, axis=0) ** 2, axis=2), np.sum(np.diff(lab, axis=1) ** 2, axis=2))
    bins = _bin(lab)
    even = np.ones_like(lab[..., 0])
    from_handles, from_border = reach(seeds, steps, even), reach(border, steps, even)
    for _ in range(_ROUNDS):
        likely = _likely(bins, from_border / (from_handles + from_border + np.float32(1e-12)))
        from_handles = reach(seeds, steps, np.float32(0.1) + 2 * (1 - likely))
        from_border = reach(border, steps, np.float32(0.1) + 2 * likely)
    return np.asarray(from_handles < from_border)


def reach(seeds: Marked, steps: tuple[Reals, Reals], into: Reals) -> Reals:
    """Least cost ``[h, w]`` of reaching each pixel from the seeds, over ways of up, down, left and right.

    steps: what lies between each pixel and the one below ``[h-1, w]``, and to the right ``[h, w-1]``. into:
    factor on the steps that enter a pixel, ``[h, w]``.
    """
    down, right = (step + _LENGTH for step in steps)
    cost = np.where(seeds, np.float32(0), np.float32(1e9))
    ways = (
        (cost[1:], cost[:-1], down * into[1:]),
        (cost[:-1], cost[1:], down * into[:-1]),
        (cost[:, 1:], cost[:, :-1], right * into[:, 1:]),
        (cost[:, :-1], cost[:, 1:], right * into[:, :-1]),
    )
    while True:
        before = cost.copy()
        for _ in range(_ROUNDS_UNWATCHED):
            for to, start, step in ways:
                np.minimum(to, start + step, out=to)
        if np.array_equal(before, cost):
            return cost


def _likely(bins: NDArray[np.int64], near: Reals) -> Reals:
    """For each pixel, how far its colour speaks for the thing, in (0, 1).

    near: share of the way's cost from the border, above 1/2 for what is nearer the handles.
    """
    thing = _palette(bins, np.where(near > 0.5, near, 0))
    around = _palette(bins, np.where(near > 0.5, 0, 1 - near))
    return np.asarray((thing / (thing + around))[bins], dtype=np.float32)


def _palette(bins: NDArray[np.int64], weights: Reals) -> NDArray[np.float64]:
    """Smoothed histogram of colours, above 0 everywhere."""
    totals = np.asarray(np.bincount(bins.ravel(), weights.ravel(), _BINS**3), dtype=np.float64)
    counts: NDArray[np.float64] = totals.reshape(_BINS, _BINS, _BINS)
    for axis in range(3):
        ends = np.pad(counts, [(int(axis == other),) * 2 for other in range(3)], mode="edge")
        before, middle, after = (ends.take(np.arange(i, i + _BINS), axis) for i in range(3))
        counts = (before + 2 * middle + after) / 4
    return np.asarray(counts.ravel() / max(float(counts.sum()), 1e-6) + 1e-5)


def _bin(lab: Reals) -> NDArray[np.int64]:
    at = np.clip((lab - _LOW) / (_HIGH - _LOW) * _BINS, 0, _BINS - 1).astype(np.int64)
    return np.asarray((at[..., 0] * _BINS + at[..., 1]) * _BINS + at[..., 2])


def grow(marked: Marked) -> Marked:
    """Grown by one pixel up, down, left and right."""
    grown = marked.copy()
    grown[1:] |= marked[:-1]
    grown[:-1] |= marked[1:]
    grown[:, 1:] |= marked[:, :-1]
    grown[:, :-1] |= marked[:, 1:]
    return grown


def connected(marked: Marked, seeds: Marked) -> Marked:
    """The part of what is marked that hangs together with the seeds; the seeds themselves always."""
    part = seeds.copy()
    within = marked | seeds
    while True:
        more = part
        for _ in range(8):
            more = grow(more) & within
        if np.array_equal(more, part):
            return part
        part = more


def fill_holes(marked: Marked) -> Marked:
    """With everything that it encloses."""
    outside = np.zeros_like(marked)
    outside[[0, -1], :] = True
    outside[:, [0, -1]] = True
    outside &= ~marked
    return ~connected(~marked, outside) if outside.any() else np.ones_like(marked)


def oklab(picture: NDArray[np.uint8]) -> Reals:
    """sRGB uint8 ``[..., 3]`` to OKLab float32: lightness in [0, 1], a and b about [-0.3, 0.3]."""
    srgb = picture.astype(np.float32) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    cones = np.cbrt(linear @ _TO_CONES.T)
    return np.asarray(cones @ _TO_LAB.T, dtype=np.float32)


_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    dtype=np.float32,
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    dtype=np.float32,
)
