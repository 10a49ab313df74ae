"""The helper task of the denoisers: name the puppet part in each latent cell from the denoiser's features.

A one-layer head reads the features that enter the finest up block: which puppet, where on it and, for clips,
how fast it moves. It is used in training only; what ships has never heard of it. Without it 140,000 stills
left puppets as blobs of the right colour, and clips did not move.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rehearse.theatre.parts import NOTHING, SCALE, SPEED
from rehearse.theatre.world.vocabulary import PUPPETS


class PartHead(nn.Module):
    """Classes, puppet coordinates and velocities of latent cells, read from a UNet as it runs.

    unet: a UNet2DConditionModel or UNet3DConditionModel. moving: whether velocities are asked for. The
    features are caught by a hook on the last up block but one, whose output has the grid of the latents.
    """

    def __init__(self, unet: Any, *, moving: bool = False) -> None:
        super().__init__()
        self.classes = len(PUPPETS) + 1
        self.moving = moving
        width = unet.config.block_out_channels[1]
        self.head = nn.Conv2d(width, self.classes + (4 if moving else 2), 1)
        self._features: Tensor | None = None
        unet.up_blocks[-2].register_forward_hook(self._catch)

    def inherit(self, still: PartHead) -> None:
        """Begin as the head of an image model: what is where is known, how it moves is not."""
        known = self.classes + 2
        with torch.no_grad():
            self.head.weight.zero_()[:known].copy_(still.head.weight)
            bias, source = self.head.bias, still.head.bias
            assert bias is not None and source is not None
            bias.zero_()[:known].copy_(source)

    def _catch(self, _block: nn.Module, _inputs: Any, output: Tensor) -> None:
        self._features = output if self.training else None

    def loss(self, parts: Tensor) -> Tensor:
        """Error of the head on the UNet's last call.

        parts: int8 ``[N, h, w, 3 or 5]`` of the clean pictures, for clips with N = clips x frames.
        """
        assert self._features is not None, "the denoiser has not run in training mode"
        named = self.head(self._features).float()
        self._features = None
        return naming_error(named, parts, self.classes)


class TokenPartHead(nn.Module):
    """The same head on a CogVideoXTransformer3DModel, with velocities: read from the tokens that enter its
    last block, each of which names the ``patch_size`` squared latent cells it stands for.

    classes: kinds that can be named, and nothing.
    """

    def __init__(self, transformer: Any, classes: int) -> None:
        super().__init__()
        config = transformer.config
        self.classes, self.patch = classes, int(config.patch_size)
        width = config.num_attention_heads * config.attention_head_dim
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, (classes + 4) * self.patch**2)
        self._features: Tensor | None = None
        transformer.transformer_blocks[-2].register_forward_hook(self._catch)

    def _catch(self, _block: nn.Module, _inputs: Any, output: tuple[Tensor, Tensor]) -> None:
        self._features = output[0] if self.training else None

    def loss(self, parts: Tensor) -> Tensor:
        """Error of the head on the transformer's last call; parts: int8 ``[n, F, h, w, 5]``."""
        assert self._features is not None, "the denoiser has not run in training mode"
        clips, frames, high, wide, _ = parts.shape
        patch = self.patch
        named = self.head(self.norm(self._features)).float()
        self._features = None
        named = named.view(clips * frames, high // patch, wide // patch, -1, patch, patch)
        named = named.permute(0, 3, 1, 4, 2, 5).reshape(clips * frames, -1, high, wide)
        return naming_error(named, parts.flatten(0, 1), self.classes)


def naming_error(named: Tensor, parts: Tensor, classes: int) -> Tensor:
    """Error of what a head says of latent cells: the class; on cells that are owned also the place and,
    where the head says it, the velocity.

    named: ``[N, classes + 2 or 4, h, w]``. parts: int8 ``[N, h, w, 3 or 5]``, see
    :mod:`rehearse.theatre.parts`.
    """
    kinds = parts[..., 0].long()
    owned = (kinds != NOTHING).float()
    wrong = F.cross_entropy(named[:, :classes], kinds, reduction="none")
    truth = parts[..., 1:].float().permute(0, 3, 1, 2)
    places = named[:, classes:]
    away = F.smooth_l1_loss(places[:, :2], truth[:, :2] / SCALE, reduction="none", beta=0.1).sum(1)
    if places.shape[1] > 2:
        speed = F.smooth_l1_loss(places[:, 2:], truth[:, 2:4] / SPEED, reduction="none", beta=0.1)
        away = away + 0.5 * speed.sum(1)
    error: Tensor = 0.2 * wrong.mean() + (0.2 * wrong + away).mul(owned).sum() / owned.sum().clamp(min=1)
    return error
