"""The autoencoders at the end of a video transformer: a causal video autoencoder, or one frame by frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.models.clip_codec import ClipCodec
from rehearse.models.codec import Codec, load_component
from rehearse.models.errors import ModelError
from rehearse.models.folder import ModelFolder
from rehearse.models.latent_rgb import read_latent_rgb
from rehearse.models.precision import Precision

# Pixels of a clip above which it is encoded and decoded in overlapping tiles.
_PIXELS_UNTILED = 16 * 512 * 512


class VideoCodec(ClipCodec):
    """An AutoencoderKLCogVideoX: the first frame alone, then `frame_ratio` frames to a latent frame.

    It decodes latent frames in pairs, the first of an odd number alone; of an even number it would make the
    first one into `frame_ratio` frames too (16 for 13). So an even number gets its last one once more, and
    what that shows is left out: the frames before it are made of what lies before them.
    """

    untiled = _PIXELS_UNTILED

    def __init__(self, vae: Any, rgb: Any, precision: Precision) -> None:
        super().__init__(vae, rgb, precision)
        self.frame_ratio = int(vae.config.temporal_compression_ratio)

    def encode_condition(self, pictures: NDArray[np.uint8]) -> Tensor:
        latents = self.encode(pictures)
        # Some checkpoints were trained on pictures divided by the scale (``invert_scale_latents``).
        return latents / self._scale**2 if self.vae.config.invert_scale_latents else latents

    @property
    def _scale(self) -> float:
        return float(self.vae.config.scaling_factor)

    def _encoded(self, frames: NDArray[np.uint8]) -> Tensor:
        self._tile(frames.shape[0] * frames.shape[1] * frames.shape[2])
        values = torch.tensor(frames).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
        with self.precision.scope():
            found = self.vae.encode(values.to(self.precision.device)).latent_dist.mode()
        return found.float().cpu() * self._scale

    def _clip(self, latents: Tensor) -> Tensor:
        """One clip to RGB in [0, 1] ``[1, 3, frames, H, W]``, float32 on the CPU."""
        frames = 1 + self.frame_ratio * (latents.shape[2] - 1)
        self._tile(frames * latents.shape[3] * latents.shape[4] * self.factor**2)
        odd = latents if latents.shape[2] % 2 else torch.cat([latents, latents[:, :, -1:]], dim=2)
        scaled = (odd.float() / self._scale).to(self.precision.device)
        with self.precision.scope():
            decoded = self.vae.decode(scaled).sample[:, :, :frames]
        if decoded.shape[2] != frames:
            raise ModelError(
                f"the vae made {decoded.shape[2]} frames where {frames} are due: its blocks do not make the "
                f"{self.frame_ratio} frames to a latent one of its config.json; use a whole vae/ folder"
            )
        return self._to_rgb(decoded)


def load_video_codec(folder: ModelFolder, precision: Precision) -> Codec:
    """The autoencoder in ``vae/``: AutoencoderKLCogVideoX, or one of :class:`Codec`'s. Raises ModelError."""
    if folder.component_class("vae") != "AutoencoderKLCogVideoX":
        return Codec.load(folder, precision)
    folder.weights("vae")
    from diffusers.models.autoencoders.autoencoder_kl_cogvideox import AutoencoderKLCogVideoX

    vae = load_component(AutoencoderKLCogVideoX, folder, "vae")
    decoding = Precision(precision.device, torch.float32) if precision.device.type == "cpu" else precision
    decoding.prepare(vae)
    return VideoCodec(vae, read_latent_rgb(folder), decoding)
