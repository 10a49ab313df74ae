"""The shot: everything a person asks for, as one typed, versioned, immutable document. Pure data.

`Shot` is the document; `Box`, `BoxPath`, `PointPath`, `Stroke`, `Mask` and `ImageRef` are what it is made of;
the instruction documents are what its methods write; `ShotError` is what every one of them raises.
"""

from rehearse.shot.box import Box
from rehearse.shot.box_path import BoxKeyframe, BoxPath
from rehearse.shot.easing import EASINGS, Easing, frame_times
from rehearse.shot.errors import ShotError, explain
from rehearse.shot.fields import steps_of
from rehearse.shot.grid import pool
from rehearse.shot.image_ref import ImageRef
from rehearse.shot.instructions import (
    MAGNITUDES,
    BoxTrajectory,
    ContentInstruction,
    DragMove,
    DragTrajectory,
    ImageInstruction,
    Instruction,
    Kind,
    MotionInstruction,
    PointTrajectory,
    TargetInstruction,
    Trajectory,
)
from rehearse.shot.mask import Mask
from rehearse.shot.methods import (
    SITE_KINDS,
    UNET_PARTS,
    BlendSettings,
    ControlSettings,
    SiteKind,
    WeightKeyframe,
)
from rehearse.shot.migrations import VERSION
from rehearse.shot.phrases import find_phrase, phrase_spans
from rehearse.shot.point_path import PointKeyframe, PointPath
from rehearse.shot.shot import KINDS, Shot
from rehearse.shot.stroke import Stroke, paint
from rehearse.shot.text_form import (
    format_box_path,
    format_point_path,
    format_trajectory,
    parse_box_path,
    parse_point_path,
    parse_trajectory,
)

__all__ = [
    "EASINGS",
    "KINDS",
    "MAGNITUDES",
    "SITE_KINDS",
    "UNET_PARTS",
    "VERSION",
    "BlendSettings",
    "Box",
    "BoxKeyframe",
    "BoxPath",
    "BoxTrajectory",
    "ContentInstruction",
    "ControlSettings",
    "DragMove",
    "DragTrajectory",
    "Easing",
    "ImageInstruction",
    "ImageRef",
    "Instruction",
    "Kind",
    "Mask",
    "MotionInstruction",
    "PointKeyframe",
    "PointPath",
    "PointTrajectory",
    "Shot",
    "ShotError",
    "SiteKind",
    "Stroke",
    "TargetInstruction",
    "Trajectory",
    "WeightKeyframe",
    "explain",
    "find_phrase",
    "format_box_path",
    "format_point_path",
    "format_trajectory",
    "frame_times",
    "paint",
    "parse_box_path",
    "parse_point_path",
    "parse_trajectory",
    "phrase_spans",
    "pool",
    "steps_of",
]
