"""Every bad row is told with its number, field, value and remedy, all at once and before any work."""

from __future__ import annotations

import json
import re
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from toy_cogvideox import SIZE, save_base, save_rows
from toy_models import save_toy_motion_model

from rehearse.cli import run
from rehearse.media import read_clip, write_clip
from rehearse.models import ModelError
from rehearse.training.own.clips import Shape, fitted_frames, fitted_mask, read_mask
from rehearse.training.own.errors import TrainingError
from rehearse.training.own.run import Data, validate
from rehearse.training.own.samples import draws
from rehearse.training.own.settings import ColumnRecipe, LoraRecipe, Recipe


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
        ({"mask": "0.mp4"}, 'row 2: mask is "0.mp4": this is not a readable picture'),
        ({"target": "green cup"}, 'row 2: target is "green cup": these words are not in the prompt'),
        ({"caption": "the red ball and a red ball"}, 'target is "red ball": the caption has it 2 times'),
        ({"caption": "a target and the red ball"}, "must stand just before it"),
        ({"caption": 7}, "row 2: caption is 7: it must be text"),
        ({"captoin": "x"}, 'row 2: captoin is "x": there is no such field; did you mean "caption"?'),
        ({"actor": "crane"}, 'row 2: actor is "crane": it has no actor_mask'),
        ({"caption": "a a a a a a a a a a a red ball"}, "cut off before it, at 12 tokens"),
        ({"video": "."}, 'row 2: video is ".": it is a folder; name a file in it'),
        ({"mask": "../"}, 'row 2: mask is "../": it is a folder; name a file in it'),
        ({"video": "a\0b.mp4"}, "it cannot be opened (embedded null byte)"),
        ({"mask": "a\0b.png"}, "it cannot be opened (embedded null byte)"),
        ({"video": f"{'v' * 300}.mp4"}, "it cannot be opened (file name too long)"),
        ({"mask": f"{'m' * 300}.png"}, "it cannot be opened (file name too long)"),
        ({"actor": "ball", "actor_mask": "0.png"}, 'row 2: actor is "ball": it shares words with the target'),
        ({"target": "ball", "actor": "red ball", "actor_mask": "0.png"}, 'actor is "red ball": it shares'),
        ({"actor": "bird", "actor_mask": "0.png"}, 'not in the prompt "a crane touches the red ball"'),
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


def test_masks_that_look_right_and_are_not(tmp_path: Path, base: Path) -> None:
    thing = np.zeros((SIZE, SIZE), np.uint8)
    thing[16:40, 8:30] = 1
    Image.fromarray(thing).save(tmp_path / "labels.png")
    colours = np.where(thing[..., None] > 0, np.uint8([200, 90, 90]), np.uint8([70, 110, 190]))
    Image.fromarray(colours).save(tmp_path / "colours.png")
    Image.fromarray(thing.astype(np.int32) * 70_000).save(tmp_path / "deep.tiff")
    (tmp_path / "torn.png").write_bytes((tmp_path / "colours.png").read_bytes()[:60])
    bomb = bytearray((tmp_path / "labels.png").read_bytes())
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2
    bomb[29:33] = zlib.crc32(bytes(bomb[12:29])).to_bytes(4, "big")
    (tmp_path / "bomb.png").write_bytes(bytes(bomb))
    for name, told in (
        (picture(tmp_path / "grey.png", 128), "it marks the whole frame"),
        ("labels.png", "it is nearly black: its lightest place has 1 of 255; mark the thing in white (255)"),
        ("deep.tiff", "its mode I does not say what is white"),
        ("colours.png", "it is coloured and has no black ground, which does not say what is marked"),
        ("torn.png", "the picture is damaged"),
        ("bomb.png", "the picture has more than 40 megapixels"),
    ):
        found = problems_of(tmp_path, base, mask=name)
        assert len(found) == 1, found
        assert f'row 2: mask is "{name}": {told}' in found[0]


