"""What is to be seen: an edit of the picture that a clip is made from."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from rehearse.shot.document import Document
from rehearse.shot.errors import ShotError
from rehearse.shot.fields import Fraction, Number, Text
from rehearse.shot.mask import MOST_STROKES, Mask
from rehearse.shot.stroke import Stroke

FEATHER = 0.04
"""Width of a region's soft edge where an instruction is silent, as a fraction of the frame's shorter side."""
ROUND_STROKES = 0.12
"""How far round strokes with a prompt of their own the picture may change, as a fraction of the frame's
shorter side."""
STRENGTH = 0.6
"""How far paint, or a prompt for the whole picture, departs from what is there."""
STRENGTH_IN_REGION = 0.9
"""How far a prompt departs in a region without paint: there, something else is asked for. An inpainting model
sees what is around it and needs nothing of what was there: with one it is 1."""


class ContentInstruction(Document):
    """An edit of the intermediate picture, in the order of the shot's instructions.

    Strokes are painted and turned into picture content by image-to-image; a prompt says what it shall be;
    with a mask only that region changes, and without one strokes that have a prompt of their own change what
    is round them. Any of the three may stand alone, but a mask needs something to be done in it.
    """

    noun: ClassVar[str] = "content instruction"

    kind: Literal["content"] = "content"
    prompt: Text | None = None
    """What the edited picture (with a mask: the region) shows; null = the shot's prompt."""
    negative_prompt: Text | None = None
    strokes: Annotated[tuple[Stroke, ...], Field(fail_fast=True, max_length=MOST_STROKES)] = ()
    mask: Mask | None = None
    """The region that may change; null = everywhere, or round strokes that have a prompt of their own."""
    feather: Annotated[Number, Field(ge=0, le=0.5)] | None = None
    """Width of the mask's soft edge, as a fraction of the frame's shorter side; null = the default."""
    strength: Fraction | None = None
    """How far the edit may depart from what it is laid on (image-to-image strength); null = the model's
    default.
    """

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.prompt is None and not self.strokes:
            raise ShotError("a content instruction needs a prompt or strokes")
        if all(stroke.erase for stroke in self.strokes) and self.strokes:
            raise ShotError("all strokes erase, so nothing is painted; add one that paints", field="strokes")
        return self
