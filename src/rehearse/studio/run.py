"""One run of a take in the worker: brought back from the store, played, written down, brought to an end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from threading import Event
from typing import Literal

from rehearse.models.card_of import card_of
from rehearse.models.model import VideoModel
from rehearse.planning import compile
from rehearse.resolve import refuse_alone, resolve
from rehearse.resolve.branching import (
    Change,
    begins_anew,
    change_of_model,
    change_of_run,
    mixes_with_parent,
)
from rehearse.sampling.loop import Cancelled
from rehearse.sampling.plan import Plan
from rehearse.sampling.surroundings import say_what_changed
from rehearse.shot import Shot, ShotError
from rehearse.studio import full_disk
from rehearse.studio.hearing import hearing
from rehearse.studio.plans import Plans
from rehearse.studio.recorder import StoreRecorder
from rehearse.studio.strips import put_strip
from rehearse.takes.store import images, tree
from rehearse.takes.store.errors import DiskFull
from rehearse.takes.store.facts import Facts
from rehearse.takes.store.queue import hold_queue
from rehearse.takes.store.recording import Claim, Lost, held, record_end, record_notes
from rehearse.takes.store.schema import TakeRow
from rehearse.takes.store.store import Store
from rehearse.takes.take import Take

_LEAST_ROOM = 8 << 20
_STEPS_OF_ROOM = 4

Halt = Literal["paused", "stopped"]
LoadModel = Callable[[str], VideoModel]


@dataclass
class Run:
    """A claim while it is being played. ``halt`` may be called from another thread.

    planning: entered while models are loaded and shots planned, which one thread at a time may do. plans:
    those that were made when the shot was looked at.
    """

    store: Store
    claim: Claim
    told: Callable[[], None]
    planning: AbstractContextManager[object] = field(default_factory=nullcontext)
    plans: Plans = field(default_factory=Plans)
    _halt: Halt | None = None
    _take: Take | None = None
    _halted: Event = field(default_factory=Event)

    def halt(self, status: Halt) -> None:
        """End after the step it is in."""
        self._halt = status
        self._halted.set()
        if self._take is not None:
            self._take.cancel()

    def play(self, load_model: LoadModel) -> None:
        """Play to the step asked for, to the end, or until halted; whatever happens is written down."""
        try:
            self._play(load_model)
        except Lost:
            pass  # another run has the take: nothing more may be written
        except DiskFull:
            self._end_at_last("paused", full_disk.SENTENCE)
        except MemoryError:
            self._end("failed", error=_MEMORY)
        except ValueError as error:
            # Every room has one error of its own, a ValueError whose text is a sentence.
            self._end("failed", error=str(error))
        except Exception as error:
            if type(error).__name__ == "OutOfMemoryError":
                self._end("failed", error=_MEMORY)
            else:
                self._end("failed", error=f"it failed unexpectedly ({type(error).__name__}: {error})"[:500])
                raise

    def _play(self, load_model: LoadModel) -> None:
        with self.store.read() as session:
            row = held(session, self.claim)
            until = row.until
        if row.asked is not None:
            self._end(row.asked)  # asked before this run could be told
            return
        with self.planning, hearing() as planned:
            take = self._brought(row, load_model)
        self._note(planned)
        self._take = take
        if self._halt is not None:
            take.cancel()
        until = None if until is None else min(until, take.steps)
        with hearing() as played, contextlib.suppress(Cancelled):
            for _ in take.play(until):
                if self._halt is not None:
                    break
        self._note(played)
        if take.finished:
            self._end("finished", look=put_strip(self.store.blobs, take.look()))
        elif self._halt == "stopped" or take.state is None:
            self._end(self._halt or "paused")
        else:
            self._end("paused", look=put_strip(self.store.blobs, take.look()))

    def _brought(self, row: TakeRow, load_model: LoadModel) -> Take:
        shot = _shot(self.store, row.document)
        model = load_model(row.model)
        recorder = self._recorder(row)
        # Blends at 0 were once begun without a row of their first state; they begin again.
        if not row.begun or not recorder.steps():
            return self._begun(row, shot, model, recorder)
        checkpoint = recorder.checkpoint(row.step)
        if checkpoint.fingerprint != model.fingerprint:
            raise ValueError(_other_weights("the take", row.model))
        say_what_changed(checkpoint.made_with, model)
        take = Take.restore(
            shot, model, id=row.id, state=checkpoint.state, parent_id=row.parent_id,
            branch_step=row.branch_step, original=checkpoint.original, keep=0, recorder=recorder,
        )  # fmt: skip
        recorder.restart_clock()
        return take

    def _begun(self, row: TakeRow, shot: Shot, model: VideoModel, recorder: StoreRecorder) -> Take:
        if row.parent_id is None:
            return self._started(shot, model, recorder)
        at = row.branch_step or 0
        with self.store.read() as session:
            parent = tree.take_row(session, row.parent_id)
        before = _shot(self.store, parent.document)
        if begins_anew(before, shot, at):
            # It takes nothing over, so that it does not matter whether its parent's model is here.
            return self._started(shot, model, recorder)
        if (change := change_of_model(before, shot)) is not None:
            raise ValueError(_keeps(change, shot, at))
        leaves = self._parent(parent, before, row, at, model)
        return leaves.fork(at=at, shot=shot, recorder=recorder, plan=self._planned(shot, model))

    def _started(self, shot: Shot, model: VideoModel, recorder: StoreRecorder) -> Take:
        return Take.start(shot, model, keep=0, recorder=recorder, plan=self._planned(shot, model))

    def _planned(self, shot: Shot, model: VideoModel) -> Plan | None:
        """The plan that was made when the shot was looked at; what was said then is noted. None where it is
        gone."""
        found = self.plans.take(shot, model)
        if found is None:
            return None
        self._note(found.heard)
        return found.plan

    def _parent(self, parent: TakeRow, shot: Shot, branch: TakeRow, at: int, model: VideoModel) -> Take:
        """The take that a branch leaves, standing where it is left, or at its end where it got there.

        model: the branch's, which was checked; whatever else an imported take names is never loaded.
        """
        # The parent may have been pruned since; what the branch stands on is in rows of its own.
        kept = self._kept(parent) | self._kept(branch)
        recorder = StoreRecorder(self.store, self.claim, parent.document, kept, self.told)
        finished = parent.status == "finished" and parent.step in kept
        stands = parent.step if finished else at
        # Later ones lack what was kept of an original for earlier steps.
        begins = min((step for step in kept if step >= max(at, parent.branch_step or 0)), default=None)
        checkpoint = recorder.checkpoint(stands) if stands in kept else None
        if checkpoint is not None and checkpoint.fingerprint != model.fingerprint:
            raise ValueError(_other_weights("the take it leaves", parent.model))
        if checkpoint is not None:
            say_what_changed(checkpoint.made_with, model)
        return Take.restore(
            shot, model, id=parent.id,
            state=None if checkpoint is None else checkpoint.state,
            original=None if begins is None else recorder.checkpoint(begins).original,
            keep=0, recorder=recorder,
        )  # fmt: skip

    def _note(self, heard: list[str]) -> None:
        if heard:
            with self.store.write() as session:
                record_notes(session, self.claim, heard)

    def _recorder(self, row: TakeRow) -> StoreRecorder:
        return StoreRecorder(self.store, self.claim, row.document, self._kept(row), self.told)

    def _kept(self, row: TakeRow) -> dict[int, str]:
        """The digests of a take's checkpoints by step."""
        with self.store.read() as session:
            steps = tree.steps_of(session, row.id)
        return {step.step: step.checkpoint for step in steps if step.checkpoint is not None}

    def _end(self, status: str, *, look: Facts | None = None, error: str | None = None) -> None:
        try:
            with self.store.write() as session:
                record_end(session, self.claim, status, look=look, error=error)
        except Lost:
            pass
        except DiskFull:
            self._end_at_last("paused", error or full_disk.SENTENCE)
        self.told()

    def _end_at_last(self, status: str, error: str) -> None:
        """The disk is full: the take ends, and no other is begun to end alike."""
        wanted = self._wanted_room()
        with self.store.write_at_last() as session:
            with contextlib.suppress(Lost):
                record_end(session, self.claim, status, error=error)
            hold_queue(session, wanted)
        self.told()

    def _wanted_room(self) -> int:
        """Bytes to be free before a take is begun again: those that did not suffice, and some steps'."""
        with self.store.read() as session:
            kept = [step.checkpoint for step in tree.steps_of(session, self.claim.take) if step.checkpoint]
        step = self.store.blobs.size(kept[-1]) if kept else 0
        return self.store.free() + _LEAST_ROOM + _STEPS_OF_ROOM * step


