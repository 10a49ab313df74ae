"""The loop: seeds, guidance, controls, cancelling, looking."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Event

import numpy as np
import pytest
import torch
from oracle_model import OracleModel
from torch import Tensor

from rehearse.controls.control import Control, Moment
from rehearse.models.model import VideoModel
from rehearse.prediction import Prediction
from rehearse.sampling.loop import Cancelled, Loop
from rehearse.sampling.plan import Plan
from rehearse.sampling.state import State
from rehearse.sites import AttentionCall, Site

TRUTH = torch.randn(1, 4, 2, 4, 4, generator=torch.Generator().manual_seed(1))


def plan_of(**changes: object) -> Plan:
    plan = Plan(
        frames=2, width=32, height=32, fps=4, steps=6, guidance=1.0, scheduler="ddim", seed=0,
        text=torch.zeros(2, 8, 4),
    )  # fmt: skip
    return replace(plan, **changes)  # type: ignore[arg-type]


def last(loop: Loop, state: State | None = None) -> State:
    return list(loop.run(state or loop.start()))[-1]


@dataclass(frozen=True)
class Aim(Control):
    """Says that the clean latents are something else, by x0 or by moving the latents through the noise."""

    target: Tensor
    by: str = "x0"
    at: int | None = None

    def predict(self, prediction: Prediction, moment: Moment) -> Prediction:
        if self.at is not None and moment.step != self.at:
            return prediction
        if self.by == "x0":
            return prediction.with_x0(self.target.expand_as(prediction.x0))
        return prediction.with_noise(self.target.expand_as(prediction.noise))


@dataclass(frozen=True)
class Noted(Control):
    """Wants sites in its first steps and notes the moments."""

    moments: list[Moment]
    first: int = 2

    def prepare(self, latents: Tensor, generator: torch.Generator) -> Tensor:
        return latents + torch.randn(latents.shape, generator=generator)

    def wants(self, site: Site, moment: Moment) -> bool:
        return moment.step < self.first

    def attend(self, call: AttentionCall, moment: Moment) -> Tensor | None:
        return None

    def predict(self, prediction: Prediction, moment: Moment) -> Prediction:
        self.moments.append(moment)
        return prediction


def test_a_seed_means_the_same_noise_on_every_run() -> None:
    model = OracleModel(TRUTH, "epsilon")
    torch.manual_seed(99)  # torch's own generator has no say
    one = Loop(model, plan_of(seed=7)).start().latents
    two = Loop(model, plan_of(seed=7)).start().latents
    assert torch.equal(one, two)
    assert not torch.equal(one, Loop(model, plan_of(seed=8)).start().latents)
    # Written down, so that a new version of anything that changes it is noticed.
    np.testing.assert_allclose(
        one.flatten()[:3], torch.randn(128, generator=torch.Generator().manual_seed(7))[:3]
    )


def test_starting_noise_is_scaled_for_the_scheduler() -> None:
    model = OracleModel(TRUTH, "epsilon")
    plain = Loop(model, plan_of()).start().latents
    euler = Loop(model, plan_of(scheduler="euler")).start()
    factor = float(euler.scheduler.restore().init_noise_sigma)
    assert factor > 5
    torch.testing.assert_close(euler.latents, plain * factor)


def test_guidance_one_runs_the_conditional_branch_only() -> None:
    model = OracleModel(TRUTH, "epsilon")
    Loop(model, plan_of()).step(Loop(model, plan_of()).start())
    Loop(model, plan_of(guidance=3.0)).step(Loop(model, plan_of(guidance=3.0)).start())
    assert model.batches == [1, 2]


def test_guidance_extrapolates_from_the_unconditional_branch(video_model: VideoModel) -> None:
    text = video_model.encode("a red ball", "blue")
    loop = Loop(video_model, plan_of(width=64, height=64, text=text, guidance=4.0))
    state = loop.start()
    time = state.scheduler.restore().timesteps[0]
    low = video_model.denoise(state.latents, time, text[:1])
    high = video_model.denoise(state.latents, time, text[1:])
    scheduler = state.scheduler.restore()
    expected = scheduler.step(low + 4.0 * (high - low), time, state.latents).prev_sample
    torch.testing.assert_close(loop.step(state).latents, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "flow_prediction"])
@pytest.mark.parametrize("scheduler", ["dpm++", "unipc", "euler"])
def test_a_control_that_sets_x0_decides_the_result(scheduler: str, prediction: str) -> None:
    target = torch.full((1, 1, 1, 1, 1), 0.7)
    loop = Loop(OracleModel(TRUTH, prediction), plan_of(scheduler=scheduler, controls=(Aim(target),)))
    torch.testing.assert_close(last(loop).latents, target.expand_as(TRUTH), atol=0.01, rtol=0.01)


@pytest.mark.parametrize("scheduler", ["ddim", "dpm++", "unipc", "euler"])
def test_latents_that_a_control_moves_stay_moved(scheduler: str) -> None:
    """The noise is replaced in one step; what is left of it after it tells whether it was kept."""
    noise = torch.randn(TRUTH.shape, generator=torch.Generator().manual_seed(5))
    plan = plan_of(scheduler=scheduler, controls=(Aim(noise, "noise", at=2),), steps=8)
    loop = Loop(OracleModel(TRUTH, "epsilon"), plan)
    state = loop.start()
    for _ in range(4):
        state = loop.step(state)
    # The oracle knows the rest: the latents are a mix of the truth and of the noise that was put there.
    left = state.latents - TRUTH * (torch.sum(state.latents * TRUTH) / torch.sum(TRUTH * TRUTH))
    agreement = torch.nn.functional.cosine_similarity(left.flatten(), noise.flatten(), dim=0)
    assert agreement > 0.95


def test_controls_are_told_the_moment_and_asked_only_where_they_want() -> None:
    moments: list[Moment] = []
    model = OracleModel(TRUTH, "epsilon")
    loop = Loop(model, plan_of(controls=(Noted(moments),)))
    last(loop)
    assert [(moment.step, moment.steps) for moment in moments] == [(step, 6) for step in range(6)]
    assert moments[0].timestep == 830 and moments[0].progress == 0
    assert [attend is not None for attend in model.attends] == [True, True, False, False, False, False]


def test_controls_draw_their_noise_from_the_take_s_generator() -> None:
    model = OracleModel(TRUTH, "epsilon")
    starts = [Loop(model, plan_of(controls=(Noted([]),))).start() for _ in range(2)]
    assert torch.equal(starts[0].latents, starts[1].latents)
    assert torch.equal(starts[0].generator, starts[1].generator)
    assert not torch.equal(starts[0].latents, Loop(model, plan_of()).start().latents)


def test_a_state_can_be_stepped_twice_and_is_left_alone() -> None:
    loop = Loop(OracleModel(TRUTH, "epsilon"), plan_of(scheduler="unipc"))
    state = loop.step(loop.start())
    latents = state.latents.clone()
    one, two = loop.step(state), loop.step(state)
    assert torch.equal(one.latents, two.latents) and torch.equal(state.latents, latents)


def test_no_step_after_the_last() -> None:
    loop = Loop(OracleModel(TRUTH, "epsilon"), plan_of())
    with pytest.raises(ValueError, match="all 6 steps are done"):
        loop.step(last(loop))


def test_run_stops_where_it_is_told() -> None:
    loop = Loop(OracleModel(TRUTH, "epsilon"), plan_of())
    assert [state.step for state in loop.run(loop.start(), until=4)] == [1, 2, 3, 4]
    assert [state.step for state in loop.run(loop.start(), until=99)][-1] == 6


def test_cancelling_leaves_a_state_that_goes_on_to_the_same_end() -> None:
    loop = Loop(OracleModel(TRUTH, "v_prediction"), plan_of(scheduler="dpm++"))
    event = Event()
    with pytest.raises(Cancelled) as caught:
        for state in loop.run(loop.start(), cancel=event):
            if state.step == 3:
                event.set()
    assert caught.value.state.step == 3
    assert torch.equal(last(loop, caught.value.state).latents, last(loop).latents)
    with pytest.raises(Cancelled):
        next(loop.run(loop.start(), cancel=lambda: True))


def test_previews_show_the_clean_latents_and_decode_the_end() -> None:
    loop = Loop(OracleModel(TRUTH.abs() / 4, "epsilon"), plan_of())
    state = loop.step(loop.start())
    expected = loop.model.preview(TRUTH.abs() / 4)
    assert np.abs(loop.preview(state).astype(int) - expected).max() <= 1
    assert loop.preview(state).shape == (1, 2, 4, 4, 3)
    end = last(loop)
    assert np.array_equal(loop.decode(end), loop.model.decode(end.latents))
