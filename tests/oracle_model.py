"""A model that knows the clip: whatever the noise, it predicts the clean latents it was given."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from toy_models import SCHEDULER_CONFIGS

from rehearse.models.errors import ModelError
from rehearse.models.model import Defaults, Limits, Tokens, VideoModel
from rehearse.schedulers import SchedulerError, make_scheduler, prediction_type_of
from rehearse.sites import Attend, Site


class OracleModel(VideoModel):
    """Predicts ``truth`` ``[1, channels, frames, h, w]`` in any parameterisation; notes its calls."""

    family = "oracle"
    acts_on = frozenset({"trajectory.box"})
    identity = "oracle"
    defaults = Defaults(frames=2, width=32, height=32, fps=4, steps=6, guidance=1.0, scheduler="ddim")
    fingerprint = "0" * 64

    def __init__(self, truth: Tensor, prediction: str, limits: Limits | None = None) -> None:
        kind = "FlowMatchEulerDiscreteScheduler" if prediction == "flow_prediction" else "DDIMScheduler"
        self.config: dict[str, Any] = {**SCHEDULER_CONFIGS[prediction], "_class_name": kind}
        self.truth = truth
        self.prediction_type = prediction_type_of(self.config)
        self.limits = limits or Limits(max_frames=2, size_multiple=8, max_tokens=8)
        self.sites: tuple[Site, ...] = (Site("up_blocks.0", "cross", "up", 1),)
        self.batches: list[int] = []
        self.attends: list[Attend | None] = []
        self.table = make_scheduler("euler", self.config)

    def make_scheduler(self, name: str) -> Any:
        try:
            return make_scheduler(name, self.config)
        except SchedulerError as error:
            raise ModelError(str(error)) from None

    def tokenize(self, prompt: str) -> Tokens:
        return Tokens(ids=(), spans=())

    def encode(self, prompt: str, negative_prompt: str = "") -> Tensor:
        return torch.zeros(2, 8, 4)

    def encode_pictures(self, pictures: NDArray[np.uint8]) -> Tensor:
        raise NotImplementedError("this model knows one clip and no pictures")

    def latent_shape(self, frames: int, height: int, width: int) -> tuple[int, int, int, int]:
        return tuple(self.truth.shape[1:])  # type: ignore[return-value]

    def denoise(
        self,
        latents: Tensor,
        timestep: Tensor,
        text: Tensor,
        attend: Attend | None = None,
        condition: Tensor | None = None,
    ) -> Tensor:
        self.batches.append(latents.shape[0])
        self.attends.append(attend)
        if self.prediction_type == "flow_prediction":
            sigma = max(float(timestep) / 1000, 1e-6)
            return (latents - self.truth) / sigma
        signal = float(self.table.alphas_cumprod[round(float(timestep))])
        alpha, sigma = math.sqrt(signal), math.sqrt(1 - signal)
        noise = (latents - alpha * self.truth) / sigma
        return noise if self.prediction_type == "epsilon" else alpha * noise - sigma * self.truth

    def decode(self, latents: Tensor) -> NDArray[np.uint8]:
        return self.preview(latents)

    def preview(self, latents: Tensor) -> NDArray[np.uint8]:
        grey = (latents.mean(dim=1).clamp(0, 1) * 255).to(torch.uint8)
        return grey.unsqueeze(-1).expand(*grey.shape, 3).numpy()
