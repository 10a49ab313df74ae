"""A take's recorder over the store: what a step made is on the disk before it is told."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from typing import Any

from PIL import Image

from rehearse.durable import is_full_disk
from rehearse.sampling.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from rehearse.sampling.state import State
from rehearse.shot import MotionInstruction
from rehearse.studio.strips import put_strip
from rehearse.takes.store.errors import DiskFull
from rehearse.takes.store.recording import Claim, record_plan, record_step
from rehearse.takes.store.store import Store
from rehearse.takes.take import StepEvent, Take


class StoreRecorder:
    """Writes one run of a take. document: the shot as the store has it, its pictures by digest.
    checkpoints: digests by step, of the steps that are kept already. told: called when there is news."""

    def __init__(
        self,
        store: Store,
        claim: Claim,
        document: str,
        checkpoints: Mapping[int, str],
        told: Callable[[], None],
    ) -> None:
        self._store = store
        self._claim = claim
        self._document = document
        self._checkpoints = dict(checkpoints)
        self._told = told
        self._clock = time.perf_counter()

    def on_start(self, take: Take) -> None:
        """A branch's first state carries what it is blended with, which its parent's does not. A branch at 0
        that has one, to be blended, has no row of it yet."""
        first = preview = None
        if take.state is not None:
            first = self._save(take, take.state)
            if take.state.step not in self._checkpoints:
                preview = put_strip(self._store.blobs, StepEvent(take, take.state).preview)
        plan = take.plan
        sizes: dict[str, Any] = {
            "steps": plan.steps,
            "frames": plan.frames,
            "width": plan.width,
            "height": plan.height,
            "fps": plan.fps,
        }
        picture = self._picture(take)
        with self._store.write() as session:
            record_plan(session, self._claim, sizes, first, picture, preview)
        if first is not None and take.state is not None:
            self._checkpoints[take.state.step] = first
        self.restart_clock()
        self._told()

    def on_state(self, take: Take, state: State) -> None:
        """Checkpoint and preview as files, then the row and the event together."""
        checkpoint = self._save(take, state)
        preview = put_strip(self._store.blobs, StepEvent(take, state).preview)
        seconds = time.perf_counter() - self._clock
        with self._store.write() as session:
            record_step(session, self._claim, state.step, checkpoint, preview, seconds)
        self._checkpoints[state.step] = checkpoint
        self.restart_clock()
        self._told()

    def on_finish(self, take: Take) -> None:
        """The worker says how a run ended."""

    def steps(self) -> tuple[int, ...]:
        """The steps that are kept."""
        return tuple(sorted(self._checkpoints))

    def state(self, step: int) -> State:
        """A kept state. KeyError for a step that is not kept."""
        return self.checkpoint(step).state

    def checkpoint(self, step: int) -> Checkpoint:
        """A kept checkpoint. KeyError as above; CheckpointError where its file is damaged."""
        return load_checkpoint(self._store.blobs.path(self._checkpoints[step]))

    def restart_clock(self) -> None:
        """The next step's seconds count from now."""
        self._clock = time.perf_counter()

    def _picture(self, take: Take) -> str | None:
        """The digest of what the clip starts from, its drags at their ends; None where it starts in noise."""
        pictures = take.plan.pictures
        if pictures is None:
            return None
        loops = any(isinstance(one, MotionInstruction) and one.loop for one in take.shot.instructions)
        content = io.BytesIO()
        shown = pictures[(len(pictures) - 1) // 2 if loops else -1]
        Image.fromarray(shown).save(content, "PNG", compress_level=4)
        return self._store.blobs.put(content.getvalue())

    def _save(self, take: Take, state: State) -> str:
        checkpoint = take.checkpoint(state, shot=self._document, notes={"take": self._claim.take})
        with self._store.blobs.part() as part:
            try:
                save_checkpoint(checkpoint, part)
            except ValueError as error:
                if is_full_disk(error):
                    raise DiskFull from error
                raise
            return self._store.blobs.adopt(part)
