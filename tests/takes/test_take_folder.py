"""A take's folder: written as it runs, resumed bit for bit, whoever died in between."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import rehearse as rh
from rehearse.media import read_frames, read_shot
from rehearse.models import load_model
from rehearse.models.model import VideoModel
from rehearse.planning import animation
from rehearse.resolve.instructions.pictures import picture_of
from rehearse.sampling.loop import Cancelled
from rehearse.shot.methods import BlendSettings
from rehearse.takes.folder import FolderError, TakeFolder

PATH = [(0, rh.Box(0.1, 0.3, 0.4, 0.7)), (1, rh.Box(0.6, 0.3, 0.9, 0.7))]
STEPS = 4


@pytest.fixture
def shot(video_folder: Path) -> rh.Shot:
    shot = rh.Shot("a red ball over the meadow", model=str(video_folder), seed=2, steps=STEPS, frames=3)
    return shot.with_(width=48, height=40, scheduler="unipc").follow("red ball", PATH)


def edit(shot: rh.Shot, original: str = "computed") -> rh.Shot:
    blend = BlendSettings(weight=0.5, original=original)  # type: ignore[arg-type]
    return shot.with_prompt("a red ball over the snow").with_control(blend=blend)


def latents(take: rh.Take) -> torch.Tensor:
    assert take.state is not None
    return take.state.latents


def recorded(
    place: Path, shot: rh.Shot, model: VideoModel, until: int | None = None, keep: int = 1
) -> TakeFolder:
    folder = TakeFolder.create(place, keep=keep)
    take = rh.Take.start(shot, model, keep=0, recorder=folder)
    list(take.play(until))
    return folder


def test_what_is_in_it(shot: rh.Shot, video_model: VideoModel, tmp_path: Path) -> None:
    folder = recorded(tmp_path / "a", shot, video_model)
    card = json.loads((tmp_path / "a" / "take.json").read_text())
    assert (card["steps"], card["frames"], card["width"], card["height"]) == (STEPS, 3, 48, 40)
    assert rh.Shot.model_validate(card["shot"]) == shot == folder.shot
    assert folder.steps() == (0, 1, 2, 3, 4) and folder.finished
    whole = rh.Take.start(shot, video_model).finish()
    assert read_shot(folder.clip_path) == shot and read_frames(folder.clip_path).shape == (3, 40, 48, 3)
    assert torch.equal(latents(folder.take(video_model)), latents(whole))
    assert [event["event"] for event in folder.events()] == ["started", *["step"] * STEPS, "finished"]
    previews = [folder.preview(step) for step in range(STEPS + 1)]
    assert previews[0] is None
    event = list(rh.Take.start(shot, video_model).play(until=2))[1]
    assert previews[2] is not None and np.array_equal(previews[2], event.preview)
    leftovers = [path for path in (tmp_path / "a").rglob("*") if path.name.endswith(".part")]
    assert leftovers == []


@pytest.mark.parametrize(("keep", "kept"), [(1, (0, 1, 2, 3)), (2, (0, 2, 3)), (0, (3,)), (3, (0, 3))])
def test_how_much_is_kept(
    shot: rh.Shot, video_model: VideoModel, tmp_path: Path, keep: int, kept: tuple[int, ...]
) -> None:
    folder = recorded(tmp_path / "a", shot, video_model, until=3, keep=keep)
    assert folder.steps() == kept
    again = TakeFolder.open(tmp_path / "a")
    assert again.keep == keep and again.take(video_model).kept_steps == tuple(sorted({0, *kept}))


def test_resumed_it_is_the_take_that_never_stopped(
    shot: rh.Shot, video_model: VideoModel, tmp_path: Path
) -> None:
    whole = rh.Take.start(shot, video_model).finish()
    for until in range(STEPS + 1):
        recorded(tmp_path / str(until), shot, video_model, until=until, keep=0)
        take = TakeFolder.open(tmp_path / str(until)).take(video_model)
        assert take.step == until
        assert torch.equal(latents(take.finish()), latents(whole))


@pytest.mark.parametrize("original", ["computed", "kept"])
def test_a_fork_has_a_folder_of_its_own(
    shot: rh.Shot, video_model: VideoModel, tmp_path: Path, original: str
) -> None:
    """Also where it is blended: the parent's folder may be gone then."""
    parent = recorded(tmp_path / "a", shot, video_model)
    before = {path: path.read_bytes() for path in (tmp_path / "a").rglob("*") if path.is_file()}
    in_memory = rh.Take.start(shot, video_model).finish().fork(1, edit(shot, original)).finish()
    late = TakeFolder.create(tmp_path / "b", keep=0)
    branch = parent.take(video_model).fork(1, edit(shot, original), recorder=late)
    assert late.steps() == (1,)
    list(branch.play(until=2))
    assert {path: path.read_bytes() for path in before} == before, "the parent is harmed"
    for path in before:
        path.unlink()
    reopened = TakeFolder.open(tmp_path / "b")
    assert (reopened.card.parent, reopened.card.branch_step) == (parent.card.id, 1)
    assert reopened.card.blend == original and reopened.steps() == (1, 2)
    assert torch.equal(latents(reopened.take(video_model).finish()), latents(in_memory))


