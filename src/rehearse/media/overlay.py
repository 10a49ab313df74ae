"""Paths drawn on the frames: where each subject was asked to be, beside where it is.

Frames are enlarged first, so that lines and words stay legible over a 128-pixel clip.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rehearse.media.errors import MediaError
from rehearse.media.lettering import fitted, font
from rehearse.shot import BoxTrajectory, DragTrajectory, MotionInstruction, PointTrajectory, Shot
from rehearse.shot.easing import there_and_back

# Okabe and Ito's colours, told apart by colour-blind eyes too; the order keeps neighbours far apart.
COLOURS: tuple[tuple[int, int, int], ...] = (
    (230, 159, 0),
    (0, 114, 178),
    (204, 121, 167),
    (0, 158, 115),
    (86, 180, 233),
    (213, 94, 0),
    (240, 228, 66),
)
_LEGIBLE = 384
# Lines are drawn at twice the size and shrunk: Pillow's own lines have no smooth edges.
_FINE = 2
_HALO = (20, 18, 16)
_Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Trace:
    """What is drawn for one subject, over F frames, in fractions of the frame's width and height.

    boxes: ``[F, 4]`` as x0, y0, x1, y1; points: ``[F, 2]`` as x, y; either may be None. NaN where there is
    none in a frame.
    label: its words, drawn beside it.
    """

    label: str
    boxes: NDArray[np.float64] | None = None
    points: NDArray[np.float64] | None = None

    def centres(self) -> NDArray[np.float64]:
        """The path ``[F, 2]`` of the point or of the box's centre."""
        if self.points is not None:
            return self.points
        if self.boxes is None:
            raise MediaError(f"the trace {self.label!r} has neither boxes nor points")
        return (self.boxes[:, :2] + self.boxes[:, 2:]) / 2


def traces_of(shot: Shot, frames: int) -> list[Trace]:
    """What a shot's trajectories ask for, resampled to a clip of ``frames`` frames, in the shot's order.
    Where the clip loops all comes back, but a named path that ends where it began: that goes as it says."""
    traces: list[Trace] = []
    loops = any(isinstance(one, MotionInstruction) and one.loop for one in shot.instructions)
    for instruction in shot.instructions:
        label, path = getattr(instruction, "phrase", None) or "", getattr(instruction, "path", None)
        back = loops and not (label and path is not None and path.closes)
        places, at = there_and_back(frames) if back else (frames, list(range(frames)))
        if isinstance(instruction, BoxTrajectory):
            traces.append(Trace(label, boxes=instruction.path.resample(places)[at]))
        elif isinstance(instruction, PointTrajectory):
            traces.append(Trace(label, points=instruction.path.resample(places)[at]))
        elif isinstance(instruction, DragTrajectory):
            ways = instruction.resample(places)[at]
            traces += [Trace("drag", points=ways[:, move]) for move in range(ways.shape[1])]
    return traces


def draw_overlay(
    frames: NDArray[np.uint8], traces: Sequence[Trace], scale: int | None = None
) -> NDArray[np.uint8]:
    """Draw each trace's whole path (thin), the way gone so far (thick) and the box or point of the moment.

    frames: RGB uint8 ``[F, H, W, 3]``; traces of the same F. scale: whole factor of enlargement; None:
    what brings the shorter side to 384 pixels at least.
    Returns uint8 ``[F, H * scale, W * scale, 3]``. Raises MediaError where a trace has other frames.
    """
    count, height, width, _ = frames.shape
    for trace in traces:
        if len(trace.centres()) != count:
            raise MediaError(
                f"the trace {trace.label!r} has {len(trace.centres())} frames, the clip {count}; resample it"
            )
    factor = scale or max(1, math.ceil(_LEGIBLE / min(height, width)))
    size = (width * factor, height * factor)
    drawn = [
        _draw(Image.fromarray(frame).resize(size, Image.Resampling.LANCZOS), traces, index)
        for index, frame in enumerate(frames)
    ]
    return np.stack([np.asarray(image) for image in drawn])


def draw_moment(frame: NDArray[np.uint8], traces: Sequence[Trace], now: int) -> NDArray[np.uint8]:
    """The traces on one picture uint8 ``[H, W, 3]``, as they stand at frame ``now`` of theirs; same size."""
    return np.asarray(_draw(Image.fromarray(frame), traces, now))


def draw_paths(
    traces: Sequence[Trace], width: int, height: int, frames: int, scale: int | None = None
) -> NDArray[np.uint8]:
    """The same on an empty stage, ruled in tenths: what a shot asks for, before anything is generated.

    width, height: of one frame, in pixels. Returns uint8 ``[frames, height * scale, width * scale, 3]``.
    """
    stage = Image.new("RGB", (width, height), (246, 242, 234))
    factor = scale or max(1, math.ceil(_LEGIBLE / min(height, width)))
    stage = stage.resize((width * factor, height * factor))
    draw = ImageDraw.Draw(stage)
    for tenth in range(11):
        tone = (205, 197, 184) if tenth in (0, 5, 10) else (228, 221, 210)
        x, y = round(tenth / 10 * (stage.width - 1)), round(tenth / 10 * (stage.height - 1))
        draw.line([(x, 0), (x, stage.height)], fill=tone)
        draw.line([(0, y), (stage.width, y)], fill=tone)
    return draw_overlay(np.repeat(np.asarray(stage)[None], frames, axis=0), traces, scale=1)


