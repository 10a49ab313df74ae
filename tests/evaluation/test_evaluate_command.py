"""``rehearse evaluate``: help that teaches, bad input refused in one sentence before any work."""

from __future__ import annotations

from pathlib import Path

import pytest

from rehearse.cli import run
from rehearse.cli.evaluate.options import steps_list
from rehearse.cli.evaluate.work_folder import alone_in
from rehearse.cli.failures import BadWord


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("trajectory", "mask+mn-a"),
        ("theatre", "judge"),
        ("shift", "before and after"),
        ("target", "target:0.1"),
        ("blend", "predictions"),
    ],
)
def test_help_teaches(command, says, capsys):
    assert run(["evaluate", command, "--help"]) == 0
    out = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert says in out and "docs/results" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--arms", "mask+nm-a"], "'nm-a' is no method"),
        (["--frozen", "0.33,1.5"], "--frozen: 1.5"),
        (["--frozen", "many"], "--frozen"),
        (["--cases", "10", "--sweep-cases", "20"], "sweep cases: 20"),
        (["--model", "no-such-model"], "no-such-model"),
    ],
)
def test_bad_input_is_one_sentence(arguments, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["evaluate", "trajectory", *arguments]) in (1, 2)
    told = capsys.readouterr().err
    assert says in told and "Traceback" not in told and told.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--weights", "half"], "--weights: 'half' is no list of numbers"),
        (["--weights", "1.5"], "weights: 1.5 is not between 0 and 1"),
        (["--edits", "hat"], "there is no 'hat'"),
        (["--at", "24", "--steps", "12"], "at is 24; give a step between 0 and 11"),
    ],
)
def test_a_blend_that_cannot_be_measured_is_one_sentence(arguments, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["evaluate", "blend", *arguments]) in (1, 2)
    told = capsys.readouterr().err
    assert says in told and "Traceback" not in told and told.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_numbers_of_steps():
    assert steps_list("0.33,4, 10%") == (0.33, 4, 0.1)
    with pytest.raises(BadWord):
        steps_list("0")


def test_two_evaluations_do_not_share_a_folder(tmp_path: Path) -> None:
    work = tmp_path / "runs" / "fork"
    with alone_in(work), pytest.raises(BadWord, match="another evaluation works in it now"), alone_in(work):
        pass
    assert list(tmp_path.iterdir()) == []
    with alone_in(work), alone_in(tmp_path / "another"):
        (work / "clips.jsonl").touch()
    assert [path.name for path in work.iterdir()] == ["clips.jsonl"]
    (tmp_path / "file").write_text("")
    with pytest.raises(BadWord, match="it cannot be written to"), alone_in(tmp_path / "file"):
        pass
