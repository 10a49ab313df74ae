"""CogVideoX's DPM scheduler with its memory inside.

The stock class takes the last step's x0 and time as arguments of ``step`` and leaves it to the pipeline to
keep them. Here they are attributes, so a snapshot of the scheduler holds all that the next step needs.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers.schedulers.scheduling_dpm_cogvideox import CogVideoXDPMScheduler
from torch import Tensor


class HeldCogVideoXDPMScheduler(CogVideoXDPMScheduler):
    """SDE-DPM-Solver++ (2M) of CogVideoX, called as others are; its noise comes from ``generator``.

    Latents are ``[clips, channels, frames, h, w]``; the noise is drawn frame by frame, as in the stock
    pipelines, which keep frames before channels.
    """

    last_x0: Tensor | None
    last_timestep: int | None
    frames_first: bool = False
    """Whether noise is drawn frame by frame. A state that was written before it was has no such attribute,
    and goes on as it began."""

    def set_timesteps(self, num_inference_steps: int, device: Any = None) -> None:
        super().set_timesteps(num_inference_steps, device)
        self.last_x0 = None
        self.last_timestep = None
        self.frames_first = True

    def step(
        self,
        model_output: Tensor,
        timestep: Tensor | int,
        sample: Tensor,
        generator: torch.Generator | None = None,
        return_dict: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """One step: the latents before the next one, and the clean latents predicted in this one."""
        stepped, x0 = super().step(
            self._ordered(model_output),
            None if self.last_x0 is None else self._ordered(self.last_x0),
            timestep,
            self.last_timestep,
            self._ordered(sample),
            generator=generator,
            return_dict=False,
        )
        stepped, x0 = self._ordered(stepped), self._ordered(x0)
        self.last_x0, self.last_timestep = x0, int(timestep)
        return stepped, x0

    def _ordered(self, latents: Tensor) -> Tensor:
        """From channels before frames to frames before channels, and back."""
        return latents.transpose(1, 2).contiguous() if self.frames_first else latents
