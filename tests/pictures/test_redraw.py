"""P_img's runs on the loop: starting in the middle, and keeping what lies outside."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from oracle_model import OracleModel
from torch import Tensor

from rehearse.controls.keep_outside import KeepOutside
from rehearse.sampling.loop import Loop
from rehearse.sampling.plan import Plan
from rehearse.schedulers import levels

TRUTH = torch.randn(1, 4, 1, 4, 4, generator=torch.Generator().manual_seed(1))
GIVEN = torch.randn(1, 4, 1, 4, 4, generator=torch.Generator().manual_seed(2))
KINDS = [
    *((scheduler, "epsilon") for scheduler in ("ddim", "dpm++", "unipc", "euler")),
    *((scheduler, "v_prediction") for scheduler in ("ddim", "dpm++")),
    *((scheduler, "flow_prediction") for scheduler in ("euler", "dpm++", "unipc")),
]
PLAN = Plan(
    frames=1, width=32, height=32, fps=1, steps=8, guidance=1.0, scheduler="ddim", seed=3,
    text=torch.zeros(2, 8, 4),
)  # fmt: skip


def loop_of(scheduler: str, prediction: str, *controls: KeepOutside) -> Loop:
    return Loop(OracleModel(TRUTH, prediction), replace(PLAN, scheduler=scheduler, controls=controls))


def finished(loop: Loop, step: int) -> Tensor:
    return list(loop.run(loop.start_from(GIVEN, step)))[-1].latents


@pytest.mark.parametrize(("scheduler", "prediction"), KINDS)
@pytest.mark.parametrize("step", [0, 3, 7])
def test_a_run_from_the_middle_is_noised_for_its_step_and_ends_clean(
    scheduler: str, prediction: str, step: int
) -> None:
    loop = loop_of(scheduler, prediction)
    state = loop.start_from(GIVEN, step)
    alpha, sigma = levels(state.scheduler.restore(), step)
    noise = torch.randn(GIVEN.shape, generator=torch.Generator().manual_seed(PLAN.seed))
    assert state.step == step
    assert torch.allclose(state.latents, alpha * GIVEN + sigma * noise, atol=1e-5)
    assert torch.equal(state.latents, loop.start_from(GIVEN, step).latents)
    # Whatever it began from, the model's own picture comes out: each step saw the noise it expected.
    assert torch.allclose(finished(loop, step), TRUTH, atol=0.06)
    assert len(list(loop.run(state))) == PLAN.steps - step


@pytest.mark.parametrize("step", [-1, 8])
def test_a_run_cannot_start_outside_itself(step: int) -> None:
    with pytest.raises(ValueError, match="8 steps cannot start before step"):
        loop_of("ddim", "epsilon").start_from(GIVEN, step)


@pytest.mark.parametrize(("scheduler", "prediction"), KINDS)
def test_outside_the_original_stays_at_every_step(scheduler: str, prediction: str) -> None:
    inside = torch.zeros(4, 4)
    inside[1:3, 2:] = 1
    loop = loop_of(scheduler, prediction, KeepOutside(GIVEN, inside))
    start = loop.start_from(GIVEN, 2)
    noise = torch.randn(GIVEN.shape, generator=torch.Generator().manual_seed(PLAN.seed))
    outside = (inside == 0).expand_as(GIVEN)
    for state in loop.run(start):
        assert state.x0 is not None
        assert torch.equal(state.x0[outside], GIVEN[outside])
        if state.step < PLAN.steps:
            alpha, sigma = levels(state.scheduler.restore(), state.step)
            expected = alpha * GIVEN + sigma * noise
            assert torch.allclose(state.latents[outside], expected[outside], atol=1e-3, rtol=1e-3)
    assert torch.allclose(state.latents[outside], GIVEN[outside], atol=0.06)
    assert torch.allclose(state.latents[~outside], TRUTH[~outside], atol=0.06)
