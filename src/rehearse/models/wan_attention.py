"""How Wan's transformer hands its attention over: of the video to itself, and of the video to the prompt.

Positions are rotary and known to the self-attention alone, so what a control gets there is turned already. At
a cross site the video's tokens come frame by frame, as everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from rehearse.models.attention import output_projection, split_heads
from rehearse.models.joint_attention import JointStage
from rehearse.sites import AttentionCall, Site


@dataclass(slots=True)
class WanProcessor:
    """Attention processor of one site, in place of diffusers' own."""

    site: Site
    stage: JointStage

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        rotary_emb: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        """``[batch, tokens, channels]`` -> the same, after the output projection."""
        source = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        query, key, value = (
            split_heads(tokens, attn.heads)
            for tokens in (
                _normed(attn.norm_q, attn.to_q(hidden_states)),
                _normed(attn.norm_k, attn.to_k(source)),
                attn.to_v(source),
            )
        )
        if rotary_emb is not None:
            query, key = turned(query, rotary_emb), turned(key, rotary_emb)
        query, key = query.to(value.dtype), key.to(value.dtype)
        attend = self.stage.attend
        if attend is not None and attend.wants(self.site):
            output = attend(self._call(attn, query, key, value))
            if output is not None:
                return output.reshape(hidden_states.shape).to(hidden_states.dtype)
        mixed = scaled_dot_product_attention(query, key, value)
        return output_projection(attn)(mixed).to(hidden_states.dtype)

    def _call(self, attn: Any, query: Tensor, key: Tensor, value: Tensor) -> AttentionCall:
        stage = self.stage
        if self.site.kind == "cross":
            frames = stage.grid.frames
            query = query.unflatten(2, (frames, -1)).transpose(1, 2).flatten(0, 1)
            key, value = (x.repeat_interleave(frames, dim=0) for x in (key, value))
        return AttentionCall(
            site=self.site,
            grid=stage.grid,
            query=query,
            key=key,
            value=value,
            project=output_projection(attn),
            branches=stage.branches,
            clips=stage.clips,
        )


def _normed(norm: Any, tokens: Tensor) -> Tensor:
    """In the format of the norm's own weights: under autocast the tokens come in half precision."""
    normed: Tensor = norm(tokens.to(norm.weight.dtype))
    return normed


def turned(tokens: Tensor, rotary: tuple[Tensor, Tensor]) -> Tensor:
    """Tokens ``[batch, heads, tokens, width]`` with neighbouring pairs of channels turned by their position.

    rotary: cosines and sines, each ``[1, tokens, 1, width]``, every angle twice.
    """
    cosine, sine = (table.transpose(1, 2)[..., ::2] for table in rotary)
    first, second = tokens.unflatten(-1, (-1, 2)).unbind(-1)
    pairs = torch.stack([first * cosine - second * sine, first * sine + second * cosine], dim=-1)
    return pairs.flatten(-2).to(tokens.dtype)


def install_wan(blocks: nn.ModuleList, stage: JointStage) -> tuple[Site, ...]:
    """Give both attentions of every block a WanProcessor; the sites, in order."""
    sites = []
    for index, block in enumerate(blocks):
        attentions: tuple[tuple[str, Any], ...] = (("attn1", block.attn1), ("attn2", block.attn2))
        for name, attn in attentions:
            site = Site(
                name=f"blocks.{index}.{name}",
                kind="video" if name == "attn1" else "cross",
                part="body",
                heads=int(attn.heads),
            )
            attn.set_processor(WanProcessor(site, stage))
            sites.append(site)
    return tuple(sites)
