"""Takes: played, paused, forked, cancelled, saved; clips that show themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import rehearse as rh
from rehearse.models.model import VideoModel
from rehearse.sampling.loop import Cancelled
from rehearse.sampling.state import State
from rehearse.takes.folder import TakeFolder
from rehearse.takes.take import StepEvent

PATH = [(0, rh.Box(0.1, 0.3, 0.4, 0.7)), (1, rh.Box(0.6, 0.3, 0.9, 0.7))]
ARC = [(0, rh.Box(0.1, 0.6, 0.4, 1.0)), (0.5, rh.Box(0.3, 0.0, 0.6, 0.4)), (1, rh.Box(0.6, 0.6, 0.9, 1.0))]


class Counting:
    """Counts a model's denoising calls."""

    def __init__(self, model: VideoModel, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        whole = model.denoise

        def denoise(*args: object, **options: object) -> torch.Tensor:
            self.calls += 1
            return whole(*args, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(model, "denoise", denoise)


@pytest.fixture
def shot(video_folder: Path) -> rh.Shot:
    shot = rh.Shot("a red ball over the meadow", model=str(video_folder), seed=2, steps=5, frames=3)
    return shot.with_(width=48, height=40, scheduler="dpm++").follow("red ball", PATH)


def state_of(take: rh.Take) -> State:
    assert take._state is not None
    return take._state


def test_starting_runs_nothing(
    shot: rh.Shot, video_model: VideoModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Counting(video_model, monkeypatch)
    take = rh.Take.start(shot, video_model)
    assert (take.step, take.steps, take.finished, counting.calls) == (0, 5, False, 0)
    with pytest.raises(rh.TakeError, match=r"step 0 of 5: finish\(\) it first"):
        _ = take.clip


def test_a_shot_the_model_cannot_take_is_refused_at_the_start(shot: rh.Shot, video_model: VideoModel) -> None:
    with pytest.raises(rh.ShotError, match="motion"):
        rh.Take.start(shot.motion("fast"), video_model)


def test_playing_yields_steps_with_previews(shot: rh.Shot, video_model: VideoModel) -> None:
    take = rh.Take.start(shot, video_model)
    events = list(take.play(until=3))
    assert [(event.step, event.steps) for event in events] == [(1, 5), (2, 5), (3, 5)]
    preview = events[1].preview
    assert preview.shape == (3, 5, 6, 3) and preview.dtype == np.uint8 and events[1].preview is preview
    assert take.step == 3 and take.look().shape == (3, 40, 48, 3)
    assert [event.step for event in take.play()] == [4, 5]
    assert take.finished and list(take.play()) == []


def test_a_preview_costs_nothing_until_it_is_asked_for(
    shot: rh.Shot, video_model: VideoModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_model, "preview", lambda latents: pytest.fail("nobody asked"))
    rh.Take.start(shot, video_model).finish(lambda event: event.step)


@pytest.mark.parametrize("until", [-1, 6])
def test_a_step_it_does_not_have(shot: rh.Shot, video_model: VideoModel, until: int) -> None:
    with pytest.raises(rh.TakeError, match=f"until is {until}: the take has 5 steps"):
        rh.Take.start(shot, video_model).play(until=until)


def test_pausing_changes_nothing(shot: rh.Shot, video_model: VideoModel) -> None:
    paused = rh.Take.start(shot, video_model)
    for event in paused.play():
        if event.step == 2:
            break
    paused.finish()
    whole = rh.Take.start(shot, video_model).finish()
    assert np.array_equal(paused.clip.frames, whole.clip.frames)
    assert whole.clip is whole.clip and whole.clip.frames.shape == (3, 40, 48, 3) and whole.clip.fps == 8


def test_a_fork_without_a_change_ends_at_the_same_clip_and_pays_for_the_rest_only(
    shot: rh.Shot, video_model: VideoModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = rh.Take.start(shot, video_model).finish()
    counting = Counting(video_model, monkeypatch)
    late = take.fork(at=3).finish()
    assert counting.calls == 2
    assert torch.equal(state_of(late).latents, state_of(take).latents)
    assert (late.parent, late.parent_id, late.branch_step) == (take, take.id, 3) and late.id != take.id


def test_a_fork_with_a_change_goes_another_way_and_leaves_its_parent(
    shot: rh.Shot, video_model: VideoModel
) -> None:
    take = rh.Take.start(shot, video_model).finish()
    before = take.clip.frames.copy()
    changed = shot.follow("red ball", ARC).with_control(frozen_steps=5)
    late = take.fork(at=2, shot=changed)
    assert late.step == 2 and torch.equal(state_of(late).latents, take._kept[2].latents)
    late.finish()
    assert (state_of(late).latents - state_of(take).latents).abs().max() > 1e-3
    assert late.clip.shot == changed and np.array_equal(take.clip.frames, before)


def test_a_fork_of_a_fork_keeps_the_earlier_steps(shot: rh.Shot, video_model: VideoModel) -> None:
    take = rh.Take.start(shot, video_model)
    list(take.play(until=3))
    branch = take.fork(shot=shot.follow("red ball", ARC))
    assert branch.branch_step == 3 and branch.kept_steps == (0, 1, 2, 3)
    assert branch.fork(at=1).finish().finished
    assert take.step == 3


def test_at_zero_anything_may_change(shot: rh.Shot, video_model: VideoModel, image_folder: Path) -> None:
    take = rh.Take.start(shot, video_model).finish()
    other = take.fork(at=0, shot=shot.with_(seed=9, frames=2, steps=2)).finish()
    assert other.clip.frames.shape[0] == 2 and other.branch_step == 0 and other.parent is take
    picture = take.fork(at=0, shot=shot.with_(model=str(image_folder), frames=1)).finish()
    assert picture.clip.frames.shape == (1, 40, 48, 3)


@pytest.mark.parametrize(
    ("fields", "name"),
    [({"seed": 9}, "seed"), ({"frames": 2}, "frames"), ({"width": 64}, "width"), ({"steps": 6}, "steps"),
     ({"scheduler": "unipc"}, "scheduler"), ({"model": "theatre-video"}, "model")],
)  # fmt: skip
def test_in_the_middle_some_things_stay(
    shot: rh.Shot, video_model: VideoModel, fields: dict[str, object], name: str
) -> None:
    take = rh.Take.start(shot, video_model)
    list(take.play(until=2))
    with pytest.raises(rh.TakeError, match=f"a fork at step 2 keeps the {name} of its take"):
        take.fork(at=2, shot=shot.with_(**fields))


@pytest.mark.parametrize(
    ("keep", "kept"), [(1, (0, 1, 2, 3, 4)), (2, (0, 2, 4)), (0, (0, 4)), (3, (0, 3, 4))]
)
def test_how_much_is_kept_is_a_choice(
    shot: rh.Shot, video_model: VideoModel, keep: int, kept: tuple[int, ...]
) -> None:
    take = rh.Take.start(shot, video_model, keep=keep)
    list(take.play(until=4))
    assert take.kept_steps == kept
    for step in kept:
        take.fork(at=step)
    lost = set(range(6)) - set(kept)
    with pytest.raises(rh.TakeError, match="the take keeps the states of steps 0"):
        take.fork(at=min(lost))


def test_a_negative_keep_is_refused(shot: rh.Shot, video_model: VideoModel) -> None:
    with pytest.raises(rh.TakeError, match="keep is -1"):
        rh.Take.start(shot, video_model, keep=-1)


def test_cancelling_between_steps(shot: rh.Shot, video_model: VideoModel) -> None:
    take = rh.Take.start(shot, video_model)

    def stop(event: StepEvent) -> None:
        if event.step == 2:
            event.take.cancel()

    with pytest.raises(Cancelled):
        take.finish(stop)
    assert take.step == 2 and not take.finished
    take.finish()
    whole = rh.Take.start(shot, video_model).finish()
    assert torch.equal(state_of(take).latents, state_of(whole).latents)


def test_saved_and_loaded(shot: rh.Shot, video_model: VideoModel, tmp_path: Path) -> None:
    take = rh.Take.start(shot, video_model)
    list(take.play(until=1))
    branch = take.fork(shot=shot.follow("red ball", ARC))
    list(branch.play(until=3))
    loaded = rh.Take.load(branch.save(tmp_path / "a.take"), video_model)
    assert (loaded.id, loaded.step, loaded.parent_id, loaded.branch_step) == (branch.id, 3, take.id, 1)
    assert loaded.shot == branch.shot and loaded.parent is None
    assert torch.equal(state_of(loaded.finish()).latents, state_of(branch.finish()).latents)


def test_a_take_of_another_model_is_not_continued(
    shot: rh.Shot, video_model: VideoModel, image_model: VideoModel, tmp_path: Path
) -> None:
    path = rh.Take.start(shot, video_model).save(tmp_path / "a.take")
    with pytest.raises(rh.CheckpointError, match="continue it with the model it was made with"):
        rh.Take.load(path, image_model)
    assert rh.Take.load(path).finish().finished


def test_generate_is_the_short_way(shot: rh.Shot, video_model: VideoModel, tmp_path: Path) -> None:
    steps: list[int] = []
    clip = rh.generate(shot, on_step=lambda event: steps.append(event.step), model=video_model)
    assert steps == [1, 2, 3, 4, 5] and clip.shot == shot and clip.seconds == pytest.approx(3 / 8)
    assert np.array_equal(clip.frames, rh.Take.start(shot, video_model).finish().clip.frames)
    assert rh.generate("a red ball", model=video_model).frames.shape == (4, 64, 64, 3)


def test_a_clip_saves_and_shows_itself(shot: rh.Shot, video_model: VideoModel, tmp_path: Path) -> None:
    from rehearse.media import read_frames, read_shot

    clip = rh.generate(shot, model=video_model)
    path = clip.save(tmp_path / "clip.mp4")
    assert read_shot(path) == shot and len(read_frames(path)) == 3
    page = clip._repr_html_()
    assert "base64," in page and str(tmp_path) not in page and "red ball" in page
    assert repr(clip).startswith("Clip(3 frames, 48x40, 8 fps")


def test_a_change_after_the_last_step_is_refused(shot: rh.Shot, video_model: VideoModel) -> None:
    take = rh.Take.start(shot, video_model, keep=2).finish()
    changed = shot.follow("red ball", ARC)
    for at in (5, None):
        with pytest.raises(
            rh.TakeError, match=r"cannot fork at step 5 with a changed shot.*; fork at 4 or ear"
        ):
            take.fork(at, changed)
    assert take.fork(4, changed).finish().finished
    assert take.fork(5).finished and take.fork(5, rh.Shot.model_validate_json(shot.to_json())).finished
    faster = take.fork(5, shot.with_(fps=30))
    assert faster.clip.fps == 30, "the rate of frames is no matter of steps"


@pytest.mark.parametrize("at", [1.0, "1", 1.5])
def test_a_step_is_a_whole_number(shot: rh.Shot, video_model: VideoModel, tmp_path: Path, at: object) -> None:
    take = rh.Take.start(shot, video_model)
    with pytest.raises(rh.TakeError, match=f"until is {at!r}: give a whole number of steps"):
        take.play(until=at)  # type: ignore[arg-type]
    take.finish()
    with pytest.raises(rh.TakeError, match=f"at is {at!r}: give a whole number of steps"):
        take.fork(at=at, recorder=TakeFolder.create(tmp_path / "a"))  # type: ignore[arg-type]
    assert not (tmp_path / "a").exists()


def test_whole_numbers_of_numpy_are_steps(shot: rh.Shot, video_model: VideoModel, tmp_path: Path) -> None:
    take = rh.Take.start(shot, video_model)
    list(take.play(until=np.int64(3)))  # type: ignore[arg-type]
    folder = TakeFolder.create(tmp_path / "a", keep=np.int64(2))  # type: ignore[arg-type]
    branch = take.fork(at=np.int64(1), recorder=folder).finish()  # type: ignore[arg-type]
    assert type(branch.branch_step) is int
    opened = TakeFolder.open(tmp_path / "a")
    assert opened.finished and opened.keep == 2 and opened.card.branch_step == 1


def test_a_prompt_alone_starts_a_take(video_model: VideoModel) -> None:
    take = rh.Take.start("a red ball over the meadow", video_model)
    assert take.shot == rh.Shot("a red ball over the meadow")
