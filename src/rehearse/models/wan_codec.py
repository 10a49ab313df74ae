"""Wan's causal video autoencoder: each channel of its latents has a mean and a deviation of its own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.models.clip_codec import ClipCodec
from rehearse.models.codec import load_component
from rehearse.models.errors import ModelError
from rehearse.models.folder import ModelFolder
from rehearse.models.latent_rgb import read_latent_rgb
from rehearse.models.precision import Precision
from rehearse.models.wan_whole_clips import decode, encode, whole_clips

# Pixels of a frame above which it is encoded and decoded in overlapping tiles.
_PIXELS_UNTILED = 832 * 480
# Pixels of a clip up to which it goes through in one pass, which is much faster, and not in chunks.
_PIXELS_AT_ONCE = 17 * 256 * 256
_CHUNK = 4
"""Frames that the class encodes at once, after the first, however many of them share a latent frame."""


class WanCodec(ClipCodec):
    """An AutoencoderKLWan: the first frame alone, then ``frame_ratio`` frames to a latent frame."""

    untiled = _PIXELS_UNTILED

    def __init__(self, vae: Any, rgb: Any, precision: Precision) -> None:
        super().__init__(whole_clips(vae), rgb, precision)
        config = vae.config
        self.frame_ratio = int(config.scale_factor_temporal)
        self.frame_step = math.lcm(self.frame_ratio, _CHUNK)
        """Clips have 1 frame and a multiple of so many more."""
        shape = (1, self.channels, 1, 1, 1)
        self._mean, self._deviation = (
            torch.tensor(values, dtype=torch.float32).view(shape)
            for values in (config.latents_mean, config.latents_std)
        )

    @staticmethod
    def _cells(config: Any) -> tuple[int, int]:
        return int(config.scale_factor_spatial), int(config.z_dim)

    @torch.no_grad()
    def _encoded(self, frames: NDArray[np.uint8]) -> Tensor:
        pixels = frames.shape[1] * frames.shape[2]
        self._tile(pixels)
        values = torch.tensor(frames).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
        values = values.to(self.precision.device)
        with self.precision.scope():
            if frames.shape[0] * pixels <= _PIXELS_AT_ONCE:
                found = encode(self.vae, values)
            else:
                found = self.vae.encode(values).latent_dist.mode()
        return (found.float().cpu() - self._mean) / self._deviation

    def _clip(self, latents: Tensor) -> Tensor:
        """One clip to RGB in [0, 1] ``[1, 3, frames, H, W]``, float32 on the CPU."""
        pixels = latents.shape[3] * latents.shape[4] * self.factor**2
        frames = 1 + self.frame_ratio * (latents.shape[2] - 1)
        self._tile(pixels)
        scaled = (latents.float() * self._deviation + self._mean).to(self.precision.device)
        with self.precision.scope():
            if frames * pixels <= _PIXELS_AT_ONCE:
                decoded = decode(self.vae, scaled)
            else:
                decoded = self.vae.decode(scaled).sample
        return self._to_rgb(decoded)


def load_wan_codec(folder: ModelFolder, precision: Precision) -> WanCodec:
    """The AutoencoderKLWan in ``vae/``. Raises ModelError."""
    kind = folder.component_class("vae")
    if kind != "AutoencoderKLWan":
        raise ModelError(f"model {folder.identity!r}: its vae is a {kind}; only AutoencoderKLWan is read")
    folder.weights("vae")
    from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan

    vae = load_component(AutoencoderKLWan, folder, "vae")
    decoding = Precision(precision.device, torch.float32) if precision.device.type == "cpu" else precision
    decoding.prepare(vae)
    config = vae.config
    if not len(config.latents_mean) == len(config.latents_std) == config.z_dim:
        raise ModelError(
            f"model {folder.identity!r}: vae/config.json has {len(config.latents_mean)} values in "
            f"latents_mean and {len(config.latents_std)} in latents_std; both have one for each of the "
            f"{config.z_dim} channels"
        )
    return WanCodec(vae, read_latent_rgb(folder), decoding)
