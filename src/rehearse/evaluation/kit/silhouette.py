"""Is a puppet its puppet? Its silhouette beside the true one, and beside itself a frame later.

The true silhouette of a kind is what the renderer cuts out of paper, in any pose of its articulation. Place,
size, angle and side are fitted; a shape that is right is right wherever it stands.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rehearse.theatre.world.puppets import CYCLES, pieces
from rehearse.theatre.world.render import EDGE

Mask = NDArray[np.bool_]
Points = tuple[NDArray[np.complex128], ...]

_FINE = 2
"""Silhouettes are drawn at this many times the mask's size."""
_POSES, _ANGLES, _REFINED = 8, 12, 3
"""Poses of a cycle and angles of a turn that are tried, and how many of the best are refined."""
SECOND_BLOB = 0.1
"""Share of the largest blob's area from which another counts as a second puppet."""


@dataclass(frozen=True)
class Fit:
    """The best place of a true silhouette: its overlap with the mask (intersection over union), and where:
    centre in pixels, size (the larger side, pixels), angle (radians, clockwise), mirrored or not."""

    iou: float
    centre: complex
    size: float
    angle: float
    flip: bool


@cache
def poses(kind: str) -> tuple[Points, ...]:
    """The outlines of a puppet's pieces in each of its poses, in multiples of its size, upright."""
    cycles = [k / _POSES for k in range(_POSES)] if kind in CYCLES else [0.0]
    found: list[Points] = []
    for cycle in cycles:
        for travel in (0.0, 0.13, 0.26):
            drawn = tuple(
                p.points[:, 0] + 1j * p.points[:, 1] for p in pieces(kind, cycle, travel)[0] if p.outline
            )
            if not any(_alike(drawn, other) for other in found):
                found.append(drawn)
    return tuple(found)


def _alike(one: Points, other: Points) -> bool:
    return len(one) == len(other) and all(
        len(a) == len(b) and np.abs(a - b).max() < 0.02 for a, b in zip(one, other, strict=True)
    )


def drawn(outline: Points, centre: complex, size: float, angle: float, flip: bool, side: int) -> Mask:
    """A silhouette as the renderer cuts it, with its paper edge, as a mask of ``side`` x ``side`` pixels."""
    cut = max(EDGE * side, 0.5)
    turn = max(size - 2 * cut, size / 4) * complex(math.cos(angle), math.sin(angle)) * _FINE
    canvas = Image.new("L", (side * _FINE, side * _FINE), 0)
    draw = ImageDraw.Draw(canvas)
    for points in outline:
        placed = (-points.conjugate() if flip else points) * turn + centre * _FINE
        ring = [(float(p.real), float(p.imag)) for p in placed]
        # The edge stands round the outline on all sides.
        draw.polygon(ring, fill=255)
        draw.line([*ring, ring[0]], fill=255, width=max(round(2 * cut * _FINE), 1), joint="curve")
    return np.asarray(canvas.reduce(_FINE)) > 127


def best_fit(mask: Mask, kind: str) -> Fit:
    """The true silhouette of this kind that overlaps most with a square mask that is not empty."""
    rows, columns = np.nonzero(mask)
    centre = complex(columns.mean() + 0.5, rows.mean() + 0.5)
    area = float(mask.sum())
    side = mask.shape[0]
    begun: list[tuple[float, int, complex, float, float, bool]] = []
    for index, outline in enumerate(poses(kind)):
        at_rest, own_area, own_centre = _of(kind, index)
        size = at_rest * math.sqrt(area / own_area)
        for flip in (False, True):
            for step in range(_ANGLES):
                angle = 2 * math.pi * step / _ANGLES
                offset = (-own_centre.conjugate() if flip else own_centre) * size
                place = centre - offset * complex(math.cos(angle), math.sin(angle))
                iou = overlap(mask, drawn(outline, place, size, angle, flip, side))
                begun.append((iou, index, place, size, angle, flip))
    begun.sort(key=lambda one: -one[0])
    return max((_refined(mask, kind, one) for one in begun[:_REFINED]), key=lambda fit: fit.iou)


