"""The instructions drawn on the picture they make: outlines of regions, strokes, paths of what moves."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from rehearse.media.overlay import draw_moment, traces_of
from rehearse.resolve.instructions.pictures import Picture
from rehearse.shot import ContentInstruction, DragTrajectory, Mask, Stroke

_LEGIBLE = 384
_FRAMES = 32
_LIGHT, _DARK = (255, 255, 255), (20, 18, 16)


def draw_marks(picture: NDArray[np.uint8], ask: Picture) -> NDArray[np.uint8]:
    """A picture uint8 ``[H, W, 3]`` with the instructions on it that it was made by, enlarged by a whole
    factor until the shorter side has 384 pixels at least.

    Regions of edits and drags get an outline, strokes their line in their own colour, trajectories their
    whole path, with what moves at its end.
    """
    height, width = picture.shape[:2]
    factor = max(1, math.ceil(_LEGIBLE / min(height, width)))
    image = Image.fromarray(picture).resize((width * factor, height * factor), Image.Resampling.LANCZOS)
    for instruction in ask.shot.instructions:
        if isinstance(instruction, ContentInstruction):
            for stroke in instruction.strokes:
                _line(image, stroke)
        region = _region(instruction)
        if region is not None:
            _outline(image, region)
    return draw_moment(np.asarray(image), traces_of(ask.shot, _FRAMES), _FRAMES - 1)


def _region(instruction: object) -> Mask | None:
    if isinstance(instruction, ContentInstruction):
        return instruction.mask
    return instruction.region if isinstance(instruction, DragTrajectory) else None


def _outline(image: Image.Image, region: Mask) -> None:
    inside = Image.fromarray(region.raster(image.height, image.width) >= 0.5).convert("L")
    # A light line with a dark one inside it shows on any ground.
    outer = inside.filter(ImageFilter.MaxFilter(5))
    inner = inside.filter(ImageFilter.MinFilter(5))
    image.paste(_DARK, mask=ImageChops.difference(inside, inner))
    image.paste(_LIGHT, mask=ImageChops.difference(outer, inside))


def _line(image: Image.Image, stroke: Stroke) -> None:
    pen = ImageDraw.Draw(image)
    points = [(x * image.width, y * image.height) for x, y in stroke.points]
    unit = max(1, min(image.size) // _LEGIBLE)
    for colour, width in ((_LIGHT, 5), (_DARK if stroke.erase else stroke.rgb, 3)):
        for ends in pairwise(points):
            pen.line(ends, fill=colour, width=width * unit)
        for x, y in (points[0], points[-1]):
            pen.circle((x, y), (width + 1) / 2 * unit, fill=colour)
