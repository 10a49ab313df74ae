"""Joint attention of CogVideoX as two matrix products and a softmax, which trains fastest on CPUs.

At the few hundred tokens of the theatre the fused kernels take two to four times as long, most of it on the
way back. Numbers are those of the stock processor, to rounding.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rehearse.models.joint_attention import joint_heads


def plain_joint_attention(transformer: Any) -> None:
    """Give a CogVideoXTransformer3DModel the plain processor, in place."""
    transformer.set_attn_processor(PlainJointAttention())


class PlainJointAttention:
    """A processor of the blocks' attention: text first, rotary positions on the video tokens."""

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        image_rotary_emb: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Video ``[n, tokens, width]`` and text ``[n, words, width]``, both attended to jointly."""
        words = encoder_hidden_states.shape[1]
        query, key, value = joint_heads(attn, encoder_hidden_states, hidden_states)
        if image_rotary_emb is not None:
            query, key = (_turned(x, words, *image_rotary_emb) for x in (query, key))
        scores = (query * attn.scale).to(value.dtype) @ key.to(value.dtype).transpose(-1, -2)
        if attention_mask is not None:
            scores = scores + attention_mask
        mixed = (scores.softmax(-1).to(value.dtype) @ value).transpose(1, 2).flatten(2)
        for layer in attn.to_out:
            mixed = layer(mixed)
        return mixed[:, words:], mixed[:, :words]


def _turned(x: Tensor, words: int, cosines: Tensor, sines: Tensor) -> Tensor:
    """``x [n, heads, tokens, d]`` with each pair of numbers turned by its angle, behind the words."""
    text, video = x[:, :, :words], x[:, :, words:]
    even, odd = video.unflatten(-1, (-1, 2)).unbind(-1)
    crossed = torch.stack([-odd, even], dim=-1).flatten(-2)
    return torch.cat([text, (video * cosines + crossed * sines).to(x.dtype)], dim=2)
