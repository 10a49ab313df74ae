"""Paper: colours, and laying cut pieces on a canvas with edges and soft shadows."""

from __future__ import annotations

from functools import cache

from PIL import Image, ImageDraw, ImageFilter

from .shapes import Points

RGB = tuple[int, int, int]

INK: RGB = (46, 42, 60)
CREAM: RGB = (255, 246, 222)
GOLD: RGB = (250, 186, 52)
GLASS: RGB = (196, 226, 240)
BARK: RGB = (122, 84, 62)
FLAME: RGB = (255, 122, 40)
SHADOW: RGB = (24, 20, 44)

COLOUR_RGB: dict[str, RGB] = {
    "red": (226, 42, 46),
    "orange": (247, 128, 16),
    "yellow": (253, 212, 30),
    "green": (32, 156, 66),
    "blue": (30, 96, 226),
    "purple": (130, 56, 192),
    "pink": (252, 128, 184),
    "white": (253, 253, 251),
}


def mix(a: RGB, b: RGB, w: float) -> RGB:
    """The colour a fraction w of the way from a to b."""
    r, g, bl = (round(p + (q - p) * w) for p, q in zip(a, b, strict=True))
    return r, g, bl


DEEP: dict[str, RGB] = {
    "red": (120, 6, 44),
    "orange": (176, 52, 0),
    "yellow": (222, 118, 0),
    "green": (4, 66, 62),
    "blue": (22, 20, 120),
    "purple": (52, 8, 104),
    "pink": (186, 30, 120),
    "white": (130, 138, 168),
}
"""The colour each puppet colour darkens towards."""


@cache
def tones(colour: str) -> dict[str, RGB]:
    """The paper tones of a puppet colour, by role."""
    base = COLOUR_RGB[colour]
    deep = DEEP[colour]
    white = colour == "white"
    return {
        "base": base,
        "light": mix(base, (255, 255, 255), 0.40) if not white else (228, 233, 242),
        "dark": mix(base, deep, 0.42) if not white else (198, 205, 222),
        "edge": mix(base, (255, 255, 255), 0.78) if not white else (112, 122, 148),
        "under": mix(mix(base, deep, 0.62), (30, 14, 52), 0.16) if not white else (150, 158, 182),
        "ink": INK,
        "cream": CREAM,
        "gold": GOLD,
        "glass": GLASS,
        "bark": BARK,
        "flame": FLAME,
        "shine": (255, 255, 255),
    }


def polygon(draw: ImageDraw.ImageDraw, points: Points, fill: RGB | int) -> None:
    """Fill a polygon given in the canvas's own pixels."""
    draw.polygon(points.ravel().tolist(), fill=fill)


def cast_shadow(
    canvas: Image.Image, alpha: Image.Image, at: tuple[int, int], offset: tuple[float, float],
    blur: float, strength: float,
) -> None:  # fmt: skip
    """Darken the canvas under a cut piece whose coverage is ``alpha`` (L), placed at a pixel corner."""
    soft = alpha.filter(ImageFilter.GaussianBlur(blur)).point([int(i * strength) for i in range(256)])
    canvas.paste(SHADOW, (at[0] + round(offset[0]), at[1] + round(offset[1])), soft)
