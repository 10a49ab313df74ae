"""Frame alignment, equation 5 of InteractiveVideo: setting and default."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import StrictBool

from rehearse.shot.document import Document
from rehearse.shot.methods.method import Method


class FrameAlignmentSettings(Document):
    """What a shot may say of frame alignment."""

    frame_alignment: StrictBool | None = None
    """Whether frames are aligned with the intermediate picture by the learned layer of equation 5."""


@dataclass(frozen=True, slots=True)
class FrameAligning(Method):
    """Frame alignment of a run; see :class:`FrameAlignmentSettings`."""

    frame_alignment: bool = False
