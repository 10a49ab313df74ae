"""The denoising loop as a state machine over immutable states.

``start() -> state``, ``step(state) -> state``, ``decode(state)``. A step rebuilds the scheduler from the
state and captures it again, so continuing in memory and continuing from a file are the same computation.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Event
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.controls.conductor import Conductor
from rehearse.controls.control import Moment
from rehearse.models.model import VideoModel
from rehearse.prediction import Prediction
from rehearse.sampling.blend import Side
from rehearse.sampling.guidance import guided
from rehearse.sampling.not_finite import refuse_flaws
from rehearse.sampling.plan import Plan
from rehearse.sampling.snapshot import Snapshot
from rehearse.sampling.state import State
from rehearse.schedulers import levels

Cancel = Event | Callable[[], bool]
"""Set, or true, when the run shall stop before its next step."""


class Cancelled(Exception):
    """The run was cancelled between two steps. ``state`` is where it stands: it can be resumed."""

    def __init__(self, state: State) -> None:
        super().__init__(f"cancelled after step {state.step}")
        self.state = state


class Loop:
    """Denoises one plan with one model. Holds no state of a run; any number of runs may share it."""

    def __init__(self, model: VideoModel, plan: Plan) -> None:
        self.model = model
        self.plan = plan

    @torch.no_grad()
    def start(self) -> State:
        """The noise the seed stands for, after the controls' ``prepare``, before any step.

        Raises NotFinite.
        """
        plan = self.plan
        scheduler = self._scheduler(0)
        generator = torch.Generator().manual_seed(plan.seed)
        shape = (1, *self.model.latent_shape(plan.frames, plan.height, plan.width))
        noise = self.model.starting_noise(shape, generator)
        for control in plan.controls:
            noise = control.prepare(noise, generator)
        state = State(
            step=0,
            latents=(noise.float() * float(getattr(scheduler, "init_noise_sigma", 1.0))).contiguous(),
            scheduler=Snapshot.capture(scheduler),
            generator=generator.get_state(),
        )
        refuse_flaws(state, None, self.model, plan)
        return state

    @torch.no_grad()
    def start_from(self, clean: Tensor, step: int) -> State:
        """Clean latents ``[1, channels, frames, h, w]`` under the seed's noise, as they would stand before
        ``step`` (0 to steps - 1): SDEdit, image-to-image. ValueError for a step outside the run.
        """
        plan = self.plan
        if not 0 <= step < plan.steps:
            raise ValueError(f"a run of {plan.steps} steps cannot start before step {step}")
        scheduler = self._scheduler(step)
        generator = torch.Generator().manual_seed(plan.seed)
        noise = self.model.starting_noise(clean.shape, generator)
        alpha, sigma = levels(scheduler, step)
        return State(
            step=step,
            latents=(alpha * clean.float() + sigma * noise).contiguous(),
            scheduler=Snapshot.capture(scheduler),
            generator=generator.get_state(),
            x0=clean.float().contiguous(),
        )

    def _scheduler(self, step: int) -> Any:
        """A scheduler that has not stepped yet and begins at ``step``."""
        scheduler = self.model.make_scheduler(self.plan.scheduler)
        scheduler.set_timesteps(self.plan.steps)
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(step)  # else it looks its first step up by time, which may occur twice
        return scheduler

    @torch.no_grad()
    def step(self, state: State) -> State:
        """One denoising step; ``state`` stays as it is. ValueError where all steps are done, NotFinite where
        the step makes NaN or infinite latents."""
        plan = self.plan
        if state.step >= plan.steps:
            raise ValueError(f"all {plan.steps} steps are done")
        scheduler = state.scheduler.restore()
        timestep = scheduler.timesteps[state.step]
        moment = Moment(step=state.step, steps=plan.steps, timestep=float(timestep))
        output, prediction = self._seen(scheduler, timestep, state.latents, moment, plan.side)
        if prediction.latents is not state.latents and getattr(scheduler, "last_sample", None) is not None:
            # UniPC would correct this step's latents from the last ones and so undo what the control moved.
            scheduler.last_sample = None

        generator = torch.Generator()
        generator.set_state(state.generator)
        extra: dict[str, Any] = {"generator": generator} if _takes_generator(type(scheduler)) else {}
        stepped: Tensor = scheduler.step(
            output.contiguous(), timestep, prediction.latents.contiguous(), return_dict=False, **extra
        )[0]
        made = State(
            step=state.step + 1,
            latents=stepped.float().contiguous(),
            scheduler=Snapshot.capture(scheduler),
            generator=generator.get_state(),
            x0=prediction.x0.contiguous(),
        )
        refuse_flaws(made, state, self.model, plan)
        return made

    def run(self, state: State, until: int | None = None, cancel: Cancel | None = None) -> Iterator[State]:
        """Step on from ``state`` and yield each new state, up to step ``until`` (None: the end).

        Raises Cancelled, with the state to resume from, when ``cancel`` says so between two steps.
        """
        end = self.plan.steps if until is None else min(until, self.plan.steps)
        while state.step < end:
            if cancel is not None and (cancel.is_set() if isinstance(cancel, Event) else cancel()):
                raise Cancelled(state)
            state = self.step(state)
            yield state

    def decode(self, state: State) -> NDArray[np.uint8]:
        """Frames uint8 ``[1, frames, height, width, 3]``; before the end, of the predicted x0."""
        return self.model.decode(self._clean(state))

    def preview(self, state: State) -> NDArray[np.uint8]:
        """All frames at latent size by a linear map, uint8 ``[1, frames, h, w, 3]``."""
        return self.model.preview(self._clean(state))

    def _clean(self, state: State) -> Tensor:
        if state.step == self.plan.steps or state.x0 is None:
            return state.latents if state.step else state.latents / state.latents.std()
        return state.x0

    def _seen(
        self, scheduler: Any, timestep: Tensor, latents: Tensor, moment: Moment, side: Side
    ) -> tuple[Tensor, Prediction]:
        """What a side makes of the latents: the denoiser's output and the same as a prediction."""
        blend = side.blend
        if blend is None or blend.follows_edit:
            return self._steered(scheduler, timestep, latents, moment, side)
        if isinstance(blend.original, Side):
            original = self._seen(scheduler, timestep, latents, moment, blend.original)
        else:
            # The parent's noise was found for other latents; what it took for clean holds for these too.
            x0 = blend.original(moment.step)
            alpha, sigma = levels(scheduler, moment.step)
            kept = Prediction(latents, x0, (latents - alpha * x0) / sigma, alpha, sigma)
            original = kept.output(self.model.prediction_type), kept
        if blend.keeps_original:
            return original
        return _mixed(original, self._steered(scheduler, timestep, latents, moment, side), blend.weights)

    def _steered(
        self, scheduler: Any, timestep: Tensor, latents: Tensor, moment: Moment, side: Side
    ) -> tuple[Tensor, Prediction]:
        """A side's own prediction, after its controls and without its blend."""
        kind = self.model.prediction_type
        output = self._predict(scheduler, timestep, latents, moment, side)
        seen = Prediction.from_output(output, latents, *levels(scheduler, moment.step), kind)
        known = self.model.known(side.condition)
        prediction = seen if known is None else seen.with_x0(torch.where(known[1], known[0], seen.x0))
        for control in side.controls:
            prediction = control.predict(prediction, moment)
        if known is not None:
            # What is known stays, whatever the controls do.
            prediction = prediction.with_x0(torch.where(known[1], known[0], prediction.x0))
        return (output if prediction is seen else prediction.output(kind)), prediction

    def _predict(
        self, scheduler: Any, timestep: Tensor, latents: Tensor, moment: Moment, side: Side
    ) -> Tensor:
        """The denoiser's output for one side under classifier-free guidance: ``u + guidance (c - u)``; a
        model may give some places less of it."""
        controls = [
            control
            for control in side.controls
            if any(control.wants(site, moment) for site in self.model.sites)
        ]
        attend = Conductor(controls, moment) if controls else None
        scale = getattr(scheduler, "scale_model_input", None)  # flow matching has none
        inputs = latents if scale is None else scale(latents, timestep)
        guidance = self.plan.guidance if side.guidance is None else side.guidance
        places = self.model.guided_places(side.condition)
        # Where no place gets any guidance, the unconditional branch would be predicted for nothing.
        if guidance == 1 or (places is not None and not places.any()):
            condition = None if side.condition is None else side.condition[-1:]
            return self.model.denoise(inputs, timestep, side.text[1:], attend, condition)
        guidance = self.model.guidance_at(guidance, moment.step, moment.steps, moment.timestep)
        both = torch.cat([inputs, inputs])
        unconditional, conditional = self.model.denoise(
            both, timestep, side.text, attend, side.condition
        ).chunk(2)
        return guided(self.model, unconditional, conditional, guidance, side.condition)


def _mixed(
    original: tuple[Tensor, Prediction], edited: tuple[Tensor, Prediction], weights: Tensor
) -> tuple[Tensor, Prediction]:
    """Equation 4, w of the original and 1 - w of the edited."""

    def mix(before: Tensor, after: Tensor) -> Tensor:
        mixed: Tensor = torch.lerp(after, before, weights.to(after.dtype))
        return mixed

    (output, left), (changed, right) = original, edited
    unmoved = left.latents is right.latents
    return mix(output, changed), replace(
        right,
        latents=right.latents if unmoved else mix(left.latents, right.latents),
        x0=mix(left.x0, right.x0),
        noise=mix(left.noise, right.noise),
    )


def _takes_generator(kind: type) -> bool:
    return "generator" in inspect.signature(kind.step).parameters  # type: ignore[attr-defined]
