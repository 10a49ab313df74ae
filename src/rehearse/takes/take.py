"""One run of one shot by one model: play it, stop it, go back, branch from any step.

A take lives in memory; :meth:`Take.save` puts where one stands into a file that another process loads. What
makes all of it last, a folder (:class:`rehearse.takes.folder.TakeFolder`) or a database, is its recorder.
"""

from __future__ import annotations

import logging
import operator
import os
import uuid
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from rehearse.models import load_model
from rehearse.models.card_of import card_of
from rehearse.models.model import VideoModel
from rehearse.planning import compile as compile_plan
from rehearse.planning import plan as make_plan
from rehearse.resolve import ForkBlend, ResolvedShot, resolve
from rehearse.resolve.branching import (
    Change,
    acts_in_steps,
    begins_anew,
    change_of_model,
    change_of_run,
    last_step_with_room,
    mixes_with_parent,
    new_blend_is_of_a_drag,
)
from rehearse.sampling.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from rehearse.sampling.loop import Cancelled, Loop
from rehearse.sampling.original import Original
from rehearse.sampling.plan import Plan
from rehearse.sampling.state import State
from rehearse.sampling.surroundings import say_what_changed, surroundings
from rehearse.shot import Shot
from rehearse.takes.blending import mixed, plan_of
from rehearse.takes.clip import Clip
from rehearse.takes.recorder import Recorder

