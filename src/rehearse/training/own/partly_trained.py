"""A convolution of which only some input channels are trained."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class PartlyTrained(nn.Conv2d):
    """The weights of ``conv``, whose first ``kept`` input channels get no gradient, and so stay as they are.

    The two share their parameters and their names. The cut is made in the forward pass, on whatever tensor
    stands for the weight there: a hook on the parameter would be lost where FSDP puts another in its place.
    """

    def __init__(self, conv: nn.Conv2d, kept: int) -> None:
        settings: dict[str, Any] = {
            name: getattr(conv, name)
            for name in ("kernel_size", "stride", "padding", "dilation", "groups", "padding_mode")
        }
        bias = conv.bias is not None
        super().__init__(conv.in_channels, conv.out_channels, bias=bias, device="meta", **settings)
        self.weight, self.bias, self.kept = conv.weight, conv.bias, kept

    def forward(self, input: Tensor) -> Tensor:
        weight = torch.cat([self.weight[:, : self.kept].detach(), self.weight[:, self.kept :]], dim=1)
        return self._conv_forward(input, weight, self.bias)
