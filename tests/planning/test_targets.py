"""Target instructions and box paths on CogVideoX: words, masks, controls, refusals; and whole takes."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from toy_models import WORDS, save_toy_cogvideox, save_toy_model

import rehearse as rh
from rehearse.controls import AttentionMask, CleanPrior, Control, TargetAttention
from rehearse.models import load_model
from rehearse.models.cogvideox import CogVideoX
from rehearse.models.model import VideoModel
from rehearse.planning import plan
from rehearse.sampling.loop import Loop
from rehearse.shot import Box, ImageInstruction, Mask, Shot, ShotError
from rehearse.shot.methods import AttentionMasking
from rehearse.takes import Take

PROMPT = "a bird and the red ball in snow"
PICTURE = (np.indices((48, 64)).sum(0)[..., None] * np.array([1, 2, 0])).astype(np.uint8)
PLACE = Box(0.5, 0.25, 0.75, 0.5)
PATH = [(0, Box(0.1, 0.2, 0.5, 0.8)), (1, Box(0.5, 0.2, 0.9, 0.8))]

Folders = Callable[..., Path]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    root, made = tmp_path_factory.mktemp("targets"), dict[str, Path]()

    def folder(**kind: Any) -> Path:
        key = repr(sorted(kind.items()))
        if key not in made:
            made[key] = save_toy_cogvideox(root / f"toy-{len(made)}", **{"vae": "tiny", **kind})
        return made[key]

    return folder


def load(folder: Path) -> CogVideoX:
    model = load_model(str(folder), precision="float32")
    assert isinstance(model, CogVideoX)
    return model


def shot_of(prompt: str = PROMPT, **fields: Any) -> Shot:
    shot = Shot(prompt, **{"frames": 5, "width": 64, "height": 48, **fields})
    return shot.add(ImageInstruction(image=rh.shot.ImageRef.embed(PICTURE)))


def refusal(shot: Shot, model: VideoModel) -> ShotError:
    with pytest.raises(ShotError) as caught:
        plan(shot, model)
    assert "\n" not in str(caught.value)
    return caught.value


def latents(model: CogVideoX, shot: Shot, steps: int = 2, controls: tuple[Control, ...] | None = None) -> Any:
    made = replace(plan(shot, model), steps=steps)
    loop = Loop(model, made if controls is None else replace(made, controls=controls))
    end = list(loop.run(loop.start()))[-1].latents
    assert end.isfinite().all()
    return end


def test_a_target_is_a_mask_in_both_branches_and_a_word_in_the_prompt(folders: Folders) -> None:
    model = load(folders(masks=1))
    plain, marked = plan(shot_of(), model), plan(shot_of().target("the red ball", PLACE), model)
    read = "a bird and the target red ball in snow"
    assert torch.equal(marked.text, model.encode(read)) and torch.equal(plain.text, model.encode(PROMPT))
    assert plain.condition is not None and marked.condition is not None
    assert marked.condition.shape == (1, 9 - 4, 5, 6, 8)  # one condition: the same for both branches
    assert torch.equal(marked.condition[:, :4], plain.condition[:, :4]) and not plain.condition[:, 4].any()
    expected = torch.zeros(5, 6, 8)
    expected[0, 1, 4:6] = expected[0, 2, 4:6] = 1
    expected[0, 1] *= 0.5
    expected[0, 1, 4:6] = 0.5  # the mask begins half way down that row
    torch.testing.assert_close(marked.condition[0, 4], expected)
    moved = plan(shot_of().target("the red ball", Box(0.1, 0.25, 0.3, 0.5)), model)
    assert not torch.equal(latents(model, shot_of().target("red ball", PLACE)), latents(model, shot_of()))
    assert moved.condition is not None and not torch.equal(moved.condition, marked.condition)
    assert marked.controls == ()


def test_target_and_source_have_a_mask_and_a_word_each(folders: Folders) -> None:
    model = load(folders(masks=2))
    shot = shot_of().target("red ball", PLACE).target("bird", Box(0, 0, 0.25, 0.5), role="source")
    made = plan(shot, model)
    assert torch.equal(made.text, model.encode("a source bird and the target red ball in snow"))
    condition = made.condition
    assert condition is not None and condition.shape[1] == 6
    assert condition[0, 4, 0, 2, 4] == 1 and condition[0, 5, 0, 0, 0] == 1 and not condition[0, 4:, 1:].any()
    only = plan(shot_of().target("bird", PLACE, role="source"), model).condition
    assert only is not None and not only[0, 4].any() and only[0, 5].any()
    clash = shot_of().target("red ball", PLACE).target("the red ball", PLACE, role="source")
    assert "named by the same words" in str(refusal(clash, model))


def test_subjects_are_found_around_the_word_that_was_put_in(folders: Folders) -> None:
    model = load(folders(masks=1))
    made = plan(shot_of().follow("red ball", PATH).follow("snow", PATH).target("ball", PLACE), model)
    read = "a bird and the red target ball in snow"
    tokens = model.tokenize(read)
    words = [[read[slice(*tokens.spans[t])] for t in s.tokens] for s in made.subjects]  # type: ignore[misc]
    assert words == [["red", "target", "ball"], ["snow"]]


def test_a_mask_drawn_on_the_picture_is_cut_as_the_picture_is(folders: Folders) -> None:
    model = load(folders(masks=1))
    picture = np.zeros((48, 128, 3), np.uint8)
    picture[12:24, 64:80] = 255
    wide = Shot(PROMPT, frames=5, width=64, height=48).image(picture)
    drawn = plan(wide.target("red ball", picture[..., 0]), model).condition
    assert drawn is not None
    # Of 128 columns the frame shows 32 to 96: the thing lies at its middle.
    boxed = plan(wide.target("red ball", Box(0.5, 0.25, 0.75, 0.5)), model).condition
    torch.testing.assert_close(drawn, boxed)
    away = np.zeros((48, 128), np.uint8)
    away[:, :20] = 255
    error = refusal(wide.target("red ball", away), model)
    assert error.field == "instructions[1].mask" and "the mask is empty" in str(error)


def test_a_mask_of_zeros_and_ones_is_told(folders: Folders) -> None:
    labels = np.zeros((48, 64), np.uint8)
    labels[12:24, 32:48] = 1
    error = refusal(shot_of().target("red ball", labels), load(folders(masks=1)))
    assert error.field == "instructions[1].mask"
    assert "it is nearly black: its strongest place has 0.0039 of 1; mark the thing in white" in str(error)


def test_a_model_without_masks_says_that_it_cannot(folders: Folders, video_model: VideoModel) -> None:
    shot = shot_of().target("red ball", PLACE)
    error = refusal(shot, load(folders()))
    assert error.field == "instructions[1]" and "cannot act on target instructions" in str(error)
    one = load(folders(masks=1))
    source = refusal(shot_of().target("bird", PLACE, role="source"), one)
    assert "cannot act on source target instructions (it can on: " in str(source)
    assert "cannot act on target" in str(refusal(Shot(PROMPT).target("red ball", PLACE), video_model))


@pytest.mark.parametrize(
    ("shot", "field", "said"),
    [
        (
            shot_of("a red bird and a blue star and a green car and the red ball").target("red ball", PLACE),
            "instructions[1].phrase",
            "reads only 14 tokens of the text",
        ),
        (
            shot_of("a target and the red ball").target("red ball", PLACE),
            "instructions[1].phrase",
            'the word "target" marks it in the prompt and must stand just before it',
        ),
        (
            shot_of().target("red ball", Box(0, 0, 1, 1)),
            "instructions[1].mask",
            "the mask marks the whole frame",
        ),
        (shot_of(width=72).target("red ball", PLACE), "width", "needs a multiple of 16, such as 64 or 80"),
        (shot_of().follow(None, PATH), "instructions[1].phrase", "drags nothing in its picture"),
        (
            Shot(PROMPT).add(ImageInstruction(image=rh.shot.ImageRef.embed(PICTURE), time=0.5)),
            "instructions[0].time",
            "shows its picture in the first frame; leave the time out",
        ),
        (Shot(PROMPT), "model", "names no image model to make its picture with"),
        (shot_of(scheduler="euler"), "scheduler", "euler does not know CogVideoX's noise schedule"),
        (
            shot_of().with_control(target_attention=1.0),
            "control.target_attention",
            "steers attention to a target, and the shot marks none",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(folders: Folders, shot: Shot, field: str, said: str) -> None:
    error = refusal(shot, load(folders(masks=1)))
    assert error.field == field and said in str(error)


def test_sizes_that_the_autoencoder_or_the_positions_do_not_take(folders: Folders) -> None:
    video = load(folders(vae="video"))
    asked = str(refusal(shot_of(frames=7), video))
    assert asked.endswith("makes 1 frame and a multiple of 4 more, such as 5 or 9.")
    video.defaults = dataclasses.replace(video.defaults, frames=7)  # as its rehearse.json may say
    assert 'or set "defaults" in its rehearse.json to what it makes' in str(
        refusal(shot_of(frames=None), video)
    )
    learned = load(folders(vae="video", positions="learned"))
    error = refusal(shot_of(frames=9, width=64, height=48), learned)
    assert error.field == "height" and "has learned its positions, and takes 64 alone" in str(error)


def test_an_empty_mask_and_an_unknown_word_of_a_closed_vocabulary(folders: Folders, tmp_path: Path) -> None:
    model = load(folders(masks=1))
    empty = rh.shot.ImageRef.embed(np.zeros((8, 8), np.uint8))
    with pytest.raises(ShotError, match="the mask is empty"):
        plan(shot_of().target("red ball", Mask(image=empty)), model)
    folder = save_toy_cogvideox(tmp_path / "closed", vae="tiny", masks=1)
    (folder / "vocabulary.json").write_text(json.dumps(WORDS))
    error = refusal(shot_of().target("red ball", PLACE), load(folder))
    assert "takes masks, but its vocabulary lacks the word 'target'" in str(error)
    knowing = shutil.copytree(folder, tmp_path / "knowing")
    (knowing / "vocabulary.json").write_text(json.dumps([*WORDS, "target"]))
    plan(shot_of().target("red ball", PLACE), load(knowing))


def test_steering_needs_no_training_but_joint_attention(folders: Folders, video_model: VideoModel) -> None:
    model = load(folders())
    shot = shot_of(steps=10).target("red ball", PLACE).with_control(target_attention=2.0)
    (control,) = plan(shot, model).controls
    assert isinstance(control, TargetAttention) and (control.strength, control.steps) == (2.0, 5)
    assert control.marks[0].tokens == (4, 5)  # the phrase; an untrained model has no word for it
    assert torch.equal(plan(shot, model).text, model.encode(PROMPT))
    trained = plan(shot, load(folders(masks=1))).controls[0]
    assert isinstance(trained, TargetAttention) and trained.marks[0].tokens == (4, 5, 6)
    steered, plain = latents(model, shot), latents(model, shot, controls=())
    assert (steered - plain).abs().max() > 1e-4
    later = shot.with_control(target_attention_steps=3)
    assert plan(later, model).controls[0].steps == 3  # type: ignore[attr-defined]
    off = shot_of().with_control(target_attention=0.0)
    assert plan(off, model).controls == ()
    error = refusal(Shot(PROMPT).with_control(target_attention=1.0), video_model)
    assert "has no attention over prompt and video together to steer" in str(error)


@pytest.mark.parametrize(
    "kind", [{}, {"vae": "video", "pairs": True}, {"text": "clip"}], ids=["1.0", "1.5", "clip"]
)
def test_a_box_path_acts_on_joint_attention(folders: Folders, kind: dict[str, Any]) -> None:
    model = load(folders(**kind))
    shot = shot_of(frames=9 if "vae" in kind else 5).follow("red ball", PATH)
    made = plan(shot, model)
    attention, prior = made.controls
    assert isinstance(attention, AttentionMask) and isinstance(prior, CleanPrior)
    assert attention.sites == {"joint"} and attention.joint_blocks == set(AttentionMasking().mask_sites)
    assert attention.blocked == ((0,) if "text" in kind else ())
    assert attention.normalization is not None and attention.normalization.sites == {"joint"}
    plain = latents(model, shot, controls=())
    assert torch.equal(latents(model, shot_of(frames=shot.frames)), plain)
    whole, bare = (
        latents(model, shot, controls=(one,)) for one in (attention, replace(attention, normalization=None))
    )
    assert (whole - plain).abs().max() > 1e-4 and (bare - whole).abs().max() > 1e-4
    # Not wanted, or wanted where it masks nothing: bit for bit the plain path.
    asleep = replace(attention, frozen_steps=0)
    nothing = replace(attention, joint_blocks=frozenset(), normalization=None)
    for control in (asleep, nothing):
        assert torch.equal(latents(model, shot, controls=(control,)), plain)
    some = plan(shot.with_control(mask_sites=["cross"], normalization="none"), model).controls[0]
    assert isinstance(some, AttentionMask) and some.joint_blocks == {"cross"} and some.sites == {"joint"}


@pytest.mark.parametrize("box", [Box(0, 0, 1, 1), Box(0.4, 0.4, 0.41, 0.41)])
def test_boxes_that_leave_one_side_with_nothing_still_give_numbers(folders: Folders, box: Box) -> None:
    model = load(folders())
    shot = shot_of("a red ball").follow("a red ball", [(0, box), (1, box)]).with_control(frozen_steps=1.0 / 2)
    latents(model, shot, steps=4)


@pytest.mark.parametrize("scheduler", ["ddim", "dpm++"])
@pytest.mark.parametrize("kind", [{}, {"vae": "video", "pairs": True}], ids=["frames", "clips"])
def test_a_take_goes_on_from_any_step_bit_for_bit(
    folders: Folders, tmp_path: Path, scheduler: Any, kind: dict[str, Any]
) -> None:
    folder = folders(masks=1, **kind)
    shot = shot_of(frames=9 if kind else 5, steps=4, model=str(folder), scheduler=scheduler, seed=3)
    shot = shot.target("red ball", PLACE).follow("bird", PATH).with_control(target_attention=1.0)
    whole = Take.start(shot).finish()
    assert whole.state is not None
    for stop in range(1, 4):
        take = Take.start(shot)
        list(take.play(until=stop))
        resumed = Take.load(take.save(tmp_path / f"{stop}.safetensors")).finish()
        assert resumed.state is not None and torch.equal(resumed.state.latents, whole.state.latents)
    branched = whole.fork(at=2, shot=shot.target("red ball", Box(0, 0, 0.2, 0.3))).finish()
    assert branched.state is not None and not torch.equal(branched.state.latents, whole.state.latents)
    assert whole.clip.frames.shape == (9 if kind else 5, 48, 64, 3)


def test_the_memory_of_dpm_is_needed(folders: Folders) -> None:
    """Guards the test above: a scheduler that forgets its last x0 ends elsewhere."""
    model = load(folders())
    made = replace(plan(shot_of(scheduler="dpm++"), model), steps=4)
    loop = Loop(model, made)
    states = [loop.start(), *loop.run(loop.start())]
    scheduler = states[2].scheduler.restore()
    assert scheduler.last_x0 is not None and scheduler.last_timestep is not None
    scheduler.last_x0 = None
    forgot = replace(states[2], scheduler=type(states[2].scheduler).capture(scheduler))
    assert (loop.step(forgot).latents - states[3].latents).abs().max() > 1e-3


def test_a_picture_model_draws_where_the_shot_gives_no_picture(folders: Folders, tmp_path: Path) -> None:
    save_toy_model(tmp_path / "painter", kind="image", vae="tiny", settings={"defaults": {"steps": 2}})
    folder = save_toy_cogvideox(tmp_path / "toy", vae="tiny", settings={"picture_model": "painter"})
    made = plan(Shot("a red ball", frames=3, width=64, height=64), load(folder))
    assert made.condition is not None and made.condition[0, :, 0].any() and not made.condition[0, :, 1:].any()


@pytest.mark.parametrize(
    ("prompt", "phrase", "occurrence", "word"),
    [
        ("a bird and the target ball and the target ball moves", "target ball", 1, 0),
        ("a bird and the target ball, the target ball", "ball", 2, 1),
        ("a bird over the target, the target", "target", 2, 1),
        ("a bird and the target ball from the target car", "ball", None, 0),
    ],
)
def test_a_prompt_may_say_target_twice_and_the_mention_is_chosen(
    folders: Folders,
    caplog: pytest.LogCaptureFixture,
    prompt: str,
    phrase: str,
    occurrence: int | None,
    word: int,
) -> None:
    model = load(folders(masks=1))
    shot = shot_of(prompt).target(phrase, PLACE, occurrence=occurrence)
    shot = Shot.model_validate_json(shot.to_json()).with_control(target_attention=1.0)
    made = plan(shot, model)
    assert torch.equal(made.text, model.encode(prompt))  # the words are read as they are
    steering = next(control for control in made.controls if isinstance(control, TargetAttention))
    start = [found.start() for found in re.finditer("target", prompt)][word]
    own = model.tokenize(prompt).within(start, start + len("target"))
    assert set(own) <= set(steering.marks[0].tokens)
    others = [found.start() for found in re.finditer("target", prompt) if found.start() != start]
    for other in others:
        assert not set(model.tokenize(prompt).within(other, other + 6)) & set(steering.marks[0].tokens)
    assert (
        f'the word "target" stands 2 times in the text; the one that names "{phrase}" marks the'
        in caplog.text
    )


def test_a_prompt_that_says_target_twice_asks_which(folders: Folders) -> None:
    with pytest.raises(
        ShotError, match="the prompt has it 2 times; say which with an occurrence from 1 to 2"
    ):
        plan(
            shot_of("a bird takes the target and the target moves").target("target", PLACE),
            load(folders(masks=1)),
        )
