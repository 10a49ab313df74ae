"""A take's folder that somebody's disk, hand or other process has been at: what is left is used, or said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

import rehearse as rh
from rehearse.models.errors import ModelError
from rehearse.models.model import VideoModel
from rehearse.sampling.checkpoint import CheckpointDamaged, CheckpointError, load_checkpoint
from rehearse.shot.methods import BlendSettings
from rehearse.takes.folder import FolderError, TakeFolder

STEPS = 4


@pytest.fixture
def shot(video_folder: Path) -> rh.Shot:
    shot = rh.Shot("a red ball over the meadow", model=str(video_folder), seed=2, steps=STEPS, frames=2)
    return shot.with_(width=32, height=32)


def recorded(place: Path, shot: rh.Shot, model: VideoModel, until: int | None = None) -> TakeFolder:
    folder = TakeFolder.create(place)
    list(rh.Take.start(shot, model, keep=0, recorder=folder).play(until))
    return folder


def forked(parent: TakeFolder, place: Path, model: VideoModel, original: str, at: int = 1) -> TakeFolder:
    blend = BlendSettings(weight=0.5, original=original)  # type: ignore[arg-type]
    changed = parent.shot.with_prompt("a red ball over the snow").with_control(blend=blend)
    folder = TakeFolder.create(place)
    parent.take(model).fork(at, changed, recorder=folder).finish()
    return folder


def latents(take: rh.Take) -> torch.Tensor:
    assert take.state is not None
    return take.state.latents


def content(place: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}


def flip(file: Path) -> None:
    """One bit of the tensors, which lie at the end of the file."""
    changed = bytearray(file.read_bytes())
    changed[len(changed) * 9 // 10] ^= 4
    file.write_bytes(changed)


def test_a_flipped_bit_is_found(shot: rh.Shot, video_model: VideoModel, tmp_path: Path) -> None:
    folder = recorded(tmp_path / "a", shot, video_model, until=3)
    whole = latents(rh.Take.start(shot, video_model).finish())
    flip(folder._file(3))
    with pytest.raises(CheckpointDamaged, match="does not hold what was written"):
        load_checkpoint(folder._file(3))
    with folder.running():
        take = TakeFolder.take(folder, video_model)
        assert take.step == 2 and torch.equal(latents(take.finish()), whole)


def test_whoever_only_looks_or_forks_changes_nothing(
    shot: rh.Shot, video_model: VideoModel, tmp_path: Path
) -> None:
    folder = recorded(tmp_path / "a", shot, video_model)
    flip(folder._file(4))
    before = content(tmp_path / "a")
    opened = TakeFolder.open(tmp_path / "a")
    assert not opened.runs() and opened.left_by is None
    late = TakeFolder.create(tmp_path / "b")
    opened.take(video_model).fork(2, shot.with_prompt("a red ball over the snow"), recorder=late)
    assert late.steps() == (2,) and content(tmp_path / "a") == before
    with opened.running():
        opened.take(video_model)
    assert not opened._file(4).exists(), "the process that runs it puts it aside"


def test_a_damaged_step_cannot_be_forked_and_others_are_named(
    shot: rh.Shot, video_model: VideoModel, tmp_path: Path
) -> None:
    folder = recorded(tmp_path / "a", shot, video_model)
    folder._file(2).write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"whole safetensors file; give another step .*\(0, 1, 3, 4\)"):
        folder.take(video_model).fork(2, shot.with_(guidance=2))


def test_a_newer_format_is_no_damage(
    shot: rh.Shot, video_model: VideoModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older program would else put every checkpoint aside and begin anew."""
    monkeypatch.setattr("rehearse.sampling.checkpoint.VERSION", 3)
    folder = recorded(tmp_path / "a", shot, video_model, until=2)
    monkeypatch.undo()
    before = folder.steps()
    with (
        folder.running(),
        pytest.raises(CheckpointError, match=r"checkpoint format version 3.*update"),
    ):
        folder.take(video_model)
    assert folder.steps() == before


def test_a_checkpoint_of_another_take_is_not_taken_for_its_own(
    shot: rh.Shot, video_model: VideoModel, tmp_path: Path
) -> None:
    folder = recorded(tmp_path / "a", shot, video_model, until=3)
    other = recorded(tmp_path / "b", shot.with_seed(9), video_model, until=3)
    shutil.copy(other._file(3), folder._file(3))
    shutil.copy(folder._file(1), folder._file(2))
    assert folder.take(video_model).step == 1


