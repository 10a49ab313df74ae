"""From clean latents to what a denoiser is shown: noise, timesteps and dropout, each clip by its own seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rehearse.training.own.samples import Draw


@dataclass(frozen=True, eq=False, slots=True)
class Noised:
    """noisy, clean, noise: ``[batch, F, C, h, w]``; timesteps ``[batch]``; alphabar ``[batch]``; text
    ``[batch]`` bool: whether the clip is shown its text."""

    noisy: Tensor
    clean: Tensor
    noise: Tensor
    timesteps: Tensor
    alphabar: Tensor
    text: Tensor


def noised(
    clean: Tensor, batch: Sequence[Draw], alphabars: Tensor, text_dropout: float, device: torch.device
) -> Noised:
    """Noisy latents at uniform timesteps. clean: float32 on the CPU."""
    noise, steps, text = torch.empty_like(clean), [], []
    for place, draw in enumerate(batch):
        generator = draw.generator()
        steps.append(int(torch.randint(len(alphabars), (), generator=generator)))
        text.append(float(torch.rand((), generator=generator)) >= text_dropout)
        noise[place] = torch.randn(clean.shape[1:], generator=generator)
    timesteps = torch.tensor(steps)
    signal = alphabars[timesteps]
    level = signal.view(-1, *[1] * (clean.ndim - 1))
    noisy = level.sqrt() * clean + (1 - level).sqrt() * noise
    return Noised(*(x.to(device) for x in (noisy, clean, noise, timesteps, signal, torch.tensor(text))))
