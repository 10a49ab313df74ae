"""The file of a take: whole or not at all, and refused with a sentence where it does not fit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from oracle_model import OracleModel
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from rehearse.sampling import checkpoint as checkpoint_module
from rehearse.sampling.checkpoint import Checkpoint, CheckpointError, load_checkpoint, save_checkpoint
from rehearse.sampling.loop import Loop
from rehearse.sampling.plan import Plan


@pytest.fixture
def checkpoint() -> Checkpoint:
    plan = Plan(
        frames=2, width=32, height=32, fps=4, steps=5, guidance=1, scheduler="unipc", seed=3,
        text=torch.zeros(2, 8, 4),
    )  # fmt: skip
    loop = Loop(OracleModel(torch.randn(1, 4, 2, 4, 4), "v_prediction"), plan)
    state = loop.step(loop.step(loop.start()))
    return Checkpoint(state, '{"prompt": "ä red ball"}', "oracle", "f" * 64, {"parent": "abc"})


def test_everything_comes_back(checkpoint: Checkpoint, tmp_path: Path) -> None:
    loaded = load_checkpoint(save_checkpoint(checkpoint, tmp_path / "a.take"))
    assert (loaded.shot, loaded.model, loaded.fingerprint) == (checkpoint.shot, "oracle", "f" * 64)
    assert loaded.notes == {"parent": "abc"} and loaded.state.step == 2
    for name in ("latents", "x0", "generator"):
        assert torch.equal(getattr(loaded.state, name), getattr(checkpoint.state, name))
    assert loaded.state.scheduler.to_json() == checkpoint.state.scheduler.to_json()
    for key, tensor in checkpoint.state.scheduler.tensors.items():
        back = loaded.state.scheduler.tensors[key]
        assert back.dtype == tensor.dtype and torch.equal(back, tensor)


def test_the_metadata_says_what_it_is(checkpoint: Checkpoint, tmp_path: Path) -> None:
    with safe_open(save_checkpoint(checkpoint, tmp_path / "a.take"), framework="pt") as file:
        metadata = file.metadata()
    assert metadata["format"] == "rehearse-checkpoint" and metadata["step"] == "2"
    assert metadata["fingerprint"] == "f" * 64 and json.loads(metadata["shot"])["prompt"] == "ä red ball"


def test_a_state_before_the_first_step_has_no_x0(checkpoint: Checkpoint, tmp_path: Path) -> None:
    bare = replace(checkpoint, state=replace(checkpoint.state, step=0, x0=None))
    assert load_checkpoint(save_checkpoint(bare, tmp_path / "a.take")).state.x0 is None


def refusal(path: Path, **options: str) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_another_model_is_refused(checkpoint: Checkpoint, tmp_path: Path) -> None:
    path = save_checkpoint(checkpoint, tmp_path / "a.take")
    message = refusal(path, fingerprint="e" * 64, model="theatre-video")
    assert "oracle" in message and "theatre-video" in message and "continue it with the model" in message
    assert load_checkpoint(path, fingerprint="f" * 64).model == "oracle"


def test_files_that_are_no_checkpoint(checkpoint: Checkpoint, tmp_path: Path) -> None:
    path = save_checkpoint(checkpoint, tmp_path / "a.take")
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    assert "not a whole safetensors file" in refusal(path)
    path.write_bytes(b"")
    assert "not a whole safetensors file" in refusal(path)
    assert "there is no such file" in refusal(tmp_path / "b.take")
    save_file({"latents": torch.zeros(1)}, path)
    assert "not a checkpoint of a take" in refusal(path)
    assert "cannot read" in refusal(tmp_path)


def test_another_format_version_is_refused(checkpoint: Checkpoint, tmp_path: Path) -> None:
    path = save_checkpoint(checkpoint, tmp_path / "a.take")
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    save_file(load_file(path), path, {**metadata, "version": "3"})
    assert "format version 3" in refusal(path)
    save_file({"generator": torch.zeros(1)}, path, metadata)
    assert "is damaged" in refusal(path)


def test_where_it_cannot_be_written(checkpoint: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file or directory"):
        save_checkpoint(checkpoint, tmp_path / "absent" / "a.take")
    with pytest.raises(CheckpointError, match="cannot write"):
        save_checkpoint(checkpoint, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_in_the_middle_leaves_the_old_file(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_checkpoint(checkpoint, tmp_path / "a.take")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint_module.os, "fsync", full)
    later = replace(checkpoint, state=replace(checkpoint.state, step=4))
    with pytest.raises(CheckpointError, match="no space left on device"):
        save_checkpoint(later, path)
    assert load_checkpoint(path).state.step == 2
    assert [file.name for file in tmp_path.iterdir()] == ["a.take"]


def test_killed_in_the_middle_the_file_is_the_old_or_the_new_one(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    path = save_checkpoint(checkpoint, tmp_path / "a.take")
    worker = Path(__file__).with_name("kill_worker.py")
    seen = set()
    for delay in (0.003, 0.011, 0.024):
        process = subprocess.Popen(
            [sys.executable, str(worker), str(path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        state = load_checkpoint(path).state
        seen.add(state.step)
        if state.latents.shape[2] == 16:
            assert torch.equal(state.latents, torch.full((1, 4, 16, 64, 64), float(state.step)))
        else:
            assert state.step == 2 and torch.equal(state.latents, checkpoint.state.latents)
    assert seen <= {1, 2}