_LOG = logging.getLogger(__name__)


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
    """A run. Make one with :meth:`start`, :meth:`fork`, :meth:`load` or :meth:`restore`.

    id: a name of its own. shot: what it shows. parent, branch_step: the take and the step it branched from
    (``parent_id`` alone where the parent is not in memory), None for a take from the start.
    original: what it is blended with, None for a take without a blend. recorder: who writes it down, or None.
    """

    def __init__(
        self,
        shot: Shot,
        model: VideoModel,
        plan: Plan,
        *,
        keep: int = 1,
        original: Original | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        if keep < 0:
            raise TakeError(f"keep is {keep}: give 1 to keep every step, n for every n-th, 0 for none")
        self.id = uuid.uuid4().hex
        self.shot = shot
        self.model = model
        self.plan = plan
        self.keep = keep
        self.original = original
        self.recorder = recorder
        self.parent: Take | None = None
        self.parent_id: str | None = None
        self.branch_step: int | None = None
        self._loop = Loop(model, plan)
        self._state: State | None = None
        self._kept: dict[int, State] = {}
        self._clip: Clip | None = None
        self._cancel = Event()
        self._told_finish = False

    @classmethod
    def start(
        cls,
        shot: Shot | str,
        model: VideoModel | None = None,
        *,
        keep: int = 1,
        recorder: Recorder | None = None,
        plan: Plan | None = None,
    ) -> Self:
        """A take of which nothing has run yet; the shot is validated against the model here.

        shot: a Shot, or a prompt alone. model: a loaded model; None loads ``shot.model``. keep: which states
        stay in memory to fork from: 1 every step, n every n-th, 0 none but the current one. recorder: writes
        the take down as it runs, such as ``TakeFolder.create("folder")``. plan: of this shot and model, where
        it is made already. Raises ShotError, ModelError, and what the recorder raises.
        """
        shot = Shot(shot) if isinstance(shot, str) else shot
        model = model or load_model(shot.model)
        take = cls(shot, model, plan or make_plan(shot, model), keep=keep, recorder=recorder)
        if recorder is not None:
            recorder.on_start(take)
        return take

    @classmethod
    def restore(
        cls,
        shot: Shot,
        model: VideoModel,
        *,
        id: str,
        state: State | None = None,
        parent_id: str | None = None,
        branch_step: int | None = None,
        original: Original | None = None,
        keep: int = 1,
        recorder: Recorder | None = None,
    ) -> Self:
        """A take as it was written down, ready to play on bit for bit.

        state: where it stands, None where nothing has run. The rest is what the take said of itself.
        Raises ShotError where the shot does not suit the model, TakeError where predictions kept of an
        original are missing.
        """
        for one in original.lineage() if original is not None else ():
            begins, steps = state.step if state else 0, shot.steps or model.defaults.steps
            if one.kept is not None and not set(range(begins, steps)) <= set(one.kept):
                raise TakeError(
                    "the predictions kept of the take it is blended with are not in this file; continue it "
                    "from its folder, whose first checkpoint has them"
                )
        take = cls(
            shot, model, plan_of(shot, model, original), keep=keep, original=original, recorder=recorder
        )
        take.id, take.parent_id, take.branch_step = id, parent_id, branch_step
        if state is not None:
            take._put(state)
        return take

    @property
    def steps(self) -> int:
        """Denoising steps of the whole take."""
        return self.plan.steps

    @property
    def state(self) -> State | None:
        """Where it stands; None before anything ran."""
        return self._state

    @property
    def step(self) -> int:
        """Steps done, those inherited from a parent included."""
        return self._state.step if self._state else 0

    @property
    def notes(self) -> dict[str, str]:
        """What a checkpoint of this take says of where it belongs: ``take``, ``parent``, ``branch_step``."""
        if self.parent_id is None:
            return {"take": self.id}
        return {"take": self.id, "parent": self.parent_id, "branch_step": str(self.branch_step)}

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.step == self.steps

    @property
    def kept_steps(self) -> tuple[int, ...]:
        """The steps that can be forked from."""
        current = {self.step} if self._state else set()
        recorded = self.recorder.steps() if self.recorder is not None else ()
        return tuple(sorted({0, *self._kept, *recorded, *current}))

    def play(self, until: int | None = None) -> Iterator[StepEvent]:
        """Run on, one event a step, up to step ``until`` (None: the end). To stop iterating is to pause.

        Raises Cancelled where :meth:`cancel` was called; the take stands between two steps and plays on.
        """
        until = None if until is None else _whole("until", until)
        if until is not None and not 0 <= until <= self.steps:
            raise TakeError(
                f"until is {until}: the take has {self.steps} steps; give a step from 0 to {self.steps}"
            )
        return self._play(until)

    def _play(self, until: int | None) -> Iterator[StepEvent]:
        end = self.steps if until is None else until
        if self._state is None:
            self._reach(self._loop.start())
        assert self._state is not None
        while self._state.step < end:
            if self._cancel.is_set():
                self._cancel.clear()
                raise Cancelled(self._state)
            self._reach(self._loop.step(self._state))
            yield StepEvent(self, self._state)
        if self.finished and self.recorder is not None and not self._told_finish:
            self._told_finish = True
            self.recorder.on_finish(self)

    def finish(self, on_step: OnStep | None = None) -> Self:
        """Run to the end; ``on_step`` is called after every step. Returns the take. Raises Cancelled."""
        for event in self.play():
            if on_step is not None:
                on_step(event)
        return self

    def cancel(self) -> None:
        """Stop before the next step, from a callback or another thread."""
        self._cancel.set()

    def fork(
        self,
        at: int | None = None,
        shot: Shot | None = None,
        *,
        recorder: Recorder | None = None,
        plan: Plan | None = None,
    ) -> Take:
        """A new take that branches off at a step and pays only for the steps after it; this one stays as is.

        at: steps it takes over, one of :attr:`kept_steps`; None for where this take stands. At 0 it takes
        nothing over, so anything may change; at the last step nothing is left for a change to act in.
        shot: the changed shot; None for the same. It says all that is wanted: with a blend that it has from
        this take's shot the fork is blended with this take; ``shot.with_control(blend=None)`` leaves it out.
        recorder: writes the new take down. plan: of the changed shot alone, without a blend with this take,
        where it is made already (:func:`rehearse.planning.compile`).

        Where the changed shot's ``control.blend`` is set, every step after the branch is a mix (equation 4)
        of what this take's instructions and the changed ones say: see :mod:`rehearse.takes.blending`. Such a
        fork begins with this take's noise at 0 too. With ``original="kept"`` this take's own predictions are
        the original side, so it must have finished and kept every step after the branch. Where the changed
        shot drags something, its blend is between the picture before the drag and after it, as in any take,
        and this take is no side of it; a warning says so where the blend is new.

        Raises TakeError, ShotError: the step is not kept, or the change does not fit a run in its middle.
        """
        step = self.step if at is None else _whole("at", at)
        self._refuse_step(step)
        shot = self.shot if shot is None or shot == self.shot else shot
        self._refuse_late_change(step, shot)
        self._say_what_a_blend_means(shot)
        original, model = self.original, self.model
        if shot is self.shot:
            plan = self.plan
        elif begins_anew(self.shot, shot, step):
            model, original = self.model if shot.model == self.shot.model else load_model(shot.model), None
            plan = plan or make_plan(shot, model)
        else:
            resolved = self._fitting(step, shot)
            plan, original = plan or compile_plan(resolved, model), None
            if isinstance(resolved.blend, ForkBlend):
                kept = self._predictions(step) if resolved.blend.keeps_original else None
                # A kept side is what this take predicted, its own blend included.
                further = None if kept is not None or self.original is None else self.original.since(step)
                original = Original(self.shot.to_json(), kept, further)
                plan = mixed(plan, resolved, model, original)
        branch = Take(shot, model, plan, keep=self.keep, original=original, recorder=recorder)
        if step or original is not None:
            branch._kept = {s: state for s, state in self._kept.items() if s <= step}
            branch._put(self._at(step))
        branch.parent, branch.parent_id, branch.branch_step = self, self.id, step
        if recorder is not None:
            recorder.on_start(branch)
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
        return save_checkpoint(self.checkpoint(self._state or self._loop.start()), path)

    def checkpoint(
        self,
        state: State,
        *,
        original: Original | None = None,
        shot: str | None = None,
        notes: dict[str, str] | None = None,
    ) -> Checkpoint:
        """One of this take's states as it is written down.

        original: what it is blended with, where more of it is kept than the rest of the run needs. shot,
        notes: in place of the take's own.
        """
        if original is None and self.original is not None:
            original = self.original.since(state.step)
        return Checkpoint(
            state=state,
            shot=self.shot.to_json() if shot is None else shot,
            model=self.model.identity,
            fingerprint=self.model.fingerprint,
            notes=self.notes if notes is None else notes,
            original=original,
            made_with=surroundings(self.model),
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str], model: VideoModel | None = None, *, keep: int = 1) -> Self:
        """The take of a file, ready to play on; ``model`` None loads the one it names.

        Bit for bit as if it had never stopped where as many threads compute in the same format on the same
        kind of device; a warning says what differs. Raises CheckpointError, ShotError (a shot of a newer
        format), ModelError.
        """
        checkpoint = load_checkpoint(path)
        model = model or load_model(checkpoint.model)
        checkpoint = load_checkpoint(path, fingerprint=model.fingerprint, model=model.identity)
        say_what_changed(checkpoint.made_with, model)
        branch = checkpoint.notes.get("branch_step")
        return cls.restore(
            Shot.model_validate_json(checkpoint.shot),
            model,
            id=checkpoint.notes.get("take", uuid.uuid4().hex),
            state=checkpoint.state,
            parent_id=checkpoint.notes.get("parent"),
            branch_step=int(branch) if branch is not None else None,
            original=checkpoint.original,
            keep=keep,
        )

    def _reach(self, state: State) -> None:
        # Written down first: a state that could not be is taken again.
        if self.recorder is not None:
            self.recorder.on_state(self, state)
        self._put(state)

    def _put(self, state: State) -> None:
        self._state = state
        if self.keep and state.step % self.keep == 0:
            self._kept[state.step] = state

    def _at(self, step: int) -> State:
        if self._state is not None and self._state.step == step:
            return self._state
        if step in self._kept:
            return self._kept[step]
        if self.recorder is not None and step in self.recorder.steps():
            return self.recorder.state(step)
        if self.original is not None:
            raise TakeError(
                "this blended take has not kept the noise it began with, which was its parent's: fork its "
                "parent at 0, or leave the blend out"
            )
        return self._loop.start()  # made from the seed, so it need not be kept

    def _refuse_step(self, step: int) -> None:
        if not 0 <= step <= self.steps:
            raise TakeError(
                f"cannot fork at step {step}: the take has {self.steps} steps; give one from 0 to {self.step}"
            )
        if step not in self.kept_steps:
            near = ", ".join(map(str, self.kept_steps))
            further = f", and stands at step {self.step}; play it further first" if step > self.step else ""
            raise TakeError(f"cannot fork at step {step}: the take keeps the states of steps {near}{further}")

    def _refuse_late_change(self, step: int, shot: Shot) -> None:
        if step == self.steps and acts_in_steps(self.shot, shot):
            last = last_step_with_room(self.kept_steps, step)
            raise TakeError(
                f"cannot fork at step {step} with a changed shot: the take has {self.steps} steps, and none "
                f"is left for the change to act in; fork at {last}{' or earlier' if last else ''}"
            )

    def _say_what_a_blend_means(self, shot: Shot) -> None:
        if new_blend_is_of_a_drag(self.shot, shot):
            _LOG.warning(
                "control.blend: this shot drags something, so it mixes with the picture before the drag, "
                "under the shot's own words, and not with the take it branches from; leave out what drags or "
                "the blend, if that is not meant"
            )

    def _fitting(self, step: int, shot: Shot) -> ResolvedShot:
        """A changed shot, resolved; TakeError where the change needs a run from the start."""
        what = "a blend with its parent" if mixes_with_parent(shot) else f"a fork at step {step}"
        _refuse(change_of_model(self.shot, shot), what)
        resolved = resolve(shot, card_of(self.model))
        _refuse(change_of_run(self.plan, resolved), what)
        return resolved

    def _predictions(self, step: int) -> dict[int, Tensor]:
        """The clean latents this take predicted in each step from ``step`` on."""
        if not self.finished:
            raise TakeError(
                f"a blend with kept predictions needs those of every step, and the take stands at step "
                f"{self.step} of {self.steps}: finish it first, or set control.blend.original to 'computed'"
            )
        kept = set(self.kept_steps)
        lost = [after for after in range(step + 1, self.steps + 1) if after not in kept]
        if lost:
            raise TakeError(
                f"a blend with kept predictions needs those of every step from {step} on, and the take has "
                f"not kept the states of steps {', '.join(map(str, lost))}: run it with keep=1, or set "
                "control.blend.original to 'computed'"
            )
        found = {}
        for before in range(step, self.steps):
            x0 = self._at(before + 1).x0
            assert x0 is not None
            found[before] = x0
        return found

    def __repr__(self) -> str:
        branch = f", from {self.parent_id[:8]} at {self.branch_step}" if self.parent_id else ""
        return f"Take({self.id[:8]}, step {self.step}/{self.steps}{branch}, {self.shot.prompt!r})"


def _refuse(change: Change | None, what: str) -> None:
    if change is not None:
        remedy = "fork at 0 without a blend or start a new take to change it"
        raise TakeError(change.sentence(what, remedy))


def _whole(name: str, number: object) -> int:
    """A number of steps as an int, whosever integer it is. Raises TakeError."""
    try:
        return operator.index(number)  # type: ignore[arg-type]
    except TypeError as error:
        raise TakeError(f"{name} is {number!r}: give a whole number of steps") from error
