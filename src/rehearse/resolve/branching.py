"""What a branch may change of the take it leaves: the one rule, for memory, folders and the studio."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from rehearse.resolve.instructions.blends import DragBlend, ForkBlend, blend_of
from rehearse.shot import Shot


class Run(Protocol):
    """What a run was or will be made with: a resolved shot, or a plan."""

    @property
    def seed(self) -> int: ...
    @property
    def frames(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def steps(self) -> int: ...
    @property
    def scheduler(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Change:
    """Something that a branch would have to keep. name: of the field. before, now: its values."""

    name: str
    before: object
    now: object

    def sentence(self, what: str, remedy: str) -> str:
        """Why it cannot be changed. what: would change it, such as "a fork at step 3". remedy: what to do
        instead."""
        return f"{what} keeps the {self.name} of its take ({self.before}, not {self.now}); {remedy}"


def begins_anew(before: Shot, after: Shot, at: int) -> bool:
    """Whether a branch takes nothing over: at step 0, changed, without a blend with its parent. Anything may
    change then, the model too."""
    return at == 0 and after != before and not mixes_with_parent(after)


def change_of_model(before: Shot, after: Shot) -> Change | None:
    """Another model than the parent's."""
    return None if before.model == after.model else Change("model", before.model, after.model)


def mixes_with_parent(shot: Shot) -> bool:
    """Whether a branch under this shot is mixed with the take it leaves."""
    return isinstance(blend_of(shot), ForkBlend)


def change_of_run(before: Run, after: Run) -> Change | None:
    """The first of what a state in the middle of a run cannot take up: seed, size, length, schedule."""
    for name in ("seed", "frames", "width", "height", "steps", "scheduler"):
        was, now = getattr(before, name), getattr(after, name)
        if was != now:
            return Change(name, was, now)
    return None


def acts_in_steps(before: Shot, after: Shot) -> bool:
    """Whether what differs in a changed shot acts in denoising steps: all does but the rate of frames."""
    return after.with_(fps=before.fps) != before


def last_step_with_room(kept: Iterable[int], steps: int) -> int:
    """The latest kept step that leaves a change some step to act in."""
    return max((step for step in kept if step < steps), default=0)


def new_blend_is_of_a_drag(before: Shot, after: Shot) -> bool:
    """Whether a branch's blend is with the picture before a drag, where its parent's was not: whoever
    branches may take it for one with the parent."""
    now = blend_of(after)
    return isinstance(now, DragBlend) and now != blend_of(before)
