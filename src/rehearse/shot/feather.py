"""Soft edges of a region: inside it, across its border, or outside it.

- :func:`feathered`: inside. Outside the region a picture stays bit for bit: for what is laid over it.
- :func:`across`: half on either side of the border: for what two predictions share.
- :func:`outside`, :func:`spread`: beyond it: for what a change may reach past its own pixels.

The inner edge: a mask's weight rises from its border inwards, ``f = min(mask, d / w)`` with d the depth under
the border in pixels and w the feather's width. Where the region is nowhere as deep as w (a thin stroke), w is
the depth it has there: a thin region is redrawn too.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Weights = NDArray[np.float32]


def feathered(mask: Weights, width: float) -> Weights:
    """The weight of a regional edit, float32 ``[H, W]`` in [0, 1], 0 wherever the mask is 0.

    mask: ``[H, W]`` in [0, 1]. width: of the soft edge in pixels; 0 or 1 leave the mask as it is. The frame's
    border is no border of the region.
    """
    steps = int(np.ceil(width))
    if steps <= 1:
        return mask.astype(np.float32, copy=True)
    depth = _depth(mask, steps)
    deepest = depth
    for k in range(steps):
        if deepest.min() >= width:
            break
        deepest = _around(deepest, np.maximum, corners=bool(k % 2))
    return np.minimum(mask, depth / np.clip(deepest, 1, width)).astype(np.float32)


def grown(mask: Weights, width: float) -> Weights:
    """The mask and all that lies within ``width`` pixels of it along both axes, float32 ``[H, W]``."""
    bytes_ = np.rint(np.clip(mask, 0, 1) * 255).astype(np.uint8)
    wide = Image.fromarray(bytes_).filter(ImageFilter.MaxFilter(2 * round(width) + 1))
    return np.asarray(wide, dtype=np.float32) / np.float32(255)


def spread(mask: Weights, width: float) -> Weights:
    """The mask with a soft edge outside it, float32 ``[H, W]`` in [0, 1]; nowhere below the mask itself."""
    if width <= 0:
        return mask.astype(np.float32, copy=True)
    bytes_ = np.rint(np.clip(mask, 0, 1) * 255).astype(np.uint8)
    # What was blurred over an edge is doubled, so that the soft edge begins at full weight.
    soft = np.asarray(Image.fromarray(bytes_).filter(ImageFilter.GaussianBlur(width / 2)), dtype=np.float32)
    return np.maximum(mask, np.clip(soft * np.float32(2 / 255), 0, 1)).astype(np.float32)


def lay_over(below: NDArray[np.uint8], above: NDArray[np.uint8], weight: Weights) -> NDArray[np.uint8]:
    """``below + weight * (above - below)``, rounded, uint8 ``[H, W, 3]``; ``below`` at weight 0."""
    result = below.copy()
    here = weight > 0
    base = below[here].astype(np.float32)
    mixed = base + weight[here][:, None] * (above[here] - base)
    result[here] = np.rint(np.clip(mixed, 0, 255)).astype(np.uint8)
    return result


def across(region: Weights, pixels: float) -> Weights:
    """A region ``[height, width]`` in [0, 1] whose edges run from 1 to 0 over about ``pixels`` pixels, half
    of them on either side.

    It is averaged under a cone-like (separable triangular) window of that width; beyond the frame's edge the
    region goes on as it is at the edge, so that a region that reaches the edge stays whole there.
    """
    reach = int(np.ceil(pixels / 2))
    if reach < 1:
        return region
    window = np.clip(pixels / 2 + 0.5 - np.abs(np.arange(-reach, reach + 1)), 0, None)
    window /= window.sum()
    soft = region.astype(np.float64)
    for axis in (0, 1):
        padding = [(reach, reach) if place == axis else (0, 0) for place in (0, 1)]
        padded = np.pad(soft, padding, mode="edge")
        views = np.lib.stride_tricks.sliding_window_view(padded, len(window), axis=axis)
        soft = views @ window
    return np.clip(soft, 0, 1).astype(np.float32)


def outside(marked: NDArray[np.bool_], reach: int) -> Weights:
    """1 where marked, falling to 0 along half a cosine over ``reach`` pixels around, float32 ``[H, W]``."""
    result = marked.astype(np.float32)
    reached = result.copy()
    for k in range(1, reach):
        wider = _around(reached, np.maximum, corners=False)
        result[wider > reached] = 0.5 + 0.5 * math.cos(math.pi * k / reach)
        reached = wider
    return result


def _depth(mask: Weights, most: int) -> Weights:
    """How many pixels lie between each pixel and the border, at most ``most``; a sum of erosions, with the
    four neighbours and the eight in turn, which measures an octagon's distance."""
    eroded = mask.astype(np.float32)
    depth = eroded.copy()
    for k in range(most - 1):
        eroded = _around(eroded, np.minimum, corners=bool(k % 2))
        if not eroded.any():
            break
        depth += eroded
    return depth


def _around(values: Weights, choose: np.ufunc, *, corners: bool) -> Weights:
    """The least or greatest of each pixel and its four (or eight) neighbours in the frame."""
    tall = values.copy()
    tall[1:] = choose(tall[1:], values[:-1])
    tall[:-1] = choose(tall[:-1], values[1:])
    source = tall if corners else values
    result = tall.copy()
    result[:, 1:] = choose(result[:, 1:], source[:, :-1])
    result[:, :-1] = choose(result[:, :-1], source[:, 1:])
    return result
