"""Shots for a model that starts from a picture: condition, blend, words, and refusals before any picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from toy_models import save_toy_model, save_toy_motion_model

from rehearse.api import picture
from rehearse.controls import AttentionMask
from rehearse.controls.frame_alignment import FrameAlignment, FrameAlignmentLayer, save_frame_alignment
from rehearse.controls.keep_outside import KeepOutside
from rehearse.models import load_model
from rehearse.models.affinity import affinity
from rehearse.models.motion_unet import MotionUNetModel
from rehearse.planning import animation, plan
from rehearse.resolve.instructions import motions
from rehearse.resolve.instructions.paths import box_path_of
from rehearse.resolve.instructions.pictures import Picture, picture_of
from rehearse.sampling.blend import Side
from rehearse.sampling.loop import Loop
from rehearse.shot import (
    Box,
    BoxPath,
    BoxTrajectory,
    DragTrajectory,
    PointPath,
    PointTrajectory,
    Shot,
    ShotError,
    Stroke,
)
from rehearse.shot.easing import frame_times
from rehearse.shot.instructions.motion import AMOUNT
from rehearse.shot.point_path import RADIUS

PROMPT = "a red ball and the blue star over snow"
PICTURE = (np.indices((48, 64)).sum(0)[..., None] * np.array([1, 2, 0])).astype(np.uint8)


@dataclass
class Pictures:
    """In place of the pictures room: a grey picture, white where and as far as drags have gone."""

    calls: list[tuple[Picture, Any, int, int]]

    def make(self, ask: Picture, picture_model: Any) -> Made:
        self.calls.append((ask, picture_model, ask.width, ask.height))
        return Made(np.full((ask.height, ask.width, 3), 100, np.uint8), bool(ask.drags))


@dataclass
class Made:
    original: NDArray[np.uint8]
    drags: bool

    @property
    def touched(self) -> NDArray[np.float32]:
        found = np.zeros(self.original.shape[:2], np.float32)
        found[:, : found.shape[1] // 2] = self.drags
        return found

    def over_time(self, frames: int) -> NDArray[np.uint8]:
        moved = (self.touched > 0)[..., None] if self.drags else np.ones((1, 1, 1), bool)
        return np.stack([self.original + np.uint8(100 * t) * moved for t in frame_times(frames)])


@pytest.fixture
def pictures(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pictures]:
    fake = Pictures([])
    monkeypatch.setattr(animation, "make_intermediate", fake.make)
    yield fake


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> MotionUNetModel:
    root = tmp_path_factory.mktemp("animate")
    base = save_toy_model(root / "image", kind="image", settings={"defaults": {"frames": 1}})
    made = load_model(str(save_toy_motion_model(root / "animate", base)), precision="float32")
    assert isinstance(made, MotionUNetModel)
    return made


def shot_of(**fields: Any) -> Shot:
    return Shot(PROMPT, frames=5, width=64, height=48, **fields)


def refusal(shot: Shot, model: MotionUNetModel) -> ShotError:
    with pytest.raises(ShotError) as caught:
        plan(shot, model)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_prompt_alone_becomes_a_picture_that_moves(model: MotionUNetModel, pictures: Pictures) -> None:
    made = plan(shot_of(), model)
    (_, picture_model, width, height), *more = pictures.calls
    assert picture_model is model.pictures.picture_model() and (width, height) == (64, 48) and not more
    near = affinity(5, AMOUNT)
    expected = model.pictures.condition(np.full((1, 48, 64, 3), 100, np.uint8), near)
    assert made.condition is not None and torch.equal(made.condition, expected) and made.blend is None
    assert torch.equal(made.text, model.encode(PROMPT, ""))
    state = list(Loop(model, replace(made, steps=2)).run(Loop(model, replace(made, steps=2)).start()))[-1]
    assert state.latents.shape == (1, 4, 5, 6, 8) and state.latents.isfinite().all()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"magnitude": "large"}, {"amount": 0.75}),
        ({"magnitude": 0.1, "loop": True}, {"amount": 0.1, "loop": True}),
        ({"restyle": True}, {"amount": AMOUNT, "restyle": True}),
    ],
)
def test_magnitude_loop_and_restyle_are_the_affinity(
    model: MotionUNetModel, pictures: Pictures, said: dict[str, Any], expected: dict[str, Any]
) -> None:
    condition = plan(shot_of().motion(**said), model).condition
    assert condition is not None
    assert condition[0, 0, :, 0, 0].tolist() == pytest.approx(affinity(5, **expected))


def test_a_picture_of_another_time_is_measured_from_there(model: MotionUNetModel, pictures: Pictures) -> None:
    condition = plan(shot_of().image(PICTURE, time=0.5), model).condition
    assert condition is not None
    near = condition[0, 0, :, 0, 0].tolist()
    assert near == pytest.approx(affinity(5, AMOUNT, time=0.5)) and near[2] == 1
    (asked, *_), = pictures.calls  # fmt: skip
    assert asked.start is not None and asked.start.field == "instructions[0]"


def test_the_motion_s_text_is_the_clip_s_and_the_prompt_the_picture_s(
    model: MotionUNetModel, pictures: Pictures
) -> None:
    shot = shot_of(negative_prompt="car").motion("the red ball moves left")
    made = plan(shot, model)
    assert torch.equal(made.text, model.encode("the red ball moves left", "car"))
    assert pictures.calls[0][0].prompt == PROMPT
    path = [(0, Box(0.1, 0.3, 0.4, 0.7)), (1, Box(0.6, 0.3, 0.9, 0.7))]
    (ball,) = plan(shot.follow("red ball", path), model).subjects
    assert ball.tokens == (2, 3)
    error = refusal(shot.follow("blue star", path), model)
    assert error.field == "instructions[1].phrase" and "it must name the subject once" in str(error)


def test_a_path_with_words_masks_attention_on_motion_modules_too(
    model: MotionUNetModel, pictures: Pictures
) -> None:
    path = [(0, Box(0.1, 0.3, 0.4, 0.7)), (1, Box(0.6, 0.3, 0.9, 0.7))]
    free = plan(shot_of(steps=3), model)
    for site, room in (("temporal", "motion_modules"), ("spatial", "attn1"), ("cross", "attn2")):
        shot = shot_of(steps=3).follow("red ball", path)
        shot = shot.with_control(mask_sites=[site], temporal_prior="none", frozen_steps=3)
        made = plan(shot, model)
        (mask,) = made.controls
        assert isinstance(mask, AttentionMask)
        loop, alone = Loop(model, made), Loop(model, free)
        start = loop.start()
        difference = loop.step(start).latents - alone.step(alone.start()).latents
        assert difference.abs().max() > 1e-4, room
    assert made.blend is None and made.condition is not None


def test_under_a_drag_each_frame_is_its_own_picture(model: MotionUNetModel, pictures: Pictures) -> None:
    shot = shot_of().motion(magnitude="large").drag((0.2, 0.5), (0.7, 0.5), start=0.25)
    made = plan(shot, model)
    moved = Made(np.full((48, 64, 3), 100, np.uint8), True).over_time(5)
    # However much is to move: what moves, and where to, the pictures say.
    assert made.condition is not None and made.blend is None
    assert torch.equal(made.condition, model.pictures.condition(moved, (1.0,) * 5))
    restyled = plan(shot_of().motion(restyle=True).drag((0.2, 0.5), (0.7, 0.5)), model).condition
    assert restyled is not None and restyled[0, 0, :, 0, 0].tolist() == [0.5] * 5


def test_what_no_drag_touches_stays_as_the_picture_shows_it(
    model: MotionUNetModel, pictures: Pictures
) -> None:
    dragged = shot_of(steps=2).drag((0.2, 0.5), (0.7, 0.5))
    (held,) = plan(dragged, model).controls
    assert isinstance(held, KeepOutside) and held.name == "pin"
    # The fake pictures are touched in their left half.
    assert (held.inside[..., :4] == 1).all() and (held.inside[..., 4:] == 0).all()
    made = plan(dragged, model)
    state = list(Loop(model, made).run(Loop(model, made).start()))[-1]
    given = model.encode_pictures(np.full((1, 48, 64, 3), 100, np.uint8))[:, :, None]
    assert torch.allclose(state.latents[..., 4:], given.expand_as(state.latents)[..., 4:], atol=0.05)
    # Whoever wants the words to move the rest, or another style, gets that.
    assert not plan(dragged.with_control(blend={"region": {"box": [0, 0, 0.5, 1]}}), model).controls
    assert not plan(dragged.motion(restyle=True), model).controls
    resting = dragged.follow(None, [(0, Box(0.0, 0.0, 0.25, 0.5))])
    (held,) = plan(resting, model).controls
    assert isinstance(held, KeepOutside)
    assert (held.inside[..., :3, :2] == 0).all() and (held.inside[..., 3:, :4] == 1).all()


def test_what_the_frames_of_a_drag_show_is_never_pinned(
    model: MotionUNetModel, pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A morph goes through what lies between its ends, which no region of it names.
    monkeypatch.setattr(Made, "touched", property(lambda made: np.zeros(made.original.shape[:2], np.float32)))
    (held,) = plan(shot_of().drag((0.2, 0.5), (0.7, 0.5)), model).controls
    assert isinstance(held, KeepOutside) and not held.inside.any()

    def there(made: Made, frames: int) -> NDArray[np.uint8]:
        found = np.repeat(made.original[None], frames, 0)
        found[1:-1, :8, 8:16] += 50
        return found

    monkeypatch.setattr(Made, "over_time", there)
    (held,) = plan(shot_of().drag((0.2, 0.5), (0.7, 0.5)), model).controls
    assert isinstance(held, KeepOutside) and held.inside.sum() == held.inside[..., 0, 1].sum() == 1


def test_a_magnitude_that_moves_nothing_is_said(
    model: MotionUNetModel, pictures: Pictures, caplog: pytest.LogCaptureFixture
) -> None:
    dragged = shot_of().motion(magnitude="large").drag((0.2, 0.5), (0.7, 0.5))
    plan(dragged.with_control(blend={"weight": 0.5}), model)
    plan(shot_of().drag((0.2, 0.5), (0.7, 0.5)), model)
    assert not caplog.messages
    plan(dragged, model)
    assert len(caplog.messages) == 1 and "the motion's magnitude moves nothing here" in caplog.messages[0]


def test_beside_a_drag_a_named_subject_still_moves_on_its_path(
    model: MotionUNetModel, pictures: Pictures
) -> None:
    path = [(0, Box(0.5, 0.5, 0.75, 1.0)), (1, Box(0.75, 0.5, 1.0, 1.0))]
    shot = shot_of().drag((0.2, 0.5), (0.4, 0.5)).follow("blue star", path)
    made = plan(shot, model)
    (held,) = (control for control in made.controls if isinstance(control, KeepOutside))
    assert (held.inside[..., 3:, 4:] == 1).all() and (held.inside[..., :3, 4:] == 0).all()
    assert made.condition is not None
    near = made.condition[0, 0]
    assert (near[:, :3] == 1).all() and (near[:, :, :4] == 1).all()
    assert near[:, 5, 6].tolist() == pytest.approx(affinity(5, AMOUNT))


@pytest.mark.parametrize("frames", [1, 2, 5, 6])
def test_where_the_clip_loops_a_drag_comes_back(
    model: MotionUNetModel, pictures: Pictures, frames: int
) -> None:
    shot = shot_of().with_(frames=frames).motion(loop=True).drag((0.2, 0.5), (0.7, 0.5))
    condition = plan(shot, model).condition
    assert condition is not None
    seen = condition[:, 1:]
    assert torch.equal(seen, seen.flip(2))
    if frames > 2:
        there = Made(np.full((48, 64, 3), 100, np.uint8), True).over_time(2)[1:]
        middle = model.pictures.condition(there, (1.0,))[:, 1:, 0]
        assert torch.allclose(seen[:, :, (frames - 1) // 2], middle, atol=1e-5)


def test_a_blend_mixes_the_drag_with_the_picture_before_it(
    model: MotionUNetModel, pictures: Pictures
) -> None:
    shot = shot_of(guidance=3).drag((0.2, 0.5), (0.7, 0.5), start=0.25)
    falling = {"over_time": [{"time": 0.25, "weight": 1}, {"time": 0.5, "weight": 0}]}
    made = plan(shot.with_control(blend=falling), model)
    near = affinity(5, AMOUNT)
    original = Made(np.full((48, 64, 3), 100, np.uint8), True)
    assert made.condition is not None
    assert torch.equal(made.condition, model.pictures.condition(original.over_time(5), (1.0,) * 5))
    assert made.blend is not None and isinstance(made.blend.original, Side)
    side = made.blend.original
    assert side.condition is not None and side.guidance == 3 and side.controls == made.controls
    assert torch.equal(side.condition, model.pictures.condition(original.original[None], near))
    weights = made.blend.weights
    assert weights.shape == (1, 1, 5, 6, 8)
    assert weights[0, 0, :, 0, 0].tolist() == [1, 1, 0, 0, 0]
    state = Loop(model, made).step(Loop(model, made).start())
    assert state.latents.isfinite().all()


def test_the_shot_decides_the_weights_of_the_blend(model: MotionUNetModel, pictures: Pictures) -> None:
    shot = shot_of().drag((0.2, 0.5), (0.7, 0.5))
    even = plan(shot.with_control(blend={"weight": 0.25}), model).blend
    assert even is not None and set(even.weights.unique().tolist()) == {0.25}
    silent = plan(shot.with_control(blend={}), model).blend
    assert silent is not None and set(silent.weights.unique().tolist()) == {0.5}
    over = {"over_time": [{"time": 0, "weight": 1}, {"time": 1, "weight": 0}]}
    falling = plan(shot.with_control(blend=over), model).blend
    assert falling is not None and falling.weights[0, 0, :, 0, 0].tolist() == [1, 0.75, 0.5, 0.25, 0]
    region = {"region": {"box": [0.5, 0, 1, 1]}, "feather": 0, "weight": 0.0}
    there = plan(shot.with_control(blend=region), model).blend
    assert there is not None
    assert (there.weights[..., :4] == 1).all() and (there.weights[..., 4:] == 0).all()


def only_drag(shot: Shot) -> DragTrajectory:
    (ask,) = picture_of(shot, 64, 48).drags
    return ask.drag


def test_a_box_path_without_words_drags_what_its_first_box_holds() -> None:
    path = [(0.2, Box(0.1, 0.3, 0.3, 0.7)), (0.6, Box(0.3, 0.3, 0.5, 0.7)), (1, Box(0.5, 0.1, 0.7, 0.5))]
    drag = only_drag(shot_of().follow(None, path))
    assert drag.region is not None and drag.region.box == Box(0.1, 0.3, 0.3, 0.7)
    (move,) = drag.moves
    assert [*move.handle, *move.via[0], *move.target] == pytest.approx([0.2, 0.5, 0.4, 0.5, 0.6, 0.3])
    assert (drag.start, drag.end, drag.easing) == (0.2, 1.0, "linear")


def test_a_box_that_grows_is_dragged_by_two_corners() -> None:
    path = [(0, Box(0.4, 0.4, 0.6, 0.6)), (1, Box(0.2, 0.2, 0.8, 0.8))]
    drag = only_drag(shot_of().follow(None, path, easing="ease-in"))
    places = drag.resample(2)
    np.testing.assert_allclose(places[0], [[0.45, 0.45], [0.55, 0.55]])
    np.testing.assert_allclose(places[1], [[0.35, 0.35], [0.65, 0.65]])
    assert drag.easing == "ease-in"
    # One corner of these two boxes is drawn in to the same place.
    drag = only_drag(shot_of().follow(None, [(0, Box(0.2, 0.2, 0.4, 0.4)), (1, Box(0.15, 0.15, 0.55, 0.55))]))
    np.testing.assert_allclose(drag.resample(3)[:, 0], [[0.25, 0.25]] * 3, atol=1e-9)


def test_a_point_path_without_words_drags_what_lies_within_its_radius() -> None:
    drag = only_drag(shot_of().follow(None, [(0, (0.3, 0.5)), (1, (0.6, 0.5))], radius=0.25))
    assert drag.region is not None
    raster = drag.region.raster(48, 64)
    assert raster.sum() == pytest.approx(np.pi * 12**2, rel=0.03)  # a disc of pixels, on any frame
    assert only_drag(shot_of().follow(None, [(0, (0.3, 0.5)), (1, (0.6, 0.5))])).region is None


def test_a_path_keeps_its_place_in_the_list_and_others_stay() -> None:
    shot = shot_of().motion("a ball").follow(None, [(0, (0.3, 0.5)), (1, (0.6, 0.5))]).image(PICTURE)
    asked = picture_of(shot, 64, 48)
    assert [one.field for one in asked.drags] == ["instructions[1]"]
    assert asked.start is not None and asked.start.field == "instructions[2]"
    assert not picture_of(shot_of().motion("a ball"), 64, 48).drags
    assert not picture_of(shot, 64, 48, paths_drag=False).drags


def test_where_a_drag_strays_from_its_keyframes_times_is_said() -> None:
    uneven = [(0, (0.1, 0.5)), (0.8, (0.2, 0.5)), (1, (0.9, 0.5))]
    (note,) = picture_of(shot_of().follow(None, uneven), 64, 48).notes
    assert "even speed" in note and "instructions[0].path" in note
    even = [(0, (0.1, 0.5)), (0.5, (0.5, 0.5)), (1, (0.9, 0.5))]
    assert not picture_of(shot_of().follow(None, even), 64, 48).notes


def test_a_point_with_words_is_followed_by_a_box_around_it(video_model: Any, model: MotionUNetModel) -> None:
    shot = shot_of().follow("red ball", PointPath([(0, (0.2, 0.5)), (1, (0.8, 0.5), "ease-in")], radius=0.25))
    (subject,) = plan(shot, video_model).subjects
    path = subject.path
    # A quarter of 48 pixels is 12 of them: 0.1875 of the width, 0.25 of the height.
    np.testing.assert_allclose(path.resample(2)[0], [0.0125, 0.25, 0.3875, 0.75])
    np.testing.assert_allclose(path.resample(2)[1], [0.6125, 0.25, 0.9875, 0.75])
    default = box_path_of(PointPath([(0, (0.0, 0.5))]), RADIUS, 64, 64)
    assert isinstance(default, BoxPath) and default.at(0).x0 == -RADIUS


@pytest.mark.parametrize(
    "path",
    [
        PointTrajectory(path=PointPath([(0, (0.25, 0.5))], radius=0.25)),
        PointTrajectory(path=PointPath([(0.2, (0.25, 0.5)), (0.9, (0.25, 0.5))])),
        BoxTrajectory(path=BoxPath([(0, Box(0.0, 0.25, 0.5, 0.75)), (1, Box(0.0, 0.25, 0.5, 0.75))])),
    ],
)
def test_a_path_at_rest_pins_what_the_picture_shows_there(
    model: MotionUNetModel, path: PointTrajectory | BoxTrajectory
) -> None:
    picture = np.full((48, 64, 3), 60, np.uint8)
    picture[12:36, 4:28] = (200, 40, 40)
    shot = shot_of(steps=3).image(picture).add(path)
    asked = picture_of(shot, 64, 48)
    assert not asked.drags and [one.field for one in asked.pins] == ["instructions[1]"]
    made, free = plan(shot, model), plan(shot_of(steps=3).image(picture), model)
    (pin,) = [control for control in made.controls if control.name == "pin"]
    assert isinstance(pin, KeepOutside) and not free.controls and made.blend is None
    held, beyond = pin.inside[0, 0, 0] == 0, pin.inside[0, 0, 0] == 1
    assert held[2:4, 1:3].all() and beyond[:, 5:].all()

    def end(which: Any) -> torch.Tensor:
        loop = Loop(model, which)
        return list(loop.run(loop.start()))[-1].latents

    still, moving = end(made), end(free)
    given = model.encode_pictures(picture[None])[:, :, None]
    assert torch.allclose(still[..., held], given.expand_as(still)[..., held], atol=1e-4)
    assert (moving[..., held] - given.expand_as(still)[..., held]).abs().max() > 0.05
    assert (still - still[:, :, :1])[..., beyond].abs().max() > 0.01, "the rest goes on moving"


def test_pins_and_drags_in_one_shot(model: MotionUNetModel, pictures: Pictures) -> None:
    box = Box(0.0, 0.25, 0.25, 0.75)
    shot = shot_of().follow(None, [(0, (0.3, 0.9)), (1, (0.4, 0.5))]).follow(None, [(0, box)])
    made = plan(shot, model)
    (pin,) = made.controls
    # What is pinned lies in the half that is touched.
    assert isinstance(pin, KeepOutside) and (pin.inside[..., 2:4, :2] == 0).all()
    assert (pin.inside[..., 5:, :4] == 1).all()
    ready, *_ = pictures.calls[0]
    assert [one.field for one in ready.drags] == ["instructions[0]"]
    assert [one.field for one in ready.pins] == ["instructions[1]"]


@pytest.mark.parametrize(
    ("shot", "field", "said"),
    [
        (
            shot_of().image(PICTURE).image(PICTURE, time=1),
            "instructions[1]",
            "animates one picture, and instructions[0] gives one already",
        ),
        (
            shot_of().follow(None, [(0, (0.3, 0.5))]).with_control(blend={"weight": 0.5}),
            "control.blend",
            "drags nothing",
        ),
        (
            shot_of().add(BoxTrajectory(path=BoxPath(
                [(0, Box(0.1, 0.1, 0.5, 0.5)), (1, Box(0.8, 0.1, 1.4, 0.5))], leaves_frame=True
            ))),
            "instructions[0].path.keyframes[1]",
            "out of the frame",
        ),
        (
            shot_of().add(PointTrajectory(path=PointPath(
                [(0, (-0.1, 0.1)), (1, (0.5, 0.5))], leaves_frame=True
            ))),
            "instructions[0].path.keyframes[0]",
            "out of the frame",
        ),
        (shot_of().with_control(blend={"weight": 0.5}), "control.blend", "drags nothing"),
        (
            shot_of().drag((0.2, 0.5), (0.7, 0.5)).with_control(blend={"original": "kept"}),
            "control.blend.original",
            "which no take has predicted",
        ),
        (shot_of().with_control(frame_alignment=True), "control.frame_alignment", "has no frame alignment"),
        (
            shot_of().target("red ball", Box(0.1, 0.1, 0.5, 0.5)),
            "instructions[0]",
            "cannot act on target instructions (it can on: box trajectory, content, drag trajectory, image",
        ),
        (shot_of().with_(frames=25), "frames", "at most 24 frames"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_before_any_picture(
    model: MotionUNetModel, pictures: Pictures, shot: Shot, field: str, said: str
) -> None:
    error = refusal(shot, model)
    assert error.field == field and said in str(error)
    assert not pictures.calls


def test_a_model_that_names_no_image_model_says_so(tmp_path: Path, pictures: Pictures) -> None:
    from rehearse.models.registry import find_model

    base = save_toy_model(tmp_path / "image", kind="image")
    folder = find_model(str(save_toy_motion_model(tmp_path / "animate", base)))
    loaded = MotionUNetModel._load_denoiser(folder)
    whole = save_toy_model(tmp_path / "whole", kind="image")
    loaded.save_pretrained(whole / "unet", safe_serialization=True)
    index = (whole / "model_index.json").read_text().replace("UNet2DConditionModel", "UNetMotionModel")
    (whole / "model_index.json").write_text(index)
    model = load_model(str(whole))
    assert isinstance(model, MotionUNetModel) and model.pictures is not None
    error = refusal(shot_of(), model)
    assert error.field == "model" and 'write it as "base" into rehearse.json' in str(error)


def test_the_defaults_are_planning_s(
    model: MotionUNetModel, pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(motions, "AMOUNT", 0.9)
    made = plan(shot_of(), model)
    assert made.condition is not None
    assert made.condition[0, 0, :, 0, 0].tolist() == pytest.approx(affinity(5, 0.9))


def test_the_real_pictures_room_serves_all_instructions_at_once(model: MotionUNetModel) -> None:
    shot = shot_of(steps=2).image(PICTURE).edit("the blue star", Box(0.6, 0.1, 0.9, 0.4))
    shot = shot.motion("the red ball moves", magnitude="small")
    shot = shot.follow("red ball", [(0, Box(0.1, 0.3, 0.4, 0.7)), (1, Box(0.3, 0.3, 0.6, 0.7))])
    shot = shot.follow(None, [(0, Box(0.1, 0.6, 0.3, 0.9)), (1, Box(0.6, 0.6, 0.8, 0.9))])
    made = plan(shot, model)
    assert made.condition is not None and made.blend is None and len(made.subjects) == 1
    assert not torch.equal(made.condition[:, 1:, 0], made.condition[:, 1:, -1])
    loop = Loop(model, made)
    assert loop.decode(list(loop.run(loop.start()))[-1]).shape == (1, 5, 48, 64, 3)


def test_a_drag_of_what_is_pinned_is_said(
    model: MotionUNetModel, pictures: Pictures, caplog: pytest.LogCaptureFixture
) -> None:
    pinned = shot_of().image(PICTURE).follow(None, [(0, Box(0.1, 0.1, 0.4, 0.4))])
    plan(pinned.drag((0.7, 0.7), (0.2, 0.2)), model)
    assert not caplog.messages
    plan(pinned.drag((0.25, 0.25), (0.7, 0.7)), model)
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("instructions[2] drags what a path at rest pins, at (0.25, 0.25)")


def test_what_is_wrong_with_a_path_s_drag_is_told_in_the_path_s_fields(model: MotionUNetModel) -> None:
    there = Box(0.5, 0.5, 0.8, 0.8)
    one = shot_of(steps=2).image(PICTURE).follow(None, [(0, Box(0.1, 0.1, 0.4, 0.4)), (1, there)])
    error = refusal(one.follow(None, [(0, Box(0.12, 0.1, 0.4, 0.4)), (1, there)]), model)
    assert error.field == "instructions[2].path"
    assert error.reason == "instructions[1] pulls the same region; keep one of them"
    away = one.without("trajectory").follow(
        None, [(0, (0.0, 0.0)), (0.5, (0.5, 0.5)), (1, (1.0, 1.0))], radius=0.1
    )
    error = refusal(away, model)
    assert error.field == "instructions[1].path.keyframes[2]" and "nothing of the region" in error.reason
    with pytest.raises(ShotError) as caught:
        picture(away, model=model)
    assert caught.value.field == error.field
    dragged = one.drag((0.3, 0.3), (0.5, 0.5), region=Box(0.1, 0.1, 0.4, 0.4))
    assert refusal(dragged, model).field == "instructions[2].region"


def test_frames_are_aligned_with_the_layer_beside_the_model(
    model: MotionUNetModel, pictures: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = FrameAlignmentLayer(model.latent_shape(1, 32, 32)[0])
    torch.nn.init.constant_(layer.conv.weight, 0.1)
    place = save_frame_alignment(layer, tmp_path)
    monkeypatch.setattr(model, "beside", lambda name: place)
    aligned = plan(shot_of().with_control(frame_alignment=True), model)
    control = aligned.controls[-1]
    assert isinstance(control, FrameAlignment)
    assert control.picture.shape[:3] == (1, model.latent_shape(1, 32, 32)[0], 1)
    loops = Loop(model, aligned), Loop(model, plan(shot_of(), model))
    one, other = (loop.step(loop.start()).latents for loop in loops)
    assert one.isfinite().all() and not torch.equal(one, other)
    (place / "model.safetensors").write_bytes(b"no layer")
    with pytest.raises(ShotError, match="damaged"):
        plan(shot_of().with_control(frame_alignment=True), model)


def test_equation_5_draws_the_undragged_side_to_its_own_picture(
    model: MotionUNetModel, pictures: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = FrameAlignmentLayer(model.latent_shape(1, 32, 32)[0])
    place = save_frame_alignment(layer, tmp_path)
    monkeypatch.setattr(model, "beside", lambda name: place)
    shot = shot_of().drag((0.2, 0.5), (0.7, 0.5)).with_control(frame_alignment=True, blend={"weight": 0.5})
    made = plan(shot.follow(None, [(0, Box(0.5, 0.5, 0.75, 1.0))]), model)
    assert made.blend is not None and isinstance(made.blend.original, Side)
    (mine, pin), (its, same) = made.controls, made.blend.original.controls
    assert pin is same and isinstance(pin, KeepOutside)
    assert isinstance(mine, FrameAlignment) and isinstance(its, FrameAlignment)
    fake = Made(np.full((48, 64, 3), 100, np.uint8), True)
    before = model.encode_pictures(fake.original[None]).transpose(0, 1).unsqueeze(0)
    assert torch.equal(its.picture, before)
    assert torch.equal(mine.picture, model.encode_pictures(fake.over_time(5)).transpose(0, 1).unsqueeze(0))


@pytest.mark.parametrize("frames", [5, 6])
def test_where_the_clip_loops_a_named_path_comes_back_too(
    model: MotionUNetModel, pictures: Pictures, frames: int
) -> None:
    boxes = [(0, Box(0.1, 0.3, 0.4, 0.7)), (1, Box(0.6, 0.3, 0.9, 0.7))]
    looped = shot_of().with_(frames=frames).motion(loop=True)
    for path in (BoxPath(boxes), BoxPath(boxes, easing="ease-in"), BoxPath(boxes, easing="hold")):
        (ball,) = plan(looped.follow("red ball", path), model).subjects
        led = ball.path.resample(frames)
        assert np.allclose(led, led[::-1]) and np.allclose(led[0], path.resample(2)[0])
        assert np.allclose(led[(frames - 1) // 2], path.resample(2)[1]), "there by the middle"
    (point,) = plan(looped.follow("red ball", [(0, (0.2, 0.5)), (1, (0.8, 0.5))]), model).subjects
    led = point.path.resample(frames)
    assert np.allclose(led, led[::-1]) and not np.allclose(led, led[:1])
    # Who leads it back himself has said how.
    round_ = BoxPath([boxes[0], (0.25, boxes[1][1]), (1, boxes[0][1])])
    (ball,) = plan(looped.follow("red ball", round_), model).subjects
    assert ball.path == round_
    (ball,) = plan(shot_of().follow("red ball", boxes), model).subjects
    assert ball.path == BoxPath(boxes)


@pytest.mark.parametrize(
    ("frames", "loop", "said"), [(1, False, 1), (2, True, 1), (2, False, 0), (3, True, 0)]
)
def test_a_drag_that_cannot_be_seen_is_said(
    model: MotionUNetModel,
    pictures: Pictures,
    caplog: pytest.LogCaptureFixture,
    frames: int,
    loop: bool,
    said: int,
) -> None:
    shot = shot_of().with_(frames=frames).motion(loop=loop).drag((0.2, 0.5), (0.7, 0.5))
    plan(shot, model)
    assert len(caplog.messages) == said
    assert all(
        "ask for more frames" in message and "cannot be seen" in message for message in caplog.messages
    )


def test_a_motion_s_text_that_moves_nothing_is_said(
    model: MotionUNetModel, pictures: Pictures, caplog: pytest.LogCaptureFixture
) -> None:
    dragged = shot_of().motion("the red ball moves left").drag((0.2, 0.5), (0.7, 0.5))
    path = [(0, Box(0.5, 0.5, 0.75, 1.0)), (1, Box(0.75, 0.5, 1.0, 1.0))]
    plan(dragged.with_control(blend={"weight": 0.5}), model)
    plan(dragged.follow("red ball", path), model)
    plan(dragged.motion("the red ball moves left", restyle=True), model)
    plan(shot_of().motion(loop=True).drag((0.2, 0.5), (0.7, 0.5)), model)
    assert not caplog.messages
    plan(dragged, model)
    assert len(caplog.messages) == 1 and "the motion's text moves nothing here" in caplog.messages[0]
    caplog.clear()
    plan(dragged.motion("the red ball moves left", magnitude="large"), model)
    assert len(caplog.messages) == 1 and "magnitude and text move nothing here" in caplog.messages[0]


def test_settings_of_subjects_beside_what_only_drags_are_told(
    model: MotionUNetModel, pictures: Pictures, caplog: pytest.LogCaptureFixture
) -> None:
    shot = shot_of().with_control(frozen_steps=2)
    plan(shot.drag((0.2, 0.5), (0.7, 0.5)), model)
    plan(shot.follow(None, [(0, (0.3, 0.5)), (1, (0.6, 0.5))]), model)
    assert [message.partition(":")[0] for message in caplog.messages] == ["control.frozen_steps"] * 2


def test_feathers_of_nothing_are_told(
    model: MotionUNetModel, pictures: Pictures, caplog: pytest.LogCaptureFixture
) -> None:
    dragged, box = shot_of().drag((0.2, 0.5), (0.7, 0.5)), Box(0, 0, 0.5, 1)
    plan(dragged.with_control(blend={"region": {"box": [0, 0, 0.5, 1]}, "feather": 0.1}), model)
    plan(shot_of().edit("the blue star", box, feather=0.1).edit("snow"), model)
    plan(shot_of().paint(Stroke(points=[(0.1, 0.1)]), prompt="the blue star", feather=0.1), model)
    assert not caplog.messages
    plan(dragged.with_control(blend={"feather": 0.1}), model)
    (message,) = caplog.messages
    assert message.startswith("control.blend.feather is 0.1: ") and "give one, or leave it out" in message
    caplog.clear()
    plan(shot_of().edit("the blue star", feather=0.1), model)
    (message,) = caplog.messages
    assert message.startswith("instructions[0].feather is 0.1: ") and "mask" in message


def test_words_that_the_picture_s_model_does_not_see_are_told(
    model: MotionUNetModel, pictures: Pictures, caplog: pytest.LogCaptureFixture
) -> None:
    long = "a red ball moves right over the meadow and the blue star"
    edited = shot_of().edit(long, Box(0, 0, 0.5, 1), negative_prompt=long)
    plan(edited, model)
    assert [message.partition(" is longer")[0] for message in caplog.messages] == [
        "instructions[0].prompt", "instructions[0].negative_prompt",
    ]  # fmt: skip
    assert all(message.endswith("it does not see: 'blue star'") for message in caplog.messages)
    caplog.clear()
    plan(Shot(long, frames=5, width=64, height=48).motion("a red ball moves"), model)
    assert len(caplog.messages) == 1 and caplog.messages[0].startswith("the prompt is longer than")
    caplog.clear()
    plan(Shot(long, frames=5, width=64, height=48).motion("a ball").image(PICTURE).edit("a ball"), model)
    assert not caplog.messages
