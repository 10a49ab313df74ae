"""A run that was cut off: what was due is made up for, nothing that is no number is kept, and what was asked
for otherwise is told by its name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from toy_cogvideox import save_rows
from train_worker import train_toy

from rehearse.cli import run
from rehearse.training.own import loop, sheet, target_task
from rehearse.training.own.checkpoint import checkpoints
from rehearse.training.own.errors import TrainingError
from rehearse.training.own.interruption import Interruption, Stopped
from rehearse.training.own.run import Data, train
from rehearse.training.own.settings import LoraRecipe, Recipe, Running


def same(one: Path, other: Path) -> None:
    left, right = load_file(one), load_file(other)
    assert left.keys() == right.keys()
    for name, value in left.items():
        assert torch.equal(value, right[name]), name


def judged(out: Path) -> list[int]:
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [line["step"] for line in lines if "held_out_loss" in line]


class Gone(Exception):
    """What a power cut is to a test."""


@pytest.mark.parametrize("lost", ["sheet", "figures"])
def test_the_last_sheet_and_figures_are_made_up_for(
    tmp_path: Path, base: Path, data: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    out, whole = tmp_path / "out", tmp_path / "whole"
    room, name = (sheet, "write_training_sheet") if lost == "sheet" else (loop, "held_out_figures")
    kept, calls = getattr(room, name), iter((True, False))

    def cut_off(*given: Any) -> Any:
        if next(calls):  # the sheet of step 2
            return kept(*given)
        raise Gone

    monkeypatch.setattr(room, name, cut_off)
    with pytest.raises(Gone):
        train_toy(data, base, out, 3, sheets=2, validation=data)
    monkeypatch.undo()
    assert checkpoints(out)[-1].name == "checkpoint-000003.safetensors"
    assert (out / "sheet-000003.png").exists() == (lost == "figures")
    first = (out / "sheet-000002.png").stat().st_mtime_ns
    train_toy(data, base, out, 3, sheets=2, validation=data)
    train_toy(data, base, whole, 3, sheets=2, validation=data)
    assert judged(out) == judged(whole) == [2, 3]
    assert (out / "sheet-000003.png").read_bytes() == (whole / "sheet-000003.png").read_bytes()
    assert (out / "sheet-000002.png").stat().st_mtime_ns == first
    same(checkpoints(out)[-1], checkpoints(whole)[-1])
    again = (out / "sheet-000003.png").stat().st_mtime_ns
    train_toy(data, base, out, 3, sheets=2, validation=data)  # nothing is lacking
    assert (out / "sheet-000003.png").stat().st_mtime_ns == again
    assert judged(out) == [2, 3]


def test_a_sheet_that_is_due_where_it_stops_is_made_up_for(
    tmp_path: Path, base: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, asked = tmp_path / "out", iter((False, True))
    monkeypatch.setattr(Interruption, "asked", lambda _: next(asked))
    with pytest.raises(Stopped):
        train_toy(data, base, out, 3, sheets=2)
    monkeypatch.undo()
    assert checkpoints(out)[-1].name == "checkpoint-000002.safetensors"
    assert not (out / "sheet-000002.png").exists()
    train_toy(data, base, out, 3, sheets=2)
    assert (out / "sheet-000002.png").exists()


class Exploding(torch.autograd.Function):
    """Itself, with a gradient that is no number."""

    @staticmethod
    def forward(context: Any, value: torch.Tensor) -> torch.Tensor:
        return value.clone()

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> torch.Tensor:
        return gradient * float("nan")


@pytest.mark.parametrize("bad", [1, 2])
def test_a_gradient_that_is_no_number_is_not_saved(
    tmp_path: Path, base: Path, data: Path, monkeypatch: pytest.MonkeyPatch, bad: int
) -> None:
    whole, calls = target_task.reconstruction, iter(range(1, 100))

    def explodes(*given: Any) -> torch.Tensor:
        value = whole(*given)
        return Exploding.apply(value) if next(calls) == bad else value  # type: ignore[no-untyped-call]

    monkeypatch.setattr(target_task, "reconstruction", explodes)
    # The loss of the next step tells of the first one; of the second nothing does but its gradient.
    with pytest.raises(
        TrainingError,
        match=r"no number any more at step 2, of which nothing is saved; begin again in another --out with a "
        "lower --rate$",
    ):
        train_toy(data, base, tmp_path / "out", 4)
    assert not checkpoints(tmp_path / "out")


def lora_run(data: Data, base: Path, out: Path, precision: Any = "no") -> None:
    recipe = Recipe(batch=2, warmup=0, precision=precision)
    train("lora", data, str(base), recipe, Running(out, 1, sheet_every=0, cpu=True), LoraRecipe(2, 1.0))


def test_what_was_asked_for_otherwise_is_told_by_its_name(tmp_path: Path, base: Path, data: Path) -> None:
    out = tmp_path / "out"
    lora_run(Data(data), base, out)
    for other, told in (
        (Data(data, size=(32, 32)), "has --size 64x64, and now it is 32x32; name another folder"),
        (Data(data, frames=3), "has --frames 5, and now it is 3;"),
        (Data(data, frames=3, every=2), "has --frames 5, and now it is 3;"),
        (Data(save_rows(tmp_path / "fewer", 2)), "has other data;"),
    ):
        with pytest.raises(TrainingError, match=told):
            lora_run(other, base, out)
    with pytest.raises(TrainingError, match="has --precision no, and now it is bf16;"):
        lora_run(Data(data), base, out, "bf16")


def test_a_run_that_is_asked_for_no_precision_keeps_its_own_or_takes_the_hardwares(
    tmp_path: Path, base: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ("train", "lora", data, "--base", base, "--batch", 2, "--rank", 2, "--sheet-every", 0, "--cpu")
    for out, hardware, steps, told in (
        ("plain", "float32", 1, "trained on cpu in float32"),
        ("plain", "bfloat16", 2, "trained on cpu in float32"),
        ("half", "bfloat16", 1, "trained on cpu in bfloat16"),
        ("half", "float32", 2, "trained on cpu in bfloat16"),
    ):
        monkeypatch.setenv("REHEARSE_PRECISION", hardware)
        assert run([str(word) for word in (*words, "--out", tmp_path / out, "--steps", steps)]) == 0
        said = capfd.readouterr().err
        assert told in said and ("continues at step 1" in said) == (steps == 2)


def test_checkpoints_of_before_go_on(tmp_path: Path, base: Path, data: Path) -> None:
    """They do not say how clips were read."""
    out = tmp_path / "out"
    lora_run(Data(data), base, out)
    (path,) = checkpoints(out)
    with safe_open(str(path), framework="pt") as file:
        header = file.metadata()
    facts = json.loads(header["facts"])
    for name in ("frames", "size", "every"):
        del facts[name]
    save_file(load_file(path), path, {**header, "facts": json.dumps(facts)})
    with pytest.raises(TrainingError, match="other data, or another --size, --frames or --every"):
        lora_run(Data(data, frames=3), base, out)
    lora_run(Data(data), base, out)


def test_facts_of_the_clips_shape_are_no_adapters(tmp_path: Path, base: Path, data: Path) -> None:
    task = train_toy(data, base, tmp_path / "out", 1)
    assert {"frames": 5, "size": "64x64", "every": 1}.items() <= task.facts.items()
    with safe_open(str(tmp_path / "out" / "adapter.safetensors"), framework="pt") as file:
        assert "size" not in json.loads(file.metadata()["rehearse_target"])


def test_dropout_of_the_base_is_on_from_the_first_step(tmp_path: Path, base: Path, data: Path) -> None:
    dropping = shutil.copytree(base, tmp_path / "base")
    config = dropping / "transformer" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "dropout": 0.3}))
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    task = train_toy(data, dropping, whole, 4, sheets=2)
    assert task.measure() == task.measure()
    train_toy(data, dropping, parted, 3, sheets=2)
    train_toy(data, dropping, parted, 4, sheets=2)
    same(checkpoints(whole)[-1], checkpoints(parted)[-1])
    plain = train_toy(data, base, tmp_path / "plain", 1)
    train_toy(data, dropping, tmp_path / "one", 1)
    with pytest.raises(AssertionError):
        same(checkpoints(tmp_path / "plain")[-1], checkpoints(tmp_path / "one")[-1])
    assert plain.measure()


def test_one_process_trains_twice(tmp_path: Path, base: Path, data: Path) -> None:
    for precision in ("no", "bf16", "no"):
        lora_run(Data(data), base, tmp_path / f"out-{precision}", precision)
    from accelerate import Accelerator

    mine = Accelerator(cpu=True, mixed_precision="no")
    lora_run(Data(data), base, tmp_path / "out-no")
    with pytest.raises(TrainingError, match="--precision is bf16: this Python process holds an Accelerator"):
        lora_run(Data(data), base, tmp_path / "out-bf16", "bf16")
    assert mine.mixed_precision == "no"  # it was not touched
