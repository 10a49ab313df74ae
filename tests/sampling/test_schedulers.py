"""Every scheduler with every prediction type: noise levels, exact recovery, refusals, snapshots."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from oracle_model import OracleModel
from toy_models import BETAS, SCHEDULER_CONFIGS

from rehearse.sampling.loop import Loop
from rehearse.sampling.plan import Plan
from rehearse.sampling.snapshot import Snapshot
from rehearse.schedulers import (
    SCHEDULERS,
    SchedulerError,
    levels,
    make_scheduler,
    prediction_type_of,
)

COMBINATIONS = [
    (name, prediction)
    for name in SCHEDULERS
    for prediction in SCHEDULER_CONFIGS
    if (name, prediction) != ("ddim", "flow_prediction")
]


def config_of(prediction: str) -> dict[str, Any]:
    kind = "FlowMatchEulerDiscreteScheduler" if prediction == "flow_prediction" else "DDIMScheduler"
    return {**SCHEDULER_CONFIGS[prediction], "_class_name": kind}


def plan_of(scheduler: str, steps: int = 6, seed: int = 0, guidance: float = 1.0) -> Plan:
    return Plan(
        frames=2, width=32, height=32, fps=4, steps=steps, guidance=guidance, scheduler=scheduler, seed=seed,
        text=torch.zeros(2, 8, 4),
    )  # fmt: skip


@pytest.mark.parametrize(("name", "prediction"), COMBINATIONS)
def test_levels_are_those_by_which_the_scheduler_adds_noise(name: str, prediction: str) -> None:
    scheduler = make_scheduler(name, config_of(prediction))
    scheduler.set_timesteps(7)
    clean, noise = torch.randn(1, 4, 2, 3, 3), torch.randn(1, 4, 2, 3, 3)
    for step in range(7):
        alpha, sigma = levels(scheduler, step)
        time = scheduler.timesteps[step : step + 1]
        add = scheduler.scale_noise if hasattr(scheduler, "scale_noise") else scheduler.add_noise
        noisy = add(clean, time, noise) if hasattr(scheduler, "scale_noise") else add(clean, noise, time)
        torch.testing.assert_close(alpha * clean + sigma * noise, noisy, atol=1e-3, rtol=1e-4)
        if name != "euler":
            kept = alpha + sigma if prediction == "flow_prediction" else alpha**2 + sigma**2
            assert kept == pytest.approx(1, abs=1e-6)
    assert levels(scheduler, 0)[1] > levels(scheduler, 6)[1] > 0


@pytest.mark.parametrize(("name", "prediction"), COMBINATIONS)
def test_a_perfect_prediction_is_recovered(name: str, prediction: str) -> None:
    """Levels, scaling of the input and parameterisation all have to be right for this."""
    truth = torch.randn(1, 4, 2, 4, 4, generator=torch.Generator().manual_seed(1))
    loop = Loop(OracleModel(truth, prediction), plan_of(name))
    for state in loop.run(loop.start()):
        assert state.x0 is not None
        torch.testing.assert_close(state.x0, truth, atol=0.03, rtol=0.02)
    # DDIM's last step ends at the schedule's first noise level, not at zero.
    torch.testing.assert_close(state.latents, truth, atol=0.1 if name == "ddim" else 0.01, rtol=0.02)


def test_zero_terminal_snr_starts_from_nothing_but_noise() -> None:
    scheduler = make_scheduler("ddim", config_of("v_prediction"))
    scheduler.set_timesteps(5)
    assert levels(scheduler, 0) == (0.0, 1.0)


def test_ddim_does_not_clip_latents_unless_told() -> None:
    assert make_scheduler("ddim", {**BETAS}).config.clip_sample is False
    assert make_scheduler("ddim", {**BETAS, "clip_sample": True}).config.clip_sample is True


def test_the_schedule_of_a_checkpoint_is_kept_by_every_solver() -> None:
    settings = {
        **BETAS,
        "beta_end": 0.02,
        "_class_name": "PNDMScheduler",
        "skip_prk_steps": True,
        "steps_offset": 1,
    }
    tables = [make_scheduler(name, settings).alphas_cumprod for name in SCHEDULERS]
    assert all(torch.equal(table, tables[0]) for table in tables)
    assert make_scheduler("dpm++", {**settings, "solver_order": 3}).config.solver_order == 2


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("dmp", {}, "known: ddim, dpm\\+\\+, unipc, euler"),
        ("ddim", {"_class_name": "FlowMatchEulerDiscreteScheduler"}, "use euler"),
        ("euler", {"prediction_type": "score"}, "'score' is not supported"),
        ("dpm++", {"prediction_type": "epsilon", "rescale_betas_zero_snr": True}, "rescale_betas_zero_snr"),
        ("euler", {"_class_name": "FlowMatchX", "use_dynamic_shifting": True}, "use_dynamic_shifting"),
    ],
)
def test_what_cannot_sample_is_refused(name: str, settings: dict[str, Any], expected: str) -> None:
    with pytest.raises(SchedulerError, match=expected):
        make_scheduler(name, settings)


def test_prediction_types_are_read_from_the_settings() -> None:
    assert prediction_type_of({}) == "epsilon"
    assert prediction_type_of({"prediction_type": "v_prediction"}) == "v_prediction"
    assert prediction_type_of({"_class_name": "FlowMatchEulerDiscreteScheduler"}) == "flow_prediction"
    assert prediction_type_of({"use_flow_sigmas": True}) == "flow_prediction"


@pytest.mark.parametrize(("name", "prediction"), COMBINATIONS)
def test_a_snapshot_holds_everything_and_does_not_move(name: str, prediction: str) -> None:
    truth = torch.randn(1, 4, 2, 4, 4)
    loop = Loop(OracleModel(truth, prediction), plan_of(name))
    state = loop.step(loop.step(loop.start()))
    before = {key: tensor.clone() for key, tensor in state.scheduler.tensors.items()}
    restored = state.scheduler.restore()
    original = state.scheduler.restore()
    assert vars(restored).keys() == vars(original).keys()
    text = state.scheduler.to_json()
    again = Snapshot.from_json(text, state.scheduler.tensors)
    assert again.to_json() == text and Snapshot.capture(again.restore()).to_json() == text
    for later in loop.run(state):
        assert later.step > 2
    assert before.keys() == state.scheduler.tensors.keys()
    assert all(torch.equal(before[key], tensor) for key, tensor in state.scheduler.tensors.items())
    if name in ("dpm++", "unipc"):
        assert sum(key.startswith("model_outputs") for key in before) == 2


def test_an_attribute_that_cannot_be_kept_is_named() -> None:
    scheduler = make_scheduler("ddim", config_of("epsilon"))
    scheduler.callback = print
    with pytest.raises(TypeError, match="callback is a builtin_function"):
        Snapshot.capture(scheduler)
