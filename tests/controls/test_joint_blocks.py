"""The blocks of a joint site's matrix: video to video within and across frames, and video to text."""

from __future__ import annotations

from itertools import chain, combinations

import pytest
import torch
from attention_reference import NOW, allowed, casts, dense, make_call
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearse.controls import AttentionMask, Subject
from rehearse.sites import Grid, SiteKind

GRID, TOKENS = Grid(3, 4, 5), 9
KINDS: tuple[SiteKind, ...] = ("cross", "spatial", "temporal")
CHOICES = [frozenset(chosen) for chosen in chain.from_iterable(combinations(KINDS, n) for n in range(4))]


@pytest.mark.parametrize("blocks", CHOICES, ids=lambda blocks: "+".join(sorted(blocks)) or "none")
@settings(max_examples=15, deadline=None)
@given(subjects=casts(), seed=st.integers(0, 99))
def test_the_rule_holds_in_the_chosen_blocks_alone(
    blocks: frozenset[SiteKind], subjects: tuple[Subject, ...], seed: int
) -> None:
    call = make_call("joint", GRID, tokens=TOKENS, text=slice(0, TOKENS), seed=seed)
    sees = allowed(call, subjects)
    frame = torch.arange(GRID.frames).repeat_interleave(GRID.area)
    same = frame[:, None] == frame
    video = sees[:, TOKENS:, TOKENS:]
    video |= same & ("spatial" not in blocks)
    video |= ~same & ("temporal" not in blocks)
    sees[:, TOKENS:, :TOKENS] |= "cross" not in blocks
    control = AttentionMask(
        subjects, 2, sites=frozenset({"joint"}), joint_blocks=blocks, parts=frozenset({"up"})
    )
    output = control.attend(call, NOW)
    if sees.all():
        assert output is None
    else:
        assert output is not None
        torch.testing.assert_close(output, dense(call, sees))
