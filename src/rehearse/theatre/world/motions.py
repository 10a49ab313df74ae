"""Motions: functions of time in [0, 1] giving centre, scale and rotation, as keyframed paths.

Coordinates are fractions of the frame (x to the right, y down); angles are radians, positive
clockwise as seen on screen.
"""

from __future__ import annotations

import math
from bisect import bisect_right

import numpy as np

from .vocabulary import MOTIONS

Key = tuple[float, float, float, float, float]
"""``(t, cx, cy, scale, angle)``."""
Path = tuple[Key, ...]
Pose = tuple[float, float, float, float]
"""``(cx, cy, scale, angle)``."""

STEPS = 60
SMALL, LARGE = 0.56, 1.3
"""Scale at the small and the large end of growing and shrinking."""


def pose_at(path: Path, t: float) -> Pose:
    """The pose at time t, interpolated linearly between keyframes and held before and after them."""
    if t <= path[0][0]:
        return path[0][1:]
    if t >= path[-1][0]:
        return path[-1][1:]
    i = bisect_right(path, t, key=lambda key: key[0])
    a, b = path[i - 1], path[i]
    w = (t - a[0]) / (b[0] - a[0])
    cx, cy, scale, angle = (p + (q - p) * w for p, q in zip(a[1:], b[1:], strict=True))
    return cx, cy, scale, angle


def through(points: list[tuple[float, float]], scale: float = 1.0, angle: float = 0.0) -> Path:
    """A path through the points (two or more), equally spaced in time."""
    last = len(points) - 1
    return tuple((i / last, float(x), float(y), scale, angle) for i, (x, y) in enumerate(points))


def heading(motion: str) -> int:
    """Horizontal direction of a named motion: 1 right, -1 left, 0 neither."""
    return {"right": 1, "left": -1}.get(motion.split()[-1], 0)


def _inside(rng: np.random.Generator, half: float) -> float:
    """A coordinate that keeps an extent of the given half size inside the frame."""
    margin = min(half, 0.5)
    return float(rng.uniform(margin, 1.0 - margin))


def _span(rng: np.random.Generator, low: float, high: float) -> tuple[float, float]:
    """Start and end of a crossing: at least ``low`` long, its ends at or just outside the frame."""
    distance = float(rng.uniform(low, high))
    start = float(rng.uniform(-0.03, 1.03 - distance))
    return start, start + distance


def sample_path(motion: str, size: float, rng: np.random.Generator, lean: float = 0.0) -> Path:
    """A random path of the named motion for an actor whose drawn size is a fraction ``size``.

    ``lean`` is a constant angle in radians, signed by the horizontal direction.
    """
    if motion not in MOTIONS:
        raise ValueError(f"unknown motion {motion!r}; known: {', '.join(MOTIONS)}")
    half = 0.5 * size
    verb, _, way = motion.partition(" ")
    angle = lean * heading(motion)
    if verb == "moves":
        a, b = _span(rng, 0.45, 0.85)
        other = _inside(rng, half)
        if way in ("left", "up"):
            a, b = b, a
        if way in ("left", "right"):
            return ((0.0, a, other, 1.0, angle), (1.0, b, other, 1.0, angle))
        return ((0.0, other, a, 1.0, angle), (1.0, other, b, 1.0, angle))
    times = [i / STEPS for i in range(STEPS + 1)]
    if verb == "arcs":
        a, b = _span(rng, 0.45, 0.8)
        if way == "left":
            a, b = b, a
        rise = float(rng.uniform(0.28, 0.5))
        margin = 0.75 * half
        rise = min(rise, 1.0 - 2.0 * margin - 0.02)
        ground = float(rng.uniform(margin + rise, 1.0 - margin))
        return tuple((t, a + (b - a) * t, ground - 4.0 * rise * t * (1.0 - t), 1.0, angle) for t in times)
    if verb == "bounces":
        hops = int(rng.integers(2, 4))
        rise = min(float(rng.uniform(0.22, 0.4)), 1.0 - size)
        cx = _inside(rng, half)
        ground = float(rng.uniform(half + rise, 1.0 - half))
        # each hop is a parabola, as a thrown thing makes
        return tuple(
            (t, cx, ground - rise * 4.0 * (u := (t * hops) % 1.0) * (1.0 - u), 1.0, 0.0) for t in times
        )
    if verb in ("grows", "shrinks"):
        cx, cy = _inside(rng, half * LARGE), _inside(rng, half * LARGE)
        a, b = (SMALL, LARGE) if verb == "grows" else (LARGE, SMALL)
        return ((0.0, cx, cy, a, 0.0), (1.0, cx, cy, b, 0.0))
    cx, cy = _inside(rng, half), _inside(rng, half)
    if verb == "turns":
        turn = float(rng.uniform(0.75, 1.0) * 2.0 * math.pi * rng.choice((-1.0, 1.0)))
        return ((0.0, cx, cy, 1.0, 0.0), (1.0, cx, cy, 1.0, turn))
    return ((0.0, cx, cy, 1.0, 0.0), (1.0, cx, cy, 1.0, 0.0))
