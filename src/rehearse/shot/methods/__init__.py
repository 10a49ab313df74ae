"""How the instructions are brought about: settings of the methods, where a person wants to decide them, and
what each is where nobody does.

One file a method: its part of the document (fields that may be left out) and its :class:`Method`, in which
none is. :data:`METHODS` lists them in the order in which their controls act.
"""

from __future__ import annotations

from typing import ClassVar

from rehearse.shot.methods.attention_mask import UNET_PARTS, AttentionMasking, AttentionMaskSettings, UNetPart
from rehearse.shot.methods.blend import BLEND_DEFAULTS, BlendDefaults, BlendSettings, WeightKeyframe
from rehearse.shot.methods.frame_alignment import FrameAligning, FrameAlignmentSettings
from rehearse.shot.methods.initial_noise import InitialNoiseSettings, StartingNoise
from rehearse.shot.methods.mask_normalization import MaskNormalizationSettings, Normalizing
from rehearse.shot.methods.method import Method
from rehearse.shot.methods.sites import SITE_KINDS, SiteKind
from rehearse.shot.methods.target_attention import AttentionToTargets, TargetAttentionSettings
from rehearse.shot.methods.temporal_prior import TemporalPrior, TemporalPriorSettings

__all__ = [
    "BLEND_DEFAULTS",
    "METHODS",
    "SITE_KINDS",
    "UNET_PARTS",
    "AttentionMasking",
    "AttentionToTargets",
    "BlendDefaults",
    "BlendSettings",
    "ControlSettings",
    "FrameAligning",
    "Method",
    "Normalizing",
    "SiteKind",
    "StartingNoise",
    "TemporalPrior",
    "UNetPart",
    "WeightKeyframe",
]

METHODS: tuple[type[Method], ...] = (
    StartingNoise,
    AttentionMasking,
    Normalizing,
    TemporalPrior,
    AttentionToTargets,
    FrameAligning,
)
"""Every method, in the order in which their controls act."""


# The document's fields stand in the order of the bases from last to first.
class ControlSettings(
    FrameAlignmentSettings,
    InitialNoiseSettings,
    TargetAttentionSettings,
    TemporalPriorSettings,
    MaskNormalizationSettings,
    AttentionMaskSettings,
):
    """Settings of the control methods. Each one left out (null) is decided when the shot is resolved for its
    model.
    """

    noun: ClassVar[str] = "control settings"

    blend: BlendSettings | None = None
    """How original and edit mix, in a fork or under a drag."""
