"""Controls: methods that act on denoising, one file each; they know no model family."""

from rehearse.controls.attention_mask import AttentionMask
from rehearse.controls.conductor import Conductor
from rehearse.controls.control import Control, Moment
from rehearse.controls.initial_noise import TrajectoryNoise
from rehearse.controls.mark import Mark
from rehearse.controls.mask_normalization import MaskNormalization
from rehearse.controls.shift_probe import Shift, ShiftProbe
from rehearse.controls.subject import Subject, ownership
from rehearse.controls.target_attention import TargetAttention
from rehearse.controls.temporal_prior import CleanPrior, NoisePrior

__all__ = [
    "AttentionMask",
    "CleanPrior",
    "Conductor",
    "Control",
    "Mark",
    "MaskNormalization",
    "Moment",
    "NoisePrior",
    "Shift",
    "ShiftProbe",
    "Subject",
    "TargetAttention",
    "TrajectoryNoise",
    "ownership",
]
