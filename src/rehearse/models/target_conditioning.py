"""Target conditioning of CogVideoX: a mask beside the latents, a word in the prompt (docs/methods.md,
sections 5.1 and 5.2).

The denoiser of an image-to-video checkpoint takes ``noisy | image`` channels. Target conditioning adds one
channel for each mask behind them, ``noisy | image | target`` or ``noisy | image | target | source``, by
zero weights in the patch projection: before training the masks change nothing, bit for bit.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

from rehearse.models.errors import ModelError
from rehearse.resolve.instructions.trigger import trigger_spans as trigger_spans
from rehearse.resolve.instructions.trigger import with_trigger as with_trigger
from rehearse.shot.errors import ShotError
from rehearse.shot.grid import pool

Role = Literal["target", "source"]

TRIGGERS: dict[Role, str] = {"target": "target", "source": "source"}
"""The word put before the phrase of each role, in the order of the mask channels."""


def mask_count(transformer: Any) -> int:
    """How many mask channels a CogVideoXTransformer3DModel takes beside noisy and image latents; 0 for a base
    that has not been grown, or that starts from no picture."""
    config = transformer.config
    return max(0, int(config.in_channels) - 2 * int(config.out_channels))


def grow_for_masks(transformer: Any, masks: int = 1) -> None:
    """Widen the patch projection of a CogVideoXTransformer3DModel in place, by zero weights for ``masks``
    more latent channels behind those it has.

    Works on the convolution of 1.0 checkpoints and the linear layer of 1.5. The projection stays one weight
    under its own name, ``patch_embed.proj.weight`` (``[width, channels + masks, p, p]``, or
    ``[width, (channels + masks) * p_t * p * p]``); ``config.in_channels`` follows. masks: 1 (target) or 2
    (target, source).

    Raises ModelError: not CogVideoX, no image-to-video model, or grown before.
    """
    if masks not in (1, len(TRIGGERS)):
        raise ModelError(f"target conditioning takes 1 or {len(TRIGGERS)} masks, not {masks}")
    kind = type(transformer).__name__
    if kind != "CogVideoXTransformer3DModel":
        raise ModelError(f"target conditioning grows a CogVideoXTransformer3DModel, and this is a {kind}")
    taken, latents = int(transformer.config.in_channels), int(transformer.config.out_channels)
    if taken > 2 * latents:
        raise ModelError(
            f"this transformer was grown before: it takes {taken - 2 * latents} mask channels beside "
            f"{2 * latents}; grow its base"
        )
    if taken != 2 * latents:
        raise ModelError(
            f"this transformer takes {taken} channels where an image-to-video model of {latents} latent "
            f"channels takes {2 * latents}; target conditioning needs one that starts from a picture"
        )
    embed = transformer.patch_embed
    embed.proj = _grown(embed.proj, taken, masks)
    transformer.register_to_config(in_channels=taken + masks)


class GrownConv(nn.Conv2d):
    """A patch projection whose last input channels were added: their part is computed apart and added."""

    first: int
    """Input channels it had before."""

    def forward(self, input: Tensor) -> Tensor:
        # Apart: a kernel over more channels may sum in another order, and zeros would then change bits.
        n = self.first
        before = self._conv_forward(input[:, :n], self.weight[:, :n], self.bias)
        return before + self._conv_forward(input[:, n:], self.weight[:, n:], None)


class GrownLinear(nn.Linear):
    """The same for the linear patch projection of CogVideoX 1.5."""

    first: int
    """Input features it had before."""

    def forward(self, input: Tensor) -> Tensor:
        n = self.first
        before = nn.functional.linear(input[..., :n], self.weight[:, :n], self.bias)
        return before + nn.functional.linear(input[..., n:], self.weight[:, n:])


def _grown(proj: Any, channels: int, masks: int) -> GrownConv | GrownLinear:
    weight, bias = proj.weight, proj.bias
    place: dict[str, Any] = {"device": weight.device, "dtype": weight.dtype}
    wide: GrownConv | GrownLinear
    if isinstance(proj, nn.Conv2d):
        wide = GrownConv(
            channels + masks,
            proj.out_channels,
            proj.kernel_size,  # type: ignore[arg-type]
            stride=proj.stride,  # type: ignore[arg-type]
            bias=bias is not None,
            **place,
        )
    elif isinstance(proj, nn.Linear) and proj.in_features % channels == 0:
        # A patch's features are laid out channel by channel, so new channels come last here too.
        of_a_channel = proj.in_features // channels
        wide = GrownLinear(
            (channels + masks) * of_a_channel, proj.out_features, bias=bias is not None, **place
        )
    else:
        raise ModelError(f"the patch projection is a {type(proj).__name__}, which cannot be widened")
    with torch.no_grad():
        wide.first = weight.shape[1]
        wide.weight.zero_()
        wide.weight[:, : wide.first] = weight
        if bias is not None and wide.bias is not None:
            wide.bias.copy_(bias)
    wide.weight.requires_grad_(weight.requires_grad)
    if bias is not None and wide.bias is not None:
        wide.bias.requires_grad_(bias.requires_grad)
    return wide.train(proj.training)


def mask_channels(masks: Tensor, frames: int, height: int, width: int) -> Tensor:
    """Masks of a clip's first frame as channels beside its latents.

    masks: ``[n, H, W]`` in [0, 1]. frames, height, width: of the latents. Returns float32
    ``[n, frames, height, width]`` on the CPU: in latent frame 0 the part of each cell that is marked (by
    area, so that a thin target keeps its weight), zeros elsewhere.

    Raises ShotError (field ``mask``) for a mask that marks nothing or everything, or is no mask.
    """
    if masks.ndim != 3 or masks.shape[0] == 0 or 0 in masks.shape:
        raise ShotError(f"masks are [n, height, width], and these are {list(masks.shape)}", field="mask")
    found = masks.detach().float().cpu()
    if not bool(((found >= 0) & (found <= 1)).all()):
        raise ShotError("its values must lie in [0, 1]; divide a picture's by 255", field="mask")
    for mask in found:
        if not bool(mask.any()):
            raise ShotError("the mask is empty; mark the thing that is meant", field="mask")
        if bool((mask == 1).all()):
            raise ShotError("the mask marks the whole frame; mark only the thing that is meant", field="mask")
    channels = torch.zeros(len(found), frames, height, width)
    for channel, mask in zip(channels, found, strict=True):
        channel[0] = torch.from_numpy(pool(mask.numpy(), height, width)).clamp(0, 1)
    return channels
