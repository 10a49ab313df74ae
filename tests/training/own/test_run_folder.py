"""What a run does to its folder, and what it will not do: a model is not written over, a run that was cut off
in any way goes on bit for bit, and a full disk or a damaged checkpoint costs a sentence."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock
from safetensors.torch import load_file
from toy_cogvideox import save_rows
from train_worker import train_toy

from rehearse.cli import run
from rehearse.training.own.checkpoint import TrainingState, checkpoints, load_state, save_state
from rehearse.training.own.errors import TrainingError
from rehearse.training.own.metrics import Metrics
from rehearse.training.own.run_folder import held

FEW = (
    "--batch",
    "2",
    "--rank",
    "2",
    "--alpha",
    "1",
    "--blocks",
    "all",
    "--save-every",
    "2",
    "--sheet-every",
    "0",
)


def words(data: Path, base: Path, out: Path, steps: int) -> list[str]:
    return [
        *("train", "target", str(data), "--base", str(base), "--out", str(out)),
        *("--steps", str(steps), *FEW, "--cpu"),
    ]


def same(one: Path, other: Path) -> None:
    left, right = load_file(one), load_file(other)
    assert left.keys() == right.keys()
    assert all((value == right[name]).all() for name, value in left.items())


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A disk that has no room for a larger file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def state(step: int) -> TrainingState:
    return TrainingState(step, {}, {"kind": "lora"}, {})


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_cut_off_ends_as_if_it_never_was(
    tmp_path: Path, base: Path, data: Path, sent: signal.Signals
) -> None:
    whole, parted, steps = tmp_path / "whole", tmp_path / "parted", 8
    # So many steps that it cannot be over when the signal comes.
    process = subprocess.Popen(
        [sys.executable, "-m", "rehearse", *words(data, base, parted, 100_000)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
        # A shell gives its background jobs a deaf ear for Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while not checkpoints(parted) and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(sent)
    told = process.communicate()[1]
    assert process.returncode == (130 if sent == signal.SIGINT else -signal.SIGKILL), told
    if sent == signal.SIGINT:
        assert f"stopped after a checkpoint in {parted}; call the same again" in told
        assert not (parted / "lock").exists()
    reached = int(checkpoints(parted)[-1].stem.rpartition("-")[2])
    steps = max(steps, reached + 1)
    assert run(words(data, base, parted, steps)) == 0
    assert run(words(data, base, whole, steps)) == 0
    same(checkpoints(whole)[-1], checkpoints(parted)[-1])
    same(whole / "adapter.safetensors", parted / "adapter.safetensors")
    assert not list(parted.glob(".*"))


def test_a_model_is_not_written_over(tmp_path: Path, base: Path, data: Path) -> None:
    copy = shutil.copytree(base, tmp_path / "base")
    before = (copy / "rehearse.json").read_text()
    with pytest.raises(TrainingError, match="it is a model itself; name another folder"):
        train_toy(data, base, copy, 2)
    with pytest.raises(TrainingError, match="it is a model itself"):
        train_toy(data, copy, copy, 2)
    assert (copy / "rehearse.json").read_text() == before
    out = tmp_path / "out"
    train_toy(data, base, out, 2)
    adapter = (out / "adapter.safetensors").read_bytes()
    for path in checkpoints(out):
        path.unlink()
    with pytest.raises(TrainingError, match="holds a model and no checkpoint to go on from"):
        train_toy(data, base, out, 4)
    assert (out / "adapter.safetensors").read_bytes() == adapter


def test_a_run_does_not_lie_in_its_base(tmp_path: Path, base: Path, data: Path) -> None:
    copy = shutil.copytree(base, tmp_path / "base")
    borrowing = shutil.copytree(base, tmp_path / "borrowing")
    shutil.rmtree(borrowing / "vae")
    (borrowing / "rehearse.json").write_text(json.dumps({"base": str(copy)}))
    for model, out in ((copy, copy / "run"), (copy, copy / "runs" / "one"), (borrowing, copy / "run")):
        with pytest.raises(TrainingError, match=rf"lies inside of the base {copy}, which a run does not"):
            train_toy(data, model, out, 2)
        assert not out.exists()


def test_a_run_is_no_base(tmp_path: Path, base: Path, data: Path) -> None:
    train_toy(data, base, tmp_path / "one", 1)
    with pytest.raises(TrainingError, match="has a target adapter already; give the base it stands on"):
        train_toy(data, tmp_path / "one", tmp_path / "two", 1)
    assert not (tmp_path / "two").exists()


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    out, base = tmp_path / "out", tmp_path / "base"
    out.mkdir()
    with FileLock(out / "lock"):  # noqa: SIM117
        with pytest.raises(TrainingError, match="another process trains in it now"), held(out, base):
            pass
    for part in (out / ".rehearse-0a.part", out / ".motion_adapter.part" / "x"):
        part.parent.mkdir(exist_ok=True)
        part.write_bytes(b"half")
    with held(out, base):
        assert [path.name for path in out.iterdir()] == ["lock"]  # what was killed half-way is swept out
    with held(tmp_path / "new", base):
        assert (tmp_path / "new").is_dir()
    assert not (tmp_path / "new").exists()  # nothing came of it


def test_checkpoints_that_are_damaged_cost_none_that_are_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for step in (2, 4, 6):
        save_state(tmp_path, state(step), keep=3)
    for step in (4, 6):
        (tmp_path / f"checkpoint-00000{step}.safetensors").write_bytes(b"torn")
    found = load_state(tmp_path, {"kind": "lora"})
    assert found is not None and found.step == 2
    assert "checkpoint-000006.safetensors is damaged and is passed over" in caplog.text
    save_state(tmp_path, state(3), keep=2)
    found = load_state(tmp_path, {"kind": "lora"})
    assert found is not None and found.step == 3
    for path in checkpoints(tmp_path):
        path.write_bytes(b"torn")
    with pytest.raises(
        TrainingError, match="none of its checkpoints is whole; name another folder, or remove"
    ):
        load_state(tmp_path, {"kind": "lora"})


@pytest.mark.parametrize("kind", ["target", "lora", "motion"])
def test_a_disk_that_fills_up_at_the_end_leaves_the_checkpoint(
    tmp_path: Path, base: Path, image_folder: Path, data: Path, kind: str
) -> None:
    out = tmp_path / "out"
    more = {"size": (64, 64), "frames": 5} if kind == "motion" else {}
    model = image_folder if kind == "motion" else base
    train_toy(data, model, out, 2, kind, **more)
    made = {
        "target": "adapter.safetensors",
        "lora": "pytorch_lora_weights.safetensors",
        "motion": "motion_adapter",
    }
    before = {path.name for path in out.iterdir()}
    place = out / made[kind]
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    with (
        files_of_at_most(2000),
        pytest.raises(TrainingError) as caught,
    ):  # it is at step 2: only the export is left
        train_toy(data, model, out, 2, kind, **more)
    told = str(caught.value)
    assert told.startswith("what was trained could not be written: ") and "\n" not in told
    assert told.endswith("checkpoint-000002.safetensors is whole: make room and call again")
    assert {path.name for path in out.iterdir()} == before - {made[kind]}
    train_toy(data, model, out, 2, kind, **more)
    assert {path.name for path in out.iterdir()} == before
    (out / "mine").touch()  # what the user's own umask gives
    files = [path for path in out.rglob("*.safetensors") if path.parent == out]
    assert {path.stat().st_mode for path in files} == {(out / "mine").stat().st_mode}


def test_a_disk_that_is_too_small_for_a_checkpoint(tmp_path: Path, base: Path, data: Path) -> None:
    train_toy(data, base, tmp_path / "whole", 1)  # the clips are encoded
    with (
        files_of_at_most(10_000),
        pytest.raises(TrainingError, match=r"step 2 could not be saved.*no checkpoint"),
    ):
        train_toy(data, base, tmp_path / "out", 2)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["metrics.jsonl"]


def test_figures_survive_a_line_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step": 2, "loss": 1.0}\n{"step": 4, "loss": 0.9}\n\0\0}\n{"step": 6, "lo')
    Metrics(tmp_path, 10, 2, tensorboard=False)
    assert path.read_text() == '{"step": 2, "loss": 1.0}\n'


def test_a_file_that_goes_while_it_trains_is_named(tmp_path: Path, base: Path) -> None:
    data = save_rows(tmp_path / "data")
    from rehearse.training.own import run as running

    whole = running.Loop

    def loses_a_mask(*given: object) -> object:
        (tmp_path / "data" / "1.png").unlink()
        return whole(*given)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "Loop", loses_a_mask)
        with pytest.raises(
            TrainingError, match=r"row 2: .*1\.png has changed since it was checked: there is no such"
        ):
            train_toy(data, base, tmp_path / "out", 3)


def test_a_process_beside_the_first_lets_it_speak(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("rehearse.cli.train_own.time.sleep", slept.append)
    command = ["train", "lora", str(tmp_path / "none.jsonl"), "--validate"]
    for rank, waits in (("0", 0), ("1", 1)):
        monkeypatch.setenv("RANK", rank)
        assert run(command) == 2
        assert len(slept) == waits
        assert "cannot be read (no such file or directory)" in capsys.readouterr().err
