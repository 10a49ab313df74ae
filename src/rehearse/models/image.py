"""Text-to-image UNets (``theatre-image``, Stable Diffusion's layout) as video models of one frame.

One whose input layer reads ``1 + 2 C`` channels inpaints (``theatre-inpaint``, Stable Diffusion's inpainting
checkpoints): beside the noisy latents it sees a region and the picture around it. A plain image model names
the one that draws in regions of its pictures as ``inpainting`` in its ``rehearse.json``.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from rehearse.models.codec import Codec
from rehearse.models.errors import ModelError
from rehearse.models.finite import flaw_of
from rehearse.models.folder import ModelFolder, check_safetensors
from rehearse.models.model import Defaults, VideoModel
from rehearse.models.parts import Inpainting
from rehearse.models.precision import Precision
from rehearse.models.text import ClipText
from rehearse.models.unet import UNetModel


class ImageModel(UNetModel):
    """A UNet2DConditionModel. Its clips have one frame; a path is followed at its start."""

    family = "image"
    inpainting: BlankedRegion | None
    acts_on = frozenset({"trajectory.box", "trajectory.point"})

    def __init__(
        self, folder: ModelFolder, denoiser: Any, text: ClipText, codec: Codec, precision: Precision
    ) -> None:
        reads_region = int(denoiser.config.in_channels) == 1 + 2 * codec.channels
        self.inpainting = BlankedRegion(self) if reads_region else None
        super().__init__(folder, denoiser, text, codec, precision)
        self._inpainting_model: tuple[object, VideoModel] | None = None

    @classmethod
    def _load_denoiser(cls, folder: ModelFolder) -> Any:
        unet = super()._load_denoiser(folder)
        if folder.input_layer is None:
            return unet
        check_safetensors(folder.input_layer, folder.identity)
        weight = load_file(folder.input_layer).get("weight")
        try:
            if weight is None:
                raise ValueError("it has no tensor of the name weight")
            if flaw := flaw_of(weight):
                raise ValueError(f"it holds {flaw}")
            return widened(unet, weight)
        except ValueError as error:
            raise ModelError(
                f"model {folder.identity!r}: {folder.input_layer.name} does not fit its base ({error}); use "
                "the one that was trained for it"
            ) from error

    @classmethod
    def _denoiser_class(cls) -> Any:
        from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

        return UNet2DConditionModel

    def _own_defaults(self) -> Defaults:
        height, width = self._sample_size()
        return Defaults(1, width, height, fps=1, steps=24, guidance=7.5, scheduler=self._own_scheduler())

    def _max_frames(self, said: dict[str, Any]) -> int | None:
        return 1

    def _latent_channels(self) -> int:
        taken = int(self.denoiser.config.in_channels)
        return (taken - 1) // 2 if self.inpainting is not None else taken

    def denoise(
        self,
        latents: Tensor,
        timestep: Tensor,
        text: Tensor,
        attend: Any = None,
        condition: Tensor | None = None,
    ) -> Tensor:
        if self.inpainting is not None and condition is None:
            condition = self.inpainting.of_all(latents)
        return super().denoise(latents, timestep, text, attend, condition)

    def features(self, latents: Tensor, timestep: Tensor, text: Tensor, block: int) -> Tensor:
        if self.inpainting is not None:
            beside = self.inpainting.of_all(latents).expand(latents.shape[0], -1, latents.shape[2], -1, -1)
            latents = torch.cat([latents, beside.to(latents)], dim=1)
        return super().features(latents, timestep, text, block)

    def inpainting_model(self) -> VideoModel | None:
        if self.inpainting is not None:
            return self
        from rehearse.models.registry import find_inpainting

        found = find_inpainting(self._folder)
        if found is None:
            return None
        stamp = found.stamp()
        if self._inpainting_model is None or self._inpainting_model[0] != stamp:
            self._inpainting_model = stamp, self._load_inpainting(found)
        return self._inpainting_model[1]

    def _load_inpainting(self, found: ModelFolder) -> VideoModel:
        from rehearse.models.registry import load_family

        said = f"model {self.identity!r}: rehearse.json: inpainting"
        # What this model has been given since, a style for example, its regions get too.
        has = {(lora.file.resolve(), lora.scale) for lora in found.loras}
        since = tuple(
            dataclasses.replace(one, beside=True)
            for one in self._folder.loras
            if (one.file.resolve(), one.scale) not in has
        )
        try:
            model = load_family(dataclasses.replace(found, loras=(*found.loras, *since)), self.precision)
        except ModelError as error:
            raise ModelError(f"{said}: {error}") from error
        name = found.path.name
        if model.inpainting is None:
            raise ModelError(f"{said} {name!r} does not inpaint; name an image model that reads a region")
        if model.latent_shape(1, 64, 64) != self.latent_shape(1, 64, 64):
            raise ModelError(f"{said} {name!r} has latents of another form; name one of the same autoencoder")
        return model

    def _forward(self, latents: Tensor, timestep: Tensor, text: Tensor) -> Tensor:
        output: Tensor = self.denoiser(
            latents[:, :, 0], timestep, encoder_hidden_states=text, return_dict=False
        )[0]
        return output.unsqueeze(2)


class BlankedRegion(Inpainting):
    """Stable Diffusion's inpainting: the denoiser reads a region, and the picture with the region blanked."""

    def __init__(self, model: ImageModel) -> None:
        self._model = model

    def condition(self, picture: NDArray[np.uint8], inside: Tensor) -> Tensor:
        """``[1, 1 + channels, 1, h, w]``: the region, then the latents of the picture with the region blanked
        in middle grey."""
        factor = self._model.limits.size_multiple
        hidden = (inside > 0).numpy().repeat(factor, axis=0).repeat(factor, axis=1)
        blanked = np.where(hidden[..., None], np.uint8(127), picture)
        latents = self._model.encode_pictures(blanked[None])
        region = (inside > 0).to(latents).expand(1, 1, *inside.shape)
        return torch.cat([region, latents], dim=1).unsqueeze(2)

    def of_all(self, latents: Tensor) -> Tensor:
        """The condition under which all of a picture of these latents is to be drawn."""
        rows, columns = latents.shape[-2:]
        factor = self._model.limits.size_multiple
        picture = np.zeros((rows * factor, columns * factor, 3), np.uint8)
        return self.condition(picture, torch.ones(rows, columns))


def widened(unet: Any, weight: Tensor | None = None) -> Any:
    """An inpainting UNet of a plain one: its input layer reads ``1 + 2 C`` channels, the noisy latents, a
    region and the latents of a picture with the region blanked (Stable Diffusion's order).

    weight: of that layer, ``[width, 1 + 2 C, 3, 3]``; None for one that reads the latents alone, as before.
    The UNet is changed and returned. Raises ValueError: a weight that does not fit.
    """
    old: Any = unet.conv_in
    latents, wide = int(old.in_channels), 1 + 2 * int(old.in_channels)
    layer = torch.nn.Conv2d(wide, old.out_channels, old.kernel_size, old.stride, old.padding)
    if weight is not None and weight.shape != layer.weight.shape:
        raise ValueError(f"an input layer of {list(layer.weight.shape)} is due, not {list(weight.shape)}")
    with torch.no_grad():
        layer.bias = torch.nn.Parameter(old.bias.detach().clone())
        layer.weight.zero_()
        if weight is None:
            layer.weight[:, :latents] = old.weight
        else:
            layer.weight.copy_(weight)
    unet.conv_in = layer.to(old.weight)
    unet.register_to_config(in_channels=wide)
    return unet
