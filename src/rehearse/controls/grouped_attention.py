"""Attention computed group by group: less work than dense attention, and no mask in memory.

With owners of sizes n_1 + n_2 + ... = n, masked attention costs sum n_i^2 instead of n^2 products. When the
unmasked output is wanted too (mask normalization compares the two), each group's queries also attend to the
keys they do not see, and the softmax normalisers merge the two partial outputs:

    u = (e^l o + e^l' o') / (e^l + e^l') = o' + sigmoid(l - l') (o - o')

with o, l the output and log-sum-exp over the keys seen and o', l' over the rest. Both outputs together cost
what dense unmasked attention alone does.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from rehearse.controls.token_groups import Grouping
from rehearse.sites import AttentionCall


def attend_by_groups(
    call: AttentionCall, grouping: Grouping, unmasked: bool = False
) -> tuple[Tensor, Tensor | None]:
    """Masked and, if asked for, unmasked attention of a call.

    grouping: blocks that together hold every query exactly once.
    Returns ``(a, u)``, each ``[batch, heads, queries, head_dim]`` before the output projection; u is None
    unless ``unmasked``.
    """
    batch = call.query.shape[0]
    query, key, value = _tokens(call.query), _tokens(call.key), _tokens(call.value)
    shape = (query.shape[0], value.shape[1], value.shape[2])
    masked = value.new_empty(shape)
    whole = value.new_empty(shape) if unmasked else None
    for block in grouping:
        q = _pick(query, block.queries, block.rows)
        k, v = _pick(key, block.keys, block.rows), _pick(value, block.keys, block.rows)
        if whole is None or block.rest.numel() == 0:
            out = full = scaled_dot_product_attention(q, k, v, scale=call.scale)
        else:
            k_rest, v_rest = _pick(key, block.rest, block.rows), _pick(value, block.rest, block.rows)
            out, full = _seen_and_whole(q, k, v, k_rest, v_rest, call.scale)
        masked.index_copy_(0, block.queries, _tokens(out))
        if whole is not None:
            whole.index_copy_(0, block.queries, _tokens(full))
    return _rows(masked, batch), None if whole is None else _rows(whole, batch)


def _seen_and_whole(
    q: Tensor, k: Tensor, v: Tensor, k_rest: Tensor, v_rest: Tensor, scale: float | None
) -> tuple[Tensor, Tensor]:
    """Attention over the keys seen, and over these and the rest together."""
    if not _gives_normalisers(q, k, v):
        # Other kernels keep their normalisers to themselves (or lose their gradient): attend twice.
        out = scaled_dot_product_attention(q, k, v, scale=scale)
        everything = torch.cat([k, k_rest], dim=2), torch.cat([v, v_rest], dim=2)
        return out, scaled_dot_product_attention(q, *everything, scale=scale)
    flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    out, normaliser = flash(q, k, v, scale=scale)
    other, other_normaliser = flash(q, k_rest, v_rest, scale=scale)
    share = torch.sigmoid(normaliser - other_normaliser)[..., None].to(out.dtype)
    return out, torch.lerp(other, out, share)


def _gives_normalisers(q: Tensor, k: Tensor, v: Tensor) -> bool:
    """Whether the CPU's flash kernel can be called by itself: it returns the log-sum-exp too."""
    needs_gradient = torch.is_grad_enabled() and (q.requires_grad or k.requires_grad or v.requires_grad)
    return (
        q.device.type == "cpu"
        and q.dtype == k.dtype == v.dtype
        and q.dtype in (torch.float32, torch.float64, torch.bfloat16, torch.float16)
        and q.shape[-1] == v.shape[-1]
        and not needs_gradient
    )


def _tokens(x: Tensor) -> Tensor:
    """``[batch, heads, tokens, width] -> [batch * tokens, heads, width]``.

    Models lay heads out inside tokens, so this is a view for them.
    """
    batch, heads, tokens, width = x.shape
    return x.transpose(1, 2).reshape(batch * tokens, heads, width)


def _rows(x: Tensor, batch: int) -> Tensor:
    """``[batch * tokens, heads, width] -> [batch, heads, tokens, width]``."""
    return x.view(batch, -1, *x.shape[1:]).transpose(1, 2)


def _pick(x: Tensor, positions: Tensor, rows: int) -> Tensor:
    """Tokens at flat positions, as ``[rows, heads, tokens, width]``."""
    return _rows(x.index_select(0, positions), rows)
