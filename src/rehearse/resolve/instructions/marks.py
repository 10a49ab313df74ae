"""What is marked in the first frame: targets and sources."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehearse.resolve.instructions.words import Words
from rehearse.shot import Shot, ShotError, TargetInstruction


@dataclass(frozen=True, eq=False, slots=True)
class MarkedThing:
    """A target instruction.

    field: of the instruction. role: "target" or "source". span: characters of its words in the text that is
    read; trigger: of the word that marks it, None where its mask does not go beside the latents. mask:
    float32 ``[H, W]`` in [0, 1], over the frame.
    """

    field: str
    role: str
    phrase: str
    span: tuple[int, int]
    trigger: tuple[int, int] | None
    mask: NDArray[np.float32]


def marks_of(shot: Shot, words: Words, width: int, height: int) -> tuple[MarkedThing, ...]:
    """The targets of a shot whose masks lie over the frame. Raises ShotError, naming the field: words that
    the text lacks, a mask that cannot be read or marks nothing."""
    found = []
    for index, target in enumerate(shot.instructions):
        if not isinstance(target, TargetInstruction):
            continue
        field = f"instructions[{index}]"
        span = words.span(target, f"{field}.phrase")
        try:
            mask = target.mask.clear_raster(height, width)
        except ShotError as error:
            raise error.within(f"{field}.mask") from error
        found.append(MarkedThing(field, target.role, target.phrase, span, words.trigger_span(index), mask))
    return tuple(found)
