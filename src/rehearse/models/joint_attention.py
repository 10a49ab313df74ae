"""How video transformers hand over joint attention: one softmax over the prompt's and the video's tokens.

Each block's attention gets a :class:`JointProcessor`. It asks the :class:`JointStage` whether a control wants
this site; if so it builds the canonical :class:`~rehearse.sites.AttentionCall`, else it computes plain
attention itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from rehearse.models.attention import output_projection, split_heads
from rehearse.sites import Attend, AttentionCall, Grid, Site


@dataclass(slots=True)
class JointStage:
    """The running forward pass: who attends, how the batch is made up, and the grid of video tokens."""

    attend: Attend | None = None
    branches: int = 1
    clips: int = 1
    grid: Grid = field(default_factory=lambda: Grid(1, 1, 1))


@dataclass(slots=True)
class JointProcessor:
    """Attention processor of one site, in place of diffusers' own. The prompt's tokens come first."""

    site: Site
    stage: JointStage

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        image_rotary_emb: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Video ``[batch, tokens, channels]`` and text tokens -> both, after the output projection."""
        from diffusers.models.embeddings import apply_rotary_emb

        prompt = encoder_hidden_states.shape[1]
        query, key, value = joint_heads(attn, encoder_hidden_states, hidden_states)
        if image_rotary_emb is not None:  # the prompt has no place in the frame
            query[:, :, prompt:] = apply_rotary_emb(query[:, :, prompt:], image_rotary_emb)
            key[:, :, prompt:] = apply_rotary_emb(key[:, :, prompt:], image_rotary_emb)
        query, key = query.to(value.dtype), key.to(value.dtype)

        project, stage = output_projection(attn), self.stage
        attend = stage.attend
        output: Tensor | None = None
        if attend is not None and attend.wants(self.site):
            call = AttentionCall(
                site=self.site,
                grid=stage.grid,
                query=query,
                key=key,
                value=value,
                project=project,
                branches=stage.branches,
                clips=stage.clips,
                text=slice(0, prompt),
            )
            output = attend(call)
        if output is None:
            output = project(scaled_dot_product_attention(query, key, value))
        output = output.to(hidden_states.dtype)
        return output[:, prompt:], output[:, :prompt]


def install_joint(blocks: nn.ModuleList, name: str, stage: JointStage) -> tuple[Site, ...]:
    """Give the attention (``attn1``) of every block a JointProcessor; the sites, in order.

    name: the dotted path of the blocks inside the denoiser.
    """
    sites = []
    for index, block in enumerate(blocks):
        attn: Any = block.attn1
        site = Site(name=f"{name}.{index}.attn1", kind="joint", part="body", heads=int(attn.heads))
        attn.set_processor(JointProcessor(site, stage))
        sites.append(site)
    return tuple(sites)


def joint_heads(attn: Any, prompt: Tensor, video: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value ``[batch, heads, tokens, d]`` of the prompt's tokens and the video's behind them,
    normalised where the module does that, before any rotation by position."""
    tokens = torch.cat([prompt, video], dim=1)
    query, key, value = (split_heads(to(tokens), attn.heads) for to in (attn.to_q, attn.to_k, attn.to_v))
    if attn.norm_q is not None:
        query = attn.norm_q(query)
    if attn.norm_k is not None:
        key = attn.norm_k(key)
    return query, key, value
