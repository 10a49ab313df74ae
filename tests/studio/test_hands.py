"""A worker that cannot be started or talks nonsense is given up, told, and brought up again."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from studio_process import until

from rehearse.studio.engines import crew
from rehearse.studio.engines.crew import Crew, Hand
from rehearse.studio.engines.engine import Listener
from rehearse.studio.engines.local import LocalEngine
from rehearse.takes.store.recording import Claim

CLAIM = Claim("take", "run", "project")
READY = '{"say": "ready"}'
Deaths = list[tuple[Claim | None, str]]
Start = Callable[..., Crew]
Popen = subprocess.Popen


@pytest.fixture
def deaths() -> Deaths:
    return []


@pytest.fixture
def start(tmp_path: Path, deaths: Deaths, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts an engine; of a worker's death it tells ``deaths``."""
    monkeypatch.setattr(crew, "_AGAIN_SECONDS", (0.0, 0.3))
    started = []

    def begin(engine: Crew) -> Crew:
        started.append(engine)
        engine.start(tmp_path, Listener(lambda: None, lambda: None, lambda *death: deaths.append(death)))
        return engine

    yield begin
    for engine in started:
        engine.close(0)


def worker(*lines: str, more: str = "import sys; sys.stdin.read()") -> list[str]:
    """A program that says these lines as they are, and then waits until its input ends."""
    said = "".join(lines)
    return [sys.executable, "-c", f"print({said!r}, end='', flush=True); {more}"]


def play(monkeypatch: pytest.MonkeyPatch, *programs: list[str] | OSError) -> None:
    """Each start of a worker is one of these, the last for ever."""
    left = list(programs)

    def popen(command: list[str], **more: Any) -> subprocess.Popen[str]:
        found = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(found, OSError):
            raise found
        return Popen(found, **more)

    monkeypatch.setattr(subprocess, "Popen", popen)


def test_a_worker_that_cannot_be_started_is_tried_again(
    start: Start, deaths: Deaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(monkeypatch, OSError(errno.ENOMEM, "Cannot allocate memory"), worker(READY + "\n"))
    engine = start(LocalEngine([]))
    until(lambda: bool(deaths), 30, "it is told")
    assert engine.state == "down"
    assert engine.trouble == deaths[0][1]
    assert "the worker cannot be started (cannot allocate memory)" in deaths[0][1]
    until(lambda: engine.state == "idle", 30, "another is up")
    assert engine.trouble is None


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("}{ nonsense\n", "cannot be understood"),
        ("[1]\n", "cannot be understood"),
        ('{"say": "described"}\n', "KeyError"),
    ],
)
def test_a_worker_that_talks_nonsense_is_ended_and_its_take_told(
    start: Start, deaths: Deaths, monkeypatch: pytest.MonkeyPatch, line: str, sentence: str
) -> None:
    asked = "import sys; next(line for line in sys.stdin if 'play' in line)"
    garbles = f"{asked}; print({line!r}, end='', flush=True); sys.stdin.read()"
    play(monkeypatch, worker(READY + "\n", more=garbles), worker(READY + "\n"))
    engine = start(LocalEngine([]))
    until(lambda: engine.ready(), 30, "it is up")
    engine.play(CLAIM)
    until(lambda: bool(deaths), 30, "it is told")
    assert deaths[0][0] == CLAIM
    assert sentence in deaths[0][1]
    until(lambda: engine.state == "idle", 30, "another is up")
    assert engine.runs() == set()


def test_a_word_cut_by_death_is_no_nonsense(
    start: Start, deaths: Deaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(monkeypatch, worker(READY + '\n{"say": "ne', more="import os; os.kill(os.getpid(), 9)"), worker())
    start(LocalEngine([]))
    until(lambda: bool(deaths), 30, "it is told")
    assert deaths[0][1].startswith("the worker was killed (SIGKILL)")


class _Broken(Hand):
    """Fails in a way that nobody thought of, once, under a claim."""

    def __init__(self) -> None:
        super().__init__("broken")
        self.lives = 0

    def live(self) -> str:
        self.lives += 1
        if self.lives == 1:
            self.claim = CLAIM
            raise RuntimeError("cannot start new thread")
        self.hear({"say": "ready"})
        until(lambda: self._crew is not None and self._crew.closing, 30, "the crew closes")
        return ""

    def send(self, order: dict[str, Any]) -> None:
        pass

    def end(self) -> None:
        pass


def test_what_nobody_thought_of_ends_no_hand(start: Start, deaths: Deaths) -> None:
    engine = start(Crew([], [_Broken()]))
    until(lambda: bool(deaths), 30, "it is told")
    assert deaths == [(CLAIM, "the worker was lost (RuntimeError: cannot start new thread)")]
    assert engine.trouble == deaths[0][1]
    until(lambda: engine.state == "idle", 30, "it is up again")
    assert (engine.runs(), engine.trouble) == (set(), None)


def test_only_workers_that_get_nothing_done_are_waited_for(
    start: Start, deaths: Deaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    falls: list[int] = []

    class Pauses(tuple[float, ...]):
        def __getitem__(self, fall: Any) -> Any:
            falls.append(fall)
            return super().__getitem__(fall)

    monkeypatch.setattr(crew, "_AGAIN_SECONDS", Pauses((0.0, 0.01)))
    dies = "import os; os.kill(os.getpid(), 9)"
    useful, useless = worker(READY + '\n{"say": "news"}\n', more=dies), worker(READY + "\n", more=dies)
    play(monkeypatch, useful, useful, useless, useful, worker(READY + "\n"))
    start(LocalEngine([]))
    until(lambda: len(falls) == 5, 30, "the fifth is begun")
    assert falls == [0, 0, 0, 1, 0] and len(deaths) == 4
