"""One run of a take in the worker: brought back from the store, played, written down, brought to an end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from threading import Event
from typing import Literal

from rehearse.models.model import VideoModel
from rehearse.sampling.loop import Cancelled
from rehearse.shot import Shot
from rehearse.studio import full_disk
from rehearse.studio.recorder import StoreRecorder
from rehearse.studio.strips import put_strip
from rehearse.takes.store import images, tree
from rehearse.takes.store.errors import DiskFull
from rehearse.takes.store.facts import Facts
from rehearse.takes.store.recording import Claim, Lost, held, record_end
from rehearse.takes.store.schema import TakeRow
from rehearse.takes.store.store import Store
from rehearse.takes.take import Take

Halt = Literal["paused", "stopped"]
LoadModel = Callable[[str], VideoModel]


@dataclass
class Run:
    """A claim while it is being played. ``halt`` may be called from another thread.

    planning: entered while models are loaded and shots planned, which one thread at a time may do.
    """

    store: Store
    claim: Claim
    told: Callable[[], None]
    planning: AbstractContextManager[object] = field(default_factory=nullcontext)
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
        with self.planning:
            take = self._brought(row, load_model)
        self._take = take
        if self._halt is not None:
            take.cancel()
        until = None if until is None else min(until, take.steps)
        try:
            for _ in take.play(until):
                if self._halt is not None:
                    break
        except Cancelled:
            pass
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
        if not row.begun:
            if row.parent_id is None:
                return Take.start(shot, model, keep=0, recorder=recorder)
            return self._parent(row.parent_id, row.branch_step or 0, load_model).fork(
                at=row.branch_step, shot=shot, recorder=recorder
            )
        checkpoint = recorder.checkpoint(row.step)
        if checkpoint.fingerprint != model.fingerprint:
            raise ValueError(
                f"the take was begun with other weights of {row.model!r}, which are gone; make a new take"
            )
        take = Take.restore(
            shot, model, id=row.id, state=checkpoint.state, parent_id=row.parent_id,
            branch_step=row.branch_step, original=checkpoint.original, keep=0, recorder=recorder,
        )  # fmt: skip
        recorder.restart_clock()
        return take

    def _parent(self, parent: str, at: int, load_model: LoadModel) -> Take:
        """The take that a branch leaves, standing where it is left, or at its end where it got there."""
        with self.store.read() as session:
            row = tree.take_row(session, parent)
        recorder = self._recorder(row)
        finished = row.status == "finished" and row.step in recorder.steps()
        stands = row.step if finished else at
        checkpoint = recorder.checkpoint(stands) if stands in recorder.steps() else None
        return Take.restore(
            _shot(self.store, row.document), load_model(row.model), id=row.id,
            state=None if checkpoint is None else checkpoint.state,
            original=None if checkpoint is None else checkpoint.original,
            keep=0, recorder=recorder,
        )  # fmt: skip

    def _recorder(self, row: TakeRow) -> StoreRecorder:
        with self.store.read() as session:
            steps = tree.steps_of(session, row.id)
        kept = {step.step: step.checkpoint for step in steps if step.checkpoint is not None}
        return StoreRecorder(self.store, self.claim, row.document, kept, self.told)

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
        try:
            with self.store.write_at_last() as session:
                record_end(session, self.claim, status, error=error)
        except Lost:
            pass
        self.told()


_MEMORY = "the memory does not suffice; ask for fewer frames or a smaller size"


def _shot(store: Store, document: str) -> Shot:
    """A stored shot with its pictures inside."""

    def media_type(digest: str) -> str:
        with store.read() as session:
            return images.get_image(session, digest).media_type

    return images.bring_out(store.blobs, media_type, Shot.model_validate_json(document))


def unfit(
    store: Store, document: str, parent: str | None, at: int, load_model: LoadModel
) -> tuple[str, str | None] | None:
    """Why a shot cannot be run, alone or as a branch of a parent shot at a step: a sentence and a field."""
    from rehearse.planning import plan
    from rehearse.shot import ShotError
    from rehearse.takes.blending import unmixed

    shot = _shot(store, document)
    try:
        model = load_model(shot.model)
        if parent is None:
            plan(shot, model)
        else:
            own = unmixed(shot, model)
            if at:
                before = unmixed(_shot(store, parent), load_model(Shot.model_validate_json(parent).model))
                for name in ("seed", "frames", "width", "height", "steps", "scheduler"):
                    if getattr(own, name) != getattr(before, name):
                        return (
                            f"a branch at step {at} keeps the {name} of its take ({getattr(before, name)}, "
                            f"not {getattr(own, name)}); branch at 0 to change it",
                            name,
                        )
    except ShotError as error:
        return str(error), error.field or None
    except ValueError as error:
        return str(error), None
    return None