_MEMORY = "the memory does not suffice; ask for fewer frames or a smaller size"


def _shot(store: Store, document: str) -> Shot:
    """A stored shot with its pictures inside."""

    def media_type(digest: str) -> str:
        with store.read() as session:
            return images.get_image(session, digest).media_type

    return images.bring_out(store.blobs, media_type, Shot.model_validate_json(document))


def _other_weights(whose: str, model: str) -> str:
    """Why a state cannot be played on by a model of the same name."""
    return f"{whose} was begun with other weights of {model!r}, which are gone; make a new take"


def _keeps(change: Change, shot: Shot, at: int) -> str:
    """Why a branch cannot change something of its take."""
    mixes = mixes_with_parent(shot)
    plain = " without a blend" if mixes else ""
    what = f"a branch at step {at}" if at else "a blend with its take"
    return change.sentence(what, f"branch at 0{plain} to change it")


def unfit(
    store: Store,
    document: str,
    parent: str | None,
    at: int,
    load_model: LoadModel,
    plans: Plans | None = None,
) -> tuple[str, str | None] | None:
    """Why a shot cannot be run, alone or as a branch of a parent shot at a step: a sentence and a field.

    plans: keeps the plan that was made to find out, for the run.
    """
    shot = _shot(store, document)
    try:
        model = load_model(shot.model)
        with hearing() as heard:
            resolved = resolve(shot, card_of(model))
            if parent is None:
                refuse_alone(resolved)
            else:
                left = _shot(store, parent)
                if at or mixes_with_parent(shot):
                    # Only models that this studio offers are loaded: only the new shot was checked for that.
                    change = change_of_model(left, shot)
                    if change is None:
                        change = change_of_run(resolve(left, card_of(model)), resolved)
                    if change is not None:
                        return _keeps(change, shot, at), change.name
            made = compile(resolved, model)
        if plans is not None:
            plans.put(shot, model, made, heard)
    except ShotError as error:
        return str(error), error.field or None
    except ValueError as error:
        return str(error), None
    return None