def test_a_step_that_is_dropped_while_it_is_looked_at(
    shot: rh.Shot, video_model: VideoModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = recorded(tmp_path / "a", shot, video_model, until=3)
    real = TakeFolder._load

    def dropped(self: TakeFolder, step: int) -> Any:
        self._file(3).unlink(missing_ok=True)
        return real(self, step)

    monkeypatch.setattr(TakeFolder, "_load", dropped)
    assert folder.take(video_model).step == 2


@pytest.mark.parametrize("original", ["computed", "kept"])
def test_a_blended_take_without_its_first_checkpoint(
    shot: rh.Shot, video_model: VideoModel, tmp_path: Path, original: str
) -> None:
    """Computed, any other checkpoint says what it is blended with; kept predictions were there alone."""
    folder = forked(recorded(tmp_path / "a", shot, video_model), tmp_path / "b", video_model, original)
    whole = latents(folder.take(video_model))
    folder._file(1).write_bytes(b"")
    folder._file(4).unlink()
    if original == "computed":
        assert torch.equal(latents(folder.take(video_model).finish()), whole)
    else:
        with pytest.raises(FolderError, match=r"cannot be read .*fork its parent at step 1 again"):
            folder.take(video_model)


@pytest.mark.parametrize(
    ("name", "value"),
    [("steps", "four"), ("steps", 0), ("frames", True), ("keep", -1), ("id", 3), ("blend", "both"),
     ("branch_step", 2), ("parent", 5), ("shot", None)],
)  # fmt: skip
def test_a_card_of_other_kinds_is_damaged(
    shot: rh.Shot, video_model: VideoModel, tmp_path: Path, name: str, value: object
) -> None:
    recorded(tmp_path / "a", shot, video_model, until=1)
    card = tmp_path / "a" / "take.json"
    card.write_text(json.dumps({**json.loads(card.read_text()), name: value}))
    with pytest.raises(FolderError, match=r"take\.json"):
        _ = TakeFolder.open(tmp_path / "a").shot


def test_a_lost_card_names_the_checkpoint_that_goes_on(
    shot: rh.Shot, video_model: VideoModel, tmp_path: Path
) -> None:
    folder = recorded(tmp_path / "a", shot, video_model, until=3)
    (tmp_path / "a" / "take.json").write_text("{")
    with pytest.raises(FolderError, match=r"step-0003\.safetensors.* goes on from step 3"):
        TakeFolder.open(tmp_path / "a")
    take = rh.Take.load(folder._file(3), video_model)
    assert torch.equal(latents(take.finish()), latents(rh.Take.start(shot, video_model).finish()))


def test_a_shot_that_was_changed_in_the_card_is_refused(
    shot: rh.Shot, video_model: VideoModel, tmp_path: Path
) -> None:
    folder = recorded(tmp_path / "a", shot, video_model, until=2)
    card = tmp_path / "a" / "take.json"
    card.write_text(card.read_text().replace("meadow", "desert"))
    with pytest.raises(FolderError, match=r"has another shot than .*; put the file back, and fork the take"):
        TakeFolder.open(tmp_path / "a").take(video_model)
    card.write_text(card.read_text().replace("desert", "meadow"))
    assert TakeFolder.open(tmp_path / "a").take(video_model).step == folder.step == 2


def test_what_can_be_made_anew_may_be_gone(shot: rh.Shot, video_model: VideoModel, tmp_path: Path) -> None:
    folder = recorded(tmp_path / "a", shot, video_model, until=3)
    for name in ("previews", "checkpoints"):
        shutil.rmtree(tmp_path / "a" / name)
    (tmp_path / "a" / "events.jsonl").write_bytes(b"\xff\n")
    opened = TakeFolder.open(tmp_path / "a")
    with opened.running():
        whole = opened.take(video_model).finish()
    assert torch.equal(latents(whole), latents(rh.Take.start(shot, video_model).finish()))
    assert opened.events()[-1]["event"] == "finished"
    assert folder.preview(2) is not None
    (tmp_path / "a" / "previews" / "step-0002.png").write_bytes(b"no picture")
    assert folder.preview(2) is None


def test_a_folder_that_cannot_be_written_to(shot: rh.Shot, video_model: VideoModel, tmp_path: Path) -> None:
    """A root user may write anywhere, so here a folder stands where the lock would be."""
    folder = recorded(tmp_path / "a", shot, video_model, until=1)
    (tmp_path / "a" / "lock").mkdir()
    assert not folder.runs()
    with pytest.raises(FolderError, match=r"cannot write in .*make the folder writable"), folder.running():
        pass
    late = TakeFolder.create(tmp_path / "b")
    folder.take(video_model).fork(1, shot.with_(guidance=2), recorder=late)
    assert late.steps() == (1,)


def test_the_slower_of_two_processes_takes_no_folder_away(
    shot: rh.Shot, video_model: VideoModel, tmp_path: Path
) -> None:
    slower = TakeFolder.create(tmp_path / "a")
    recorded(tmp_path / "a", shot, video_model, until=1)
    before = content(tmp_path / "a")
    with pytest.raises(FolderError, match="holds a take already"):
        rh.Take.start(shot, video_model, recorder=slower)
    assert content(tmp_path / "a") == before


def test_a_take_inside_another_is_refused(shot: rh.Shot, video_model: VideoModel, tmp_path: Path) -> None:
    recorded(tmp_path / "a", shot, video_model, until=1)
    for inside in ("b", "checkpoints/b"):
        with pytest.raises(FolderError, match="lies in the folder of another take"):
            TakeFolder.create(tmp_path / "a" / inside)


def test_a_model_that_is_gone_names_the_take(
    shot: rh.Shot, video_model: VideoModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(tmp_path / "a", shot, video_model, until=1)
    card = tmp_path / "a" / "take.json"
    card.write_text(json.dumps({**json.loads(card.read_text()), "model": "toy"}))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=r"seen from where it was started\): there is no model 'toy'"):
        TakeFolder.open(tmp_path / "a").take()
