"""What is known of a model without its weights: what it can do, what it takes, what it does by default.

A shot is resolved against a card (:mod:`rehearse.resolve`), so that everything that can be refused or decided
is, before anything heavy is loaded, and in processes that load nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a shot gets where it does not say otherwise.

    frames: frames of the clip. width, height: in pixels. fps: frames a second. steps: denoising steps.
    guidance: classifier-free guidance scale, 1 switches it off. scheduler: a name in
    ``rehearse.schedulers.SCHEDULERS``. frozen_steps: first steps in which attention is masked, a
    count or a fraction; None where nobody measured what suits the model (``rehearse.shot.methods`` decides).
    """

    frames: int
    width: int
    height: int
    fps: float
    steps: int
    guidance: float
    scheduler: str
    frozen_steps: int | float | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a model takes.

    max_frames: None for any number. size_multiple: width and height in pixels must be multiples of it.
    max_tokens: length of an encoded prompt, start and end marks included.
    vocabulary: the known words of a closed vocabulary, lower case; None where any word may be used.
    frame_step: a clip has 1 frame and a multiple of so many more. fixed: frames, width and height of the one
    size that a model with learned positions takes; None for any.
    """

    max_frames: int | None
    size_multiple: int
    max_tokens: int
    vocabulary: frozenset[str] | None = None
    frame_step: int = 1
    fixed: tuple[int, int, int] | None = None

    def takes_frames(self, frames: int) -> bool:
        """Whether a clip can have that many frames."""
        if self.fixed is not None:
            return frames == self.fixed[0]
        within = self.max_frames is None or frames <= self.max_frames
        return frames >= 1 and within and (frames - 1) % self.frame_step == 0

    def nearest_frames(self, frames: int) -> tuple[int, ...]:
        """The counts next to ``frames`` that a clip can have, below and above, ascending; itself alone where
        it is one."""
        if self.fixed is not None:
            return (self.fixed[0],)
        low = 1 + (max(frames, 1) - 1) // self.frame_step * self.frame_step
        if self.max_frames is not None:
            low = min(low, 1 + (self.max_frames - 1) // self.frame_step * self.frame_step)
        near = [low] if low >= frames else [low, low + self.frame_step]
        return tuple(one for one in near if self.takes_frames(one))


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model as a shot meets it.

    identity: what ``--model`` was given. abilities: everything it can do for a shot, by the names of
    :mod:`rehearse.resolve.abilities`. site_kinds: kinds of attention in its denoiser, see
    :mod:`rehearse.sites`. shows_picture: when it can show the picture that it starts from, at any time of the
    clip or as its first frame only; None where it starts from none. needs_picture: whether it always starts
    from one, made of the prompt where the shot gives none. triggers: for models with target
    conditioning, the word put before a target's phrase, by the target's role.
    """

    identity: str
    family: str
    abilities: frozenset[str]
    defaults: Defaults
    limits: Limits
    site_kinds: frozenset[str] = frozenset()
    shows_picture: Literal["any", "start"] | None = None
    needs_picture: bool = False
    triggers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_joint(self) -> bool:
        """Whether it attends to prompt and video together."""
        return "joint" in self.site_kinds

    @property
    def of_methods(self) -> Mapping[str, Any]:
        """Settings of methods that suit this model, by name (``rehearse.shot.methods``)."""
        known = {"frozen_steps": self.defaults.frozen_steps}
        return {name: value for name, value in known.items() if value is not None}