def _draw(image: Image.Image, traces: Sequence[Trace], now: int) -> Image.Image:
    layer = Image.new("RGBA", (image.width * _FINE, image.height * _FINE), (0, 0, 0, 0))
    # The unit of all line widths: one pixel of a frame whose shorter side is 384 pixels.
    unit = max(1.0, min(layer.size) / _LEGIBLE)
    for index, trace in enumerate(traces):
        _path(layer, trace.centres(), COLOURS[index % len(COLOURS)], now, unit)
    for index, trace in enumerate(traces):
        _moment(layer, trace, COLOURS[index % len(COLOURS)], now, unit)
    # Words last: no line may run through them.
    for index, trace in enumerate(traces):
        _label(layer, trace, COLOURS[index % len(COLOURS)], now, unit)
    shrunk = layer.resize(image.size, Image.Resampling.BOX)
    return Image.alpha_composite(image.convert("RGBA"), shrunk).convert("RGB")


def _path(
    layer: Image.Image, centres: NDArray[np.float64], colour: tuple[int, int, int], now: int, unit: float
) -> None:
    draw = ImageDraw.Draw(layer)
    # NaN compares false with everything, itself included.
    places: list[_Point | None] = [
        (x * layer.width, y * layer.height) if x == x and y == y else None for x, y in centres.tolist()
    ]
    whole, past = _runs(places), _runs(places[: now + 1])
    # All of a dark edge first: drawing on a transparent layer replaces what lies below.
    for runs, tone, line in (
        (whole, (*_HALO, 70), 3.2),
        (whole, (*colour, 220), 1.6),
        (past, (*_HALO, 170), 4.4),
        (past, (*colour, 255), 2.6),
    ):
        for run in runs:
            draw.line(run, fill=tone, width=round(line * unit), joint="curve")
    for place in (place for run in past for place in run):
        _disc(draw, place, 3.6 * unit, (*_HALO, 200))
        _disc(draw, place, 2.6 * unit, (*colour, 255))


def _runs(places: Sequence[_Point | None]) -> list[list[_Point]]:
    """The stretches without a gap."""
    runs: list[list[_Point]] = [[]]
    for place in places:
        if place is None:
            runs.append([])
        else:
            runs[-1].append(place)
    return [run for run in runs if run]


def _moment(layer: Image.Image, trace: Trace, colour: tuple[int, int, int], now: int, unit: float) -> None:
    draw = ImageDraw.Draw(layer)
    x, y = (trace.centres()[now] * layer.size).tolist()
    if x != x or y != y:
        return
    if trace.boxes is not None:
        x0, y0, x1, y1 = (trace.boxes[now] * (*layer.size, *layer.size)).tolist()
        for grow, tone, line in ((1, (*_HALO, 190), 5), (0, (*colour, 255), 3)):
            frame = (x0 - grow * unit, y0 - grow * unit, x1 + grow * unit, y1 + grow * unit)
            draw.rectangle(frame, outline=tone, width=round(line * unit))
    else:
        _disc(draw, (x, y), 8 * unit, (*_HALO, 220))
        _disc(draw, (x, y), 6.5 * unit, (*colour, 255))
        _disc(draw, (x, y), 2.5 * unit, (255, 255, 255, 255))


def _label(layer: Image.Image, trace: Trace, colour: tuple[int, int, int], now: int, unit: float) -> None:
    """The label, above the box's left corner or beside the point."""
    x, y = (trace.centres()[now] * layer.size).tolist()
    if not trace.label or x != x or y != y:
        return
    corner = (x + 10 * unit, y - 10 * unit)
    if trace.boxes is not None:
        corner = (trace.boxes[now, 0] * layer.width, trace.boxes[now, 1] * layer.height)
    _tag(layer, trace.label, corner, colour, unit)


def _tag(layer: Image.Image, label: str, corner: _Point, colour: tuple[int, int, int], unit: float) -> None:
    """The label on a plate of its colour, above the corner and never outside the frame."""
    draw = ImageDraw.Draw(layer)
    letters = font(round(14 * unit))
    text = fitted(label, letters, layer.width * 0.6)
    pad = 4 * unit
    width, height = letters.getlength(text) + 2 * pad, 19 * unit
    left = min(max(0.0, corner[0]), layer.width - width)
    top = min(max(0.0, corner[1] - height), layer.height - height)
    draw.rectangle((left, top, left + width, top + height), fill=(*colour, 235))
    luma = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
    ink = (20, 18, 16, 255) if luma > 120 else (255, 255, 255, 255)
    draw.text((left + pad, top + height / 2), text, fill=ink, font=letters, anchor="lm")


def _disc(draw: ImageDraw.ImageDraw, centre: _Point, radius: float, fill: tuple[int, ...]) -> None:
    x, y = centre
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)
