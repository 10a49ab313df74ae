"""The schedulers on offer, and the signal and noise level of each of their steps.

All are diffusers' own classes, made from the model's scheduler settings (its noise schedule, prediction type
and timestep spacing), so a checkpoint is sampled on the schedule it was trained on whatever the solver.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, get_args

from rehearse.prediction import PredictionType

SCHEDULERS: tuple[str, ...] = ("ddim", "dpm++", "unipc", "euler")
"""Names: DDIM (eta 0), DPM-Solver++ (2M), UniPC (2nd order), Euler (flow-matching Euler for flow models).
CogVideoX has a DDIM and a (stochastic) DPM-Solver++ of its own, and takes these two alone."""

_PREDICTIONS: tuple[str, ...] = get_args(PredictionType)


# Schedulers whose level is looked up by the model's time; the others keep a list of sigmas.
_BY_TIME = {"DDIMScheduler", "CogVideoXDDIMScheduler", "HeldCogVideoXDPMScheduler"}


class SchedulerError(ValueError):
    """A scheduler cannot be made as asked. ``str(error)`` is one sentence."""


def scheduler_class(kind: str) -> Any:
    """The diffusers class of a scheduler by class name; SchedulerError for one that is not on offer."""
    # Imported by module: diffusers' top level resolves names through a slow lazy import.
    if kind == "DDIMScheduler":
        from diffusers.schedulers.scheduling_ddim import DDIMScheduler as Found
    elif kind == "DPMSolverMultistepScheduler":
        from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler as Found
    elif kind == "UniPCMultistepScheduler":
        from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler as Found
    elif kind == "EulerDiscreteScheduler":
        from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler as Found
    elif kind == "FlowMatchEulerDiscreteScheduler":
        from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
            FlowMatchEulerDiscreteScheduler as Found,
        )
    elif kind == "CogVideoXDDIMScheduler":
        from diffusers.schedulers.scheduling_ddim_cogvideox import CogVideoXDDIMScheduler as Found
    elif kind == "HeldCogVideoXDPMScheduler":
        from rehearse.schedulers.cogvideox_dpm import HeldCogVideoXDPMScheduler as Found
    else:
        raise SchedulerError(f"there is no scheduler class {kind!r}")
    return Found


def prediction_type_of(config: Mapping[str, Any]) -> PredictionType:
    """What the denoiser predicts, by its scheduler settings."""
    flow = str(config.get("_class_name", "")).startswith("FlowMatch") or config.get("use_flow_sigmas") is True
    kind = config.get("prediction_type", "flow_prediction" if flow else "epsilon")
    if kind not in _PREDICTIONS:
        raise SchedulerError(
            f"prediction type {kind!r} is not supported; supported: {', '.join(_PREDICTIONS)}"
        )
    found: PredictionType = kind
    return found


def make_scheduler(name: str, config: Mapping[str, Any]) -> Any:
    """A new scheduler, its steps not yet set.

    name: one of :data:`SCHEDULERS`. config: the model's ``scheduler_config.json``, whatever class wrote it.
    Raises SchedulerError: unknown name, or a combination that cannot sample.
    """
    if name not in SCHEDULERS:
        raise SchedulerError(f"there is no scheduler {name!r}; known: {', '.join(SCHEDULERS)}")
    prediction = prediction_type_of(config)
    settings = {key: value for key, value in config.items() if not key.startswith("_")}
    if prediction == "flow_prediction":
        return _flow_scheduler(name, settings)
    if prediction == "epsilon" and settings.get("rescale_betas_zero_snr"):
        raise SchedulerError(
            "rescale_betas_zero_snr needs a model that predicts v or the sample: "
            "in pure noise a predicted epsilon says nothing of the picture"
        )
    settings["prediction_type"] = prediction
    if str(config.get("_class_name", "")).startswith("CogVideoX"):
        return _cogvideox_scheduler(name, settings)
    if name == "ddim":
        # DDIM's own default clips x0 to [-1, 1], which is meant for pixels; latents reach beyond.
        settings.setdefault("clip_sample", False)
        return scheduler_class("DDIMScheduler").from_config(settings)
    if name == "euler":
        return scheduler_class("EulerDiscreteScheduler").from_config(settings)
    # Solver choices of other classes do not carry over: one setting, ours, for every model.
    for key in ("solver_order", "solver_type", "algorithm_type", "lower_order_final", "predict_x0"):
        settings.pop(key, None)
    if name == "dpm++":
        return scheduler_class("DPMSolverMultistepScheduler").from_config(settings)
    return scheduler_class("UniPCMultistepScheduler").from_config(settings)


def _flow_scheduler(name: str, settings: dict[str, Any]) -> Any:
    if settings.get("use_dynamic_shifting"):
        raise SchedulerError(
            "schedules whose shift depends on the picture's size (use_dynamic_shifting) are not supported"
        )
    steps = settings.get("num_train_timesteps", 1000)
    shift = settings.get("shift", settings.get("flow_shift", 1.0))
    if name == "euler":
        return scheduler_class("FlowMatchEulerDiscreteScheduler")(num_train_timesteps=steps, shift=shift)
    if name == "ddim":
        raise SchedulerError(
            "ddim cannot sample a flow-prediction model; use euler (the same step for flows), dpm++ or unipc"
        )
    kind = "DPMSolverMultistepScheduler" if name == "dpm++" else "UniPCMultistepScheduler"
    return scheduler_class(kind)(
        num_train_timesteps=steps, prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift
    )


def _cogvideox_scheduler(name: str, settings: dict[str, Any]) -> Any:
    """Of CogVideoX's own classes: their schedule shifts the signal-to-noise ratio, which no other knows."""
    if name not in ("ddim", "dpm++"):
        raise SchedulerError(f"{name} does not know CogVideoX's noise schedule; use ddim or dpm++")
    kind = "CogVideoXDDIMScheduler" if name == "ddim" else "HeldCogVideoXDPMScheduler"
    return scheduler_class(kind).from_config(settings)


def levels(scheduler: Any, step: int) -> tuple[float, float]:
    """Signal and noise level of the latents a step starts from: ``z = alpha x0 + sigma noise``.

    Euler works in the frame of variance explosion (alpha 1); the others preserve variance
    (alpha^2 + sigma^2 = 1); flow schedules mix straight (alpha = 1 - sigma).
    """
    kind = type(scheduler).__name__
    if kind in _BY_TIME:
        signal = float(scheduler.alphas_cumprod[int(scheduler.timesteps[step])])
        return math.sqrt(signal), math.sqrt(1 - signal)
    sigma = float(scheduler.sigmas[step])
    if kind == "EulerDiscreteScheduler":
        return 1.0, sigma
    if kind == "FlowMatchEulerDiscreteScheduler" or scheduler.config.use_flow_sigmas:
        return 1 - sigma, sigma
    alpha = 1 / math.sqrt(sigma * sigma + 1)
    return alpha, sigma * alpha
