"""The helper tasks of theatre-wan: name the puppet's part, velocity and way, and the time, from the tokens.

See :mod:`rehearse.training.part_head` and :mod:`rehearse.training.way_head` for why; here one linear layer
says all of it, from what leaves a block two thirds of the way through the transformer. It does not ship.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from rehearse.theatre.world.vocabulary import PUPPETS
from rehearse.training.part_head import naming_error
from rehearse.training.way_head import way_error


class WanHead(nn.Module):
    """Reads a WanTransformer3DModel as it runs in training mode; a token names the cells of its patch."""

    def __init__(self, transformer: Any) -> None:
        super().__init__()
        config = transformer.config
        self.classes, self.patch = len(PUPPETS) + 1, int(config.patch_size[1])
        width = config.num_attention_heads * config.attention_head_dim
        self.norm = nn.LayerNorm(width)
        # Class, place (2), velocity (2), way (2), time.
        self.head = nn.Linear(width, (self.classes + 7) * self.patch**2)
        self._features: Tensor | None = None
        transformer.blocks[len(transformer.blocks) * 2 // 3].register_forward_hook(self._catch)

    def _catch(self, _block: nn.Module, _inputs: Any, output: Tensor) -> None:
        self._features = output if self.training else None

    def loss(self, parts: Tensor) -> tuple[Tensor, Tensor]:
        """Errors of parts and of ways on the transformer's last call; of a still (one frame), ways are 0.

        parts: int8 ``[n, F, h, w, 5]``.
        """
        assert self._features is not None, "the denoiser has not run in training mode"
        clips, frames, high, wide, _ = parts.shape
        patch = self.patch
        said = self.head(self.norm(self._features)).float()
        self._features = None
        said = said.view(clips * frames, high // patch, wide // patch, -1, patch, patch)
        said = said.permute(0, 3, 1, 4, 2, 5).reshape(clips * frames, -1, high, wide)
        # A still has no velocities.
        named = self.classes + (4 if frames > 1 else 2)
        wrong = naming_error(
            said[:, :named], parts.flatten(0, 1)[..., : named - self.classes + 1], self.classes
        )
        if frames == 1:
            return wrong, torch.zeros_like(wrong)
        return wrong, way_error(said[:, -3:].unflatten(0, (clips, frames)), parts)
