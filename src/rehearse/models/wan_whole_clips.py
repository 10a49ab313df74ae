"""A Wan autoencoder that takes whole clips at once, and stills as plain pictures, on the very same weights.

The stock class goes through a clip in chunks and carries what each convolution saw from one to the next:
little memory, many small steps. Without that cache its convolutions are causal by themselves; only the two
layers that halve and double time do nothing. Here they do what the chunks come to (a test holds both beside
each other), so that a clip is one pass.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def whole_clips(codec: Any) -> Any:
    """Let the encoder and decoder of this ``AutoencoderKLWan`` take clips without a cache; returns it.

    Its own ``encode`` and ``decode``, which come with a cache, are left as they are.
    """
    from diffusers.models.autoencoders.autoencoder_kl_wan import WanCausalConv3d, WanResample

    for layer in codec.modules():
        if isinstance(layer, WanResample):
            layer.forward = partial(_resample, layer)
        elif isinstance(layer, WanCausalConv3d) and layer.kernel_size == (3, 3, 3):
            layer.forward = partial(_convolve, layer)
    return codec


def encode(codec: Any, clips: Tensor) -> Tensor:
    """Clips [N, 3, F, H, W] in [-1, 1], F one more than a multiple of the chunk's length, to the means of
    their latents [N, C, f, h, w]."""
    from diffusers.models.autoencoders.autoencoder_kl_wan import patchify

    means: Tensor = codec.quant_conv(codec.encoder(patchify(clips, codec.config.patch_size or 1))).chunk(
        2, 1
    )[0]
    return means


def decode(codec: Any, latents: Tensor) -> Tensor:
    """Latents [N, C, f, h, w] to clips [N, 3, F, H, W] in about [-1, 1]."""
    from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify

    decoded = codec.decoder(codec.post_quant_conv(latents), first_chunk=True)
    clips: Tensor = unpatchify(decoded, codec.config.patch_size or 1)
    return clips


def _convolve(layer: Any, x: Tensor, cache_x: Tensor | None = None) -> Tensor:
    """Over one frame with nothing before it, a causal convolution is the last slice of its kernel."""
    if cache_x is not None or x.shape[2] > 1:
        own: Tensor = type(layer).forward(layer, x, cache_x)
        return own
    side, _, above, _, _, _ = layer._padding
    flat = x[:, :, 0].contiguous(memory_format=torch.channels_last)
    return F.conv2d(flat, layer.weight[:, :, -1], layer.bias, layer.stride[1:], (above, side)).unsqueeze(2)


def _resample(layer: Any, x: Tensor, feat_cache: Any = None, feat_idx: Any = None) -> Tensor:
    """Halving and doubling of time over a whole clip; the first frame stays alone."""
    if feat_cache is not None:
        own: Tensor = type(layer).forward(layer, x, feat_cache, feat_idx)
        return own
    if layer.mode == "upsample3d" and x.shape[2] > 1:
        x = _doubled(layer, x)
    x = _each_frame(layer.resample, x)
    if layer.mode == "downsample3d" and x.shape[2] > 1:
        x = torch.cat([x[:, :, :1], layer.time_conv(x)], 2)
    return x


def _doubled(layer: Any, x: Tensor) -> Tensor:
    later = layer.time_conv(x[:, :, 1:])
    count, _, frames, height, width = later.shape
    pairs = later.view(count, 2, -1, frames, height, width).permute(0, 2, 3, 1, 4, 5)
    return torch.cat([x[:, :, :1], pairs.reshape(count, -1, 2 * frames, height, width)], 2)


def _each_frame(layer: nn.Module, x: Tensor) -> Tensor:
    frames = x.shape[2]
    flat = layer(x.transpose(1, 2).flatten(0, 1))
    return flat.unflatten(0, (-1, frames)).transpose(1, 2)
