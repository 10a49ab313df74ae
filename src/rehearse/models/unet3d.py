"""Text-to-video UNets: ``theatre-video``, Zeroscope, ModelScope (diffusers' UNet3DConditionModel)."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from rehearse.models.model import Defaults
from rehearse.models.unet import UNetModel

# Published sizes that the checkpoints' own configs do not state, by the last part of the hub id.
_PUBLISHED: dict[str, tuple[int, int, int]] = {  # frames, width, height
    "zeroscope_v2_576w": (24, 576, 320),
    "zeroscope_v2_xl": (24, 1024, 576),
    "text-to-video-ms-1.7b": (16, 256, 256),
}


class UNet3DModel(UNetModel):
    """A UNet with spatial, cross and temporal attention; any number of frames, any size of 8-pixel cells."""

    family = "unet3d"
    acts_on = frozenset({"trajectory.box", "trajectory.point"})

    @classmethod
    def _denoiser_class(cls) -> Any:
        from diffusers.models.unets.unet_3d_condition import UNet3DConditionModel

        return UNet3DConditionModel

    def _own_defaults(self) -> Defaults:
        name = self.identity.partition("@")[0].rstrip("/").rpartition("/")[2]
        height, width = self._sample_size()
        frames, width, height = _PUBLISHED.get(name, (16, width, height))
        return Defaults(frames, width, height, fps=8, steps=40, guidance=9.0, scheduler=self._own_scheduler())

    def _max_frames(self, said: dict[str, Any]) -> int | None:
        most = said.get("max_frames")
        return int(most) if isinstance(most, int) else None

    def _forward(self, latents: Tensor, timestep: Tensor, text: Tensor) -> Tensor:
        output: Tensor = self.denoiser(latents, timestep, encoder_hidden_states=text, return_dict=False)[0]
        return output
