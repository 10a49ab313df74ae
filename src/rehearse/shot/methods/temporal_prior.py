"""Temporal intrinsic denoising: settings and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from rehearse.shot.document import Document
from rehearse.shot.fields import Fraction, StepCount
from rehearse.shot.methods.method import Method


class TemporalPriorSettings(Document):
    """What a shot may say of the temporal prior."""

    temporal_prior: Literal["none", "noise", "x0"] | None = None
    """What is shared along a trajectory at each step: the predicted noise, or the predicted clean picture."""
    temporal_prior_strength: Fraction | None = None
    temporal_prior_steps: StepCount | None = None
    """First denoising steps in which the temporal prior acts: a count or a fraction of all steps."""


@dataclass(frozen=True, slots=True)
class TemporalPrior(Method):
    """The temporal prior of a run; see :class:`TemporalPriorSettings`. strength: its weight at step 0."""

    of_subjects: ClassVar[bool] = True
    idle: ClassVar[Mapping[str, object]] = {
        "temporal_prior": "none", "temporal_prior_strength": 0, "temporal_prior_steps": 0,
    }  # fmt: skip

    temporal_prior: Literal["none", "noise", "x0"] = "x0"
    temporal_prior_strength: float = 0.8
    temporal_prior_steps: int | float = 0.5
