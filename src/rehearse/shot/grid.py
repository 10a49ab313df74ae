"""From intervals and pictures in fractions of the frame to cells of a grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehearse.shot.errors import ShotError

LARGEST_SIDE = 16_384


def refuse_bad_size(height: int, width: int) -> None:
    """Raise ShotError unless both are whole numbers from 1 to 16384."""
    for name, size in (("height", height), ("width", width)):
        if not 1 <= size <= LARGEST_SIDE:
            raise ShotError(f"it must be between 1 and {LARGEST_SIDE}", field=name, value=size)


def cells_in(
    low: NDArray[np.float64], high: NDArray[np.float64], cells: int, inset: float = 0.0
) -> NDArray[np.bool_]:
    """Which cells' centres lie in each interval [low, high), drawn in by ``inset`` cells at either end:
    [N, cells]. With half a cell only those count that lie in the interval whole.

    Nearest sampling alone would lose an interval that falls between two centres; where its middle lies in [0,
    1], the cell under its middle stands in for it.
    """
    centres = (np.arange(cells) + 0.5) / cells
    middle = (low + high) / 2
    # An end belongs to one of two intervals that meet there; drawn in, they do not meet, and a cell that fits
    # exactly is in.
    slack = min(1e-9, inset / cells)
    first, last = low + inset / cells - slack, high - inset / cells + slack
    inside: NDArray[np.bool_] = (centres >= first[:, None]) & (centres < last[:, None])
    lost = np.flatnonzero(~inside.any(axis=1) & (middle >= 0) & (middle <= 1))
    inside[lost, cell_of(middle[lost], cells)] = True
    return inside


def cell_of(position: NDArray[np.float64], cells: int) -> NDArray[np.int64]:
    """Index of the cell under each position in [0, 1]."""
    return np.minimum((position * cells).astype(np.int64), cells - 1)


def overlap(low: float, high: float, cells: int) -> NDArray[np.float64]:
    """The part of each cell that the interval covers, in [0, 1]: [cells]."""
    left = np.arange(cells) / cells
    right = np.arange(1, cells + 1) / cells
    return np.clip((np.minimum(high, right) - np.maximum(low, left)) * cells, 0, 1)


def pool(picture: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Mean of the picture [H, W] over each cell of a height x width grid, at any ratio of sizes."""
    rows, columns = picture.shape
    if rows % height == 0 and columns % width == 0:
        blocks = picture.reshape(height, rows // height, width, columns // width)
        return np.asarray(blocks.mean(axis=(1, 3)), dtype=np.float32)
    mean = _shares(rows, height) @ picture @ _shares(columns, width).T
    return np.asarray(mean, dtype=np.float32)


def _shares(samples: int, cells: int) -> NDArray[np.float32]:
    """Share of every sample in every cell's area, rows summing to 1: [cells, samples]."""
    edges = np.arange(cells + 1) * samples / cells
    start = np.arange(samples)
    shared = np.minimum(edges[1:, None], start + 1) - np.maximum(edges[:-1, None], start)
    shared = np.clip(shared, 0, None)
    return np.asarray(shared / shared.sum(axis=1, keepdims=True), dtype=np.float32)
