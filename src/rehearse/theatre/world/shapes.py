"""Outlines of cut paper: polygons as float arrays [N, 2], x to the right and y down."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
XY = tuple[float, float]


def poly(*points: XY) -> Points:
    """A polygon with straight sides."""
    return np.array(points, dtype=np.float64)


def ellipse(cx: float, cy: float, rx: float, ry: float | None = None, n: int = 36) -> Points:
    """An ellipse, or a circle where only one radius is given."""
    return np.asarray(_circle(n) * (rx, rx if ry is None else ry) + (cx, cy), dtype=np.float64)


@cache
def _circle(n: int) -> Points:
    """The unit circle as n points."""
    a = np.linspace(0.0, 2.0 * math.pi, n, endpoint=False)
    return np.stack([np.cos(a), np.sin(a)], axis=1)


@cache
def _quarters(n: int) -> tuple[Points, Points]:
    """Four quarter arcs of n points, in order round the circle, and the corner each belongs to."""
    a = np.linspace(0.0, 0.5 * math.pi, n)[None, :] + 0.5 * math.pi * np.arange(4)[:, None]
    arcs = np.stack([np.cos(a), np.sin(a)], axis=-1).reshape(-1, 2)
    corners = np.repeat(np.array([(1.0, 1.0), (0.0, 1.0), (0.0, 0.0), (1.0, 0.0)]), n, axis=0)
    return arcs, corners


def wedge(cx: float, cy: float, r: float, start: float, stop: float, n: int = 10) -> Points:
    """A slice of a disc between two angles in radians."""
    a = np.linspace(start, stop, n)
    rim = np.stack([cx + r * np.cos(a), cy + r * np.sin(a)], axis=1)
    return np.concatenate([np.array([[cx, cy]]), rim])


def smooth(points: Sequence[XY], n: int = 6) -> Points:
    """A closed Catmull-Rom curve through the points, n samples for each side."""
    p = np.array(points, dtype=np.float64)
    a, b, c, d = np.roll(p, 1, 0), p, np.roll(p, -1, 0), np.roll(p, -2, 0)
    t = np.linspace(0.0, 1.0, n, endpoint=False)[None, :, None]
    a, b, c, d = (q[:, None, :] for q in (a, b, c, d))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.asarray(curve.reshape(-1, 2), dtype=np.float64)


def rounded(x0: float, y0: float, x1: float, y1: float, r: float, n: int = 5) -> Points:
    """A rectangle with rounded corners."""
    r = min(r, abs(x1 - x0) / 2, abs(y1 - y0) / 2)
    arcs, corners = _quarters(n)
    return np.asarray(
        arcs * r + corners * (x1 - x0 - 2 * r, y1 - y0 - 2 * r) + (x0 + r, y0 + r), dtype=np.float64
    )


def ribbon(centre: Sequence[XY] | Points, width: float, end_width: float | None = None) -> Points:
    """A strip of the given width (and width at its end) along an open line."""
    c = np.asarray(centre, dtype=np.float64)
    d = np.gradient(c, axis=0)
    d /= np.maximum(np.linalg.norm(d, axis=1, keepdims=True), 1e-9)
    normal = np.stack([-d[:, 1], d[:, 0]], axis=1)
    w = 0.5 * np.linspace(width, width if end_width is None else end_width, len(c))[:, None]
    return np.concatenate([c + normal * w, (c - normal * w)[::-1]])


def bezier(a: XY, b: XY, c: XY, d: XY, n: int = 12) -> Points:
    """An open cubic Bezier curve, n points."""
    t = np.linspace(0.0, 1.0, n)[:, None]
    p, q, r, s = (np.array(v, dtype=np.float64) for v in (a, b, c, d))
    curve = (1 - t) ** 3 * p + 3 * (1 - t) ** 2 * t * q + 3 * (1 - t) * t**2 * r + t**3 * s
    return np.asarray(curve, dtype=np.float64)


def turned(points: Points, angle: float, cx: float = 0.0, cy: float = 0.0) -> Points:
    """The outline turned clockwise (on screen) by an angle in radians about a pivot."""
    c, s = math.cos(angle), math.sin(angle)
    pivot = np.array([cx, cy])
    return np.asarray((points - pivot) @ np.array([[c, s], [-s, c]]) + pivot, dtype=np.float64)


def scaled(points: Points, sx: float, sy: float, cx: float = 0.0, cy: float = 0.0) -> Points:
    """The outline scaled about a pivot."""
    pivot = np.array([cx, cy])
    return np.asarray((points - pivot) * np.array([sx, sy]) + pivot, dtype=np.float64)
