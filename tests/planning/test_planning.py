"""From a shot to a model call: defaults, subjects, controls, and refusals before any work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from oracle_model import OracleModel
from toy_models import WORDS, save_toy_model

from rehearse.cards import ModelCard
from rehearse.controls import AttentionMask, CleanPrior, NoisePrior, TrajectoryNoise
from rehearse.models import load_model
from rehearse.models.model import VideoModel
from rehearse.planning import plan
from rehearse.resolve.abilities import ability
from rehearse.shot import Box, BoxPath, Mask, Shot, ShotError
from rehearse.shot.methods import AttentionMasking, Normalizing, TemporalPrior

PROMPT = "a red ball and the blue star over snow"
PATH = [(0, Box(0.1, 0.3, 0.4, 0.7)), (1, Box(0.6, 0.3, 0.9, 0.7))]


def shot_of(**fields: Any) -> Shot:
    return Shot(PROMPT, **fields)


def followed(**control: Any) -> Shot:
    shot = shot_of(steps=10).follow("red ball", PATH)
    return shot.with_control(**control) if control else shot


def refusal(shot: Shot, model: VideoModel) -> ShotError:
    with pytest.raises(ShotError) as caught:
        plan(shot, model)
    assert "\n" not in str(caught.value)
    return caught.value


def test_what_is_left_out_is_the_model_s_default(video_model: VideoModel) -> None:
    made, own = plan(shot_of(seed=5), video_model), video_model.defaults
    assert (made.frames, made.width, made.height, made.fps) == (own.frames, own.width, own.height, own.fps)
    assert (made.steps, made.guidance, made.scheduler, made.seed) == (
        own.steps,
        own.guidance,
        own.scheduler,
        5,
    )
    assert torch.equal(made.text, video_model.encode(PROMPT, "")) and made.controls == () == made.subjects


def test_what_is_given_is_kept(video_model: VideoModel) -> None:
    shot = shot_of(
        frames=7, width=72, height=40, fps=12, steps=3, guidance=0, scheduler="unipc", negative_prompt="bird"
    )
    made = plan(shot, video_model)
    assert (made.frames, made.width, made.height, made.fps) == (7, 72, 40, 12)
    assert (made.steps, made.guidance, made.scheduler) == (3, 0, "unipc")
    assert torch.equal(made.text, video_model.encode(PROMPT, "bird"))


def test_subjects_have_the_tokens_of_their_words_and_the_later_is_in_front(video_model: VideoModel) -> None:
    shot = shot_of().follow("the blue star", PATH).follow("Red ball", PATH)
    star, ball = plan(shot, video_model).subjects
    assert (ball.tokens, star.tokens) == ((2, 3), (6, 7))  # after the start mark and "a"; no article
    assert (ball.depth, star.depth) == (0, 1)
    assert star.path == BoxPath(PATH)


def test_one_word_of_several_tokens_and_one_mention_of_two(video_model: VideoModel) -> None:
    shot = Shot("a zq and a red ball and a ball").follow("zq", PATH).follow("ball", PATH, occurrence=2)
    first, second = plan(shot, video_model).subjects
    assert (first.tokens, second.tokens) == ((2, 3), (10,))


def test_without_a_trajectory_there_is_nothing_to_control(video_model: VideoModel) -> None:
    assert plan(shot_of().with_control(frozen_steps=3), video_model).controls == ()


def test_what_is_left_out_is_the_method_s_default(video_model: VideoModel) -> None:
    mask, prior = plan(followed(), video_model).controls
    masking, normalizing, sharing = AttentionMasking(), Normalizing(), TemporalPrior()
    assert isinstance(mask, AttentionMask) and isinstance(prior, CleanPrior)
    assert mask.sites == set(masking.mask_sites) and mask.parts == {*masking.mask_parts, "body"}
    assert (mask.frozen_steps, mask.variant) == (round(10 * masking.frozen_steps), masking.mask_variant)
    assert mask.normalization is not None and mask.normalization.sites == set(normalizing.normalization_sites)
    assert mask.normalization.strength == normalizing.normalization_strength
    steps = round(10 * sharing.temporal_prior_steps)
    assert (prior.steps, prior.strength) == (steps, sharing.temporal_prior_strength)
    assert mask.subjects[0].inset == masking.mask_inset


def test_a_model_s_card_comes_before_the_methods_defaults(
    video_model: VideoModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {
        "frozen_steps": 0.3, "normalization": "regional", "normalization_strength": 0.5,
        "temporal_prior": "x0", "temporal_prior_strength": 0.4, "temporal_prior_steps": 2,
        "initial_noise": "freetraj", "mask_sites": ("cross",), "mask_parts": ("up",),
        "normalization_sites": ("cross",), "mask_inset": 0.25,
    }  # fmt: skip
    monkeypatch.setattr(ModelCard, "of_methods", property(lambda card: own))
    noise, mask, prior = plan(followed(), video_model).controls
    assert (
        isinstance(noise, TrajectoryNoise)
        and isinstance(mask, AttentionMask)
        and isinstance(prior, CleanPrior)
    )
    assert (mask.frozen_steps, mask.sites, mask.parts) == (3, {"cross"}, {"up", "body"})
    assert mask.normalization is not None
    assert (mask.normalization.variant, mask.normalization.strength) == ("regional", 0.5)
    assert mask.normalization.sites == {"cross"}
    assert (prior.steps, prior.strength) == (2, 0.4)
    assert mask.subjects == noise.subjects == prior.subjects
    assert [subject.inset for subject in mask.subjects] == [0.25]


def test_the_shot_s_settings_come_before_the_defaults(video_model: VideoModel) -> None:
    shot = followed(
        frozen_steps=4, mask_sites=["spatial", "cross"], normalization="global", normalization_strength=0.2,
        normalization_sites=["spatial"], temporal_prior="noise", temporal_prior_strength=0.9,
        temporal_prior_steps=0.5, initial_noise="random", mask_parts=["mid", "down"], mask_inset=0,
    )  # fmt: skip
    mask, prior = plan(shot, video_model).controls
    assert isinstance(mask, AttentionMask) and isinstance(prior, NoisePrior)
    assert (mask.frozen_steps, mask.sites) == (4, {"spatial", "cross"})
    assert mask.parts == {"down", "mid", "body"} and mask.subjects[0].inset == 0
    assert mask.normalization is not None
    assert (mask.normalization.variant, mask.normalization.strength) == ("global", 0.2)
    assert mask.normalization.sites == {"spatial"}
    assert (prior.steps, prior.strength) == (5, 0.9)


def test_a_model_may_know_how_many_of_its_steps_to_freeze(tmp_path: Path) -> None:
    def frozen(shot: Shot, **defaults: Any) -> int:
        folder = save_toy_model(tmp_path / str(defaults), settings={"defaults": defaults})
        mask = plan(shot, load_model(str(folder), precision="float32")).controls[0]
        assert isinstance(mask, AttentionMask)
        return mask.frozen_steps

    assert frozen(followed()) == 1  # of 10
    assert frozen(followed(), frozen_steps=0.5) == 5
    assert frozen(followed(), frozen_steps=3) == 3
    assert frozen(followed(frozen_steps=0.2), frozen_steps=0.5) == 2


@pytest.mark.parametrize(
    ("control", "kinds"),
    [
        ({"frozen_steps": 0, "temporal_prior": "none"}, []),
        ({"mask_sites": [], "temporal_prior": "none"}, []),
        ({"temporal_prior": "none", "normalization": "none"}, [AttentionMask]),
        ({"frozen_steps": 0, "temporal_prior": "x0"}, [CleanPrior]),
        ({"frozen_steps": 0, "temporal_prior": "noise", "temporal_prior_strength": 0}, []),
        ({"frozen_steps": 0, "temporal_prior": "none", "initial_noise": "freetraj"}, [TrajectoryNoise]),
    ],
)
def test_methods_can_be_switched_off(
    video_model: VideoModel, control: dict[str, Any], kinds: list[type]
) -> None:
    controls = plan(followed(**{"initial_noise": "random", **control}), video_model).controls
    assert [type(each) for each in controls] == kinds
    if kinds == [AttentionMask]:
        assert isinstance(controls[0], AttentionMask) and controls[0].normalization is None


def test_abilities_are_named() -> None:
    shot = shot_of().motion("fast").follow("red ball", PATH).drag((0.1, 0.1), (0.5, 0.5))
    assert [ability(each) for each in shot.instructions] == ["motion", "trajectory.box", "trajectory.drag"]


@pytest.mark.parametrize(
    ("shot", "named"),
    [
        (shot_of().motion("fast"), "motion instructions"),
        (shot_of().drag((0.1, 0.1), (0.5, 0.5)), "drag trajectory instructions"),
        (shot_of().target("red ball", Mask.of(Box(0.1, 0.1, 0.5, 0.5))), "target instructions"),
        (shot_of().paint([], prompt="a hat"), "content instructions"),
    ],
)
def test_what_the_model_cannot_act_on_is_refused_by_name(
    video_model: VideoModel, shot: Shot, named: str
) -> None:
    error = refusal(shot, video_model)
    assert error.field == "instructions[0]"
    assert named in str(error) and "it can on: box trajectory" in str(error)


def test_a_path_without_words_needs_a_picture(video_model: VideoModel) -> None:
    error = refusal(shot_of().follow(None, PATH), video_model)
    assert error.field == "instructions[0].phrase" and "must be named" in str(error)


@pytest.mark.parametrize(
    ("control", "field"),
    [({"blend": {"weight": 0.5}}, "blend"), ({"frame_alignment": True}, "frame_alignment")],
)
def test_settings_of_methods_it_has_not_are_refused(
    video_model: VideoModel, control: dict[str, Any], field: str
) -> None:
    assert refusal(shot_of().with_control(**control), video_model).field == f"control.{field}"


@pytest.mark.parametrize(("fields", "field", "said"), [
    ({"width": 100}, "width", "multiple of 8, such as 96 or 104"),
    ({"height": 12}, "height", "such as 8 or 16"),
])  # fmt: skip
def test_sizes_that_are_no_multiple(
    video_model: VideoModel, fields: dict[str, Any], field: str, said: str
) -> None:
    error = refusal(shot_of(**fields), video_model)
    assert error.field == field and said in str(error) and str(fields[field]) in str(error)


def test_more_frames_than_the_model_takes() -> None:
    model = OracleModel(torch.zeros(1, 4, 2, 4, 4), "epsilon")
    error = refusal(shot_of(frames=3), model)
    assert (error.field, error.value) == ("frames", 3) and "at most 2 frames" in str(error)


def test_a_phrase_beyond_the_token_limit(video_model: VideoModel, caplog: pytest.LogCaptureFixture) -> None:
    shot = Shot("a red ball moves right over the meadow and the blue star")
    plan(shot, video_model)
    assert "it does not see: 'blue star'" in caplog.text
    error = refusal(shot.follow("blue star", PATH), video_model)
    assert error.field == "instructions[0].phrase" and "reads only 12 tokens" in str(error)
    assert plan(shot.follow("red ball", PATH), video_model).subjects[0].tokens == (2, 3)


def test_words_outside_a_closed_vocabulary(tmp_path: Path) -> None:
    model = load_model(str(save_toy_model(tmp_path / "theatre", vocabulary=WORDS)))
    plan(shot_of(negative_prompt="Bird, car"), model)
    error = refusal(Shot("a red bal over the zebra meadow"), model)
    assert error.field == "prompt"
    assert '"bal" (nearest: "ball")' in str(error) and '"zebra"' in str(error) and "it knows: " in str(error)
    assert refusal(shot_of(negative_prompt="zebra"), model).field == "negative_prompt"


def test_schedulers_and_steps_that_cannot_be() -> None:
    flow = OracleModel(torch.zeros(1, 4, 2, 4, 4), "flow_prediction")
    error = refusal(shot_of(scheduler="ddim"), flow)
    assert (error.field, error.value) == ("scheduler", "ddim") and "use euler" in str(error)
    model = OracleModel(torch.zeros(1, 4, 2, 4, 4), "epsilon")
    model.config["num_train_timesteps"] = 20
    error = refusal(shot_of(steps=30), model)
    assert (error.field, error.value) == ("steps", 30) and "has 20" in str(error)


@pytest.mark.parametrize(
    ("control", "named"),
    [
        ({"frozen_steps": 3}, "control.frozen_steps: set for subjects"),
        (
            {"normalization": "global", "temporal_prior": "x0"},
            "control.normalization, control.temporal_prior: ",
        ),
        ({"initial_noise": "freetraj", "mask_inset": 0}, "control.mask_inset, control.initial_noise: "),
        (
            {"mask_sites": ["spatial"], "mask_parts": ["up"], "temporal_prior_steps": 2},
            "control.mask_sites, ",
        ),
    ],
)
def test_settings_of_subjects_without_a_subject_are_told(
    video_model: VideoModel, control: dict[str, Any], named: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert plan(shot_of().with_control(**control), video_model).controls == ()
    (message,) = caplog.messages
    assert message.startswith(named) and f"or leave {'it' if len(control) == 1 else 'them'} out" in message
    caplog.clear()
    plan(followed(**control), video_model)
    assert not caplog.messages


def test_settings_that_ask_for_nothing_need_no_subject(
    video_model: VideoModel, caplog: pytest.LogCaptureFixture
) -> None:
    nothing = {
        "frozen_steps": 0,
        "normalization": "none",
        "temporal_prior": "none",
        "initial_noise": "random",
    }
    plan(shot_of().with_control(**nothing), video_model)
    plan(shot_of(), video_model)
    assert not caplog.messages


def test_a_negative_prompt_beyond_the_token_limit_is_told(
    video_model: VideoModel, caplog: pytest.LogCaptureFixture
) -> None:
    long = "a red ball moves right over the meadow and the blue star"
    plan(shot_of(negative_prompt=long), video_model)
    (message,) = caplog.messages
    assert message.startswith("the negative prompt is longer than the 12 tokens")
    assert message.endswith("it does not see: 'blue star'")


@pytest.mark.parametrize("family", ["epsilon", "cogvideox", "wan"])
def test_other_tools_syntax_is_told_on_an_open_vocabulary(
    prediction_folders: dict[str, Path], caplog: pytest.LogCaptureFixture, family: str
) -> None:
    model = load_model(str(prediction_folders[family]))
    shot = Shot("a (red ball:1.3)", negative_prompt="<lora:bird:1>", frames=5)
    plan(shot.with_(width=model.defaults.width, height=model.defaults.height), model)
    assert [message.partition(" are not read")[0] for message in caplog.messages] == [
        "the prompt has “(red ball:1.3)”: weights",
        "the negative prompt has “<lora:bird:1>”: LoRAs",
    ]


def test_other_tools_syntax_is_recognised_by_a_closed_vocabulary(tmp_path: Path) -> None:
    model = load_model(str(save_toy_model(tmp_path / "toy", vocabulary=WORDS)))
    error = refusal(Shot("a (red ball:1.3) over the meadow"), model)
    assert error.field == "prompt" and 'write "a red ball over the meadow"' in str(error)
    error = refusal(Shot("a <lora:zebra:1> red zebra"), model)
    assert "LoRAs are not read" in str(error) and "write it in plain words" in str(error)
    assert '"zebra" is a word' in str(refusal(Shot("a red zebra"), model))
    error = refusal(shot_of(negative_prompt="(snow:1.4)"), model)
    assert error.field == "negative_prompt" and 'write "snow"' in str(error)


def test_a_negative_prompt_at_guidance_1_is_told(
    video_model: VideoModel, caplog: pytest.LogCaptureFixture
) -> None:
    plan(shot_of(negative_prompt="bird", guidance=1), video_model)
    (message,) = caplog.messages
    assert message.startswith("the negative prompt is not used at guidance 1")
    caplog.clear()
    plan(shot_of(negative_prompt="bird", guidance=1.5), video_model)
    plan(shot_of(guidance=1), video_model)
    assert not caplog.messages


def test_the_words_lost_begin_with_a_whole_one(
    video_model: VideoModel, caplog: pytest.LogCaptureFixture
) -> None:
    plan(Shot("a red ball moves right over the meadow and xylophones ring"), video_model)
    (message,) = caplog.messages
    assert message.endswith("it does not see: 'xylophones ring'")
    caplog.clear()
    plan(Shot("a red ball moves right over the meadow and " + "many words " * 200), video_model)
    (message,) = caplog.messages
    assert len(message) < 500 and message.endswith("words)'")
