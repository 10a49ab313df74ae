"""Attention under an additive mask at small sites, with the unmasked output almost for free.

Where the whole table of logits is small, gathering tokens by groups costs more than it saves. Both outputs
that mask normalization compares then share one table, and short sequences (the frames at one position) are
faster with a table than with a fused kernel anyway.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from rehearse.sites import AttentionCall

# Up to this many query-key pairs in a batch row, a mask is faster than gathering groups (measured by
# benchmarks/attention_groups.py). Groups save products between pixels, but little where keys are few words;
# and they pay sooner where the unmasked output is wanted, which they give without attending twice.
_MOST_WORD_PAIRS = 1 << 18
_MOST_PIXEL_PAIRS = 1 << 16
_MOST_PIXEL_PAIRS_WITH_UNMASKED = 1 << 14

# A table of at most this many logits (32 MB) is made at once; beyond, fused kernels spare the memory.
_MOST_LOGITS = 1 << 23


def is_small(call: AttentionCall, unmasked: bool) -> bool:
    """Whether a mask is the faster way at a cross or spatial site; unmasked: that output is wanted too."""
    pairs = call.query.shape[2] * call.key.shape[2]
    if call.site.kind == "cross":
        return pairs <= _MOST_WORD_PAIRS
    return pairs <= (_MOST_PIXEL_PAIRS_WITH_UNMASKED if unmasked else _MOST_PIXEL_PAIRS)


def attend_with_mask(
    call: AttentionCall, mask: Tensor, unmasked: bool = False
) -> tuple[Tensor, Tensor | None]:
    """Masked and, if asked for, unmasked attention of a call.

    mask: additive, ``[batch, 1, queries, keys]``, with a finite entry in each row.
    Returns ``(a, u)``, each ``[batch, heads, queries, head_dim]`` before the output projection; u is None
    unless ``unmasked``.
    """
    if not unmasked:
        return _fused(call.query, call.key, call.value, call.scale, mask), None
    if not _fits(call):
        whole = _fused(call.query, call.key, call.value, call.scale)
        return _fused(call.query, call.key, call.value, call.scale, mask), whole
    logits = _logits(call)
    whole = _weigh(logits, call.value)
    return _weigh(logits.add_(mask), call.value), whole


def attend_with_mask_at(call: AttentionCall, mask: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Unmasked attention of a call, and masked attention of some of its batch rows.

    mask: additive, ``[rows, 1, queries, keys]``, with a finite entry in each row. rows: int64 ``[rows]``.
    Returns ``(a, u)`` before the output projection, a ``[rows, heads, queries, head_dim]`` and u
    ``[batch, heads, queries, head_dim]``.
    """
    if not _fits(call):
        query, key, value = (_rows(x, rows) for x in (call.query, call.key, call.value))
        whole = _fused(call.query, call.key, call.value, call.scale)
        return _fused(query, key, value, call.scale, mask), whole
    logits = _logits(call)
    whole = _weigh(logits, call.value)
    return _weigh(logits.index_select(0, rows).add_(mask), _rows(call.value, rows)), whole


def _fits(call: AttentionCall) -> bool:
    batch, heads, queries = call.query.shape[:3]
    # Fused kernels are the faster ones on other devices, at any size.
    return call.query.device.type == "cpu" and batch * heads * queries * call.key.shape[2] <= _MOST_LOGITS


def _fused(
    query: Tensor, key: Tensor, value: Tensor, scale: float | None, mask: Tensor | None = None
) -> Tensor:
    return scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=scale)


def _logits(call: AttentionCall) -> Tensor:
    """``scale query key^T`` ``[batch, heads, queries, keys]``, never in half precision."""
    scale = call.query.shape[-1] ** -0.5 if call.scale is None else call.scale
    wide = torch.promote_types(call.query.dtype, torch.float32)
    # Autocast would take the product to half precision, where two large logits are no longer told apart.
    with torch.autocast(call.query.device.type, enabled=False):
        return (call.query.to(wide) * scale) @ call.key.to(wide).transpose(-1, -2)


def _weigh(logits: Tensor, value: Tensor) -> Tensor:
    return logits.softmax(dim=-1).to(value.dtype) @ value


def _rows(x: Tensor, rows: Tensor) -> Tensor:
    """Rows of ``[batch, heads, tokens, width]``; picked in the layout that models have them in memory."""
    return x.transpose(1, 2).index_select(0, rows).transpose(1, 2)
