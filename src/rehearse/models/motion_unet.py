"""Image UNets with motion modules (diffusers' UNetMotionModel): ``theatre-animate``, PIA, AnimateDiff.

A motion adapter goes between the layers of any Stable Diffusion 1.5 UNet. Where it brings a ``conv_in`` of
``1 + 2 C`` channels (PIA; C the latent channels), the model animates a picture: the noisy latents come with
an affinity channel and the latents of the picture. Without (AnimateDiff) it is a text-to-video model.

How a base and an adapter are named: :mod:`rehearse.models.composition`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.models.codec import Codec, load_component
from rehearse.models.errors import ModelError
from rehearse.models.first_line import first_line
from rehearse.models.folder import ModelFolder
from rehearse.models.image import ImageModel
from rehearse.models.model import Defaults, VideoModel
from rehearse.models.parts import PictureConditioning
from rehearse.models.precision import Precision
from rehearse.models.said import said_lists, said_ramp, schedule_said
from rehearse.models.text import ClipText
from rehearse.models.unet import UNetModel

_PUBLISHED_SCHEDULE: dict[str, Any] = {"steps_offset": 1, "clip_sample": False, "set_alpha_to_one": True}
"""Of DDIM as AnimateDiff and PIA publish it, beside the linear betas."""

_FOLLOWS_TEXT = frozenset({"trajectory.box", "trajectory.point"})
_FOLLOWS_PICTURE = _FOLLOWS_TEXT | {"image", "content", "motion", "trajectory.drag"}


class MotionUNetModel(UNetModel):
    """A UNetMotionModel: spatial and cross attention of the image model, temporal attention of the adapter.

    ``rehearse.json`` may set ``picture_guidance`` (true or false, default false): whether the unconditional
    branch sees no picture, so that guidance strengthens the picture as it does the text. That is for models
    that were trained with pictures left out now and then. With ``"beta_schedule": "linear"`` among its
    ``scheduler`` settings, what AnimateDiff and PIA publish of DDIM beside it holds too, unless it is said.
    """

    family = "motion_unet"
    acts_on = _FOLLOWS_PICTURE

    def __init__(
        self, folder: ModelFolder, denoiser: Any, text: ClipText, codec: Codec, precision: Precision
    ) -> None:
        latents, taken = codec.channels, int(denoiser.config.in_channels)
        reads_picture = taken == 1 + 2 * latents
        if taken != latents and not reads_picture:
            raise ModelError(
                f"model {folder.identity!r}: its unet takes {taken} channels, but with a vae of {latents} it "
                f"would take {latents}, or {1 + 2 * latents} to start from a picture; they belong to "
                "different models"
            )
        self.pictures = InterFrameAffinity(self, folder) if reads_picture else None
        super().__init__(folder, denoiser, text, codec, precision)
        self.acts_on = _FOLLOWS_PICTURE if reads_picture else _FOLLOWS_TEXT
        self._guidance_ramp = said_ramp(folder)

    @classmethod
    def _denoiser_class(cls) -> Any:
        from diffusers.models.unets.unet_motion_model import UNetMotionModel

        return UNetMotionModel

    @classmethod
    def _load_denoiser(cls, folder: ModelFolder) -> Any:
        if folder.adapter is None:
            return super()._load_denoiser(folder)
        from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
        from diffusers.models.unets.unet_motion_model import MotionAdapter

        kind = folder.component_class("unet")
        if kind != "UNet2DConditionModel":
            raise ModelError(
                f"model {folder.identity!r}: a motion adapter goes on an image model, and its unet is a "
                f"{kind}; name an image model as base"
            )
        for component in ("unet", "motion_adapter"):
            folder.weights(component)
        image = load_component(UNet2DConditionModel, folder, "unet")
        adapter = load_component(MotionAdapter, folder, "motion_adapter")
        try:
            return with_motion(image, adapter)
        except (ValueError, RuntimeError) as error:
            reason = first_line(error)
            raise ModelError(
                f"model {folder.identity!r}: its motion adapter does not fit its unet ({reason}); "
                "use an adapter made for this kind of model"
            ) from error

    def _read_schedule(self, said: dict[str, Any]) -> None:
        schedule = schedule_said(self._folder, said)
        # Whoever says linear betas means the published sampler, of which an image model's own file says else.
        if schedule.get("beta_schedule") == "linear":
            said = said | {"scheduler": _PUBLISHED_SCHEDULE | schedule}
        super()._read_schedule(said)

    def _own_defaults(self) -> Defaults:
        height, width = self._sample_size()
        scheduler = self._own_scheduler()
        return Defaults(16, width, height, fps=8, steps=25, guidance=7.5, scheduler=scheduler)

    def _max_frames(self, said: dict[str, Any]) -> int | None:
        # The motion modules know so many positions in time and no more.
        most = int(self.denoiser.config.motion_max_seq_length)
        return min(most, said["max_frames"]) if isinstance(said.get("max_frames"), int) else most

    def _latent_channels(self) -> int:
        taken = int(self.denoiser.config.in_channels)
        return (taken - 1) // 2 if self.pictures is not None else taken

    def denoise(
        self,
        latents: Tensor,
        timestep: Tensor,
        text: Tensor,
        attend: Any = None,
        condition: Tensor | None = None,
    ) -> Tensor:
        if self.pictures is not None and condition is None:
            raise ModelError(f"model {self.identity!r} starts from a picture; give it a condition")
        return super().denoise(latents, timestep, text, attend, condition)

    def _forward(self, latents: Tensor, timestep: Tensor, text: Tensor) -> Tensor:
        # This UNet, unlike UNet3DConditionModel, wants the text once per frame.
        every = text.repeat_interleave(latents.shape[2], dim=0)
        output: Tensor = self.denoiser(latents, timestep, encoder_hidden_states=every, return_dict=False)[0]
        return output

    def guided_places(self, condition: Tensor | None) -> Tensor | None:
        """What is as the picture shows it needs no words to say so: guidance would amplify the difference of
        two guesses at something known."""
        if condition is None or self._guidance_ramp is None:
            return None
        near = condition[-1, 0]
        return ((1 - near) / self._guidance_ramp).clamp(0, 1)


class InterFrameAffinity(PictureConditioning):
    """PIA's: beside the latents, an affinity and the picture's latents for each frame."""

    shows = "any"

    def __init__(self, model: MotionUNetModel, folder: ModelFolder) -> None:
        self.affinity_lists = said_lists(folder)
        self._model, self._folder = model, folder
        self._guided = folder.settings().get("picture_guidance", False) is True
        self._picture_model: ImageModel | None = None

    def condition(self, pictures: NDArray[np.uint8], affinity: Sequence[float] | Tensor) -> Tensor:
        """PIA's input beside the latents, ``[1 or 2, 1 + channels, frames, h, w]``: affinity, then pictures.

        Two branches where ``picture_guidance`` is set: the unconditional one is all zeros.
        """
        frames = len(affinity)
        if len(pictures) not in (1, frames):
            raise ValueError(f"{len(pictures)} pictures do not fit {frames} frames")
        latents = self._model.encode_pictures(pictures).expand(frames, -1, -1, -1).transpose(0, 1)
        near = torch.as_tensor(affinity, dtype=torch.float32)
        near = near.view(frames, 1, 1) if near.dim() == 1 else near
        condition = torch.cat([near.expand(1, -1, *latents.shape[2:]), latents])[None]
        return torch.cat([torch.zeros_like(condition), condition]) if self._guided else condition

    def picture_model(self) -> VideoModel:
        """The base, with those of this model's LoRAs that are for pictures too: in the style of the clip."""
        base = self._folder.base
        if base is None:
            raise ModelError(
                f"model {self._folder.identity!r} names no image model to make its pictures with; write it "
                'as "base" into rehearse.json'
            )
        if self._picture_model is None:
            shared = tuple(
                dataclasses.replace(lora, beside=True) for lora in self._folder.loras if lora.pictures
            )
            with_loras = dataclasses.replace(base, loras=shared)
            self._picture_model = ImageModel.load(with_loras, self._model.precision)
        return self._picture_model


def with_motion(image: Any, adapter: Any) -> Any:
    """A UNetMotionModel of an image UNet and a MotionAdapter; both stay as they are.

    The first C channels of ``conv_in`` and its bias are the image model's, the rest the adapter's: any
    number C of latent channels (diffusers' own ``from_unet2d`` takes 4 for granted).
    Raises ValueError or RuntimeError where they do not fit.
    """
    from diffusers.models.unets.unet_motion_model import UNetMotionModel

    channels, wide = int(image.config.in_channels), adapter.config.conv_in_channels
    if wide and wide != 1 + 2 * channels:
        raise ValueError(f"its conv_in takes {wide} channels where {1 + 2 * channels} are due")
    model = UNetMotionModel.from_unet2d(image, adapter, load_weights=False)
    state = dict(image.state_dict())
    for name, value in adapter.state_dict().items():
        if name == "conv_in.weight":
            state[name] = torch.cat([state[name], value[:, channels:]], dim=1)
        elif name != "conv_in.bias":
            state[name] = value
    model.load_state_dict(state)
    return model.eval().requires_grad_(False)
