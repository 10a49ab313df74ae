"""Inflate an image UNet to a video UNet: spatial weights are copied, time starts as the identity."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def inflate(image: nn.Module, video: nn.Module) -> list[str]:
    """Copy every weight of ``image`` (UNet2DConditionModel) that ``video`` (UNet3DConditionModel) has under
    the same name, and silence the temporal layers' outputs, so that the video model begins as the image
    model on each frame. Returns the names of the video weights that are new (the temporal ones)."""
    source = image.state_dict()
    target = video.state_dict()
    new = []
    with torch.no_grad():
        for name, value in target.items():
            if name in source and source[name].numel() == value.numel():
                value.copy_(source[name].reshape(value.shape))
            else:
                new.append(name)
        for name, module in video.named_modules():
            if is_temporal_attention(name) and name.endswith("proj_out"):
                silent: Any = module
                silent.weight.zero_()
                silent.bias.zero_()
    missing = [name for name in source if name not in target]
    if missing:
        raise ValueError(f"the video model has no place for {len(missing)} image weights, first {missing[0]}")
    return new


def is_temporal_attention(name: str) -> bool:
    """Whether a module path lies in a temporal transformer of UNet3DConditionModel."""
    return "temp_attentions" in name or name.startswith("transformer_in")


def silent_adapter(config: dict[str, Any]) -> Any:
    """A new diffusers MotionAdapter that changes nothing yet: its motion modules add zero, and what its
    ``conv_in`` reads beside the latents counts for nothing."""
    from diffusers import MotionAdapter

    adapter: Any = MotionAdapter(**config)
    with torch.no_grad():
        for name, module in adapter.named_modules():
            if name.endswith("proj_out"):
                module.weight.zero_()
                module.bias.zero_()
        if adapter.conv_in is not None:
            adapter.conv_in.weight.zero_()
            adapter.conv_in.bias.zero_()
    return adapter


def louder_words(text: Any) -> int:
    """Bring the embeddings of words that were never trained to the length of the others; how many they were.

    text: a CLIPTextModel. Embeddings begin short and grow in use; one under half of the longest was not used.
    A word that stills never say ("left") would be half as long as the position that is added to it: too
    faint for a denoiser to find what it means.
    """
    weight = text.get_input_embeddings().weight
    lengths = weight.detach().norm(dim=1, keepdim=True)
    faint = (lengths < lengths.max() / 2).squeeze(1)
    usual = lengths[~faint].median()
    with torch.no_grad():
        weight[faint] *= usual / lengths[faint]
    return int(faint.sum())
