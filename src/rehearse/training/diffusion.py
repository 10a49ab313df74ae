"""What the diffusion recipes share: the noise schedule, the weighted v loss, a plain sampler for sheets."""

from __future__ import annotations

import torch
from torch import Tensor

from rehearse.theatre.recipes import SCHEDULER


class Schedule:
    """The forward process of the theatre models (zero terminal SNR, v prediction)."""

    def __init__(self, device: torch.device) -> None:
        from diffusers import DDIMScheduler

        self.scheduler = DDIMScheduler(**SCHEDULER)
        self.alphas: Tensor = self.scheduler.alphas_cumprod.to(device)

    def noisy(self, clean: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
        """Noisy latents and the v target for integer timesteps ``[batch]``."""
        noise = torch.randn_like(clean)
        signal = self.alphas[steps].view(-1, *[1] * (clean.dim() - 1))
        alpha, sigma = signal.sqrt(), (1 - signal).sqrt()
        return alpha * clean + sigma * noise, alpha * noise - sigma * clean

    @torch.no_grad()
    def sample(self, denoise, shape: tuple[int, ...], steps: int, guidance: float, seed: int) -> Tensor:  # type: ignore[no-untyped-def]
        """DDIM samples. ``denoise(latents, timestep)`` gives (unconditional, conditional) predictions."""
        generator = torch.Generator().manual_seed(seed)
        latents = torch.randn(shape, generator=generator).to(self.alphas.device)
        self.scheduler.set_timesteps(steps)
        for timestep in self.scheduler.timesteps:
            empty, full = denoise(latents, timestep)
            output = empty.float() + guidance * (full.float() - empty.float())
            latents = self.scheduler.step(output, timestep, latents).prev_sample
        return latents


def weighted_error(output: Tensor, target: Tensor, subjects: Tensor, weight: float) -> tuple[Tensor, Tensor]:
    """Mean squared error with puppets weighing ``1 + weight``; and the plain error, to log.

    subjects: share of each latent pixel that a puppet covers, in [0, 1], broadcastable to the error.
    """
    error = (output.float() - target).square()
    factor = (1 + weight * subjects).expand_as(error)
    return (error * factor).sum() / factor.sum(), error.mean()
