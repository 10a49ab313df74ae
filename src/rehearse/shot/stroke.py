"""A brush stroke, and painting with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw
from pydantic import Field, StrictBool, field_validator, model_validator

from rehearse.shot.document import Document
from rehearse.shot.errors import ShotError
from rehearse.shot.fields import Fraction, FreePoint, Reach
from rehearse.shot.grid import pool, refuse_bad_size

MOST_POINTS = 20_000


class Stroke(Document):
    """A round brush drawn along a polyline: `Stroke([(.2, .5), (.6, .5)], width=.05, colour="red")`.

    Raises:
        ShotError: no point, an unknown colour, as many pressures as there are no points.
    """

    noun: ClassVar[str] = "stroke"
    positional: ClassVar[tuple[str, ...]] = ("points",)

    points: Annotated[tuple[FreePoint, ...], Field(fail_fast=True, min_length=1, max_length=MOST_POINTS)]
    """[x, y] as fractions of the frame; the brush may run over its edge. One point is a dot."""
    width: Reach = 0.05
    """Diameter of the brush at full pressure, as a fraction of the frame's shorter side."""
    colour: str = "#000000"
    """#rrggbb; a CSS colour name is taken too and stored as #rrggbb. Masks look at where a stroke is, not at
    its colour.
    """
    opacity: Fraction = 1.0
    """0 leaves what is below as it is, 1 covers it."""
    pressure: Annotated[tuple[Fraction, ...], Field(fail_fast=True, max_length=MOST_POINTS)] | None = None
    """Width at each point as a fraction of `width`; null = full width all along."""
    erase: StrictBool = False
    """Whether this stroke takes away what earlier strokes of the same list laid."""

    if TYPE_CHECKING:

        def __init__(
            self,
            points: Sequence[tuple[float, float]],
            *,
            width: float = 0.05,
            colour: str = "#000000",
            opacity: float = 1.0,
            pressure: Sequence[float] | None = None,
            erase: bool = False,
        ) -> None: ...

    @field_validator("colour")
    @classmethod
    def _is_colour(cls, value: str) -> str:
        try:
            channels = ImageColor.getrgb(value.strip())
        except ValueError as error:
            raise ShotError("it must be a colour such as #c02020 or red") from error
        if len(channels) != 3:
            raise ShotError("a colour is #rrggbb; how much it covers is the stroke's opacity")
        return "#{:02x}{:02x}{:02x}".format(*channels)

    @model_validator(mode="after")
    def _has_pressure_for_each_point(self) -> Self:
        if self.pressure is not None and len(self.pressure) != len(self.points):
            raise ShotError(
                f"it needs one entry for each point, {len(self.points)}; {len(self.pressure)} given",
                field="pressure",
            )
        return self

    @property
    def rgb(self) -> tuple[int, int, int]:
        """Red, green, blue, 0 to 255."""
        red, green, blue = bytes.fromhex(self.colour[1:])
        return red, green, blue

    def raster(self, height: int, width: int) -> NDArray[np.float32]:
        """The part of every pixel that the stroke covers, times its opacity: [height, width] in [0, 1]."""
        covered = np.zeros((height, width), dtype=np.float32)
        rows, columns, part = covered_part(self, height, width)
        covered[rows, columns] = part
        return covered


def covered_part(stroke: Stroke, height: int, width: int) -> tuple[slice, slice, NDArray[np.float32]]:
    """`Stroke.raster` without the empty surroundings: rows, columns, and the coverage there."""
    refuse_bad_size(height, width)
    size = np.array([width, height], dtype=np.float64)
    points = np.array(stroke.points) * size
    pressure = np.ones(len(points)) if stroke.pressure is None else np.array(stroke.pressure)
    reach = stroke.width * min(height, width) / 2
    first = np.clip(np.floor(points.min(axis=0) - reach - 1), 0, size).astype(int)
    last = np.clip(np.ceil(points.max(axis=0) + reach + 1), first, size).astype(int)
    columns, rows = slice(first[0], last[0]), slice(first[1], last[1])
    cells_wide, cells_high = (last - first).tolist()
    if not cells_wide or not cells_high:
        return rows, columns, np.zeros((cells_high, cells_wide), dtype=np.float32)
    # Small grids are drawn much finer and averaged, so that a hair keeps its weight in a coarse cell.
    finer = min(16, max(3, math.ceil(256 / max(cells_wide, cells_high))))
    canvas = Image.new("L", (cells_wide * finer, cells_high * finer))
    _draw(canvas, (points - first) * finer, np.maximum(0.5, reach * finer * pressure))
    part = pool(np.asarray(canvas, dtype=np.float32), cells_high, cells_wide)
    return rows, columns, part * np.float32(stroke.opacity / 255)


def paint(picture: Image.Image, strokes: Sequence[Stroke]) -> Image.Image:
    """The picture with the strokes laid over it, first to last; an erasing stroke bares the picture again.
    8-bit RGB.
    """
    below = np.asarray(picture.convert("RGB"), dtype=np.float32)
    height, width = below.shape[:2]
    colour = np.zeros_like(below)  # premultiplied by alpha
    alpha = np.zeros((height, width, 1), dtype=np.float32)
    for stroke in strokes:
        rows, columns, part = covered_part(stroke, height, width)
        cover = part[:, :, None]
        laid = np.float32(0 if stroke.erase else 1)
        colour[rows, columns] = (
            colour[rows, columns] * (1 - cover) + np.array(stroke.rgb, dtype=np.float32) * cover * laid
        )
        alpha[rows, columns] = alpha[rows, columns] * (1 - cover) + cover * laid
    return Image.fromarray((below * (1 - alpha) + colour).round().clip(0, 255).astype(np.uint8))


def lay(mask: NDArray[np.float32], strokes: Sequence[Stroke]) -> None:
    """Draw the strokes into a mask [height, width] in place, first to last."""
    for stroke in strokes:
        rows, columns, part = covered_part(stroke, *mask.shape)
        here = mask[rows, columns]
        mask[rows, columns] = here * (1 - part) if stroke.erase else np.maximum(here, part)


def _draw(canvas: Image.Image, points: NDArray[np.float64], radii: NDArray[np.float64]) -> None:
    pen = ImageDraw.Draw(canvas)
    for (x, y), radius in zip(points.tolist(), radii.tolist(), strict=True):
        # Pillow colours the pixels at both ends of an ellipse; one pixel less keeps the width true.
        left, top, span = x - radius, y - radius, max(0.0, 2 * radius - 1)
        pen.ellipse((left, top, left + span, top + span), fill=255)
    for i in range(len(points) - 1):
        along = points[i + 1] - points[i]
        length = float(np.hypot(*along))
        if length == 0:
            continue
        across = np.array([-along[1], along[0]]) / length
        corners = [
            points[i] + across * radii[i], points[i + 1] + across * radii[i + 1],
            points[i + 1] - across * radii[i + 1], points[i] - across * radii[i],
        ]  # fmt: skip
        pen.polygon([(float(x) - 0.5, float(y) - 0.5) for x, y in corners], fill=255)