def test_a_checkpoint_without_what_was_kept_says_so(
    shot: rh.Shot, video_model: VideoModel, tmp_path: Path
) -> None:
    parent = rh.Take.start(shot, video_model).finish()
    folder = TakeFolder.create(tmp_path / "b")
    list(parent.fork(1, edit(shot, "kept"), recorder=folder).play(until=3))
    later = tmp_path / "b" / "checkpoints" / "step-0003.safetensors"
    with pytest.raises(rh.TakeError, match="continue it from its folder"):
        rh.Take.load(later, video_model)
    first = later.with_name("step-0001.safetensors")
    assert rh.Take.load(first, video_model).finish().finished


class PowerCut(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("forked", [False, True])
def test_a_power_cut_at_any_write(
    shot: rh.Shot, video_model: VideoModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: bool
) -> None:
    """Cut off before, and again after, each file that is flushed: always a folder that resumes, or none."""
    parent = rh.Take.start(shot, video_model).finish()
    shot = edit(shot, "kept") if forked else shot

    def begin(folder: TakeFolder) -> rh.Take:
        if forked:
            return parent.fork(2, shot, recorder=folder)
        return rh.Take.start(shot, video_model, keep=0, recorder=folder)

    expected = latents(begin(TakeFolder.create(tmp_path / "whole")).finish())
    real, count, limit = os.fsync, 0, 0

    def fsync(handle: int) -> None:
        nonlocal count
        count += 1
        if count == limit:
            raise PowerCut
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    for limit in range(1, 200):
        count, place = 0, tmp_path / str(limit)
        try:
            begin(TakeFolder.create(place)).finish()
            break
        except PowerCut:
            count = limit
        if not (place / "take.json").exists():
            assert latents(begin(TakeFolder.create(place)).finish()).equal(expected)
            continue
        resumed = TakeFolder.open(place)
        assert torch.equal(latents(resumed.take(video_model).finish()), expected)
        assert resumed.clip_path.exists() and resumed.events()[-1]["event"] in ("finished", "step")
    assert 10 < limit < 199, "it was never cut off, or never came to its end"


@pytest.mark.slow
def test_killed_at_random_moments(shot: rh.Shot, tmp_path: Path) -> None:
    shot = shot.with_(steps=40)
    model = load_model(shot.model)  # in the precision that the other process finds best too
    recorded(tmp_path / "a", shot, model, until=1, keep=0)
    worker = [sys.executable, str(Path(__file__).with_name("folder_worker.py")), str(tmp_path / "a")]
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    chance = random.Random(5)
    for _ in range(3):
        process = subprocess.Popen(worker, env=environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        for _ in range(chance.randrange(4)):
            process.stdout.readline()
        time.sleep(chance.random() * 0.05)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        folder = TakeFolder.open(tmp_path / "a")
        assert not folder.runs() and folder.left_by == process.pid
        assert not folder.pause(), "nobody is there to be asked"
    assert 1 < folder.step < 40
    whole = rh.Take.start(shot, model, keep=0).finish()
    with folder.running():
        assert torch.equal(latents(folder.take(model).finish()), latents(whole))
    assert folder.left_by is None


def test_only_one_process_runs_it_and_another_can_pause_it(
    shot: rh.Shot, video_model: VideoModel, tmp_path: Path
) -> None:
    folder = TakeFolder.create(tmp_path / "a")
    other = TakeFolder(tmp_path / "a")
    with folder.running():
        take = rh.Take.start(shot.with_(steps=400), video_model, keep=0, recorder=folder)
        next(take.play())
        assert other.runs()
        with (
            pytest.raises(FolderError, match=f"is being run by process {os.getpid()}; pause it first"),
            other.running(),
        ):
            pass
        asking = threading.Thread(target=other.pause, args=(lambda: time.sleep(0.01),))
        asking.start()
        with pytest.raises(Cancelled):
            take.finish()
    asking.join(timeout=30)
    assert not asking.is_alive() and not other.runs() and not other.pause_asked
    assert 1 <= other.step < 400 and other.events()[-1]["event"] == "paused"


def test_a_damaged_checkpoint_costs_one_step_not_the_take(
    shot: rh.Shot, video_model: VideoModel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = recorded(tmp_path / "a", shot, video_model, until=3)
    newest = tmp_path / "a" / "checkpoints" / "step-0003.safetensors"
    newest.write_bytes(newest.read_bytes()[:500])
    take = folder.take(video_model)
    assert take.step == 2 and "not a whole safetensors file" in caplog.text
    assert torch.equal(latents(take.finish()), latents(rh.Take.start(shot, video_model).finish()))


def test_a_half_written_event_is_passed_over(shot: rh.Shot, video_model: VideoModel, tmp_path: Path) -> None:
    folder = recorded(tmp_path / "a", shot, video_model, until=1)
    with (tmp_path / "a" / "events.jsonl").open("a") as file:
        file.write('{"event": "st')
    folder.take(video_model).finish()
    assert [event["step"] for event in folder.events()] == [0, 1, 2, 3, 4, 4]


def test_other_weights_are_refused(
    shot: rh.Shot, video_model: VideoModel, image_model: VideoModel, tmp_path: Path
) -> None:
    folder = recorded(tmp_path / "a", shot, video_model, until=1)
    with pytest.raises(rh.CheckpointError, match="other weights"):
        folder.take(image_model)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "holds no take: there is no take.json"), ("{", "damaged"), ("[]", "damaged"),
     ('{"format": "x"}', "damaged"), ('{"format": "rehearse-take", "version": 9}', "format version 9")],
)  # fmt: skip
def test_what_is_no_takes_folder(tmp_path: Path, content: str | None, sentence: str) -> None:
    if content is not None:
        (tmp_path / "take.json").write_text(content)
    with pytest.raises(FolderError, match=sentence):
        TakeFolder.open(tmp_path)
    with pytest.raises(FolderError, match="there is no folder"):
        TakeFolder.open(tmp_path / "none")


