"""The helper task of the image model: name the puppet part in each latent cell from the denoiser's features.

A one-layer head reads the features that enter the finest up block. It is used in training only; what ships
has never heard of it. Without it 140,000 stills left puppets as blobs of the right colour.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from rehearse.theatre.parts import NOTHING, SCALE
from rehearse.theatre.world.vocabulary import PUPPETS


class PartHead(nn.Module):
    """Classes and puppet coordinates of latent cells, read from a UNet2DConditionModel as it runs.

    The features are caught by a hook on the last up block but one, whose output has the grid of the latents.
    """

    def __init__(self, unet: Any) -> None:
        super().__init__()
        self.classes = len(PUPPETS) + 1
        width = unet.config.block_out_channels[1]
        self.head = nn.Conv2d(width, self.classes + 2, 1)
        self._features: Tensor | None = None
        unet.up_blocks[-2].register_forward_hook(self._catch)

    def _catch(self, _block: nn.Module, _inputs: Any, output: Tensor) -> None:
        self._features = output if self.training else None

    def loss(self, parts: Tensor) -> Tensor:
        """Error of the head on the UNet's last call. parts: int8 [N, h, w, 3] of the clean stills."""
        assert self._features is not None, "the denoiser has not run in training mode"
        named = self.head(self._features).float()
        self._features = None
        classes = parts[..., 0].long()
        owned = (classes != NOTHING).float()
        count = owned.sum().clamp(min=1)
        wrong = F.cross_entropy(named[:, : self.classes], classes, reduction="none")
        where = parts[..., 1:].float().permute(0, 3, 1, 2) / SCALE
        away = F.smooth_l1_loss(named[:, self.classes :], where, reduction="none", beta=0.1).sum(1)
        share: Tensor = (
            0.2 * wrong.mean() + 0.2 * (wrong * owned).sum() / count + (away * owned).sum() / count
        )
        return share
