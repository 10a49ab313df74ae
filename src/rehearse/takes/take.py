"""One run of one shot by one model: play it, stop it, go back, branch from any step.

Takes live in memory for now; :meth:`Take.save` puts where one stands into a file that another process loads.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rehearse.models import load_model
from rehearse.models.model import VideoModel
from rehearse.planning import plan as make_plan
from rehearse.sampling.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from rehearse.sampling.loop import Cancelled, Loop
from rehearse.sampling.plan import Plan
from rehearse.sampling.state import State
from rehearse.shot import Shot
from rehearse.takes.clip import Clip


class TakeError(ValueError):
    """A take cannot do this now. ``str(error)`` is one sentence with the remedy."""


class StepEvent:
    """One denoising step was taken. step: how many are done, 1 to steps. state: to keep or look at."""

    def __init__(self, take: Take, state: State) -> None:
        self.take = take
        self.state = state
        self.step = state.step
        self.steps = take.steps

    @cached_property
    def preview(self) -> NDArray[np.uint8]:
        """All frames as this step sees the finished clip, uint8 ``[F, h, w, 3]`` at latent size."""
        frames: NDArray[np.uint8] = self.take._loop.preview(self.state)[0]
        return frames

    def __repr__(self) -> str:
        return f"StepEvent({self.step}/{self.steps})"


OnStep = Callable[[StepEvent], object]


class Take:
    """A run. Make one with :meth:`start`, :meth:`fork` or :meth:`load`.

    id: a name of its own. shot: what it shows. parent, branch_step: the take and the step it branched from
    (``parent_id`` alone where the parent is not in memory), None for a take from the start.
    """

    def __init__(self, shot: Shot, model: VideoModel, plan: Plan, *, keep: int = 1) -> None:
        if keep < 0:
            raise TakeError(f"keep is {keep}: give 1 to keep every step, n for every n-th, 0 for none")
        self.id = uuid.uuid4().hex
        self.shot = shot
        self.model = model
        self.plan = plan
        self.keep = keep
        self.parent: Take | None = None
        self.parent_id: str | None = None
        self.branch_step: int | None = None
        self._loop = Loop(model, plan)
        self._state: State | None = None
        self._kept: dict[int, State] = {}
        self._clip: Clip | None = None
        self._cancel = Event()

    @classmethod
    def start(cls, shot: Shot, model: VideoModel | None = None, *, keep: int = 1) -> Self:
        """A take of which nothing has run yet; the shot is validated against the model here.

        model: a loaded model; None loads ``shot.model``. keep: which states stay in memory to fork from:
        1 every step, n every n-th, 0 none but the current one. Raises ShotError, ModelError.
        """
        model = model or load_model(shot.model)
        return cls(shot, model, make_plan(shot, model), keep=keep)

    @property
    def steps(self) -> int:
        """Denoising steps of the whole take."""
        return self.plan.steps

    @property
    def step(self) -> int:
        """Steps done, those inherited from a parent included."""
        return self._state.step if self._state else 0

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.step == self.steps

    @property
    def kept_steps(self) -> tuple[int, ...]:
        """The steps that can be forked from."""
        current = {self.step} if self._state else set()
        return tuple(sorted({0, *self._kept, *current}))

    def play(self, until: int | None = None) -> Iterator[StepEvent]:
        """Run on, one event a step, up to step ``until`` (None: the end). To stop iterating is to pause.

        Raises Cancelled where :meth:`cancel` was called; the take stands between two steps and plays on.
        """
        if until is not None and not 0 <= until <= self.steps:
            raise TakeError(
                f"until is {until}: the take has {self.steps} steps; give a step from 0 to {self.steps}"
            )
        return self._play(until)

    def _play(self, until: int | None) -> Iterator[StepEvent]:
        end = self.steps if until is None else until
        if self._state is None:
            self._put(self._loop.start())
        assert self._state is not None
        while self._state.step < end:
            if self._cancel.is_set():
                self._cancel.clear()
                raise Cancelled(self._state)
            self._put(self._loop.step(self._state))
            yield StepEvent(self, self._state)

    def finish(self, on_step: OnStep | None = None) -> Self:
        """Run to the end; ``on_step`` is called after every step. Returns the take. Raises Cancelled."""
        for event in self.play():
            if on_step is not None:
                on_step(event)
        return self

    def cancel(self) -> None:
        """Stop before the next step, from a callback or another thread."""
        self._cancel.set()

    def fork(self, at: int | None = None, shot: Shot | None = None) -> Take:
        """A new take that branches off at a step and pays only for the steps after it.

        at: steps it takes over, one of :attr:`kept_steps`; None for where this take stands. At 0 it takes
        nothing over, so anything may change. shot: the changed shot; None for the same.
        Raises TakeError, ShotError: the step is not kept, or the change does not fit a run in its middle.
        """
        step = self.step if at is None else at
        shot = shot or self.shot
        if step not in self.kept_steps:
            near = ", ".join(map(str, self.kept_steps))
            raise TakeError(f"cannot fork at step {step}: the take keeps the states of steps {near}")
        if step == 0:
            model = self.model if shot.model == self.shot.model else load_model(shot.model)
            branch = Take(shot, model, make_plan(shot, model), keep=self.keep)
        else:
            plan = self.plan if shot is self.shot else make_plan(shot, self.model)
            self._refuse_unfit(step, shot, plan)
            branch = Take(shot, self.model, plan, keep=self.keep)
            branch._kept = {s: state for s, state in self._kept.items() if s <= step}
            branch._put(self._at(step))
        branch.parent, branch.parent_id, branch.branch_step = self, self.id, step
        return branch

    @property
    def clip(self) -> Clip:
        """The finished video, decoded once. TakeError before the last step."""
        if not self.finished or self._state is None:
            raise TakeError(
                f"the take stands at step {self.step} of {self.steps}: finish() it first, or look() at it"
            )
        if self._clip is None:
            self._clip = Clip(self._loop.decode(self._state)[0], self.plan.fps, self.shot)
        return self._clip

    def look(self) -> NDArray[np.uint8]:
        """The clip as the take sees it now, fully decoded, uint8 ``[F, H, W, 3]``: for a pause."""
        if self._state is None:
            raise TakeError("nothing has run yet: play() a step first")
        return self.clip.frames if self.finished else self._loop.decode(self._state)[0]

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write where the take stands (not the earlier steps); the path. Raises CheckpointError."""
        state = self._state or self._loop.start()
        notes = {"take": self.id}
        if self.parent_id is not None:
            notes |= {"parent": self.parent_id, "branch_step": str(self.branch_step)}
        checkpoint = Checkpoint(
            state=state,
            shot=self.shot.to_json(),
            model=self.model.identity,
            fingerprint=self.model.fingerprint,
            notes=notes,
        )
        return save_checkpoint(checkpoint, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str], model: VideoModel | None = None, *, keep: int = 1) -> Self:
        """The take of a file, ready to play on bit for bit; ``model`` None loads the one it names.

        Raises CheckpointError, ShotError (a shot of a newer format), ModelError.
        """
        checkpoint = load_checkpoint(path)
        model = model or load_model(checkpoint.model)
        checkpoint = load_checkpoint(path, fingerprint=model.fingerprint, model=model.identity)
        shot = Shot.model_validate_json(checkpoint.shot)
        take = cls(shot, model, make_plan(shot, model), keep=keep)
        take.id = checkpoint.notes.get("take", take.id)
        take.parent_id = checkpoint.notes.get("parent")
        branch = checkpoint.notes.get("branch_step")
        take.branch_step = int(branch) if branch is not None else None
        take._put(checkpoint.state)
        return take

    def _put(self, state: State) -> None:
        self._state = state
        if self.keep and state.step % self.keep == 0:
            self._kept[state.step] = state

    def _at(self, step: int) -> State:
        if self._state is not None and self._state.step == step:
            return self._state
        return self._kept[step]

    def _refuse_unfit(self, step: int, shot: Shot, plan: Plan) -> None:
        changes = [("model", self.shot.model, shot.model)]
        for name in ("seed", "frames", "width", "height", "steps", "scheduler"):
            changes.append((name, getattr(self.plan, name), getattr(plan, name)))
        for name, before, after in changes:
            if before != after:
                raise TakeError(
                    f"a fork at step {step} keeps the {name} of its take ({before}, not {after}); "
                    "fork at 0 or start a new take to change it"
                )

    def __repr__(self) -> str:
        branch = f", from {self.parent_id[:8]} at {self.branch_step}" if self.parent_id else ""
        return f"Take({self.id[:8]}, step {self.step}/{self.steps}{branch}, {self.shot.prompt!r})"
