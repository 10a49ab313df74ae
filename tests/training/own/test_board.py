"""Curves for TensorBoard: one line after a run that was cut off, and a full disk."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from train_worker import train_toy

from rehearse.training.own.checkpoint import checkpoints
from rehearse.training.own.errors import TrainingError
from rehearse.training.own.metrics import Metrics

pytest.importorskip("tensorboard", reason="an optional extra")


def full(*_: Any, **__: Any) -> Any:
    raise OSError(28, "No space left on device")


def test_steps_that_are_done_again_are_drawn_once(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for first, steps in ((0, (2, 4, 6)), (0, (2, 4)), (2, (4, 6))):
        with Metrics(tmp_path, 6, first, tensorboard=True) as metrics:
            for step in steps:
                metrics.log(step, {"loss": float(step)}, 0.0)
    curves = EventAccumulator(str(tmp_path / "tensorboard"))
    curves.Reload()
    assert [scalar.step for scalar in curves.Scalars("loss")] == [2, 4, 6]


def test_a_full_disk_at_the_end_does_not_hide_what_came_out(
    tmp_path: Path, base: Path, data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from torch.utils.tensorboard import SummaryWriter

    monkeypatch.setattr(SummaryWriter, "close", full)
    with caplog.at_level(logging.WARNING):
        train_toy(data, base, tmp_path / "out", 2, tensorboard=True)
    assert (tmp_path / "out" / "adapter.safetensors").exists()
    assert "tensorboard lacks the last figures (no space left on device); metrics.jsonl" in caplog.text


@pytest.mark.parametrize("where", ["__init__", "add_scalar"])
def test_a_full_disk_on_the_way_names_the_file_and_the_checkpoint(
    tmp_path: Path, base: Path, data: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    from torch.utils.tensorboard import SummaryWriter

    out = tmp_path / "out"
    train_toy(data, base, out, 2, tensorboard=True)
    monkeypatch.setattr(SummaryWriter, where, full)
    with pytest.raises(
        TrainingError,
        match=r"^tensorboard could not be written: no space left on device; "
        r"checkpoint-000002\.safetensors is whole: make room and call again$",
    ):
        train_toy(data, base, out, 4, tensorboard=True)
    assert checkpoints(out)[-1].name == "checkpoint-000002.safetensors"


def test_a_full_disk_where_lines_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"step": 2, "loss": 1.0}\n{"step": 4, "loss": 1.0}\n')
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(
        TrainingError, match=r"^metrics\.jsonl could not be written: .*no space left on device"
    ):
        Metrics(tmp_path, 6, 2, tensorboard=False)
