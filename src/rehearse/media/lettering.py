"""Text on pictures: the font, and lines cut to fit."""

from __future__ import annotations

from functools import lru_cache

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@lru_cache(maxsize=16)
def font(size: int) -> Font:
    """Pillow's built-in font at ``size`` pixels, so that nothing need be installed."""
    return ImageFont.load_default(size)


def fitted(text: str, letters: Font, width: float) -> str:
    """``text`` on one line, cut with an ellipsis where it is wider than ``width`` pixels."""
    line = " ".join(text.split())
    if letters.getlength(line) <= width:
        return line
    low, high = 0, len(line)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if letters.getlength(line[:middle] + "…") <= width else (low, middle - 1)
    return line[:low].rstrip() + "…"
