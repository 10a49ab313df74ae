"""Where a run's figures go: JSON lines always, TensorBoard where asked for, and the terminal."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

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
from rehearse.training.target.errors import TrainingError

_LINES = 20


class Metrics:
    """Writes the figures of a run. A context manager around it."""

    def __init__(self, folder: Path, steps: int, first: int, tensorboard: bool) -> None:
        self._path = folder / "metrics.jsonl"
        self._steps, self._every = steps, max(1, (steps - first) // _LINES)
        self._told = first
        self._board = board(folder) if tensorboard else None
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
        self._forget_after(first)

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

    def _write(self, step: int, figures: dict[str, float]) -> None:
        row = {"step": step, **{name: float(f"{value:.6g}") for name, value in figures.items()}}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        if self._board is not None:
            for name, value in figures.items():
                self._board.add_scalar(name, value, step)

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


def refuse_without_tensorboard() -> None:
    """Raise TrainingError where tensorboard is not installed."""
    try:
        import torch.utils.tensorboard  # noqa: F401
    except ImportError:
        raise TrainingError(
            "--tensorboard needs tensorboard, which is not installed; pip install "
            "'rehearse[tensorboard]', or leave it out: metrics.jsonl has every figure"
        ) from None


def board(folder: Path) -> Any:
    """A TensorBoard writer in the run's folder. Raises TrainingError where tensorboard is not installed."""
    refuse_without_tensorboard()
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder / "tensorboard"))
