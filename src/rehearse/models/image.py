"""Text-to-image UNets (``theatre-image``, Stable Diffusion's layout) as video models of one frame."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from rehearse.models.model import Defaults
from rehearse.models.unet import UNetModel


class ImageModel(UNetModel):
    """A UNet2DConditionModel. Its clips have one frame; a path is followed at its start."""

    family = "image"
    acts_on = frozenset({"trajectory.box", "trajectory.point"})

    @classmethod
    def _denoiser_class(cls) -> Any:
        from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

        return UNet2DConditionModel

    def _own_defaults(self) -> Defaults:
        height, width = self._sample_size()
        return Defaults(1, width, height, fps=1, steps=24, guidance=7.5, scheduler=self._own_scheduler())

    def _max_frames(self, said: dict[str, Any]) -> int | None:
        return 1

    def _forward(self, latents: Tensor, timestep: Tensor, text: Tensor) -> Tensor:
        output: Tensor = self.denoiser(
            latents[:, :, 0], timestep, encoder_hidden_states=text, return_dict=False
        )[0]
        return output.unsqueeze(2)
