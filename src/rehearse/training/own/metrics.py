"""Where a run's figures go: JSON lines always, TensorBoard where asked for, and the terminal."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from rehearse.media import replacing
from rehearse.training.own.board import Board
from rehearse.training.own.checkpoint import keeping_checkpoints

_LINES = 20
HELD_OUT = "held_out_"
"""What the names of figures of rows that are not trained on begin with."""


class Metrics:
    """Writes the figures of a run. A context manager around it.

    first: the step that it goes on from. Raises TrainingError where they cannot be written.
    """

    def __init__(self, folder: Path, steps: int, first: int, tensorboard: bool) -> None:
        self._folder, self._path = folder, folder / "metrics.jsonl"
        self._steps, self._every = steps, max(1, (steps - first) // _LINES)
        self._told = first
        self._console = Console(stderr=True)
        self._bar = self._console.is_terminal and not self._console.is_dumb_terminal
        self._progress = Progress(
            TextColumn("step"),
            MofNCompleteColumn(),
            BarColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=self._console,
            transient=True,
            disable=not self._bar,
        )
        self._task = self._progress.add_task("", total=steps, completed=first, note="")
        with keeping_checkpoints(folder, self._path.name):
            self._forget_after(first)
        self._board = Board(folder, first) if tensorboard else None

    def _forget_after(self, step: int) -> None:
        """Lines of steps that a resumed run does again."""
        if not self._path.exists():
            return
        text = self._path.read_text(encoding="utf-8", errors="replace")
        kept = "".join(f"{line}\n" for line in text.splitlines() if _step_of(line) <= step)
        if kept != text:
            with replacing(self._path) as part:
                part.write_text(kept, encoding="utf-8")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
        if self._board is not None:
            self._board.close()

    def advance(self, step: int) -> None:
        """A step is done."""
        self._progress.update(self._task, completed=step)

    def log(self, step: int, figures: dict[str, float], seconds_left: float) -> None:
        """Figures since the last call, as means."""
        self._write(step, figures)
        note = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
        self._progress.update(self._task, note=note)
        if not self._bar and (step - self._told >= self._every or step == self._steps):
            self.say(f"step {step} of {self._steps}: {note}, {_duration(seconds_left)} left")
            self._told = step

    def judged(self, step: int, figures: dict[str, float]) -> None:
        """Figures of rows that are not trained on, on a line of their own."""
        self._write(step, figures)
        told = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
        self.say(f"step {step} of {self._steps}: {told}")

    def has_judged(self, step: int) -> bool:
        """Whether figures of rows that are not trained on are there for a step."""
        if not self._path.exists():
            return False
        lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines()
        return any(_step_of(line) == step and HELD_OUT in line for line in lines)

    def _write(self, step: int, figures: dict[str, float]) -> None:
        row = {"step": step, **{name: float(f"{value:.6g}") for name, value in figures.items()}}
        with (
            keeping_checkpoints(self._folder, self._path.name),
            self._path.open("a", encoding="utf-8") as file,
        ):
            file.write(json.dumps(row) + "\n")
        if self._board is not None:
            self._board.add(step, figures)

    def say(self, line: str) -> None:
        """A line above the bar."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def _step_of(line: str) -> float:
    """The step of a line; infinite for one that was cut off."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")


def say(line: str) -> None:
    """A line where no run is under way yet."""
    print(line, file=sys.stderr)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
