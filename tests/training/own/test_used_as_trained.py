"""What is trained and what is used afterwards agree: settings that a base inherits, length, size and rate of
clips, names of bases, roles of held-out rows; and what will not agree is told before any work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from toy_cogvideox import SIZE, save_base, save_rows
from train_worker import train_toy

from rehearse.media import write_clip
from rehearse.models import ModelError, load_model
from rehearse.models.precision import Precision
from rehearse.models.registry import find_model
from rehearse.training.own.base import Base, alphabars
from rehearse.training.own.check import check_rows
from rehearse.training.own.clips import Shape
from rehearse.training.own.errors import TrainingError
from rehearse.training.own.rows import Kind, read_rows
from rehearse.training.own.run import Data, validate
from rehearse.training.own.samples import Samples
from rehearse.training.own.settings import LoraRecipe
from rehearse.training.own.target_task import reachable

CPU = Precision(torch.device("cpu"), torch.float32)


def standing_on(folder: Path, base: Path, **said: Any) -> Path:
    folder.mkdir()
    (folder / "rehearse.json").write_text(json.dumps({"base": str(base), **said}))
    return folder


def opened(folder: Path, kind: Kind = "target") -> Base:
    return Base.open(str(folder), kind, CPU)


def test_a_motion_adapter_has_16_frames_though_its_base_makes_pictures(
    tmp_path: Path, image_folder: Path
) -> None:
    base = standing_on(tmp_path / "stills", image_folder, defaults={"frames": 1, "width": 32, "height": 64})
    assert opened(base, "motion").shape(None, None, 1) == Shape(16, 32, 64)
    assert opened(base, "motion").shape(5, (64, 32), 2) == Shape(5, 64, 32, 2)


def test_a_motion_adapter_is_not_trained_on_what_it_could_not_go_on(
    tmp_path: Path, image_folder: Path
) -> None:
    base = standing_on(tmp_path / "inpaints", image_folder)
    weight = torch.zeros(opened(image_folder, "motion").config["block_out_channels"][0], 9, 3, 3)
    save_file({"weight": weight}, base / "conv_in.safetensors")
    with pytest.raises(TrainingError, match="it inpaints, and a motion adapter cannot go on it; give the"):
        opened(base, "motion")
    run = standing_on(tmp_path / "run", base, motion_adapter="motion_adapter")
    (run / "motion_adapter").mkdir()
    (run / "motion_adapter" / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="which inpaints"):
        find_model(str(run))


def test_what_a_base_inherits_holds_in_training_too(tmp_path: Path) -> None:
    below = save_base(tmp_path / "below")
    said = {"defaults": {"frames": 5, "guidance": 2.0}, "scheduler": {"beta_schedule": "linear"}}
    (below / "rehearse.json").write_text(json.dumps({**said, "max_frames": 5}))
    base = standing_on(tmp_path / "base", standing_on(tmp_path / "between", below, defaults={"width": 32}))
    found, model = opened(base), load_model(str(base))
    assert found.guidance == model.defaults.guidance == 2.0
    assert found.shape(None, None, 1) == Shape(5, 32, model.defaults.height)
    assert torch.equal(alphabars(found.scheduler), alphabars(model.make_scheduler("ddim")))
    config = found.folder.config("scheduler", "scheduler_config.json")
    assert config["beta_schedule"] != found.scheduler.config.beta_schedule == "linear"
    with pytest.raises(TrainingError, match="--frames is 9: this base makes at most 5; give 5"):
        found.shape(9, None, 1)


@pytest.mark.parametrize(("kind", "every"), [("target", 1), ("lora", 2)])
def test_the_model_makes_clips_as_it_was_trained_to(
    tmp_path: Path, base: Path, data: Path, kind: str, every: int
) -> None:
    frames = 5 if every == 1 else 3
    from rehearse.training.own.run import train
    from rehearse.training.own.settings import ColumnRecipe, Recipe, Running

    column = ColumnRecipe(blocks="all") if kind == "target" else None
    clips = Data(data, frames, (32, 48), every)
    running = Running(tmp_path / "run", 1, sheet_every=0, cpu=True)
    train(kind, clips, str(base), Recipe(batch=2), running, LoraRecipe(2, 1.0), column)  # type: ignore[arg-type]
    made = load_model(str(tmp_path / "run")).defaults
    # The clips of the data run at 8 frames a second.
    assert (made.frames, made.width, made.height, made.fps) == (frames, 32, 48, 8 / every)
    again = opened(tmp_path / "run", "lora") if kind == "lora" else None
    assert again is None or again.shape(None, None, 1) == Shape(frames, 32, 48)


def test_a_base_is_named_so_that_it_is_found_from_elsewhere(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # A folder that has a shipped model's name is not that model.
    (tmp_path / "theatre-target").mkdir()
    assert reachable(find_model("theatre-target")) == "theatre-target"
    monkeypatch.chdir(base.parent)
    assert reachable(find_model(base.name)) == str(base.resolve())


def test_another_run_is_refused_before_clips_are_encoded(
    tmp_path: Path, base: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    train_toy(data, base, out, 1)

    def encode(*said: Any) -> None:
        raise AssertionError("clips are encoded for nothing")

    monkeypatch.setattr(Samples, "encode", encode)
    with pytest.raises(TrainingError, match=r"has --attention-weight 0\.1, and now it is 0\.5; name"):
        train_toy(data, base, out, 2, weight=0.5)
    with pytest.raises(TrainingError, match="has --size 64x64, and now it is 32x32; name another"):
        train_toy(data, base, out, 2, size=(32, 32))
    with pytest.raises(AssertionError, match="for nothing"):
        train_toy(data, base, out, 2)


def test_rows_held_out_are_read_with_the_roles_that_are_trained(
    tmp_path: Path, base: Path, data: Path, capsys: Any
) -> None:
    said = {"caption": "crane touches red ball", "actor_mask": "actor.png", "actor": "crane"}
    shown = save_rows(tmp_path / "shown", 2, **said)
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[50:60, 50:60] = 255
    Image.fromarray(mask).save(shown.parent / "actor.png")
    # The toy's words have no "source": with one mask it is not put before the actor.
    assert validate(Data(data, validation=shown), "target", str(base)) == (5, [])
    task = train_toy(data, base, tmp_path / "run", 1, sheets=1, validation=shown)
    assert task.held_out.prompt(0) == "crane touches target red ball"
    assert task.held_out.sample(0).masks.shape[0] == 1
    assert "are trained on as well" not in capsys.readouterr().err
    train_toy(data, base, tmp_path / "both", 1, validation=data)
    assert "3 of 3 rows of --validation have clips that are trained on as well" in capsys.readouterr().err


def test_a_word_that_only_the_trainer_says_is_not_the_caption_s_fault(tmp_path: Path) -> None:
    data = save_rows(tmp_path, 1, caption="crane touches red ball", actor_mask="actor.png", actor="crane")
    Image.fromarray(np.eye(SIZE, dtype=np.uint8) * 255).save(tmp_path / "actor.png")
    rows, _ = read_rows(data, "target")

    def told(*words: str, roles: int = 2) -> list[str]:
        known, shape = frozenset(words), Shape(5, SIZE, SIZE)
        return [str(one) for one in check_rows(rows, shape, "target", vocabulary=known, roles=roles)]

    caption = ("crane", "touches", "red", "ball")
    assert told(*caption, "target") == [
        'row 1: actor is "crane": the base does not know the word "source" that is put before it; leave '
        "actor out and keep actor_mask"
    ]
    assert told(*caption, "target", "source") == told(*caption, "target", roles=1) == []
    assert told(*caption, "source")[0].startswith('row 1: target is "red ball": the base does not know the')
    assert told("target", "source", *caption[1:]) == [
        'row 1: caption is "crane touches red ball": the base does not know crane; use words it knows'
    ]


def test_captions_that_are_cut_are_counted(tmp_path: Path, base: Path, capsys: Any) -> None:
    long = "a crane touches the red ball and " * 12
    train_toy(save_rows(tmp_path / "data", 2, caption=long.strip()), base, tmp_path / "run", 1, kind="lora")
    assert "2 of 2 captions are longer than the base reads" in capsys.readouterr().err


def rated(folder: Path, *clips: tuple[str, float]) -> list[str]:
    data = save_rows(folder, len(clips))
    rows = [json.loads(line) for line in data.read_text().splitlines()]
    for row, (name, rate) in zip(rows, clips, strict=True):
        frames = np.random.default_rng(0).integers(0, 255, (8, SIZE, SIZE, 3)).astype(np.uint8)
        frames[4] = frames[3]  # which a GIF keeps once, for twice the time
        write_clip(folder / name, frames, rate)
        row["video"] = name
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    read, problems = read_rows(data, "lora")
    assert not problems
    return [str(problem) for problem in check_rows(read, Shape(5, SIZE, SIZE), "lora")]


def test_rates_of_pictures_that_move_are_rates(tmp_path: Path) -> None:
    told = rated(tmp_path / "mixed", ("a.gif", 4), ("b.gif", 25), ("c.apng", 4))
    assert told == [
        'row 2: video is "b.gif": it runs at 25 frames a second and most others at 4; bring all to one rate'
    ]
    # A GIF counts in hundredths: 8 frames a second cannot be said in it.
    assert rated(tmp_path / "rounded", ("a.gif", 8), ("b.mp4", 8), ("c.mp4", 8), ("d.apng", 8)) == []
    assert len(rated(tmp_path / "exact", ("a.mp4", 30), ("b.mp4", 30), ("c.mp4", 29))) == 1


@pytest.mark.parametrize(
    ("every", "fixed", "told"),
    [
        (1, False, "it has 6 frames and 7 are needed; ask for fewer --frames or leave it out"),
        (1, True, "it has 6 frames and 7 are needed; leave it out"),
        (2, False, "13 are needed; ask for fewer --frames or ask for a lower --every or leave it out"),
        (2, True, "13 are needed; ask for a lower --every or leave it out"),
    ],
)
def test_a_short_clip_s_remedies_are_remedies(tmp_path: Path, every: int, fixed: bool, told: str) -> None:
    rows, _ = read_rows(save_rows(tmp_path, 1), "lora")
    shape = Shape(7, SIZE, SIZE, every)
    assert str(check_rows(rows, shape, "lora", fixed=fixed)[0]).endswith(told)


def test_one_picture_is_not_both_masks(tmp_path: Path) -> None:
    rows, _ = read_rows(save_rows(tmp_path, 1, actor_mask="0.png"), "target")
    told = [str(problem) for problem in check_rows(rows, Shape(5, SIZE, SIZE), "target")]
    assert told == ['row 1: actor_mask is "0.png": it marks what mask marks; mark the one that acts']


def test_alpha_is_half_of_any_rank_unless_told() -> None:
    assert LoraRecipe.of(4, None, ("a",)) == LoraRecipe(4, 2.0, ("a",))
    assert LoraRecipe.of(4, 8.0, ("a",)).alpha == 8.0
