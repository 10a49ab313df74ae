"""Mask normalization: settings and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import field_validator

from rehearse.shot.document import Document
from rehearse.shot.fields import Fraction
from rehearse.shot.methods.method import Method
from rehearse.shot.methods.sites import SITE_KINDS, SiteKind, Sites, one_name_alone


class MaskNormalizationSettings(Document):
    """What a shot may say of mask normalization."""

    normalization: Literal["none", "global", "regional"] | None = None
    """Whether masked attention is brought back to the unmasked one's statistics, over the frame or for each
    region.
    """
    normalization_strength: Fraction | None = None
    """0 leaves the masked output as it is, 1 normalizes fully."""
    normalization_sites: Sites | None = None
    """Which masked attention is normalized."""

    _one_name_alone = field_validator("normalization_sites", mode="before")(one_name_alone)


@dataclass(frozen=True, slots=True)
class Normalizing(Method):
    """Mask normalization of a run, which acts where attention is masked; see
    :class:`MaskNormalizationSettings`."""

    of_subjects: ClassVar[bool] = True
    idle: ClassVar[Mapping[str, object]] = {
        "normalization": "none", "normalization_strength": 0, "normalization_sites": (),
    }  # fmt: skip

    normalization: Literal["none", "global", "regional"] = "global"
    normalization_strength: float = 1.0
    normalization_sites: tuple[SiteKind, ...] = SITE_KINDS
