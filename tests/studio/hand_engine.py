"""An engine that a test plays by hand: it takes claims and writes what it is told to."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

import numpy as np

from rehearse.studio.engines.engine import EngineState, Finding, Listener
from rehearse.studio.strips import put_strip
from rehearse.takes.store.recording import Claim, record_end, record_plan, record_step
from rehearse.takes.store.store import Store

SHOT: dict[str, Any] = {"prompt": "a red ball over the meadow", "model": "toy", "seed": 7, "steps": 4}

FACTS: dict[str, Any] = {
    "name": "toy", "family": "toy", "abilities": ["trajectory.box", "trajectory.point"],
    "from_picture": False, "says": "text to video",
    "defaults": {"frames": 2, "width": 8, "height": 8, "fps": 8.0, "steps": 4, "guidance": 1.0,
                 "scheduler": "ddim"},
    "limits": {"max_frames": None, "size_multiple": 8, "max_tokens": 77, "vocabulary": None,
               "word_groups": []},
}  # fmt: skip


class HandEngine:
    """open: whether it takes the next claim. finding: what :meth:`check` says of every shot.
    known: the models it has looked at."""

    def __init__(self) -> None:
        self.open = False
        self.claim: Claim | None = None
        self.halts: list[tuple[str, str]] = []
        self.finding: Finding | None = None
        self.known = [FACTS]
        self._store: Store | None = None
        self.listener: Listener | None = None

    def start(self, folder: Path, listener: Listener) -> None:
        self._store, self.listener = Store(folder), listener

    @property
    def store(self) -> Store:
        assert self._store is not None
        return self._store

    @property
    def state(self) -> EngineState:
        return "busy" if self.claim else "idle"

    @property
    def trouble(self) -> str | None:
        return None

    def ready(self) -> bool:
        return self.open and self.claim is None

    def play(self, claim: Claim) -> None:
        self.claim = claim

    def runs(self) -> set[str]:
        return {self.claim.run} if self.claim else set()

    def halt(self, run: str, status: Literal["paused", "stopped"]) -> None:
        self.halts.append((run, status))

    def check(self, document: str, parent: str | None, at: int) -> Finding | None:
        return self.finding

    def models(self, wait: float) -> list[dict[str, Any]]:
        return self.known

    def close(self, wait: float) -> None:
        self.store.close()

    # What a worker would do

    def plan(self, claim: Claim, steps: int = 4) -> None:
        with self.store.write() as session:
            sizes = {"steps": steps, "frames": 2, "width": 8, "height": 8, "fps": 8.0}
            record_plan(session, claim, sizes, None)

    def step(self, claim: Claim, step: int, checkpoint: bytes | None = None) -> None:
        digest = self.store.blobs.put(checkpoint or make_checkpoint(claim.take, step))
        strip = put_strip(self.store.blobs, np.full((2, 8, 8, 3), step, np.uint8))
        with self.store.write() as session:
            record_step(session, claim, step, digest, strip, 0.5)
        assert self.listener is not None
        self.listener.news()

    def finish(self, claim: Claim, status: str = "finished") -> None:
        look = put_strip(self.store.blobs, np.full((2, 8, 8, 3), 200, np.uint8))
        with self.store.write() as session:
            record_end(session, claim, status, look=look)
        self.claim = None
        assert self.listener is not None
        self.listener.news()
        self.listener.free()


def make_checkpoint(take: str, step: int) -> bytes:
    """A safetensors file that says it is a checkpoint, with content of its own."""
    from safetensors.numpy import save

    said = hashlib.sha256(f"{take} {step}".encode()).digest()
    return save({"latents": np.frombuffer(said, np.uint8)}, {"format": "rehearse-checkpoint"})
