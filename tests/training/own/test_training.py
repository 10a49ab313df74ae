"""The trainer on toy models of the real classes: what comes out, resuming, sharing, and what fails
cleanly."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file
from toy_cogvideox import save_base, save_rows
from train_worker import train_toy

from rehearse.models import load_model
from rehearse.models.text import ClipText
from rehearse.training.own.base import Base
from rehearse.training.own.checkpoint import checkpoints
from rehearse.training.own.errors import TrainingError
from rehearse.training.own.held_out import held_out_figures

WORKER = Path(__file__).parent / "train_worker.py"


def in_another_process(*words: object, processes: int = 1) -> None:
    launch = (
        [sys.executable]
        if processes == 1
        else [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
    )
    tests = Path(__file__).parents[2]
    said = {"OMP_NUM_THREADS": "1", "PYTHONPATH": f"{tests}{os.pathsep}{WORKER.parent}"}
    done = subprocess.run(
        [*launch, str(WORKER), *map(str, words)], env={**os.environ, **said}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]


def same(one: Path, other: Path) -> None:
    left, right = load_file(one), load_file(other)
    assert left.keys() == right.keys()
    for name, value in left.items():
        assert torch.equal(value, right[name]), name


def test_a_run_learns_and_its_adapter_loads(tmp_path: Path, base: Path, data: Path) -> None:
    out = tmp_path / "out"
    train_toy(data, base, out, 30, sheets=30, weight=30.0)
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == list(range(2, 31, 2))
    for figure, falls in (("attention", True), ("reconstruction", True), ("inside", False)):
        first, last = (np.mean([row[figure] for row in part]) for part in (rows[:3], rows[-3:]))
        assert (last < first) == falls, figure
    assert (out / "sheet-000030.png").stat().st_size > 10_000
    assert len(checkpoints(out)) == 2
    model = load_model(str(out), precision="float32")
    assert "target" in model.acts_on
    with safe_open(str(out / "adapter.safetensors"), framework="pt") as file:
        assert json.loads(file.metadata()["rehearse_target"])["steps"] == 30


@pytest.mark.parametrize("kind", ["target", "lora"])
def test_rows_held_out_are_shown_judged_and_not_trained_on(
    tmp_path: Path, base: Path, data: Path, kind: str
) -> None:
    others = save_rows(tmp_path / "others", 5)
    plain = train_toy(data, base, tmp_path / "plain", 4, kind, sheets=2)
    judged = train_toy(data, base, tmp_path / "judged", 4, kind, sheets=2, validation=others)
    name = "adapter" if kind == "target" else "pytorch_lora_weights"
    same(tmp_path / "plain" / f"{name}.safetensors", tmp_path / "judged" / f"{name}.safetensors")
    assert plain.held_out is None and len(judged.held_out) == 5
    lines = [json.loads(line) for line in (tmp_path / "judged" / "metrics.jsonl").read_text().splitlines()]
    figures = [line for line in lines if "held_out_loss" in line]
    assert [line["step"] for line in figures] == [2, 4]
    assert ("held_out_inside" in figures[0]) == (kind == "target")
    # The same timesteps and noise each time: what changed is the model.
    assert figures[0]["held_out_reconstruction"] != figures[1]["held_out_reconstruction"]
    assert held_out_figures(judged, 0) == held_out_figures(judged, 0)
    assert held_out_figures(plain, 0) == {}
    bad = save_rows(tmp_path / "bad", 1, target="green cup") if kind == "target" else tmp_path / "none.jsonl"
    with pytest.raises(TrainingError, match=re.escape(str(bad))):
        train_toy(data, base, tmp_path / "out", 4, kind, validation=bad)


def test_blocks_are_measured_by_the_words_the_base_knows(tmp_path: Path, base: Path, data: Path) -> None:
    task = train_toy(data, base, tmp_path / "out", 1)
    sample = task.samples.sample(0)
    prompt = task.samples.prompt(0).split()
    at = {word: 1 + prompt.index(word) for word in ("target", "red", "ball")}  # behind the start token
    assert sample.words[0].nonzero().flatten().tolist() == [at["target"]]
    assert sample.phrases[0].nonzero().flatten().tolist() == [at["red"], at["ball"]]
    assert len(task.measure()) == task.base.blocks


def test_an_adapter_fits_the_transformer_it_was_trained_on(tmp_path: Path, base: Path, data: Path) -> None:
    """A base may borrow its autoencoder of another folder: what counts is where its transformer lies."""
    borrowing = save_base(tmp_path / "borrowing")
    shutil.rmtree(borrowing / "vae")
    (borrowing / "rehearse.json").write_text(json.dumps({"base": str(base)}))
    train_toy(data, borrowing, tmp_path / "out", 1)
    assert "target" in load_model(str(tmp_path / "out")).acts_on
    said = json.loads((borrowing / "rehearse.json").read_text())
    adapter = str(tmp_path / "out" / "adapter.safetensors")
    (borrowing / "rehearse.json").write_text(json.dumps({**said, "target_adapter": adapter}))
    assert "target" in load_model(str(borrowing)).acts_on


def test_a_plain_lora_loads_as_diffusers_reads_it(tmp_path: Path, base: Path, data: Path) -> None:
    out = tmp_path / "out"
    train_toy(data, base, out, 4, "lora")
    assert "attention" not in (out / "metrics.jsonl").read_text()
    plain, tuned = (load_model(str(folder), precision="float32") for folder in (base, out))
    assert "target" not in tuned.acts_on
    name = "transformer_blocks.0.attn1.to_q.weight"
    weights = [model.denoiser.state_dict()[name] for model in (plain, tuned)]
    trained = load_file(out / "pytorch_lora_weights.safetensors")
    layer = "transformer.transformer_blocks.0.attn1.to_q"
    change = trained[f"{layer}.lora_B.weight"] @ trained[f"{layer}.lora_A.weight"] / 2  # alpha 1, rank 2
    torch.testing.assert_close(weights[1] - weights[0], change, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("kind", ["target", "lora"])
def test_a_run_stopped_in_another_process_ends_the_same(
    tmp_path: Path, base: Path, data: Path, kind: str
) -> None:
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    train_toy(data, base, whole, 6, kind)
    stop = random.Random(os.getpid()).randint(1, 5)
    in_another_process(data, base, parted, stop, kind)
    train_toy(data, base, parted, 6, kind)
    same(checkpoints(whole)[-1], checkpoints(parted)[-1])
    name = "adapter.safetensors" if kind == "target" else "pytorch_lora_weights.safetensors"
    same(whole / name, parted / name)
    logs = [(out / "metrics.jsonl").read_text().splitlines() for out in (whole, parted)]
    assert [json.loads(line)["step"] for line in logs[1]][-1] == 6


@pytest.mark.slow
def test_two_processes_make_what_one_makes(tmp_path: Path, base: Path, data: Path) -> None:
    train_toy(data, base, tmp_path / "one", 3)
    in_another_process(data, base, tmp_path / "two", 3, processes=2)
    one, two = (load_file(checkpoints(tmp_path / name)[-1]) for name in ("one", "two"))
    assert one.keys() == two.keys()
    for name, value in one.items():
        if not name.startswith("exp_avg_sq"):
            torch.testing.assert_close(two[name], value, atol=2e-4, rtol=1e-2, msg=name)


def test_accumulated_and_recomputed_steps_are_the_same_steps(tmp_path: Path, base: Path, data: Path) -> None:
    train_toy(data, base, tmp_path / "whole", 3)
    train_toy(data, base, tmp_path / "parts", 3, accumulate=2, checkpointing=True)
    one, two = (load_file(checkpoints(tmp_path / name)[-1]) for name in ("whole", "parts"))
    for name, value in one.items():
        if not name.startswith("exp_avg_sq"):
            torch.testing.assert_close(two[name], value, atol=2e-4, rtol=1e-2, msg=name)


def test_bf16_trains(tmp_path: Path, base: Path, data: Path) -> None:
    train_toy(data, base, tmp_path / "out", 2, precision="bf16")
    saved = load_file(checkpoints(tmp_path / "out")[-1])
    assert {value.dtype for name, value in saved.items() if name.startswith("trained.")} == {torch.float32}


def test_clips_are_encoded_once(tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = save_rows(tmp_path / "data")
    train_toy(data, base, tmp_path / "one", 1)

    def no_more(*_: Any) -> Any:
        raise AssertionError("encoded again")

    monkeypatch.setattr(Base, "encode_clip", no_more)
    monkeypatch.setattr(ClipText, "encode", no_more)
    train_toy(data, base, tmp_path / "two", 1, "target")
    (data.parent / "0.mp4").write_bytes((data.parent / "1.mp4").read_bytes())
    train_toy(data, base, tmp_path / "three", 1)  # the same content under another name
    save_rows(tmp_path / "other", frames=7)
    (data.parent / "0.mp4").write_bytes((tmp_path / "other" / "0.mp4").read_bytes())
    with pytest.raises(AssertionError, match="encoded again"):
        train_toy(data, base, tmp_path / "four", 1)


def test_a_full_disk_leaves_the_last_checkpoint(
    tmp_path: Path, base: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rehearse.training.own import checkpoint

    out = tmp_path / "out"
    kept = checkpoint.save_file
    calls = 0

    def fills_up(tensors: Any, path: Any, metadata: Any) -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            Path(path).write_bytes(b"half")
            raise OSError(28, "No space left on device")
        kept(tensors, path, metadata)

    monkeypatch.setattr(checkpoint, "save_file", fills_up)
    with pytest.raises(
        TrainingError, match=r"no space left on device.*checkpoint-000002.safetensors is whole"
    ):
        train_toy(data, base, out, 6)
    assert [path.name for path in checkpoints(out)] == ["checkpoint-000002.safetensors"]
    assert not list(out.glob(".*"))
    monkeypatch.undo()
    train_toy(data, base, out, 6)
    train_toy(data, base, tmp_path / "whole", 6)
    same(checkpoints(out)[-1], checkpoints(tmp_path / "whole")[-1])


def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path, base: Path, data: Path) -> None:
    out = tmp_path / "out"
    train_toy(data, base, out, 4)
    newest = checkpoints(out)[-1]
    newest.write_bytes(newest.read_bytes()[:-100])
    train_toy(data, base, out, 4)
    train_toy(data, base, tmp_path / "whole", 4)
    same(newest, checkpoints(tmp_path / "whole")[-1])


def test_a_folder_of_another_run_is_refused(tmp_path: Path, base: Path, data: Path) -> None:
    out = tmp_path / "out"
    train_toy(data, base, out, 2)
    with pytest.raises(TrainingError, match="kind target, and now it is lora"):
        train_toy(data, base, out, 2, "lora")
    other = save_rows(tmp_path / "other", count=2)
    with pytest.raises(TrainingError, match="other data"):
        train_toy(other, base, out, 2)


def test_a_loss_that_is_no_number_is_not_saved(
    tmp_path: Path, base: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rehearse.training.own import target_task

    whole = target_task.reconstruction
    monkeypatch.setattr(target_task, "reconstruction", lambda *given: whole(*given) * float("nan"))
    with pytest.raises(TrainingError, match="no number any more at step 2"):
        train_toy(data, base, tmp_path / "out", 4)
    assert not checkpoints(tmp_path / "out")


def test_the_real_video_autoencoder_and_two_masks(tmp_path: Path) -> None:
    base = save_base(
        tmp_path / "base", vae="video", text="t5", words=["a", "crane", "touches", "the", "red", "ball"]
    )
    data = save_rows(tmp_path / "data", count=1, frames=10)
    row = json.loads(data.read_text())
    data.write_text(json.dumps({**row, "actor": "crane", "actor_mask": "actor.png"}))
    Image.fromarray(255 - np.asarray(Image.open(tmp_path / "data" / row["mask"]))).save(
        tmp_path / "data" / "actor.png"
    )
    task = train_toy(data, base, tmp_path / "out", 2, sheets=2)
    assert task.masks == 2
    assert "target.source" in load_model(str(tmp_path / "out"), precision="float32").acts_on


def test_a_base_of_1_5_trains_on_pairs_of_frames(tmp_path: Path) -> None:
    base = save_base(tmp_path / "base", pairs=True)
    data = save_rows(tmp_path / "data", count=1)
    train_toy(data, base, tmp_path / "out", 2, sheets=2)
    assert "target" in load_model(str(tmp_path / "out"), precision="float32").acts_on


def test_a_batch_that_does_not_part_is_told(tmp_path: Path, base: Path, data: Path) -> None:
    with pytest.raises(TrainingError, match=r"--batch is 4: 1 processes and --accumulate 3.*such as 6"):
        train_toy(data, base, tmp_path / "out", 2, accumulate=3)


def test_tensorboard_is_named_where_it_is_missing(
    tmp_path: Path, base: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(TrainingError, match=r"pip install 'rehearse\[tensorboard\]'"):
        train_toy(data, base, tmp_path / "out", 2, tensorboard=True)


def test_a_motion_adapter_for_any_checkpoint(tmp_path: Path, image_folder: Path, data: Path) -> None:
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    train_toy(data, image_folder, whole, 4, "motion", sheets=4, size=(64, 64), frames=5)
    train_toy(data, image_folder, parted, 2, "motion", size=(64, 64), frames=5)
    train_toy(data, image_folder, parted, 4, "motion", size=(64, 64), frames=5)
    same(checkpoints(whole)[-1], checkpoints(parted)[-1])
    model = load_model(str(whole), precision="float32")
    assert model.pictures is not None
    assert model.limits.max_frames == 32
    spatial = load_model(str(image_folder), precision="float32").denoiser.state_dict()
    trained = model.denoiser.state_dict()
    name = next(name for name in spatial if name.endswith("attn1.to_q.weight"))
    assert torch.equal(trained[name], spatial[name])
    assert torch.equal(trained["conv_in.weight"][:, :4], spatial["conv_in.weight"])
    assert trained["conv_in.weight"][:, 4:].abs().max() > 0


def test_a_base_of_another_family_is_refused(
    tmp_path: Path, base: Path, image_folder: Path, data: Path
) -> None:
    with pytest.raises(TrainingError, match="needs a CogVideoX image-to-video model"):
        train_toy(data, image_folder, tmp_path / "out", 1)
    with pytest.raises(TrainingError, match="needs a Stable Diffusion checkpoint"):
        train_toy(data, base, tmp_path / "out", 1, "motion")
    text = save_base(tmp_path / "text", pictures=False)
    with pytest.raises(TrainingError, match="makes clips from text alone"):
        train_toy(data, text, tmp_path / "out", 1)


def test_tensorboard_gets_the_figures(tmp_path: Path, base: Path, data: Path) -> None:
    pytest.importorskip("tensorboard", reason="an optional extra")
    train_toy(data, base, tmp_path / "out", 2, tensorboard=True)
    assert any(file.stat().st_size > 100 for file in (tmp_path / "out" / "tensorboard").iterdir())
