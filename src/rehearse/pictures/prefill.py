"""A quick guess at what is behind something: a bared area filled in smoothly from its border.

Pull and push over a pyramid, then relaxation. Pull: each coarser level holds, per 2 x 2 cells, the mean of
the known ones and is known where any of them is. Push: from the coarsest level up, an unknown cell takes the
bilinearly enlarged value of the level above and is then relaxed toward the mean of its four neighbours
(a few Jacobi sweeps), which bends the fill into the membrane that the border spans. No model is asked, and no
texture is made: it is what a regional re-generation starts from.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SWEEPS = 6
_MARGIN = 8

Levels = NDArray[np.float32]


def prefill(picture: NDArray[np.uint8], exposed: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The picture with its exposed pixels filled from around them; the other pixels stay bit for bit.

    picture: uint8 ``[H, W, 3]``. exposed: bool ``[H, W]``. Where everything is exposed there is nothing to
    fill from: the result is the picture's mean colour.
    """
    if not exposed.any():
        return picture.copy()
    if exposed.all():
        mean = picture.reshape(-1, picture.shape[-1]).mean(axis=0)
        return np.broadcast_to(np.rint(mean).astype(np.uint8), picture.shape).copy()
    rows, columns = box_of(exposed, _MARGIN)
    part, bare = picture[rows, columns], exposed[rows, columns]
    if bare.all():  # the margin is cut off at the frame, so only a hole over the whole frame comes here
        rows, columns = slice(None), slice(None)
        part, bare = picture, exposed
    guess = _fill(part.astype(np.float32), ~bare)
    filled = picture.copy()
    filled[rows, columns][bare] = np.rint(np.clip(guess[bare], 0, 255)).astype(np.uint8)
    return filled


def box_of(mask: NDArray[np.bool_], margin: int = 0) -> tuple[slice, slice]:
    """Rows and columns of the smallest box round what is marked, grown by a margin within the frame."""
    y, x = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        slice(max(0, int(y[0]) - margin), int(y[-1]) + 1 + margin),
        slice(max(0, int(x[0]) - margin), int(x[-1]) + 1 + margin),
    )


def _fill(values: Levels, known: NDArray[np.bool_]) -> Levels:
    """Values ``[h, w, c]`` with the unknown cells filled, one level of the pyramid after the other."""
    if known.all():
        return values
    height, width, channels = values.shape
    weight = known.astype(np.float32)[..., None]
    even = ((0, height % 2), (0, width % 2), (0, 0))
    sums = np.pad(np.concatenate([values * weight, weight], axis=2), even)
    sums = sums.reshape(sums.shape[0] // 2, 2, sums.shape[1] // 2, 2, channels + 1).sum(axis=(1, 3))
    count = sums[..., -1:]
    coarse = _fill(sums[..., :-1] / np.maximum(count, 1), count[..., 0] > 0)
    filled = np.where(known[..., None], values, enlarge(coarse, height, width))
    for _ in range(_SWEEPS):
        padded = np.pad(filled, ((1, 1), (1, 1), (0, 0)), mode="edge")
        mean = padded[:-2, 1:-1] + padded[2:, 1:-1]
        mean += padded[1:-1, :-2]
        mean += padded[1:-1, 2:]
        mean *= np.float32(0.25)
        np.copyto(filled, mean, where=~known[..., None])
    return filled


def enlarge(coarse: Levels, height: int, width: int) -> Levels:
    """A level twice as large along each side (the last row or column may fall away), bilinear."""
    for axis, size in ((0, height), (1, width)):
        before = np.concatenate(
            [coarse.take([0], axis), coarse.take(range(coarse.shape[axis] - 1), axis)], axis
        )
        after = np.concatenate(
            [coarse.take(range(1, coarse.shape[axis]), axis), coarse.take([-1], axis)], axis
        )
        pair = np.stack([0.75 * coarse + 0.25 * before, 0.75 * coarse + 0.25 * after], axis + 1)
        shape = list(coarse.shape)
        shape[axis] *= 2
        coarse = pair.reshape(shape).astype(np.float32).take(range(size), axis)
    return coarse
