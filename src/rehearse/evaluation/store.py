"""Clips that are measured once: a journal, the pictures beside it, and the work still to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rehearse.evaluation.journal import Journal
from rehearse.evaluation.measure import Task, Tools, measure
from rehearse.evaluation.progress import Progress, Say
from rehearse.evaluation.workers import run_tasks


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
        wanted = list({task.key: task for task in tasks}.values())
        missing = [task for task in wanted if task.key not in self.journal]
        if not missing:
            return
        progress = Progress(say, what, len(wanted), len(wanted) - len(missing))
        for measured in run_tasks(missing, measure, make_tools, processes):
            # The picture first: a row says that all of its clip is there.
            self.picture(measured.row["key"]).write_bytes(measured.picture)
            self.journal.append(measured.row)
            progress.tick()
