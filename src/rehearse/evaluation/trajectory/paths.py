"""Box paths that no prompt describes: curves, corners, stops, reversals, circles.

A family draws the centre's way in a unit stage; the stage is then laid into the frame so that a box of the
given size stays in it but for a tenth of its size. The world moves its puppets straight, along one arc or in
bounces (rehearse.theatre.world.motions): none of these families is among them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rehearse.shot import Box, BoxPath

Way = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""Times [K] in [0, 1], centres [K, 2] in the unit stage, scales [K] of the box."""

SMOOTH = 17
"""Keyframes of a curved path."""
LONGEST = 1.3
"""Longest way of a centre, in frame widths: 0.09 a frame at 16 frames, half as fast again as the world's
fastest puppets."""
OVERHANG = 0.1
"""Share of its size by which a box may leave the frame."""


def _smooth(xs: NDArray[np.float64], ys: NDArray[np.float64]) -> Way:
    centres = np.stack([xs, ys], axis=1)
    return np.linspace(0, 1, len(xs)), centres, np.ones(len(xs))


def _corners(times: list[float], points: list[tuple[float, float]]) -> Way:
    return np.array(times), np.array(points, dtype=np.float64), np.ones(len(times))


def _s_curve(rng: np.random.Generator) -> Way:
    t = np.linspace(0, 1, SMOOTH)
    return _smooth(t, 0.5 + rng.uniform(0.25, 0.5) * np.sin(2 * np.pi * t))


def _zigzag(rng: np.random.Generator) -> Way:
    legs = int(rng.integers(3, 5))
    low, high = rng.uniform(0.0, 0.2), rng.uniform(0.7, 1.0)
    times = [i / legs for i in range(legs + 1)]
    return _corners(times, [(t, low if i % 2 else high) for i, t in enumerate(times)])


def _stop_and_go(rng: np.random.Generator) -> Way:
    turn = rng.uniform(0.0, 1.0)
    first, second = rng.uniform(0.2, 0.3), rng.uniform(0.6, 0.7)
    times = [0.0, first, first + 0.2, second, second + 0.2, 1.0]
    stops = [(0.0, 0.5), (0.4, turn), (0.4, turn), (0.75, 0.5), (0.75, 0.5), (1.0, 1.0 - turn)]
    return _corners(times, stops)


def _reversal(rng: np.random.Generator) -> Way:
    back = rng.uniform(0.4, 0.6)
    drift = rng.uniform(-0.2, 0.2)
    return _corners([0.0, back, 1.0], [(0.0, 0.5), (rng.uniform(0.8, 1.0), 0.5), (0.0, 0.5 + drift)])


def _circle(rng: np.random.Generator) -> Way:
    angle = rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.linspace(0, 1, SMOOTH)
    radius = rng.uniform(0.35, 0.5)
    return _smooth(0.5 + radius * np.cos(angle), 0.5 + radius * np.sin(angle))


def _loop(rng: np.random.Generator) -> Way:
    t = np.linspace(0, 1, SMOOTH)
    radius = rng.uniform(0.2, 0.3)
    angle = 2 * np.pi * t
    return _smooth(0.2 + 0.6 * t + radius * np.sin(angle), 0.5 - radius * np.cos(angle))


def _diagonal(rng: np.random.Generator) -> Way:
    return _corners([0.0, 1.0], [(0.0, rng.uniform(0.0, 0.2)), (1.0, rng.uniform(0.8, 1.0))])


def _growing_diagonal(rng: np.random.Generator) -> Way:
    times, centres, _ = _diagonal(rng)
    small = rng.uniform(0.7, 0.8)
    scales = np.array([small, 1.0] if rng.random() < 0.5 else [1.0, small])
    return times, 0.2 + 0.6 * centres, scales


FAMILIES: dict[str, Callable[[np.random.Generator], Way]] = {
    "s-curve": _s_curve,
    "zigzag": _zigzag,
    "stop-and-go": _stop_and_go,
    "reversal": _reversal,
    "circle": _circle,
    "loop": _loop,
    "diagonal": _diagonal,
    "growing diagonal": _growing_diagonal,
}


def box_path(family: str, size: tuple[float, float], rng: np.random.Generator) -> BoxPath:
    """A random path of a family for a box of the given width and height (fractions of the frame)."""
    times, centres, scales = FAMILIES[family](rng)
    # Mirrored and transposed ways are as likely, so that no direction is favoured.
    if rng.random() < 0.5:
        centres = centres[:, ::-1]
    flips = rng.random(2) < 0.5
    centres = np.where(flips, 1 - centres, centres)
    extent = np.array(size)
    margin = (0.5 - OVERHANG) * extent
    placed = margin + centres * (1 - 2 * margin)
    length = float(np.hypot(*np.diff(placed, axis=0).T).sum())
    if length > LONGEST:
        middle = (placed.min(axis=0) + placed.max(axis=0)) / 2
        placed = middle + (placed - middle) * (LONGEST / length)
    half = extent / 2 * scales[:, None]
    keyframes = [
        (float(t), Box(*(float(v) for v in (*(c - h), *(c + h)))))
        for t, c, h in zip(times, placed, half, strict=True)
    ]
    return BoxPath(keyframes, leaves_frame=True)
