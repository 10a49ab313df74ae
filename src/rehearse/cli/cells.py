"""Pictures in the terminal: two pixels a character cell, by the half block and its two colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.color import Color
from rich.style import Style
from rich.text import Text

_HALF = "▀"
_GAP = 2
_MOST_FRAMES = 4


def filmstrip(frames: NDArray[np.uint8], columns: int, rows: int) -> Text:
    """Some frames of a clip, first and last among them, side by side in ``columns`` x ``rows`` cells.

    frames: RGB uint8 ``[F, h, w, 3]``, small ones as they are, large ones shrunk to fit.
    """
    count, height, width, _ = frames.shape
    shown = max(1, min(_MOST_FRAMES, count, (columns + _GAP) // (width + _GAP)))
    scale = min(1.0, columns / width, 2 * rows / height) if shown == 1 else min(1.0, 2 * rows / height)
    size = (max(1, round(width * scale)), max(2, round(height * scale) // 2 * 2))
    # One frame alone is the middle one; the first is often the least telling.
    last = count - 1
    indices = [round(i * last / (shown - 1)) for i in range(shown)] if shown > 1 else [count // 2]
    cells = [np.asarray(Image.fromarray(frames[i]).resize(size, Image.Resampling.BOX)) for i in indices]
    text = Text(no_wrap=True)
    for row in range(0, size[1], 2):
        if row:
            text.append("\n")
        for place, pixels in enumerate(cells):
            text.append(" " * _GAP if place else "")
            for upper, lower in zip(pixels[row].tolist(), pixels[row + 1].tolist(), strict=True):
                text.append(_HALF, Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower)))
    return text
