"""Strips: all frames of a clip in one picture, side by side."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rehearse.takes.store.blobs import Blobs
from rehearse.takes.store.facts import Facts

WIDEST = 8192
"""Pixels: wider pictures are not shown by every browser, so that longer strips go on in a further row."""


def put_strip(blobs: Blobs, frames: NDArray[np.uint8]) -> Facts:
    """Store frames ``[F, H, W, 3]`` as one PNG, without loss; where it is and how to cut it."""
    count, height, width, _ = frames.shape
    columns = min(count, max(1, WIDEST // width))
    rows = -(-count // columns)
    sheet = np.zeros((rows * height, columns * width, 3), np.uint8)
    for index, frame in enumerate(frames):
        top, left = index // columns * height, index % columns * width
        sheet[top : top + height, left : left + width] = frame
    content = io.BytesIO()
    Image.fromarray(sheet).save(content, "PNG", compress_level=4)
    return {
        "digest": blobs.put(content.getvalue()),
        "frames": count,
        "columns": columns,
        "width": width,
        "height": height,
    }


def cut_strip(
    sheet: NDArray[np.uint8], frames: int, columns: int, width: int, height: int
) -> NDArray[np.uint8]:
    """The frames ``[F, H, W, 3]`` of a strip ``[rows*H, columns*W, 3]``."""
    rows = -(-frames // columns)
    grid = sheet.reshape(rows, height, columns, width, 3).swapaxes(1, 2)
    return grid.reshape(rows * columns, height, width, 3)[:frames]