def test_every_kind_of_white_on_black_is_the_same_mask(tmp_path: Path, base: Path) -> None:
    thing = np.zeros((SIZE, SIZE), np.uint8)
    thing[16:40, 8:30] = 255
    eight = Image.fromarray(thing)
    dark_red = Image.fromarray(thing // 255).convert("P")
    dark_red.putpalette([0, 0, 0, 128, 0, 0] + [0] * 750)
    grain = Image.fromarray(np.random.default_rng(0).integers(0, 256, thing.shape, dtype=np.uint8))
    for name, made in (
        ("l.png", eight),
        ("rgb.png", eight.convert("RGB")),
        ("rgba.png", eight.convert("RGBA")),
        ("one.png", eight.convert("1")),
        ("p.png", eight.convert("P")),
        ("red.png", Image.merge("RGB", (eight, Image.new("L", eight.size), Image.new("L", eight.size)))),
        ("labels.png", dark_red),
        ("clear.png", Image.merge("RGBA", (eight, eight, eight, eight))),
        ("cut out.png", Image.merge("RGBA", (grain, grain, grain, eight))),
        ("sixteen.png", Image.fromarray(thing.astype(np.uint16) * 257)),
    ):
        made.save(tmp_path / name)
        assert np.array_equal(read_mask(tmp_path / name).values, thing / 255), name
        assert problems_of(tmp_path, base, mask=name) == []
    half = Image.fromarray(np.where(thing > 0, np.uint16(32768), np.uint16(3)))
    half.save(tmp_path / "half.png")
    assert sorted(np.unique(read_mask(tmp_path / "half.png").values).round(2)) == [0.0, 0.5]


def test_a_clip_that_was_filmed_on_its_side_is_read_upright(tmp_path: Path) -> None:
    frames = np.zeros((3, 32, 64, 3), np.uint8)
    frames[:, :16, :32] = 255
    write_clip(tmp_path / "flat.mp4", frames, 8)
    content = (tmp_path / "flat.mp4").read_bytes()
    matrix = content.index(b"tkhd") + 4 + 4 + 20 + 8 + 8
    one = (1 << 16).to_bytes(4, "big")
    assert content[matrix : matrix + 4] == one
    # A quarter turn clockwise, as phones write it.
    none, minus = bytes(4), (-(1 << 16)).to_bytes(4, "big", signed=True)
    turned = none + one + none + minus + none * 2
    (tmp_path / "turned.mp4").write_bytes(content[:matrix] + turned + content[matrix + 24 :])
    flat, upright = (read_clip(tmp_path / f"{name}.mp4", 2).frames for name in ("flat", "turned"))
    assert np.array_equal(upright, np.rot90(flat, -1, axes=(1, 2)))


def test_a_mask_that_the_cut_loses_is_told(tmp_path: Path, base: Path) -> None:
    wide = np.zeros((SIZE, 3 * SIZE), np.uint8)
    wide[:, :10] = 255
    Image.fromarray(wide).save(tmp_path / "wide.png")
    write_clip(tmp_path / "wide.mp4", np.full((6, SIZE, 3 * SIZE, 3), 90, np.uint8), 8)
    found = problems_of(tmp_path, base, video="wide.mp4", mask="wide.png")
    assert len(found) == 1
    assert "lies outside of the 64x64 cut from the middle" in found[0]
    # Without a base nobody knows the cut.
    assert problems_of(tmp_path, None, video="wide.mp4", mask="wide.png") == []


def test_a_mask_that_marks_nearly_all_is_told(tmp_path: Path, base: Path) -> None:
    """White with a black line at its edge, and not quite white."""
    nearly = np.full((SIZE, SIZE), 252, np.uint8)
    nearly[0] = 0
    Image.fromarray(nearly).save(tmp_path / "nearly.png")
    most = np.zeros((SIZE, SIZE), np.uint8)
    most[4:] = 255  # 93.75 %
    Image.fromarray(most).save(tmp_path / "most.png")
    for row in ({"mask": "nearly.png"}, {"actor": "crane", "actor_mask": "nearly.png"}):
        told = 'mask is "nearly.png": it marks 98.4 % of the frame; mark only the thing that is meant'
        found = problems_of(tmp_path, base, **row)
        assert sum(told in problem for problem in found) == 1, found
    assert problems_of(tmp_path, base, mask="most.png") == []
    wide = np.zeros((SIZE, 3 * SIZE), np.uint8)
    wide[:, SIZE : 2 * SIZE] = 255
    Image.fromarray(wide).save(tmp_path / "wide.png")
    write_clip(tmp_path / "wide.mp4", np.full((6, SIZE, 3 * SIZE, 3), 90, np.uint8), 8)
    (found,) = problems_of(tmp_path, base, video="wide.mp4", mask="wide.png")
    assert "it marks 100.0 % of the 64x64 cut from the middle; cut the clip yourself" in found


def test_rows_that_are_held_out_are_checked_too(
    tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, others = save_rows(tmp_path / "data"), save_rows(tmp_path / "others", 2)
    command = ["train", "target", str(data), "--validation", str(others), "--validate"]
    for more in ([], ["--base", str(base)]):
        assert run([*command, *more]) == 0
        assert capsys.readouterr().out.startswith("5 rows are good")
    (tmp_path / "others" / "1.png").unlink()
    for more in ([], ["--base", str(base)]):
        assert run([*command, *more]) == 2
        told = capsys.readouterr()
        assert told.out.startswith(f'{others}: row 2: mask is "1.png": there is no such file')
        assert f"1 thing is to be mended in {others}" in told.err
    assert run([*command[:4], str(tmp_path / "none.jsonl"), "--validate"]) == 2
    assert "none.jsonl cannot be read" in capsys.readouterr().err


def test_lines_that_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"video": \n[1]\n')
    found = [str(problem) for problem in validate(Data(path), "lora", None)[1]]
    assert found[0].startswith("row 1: it is no JSON")
    assert found[1].startswith("row 2: it must be a JSON object")
    path.write_text('{"video": "a", "video": "b", "caption": "c"}\n\n{"file_name": "a", "text": "b"}')
    found = [str(problem) for problem in validate(Data(path), "lora", None)[1]]
    assert '(it has "video" twice; leave one of them out)' in found[0]
    assert 'row 3: file_name is "a": there is no such field; it is called video here' in found
    assert 'row 3: text is "b": there is no such field; it is called caption here' in found
    for text, said in (
        ('[\n{"video": "a", "caption": "b"}\n]', "one JSON list"),
        ('{\n"video": "a",\n"caption": "b"}', "one JSON object over several lines"),
    ):
        path.write_text(text)
        with pytest.raises(TrainingError, match=rf"is {said}; write each row's object on a line of its own"):
            validate(Data(path), "lora", None)
    path.write_text("\n")
    with pytest.raises(TrainingError, match="holds no rows"):
        validate(Data(path), "lora", None)
    with pytest.raises(TrainingError, match="no such file"):
        validate(Data(tmp_path / "none.jsonl"), "lora", None)


def test_lines_as_editors_and_other_programs_write_them(tmp_path: Path) -> None:
    data = save_rows(tmp_path, count=1)
    row = json.loads(data.read_text())
    told = {**row, "caption": "a crane\u2028touches the red ball"}
    line = json.dumps(told, ensure_ascii=False)
    data.write_bytes(b"\xef\xbb\xbf" + f"{line}\r\n\r\n{line}".encode())
    assert validate(Data(data), "target", None) == (2, [])
    for line, why in (
        ("[" * 100_000, "its brackets are nested too deep"),
        (json.dumps({**row, "caption": "\ud800 red ball"}), "it must be text"),
        (json.dumps({**row, "video": "\ud800.mp4"}), "it must be text"),
    ):
        data.write_text(line)
        (found,) = validate(Data(data), "target", None)[1]
        str(found).encode()  # it can be printed
        assert why in str(found)


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ("clips/7.mp4", "clips\\7.mp4"),
        ("clips/deep/7.mp4", ".\\clips\\deep\\7.mp4"),
        ("caf\u00e9/pre\u0301.mp4", "cafe\u0301/pr\u00e9.mp4"),
        ("caf\u00e9/7.mp4", "cafe\u0301\\7.mp4"),
        ("at@home, 8:1 = x.mp4", "at@home, 8:1 = x.mp4"),
        ("back\\slash.mp4", "back\\slash.mp4"),
        ("~tilde.mp4", "~tilde.mp4"),
    ],
)
def test_names_of_other_systems_are_found(tmp_path: Path, base: Path, stored: str, said: str) -> None:
    target = tmp_path / stored
    target.parent.mkdir(parents=True, exist_ok=True)
    clip(target, 6)
    assert problems_of(tmp_path, base, video=said) == []