@cache
def _of(kind: str, pose: int) -> tuple[float, float, complex]:
    """A size, the area it has at that size, and where its middle lies, in multiples of the size."""
    side, size = 256, 120.0
    mask = drawn(poses(kind)[pose], complex(side / 2, side / 2), size, 0.0, False, side)
    rows, columns = np.nonzero(mask)
    middle = complex(columns.mean() + 0.5 - side / 2, rows.mean() + 0.5 - side / 2)
    return size, float(mask.sum()), middle / size


def _refined(mask: Mask, kind: str, begun: tuple[float, int, complex, float, float, bool]) -> Fit:
    """Small steps in place, size and angle, for as long as they help, then smaller ones."""
    best, index, centre, size, angle, flip = begun
    outline, side = poses(kind)[index], mask.shape[0]
    moves = ((1, 0, 0, 0), (-1, 0, 0, 0), (0, 1, 0, 0), (0, -1, 0, 0), (0, 0, 1, 0), (0, 0, -1, 0))
    turns = ((0, 0, 0, 1), (0, 0, 0, -1))
    scale = 0.08 * size
    while scale > 0.2:
        for dx, dy, ds, da in (*moves, *turns):
            tried = (centre + complex(dx, dy) * scale, size + ds * scale, angle + da * 2 * scale / size)
            iou = overlap(mask, drawn(outline, *tried, flip, side))
            if iou > best:
                best, (centre, size, angle) = iou, tried
                break
        else:
            scale /= 2
    return Fit(best, centre, size, angle, flip)


def overlap(one: Mask, other: Mask) -> float:
    """Intersection over union; 1 of two empty masks."""
    union = int((one | other).sum())
    return int((one & other).sum()) / union if union else 1.0


def steadiness(one: Mask, other: Mask) -> float:
    """Overlap of a silhouette with that of the next frame, moved, scaled and turned onto it as well as it
    goes; neither is empty."""
    from scipy import ndimage

    def placed(mask: Mask) -> tuple[NDArray[np.float64], float]:
        rows, columns = np.nonzero(mask)
        return np.array([rows.mean(), columns.mean()]), math.sqrt(mask.sum())

    (here, small), (there, large) = placed(one), placed(other)
    values = one.astype(np.float32)

    def moved(down: float, right: float, grown: float, angle: float) -> float:
        # From a place in the next frame to the place in this one that belongs there.
        turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        matrix = turn * (small / large) / grown
        offset = here - matrix @ (there + np.array([down, right]))
        shown = ndimage.affine_transform(values, matrix, offset, order=1) > 0.5
        return overlap(cast("Mask", shown), other)

    at, step = np.zeros(4), np.array([1.0, 1.0, 0.04, 0.12])
    best = moved(0.0, 0.0, 1.0, 0.0)
    for _ in range(4):
        better = True
        while better:
            better = False
            for axis in range(4):
                for sign in (1, -1):
                    tried = at.copy()
                    tried[axis] += sign * step[axis]
                    iou = moved(tried[0], tried[1], 1 + tried[2], tried[3])
                    if iou > best + 1e-6:
                        best, at, better = iou, tried, True
        step /= 2
    return best


def largest_blob(mask: Mask) -> tuple[Mask, float]:
    """The largest connected part of a mask, and how large the second is, as a share of it (0: there is
    none)."""
    from scipy import ndimage

    labels, count = ndimage.label(mask, np.ones((3, 3)))
    if not count:
        return mask, 0.0
    areas = np.bincount(labels.ravel())[1:]
    order = areas.argsort()[::-1]
    second = float(areas[order[1]] / areas[order[0]]) if count > 1 else 0.0
    return cast("Mask", labels == order[0] + 1), second
