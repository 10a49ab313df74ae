"""The one thing that is meant, among several alike."""

from __future__ import annotations

from typing import ClassVar, Literal

from rehearse.shot.document import Document
from rehearse.shot.fields import Occurrence, Phrase
from rehearse.shot.mask import Mask


class TargetInstruction(Document):
    """Marks a thing in the first frame as the one a phrase of the prompt means. At most one of each role."""

    noun: ClassVar[str] = "target instruction"

    kind: Literal["target"] = "target"
    phrase: Phrase
    """The words of the prompt that name it."""
    occurrence: Occurrence | None = None
    """Which mention, counted from 1; needed if the prompt mentions it several times."""
    mask: Mask
    """Where it is in the first frame."""
    role: Literal["target", "source"] = "target"
    """Whether it is acted upon (target), or acts (source)."""
