"""The elastic map of a drag: every handle onto its target, and everything between them as rigidly as it goes.

Pictures are warped backwards: for every place of the result the map says where to read in the original. With
handles ``p_i`` and targets ``q_i`` (positions as complex numbers x + iy, in pixels) it is a closed form:

1. One handle: ``source(v) = v - (q - p)``, a translation.
2. Several: take the common rotation out first. With the means ``P``, ``Q`` of handles and targets,
   ``t = arg sum_i conj(p_i - P) (q_i - Q)``, ``a_i = p_i - P`` and ``b_i = e^(-it) (q_i - Q)``.
   A place of the result enters as ``u = e^(-it) (v - Q)`` and leaves as ``P + u`` after step 3.
3. What remains is the way from ``a_i`` to ``b_i``, cut into K equal pieces ``c_k = a + (b - a) k/K``.
   For k = K, ..., 1 move u by one rigid moving-least-squares step from ``c = c_k`` to ``d = c_(k-1)``
   [Schaefer, McPhail and Warren 2006, section 2.3, in complex numbers]: with
   ``w_i = 1 / (|u - c_i|^2 + 1e-6)`` scaled to sum 1, the means ``C = sum w_i c_i`` and ``D = sum w_i d_i``,
   and ``m = sum w_i conj(c_i) d_i - conj(C) D``, it is ``u <- D + m/|m| (u - C)``.

Every step takes every ``c_i`` exactly to ``d_i``, so targets read at their handles. A single large step can
fold where the map turns or compresses fast; many small ones compose invertible steps, so the whole does not
fold as long as no two handles meet on their way. K grows with how fast handles approach or leave one another,
see :func:`pieces`. Thin plates were the alternative: they are one linear solve, but scale and shear freely (a
puppet held at two points swells), need three handles off a line, and fold for large moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

MOST_PIECES = 24
_PIECES_PER_STRETCH = 3
_WEIGHTS_AT_ONCE = 1 << 18
_NEAR = np.float32(1e-6)

Complex = NDArray[np.complex128]
Reals = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Elastic:
    """The map of one drag.

    handles, targets: complex ``[n]``, x + iy in pixels, pairwise different among themselves.
    """

    handles: Complex
    targets: Complex

    @property
    def still(self) -> bool:
        """Whether nothing moves."""
        return bool(np.all(self.handles == self.targets))

    def source(self, x: Reals, y: Reals) -> tuple[Reals, Reals]:
        """Where to read for each place of the result; x and y of one shape, in pixels."""
        if len(self.handles) == 1:
            shift = self.handles[0] - self.targets[0]
            return x + np.float32(shift.real), y + np.float32(shift.imag)
        start, end = self.handles.mean(), self.targets.mean()
        rotation = _unit(complex(np.sum(np.conj(self.handles - start) * (self.targets - end))))
        a, b = self.handles - start, (self.targets - end) / rotation
        count = pieces(a, b)
        way = [a + (b - a) * (k / count) for k in range(count, -1, -1)]
        ux, uy = _turn(x.ravel() - np.float32(end.real), y.ravel() - np.float32(end.imag), 1 / rotation)
        # With a = b the steps would do nothing.
        if not np.allclose(a, b, atol=1e-9):
            chunk = max(1, _WEIGHTS_AT_ONCE // len(a))
            for low in range(0, ux.size, chunk):
                part = slice(low, low + chunk)
                for c, d in pairwise(way):
                    ux[part], uy[part] = _step(ux[part], uy[part], c, d)
        return (
            (ux + np.float32(start.real)).reshape(x.shape),
            (uy + np.float32(start.imag)).reshape(y.shape),
        )


def pieces(a: Complex, b: Complex) -> int:
    """In how many steps to go from a to b: three for each time that a pair's shortest distance on its
    straight way fits into what the pair's offset changes by, at most :data:`MOST_PIECES`.
    """
    i, j = np.triu_indices(len(a), 1)
    before, change = a[i] - a[j], (b[i] - b[j]) - (a[i] - a[j])
    length = np.abs(change) ** 2
    nearest = np.clip(-(np.conj(change) * before).real / np.maximum(length, 1e-12), 0, 1)
    shortest = np.abs(before + nearest * change)
    rate = float(np.max(np.sqrt(length) / np.maximum(shortest, 1e-6)))
    return int(np.clip(np.ceil(_PIECES_PER_STRETCH * rate), 1, MOST_PIECES))


def _step(x: Reals, y: Reals, c: Complex, d: Complex) -> tuple[Reals, Reals]:
    """One rigid moving-least-squares step of the places (x, y) ``[N]``, from c to d."""
    cx, cy = c.real.astype(np.float32), c.imag.astype(np.float32)
    away_x, away_y = x[:, None] - cx, y[:, None] - cy
    weights = 1 / (away_x * away_x + away_y * away_y + _NEAR)
    cross = np.conj(c) * d
    terms = np.stack(
        [np.ones(len(c)), c.real, c.imag, d.real, d.imag, cross.real, cross.imag], axis=1
    ).astype(np.float32)
    total, mean_cx, mean_cy, mean_dx, mean_dy, mx, my = (weights @ terms).T
    mean_cx, mean_cy = mean_cx / total, mean_cy / total
    mean_dx, mean_dy = mean_dx / total, mean_dy / total
    mx = mx / total - (mean_cx * mean_dx + mean_cy * mean_dy)
    my = my / total - (mean_cx * mean_dy - mean_cy * mean_dx)
    size = np.sqrt(mx * mx + my * my)
    flat = size < 1e-12
    size = np.where(flat, 1, size)
    turn_x, turn_y = np.where(flat, 1, mx) / size, my / size
    x, y = x - mean_cx, y - mean_cy
    return mean_dx + turn_x * x - turn_y * y, mean_dy + turn_x * y + turn_y * x


def _unit(z: complex) -> complex:
    return z / abs(z) if abs(z) > 1e-9 else 1 + 0j


def _turn(x: Reals, y: Reals, rotation: complex) -> tuple[Reals, Reals]:
    c, s = np.float32(rotation.real), np.float32(rotation.imag)
    return c * x - s * y, s * x + c * y
