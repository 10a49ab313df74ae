"""Pictures inverted to noise beside one another, and the way back: how an optimised drag starts and ends.

Each step of the inversion solves for the noisier latents from which one DDIM step leads back (a few
fixed-point rounds). On the way back the dragged latents are denoised beside the kept ones: in the
self-attentions of the last two up blocks that have any, they ask the kept pictures' keys and values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from rehearse.models.image import ImageModel
from rehearse.prediction import Prediction
from rehearse.schedulers import levels
from rehearse.sites import AttentionCall, Site

_SHARING_BLOCKS = 2
_INVERSION_ROUNDS = 3


class DragCancelled(Exception):
    """The drag was called off; the picture it was asked for is untouched."""


@dataclass(frozen=True, eq=False, slots=True)
class Journey:
    """Inverted pictures: the latents at each step's start, noisy ones first, and what lies between.

    latents: ``[pictures, C, 1, h, w]`` each, one more than there are steps: the last are the clean pictures.
    timesteps: one a step. levels: signal and noise level of each of the latents. text:
    ``[1, tokens, width]``.
    """

    latents: tuple[Tensor, ...]
    timesteps: tuple[Tensor, ...]
    levels: tuple[tuple[float, float], ...]
    text: Tensor


def invert(
    pictures: NDArray[np.uint8],
    model: ImageModel,
    prompt: str,
    schedule: int,
    depth: float,
    cancel: Callable[[], bool] | None = None,
) -> Journey:
    """From pictures to the middle of the schedule, each step the inverse of a DDIM step.

    pictures: uint8 ``[pictures, H, W, 3]``. schedule: steps of the whole of it. depth: share of it, from its
    clean end, that is inverted.
    """
    # One step of Euler along a flow is the same step as DDIM's.
    flow = model.prediction_type == "flow_prediction"
    scheduler = model.make_scheduler("euler" if flow else "ddim")
    scheduler.set_timesteps(schedule)
    first = min(schedule - 1, round(schedule * (1 - depth)))
    numbers = range(first, schedule)
    timesteps = tuple(scheduler.timesteps[i] for i in numbers)
    known = (*(levels(scheduler, i) for i in numbers), (1.0, 0.0))
    text = model.encode(prompt)[1:]
    path = [model.encode_pictures(pictures)[:, :, None]]
    for k in reversed(range(len(timesteps))):
        alpha, sigma = known[k]
        less_noisy, (alpha_after, sigma_after) = path[-1], known[k + 1]
        noisier = less_noisy
        for _ in range(_INVERSION_ROUNDS):
            stop_if(cancel)
            output = model.denoise(noisier, timesteps[k], text)
            seen = Prediction.from_output(output, noisier, alpha, sigma, model.prediction_type)
            # The same noise, and the clean latents that the less noisy ones then hold.
            x0 = (less_noisy - sigma_after * seen.noise) / alpha_after
            noisier = alpha * x0 + sigma * seen.noise
        path.append(noisier)
    return Journey(tuple(reversed(path)), timesteps, known, text)


@dataclass(slots=True)
class SharedLook:
    """Lets the last clip of a batch ask the others' keys and values, at some self-attentions."""

    sites: frozenset[str]
    asked: int = field(default=0)

    def wants(self, site: Site) -> bool:
        return site.name in self.sites

    def __call__(self, call: AttentionCall) -> Tensor:
        self.asked += 1
        kept = scaled_dot_product_attention(call.query[:-1], call.key[:-1], call.value[:-1], scale=call.scale)
        key, value = (torch.cat(own[:-1].split(1), dim=-2) for own in (call.key, call.value))
        last = scaled_dot_product_attention(call.query[-1:], key, value, scale=call.scale)
        return call.project(torch.cat([kept, last]))


def sharing_sites(sites: Sequence[Site]) -> frozenset[str]:
    """Names of the spatial self-attentions in the last two up blocks that have any."""
    own = [site for site in sites if site.kind == "spatial" and site.part == "up"]
    blocks = sorted({int(site.name.split(".")[1]) for site in own})[-_SHARING_BLOCKS:]
    return frozenset(site.name for site in own if int(site.name.split(".")[1]) in blocks)


def step_back(latents: Tensor, k: int, journey: Journey, model: ImageModel, look: SharedLook) -> Tensor:
    """Latents ``[1, C, 1, h, w]`` at the start of step k, denoised by one step beside the kept ones."""
    alpha, sigma = journey.levels[k]
    beside = torch.cat([journey.latents[k], latents])
    output = model.denoise(beside, journey.timesteps[k], journey.text, look)[-1:]
    seen = Prediction.from_output(output, latents, alpha, sigma, model.prediction_type)
    alpha_after, sigma_after = journey.levels[k + 1]
    return alpha_after * seen.x0 + sigma_after * seen.noise


def stop_if(cancel: Callable[[], bool] | None) -> None:
    """Raise DragCancelled where ``cancel`` says so."""
    if cancel is not None and cancel():
        raise DragCancelled
