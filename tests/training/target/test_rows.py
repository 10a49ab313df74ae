"""Every bad row is told with its number, field, value and remedy, all at once and before any work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from toy_cogvideox import SIZE, save_base, save_rows

from rehearse.cli import run
from rehearse.media import write_clip
from rehearse.training.target.clips import Shape, fitted_frames, fitted_mask
from rehearse.training.target.errors import TrainingError
from rehearse.training.target.run import Data, validate
from rehearse.training.target.samples import draws


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_base(tmp_path_factory.mktemp("base") / "toy")


def picture(path: Path, values: Any, size: int = SIZE) -> str:
    Image.fromarray(np.full((size, size), 0, np.uint8) + np.asarray(values, np.uint8)).save(path)
    return path.name


def clip(path: Path, frames: int, fps: float = 8) -> str:
    write_clip(path, np.full((frames, SIZE, SIZE, 3), 90, np.uint8), fps)
    return path.name


def problems_of(folder: Path, base: Path | None, **changes: Any) -> list[str]:
    data = save_rows(folder, count=3)
    lines = data.read_text().splitlines()
    row = {key: value for key, value in {**json.loads(lines[1]), **changes}.items() if value is not None}
    data.write_text("\n".join([lines[0], json.dumps(row), lines[2]]) + "\n")
    return [str(problem) for problem in validate(Data(data), "target", base and str(base))[1]]


def test_good_rows_are_good(tmp_path: Path, base: Path) -> None:
    assert problems_of(tmp_path, base) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"video": "no.mp4"}, 'row 2: video is "no.mp4": there is no such file'),
        ({"video": "data.jsonl"}, 'row 2: video is "data.jsonl": it cannot be read'),
        ({"video": None}, "row 2: video is None: it is missing; add it"),
        ({"mask": None}, "row 2: mask is None: it is missing; target training needs it"),
        ({"mask": "no.png"}, 'row 2: mask is "no.png": there is no such file'),
        ({"mask": "0.mp4"}, 'row 2: mask is "0.mp4": it cannot be read as a picture'),
        ({"target": "green cup"}, 'row 2: target is "green cup": these words are not in the prompt'),
        ({"caption": "the red ball and a red ball"}, 'target is "red ball": the caption has it 2 times'),
        ({"caption": "a target and the red ball"}, "must stand just before it"),
        ({"caption": 7}, "row 2: caption is 7: it must be text"),
        ({"captoin": "x"}, 'row 2: captoin is "x": there is no such field; did you mean "caption"?'),
        ({"actor": "crane"}, 'row 2: actor is "crane": it has no actor_mask'),
        ({"caption": "a a a a a a a a a a a red ball"}, "cut off before it, at 12 tokens"),
    ],
)  # fmt: skip
def test_what_a_row_may_lack(tmp_path: Path, base: Path, changes: dict[str, Any], told: str) -> None:
    found = problems_of(tmp_path, base, **changes)
    assert len([problem for problem in found if told in problem]) == 1, found


def test_masks_and_clips_that_do_not_do(tmp_path: Path, base: Path) -> None:
    empty, full = picture(tmp_path / "e.png", 0), picture(tmp_path / "f.png", 255)
    small = picture(tmp_path / "s.png", 255, 16)
    short, fast = clip(tmp_path / "short.mp4", 3), clip(tmp_path / "fast.mp4", 6, 24)
    for changes, told in (
        ({"mask": empty}, 'mask is "e.png": it is empty; mark the thing'),
        ({"mask": full}, 'mask is "f.png": it marks the whole frame'),
        ({"mask": small}, 'mask is "s.png": it is 16x16 and the clip 64x64'),
        ({"actor_mask": empty}, 'actor_mask is "e.png": it is empty'),
        ({"video": short}, 'video is "short.mp4": it has 3 frames and 5 are needed'),
        ({"video": fast}, "it runs at 24 frames a second and most others at 8; bring all to one rate"),
    ):
        found = problems_of(tmp_path, base, **changes)
        assert len(found) == 1, found
        assert found[0].startswith("row 2: ")
        assert told in found[0]


def test_a_mask_that_the_cut_loses_is_told(tmp_path: Path, base: Path) -> None:
    wide = np.zeros((SIZE, 3 * SIZE), np.uint8)
    wide[:, :10] = 255
    Image.fromarray(wide).save(tmp_path / "wide.png")
    write_clip(tmp_path / "wide.mp4", np.full((6, SIZE, 3 * SIZE, 3), 90, np.uint8), 8)
    found = problems_of(tmp_path, base, video="wide.mp4", mask="wide.png")
    assert len(found) == 1
    assert "lies outside of the 64x64 cut from the middle" in found[0]


def test_lines_that_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"video": \n[1]\n')
    found = [str(problem) for problem in validate(Data(path), "lora", None)[1]]
    assert found[0].startswith("row 1: it is no JSON")
    assert found[1].startswith("row 2: it must be a JSON object")
    path.write_text("\n")
    with pytest.raises(TrainingError, match="holds no rows"):
        validate(Data(path), "lora", None)
    with pytest.raises(TrainingError, match="no such file"):
        validate(Data(tmp_path / "none.jsonl"), "lora", None)


def test_the_command_tells_every_row_and_fails(
    tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = save_rows(tmp_path)
    (tmp_path / "0.mp4").unlink()
    (tmp_path / "2.png").unlink()
    assert run(["train", "target", str(data), "--base", str(base), "--validate"]) == 2
    told = capsys.readouterr()
    assert [line[:5] for line in told.out.splitlines()] == ["row 1", "row 3"]
    assert "2 things are to be mended" in told.err
    save_rows(tmp_path)
    assert run(["train", "target", str(data), "--base", str(base), "--validate"]) == 0


@given(st.integers(8, 90), st.integers(8, 90), st.integers(1, 4), st.integers(1, 4), st.data())
def test_a_mask_is_cut_as_its_frame_is(height: int, width: int, h: int, w: int, data: st.DataObject) -> None:
    shape = Shape(1, 16 * w, 16 * h)
    top, left = data.draw(st.integers(0, height - 4)), data.draw(st.integers(0, width - 4))
    mask = np.zeros((height, width), np.float32)
    mask[top : top + 4, left : left + 4] = 1
    frame = np.repeat((mask * 255).astype(np.uint8)[..., None], 3, axis=2)[None]
    cut, shown = fitted_mask(mask, shape), fitted_frames(frame, shape)[0, ..., 0] / 255
    assert cut.shape == shown.shape == (16 * h, 16 * w)
    scale = max(16 * w / width, 16 * h / height)
    if cut.sum() > 0.95 * 16 * scale**2:  # all of it is in the picture
        for axis, grid in enumerate(np.indices(cut.shape)):
            centres = [float((grid * seen).sum() / seen.sum()) for seen in (cut, shown)]
            assert abs(centres[0] - centres[1]) < 1.0, axis


@given(st.integers(1, 30), st.integers(1, 8), st.integers(0, 2**31), st.integers(0, 500))
def test_every_row_comes_once_before_any_comes_again(rows: int, batch: int, seed: int, step: int) -> None:
    order = [draw.row for at in range(rows) for draw in draws(rows, batch, seed, at)]
    for start in range(0, len(order) - rows + 1, rows):
        assert sorted(order[start : start + rows]) == list(range(rows))
    assert draws(rows, batch, seed, step) == draws(rows, batch, seed, step)
    assert len({draw.seed for draw in draws(rows, batch, seed, step)}) == batch
