"""Attention raised inside a target's mask: settings and defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from rehearse.shot.document import Document
from rehearse.shot.fields import Number, StepCount
from rehearse.shot.methods.method import Method


class TargetAttentionSettings(Document):
    """What a shot may say of attention to its targets."""

    target_attention: Annotated[Number, Field(ge=0, le=100)] | None = None
    """How far, in logits, attention to a target's words is raised inside its mask and lowered outside; 0 and
    null: not at all.
    """
    target_attention_steps: StepCount | None = None
    """First denoising steps in which that acts: a count or a fraction of all steps."""


@dataclass(frozen=True, slots=True)
class AttentionToTargets(Method):
    """Attention to the targets of a run; see :class:`TargetAttentionSettings`."""

    target_attention: float = 0.0
    target_attention_steps: int | float = 0.5
