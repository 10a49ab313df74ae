"""What a take was computed with, kept and compared: bits are equal only where that is."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from rehearse import Shot, Take, load_model
from rehearse.models.model import VideoModel
from rehearse.sampling import checkpoint as module
from rehearse.sampling.checkpoint import load_checkpoint
from rehearse.sampling.surroundings import changed_surroundings, surroundings
from rehearse.takes.folder import TakeFolder


@pytest.fixture
def threads() -> Iterator[int]:
    before = torch.get_num_threads()
    yield before
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def model(video_folder: Path) -> VideoModel:
    return load_model(str(video_folder), precision="float32", device="cpu")


def shot(model: VideoModel) -> Shot:
    return Shot("a red ball moves right", model=model.identity, steps=3, frames=3, width=64, height=64)


def test_a_checkpoint_says_what_it_was_computed_with(
    model: VideoModel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    take = Take.start(shot(model), model)
    next(take.play())
    made = load_checkpoint(take.save(tmp_path / "take.safetensors")).made_with
    assert made == surroundings(model)
    assert made["threads"] == str(torch.get_num_threads()) and made["torch"] == torch.__version__
    assert (made["device"], made["format"]) == ("cpu", "float32")
    with caplog.at_level(logging.WARNING, "rehearse"):
        Take.load(tmp_path / "take.safetensors", model)
    assert not caplog.messages, "nothing differs, nothing is said"


def test_another_number_of_threads_is_said_on_resume_and_fork(
    model: VideoModel, tmp_path: Path, caplog: pytest.LogCaptureFixture, threads: int
) -> None:
    folder = TakeFolder.create(tmp_path / "folder")
    take = Take.start(shot(model), model, recorder=folder)
    next(take.play())
    take.save(tmp_path / "take.safetensors")
    torch.set_num_threads(threads + 1)
    for again in (
        lambda: Take.load(tmp_path / "take.safetensors", model),
        lambda: TakeFolder.open(tmp_path / "folder").take(model),
    ):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "rehearse"):
            loaded = again()
        assert len(caplog.messages) == 1
        said = caplog.messages[0]
        assert f"threads {threads}, and goes on with threads {threads + 1}" in said
        assert f"OMP_NUM_THREADS={threads}" in said
        assert loaded.finish().finished
        # What goes on is what made the newest state: only the way there is told of, once.
        fresh = loaded.fork(at=1).save(tmp_path / "fork.safetensors")
        assert load_checkpoint(fresh).made_with["threads"] == str(threads + 1)


def test_files_of_older_versions_are_read_quietly(
    model: VideoModel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    take = Take.start(shot(model), model)
    next(take.play())
    path = take.save(tmp_path / "take.safetensors")
    for made_with in (None, {"torch": torch.__version__, "threads": torch.get_num_threads()}):
        with safe_open(path, framework="pt") as content:
            metadata = dict(content.metadata())
            tensors = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118
        del metadata["made_with"], metadata["digest"]
        if made_with is not None:
            metadata["made_with"] = json.dumps(made_with)
        metadata["digest"] = module._digest(metadata, tensors)
        save_file(tensors, tmp_path / "old.safetensors", metadata)
        with caplog.at_level(logging.WARNING, "rehearse"):
            old = Take.load(tmp_path / "old.safetensors", model)
        assert not caplog.messages and old.step == 1


@pytest.mark.parametrize(
    ("before", "now", "says"),
    [
        ({}, {"threads": "2"}, None),
        ({"threads": "2"}, {"threads": "2", "device": "cpu"}, None),
        ({"threads": "2", "device": "cuda"}, {"threads": "4", "device": "cuda"}, None),
        ({"threads": "2", "device": "cpu"}, {"threads": "4", "device": "cpu"}, "OMP_NUM_THREADS=2"),
        ({"format": "bfloat16"}, {"format": "float32"}, "number format bfloat16"),
        ({"device": "cuda", "torch": "2.0"}, {"device": "cpu", "torch": "2.1"}, "device cuda, version of"),
    ],
)
def test_what_differs(before: dict[str, str], now: dict[str, str], says: str | None) -> None:
    said = changed_surroundings(before, now)
    assert said is None if says is None else said is not None and says in said
