"""The blend of two predictions, equation 4 of InteractiveVideo: settings and defaults."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from rehearse.shot.document import Document
from rehearse.shot.easing import interpolate_numbers
from rehearse.shot.errors import ShotError
from rehearse.shot.fields import ClipTime, Fraction, Number
from rehearse.shot.mask import Mask


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

    def filled(self) -> BlendSettings:
        """These settings with nothing left open, but for a region where the blend has none."""
        own = BLEND_DEFAULTS
        weight = own.weight if self.region is None else own.weight_in_region
        return BlendSettings(
            weight=weight if self.weight is None and self.over_time is None else self.weight,
            over_time=self.over_time,
            region=self.region,
            feather=own.feather if self.feather is None else self.feather,
            original=self.original or own.original,
        )


@dataclass(frozen=True, slots=True)
class BlendDefaults:
    """What blend settings are where they leave something out.

    weight: w everywhere, where no region is given: as much of the original as of the edit. weight_in_region:
    w inside a given region, where the edit is followed. feather: width of the region's soft edge, as a
    fraction of the frame's shorter side. original: whether the original's predictions are made anew.
    """

    weight: float = 0.5
    weight_in_region: float = 0.0
    feather: float = 0.08
    original: Literal["computed", "kept"] = "computed"


BLEND_DEFAULTS = BlendDefaults()
"""The only place where the blend's defaults are set; forks and drags share them."""
