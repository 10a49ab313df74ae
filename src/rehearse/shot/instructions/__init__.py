"""The kinds of instruction. The field `kind` (for trajectories `form` too) says which one a document is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from rehearse.shot.instructions.content import ContentInstruction
from rehearse.shot.instructions.image import ImageInstruction
from rehearse.shot.instructions.motion import MAGNITUDES, MotionInstruction
from rehearse.shot.instructions.target import TargetInstruction
from rehearse.shot.instructions.trajectory import (
    BoxTrajectory,
    DragMove,
    DragTrajectory,
    PointTrajectory,
    Trajectory,
)

Instruction = Annotated[
    ImageInstruction | ContentInstruction | MotionInstruction | Trajectory | TargetInstruction,
    Field(discriminator="kind"),
]
"""Any instruction."""

Kind = Literal["image", "content", "motion", "trajectory", "target"]

__all__ = [
    "MAGNITUDES",
    "BoxTrajectory",
    "ContentInstruction",
    "DragMove",
    "DragTrajectory",
    "ImageInstruction",
    "Instruction",
    "Kind",
    "MotionInstruction",
    "PointTrajectory",
    "TargetInstruction",
    "Trajectory",
]
