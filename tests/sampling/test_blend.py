"""Equation 4 in the loop: exact at its ends, linear in between, for every prediction type and scheduler."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_models import SCHEDULER_CONFIGS

from rehearse.models import load_model
from rehearse.models.model import VideoModel
from rehearse.planning import plan as make_plan
from rehearse.sampling.blend import Blend, Kept, Side
from rehearse.sampling.blend_weights import blend_weights
from rehearse.sampling.loop import Loop
from rehearse.sampling.plan import Plan
from rehearse.sampling.state import State
from rehearse.schedulers import SCHEDULERS
from rehearse.shot import Box, Mask, Shot, ShotError
from rehearse.shot.feather import across
from rehearse.shot.methods import BLEND_DEFAULTS, BlendSettings

STEPS = 5
COMBINATIONS = [
    (name, prediction)
    for name in SCHEDULERS
    for prediction in SCHEDULER_CONFIGS
    if (name, prediction) != ("ddim", "flow_prediction")
]
LEFT = [(0, Box(0.1, 0.3, 0.4, 0.8)), (1, Box(0.5, 0.2, 0.9, 0.7))]
RIGHT = [(0, Box(0.6, 0.0, 0.9, 0.5)), (1, Box(0.1, 0.4, 0.4, 1.0))]


@cache
def loaded(folder: Path) -> VideoModel:
    return load_model(str(folder), precision="float32")


def shots(folder: Path, scheduler: str, prior: str = "noise") -> tuple[Shot, Shot]:
    """An original and an edited shot whose controls act at sites, on the noise and on x0."""
    before = Shot("a red ball over the meadow", model=str(folder), seed=4, scheduler=scheduler)  # type: ignore[arg-type]
    before = before.with_(steps=STEPS, frames=3, width=48, height=40, guidance=2.5)
    before = before.with_control(frozen_steps=4, temporal_prior=prior, temporal_prior_steps=4)
    after = before.with_(prompt="a blue car over the snow", guidance=4.0).follow("blue car", RIGHT)
    return before.follow("red ball", LEFT), after


def end(loop: Loop, state: State) -> torch.Tensor:
    *_, last = loop.run(state)
    return last.latents


def blended(edited: Plan, original: Plan, weight: float | torch.Tensor) -> Plan:
    weights = weight if isinstance(weight, torch.Tensor) else torch.full((1, 1, 1, 1, 1), weight)
    return replace(edited, blend=Blend(original.side, weights))


class Denoised:
    """Counts denoiser calls."""

    def __init__(self, model: VideoModel, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        whole = model.denoise

        def denoise(*args: object, **options: object) -> torch.Tensor:
            self.calls += 1
            return whole(*args, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(model, "denoise", denoise)


@pytest.mark.parametrize(("scheduler", "prediction"), COMBINATIONS)
def test_at_its_ends_it_is_one_of_its_sides_bit_for_bit(
    prediction_folders: dict[str, Path], scheduler: str, prediction: str
) -> None:
    model = loaded(prediction_folders[prediction])
    original, edited = (make_plan(shot, model) for shot in shots(prediction_folders[prediction], scheduler))
    state = Loop(model, original).start()
    state = Loop(model, original).step(state)
    before, after = end(Loop(model, original), state), end(Loop(model, edited), state)
    assert (before - after).abs().max() > 1e-2
    assert torch.equal(end(Loop(model, blended(edited, original, 0.0)), state), after)
    assert torch.equal(end(Loop(model, blended(edited, original, 1.0)), state), before)
    half = end(Loop(model, blended(edited, original, 0.5)), state)
    assert half.isfinite().all()
    assert min((half - before).abs().max(), (half - after).abs().max()) > 1e-3


@pytest.mark.parametrize("end_weight", [0.0, 1.0])
def test_a_side_without_weight_costs_nothing(
    video_model: VideoModel, video_folder: Path, monkeypatch: pytest.MonkeyPatch, end_weight: float
) -> None:
    original, edited = (make_plan(shot, video_model) for shot in shots(video_folder, "ddim"))
    loop = Loop(video_model, blended(edited, original, end_weight))
    state = loop.start()
    counting = Denoised(video_model, monkeypatch)
    loop.step(state)
    assert counting.calls == 1
    Loop(video_model, blended(edited, original, 0.3)).step(state)
    assert counting.calls == 3


@settings(max_examples=25, deadline=None)
@given(
    combination=st.sampled_from(COMBINATIONS),
    weight=st.floats(0, 1, width=32),
    prior=st.sampled_from(["noise", "x0"]),
)
def test_one_step_is_linear_in_the_weight(
    prediction_folders: dict[str, Path], combination: tuple[str, str], weight: float, prior: str
) -> None:
    """Every first step of these schedulers is linear in the output and the latents, and so in w."""
    scheduler, prediction = combination
    folder = prediction_folders[prediction]
    model = loaded(folder)
    original, edited = (make_plan(shot, model) for shot in shots(folder, scheduler, prior))
    state = Loop(model, original).start()
    before, after = (Loop(model, plan).step(state) for plan in (original, edited))
    between = Loop(model, blended(edited, original, weight)).step(state)
    for name in ("latents", "x0"):
        low, high = getattr(after, name), getattr(before, name)
        expected = low + weight * (high - low)
        assert torch.allclose(getattr(between, name), expected, rtol=1e-4, atol=2e-4 * expected.abs().max())


def test_a_map_mixes_each_place_by_its_own_weight(video_model: VideoModel, video_folder: Path) -> None:
    original, edited = (make_plan(shot, video_model) for shot in shots(video_folder, "ddim", "x0"))
    state = Loop(video_model, original).start()
    weights = torch.zeros(1, 1, 3, 5, 6)
    weights[:, :, 0] = 1.0
    weights[:, :, 2, :, 3:] = 0.25
    before, after = (Loop(video_model, plan).step(state).latents for plan in (original, edited))
    mixed = Loop(video_model, blended(edited, original, weights)).step(state).latents
    assert torch.allclose(mixed[:, :, 0], before[:, :, 0], atol=1e-6)
    assert torch.allclose(mixed[:, :, 1], after[:, :, 1], atol=1e-6)
    expected = torch.lerp(after, before, 0.25)[:, :, 2, :, 3:]
    assert torch.allclose(mixed[:, :, 2, :, 3:], expected, atol=1e-5)


@pytest.mark.parametrize(("scheduler", "prediction"), COMBINATIONS)
def test_kept_predictions_bring_the_original_back(
    prediction_folders: dict[str, Path], scheduler: str, prediction: str
) -> None:
    """With w = 1 the parent's own latents recur, up to the noise being derived anew from them."""
    model = loaded(prediction_folders[prediction])
    # TID-A moves latents, which a kept x0 cannot tell: without it.
    original, edited = (
        make_plan(shot.with_control(temporal_prior="x0"), model)
        for shot in shots(prediction_folders[prediction], scheduler)
    )
    start = Loop(model, original).start()
    states = list(Loop(model, original).run(start))
    kept = Kept({state.step - 1: state.x0 for state in states if state.x0 is not None})
    whole = replace(edited, blend=Blend(kept, torch.ones(1, 1, 1, 1, 1)))
    assert torch.allclose(end(Loop(model, whole), start), states[-1].latents, rtol=1e-3, atol=1e-3)
    half = replace(edited, blend=Blend(kept, torch.full((1, 1, 1, 1, 1), 0.5)))
    computed = Loop(model, blended(edited, original, 0.5)).step(start)
    assert torch.allclose(Loop(model, half).step(start).latents, computed.latents, rtol=1e-4, atol=1e-4)