def test_a_home_and_a_whole_path_are_found(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    clip(tmp_path / "home" / "7.mp4", 6)
    for said in ("~/7.mp4", "~\\7.mp4", str(tmp_path / "home" / "7.mp4")):
        assert problems_of(tmp_path, base, video=said) == []


def test_a_windows_path_that_is_not_there_is_told(tmp_path: Path, base: Path) -> None:
    (found,) = problems_of(tmp_path, base, video="C:\\clips\\7.mp4")
    assert "there is no such file; mind that paths are relative to the data file, written with /" in found
    (found,) = problems_of(tmp_path, base, video="7.mp4")
    assert found.endswith("mind that paths are relative to the data file")


def test_a_base_that_lacks_something_is_told_before_any_work(tmp_path: Path, base: Path) -> None:
    data = save_rows(tmp_path / "data", count=1)
    for missing, told in (
        ("transformer/diffusion_pytorch_model.safetensors", "transformer/ has no .safetensors weights"),
        ("tokenizer", "tokenizer/ has none of tokenizer.json, vocab.json, spiece.model"),
        ("text_encoder/model.safetensors", "text_encoder/ has no .safetensors weights"),
        ("vae/diffusion_pytorch_model.safetensors", "vae/ has no .safetensors weights"),
        ("scheduler/scheduler_config.json", "scheduler/scheduler_config.json is missing"),
    ):
        copy = shutil.copytree(base, tmp_path / "copy")
        place = copy / missing
        shutil.rmtree(place) if place.is_dir() else place.unlink()
        with pytest.raises(ModelError, match=re.escape(told)):
            validate(Data(data), "target", str(copy))
        shutil.rmtree(copy)
    copy = shutil.copytree(base, tmp_path / "copy")
    (copy / "transformer" / "config.json").write_text("{}")
    with pytest.raises(
        ModelError, match=r"transformer/config\.json lacks in_channels; copy the whole folder"
    ):
        validate(Data(data), "target", str(copy))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"size": (0, 64)}, "--size is 0x64"),
        ({"size": (8, 64)}, "--size is 8x64: this base needs at least 16x16"),
        ({"size": (72, 64)}, "--size is 72x64: this base needs multiples of 16; give 64x64"),
    ],
)
def test_sizes_that_a_base_does_not_take(tmp_path: Path, base: Path, said: dict[str, Any], told: str) -> None:
    data = save_rows(tmp_path, count=1)
    with pytest.raises(TrainingError, match=told):
        validate(Data(data, **said), "target", str(base))


