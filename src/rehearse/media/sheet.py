"""Contact sheets: the frames of one or several clips side by side on one page."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rehearse.media.errors import MediaError
from rehearse.media.files import replacing
from rehearse.media.lettering import fitted, font

_PAGE = (246, 242, 234)
_INK = (43, 38, 34)
_MUTED = (140, 132, 122)
_MARGIN = 16
_GAP = 4
_LABEL_SIZE = 15
_NUMBER_SIZE = 10
_MOST_CELLS = 8
_SMALLEST_CELL = 96


@dataclass(frozen=True, slots=True)
class Row:
    """One clip of a sheet. frames: RGB uint8 ``[F, H, W, 3]``; label: a line above it, or nothing."""

    frames: NDArray[np.uint8]
    label: str = ""


def contact_sheet(rows: Sequence[Row], every: int | None = None) -> Image.Image:
    """Draw clips as labelled rows of frames; the frame's number stands under each.

    every: show each ``every``-th frame, beginning with the first; None: about eight frames, evenly spaced,
    the first and the last among them. Frames under 96 pixels are enlarged by a whole factor.
    Raises MediaError for no rows or an ``every`` below 1.
    """
    if not rows:
        raise MediaError("a contact sheet needs one clip at least")
    if every is not None and every < 1:
        raise MediaError(f"every must be 1 or more, not {every}")
    strips = [_strip(row, every) for row in rows]
    width = max(strip.width for strip in strips) + 2 * _MARGIN
    height = sum(strip.height for strip in strips) + _MARGIN * (len(strips) + 1)
    page = Image.new("RGB", (width, height), _PAGE)
    top = _MARGIN
    for strip in strips:
        page.paste(strip, (_MARGIN, top))
        top += strip.height + _MARGIN
    return page


def write_sheet(path: str | os.PathLike[str], rows: Sequence[Row], every: int | None = None) -> None:
    """Draw :func:`contact_sheet` and write it to ``path`` as a png, whole or not at all."""
    page = contact_sheet(rows, every)
    write_picture(path, page)


def write_picture(path: str | os.PathLike[str], page: Image.Image) -> None:
    """Write a picture to ``path`` as a png, whole or not at all."""
    with replacing(path) as part:
        page.save(part, format="PNG", optimize=True)


def shown_frames(count: int, every: int | None) -> list[int]:
    """Indices of the frames that a sheet shows of a clip of ``count`` frames."""
    if every is not None:
        return list(range(0, count, every))
    cells = min(count, _MOST_CELLS)
    return [round(i * (count - 1) / max(1, cells - 1)) for i in range(cells)]


def _strip(row: Row, every: int | None) -> Image.Image:
    indices = shown_frames(len(row.frames), every)
    _, height, width, _ = row.frames.shape
    factor = max(1, math.ceil(_SMALLEST_CELL / max(height, width)))
    height, width = height * factor, width * factor
    head = _LABEL_SIZE + 8 if row.label else 0
    foot = _NUMBER_SIZE + 5
    strip = Image.new("RGB", (len(indices) * (width + _GAP) - _GAP, head + height + foot), _PAGE)
    draw = ImageDraw.Draw(strip)
    if row.label:
        letters = font(_LABEL_SIZE)
        draw.text((0, 0), fitted(row.label, letters, strip.width), fill=_INK, font=letters)
    for column, index in enumerate(indices):
        left = column * (width + _GAP)
        cell = Image.fromarray(row.frames[index])
        strip.paste(cell.resize((width, height), Image.Resampling.NEAREST), (left, head))
        draw.text((left, head + height + 2), str(index), fill=_MUTED, font=font(_NUMBER_SIZE))
    return strip