def test_a_folder_in_use_is_not_taken(shot: rh.Shot, video_model: VideoModel, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(FolderError, match="exists already; choose another"):
        TakeFolder.create(tmp_path)
    recorded(tmp_path / "a", shot, video_model, until=0)
    with pytest.raises(FolderError, match="holds a take already"):
        TakeFolder.create(tmp_path / "a")
    with pytest.raises(FolderError, match="there is no folder"):
        TakeFolder.create(tmp_path / "b" / "c")
    with pytest.raises(FolderError, match="keep is -1"):
        TakeFolder.create(tmp_path / "d", keep=-1)


def test_a_state_that_cannot_be_written_is_taken_again(
    shot: rh.Shot, video_model: VideoModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = TakeFolder.create(tmp_path / "a")
    take = rh.Take.start(shot, video_model, recorder=folder)
    list(take.play(until=1))
    real = os.fsync

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(rh.CheckpointError, match="no space left"):
        take.finish()
    assert take.step == 1 and folder.step == 1
    monkeypatch.setattr(os, "fsync", real)
    assert torch.equal(latents(take.finish()), latents(rh.Take.start(shot, video_model).finish()))


def test_a_picture_that_is_drawn_otherwise_later_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from toy_models import save_toy_model, save_toy_motion_model

    base = save_toy_model(tmp_path / "image", kind="image", settings={"defaults": {"frames": 1}})
    name = str(save_toy_motion_model(tmp_path / "animate", base))
    model = load_model(name, precision="float32")
    shot = rh.Shot("a red ball over snow", model=name, frames=3, width=64, height=48, steps=2)
    shot = shot.image(np.full((48, 64, 3), 60, np.uint8))
    folder = recorded(tmp_path / "a", shot, model, until=1)
    assert folder.take(model).finish().plan.picture == folder.card.picture is not None
    assert not caplog.messages

    card = tmp_path / "a" / "take.json"
    said = json.loads(card.read_text())
    made = animation.make_intermediate(picture_of(shot, 64, 48), model.pictures.picture_model())
    other = replace(made, original=made.original + np.uint8(1))
    monkeypatch.setattr(animation, "make_intermediate", lambda *_: other)
    TakeFolder.open(tmp_path / "a").take(model)
    (message,) = caplog.messages
    assert "begins with another picture than the take in" in message and "\n" not in message
    caplog.clear()
    del said["picture"]
    card.write_text(json.dumps(said))
    assert TakeFolder.open(tmp_path / "a").card.picture is None, "a folder from before"
    TakeFolder.open(tmp_path / "a").take(model)
    assert not caplog.messages
    card.write_text(json.dumps({**said, "picture": 3}))
    with pytest.raises(FolderError, match="damaged"):
        TakeFolder.open(tmp_path / "a")
