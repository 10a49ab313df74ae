"""The attention between a word and the first frame, exactly, without the attention matrix.

In CogVideoX text and video tokens share one softmax. What the loss needs of it is one column per marked word:
how much each video query of the first latent frame looks at the word's key (V2T). Attention whose values are
an indicator of that key returns this column: ``sum_j softmax(q k^T)_j 1[j is the word] = A``. It runs through
the same fused kernels as any attention, at first-frame queries only, and its gradients with respect to q and
k are the joint softmax's own. The other direction (T2V) is the row of the word's query over first-frame keys:
one query, so a plain softmax.

Where a block is recomputed under gradient checkpointing, columns leave it as outputs: a tensor kept aside
would belong to a graph that was thrown away.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

Direction = Literal["v2t", "t2v"]
"""Whether video queries look at the word's key, or the word's query at video keys."""
Reach = Literal["joint", "text"]
"""Over which keys the softmax runs: all of them, or (V2T only) those of the text."""


@dataclass(eq=False, slots=True)
class Watch:
    """One forward pass's request for columns, and what was found.

    words: float ``[batch, roles, text tokens]``, 1 at the tokens of each role's word; a word that is cut
    into several tokens counts as one, its probabilities added. blocks: indices of the blocks to read.
    first: video tokens of the first latent frame. found: by block, ``[batch, roles, first]``, mean over
    heads.
    """

    words: Tensor
    blocks: frozenset[int]
    first: int
    direction: Direction = "v2t"
    reach: Reach = "joint"
    found: dict[int, Tensor] = field(default_factory=dict)

    def again(self) -> Watch:
        """The same request with nothing found yet."""
        return Watch(self.words, self.blocks, self.first, self.direction, self.reach)

    def columns(self) -> Tensor:
        """What was found, ``[blocks, batch, roles, first]`` float32, blocks in ascending order."""
        return torch.stack([self.found[block].float() for block in sorted(self.found)])


def video_to_text(query: Tensor, key: Tensor, words: Tensor, reach: Reach = "joint") -> Tensor:
    """Columns of the words: ``[batch, roles, queries]``, mean over heads.

    query: ``[batch, heads, queries, width]`` of the first frame. key: ``[batch, heads, text + video,
    width]``, text first. words: ``[batch, roles, text]``.
    """
    text, width = words.shape[-1], key.shape[-1]
    keys = key[:, :, :text] if reach == "text" else key
    # As wide as the keys, because the fused kernels want it so; one channel is a role, the rest stay zero.
    # More roles than that would be a stack of calls, and there are two.
    values = key.new_zeros(key.shape[0], 1, keys.shape[2], width)
    values[:, 0, :text, : words.shape[1]] = words.transpose(1, 2).to(key.dtype)
    values = values.expand(-1, key.shape[1], -1, -1)
    seen = functional.scaled_dot_product_attention(query, keys, values)
    return seen[..., : words.shape[1]].float().mean(dim=1).transpose(1, 2)


def text_to_video(query: Tensor, key: Tensor, words: Tensor, first: int) -> Tensor:
    """Rows of the words over the first frame's keys: ``[batch, roles, first]``, mean over heads and tokens.

    query, key: ``[batch, heads, text + video, width]``, text first. words: ``[batch, roles, text]``.
    """
    text = words.shape[-1]
    weights = (words / words.sum(dim=-1, keepdim=True).clamp(min=1)).to(query.dtype)
    rows = []
    for role in range(words.shape[1]):
        # Of all samples, the tokens that are marked in any: a few at most.
        places = words[:, role].sum(dim=0).nonzero().flatten()
        scores = query[:, :, places] @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
        part = scores.float().softmax(dim=-1)[..., text : text + first]
        rows.append(torch.einsum("bhwf,bw->bf", part, weights[:, role, places].float()) / query.shape[1])
    return torch.stack(rows, dim=1)


class ColumnProcessor:
    """CogVideoX's attention, which also answers a :class:`Watch`; without one it is the stock processor's.

    The watch arrives as the keyword ``watch`` of ``attention_kwargs``: under gradient checkpointing the same
    request is made again when the block is recomputed.
    """

    def __init__(self, block: int) -> None:
        self.block = block

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        image_rotary_emb: Any = None,
        watch: Watch | None = None,
    ) -> tuple[Tensor, Tensor]:
        text = encoder_hidden_states.shape[1]
        states = torch.cat([encoder_hidden_states, hidden_states], dim=1)
        query, key, value = (
            projection(states).unflatten(2, (attn.heads, -1)).transpose(1, 2)
            for projection in (attn.to_q, attn.to_k, attn.to_v)
        )
        if attn.norm_q is not None:
            query, key = attn.norm_q(query), attn.norm_k(key)
        if image_rotary_emb is not None:
            from diffusers.models.embeddings import apply_rotary_emb

            query, key = (
                torch.cat([x[:, :, :text], apply_rotary_emb(x[:, :, text:], image_rotary_emb)], dim=2)
                for x in (query, key)
            )
        if watch is not None and self.block in watch.blocks:
            watch.found[self.block] = (
                video_to_text(query[:, :, text : text + watch.first], key, watch.words, watch.reach)
                if watch.direction == "v2t"
                else text_to_video(query, key, watch.words, watch.first)
            )
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=attention_mask)
        output = attn.to_out[1](attn.to_out[0](mixed.transpose(1, 2).flatten(2)))
        return output[:, text:], output[:, :text]


class WatchedTransformer(nn.Module):
    """A stock CogVideoXTransformer3DModel whose forward pass also returns columns.

    transformer: gets :class:`ColumnProcessor` s; its parameters and their names stay as they are.
    """

    def __init__(self, transformer: Any) -> None:
        super().__init__()
        self.transformer = transformer
        self._no_split_modules = getattr(transformer, "_no_split_modules", None)  # where FSDP may cut
        for index, block in enumerate(transformer.transformer_blocks):
            block.attn1.set_processor(ColumnProcessor(index))

    def forward(
        self,
        latents: Tensor,
        timestep: Tensor,
        text: Tensor,
        rotary: Any = None,
        ofs: Tensor | None = None,
        watch: Watch | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """The prediction ``[batch, frames, channels, h, w]`` and the columns asked for (None for none),
        ``[blocks, batch, roles, first]``. latents: as the prediction, all input channels."""
        kwargs = None if watch is None else {"watch": watch}
        prediction = self.transformer(
            hidden_states=latents,
            encoder_hidden_states=text,
            timestep=timestep,
            ofs=ofs,
            image_rotary_emb=rotary,
            attention_kwargs=kwargs,
            return_dict=False,
        )[0]
        return prediction, None if watch is None or not watch.found else watch.columns()

    def checkpoint_gradients(self) -> None:
        """Recompute each block in the backward pass instead of keeping what it computed."""
        self.transformer.enable_gradient_checkpointing(_recomputed)


def _recomputed(block: nn.Module, *arguments: Any) -> tuple[Tensor, Tensor]:
    """A block of the transformer under gradient checkpointing, its columns among its outputs."""
    from torch.utils.checkpoint import checkpoint

    *states, kwargs = arguments
    watch: Watch | None = (kwargs or {}).get("watch")
    blocks: list[int] = []

    def run(*inputs: Any) -> tuple[Tensor, ...]:
        inner = None if watch is None else watch.again()
        hidden, text = block(*inputs, kwargs if inner is None else {**kwargs, "watch": inner})
        if inner is None:
            return hidden, text
        blocks[:] = inner.found
        return hidden, text, *inner.found.values()

    hidden, text, *columns = checkpoint(run, *states, use_reentrant=False)
    if watch is not None:
        watch.found.update(zip(blocks, columns, strict=True))
    return hidden, text
