"""Blocks: what is read from words, and that a step always draws the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearse.training.own.blocks import BlockChoice
from rehearse.training.own.errors import TrainingError


def test_the_papers_numbers_at_the_papers_depth() -> None:
    choice = BlockChoice.read("measured", 42)
    assert (choice.count, choice.draw) == (19, 7)
    # As many at a step, but any of all.
    blind = BlockChoice.read("random", 42)
    assert (blind.count, blind.draw) == (42, 7)
    assert len({block for step in range(200) for block in blind.at(step, 0, blind.candidates(42, 0))}) == 42
    assert BlockChoice.read("random:7", 42).draw == 7


def test_measured_takes_the_best() -> None:
    scores = [0.1, 5.0, 0.2, 3.0, 4.0, 0.3]
    choice = BlockChoice.read("measured:3", 6, draw=2)
    assert choice.candidates(6, 0, scores) == (1, 3, 4)
    assert {len(choice.at(step, 0, (1, 3, 4))) for step in range(5)} == {2}


def test_lists_and_every_third() -> None:
    assert BlockChoice.read("5-7, 11", 42).given == (5, 6, 7, 11)
    assert BlockChoice.read("every-third", 7).candidates(7, 0) == (0, 3, 6)


@pytest.mark.parametrize(
    "text", ["", "5-3", "42", "measured:0", "measured:x", "random:43", "some", "every-third:2"]
)
def test_bad_words_are_told(text: str) -> None:
    with pytest.raises(TrainingError, match="--blocks is"):
        BlockChoice.read(text, 42)


@given(st.integers(1, 50), st.integers(0, 2**31), st.integers(0, 10**6), st.data())
def test_a_draw_depends_on_seed_and_step_alone(
    blocks: int, seed: int, step: int, data: st.DataObject
) -> None:
    count = data.draw(st.integers(1, blocks))
    choice = BlockChoice.read(f"random:{count}", blocks, draw=data.draw(st.integers(0, count)))
    candidates = choice.candidates(blocks, seed)
    drawn = choice.at(step, seed, candidates)
    assert drawn == choice.at(step, seed, candidates)
    assert drawn <= set(candidates)
    assert len(drawn) == (choice.draw or count)
    if choice.draw and count > choice.draw:
        assert len({choice.at(s, seed, candidates) for s in range(step, step + 60)}) > 1
