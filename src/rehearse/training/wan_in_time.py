"""From a codec of stills to one of clips: what it does not know of time yet is zero."""

from __future__ import annotations

from typing import Any

import torch


def begin_in_time(codec: Any) -> None:
    """Make a codec that learned on stills treat each frame by itself: what it does not know of time is zero.

    Every causal kernel keeps its last slice, the present frame; halving time takes the later frame of two,
    doubling it shows a frame twice.
    """
    from diffusers.models.autoencoders.autoencoder_kl_wan import WanCausalConv3d, WanResample

    with torch.no_grad():
        for layer in codec.modules():
            if isinstance(layer, WanCausalConv3d) and layer.kernel_size == (3, 3, 3):
                layer.weight[:, :, :-1] = 0.0
            elif isinstance(layer, WanResample) and layer.mode in ("upsample3d", "downsample3d"):
                weight, width = layer.time_conv.weight, layer.time_conv.weight.shape[1]
                one = torch.eye(width, dtype=weight.dtype)
                weight.zero_()
                weight[:, :, -1, 0, 0] = one.repeat(weight.shape[0] // width, 1)
                layer.time_conv.bias.zero_()
