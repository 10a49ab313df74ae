"""The column equals the full map's, in value and gradient, with and without gradient checkpointing."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from toy_cogvideox import toy_transformer

from rehearse.training.own.attention_column import Watch, WatchedTransformer, text_to_video, video_to_text

TEXT, FIRST = 12, 4


def _inputs(transformer: Any, batch: int = 2) -> tuple[Tensor, Tensor, Tensor, Any]:
    torch.manual_seed(1)
    config = transformer.config
    frames = 6 if config.patch_size_t else 5
    latents = torch.randn(batch, frames, config.in_channels, 4, 4)
    steps = frames // (config.patch_size_t or 1)
    angles = torch.randn(steps * FIRST, config.attention_head_dim // 2).repeat_interleave(2, dim=1)
    return latents, torch.tensor([300] * batch), torch.randn(batch, TEXT, 16), (angles.cos(), angles.sin())


def _words(batch: int = 2) -> Tensor:
    words = torch.zeros(batch, 1, TEXT)
    words[0, 0, 4] = 1
    words[1:, 0, 2:4] = 1  # a word of two tokens
    return words


def _naive(query: Tensor, key: Tensor) -> Tensor:
    return (query.double() @ key.double().transpose(-1, -2) * query.shape[-1] ** -0.5).softmax(-1)


@pytest.mark.parametrize("reach", ["joint", "text"])
def test_the_column_is_the_full_maps(reach: Any) -> None:
    torch.manual_seed(0)
    query, key = (torch.randn(2, 3, TEXT + 20, 16) * 2 for _ in range(2))
    columns = video_to_text(query[:, :, TEXT : TEXT + FIRST], key, _words(), reach)
    full = _naive(query, key[:, :, :TEXT] if reach == "text" else key)[:, :, TEXT : TEXT + FIRST, :TEXT]
    expected = torch.einsum("bhqt,brt->brq", full, _words().double()) / 3
    torch.testing.assert_close(columns.double(), expected, atol=1e-6, rtol=1e-5)


def test_the_row_is_the_full_maps() -> None:
    torch.manual_seed(0)
    query, key = (torch.randn(2, 3, TEXT + 20, 16) * 2 for _ in range(2))
    rows = text_to_video(query, key, _words(), FIRST)
    full = _naive(query, key)[:, :, :TEXT, TEXT : TEXT + FIRST].mean(1)
    expected = torch.stack([full[0, 4], full[1, 2:4].mean(0)])[:, None]
    torch.testing.assert_close(rows.double(), expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("direction", ["v2t", "t2v"])
def test_gradients_are_those_of_the_full_map(direction: Any) -> None:
    torch.manual_seed(0)
    query, key = (torch.randn(2, 3, TEXT + 20, 16, dtype=torch.float64, requires_grad=True) for _ in range(2))
    weight = torch.randn(2, 1, FIRST, dtype=torch.float64)
    words = _words().double()
    if direction == "v2t":
        found = video_to_text(query[:, :, TEXT : TEXT + FIRST], key, words)
        full = _naive(query, key)[:, :, TEXT : TEXT + FIRST, :TEXT]
        expected = torch.einsum("bhqt,brt->brq", full, words) / 3
    else:
        found = text_to_video(query, key, words, FIRST)
        share = words / words.sum(-1, keepdim=True)
        full = _naive(query, key)[:, :, :TEXT, TEXT : TEXT + FIRST]
        expected = torch.einsum("bhtq,brt->brq", full, share) / 3
    ours = torch.autograd.grad((found * weight).sum(), (query, key), retain_graph=True)
    theirs = torch.autograd.grad((expected * weight).sum(), (query, key))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("patch_size_t", [None, 2])
def test_without_a_watch_it_is_the_stock_transformer(patch_size_t: int | None) -> None:
    transformer = toy_transformer(patch_size_t=patch_size_t, ofs_embed_dim=8 if patch_size_t else None)
    latents, timestep, text, rotary = _inputs(transformer)
    ofs = torch.full((1,), 2.0) if patch_size_t else None
    stock = transformer(latents, text, timestep, ofs=ofs, image_rotary_emb=rotary, return_dict=False)[0]
    watched = WatchedTransformer(transformer)
    plain, none = watched(latents, timestep, text, rotary, ofs)
    assert none is None
    torch.testing.assert_close(plain, stock, atol=1e-6, rtol=1e-5)
    watch = Watch(_words(), frozenset({0, 2}), FIRST)
    seen, columns = watched(latents, timestep, text, rotary, ofs, watch)
    assert torch.equal(seen, plain)
    assert columns.shape == (2, 2, 1, FIRST)


@pytest.mark.parametrize("direction", ["v2t", "t2v"])
def test_checkpointing_changes_no_gradient(direction: Any) -> None:
    grads: list[dict[str, Tensor]] = []
    found: list[Tensor] = []
    for checkpointing in (False, True):
        watched = WatchedTransformer(toy_transformer())
        latents, timestep, text, rotary = _inputs(watched.transformer)
        if checkpointing:
            watched.checkpoint_gradients()
        watch = Watch(_words(), frozenset({1, 2}), FIRST, direction)
        output, columns = watched(latents, timestep, text, rotary, watch=watch)
        (output.square().mean() + 10 * (columns - 0.5).square().mean()).backward()
        found.append(columns.detach())
        grads.append({n: p.grad.clone() for n, p in watched.named_parameters() if p.grad is not None})
    assert torch.equal(*found)
    assert grads[0].keys() == grads[1].keys()
    for name, grad in grads[0].items():
        torch.testing.assert_close(grads[1][name], grad, atol=1e-7, rtol=1e-5, msg=name)


def test_the_column_alone_reaches_the_query_projection() -> None:
    watched = WatchedTransformer(toy_transformer())
    watched.checkpoint_gradients()
    latents, timestep, text, rotary = _inputs(watched.transformer)
    _, columns = watched(latents, timestep, text, rotary, watch=Watch(_words(), frozenset({1}), FIRST))
    columns.square().mean().backward()
    blocks = watched.transformer.transformer_blocks
    assert blocks[1].attn1.to_q.weight.grad.abs().max() > 0
    assert blocks[2].attn1.to_q.weight.grad is None
