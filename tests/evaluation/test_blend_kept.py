"""What a blend with kept predictions loses: measured at its ends, reported, taken up again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import rehearse as rh
from rehearse.evaluation import blend as mixing
from rehearse.evaluation.blend import MixOptions, measure_mixes, write_mix_report
from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.kit.judging import Bench
from rehearse.models.model import VideoModel
from rehearse.shot import ControlSettings


class SeesTheFirst:
    """A judge that finds everything in the first frame, and nothing in the others."""

    def detect(
        self, frames: NDArray[np.uint8], kind: str, colour: str
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        boxes = np.full((len(frames), 4), np.nan, np.float32)
        boxes[0] = 0.1, 0.1, 0.5, 0.5
        return boxes, np.zeros(len(frames), np.float32)


BENCH = Bench(SeesTheFirst(), "first")  # type: ignore[arg-type]


@pytest.fixture
def options(video_folder: Path, monkeypatch: pytest.MonkeyPatch) -> MixOptions:
    # The toy has few words: its cases are told in them.
    def toy(case: mixing.Case, model: str, control: ControlSettings, steps: int | None) -> rh.Shot:
        prompt = "a red ball over the snow" if "snow" in case.prompt else "a blue star over the meadow"
        made = rh.Shot(prompt, model=model, seed=case.seed, steps=steps, frames=2, width=32, height=32)
        return made.follow(prompt[2:].split(" over")[0], case.subjects[0].path)

    monkeypatch.setattr(mixing.Case, "shot", toy)
    return MixOptions(str(video_folder), cases=2, edits=("path",), weights=(0.0, 0.5, 1.0), at=0, steps=3)


def test_measured_reported_and_taken_up_again(
    options: MixOptions, video_model: VideoModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "work"
    mixes = measure_mixes(options, video_model, BENCH, work, say=lambda line: None)
    assert (mixes.at, mixes.steps, mixes.unblended["path"].value) == (0, 3, 0.5)
    edit, half, original = mixes.mixes
    # Without weight a mix is the edit alone; with all of it the parent, whose predictions are then exact.
    assert edit.moved["computed"].value == edit.moved["kept"].value == 1 and edit.apart.value == 0
    assert original.moved["computed"].value == pytest.approx(0, abs=0.02)
    assert original.moved["kept"].value == pytest.approx(0, abs=0.02)
    assert 0 < half.moved["kept"].value < 1 and half.apart.value > 0
    assert all(mix.found["kept"].value == 0.5 and mix.found_less.value == 0 for mix in mixes.mixes)

    files = write_mix_report(mixes, options, tmp_path / "out", "rehearse evaluate blend", {"model": "x"})
    assert [file.name for file in files] == ["blend-kept.md", "blend-kept.json", "blend-kept.jpg"]
    page, told = files[0].read_text(), json.loads(files[1].read_text())
    assert "| path, 0 | 1.00 [1.00, 1.00] | 1.00 [1.00, 1.00] |" in page
    assert "Neither way loses subjects beyond the interval" in page
    assert [mix["weight"] for mix in told["mixes"]] == [0, 0.5, 1] and told["at"] == 0

    with monkeypatch.context() as patched:
        patched.setattr(rh.Take, "start", lambda *a, **k: pytest.fail("all is done already"))
        assert measure_mixes(options, video_model, BENCH, work, say=lambda line: None) == mixes
    # Another weight joins what is there.
    more = MixOptions(**{**options.__dict__, "weights": (0.5, 0.75)})
    joined = measure_mixes(more, video_model, BENCH, work, say=lambda line: None)
    assert joined.mixes[0] == half and joined.mixes[1].weight == 0.75


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"edits": ("hat",)}, "there is no 'hat'"),
        ({"weights": ()}, "weights: there is none"),
        ({"weights": (float("nan"),)}, "weights: nan is not between 0 and 1"),
        ({"at": 3}, "at is 3; give a step between 0 and 2"),
    ],
)
def test_what_cannot_be_measured_is_named(
    options: MixOptions, video_model: VideoModel, tmp_path: Path, changed: dict[str, object], says: str
) -> None:
    with pytest.raises(EvaluationError, match=says):
        measure_mixes(MixOptions(**{**options.__dict__, **changed}), video_model, BENCH, tmp_path / "work")
    assert not (tmp_path / "work").exists()
