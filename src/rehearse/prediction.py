"""What a denoiser says about the latents, free of its parameterisation.

Every scheduler on offer writes the noisy latents as ``z = alpha * x0 + sigma * noise``. A denoiser
predicts ``noise`` (epsilon), ``v = alpha * noise - sigma * x0``, ``x0`` (sample) or, for flow matching,
``noise - x0``. Controls work on ``x0`` and ``noise`` and so hold for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

PredictionType = Literal["epsilon", "v_prediction", "sample", "flow_prediction"]


@dataclass(frozen=True, slots=True)
class Prediction:
    """Latents and what the denoiser takes them for.

    latents: noisy latents z ``[batch, channels, frames, height, width]``.
    x0, noise: predicted clean latents and noise, same shape, with ``z = alpha * x0 + sigma * noise``.
    alpha, sigma: signal and noise level of z (alpha may be 0 at the first step of a zero-terminal-SNR
        schedule; sigma is above 0 while there is anything to denoise).
    """

    latents: Tensor
    x0: Tensor
    noise: Tensor
    alpha: float
    sigma: float

    @classmethod
    def from_output(
        cls, output: Tensor, latents: Tensor, alpha: float, sigma: float, kind: PredictionType
    ) -> Prediction:
        """Read a denoiser's output for latents at signal level ``alpha`` and noise level ``sigma``."""
        z = latents.float()
        out = output.float()
        norm = alpha * alpha + sigma * sigma
        if kind == "epsilon":
            # With alpha 0 an epsilon model says nothing of x0; its expectation, 0, is the only honest value.
            x0 = (z - sigma * out) / alpha if alpha > 0 else torch.zeros_like(z)
            noise = out
        elif kind == "v_prediction":
            # v is defined in the variance-preserving frame (alpha^2 + sigma^2 = 1).
            root = norm**0.5
            x0 = alpha / norm * z - sigma / root * out
            noise = sigma / norm * z + alpha / root * out
        elif kind == "sample":
            x0 = out
            noise = (z - alpha * out) / sigma
        else:
            total = alpha + sigma
            x0 = (z - sigma * out) / total
            noise = (z + alpha * out) / total
        return cls(latents=z, x0=x0, noise=noise, alpha=alpha, sigma=sigma)

    def output(self, kind: PredictionType) -> Tensor:
        """The denoiser's output that says the same, in the given parameterisation."""
        if kind == "epsilon":
            return self.noise
        if kind == "v_prediction":
            root = (self.alpha * self.alpha + self.sigma * self.sigma) ** 0.5
            return (self.alpha * self.noise - self.sigma * self.x0) / root
        if kind == "sample":
            return self.x0
        return self.noise - self.x0

    def with_x0(self, x0: Tensor) -> Prediction:
        """The same latents explained by other clean latents: the noise takes up the difference."""
        # In fp32 at least: a low sigma makes much of what half precision rounds away.
        wide = torch.promote_types(x0.dtype, torch.float32)
        noise = (self.latents.to(wide) - self.alpha * x0.to(wide)) / self.sigma
        return replace(self, x0=x0, noise=noise.to(self.noise.dtype))

    def with_noise(self, noise: Tensor) -> Prediction:
        """The same clean latents under other noise: the latents move to ``alpha * x0 + sigma * noise``.

        This stays meaningful where alpha is 0, where re-deriving x0 from new noise would divide by it.
        """
        return replace(self, noise=noise, latents=self.alpha * self.x0 + self.sigma * noise)
