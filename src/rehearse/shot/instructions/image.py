"""The picture that a clip shows."""

from __future__ import annotations

from typing import ClassVar, Literal

from rehearse.shot.document import Document
from rehearse.shot.fields import ClipTime, Fraction
from rehearse.shot.image_ref import ImageRef


class ImageInstruction(Document):
    """A picture that the clip starts from, or passes through at another time."""

    noun: ClassVar[str] = "image instruction"

    kind: Literal["image"] = "image"
    image: ImageRef
    strength: Fraction | None = None
    """How strongly the clip keeps to the picture: 1 as it is, 0 not at all; null = the model's default."""
    time: ClipTime = 0.0
    """When the clip shows it: 0 is the first frame, 1 the last."""
