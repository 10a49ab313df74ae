"""How the instructions are brought about: settings of the methods, where a person wants to decide them."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import AfterValidator, Field, StrictBool, field_validator, model_validator

from rehearse.shot.document import Document
from rehearse.shot.easing import interpolate_numbers
from rehearse.shot.errors import ShotError
from rehearse.shot.fields import ClipTime, Fraction, Number, StepCount
from rehearse.shot.mask import Mask

SiteKind = Literal["cross", "spatial", "temporal"]
"""A kind of attention: pixel to word, pixel to pixel in one frame, frame to frame at one pixel."""

SITE_KINDS: tuple[SiteKind, ...] = get_args(SiteKind)


def _in_order(sites: tuple[SiteKind, ...]) -> tuple[SiteKind, ...]:
    # One order and no doubles: equal choices are equal shots.
    return tuple(kind for kind in SITE_KINDS if kind in sites)


Sites = Annotated[tuple[SiteKind, ...], AfterValidator(_in_order)]
"""Any of cross, spatial, temporal; none = nowhere."""


UNetPart = Literal["down", "mid", "up"]
"""A part of a UNet."""

UNET_PARTS: tuple[UNetPart, ...] = get_args(UNetPart)


def _parts_in_order(parts: tuple[UNetPart, ...]) -> tuple[UNetPart, ...]:
    return tuple(part for part in UNET_PARTS if part in parts)


Parts = Annotated[tuple[UNetPart, ...], Field(fail_fast=True, min_length=1), AfterValidator(_parts_in_order)]
"""Any of down, mid, up; one at least."""


class WeightKeyframe(Document):
    """A weight at a time of the clip."""

    noun: ClassVar[str] = "weight keyframe"
    positional: ClassVar[tuple[str, ...]] = ("time", "weight")

    time: ClipTime
    weight: Fraction


class BlendSettings(Document):
    """How the prediction under the original and under the edited instructions mix (equation 4).

    `eps = w * eps_original + (1 - w) * eps_edited`, w = 1 keeps the original, w = 0 follows the edit.
    """

    noun: ClassVar[str] = "blend"

    weight: Fraction | None = None
    """w everywhere; null = the default."""
    over_time: (
        Annotated[tuple[WeightKeyframe, ...], Field(fail_fast=True, min_length=1, max_length=1000)] | None
    ) = None
    """w over the clip's frames, straight between keyframes; in place of `weight`."""
    region: Mask | None = None
    """Where the edit acts; outside, w is 1. null = everywhere."""
    feather: Annotated[Number, Field(ge=0, le=0.5)] | None = None
    """Width of the region's soft edge, as a fraction of the frame's shorter side; null = the default."""
    original: Literal["computed", "kept"] | None = None
    """Whether the original's predictions are computed anew, or taken from the parent take (cheaper); null =
    the default.
    """

    @model_validator(mode="after")
    def _is_one_weight(self) -> Self:
        if self.weight is not None and self.over_time is not None:
            raise ShotError("weight and over_time are both given; give one", field="over_time")
        keyframes = self.over_time or ()
        for i, (before, after) in enumerate(pairwise(keyframes), start=1):
            if after.time <= before.time:
                raise ShotError(
                    f"it must be later than the keyframe before it, {before.time:g}",
                    field=f"over_time[{i}].time",
                    value=after.time,
                )
        return self

    def weights(self, frames: int) -> list[float] | None:
        """w of each of `frames` evenly spaced frames; None where planning decides."""
        if self.over_time is not None:
            return interpolate_numbers([(k.time, k.weight) for k in self.over_time], frames)
        return None if self.weight is None else [self.weight] * frames


class ControlSettings(Document):
    """Settings of the control methods. Each one left out (null) is decided when the shot is planned for its
    model.
    """

    noun: ClassVar[str] = "control settings"

    frozen_steps: StepCount | None = None
    """First denoising steps in which attention is masked: a count (4) or a fraction of all steps (0.1)."""
    mask_sites: Sites | None = None
    """Which attention is masked to keep subjects in their boxes."""
    mask_parts: Parts | None = None
    """In which parts of a UNet attention is masked; a transformer has but one."""
    mask_variant: Literal["paper", "released"] | None = None
    """Peekaboo's masks as the paper has them, or as its released code does (UNets only): that decides the
    defaults of sites, parts and inset too.
    """
    mask_inset: Annotated[Number, Field(ge=0, le=4)] | None = None
    """Cells by which boxes are drawn in on every grid of the model: 0 takes the cells whose centres lie in a
    box, 0.5 those that lie in it whole.
    """
    normalization: Literal["none", "global", "regional"] | None = None
    """Whether masked attention is brought back to the unmasked one's statistics, over the frame or for each
    region.
    """
    normalization_strength: Fraction | None = None
    """0 leaves the masked output as it is, 1 normalizes fully."""
    normalization_sites: Sites | None = None
    """Which masked attention is normalized."""
    temporal_prior: Literal["none", "noise", "x0"] | None = None
    """What is shared along a trajectory at each step: the predicted noise, or the predicted clean picture."""
    temporal_prior_strength: Fraction | None = None
    temporal_prior_steps: StepCount | None = None
    """First denoising steps in which the temporal prior acts: a count or a fraction of all steps."""
    target_attention: Annotated[Number, Field(ge=0, le=100)] | None = None
    """How far, in logits, attention to a target's words is raised inside its mask and lowered outside; 0 and
    null: not at all.
    """
    target_attention_steps: StepCount | None = None
    """First denoising steps in which that acts: a count or a fraction of all steps."""
    initial_noise: Literal["random", "freetraj"] | None = None
    """Whether the starting noise is plain, or carries the trajectory."""
    blend: BlendSettings | None = None
    """How original and edit mix, in a fork or under a drag."""
    frame_alignment: StrictBool | None = None
    """Whether frames are aligned with the intermediate picture by the learned layer of equation 5."""

    @field_validator("mask_sites", "mask_parts", "normalization_sites", mode="before")
    @classmethod
    def _one_name_alone(cls, value: Any) -> Any:
        # A text is a sequence of letters to pydantic's errors; "cross" clearly means ["cross"].
        return [value] if isinstance(value, str) else value
