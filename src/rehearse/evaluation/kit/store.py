"""Clips that are measured once: a journal, the pictures beside it, and the work still to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from rehearse.evaluation.kit.journal import Journal
from rehearse.evaluation.kit.measure import Measured, Task, Tools, measure
from rehearse.evaluation.kit.progress import Progress, Say
from rehearse.evaluation.kit.workers import run_tasks


class Keyed(Protocol):
    """A piece of work with the key that its row is kept under."""

    @property
    def key(self) -> str: ...


AnyTools = TypeVar("AnyTools")
AnyTask = TypeVar("AnyTask", bound=Keyed)


class Store:
    """Measured clips in a folder: ``clips.jsonl`` and ``pictures/KEY.jpg``."""

    def __init__(self, folder: Path) -> None:
        self.journal = Journal(folder / "clips.jsonl")
        self._pictures = folder / "pictures"
        self._pictures.mkdir(exist_ok=True)

    def picture(self, key: str) -> Path:
        """Where a clip's picture lies."""
        return self._pictures / f"{key}.jpg"

    def complete(
        self,
        tasks: Sequence[Task],
        make_tools: Callable[[], Tools],
        processes: int,
        say: Say,
        what: str = "clips",
    ) -> None:
        """Make and measure those of the tasks that are not there yet, each kept as soon as it is done."""
        self.complete_by(measure, tasks, make_tools, processes, say, what)

    def complete_by(
        self,
        work: Callable[[AnyTools, AnyTask], Measured],
        tasks: Sequence[AnyTask],
        make_tools: Callable[[], AnyTools],
        processes: int,
        say: Say,
        what: str = "clips",
    ) -> None:
        """The same for tasks of another kind; ``work`` makes and measures one of them."""
        wanted = list({task.key: task for task in tasks}.values())
        missing = [task for task in wanted if task.key not in self.journal]
        if not missing:
            return
        progress = Progress(say, what, len(wanted), len(wanted) - len(missing))
        for measured in run_tasks(missing, work, make_tools, processes):
            # The picture first: a row says that all of its clip is there.
            self.picture(measured.row["key"]).write_bytes(measured.picture)
            self.journal.append(measured.row)
            progress.tick()
