"""What codecs of clips share: a causal video autoencoder goes through a clip at a time."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.models.codec import Codec


class ClipCodec(Codec):
    """An autoencoder of clips: the first frame alone, then ``frame_ratio`` frames to a latent frame."""

    frame_ratio: int
    untiled: int
    """Pixels, as the family counts them, above which a clip goes through in overlapping tiles."""

    @torch.no_grad()
    def decode(self, latents: Tensor) -> NDArray[np.uint8]:
        """``[clips, channels, frames, h, w]`` to uint8 ``[clips, 1 + ratio * (frames - 1), H, W, 3]``."""
        clips = torch.cat([self._clip(latents[i : i + 1]) for i in range(latents.shape[0])])
        bytes_ = (clips * 255).round_().to(torch.uint8).permute(0, 2, 3, 4, 1).contiguous().numpy()
        shaped: NDArray[np.uint8] = bytes_
        return shaped

    @torch.no_grad()
    def encode(self, pictures: NDArray[np.uint8]) -> Tensor:
        """Each picture as a clip of one frame, uint8 ``[n, H, W, 3]`` to ``[n, channels, h, w]``."""
        return torch.cat([self._encoded(picture[None])[:, :, 0] for picture in pictures])

    @torch.no_grad()
    def encode_clip(self, frames: NDArray[np.uint8]) -> Tensor:
        """A clip uint8 ``[frames, H, W, 3]``, as long as clips are, to ``[channels, latent frames, h, w]``,
        at `decode`'s scale."""
        return self._encoded(frames)[0]

    @abstractmethod
    def _encoded(self, frames: NDArray[np.uint8]) -> Tensor:
        """Frames uint8 ``[frames, H, W, 3]`` to ``[1, channels, latent frames, h, w]``."""

    @abstractmethod
    def _clip(self, latents: Tensor) -> Tensor:
        """One clip to RGB in [0, 1] ``[1, 3, frames, H, W]``, float32 on the CPU."""

    def _tile(self, pixels: int) -> None:
        if pixels > self.untiled:
            self.vae.enable_tiling()
        else:
            self.vae.disable_tiling()

    def _pictures(self, latents: Tensor) -> Tensor:
        return torch.cat([self._clip(one[None, :, None])[:, :, 0] for one in latents])
