"""Attention modulation against its formula, and where it acts."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest
import torch
from attention_reference import NOW, make_call
from torch import Tensor

from rehearse.controls import Mark, Moment, TargetAttention
from rehearse.sites import AttentionCall, Grid, Site

GRID, TOKENS = Grid(3, 4, 6), 9
BALL = Mark((2, 3), torch.zeros(8, 12))
BALL.mask[2:4, 4:6] = 1  # the cell in row 1, column 2
BALL.mask[2, 6:8] = 1  # half of the one beside it
CUP = Mark((6,), torch.zeros(8, 12))
CUP.mask[6, 0] = 1  # a quarter of a cell


def joint(branches: int = 2, clips: int = 1, scale: float | None = None) -> AttentionCall:
    call = make_call("joint", GRID, tokens=TOKENS, text=slice(0, TOKENS), branches=branches, clips=clips)
    return replace(call, scale=scale)


def expected(call: AttentionCall, marks: tuple[Mark, ...], strength: float, frames: int) -> Tensor:
    """The formula, entry by entry."""
    scale = call.query.shape[-1] ** -0.5 if call.scale is None else call.scale
    logits = call.query @ call.key.transpose(-1, -2) * scale
    signs = torch.full((len(marks), 4, 6), -1.0)
    for index, mark in enumerate(marks):
        if mark is BALL:
            signs[index, 1, 2], signs[index, 1, 3] = 1.0, 0.0
        else:
            signs[index, 3, 0] = 1.0
    for row in range(logits.shape[0] - call.clips, logits.shape[0]):
        for index, mark in enumerate(marks):
            for frame in range(frames):
                for cell in range(GRID.area):
                    query = TOKENS + frame * GRID.area + cell
                    bias = strength * signs[index].flatten()[cell]
                    logits[row, :, query, list(mark.tokens)] += bias
    return call.project(logits.softmax(dim=-1) @ call.value)


@pytest.mark.parametrize(("frames", "count"), [("all", 3), ("first", 1)])
@pytest.mark.parametrize("marks", [(BALL,), (BALL, CUP)], ids=["one", "two"])
@pytest.mark.parametrize(("branches", "clips"), [(2, 1), (2, 2), (1, 1)])
def test_it_is_the_formula(
    frames: Literal["all", "first"], count: int, marks: tuple[Mark, ...], branches: int, clips: int
) -> None:
    call = joint(branches, clips)
    output = TargetAttention(marks, 1.5, 5, frames).attend(call, NOW)
    assert output is not None
    torch.testing.assert_close(output, expected(call, marks, 1.5, count), atol=1e-6, rtol=1e-5)
    # The unconditional branch and the prompt's own tokens stay as they are.
    plain = call.plain()
    if branches == 2:
        torch.testing.assert_close(output[:clips], plain[:clips])
    torch.testing.assert_close(output[:, :TOKENS], plain[:, :TOKENS])


def test_a_scale_of_the_site_s_own() -> None:
    call = joint(scale=0.7)
    output = TargetAttention((BALL,), 2.0, 5).attend(call, NOW)
    assert output is not None
    torch.testing.assert_close(output, expected(call, (BALL,), 2.0, 3), atol=1e-6, rtol=1e-5)


def test_the_share_of_the_words_rises_inside_and_falls_outside() -> None:
    call = joint(branches=1)
    # With values that are 1 at the phrase's words alone, attention gives their share of the softmax.
    value = torch.zeros_like(call.value)
    value[:, :, list(BALL.tokens)] = 1.0
    call = replace(call, value=value, project=lambda x: x[..., :1].mean(dim=1))
    before = call.plain()[0, TOKENS:, 0].view(3, 24)
    output = TargetAttention((BALL,), 1.0, 5).attend(call, NOW)
    assert output is not None
    after = output[0, TOKENS:, 0].view(3, 24)
    inside = torch.zeros(24, dtype=torch.bool)
    inside[1 * 6 + 2] = True
    half = 1 * 6 + 3
    assert (after[:, inside] > before[:, inside]).all()
    torch.testing.assert_close(after[:, half], before[:, half], atol=1e-6, rtol=1e-5)
    outside = ~inside
    outside[half] = False
    assert (after[:, outside] < before[:, outside]).all()


def test_where_it_acts() -> None:
    control = TargetAttention((BALL,), 1.0, 3)
    site, cross = Site("a", "joint", "body", 2), Site("b", "cross", "up", 2)
    assert control.wants(site, Moment(2, 10, 500)) and not control.wants(site, Moment(3, 10, 400))
    assert not control.wants(cross, NOW) and not TargetAttention((BALL,), 0.0, 3).wants(site, NOW)
    assert not TargetAttention((), 1.0, 3).wants(site, NOW)
    assert control.attend(joint(), Moment(3, 10, 400)) is None


@pytest.mark.parametrize(("strength", "steps", "said"), [(-1.0, 2, "strength: -1.0"), (1.0, -2, "steps: -2")])
def test_bad_settings_are_refused(strength: float, steps: int, said: str) -> None:
    with pytest.raises(ValueError, match=f"target attention {said} is below 0; use 0 for none"):
        TargetAttention((BALL,), strength, steps)
