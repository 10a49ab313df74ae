"""What the picture that a clip starts from is made of: where it begins, edits, drags, pins."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rehearse.resolve.instructions.drags import DragAsk, disc, drag_of, drag_of_path
from rehearse.resolve.instructions.masks import masks_over_frame
from rehearse.resolve.instructions.paths import is_at_rest
from rehearse.shot import (
    BoxTrajectory,
    ContentInstruction,
    DragTrajectory,
    ImageInstruction,
    ImageRef,
    Mask,
    PointTrajectory,
    Shot,
    ShotError,
)
from rehearse.shot.feather import grown
from rehearse.shot.instructions.content import FEATHER, ROUND_STROKES
from rehearse.shot.stroke import lay

# Paint that covers less of a pixel changes no colour of 256.
_LEAST_SEEN = 0.5 / 255

Weights = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class StartPicture:
    """A picture that is given. strength: how strongly the clip keeps to it, in [0, 1]; 1 is as it is."""

    field: str
    image: ImageRef
    strength: float


@dataclass(frozen=True, eq=False, slots=True)
class Edit:
    """One content instruction.

    asked: the instruction, its mask over the frame. region: what may change, ``[H, W]`` in [0, 1], its edge
    hard; None for the whole picture. feather: width of the edge in pixels. strength: in [0, 1]; None: as the
    model that draws it does best.
    """

    field: str
    asked: ContentInstruction
    region: Weights | None
    feather: float
    strength: float | None


@dataclass(frozen=True, eq=False, slots=True)
class PinAsk:
    """What is to stay as the picture shows it. region: ``[H, W]`` in [0, 1]; None: what the picture shows at
    ``point``, (x, y) in fractions of the frame."""

    field: str
    region: Weights | None
    point: tuple[float, float]


@dataclass(frozen=True, eq=False, slots=True)
class Picture:
    """What a shot says of its picture.

    shot: it comes from, its masks over the frame. width, height: in pixels. start: the picture that is given;
    None: drawn from the prompt. edits, drags, pins: each in the shot's order. notes: sentences on
    what cannot be heeded.
    """

    shot: Shot
    width: int
    height: int
    prompt: str
    negative_prompt: str
    seed: int
    start: StartPicture | None
    edits: tuple[Edit, ...]
    drags: tuple[DragAsk, ...]
    pins: tuple[PinAsk, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_given(self) -> bool:
        """Whether a picture is given and nothing of it is drawn or changed."""
        return self.start is not None and self.start.strength == 1 and not (self.edits or self.drags)

    def before_drags(self) -> Picture:
        """The same without its drags."""
        return replace(self, drags=())


def picture_of(shot: Shot, width: int, height: int, *, paths_drag: bool = True) -> Picture:
    """What a shot says of its picture at a size in pixels.

    paths_drag: whether a path that names no words moves what its picture shows there, at rest pins it; else
    it says nothing of the picture. Raises ShotError, naming the instruction's field: a mask that cannot be
    read, marks nothing or only what is cut off, strokes for a prompt that leave no mark, a drag that cannot
    be made.
    """
    shot = masks_over_frame(shot, width, height)
    edits: list[Edit] = []
    drags: list[DragAsk] = []
    pins: list[PinAsk] = []
    notes: list[str] = []
    for index, one in enumerate(shot.instructions):
        field = f"instructions[{index}]"
        match one:
            case ContentInstruction():
                edits.append(_edit(one, field, width, height))
            case DragTrajectory():
                drags.append(drag_of(one, field, width, height))
            case BoxTrajectory() | PointTrajectory() if paths_drag and one.phrase is None:
                drag, said = drag_of_path(one, field, width, height)
                notes += said
                if drag is not None:
                    drags.append(drag)
                elif (pin := _pin(one, field, width, height)) is not None:
                    pins.append(pin)
    return Picture(
        shot, width, height, shot.prompt, shot.negative_prompt or "", shot.seed, _start(shot),
        tuple(edits), tuple(drags), tuple(pins), tuple(notes),
    )  # fmt: skip


def starts_from(shot: Shot) -> bool:
    """Whether a shot gives a picture to start from."""
    return any(isinstance(one, ImageInstruction) for one in shot.instructions)


def _start(shot: Shot) -> StartPicture | None:
    """The earliest picture that is given."""
    given = [(i, one) for i, one in enumerate(shot.instructions) if isinstance(one, ImageInstruction)]
    found = min(given, key=lambda each: each[1].time, default=None)
    if found is None:
        return None
    index, one = found
    return StartPicture(f"instructions[{index}]", one.image, 1.0 if one.strength is None else one.strength)


def _edit(one: ContentInstruction, field: str, width: int, height: int) -> Edit:
    region: Weights | None = None
    if one.mask is not None:
        try:
            region = one.mask.clear_raster(height, width)
        except ShotError as error:
            raise error.within(f"{field}.mask") from error
    elif one.strokes and one.prompt is not None:
        # "A boat" says what the strokes shall be, not the picture.
        region = _round_the_strokes(one, field, height, width)
    feather = FEATHER if one.feather is None else one.feather
    return Edit(field, one, region, feather * min(width, height), one.strength)


def _round_the_strokes(one: ContentInstruction, field: str, height: int, width: int) -> Weights:
    """Where strokes with a prompt may change the picture, ``[height, width]``.

    Raises ShotError, as an empty mask does, where they leave no mark: they say nowhere, and the prompt is not
    one for the whole picture.
    """
    laid = np.zeros((height, width), dtype=np.float32)
    lay(laid, one.strokes)
    if laid.max() < _LEAST_SEEN:
        raise ShotError(
            "nothing of them is left to be seen in the frame; paint inside it without erasing all again, or "
            "leave the edit out",
            field=f"{field}.strokes",
        )
    return grown((laid > 0).astype(np.float32), ROUND_STROKES * min(height, width))


def _pin(one: BoxTrajectory | PointTrajectory, field: str, width: int, height: int) -> PinAsk | None:
    """What a path at rest pins; None where that lies outside the frame."""
    assert is_at_rest(one)
    if isinstance(one, BoxTrajectory):
        box = one.path.keyframes[0].box.clipped()
        if box is None:
            return None
        centre = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
        return PinAsk(field, Mask(box=box).raster(height, width), centre)
    mask = disc(one.path, width, height)
    region = None if mask is None else mask.raster(height, width)
    return PinAsk(field, region, one.path.keyframes[0].point)
