"""The seam between the server and whatever runs takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from rehearse.takes.store.recording import Claim

EngineState = Literal["starting", "idle", "busy", "down"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a shot cannot be run: one sentence, and the field at fault."""

    sentence: str
    field: str | None


@dataclass(frozen=True, slots=True)
class Listener:
    """What an engine tells, from any thread.

    news: the database has news. free: a worker could take the next claim. died: the worker died under this
    claim (None: under none) and why, in one sentence; the engine brings a new one up by itself.
    """

    news: Callable[[], None]
    free: Callable[[], None]
    died: Callable[[Claim | None, str], None]


class Engine(Protocol):
    """Runs one claim at a time for each worker it has. Workers write to the store themselves."""

    def start(self, folder: Path, listener: Listener) -> None:
        """Bring workers up; returns at once. folder: of the store."""
        ...

    @property
    def state(self) -> EngineState:
        """Where its workers stand."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why a worker is not up, in one sentence; None where all are, or begin for the first time."""
        ...

    def ready(self) -> bool:
        """Whether :meth:`play` would begin a claim now."""
        ...

    def play(self, claim: Claim) -> None:
        """Begin a claim on a free worker."""
        ...

    def runs(self) -> set[str]:
        """The runs that its workers hold, those whose death is being told included."""
        ...

    def halt(self, run: str, status: Literal["paused", "stopped"]) -> None:
        """End a run after the step it is in, so that its take has that status; nothing where it is over."""
        ...

    def check(self, document: str, parent: str | None, at: int) -> Finding | None:
        """Whether a model could run the shot (JSON, pictures by digest), as a branch of the parent shot at a
        step where one is given. None where it could, or where nobody can say at this moment."""
        ...

    def models(self, wait: float) -> list[dict[str, Any]]:
        """Facts of the installed models; waits at most that many seconds for a worker to find them."""
        ...

    def close(self, wait: float) -> None:
        """Pause what runs, wait so long for it, and end the workers."""
        ...
