"""What is seen while a take runs: a bar with previews, plain lines, or nothing."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from rehearse.cli.cells import filmstrip
from rehearse.cli.interrupt import heed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# A preview needs room for the bar below it; a terminal smaller than this shows the bar alone.
_PREVIEW_COLUMNS = 40
_PREVIEW_ROWS = 14
_LINES = 8


class Pace:
    """Time per step. The first step also pays for loading the model and is not counted once others are."""

    def __init__(self) -> None:
        self.started = self._last = time.monotonic()
        self._steps: list[float] = []

    def mark(self) -> None:
        """One step is done."""
        now = time.monotonic()
        self._steps.append(now - self._last)
        self._last = now

    @property
    def steps(self) -> int:
        """How many are done."""
        return len(self._steps)

    @property
    def step_seconds(self) -> float:
        """Mean seconds a step takes, 0 before the first."""
        counted = self._steps[1:] or self._steps
        return sum(counted) / len(counted) if counted else 0.0

    @property
    def total_seconds(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.started


class Step(Protocol):
    """A denoising step of a clip or of a picture: how many are done, of how many, and how it looks."""

    step: int
    steps: int

    @property
    def preview(self) -> NDArray[np.uint8]: ...


class Watcher(Protocol):
    """Follows a take or a picture; a context manager around the run."""

    pace: Pace

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def step(self, event: Step) -> None:
        """One denoising step was taken."""
        ...


def watcher(console: Console, name: str, quiet: bool) -> Watcher:
    """What suits the terminal: previews where it has colours and room, lines where it is no terminal."""
    if quiet:
        return _Silence()
    return (
        _Screen(console, name)
        if console.is_terminal and not console.is_dumb_terminal
        else _Lines(console, name)
    )


class _Silence:
    def __init__(self) -> None:
        self.pace = Pace()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def step(self, event: Step) -> None:
        heed()
        self.pace.mark()


class _Lines(_Silence):
    """A line at the start and about eight on the way: for logs."""

    def __init__(self, console: Console, name: str) -> None:
        super().__init__()
        self._console = console
        self._name = name

    def __enter__(self) -> Self:
        self._tell(f"loading {self._name}")
        return self

    def step(self, event: Step) -> None:
        super().step(event)
        every = -(-event.steps // _LINES)
        if event.step % every == 0 or event.step == event.steps:
            self._tell(f"step {event.step} of {event.steps}, {self.pace.step_seconds:.2f} s a step")

    def _tell(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class _Screen(_Silence):
    """A bar that stays in place, with the clip as it forms above it. Both vanish at the end."""

    def __init__(self, console: Console, name: str) -> None:
        super().__init__()
        self._previews = (
            console.color_system in ("truecolor", "256")
            and console.width >= _PREVIEW_COLUMNS
            and console.height >= _PREVIEW_ROWS
        )
        self._console = console
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[note]}", markup=False),
            console=console,
            expand=True,
        )
        self._task = self._bar.add_task(f"loading {name}", total=None, note="")
        self._live = Live(self._bar, console=console, refresh_per_second=6, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def step(self, event: Step) -> None:
        super().step(event)
        pace, left = self.pace.step_seconds, event.steps - event.step
        note = f"{pace:.2f} s a step, {left * pace:.0f} s left" if left else "decoding"
        self._bar.update(
            self._task,
            description=f"step {event.step}/{event.steps}",
            completed=event.step,
            total=event.steps,
            note=note,
        )
        if self._previews:
            strip = filmstrip(event.preview, self._console.width, self._console.height - 3)
            self._live.update(Group(strip, self._bar))
