"""Previews in the terminal."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.color import ColorTriplet
from rich.console import Console

from rehearse.cli.cells import filmstrip
from rehearse.cli.progress import watcher


def colours(text: Any, row: int, column: int) -> tuple[ColorTriplet, ColorTriplet]:
    """Upper and lower colour of one cell."""
    lines = text.split("\n")
    span = next(span for span in lines[row].spans if span.start <= column < span.end)
    return span.style.color.triplet, span.style.bgcolor.triplet


def test_a_cell_shows_two_pixels() -> None:
    frames = np.random.default_rng(0).integers(0, 255, (8, 16, 16, 3), dtype=np.uint8)
    text = filmstrip(frames, 80, 24)
    lines = text.plain.split("\n")
    assert len(lines) == 8
    assert {len(line) for line in lines} == {4 * 16 + 3 * 2}
    assert colours(text, 0, 0) == (tuple(frames[0, 0, 0]), tuple(frames[0, 1, 0]))
    assert colours(text, 3, 18 + 5) == (tuple(frames[2, 6, 5]), tuple(frames[2, 7, 5]))
    assert colours(text, 7, 69) == (tuple(frames[7, 14, 15]), tuple(frames[7, 15, 15]))


@pytest.mark.parametrize(
    ("shape", "columns", "rows"),
    [
        ((24, 40, 72, 3), 80, 24),
        ((24, 40, 72, 3), 50, 10),
        ((1, 16, 16, 3), 80, 24),
        ((4, 3, 5, 3), 40, 8),
        ((2, 128, 128, 3), 200, 20),
    ],
)
def test_the_strip_fits_the_terminal(shape: tuple[int, ...], columns: int, rows: int) -> None:
    lines = filmstrip(np.zeros(shape, dtype=np.uint8), columns, rows).plain.split("\n")
    assert len(lines) <= rows
    assert max(map(len, lines)) <= columns


def console(**settings: Any) -> Console:
    return Console(file=io.StringIO(), width=80, height=30, legacy_windows=False, **settings)


def play(screen: Console, quiet: bool = False) -> str:
    preview = np.full((4, 16, 16, 3), 200, dtype=np.uint8)
    with watcher(screen, "toy", quiet) as watching:
        for step in range(1, 25):
            watching.step(SimpleNamespace(step=step, steps=24, preview=preview))  # type: ignore[arg-type]
    assert watching.pace.step_seconds < watching.pace.total_seconds
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def test_a_terminal_with_colours_gets_previews_and_is_left_clean() -> None:
    shown = play(console(force_terminal=True, color_system="truecolor", _environ={"TERM": "xterm"}))
    assert "▀" in shown
    assert "step 24/24" in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l"), "the cursor is shown again"
    assert shown.rstrip().endswith("\x1b[2K"), "the bar is wiped away"


def test_a_terminal_without_colours_gets_the_bar_alone() -> None:
    shown = play(console(force_terminal=True, color_system=None, _environ={"TERM": "xterm"}))
    assert "▀" not in shown
    assert "step" in shown


def test_a_log_gets_a_few_lines() -> None:
    lines = play(console(force_terminal=False)).splitlines()
    assert lines[0] == "loading toy"
    assert 6 <= len(lines) <= 10
    assert lines[-1].startswith("step 24 of 24, ")
    assert play(console(force_terminal=True), quiet=True) == ""
