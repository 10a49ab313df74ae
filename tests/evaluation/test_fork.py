"""How far an edit reaches: exact at both ends, falling in between, reported and resumed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import rehearse as rh
from rehearse.evaluation import fork as reach
from rehearse.evaluation.fork import (
    EDITS,
    ReachOptions,
    distance,
    measure_reach,
    reach_of,
    write_reach_report,
)
from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.trajectory.cases import trajectory_cases
from rehearse.models.model import VideoModel
from rehearse.shot import ControlSettings

STEPS = 4


@pytest.fixture
def shot(video_folder: Path) -> rh.Shot:
    shot = rh.Shot("a red ball over the meadow", model=str(video_folder), seed=3, steps=STEPS, frames=3)
    return shot.with_(width=48, height=40)


def test_at_its_ends_it_is_all_and_nothing(shot: rh.Shot, video_model: VideoModel) -> None:
    parent = rh.Take.start(shot, video_model).finish()
    found = reach_of(parent, shot.with_prompt("a blue car over the snow"), range(STEPS + 1))
    assert [one.step for one in found] == [0, 1, 2, 3, 4] and all(one.exact for one in found)
    assert (found[0].moved, found[0].missed) == (1, 0) and (found[-1].moved, found[-1].missed) == (0, 1)
    assert all(one.moved > 0 and one.missed > 0 for one in found[1:-1])
    with pytest.raises(EvaluationError, match="changes nothing"):
        reach_of(parent, shot, [1])


def test_distance_is_in_grey_levels() -> None:
    black, grey = np.zeros((2, 3, 4, 3), np.uint8), np.full((2, 3, 4, 3), 7, np.uint8)
    assert distance(black, grey) == 7 and distance(grey, black) == 7 and distance(grey, grey) == 0


@pytest.mark.parametrize("edit", sorted(EDITS))
def test_each_edit_changes_what_it_says_of_every_case(edit: str) -> None:
    for case in trajectory_cases(40, seed=1):
        changed = EDITS[edit](case)
        before, after = (one.shot("theatre-video", ControlSettings()) for one in (case, changed))
        assert before != after and before.seed == after.seed
        assert (before.prompt == after.prompt) == (edit == "path")
        words = [set(one.prompt.split()) for one in (before, after)]
        assert len(words[1] - words[0]) <= 3


def test_measured_reported_and_taken_up_again(
    video_model: VideoModel, video_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The toy has few words: its cases are told in them.
    def toy(case: reach.Case, model: str, control: ControlSettings, steps: int | None) -> rh.Shot:
        prompt = "a red ball over the snow" if "snow" in case.prompt else "a blue star over the meadow"
        made = rh.Shot(prompt, model=model, seed=case.seed, steps=steps, frames=2, width=32, height=32)
        return made.follow(prompt[2:].split(" over")[0], case.subjects[0].path)

    monkeypatch.setattr(reach.Case, "shot", toy)
    options = ReachOptions(str(video_folder), cases=2, edits=("path",), steps=3, every=2)
    curves = measure_reach(options, video_model, tmp_path / "work", say=lambda line: None)
    assert [curve.edit for curve in curves] == ["path"] and curves[0].steps == (0, 2, 3)
    assert curves[0].moved[0].value == 1 and curves[0].moved[-1].value == 0
    monkeypatch.setattr(rh.Take, "start", lambda *a, **k: pytest.fail("all is done already"))
    again = measure_reach(options, video_model, tmp_path / "work", say=lambda line: None)
    assert again == curves
    files = write_reach_report(curves, options, tmp_path / "out", "rehearse evaluate fork", {})
    assert [file.name for file in files] == ["fork.md", "fork.json", "fork.svg"]
    numbers = json.loads(files[1].read_text())["curves"]["path"]
    assert [row["step"] for row in numbers] == [0, 2, 3] and numbers[0]["moved"]["value"] == 1
    page = files[0].read_text()
    assert "| 0 of 3 | 1.00 [1.00, 1.00] | 0.00 [0.00, 0.00] |" in page
    assert files[2].read_text().startswith("<svg")


def test_unknown_edits_are_named(video_model: VideoModel, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="there is no 'hat'; there are path, place, colour"):
        measure_reach(ReachOptions(edits=("hat",)), video_model, tmp_path)
    with pytest.raises(EvaluationError, match="every is 0"):
        measure_reach(ReachOptions(every=0), video_model, tmp_path)
