"""The noise a clip begins with: settings and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from rehearse.shot.document import Document
from rehearse.shot.methods.method import Method


class InitialNoiseSettings(Document):
    """What a shot may say of its starting noise."""

    initial_noise: Literal["random", "freetraj"] | None = None
    """Whether the starting noise is plain, or carries the trajectory."""


@dataclass(frozen=True, slots=True)
class StartingNoise(Method):
    """The starting noise of a run; see :class:`InitialNoiseSettings`."""

    of_subjects: ClassVar[bool] = True
    idle: ClassVar[Mapping[str, object]] = {"initial_noise": "random"}

    initial_noise: Literal["random", "freetraj"] = "random"
