"""Low-rank changes of frozen weights (LoRA), trained as part of the weights they change.

The change is added to the weight before the layer runs, so that a training step costs one product of two
small matrices a layer and no second convolution. What comes out is a LoRA file as diffusers and PEFT write
it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize


class LowRank(nn.Module):
    """``W + up down``; zero at first. down: ``[rank, rest]``, up: ``[out, rank]``."""

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        out, rest = weight.shape[0], weight[0].numel()
        rank = min(rank, out, rest)
        self.down = nn.Parameter(torch.empty(rank, rest))
        self.up = nn.Parameter(torch.zeros(out, rank))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, weight: Tensor) -> Tensor:
        with torch.autocast(weight.device.type, enabled=False):
            return weight + (self.up @ self.down).view_as(weight)


def add_low_rank(module: nn.Module, rank: int, chosen: Callable[[str], bool]) -> list[str]:
    """Give the chosen linear and convolution layers (by name) a low-rank change; the layers' names.

    The weights below stay as they are. Layers of a rank that is no larger are changed freely.
    """
    layers = [
        (name, layer)
        for name, layer in module.named_modules()
        if isinstance(layer, nn.Linear | nn.Conv2d) and chosen(name)
    ]
    for _, layer in layers:
        layer.weight.requires_grad_(False)
        parametrize.register_parametrization(layer, "weight", LowRank(layer.weight, rank))
    return [name for name, _ in layers]


def low_rank_state(module: nn.Module, prefix: str) -> dict[str, Tensor]:
    """The changes under the names of a LoRA file, ``<prefix>.<layer>.lora_A.weight`` (down) and ``lora_B``.

    Of a convolution, A has the layer's kernel and B is 1 x 1.
    """
    state: dict[str, Tensor] = {}
    for name, layer in module.named_modules():
        if not parametrize.is_parametrized(layer, "weight"):
            continue
        found: Any = layer
        change: Any = found.parametrizations.weight[0]
        down, up = change.down.detach(), change.up.detach()
        if isinstance(layer, nn.Conv2d):
            down, up = down.view(-1, *found.weight.shape[1:]), up[:, :, None, None]
        state[f"{prefix}.{name}.lora_A.weight"] = down.contiguous()
        state[f"{prefix}.{name}.lora_B.weight"] = up.contiguous()
    return state
