"""The end of a run whose numbers are none: NaN or infinite latents never become its state."""

from __future__ import annotations

import torch

from rehearse.models.finite import flaw_of
from rehearse.models.model import VideoModel
from rehearse.sampling.plan import Plan
from rehearse.sampling.state import State

_HIGH_GUIDANCE = 20.0


class NotFinite(ValueError):
    """A step made latents that are not finite. ``str(error)`` is one sentence: which, and what is likely.

    The state before it is good, and the run can be played on from there.
    """


def refuse_flaws(state: State, before: State | None, model: VideoModel, plan: Plan) -> None:
    """Raise NotFinite where a state's latents, or what they were predicted to become, are not finite.

    before: the state it comes from; None for the first of a run.
    """
    flaw = flaw_of(state.latents) or (None if state.x0 is None else flaw_of(state.x0))
    if flaw is None:
        return
    if before is None:
        raise NotFinite(f"the noise that the run begins with holds {flaw}; its controls changed it so")
    if flaw_of(before.latents):
        raise NotFinite(
            f"the run stands at step {before.step} with latents that hold {flaw} already; go back to an "
            "earlier step, or begin again"
        )
    raise NotFinite(
        f"step {state.step} of {plan.steps} made latents that hold {flaw}; {_likely(model, plan)}; the run "
        f"stands at step {before.step}"
    )


def _likely(model: VideoModel, plan: Plan) -> str:
    """What may have made them so, and the remedy."""
    if flaw := flaw_of(plan.text):
        return f"the text encoder gives {flaw} for this prompt: change the prompt, or use other weights"
    if plan.condition is not None and (flaw := flaw_of(plan.condition)):
        return f"the picture it starts from is encoded as {flaw}: use another picture, or other weights"
    causes = []
    dtype = getattr(getattr(model, "precision", None), "dtype", torch.float32)
    if dtype is not torch.float32:
        causes.append(f"{str(dtype).removeprefix('torch.')} overflows (set REHEARSE_PRECISION=float32)")
    if plan.guidance > _HIGH_GUIDANCE:
        causes.append(f"a guidance of {plan.guidance:g} is too high")
    causes.append("a LoRA or a control is too strong")
    return f"likely {', or '.join(causes)}"
