"""Flow matching as Wan has it: straight lines from clips to noise, and a plain sampler for sheets."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

TIMES = 1000.0
"""A time in [0, 1] is a timestep in 0 to 1000."""


def shifted(times: Tensor, shift: float) -> Tensor:
    """Times in [0, 1], moved to the noisy ones."""
    return shift * times / (1 + (shift - 1) * times)


def random_times(rng: np.random.Generator, count: int, shift: float) -> Tensor:
    """Times ``[count]`` to train at, float32: one from each of ``count`` equal parts, in random order, then
    shifted."""
    spread = (rng.permutation(count) + rng.random(count)) / count
    return shifted(torch.from_numpy(spread).float(), shift)


def noisy(clean: Tensor, times: Tensor) -> tuple[Tensor, Tensor]:
    """Noisy latents ``(1 - t) x + t noise``, and the flow to predict, ``noise - x``; times ``[n]``."""
    noise = torch.randn_like(clean)
    at = times.view(-1, *[1] * (clean.dim() - 1))
    return (1 - at) * clean + at * noise, noise - clean


@torch.no_grad()
def sample(
    flow: Callable[[Tensor, float], tuple[Tensor, Tensor]],
    shape: tuple[int, ...],
    steps: int,
    guidance: float,
    shift: float,
    seed: int,
    device: torch.device,
) -> Tensor:
    """Samples by Euler's method. ``flow(latents, time)`` predicts without and with the prompt."""
    latents = torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(device)
    times = shifted(torch.linspace(1, 0, steps + 1), shift).tolist()
    for now, then in pairwise(times):
        empty, full = (one.float() for one in flow(latents, now))
        latents = latents + (then - now) * (empty + guidance * (full - empty))
    return latents
