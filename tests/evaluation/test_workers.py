"""Work over processes, the journal, and telling how long it takes."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.kit.journal import Journal
from rehearse.evaluation.kit.progress import Progress, spoken_time
from rehearse.evaluation.kit.workers import run_tasks


def make_offset() -> int:
    return 100


def meet(offset: int, task: tuple[Path, int]) -> int:
    """Wait for the other task to be at work too: two tasks in turn would never meet."""
    room, name = task
    (room / str(name)).touch()
    until = time.monotonic() + 60
    while len(list(room.iterdir())) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    return len(list(room.iterdir()))


def add(offset: int, task: int) -> tuple[int, int, int]:
    import torch

    if task == 7:
        raise ValueError("seven")
    return task, offset + task, os.getpid() if torch.get_num_threads() == 1 else 0


def test_processes_give_the_same_results_with_one_thread_each():
    several = sorted(run_tasks(range(6), add, make_offset, processes=2))
    here = list(run_tasks(range(6), add, make_offset))
    assert [row[:2] for row in several] == [row[:2] for row in here] == [(k, 100 + k) for k in range(6)]
    assert all(pid not in (0, os.getpid()) for _, _, pid in several)
    with pytest.raises(ValueError, match="seven"):
        list(run_tasks([7], add, make_offset, processes=2))


def test_two_processes_work_at_the_same_time(tmp_path):
    assert list(run_tasks([(tmp_path, 0), (tmp_path, 1)], meet, make_offset, processes=2)) == [2, 2]


def test_no_tasks_need_no_tools_and_no_processes_are_refused():
    assert list(run_tasks([], add, pytest.fail)) == []
    with pytest.raises(EvaluationError, match="processes: 0"):
        list(run_tasks([1], add, make_offset, processes=0))


def test_journal_survives_a_torn_line_and_a_spoilt_one(tmp_path):
    path = tmp_path / "deep" / "rows.jsonl"
    journal = Journal(path)
    for k in range(3):
        journal.append({"key": f"k{k}", "value": k})
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"nonsense\n" + lines[1] + lines[2][:-5])
    again = Journal(path)
    assert list(again) == ["k0", "k1"]
    again.append({"key": "k2", "value": 2})
    last = Journal(path)
    assert set(last) == {"k0", "k1", "k2"} and last["k2"]["value"] == 2 and "k9" not in last
    assert all(json.loads(line) for line in path.read_text().splitlines() if line != "nonsense")


def test_journal_refuses_what_json_cannot_hold(tmp_path):
    with pytest.raises(ValueError):
        Journal(tmp_path / "rows").append({"key": "a", "value": float("nan")})


def test_progress_tells_the_time_that_is_left(monkeypatch):
    now, said = [0.0], []
    monkeypatch.setattr("rehearse.evaluation.kit.progress.time.monotonic", lambda: now[0])
    progress = Progress(said.append, "clips", total=110, done=10)
    for _ in range(3):
        now[0] += 10
        progress.tick()
    assert said == [
        "clips: 10 of 110 are there already",
        "clips: 12 of 110, 10.0 s each, done in about 16 min",
    ]
    assert [spoken_time(s) for s in (3, 600, 12000)] == ["3 s", "10 min", "3 h 20 min"]
