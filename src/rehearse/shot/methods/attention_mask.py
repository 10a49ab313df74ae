"""Attention masks that keep subjects in their boxes: settings and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import AfterValidator, Field, field_validator

from rehearse.shot.document import Document
from rehearse.shot.fields import Number, StepCount
from rehearse.shot.methods.method import Method
from rehearse.shot.methods.sites import SITE_KINDS, SiteKind, Sites, one_name_alone

UNetPart = Literal["down", "mid", "up"]
"""A part of a UNet."""

UNET_PARTS: tuple[UNetPart, ...] = get_args(UNetPart)


def _parts_in_order(parts: tuple[UNetPart, ...]) -> tuple[UNetPart, ...]:
    return tuple(part for part in UNET_PARTS if part in parts)


Parts = Annotated[tuple[UNetPart, ...], Field(fail_fast=True, min_length=1), AfterValidator(_parts_in_order)]
"""Any of down, mid, up; one at least."""


class AttentionMaskSettings(Document):
    """What a shot may say of attention masks."""

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

    _one_name_alone = field_validator("mask_sites", "mask_parts", mode="before")(one_name_alone)


@dataclass(frozen=True, slots=True)
class AttentionMasking(Method):
    """Attention masks of a run; see :class:`AttentionMaskSettings`.

    Peekaboo freezes 2 to 4 steps of 40, and masks mid and up (a transformer's blocks always are). At joint
    attention ``mask_sites`` are the blocks of its matrix.
    """

    of_subjects: ClassVar[bool] = True
    idle: ClassVar[Mapping[str, object]] = {
        "frozen_steps": 0, "mask_sites": (), "mask_parts": (), "mask_variant": "paper",
    }  # fmt: skip

    frozen_steps: int | float = 0.1
    mask_sites: tuple[SiteKind, ...] = ("cross",)
    mask_parts: tuple[UNetPart, ...] = UNET_PARTS
    mask_variant: Literal["paper", "released"] = "paper"
    mask_inset: float = 0.5

    @classmethod
    def chosen(cls, said: Document, of_model: Mapping[str, Any]) -> Self:
        """The paper's variant has other defaults than the released one."""
        released = getattr(said, "mask_variant", None) == "released"
        return cls.filled(cls._released() if released else cls(), said, of_model)

    @classmethod
    def _released(cls) -> Self:
        return cls(mask_sites=SITE_KINDS, mask_parts=("mid", "up"), mask_variant="released", mask_inset=0.0)
