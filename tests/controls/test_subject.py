"""Who owns a token."""

from __future__ import annotations

import torch
from attention_reference import moving, still

from rehearse.controls import Subject, ownership
from rehearse.sites import Grid


def who(*boxes_and_depths):
    return tuple(
        Subject(f"s{index}", (index,), path, depth) for index, (path, depth) in enumerate(boxes_and_depths)
    )


def test_a_token_belongs_to_the_front_most_box():
    left, middle = still(0, 0, 0.5, 1), still(0.25, 0, 0.75, 1)
    grid = Grid(1, 1, 4)
    assert ownership(who((left, 0), (middle, 1)), grid).tolist() == [[[1, 1, 2, 0]]]
    assert ownership(who((left, 1), (middle, 0)), grid).tolist() == [[[1, 2, 2, 0]]]
    assert ownership(who((left, 0), (middle, 0)), grid).tolist() == [[[1, 2, 2, 0]]]


def test_a_thin_box_has_the_token_under_its_centre_and_a_box_outside_has_none():
    grid = Grid(1, 4, 4)
    owner = ownership(who((still(0.51, 0.76, 0.53, 0.78), 0), (still(1.1, 0, 1.5, 1), 0)), grid)
    assert owner.nonzero().tolist() == [[0, 3, 2]] and owner.max() == 1


def test_the_box_moves_with_the_frames():
    owner = ownership(who((moving((0, 0, 0.25, 1), (0.75, 0, 1.0, 1)), 0)), Grid(4, 1, 4))
    assert torch.equal(owner[:, 0], torch.eye(4, dtype=torch.int64))


def test_a_subject_may_own_only_the_cells_that_lie_in_its_box_whole():
    path = still(0.2, 0, 0.8, 1)
    rows = [ownership((Subject("s", (1,), path, inset=inset),), Grid(1, 1, 8))[0, 0] for inset in (0.0, 0.5)]
    assert rows[0].tolist() == [0, 0, 1, 1, 1, 1, 0, 0] and rows[1].tolist() == rows[0].tolist()
    rows = [ownership((Subject("s", (1,), path, inset=inset),), Grid(1, 1, 16))[0, 0] for inset in (0.0, 0.5)]
    assert [int(row.sum()) for row in rows] == [10, 8]


def test_nobody_owns_nothing():
    assert not ownership((), Grid(2, 3, 3)).any()