def test_learned_positions_take_one_size_and_length(tmp_path: Path) -> None:
    learned = save_base(tmp_path / "learned", positions="learned")
    data = save_rows(tmp_path / "data", count=1)
    assert validate(Data(data), "target", str(learned)) == (1, [])
    with pytest.raises(TrainingError, match="--frames is 3: this base has learned its positions; give 5"):
        validate(Data(data, frames=3), "target", str(learned))


def test_bases_that_motion_cannot_train_on(tmp_path: Path, image_folder: Path) -> None:
    data = save_rows(tmp_path / "data", count=1)
    with pytest.raises(TrainingError, match="--frames is 1: motion takes at least 2"):
        validate(Data(data, frames=1, size=(64, 64)), "motion", str(image_folder))
    moving = save_toy_motion_model(image_folder.parent / "moving", image_folder)
    with pytest.raises(TrainingError, match="it has a motion adapter already"):
        validate(Data(data), "motion", str(moving))
    copy = shutil.copytree(image_folder, tmp_path / "copy")
    config = copy / "unet" / "config.json"
    said = json.loads(config.read_text())
    for change, told in (
        ({"in_channels": 9}, "its unet takes 9 channels, not 4"),
        ({"addition_embed_type": "text_time"}, "it is of Stable Diffusion XL's kind"),
    ):
        config.write_text(json.dumps({**said, **change}))
        with pytest.raises(TrainingError, match=told):
            validate(Data(data), "motion", str(copy))


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        (lambda: Recipe(rate=float("nan")), "--rate is nan"),
        (lambda: Recipe(seed=2**40), "--seed is 1099511627776: give 0 to 4294967295"),
        (lambda: LoraRecipe(alpha=float("nan")), "--alpha is nan"),
        (lambda: ColumnRecipe(weight=float("inf")), "--attention-weight is inf"),
    ],
)
def test_numbers_that_are_none(recipe: Callable[[], Any], told: str) -> None:
    with pytest.raises(TrainingError, match=told):
        recipe()


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