def test_kept_predictions_cost_no_call(
    video_model: VideoModel, video_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, edited = (make_plan(shot, video_model) for shot in shots(video_folder, "ddim"))
    state = Loop(video_model, original).start()
    x0 = Loop(video_model, original).step(state).x0
    assert x0 is not None
    counting = Denoised(video_model, monkeypatch)
    Loop(video_model, replace(edited, blend=Blend(Kept({0: x0}), torch.tensor([0.5])))).step(state)
    assert counting.calls == 1


def test_a_mix_can_be_the_original_of_another(video_model: VideoModel, video_folder: Path) -> None:
    original, edited = (make_plan(shot, video_model) for shot in shots(video_folder, "dpm++"))
    again = make_plan(shots(video_folder, "dpm++")[0].with_prompt("a red ball over the snow"), video_model)
    first = blended(edited, original, 0.25)
    state = Loop(video_model, original).start()
    nested = Loop(video_model, blended(again, first, 1.0))
    assert torch.equal(end(nested, state), end(Loop(video_model, first), state))
    sides = [Loop(video_model, plan).step(state).latents for plan in (original, edited, again)]
    expected = sides[0] * 0.125 + sides[1] * 0.375 + sides[2] * 0.5
    halves = Loop(video_model, blended(again, first, 0.5)).step(state).latents
    assert torch.allclose(halves, expected, rtol=1e-4, atol=1e-4)


def test_a_side_stands_alone(video_model: VideoModel, video_folder: Path) -> None:
    """A side that names no controls and no guidance has none of the first and the plan's of the second."""
    _, edited = (make_plan(shot, video_model) for shot in shots(video_folder, "ddim"))
    state = Loop(video_model, edited).start()
    plain = replace(edited, controls=())
    mixed = replace(edited, blend=Blend(Side(edited.text), torch.ones(1)))
    assert torch.equal(
        Loop(video_model, mixed).step(state).latents, Loop(video_model, plain).step(state).latents
    )


# Weights


def test_a_blends_region_is_named_where_it_is_wrong() -> None:
    def said(region: Mask) -> str:
        with pytest.raises(ShotError) as caught:
            blend_weights(BlendSettings(region=region), (1, 8, 8), 64, 64)
        return str(caught.value)

    assert said(Mask(image="m.png")).startswith('control.blend.region.image is "m.png": its file has not')
    assert said(Mask.of(np.ones((64, 64), np.uint8))).startswith("control.blend.region: it is nearly black")


def test_a_dark_ground_of_a_blends_region_is_not_marked() -> None:
    picture = np.full((64, 64), 4, np.uint8)
    picture[16:32, 16:32] = 250
    weights = blend_weights(BlendSettings(region=Mask.of(picture), feather=0), (1, 8, 8), 64, 64)
    assert weights.unique().tolist() == [0, 1]


def test_weights_over_frames() -> None:
    assert blend_weights(BlendSettings(weight=0.25), (3, 2, 4), 16, 32).shape == (1, 1, 3, 2, 4)
    falling = BlendSettings(over_time=[{"time": 0, "weight": 1}, {"time": 1, "weight": 0}])  # type: ignore[arg-type]
    weights = blend_weights(falling, (5, 2, 2), 16, 16)
    assert weights[0, 0, :, 0, 0].tolist() == [1, 0.75, 0.5, 0.25, 0]
    assert blend_weights(BlendSettings(), (2, 1, 1), 8, 8).unique().tolist() == [BLEND_DEFAULTS.weight]


def test_outside_the_region_the_original_stays() -> None:
    region = Mask(box=Box(0.25, 0.25, 0.75, 0.75))
    weights = blend_weights(BlendSettings(region=region, feather=0), (2, 8, 8), 64, 64)
    expected = torch.ones(8, 8)
    expected[2:6, 2:6] = 0
    assert torch.equal(weights[0, 0, 0], expected) and torch.equal(weights[0, 0, 1], expected)
    half = blend_weights(BlendSettings(region=region, feather=0, weight=0.5), (1, 8, 8), 64, 64)
    assert torch.equal(half[0, 0, 0], 0.5 + 0.5 * expected)


def test_a_region_thinner_than_a_cell_keeps_its_share() -> None:
    thin = Mask(box=Box(0.0, 0.0, 1 / 64, 1.0))
    weights = blend_weights(BlendSettings(region=thin, feather=0), (1, 8, 8), 64, 64)
    assert torch.allclose(1 - weights[0, 0, 0].sum(1) / 8, torch.full((8,), 1 / 64))


def test_an_empty_region_is_refused() -> None:
    with pytest.raises(ShotError, match="empty"):
        BlendSettings(region=Mask(box=Box(0, 0, 1, 1), invert=True))


@given(
    x=st.floats(0, 0.5), y=st.floats(0, 0.5), size=st.floats(0.1, 0.5), feather=st.floats(0, 0.5),
    height=st.integers(8, 40), width=st.integers(8, 40),
)  # fmt: skip
def test_feathering_softens_and_keeps_bounds(
    x: float, y: float, size: float, feather: float, height: int, width: int
) -> None:
    region = Mask(box=Box(x, y, x + size, y + size)).raster(height, width)
    soft = across(region, feather * min(height, width))
    assert soft.shape == region.shape and soft.dtype == region.dtype
    assert soft.min() >= 0 and soft.max() <= region.max() + 1e-6
    assert abs(soft[:, 1:] - soft[:, :-1]).max() <= abs(region[:, 1:] - region[:, :-1]).max() + 1e-6


def test_the_soft_edge_is_as_wide_as_asked() -> None:
    region = Mask(box=Box(0.5, 0.0, 1.0, 1.0)).raster(4, 200)
    soft = across(region, 40)
    rising = (soft[0] > 1e-6) & (soft[0] < 1 - 1e-6)
    assert 38 <= rising.sum() <= 42 and soft[0, 99:101].mean() == pytest.approx(0.5)
    assert soft[:, -1].min() == 1, "the frame's edge is no edge of the region"
