"""Masks that were drawn on the shot's own picture, over the frame that covers only a part of that picture."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from rehearse.shot import (
    BlendSettings,
    ContentInstruction,
    DragTrajectory,
    ImageInstruction,
    ImageRef,
    Mask,
    Shot,
    ShotError,
    TargetInstruction,
)
from rehearse.shot.document import Document

D = TypeVar("D", bound=Document)


def masks_over_frame(shot: Shot, width: int, height: int) -> Shot:
    """The shot with every mask of it as it lies over a ``width`` x ``height`` frame (:func:`over_frame`): of
    edits, drags, targets and the blend. Done twice it changes nothing more. Raises ShotError, naming the
    mask's field.
    """

    def placed(one: D, field: str, name: str) -> D:
        mask: Mask | None = getattr(one, name)
        if mask is None:
            return one
        try:
            over = over_frame(mask, shot, width, height)
        except ShotError as error:
            raise error.within(f"{field}.{name}") from error
        return one if over is mask else type(one)(**{**one.given(), name: over})

    changed: list[Any] = []
    for index, one in enumerate(shot.instructions):
        match one:
            case ContentInstruction() | TargetInstruction():
                changed.append(placed(one, f"instructions[{index}]", "mask"))
            case DragTrajectory():
                changed.append(placed(one, f"instructions[{index}]", "region"))
            case _:
                changed.append(one)
    if any(new is not old for new, old in zip(changed, shot.instructions, strict=True)):
        shot = shot.with_(instructions=tuple(changed))
    blend: BlendSettings | None = shot.control.blend
    over = None if blend is None else placed(blend, "control.blend", "region")
    return shot if over is blend else shot.with_control(blend=over)


def over_frame(mask: Mask, shot: Shot, width: int, height: int) -> Mask:
    """The mask as it lies over a ``width`` x ``height`` frame.

    A mask picture lies over the whole frame. One that has the shape of the shot's first picture, at its size
    or scaled with it, was drawn on it: what :func:`rehearse.pictures.frame.cover_frame` cuts off of the
    picture is cut off of the mask, or the two would part. Raises ShotError for a mask picture that cannot be
    read, and for one that marks only what is cut off.
    """
    if mask.image is None or not mask.is_ready:
        return mask
    drawn_on = _first_picture(shot)
    columns, rows = mask.image.size()
    if drawn_on is None or not _is_scaled(columns, rows, *drawn_on):
        return mask
    scale = max(width / columns, height / rows)
    kept = round(height / scale), round(width / scale)
    if kept == (rows, columns):
        return mask
    top, left = (rows - kept[0]) // 2, (columns - kept[1]) // 2
    cut = mask.image.load_mask()[top : top + kept[0], left : left + kept[1]]
    picture = ImageRef.embed((cut * 255).round().astype(np.uint8))
    return Mask(**{**mask.given(), "image": picture})


def _first_picture(shot: Shot) -> tuple[int, int] | None:
    """Width and height of the picture that the clip starts from; None where none is given or readable."""
    given = [one for one in shot.instructions if isinstance(one, ImageInstruction)]
    first = min(given, key=lambda one: one.time, default=None)
    try:
        return None if first is None else first.image.size()
    except ShotError:  # whoever makes a frame of it says so
        return None


def _is_scaled(width: int, height: int, whole_width: int, whole_height: int) -> bool:
    """Whether a size is a picture's own, or that scaled and rounded to whole pixels."""
    return (
        abs(width * whole_height / whole_width - height) < 1
        or abs(height * whole_width / whole_height - width) < 1
    )
