"""How much the theatre's clips move, and what their model is shown of it."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
import torch

from rehearse.theatre.data import Clips
from rehearse.theatre.parts import NOTHING, SPEED
from rehearse.training.clip_batches import ClipBatch
from rehearse.training.magnitudes import Magnitudes, path_lengths, there_and_back

FRAMES, GRID = 8, 16


def clip(way: float = 0.0, growth: int = 0) -> torch.Tensor:
    """A square that goes ``way`` of the frame to the right, and grows by ``growth`` cells a side."""
    parts = torch.zeros(FRAMES, GRID, GRID, 5, dtype=torch.int8)
    for frame in range(FRAMES):
        at, side = round(way * GRID * frame / (FRAMES - 1)), 4 + round(growth * frame / (FRAMES - 1))
        parts[frame, 2 : 2 + side, at : at + side, 0] = 3
        parts[frame, 2 : 2 + side, at : at + side, 3] = round(way * SPEED)
    return parts


def test_ways_are_measured_in_frames() -> None:
    found = path_lengths(torch.stack([clip(), clip(0.25), clip(0.5), clip(growth=8)]))
    assert found[0] == 0
    assert found[1:3].tolist() == pytest.approx([0.25, 0.5], abs=0.02)
    assert 0.3 < found[3] < 0.7
    nobody = torch.full((1, FRAMES, GRID, GRID, 5), NOTHING, dtype=torch.int8)
    assert path_lengths(nobody).item() == 0


class Drawn:
    """Ten clips: nine that go farther and farther, and one that turns on the spot."""

    def __init__(self) -> None:
        self.parts = torch.stack([clip(0.06 * k) for k in range(1, 10)] + [clip()]).numpy()
        self.rows = [{"caption": "a red ball moves right"}] * 9 + [{"caption": "a red ball turns"}]

    def __len__(self) -> int:
        return len(self.rows)


@pytest.fixture()
def magnitudes() -> Magnitudes:
    return Magnitudes(cast(Clips, Drawn()))


def test_an_amount_is_the_share_of_clips_that_move_less(magnitudes: Magnitudes) -> None:
    rng = np.random.default_rng(0)
    amounts = [magnitudes.amount(k, 1.0, rng) for k in range(9)]
    assert amounts == sorted(amounts) and amounts[0] < 0.1 and amounts[-1] > 0.85
    assert magnitudes.amount(2, 2.0, rng) > magnitudes.amount(2, 1.0, rng)
    assert len({magnitudes.amount(9, 1.0, rng) for _ in range(5)}) == 5


def test_the_picture_s_frame_has_affinity_one_and_fast_clips_fall_faster(magnitudes: Magnitudes) -> None:
    clean = torch.randn(9, 2, FRAMES, 4, 4)
    parts = torch.from_numpy(Drawn().parts[:9])
    batch = ClipBatch(clean, torch.rand(9, FRAMES, 4, 4), parts, [""] * 9, np.arange(9))
    rng, seen = np.random.default_rng(0), 0
    slow: list[float] = []
    fast: list[float] = []
    for _ in range(40):
        shown, condition = magnitudes.shown(batch, rng)
        assert condition.shape == (9, 3, FRAMES, 4, 4)
        for k in range(9):
            if not condition[k].any():
                continue
            seen += 1
            near, pictures = condition[k, 0, :, 0, 0], condition[k, 1:]
            if k == 0:  # nothing moves less: its affinity is one everywhere, but where a loop is faster
                continue
            own = int(near.argmax())
            assert near[own] == 1 and torch.equal(pictures[:, own], shown.clean[k][:, own])
            loop = torch.equal(shown.clean[k][:, 0], shown.clean[k][:, -1])
            if loop:
                assert near.tolist() == near.flip(0).tolist()
            elif own == 0:
                assert near.tolist() == sorted(near.tolist(), reverse=True)
                (fast if k > 4 else slow).append(float(near[-1]))
    assert 0.72 < seen / 360 < 0.88
    assert np.mean(fast) < np.mean(slow) - 0.2


@pytest.mark.parametrize("frames", [1, 2, 7, 8, 16])
@pytest.mark.parametrize("fast", [False, True])
def test_a_loop_ends_on_its_first_frame(frames: int, fast: bool) -> None:
    order, faster = there_and_back(frames, fast=fast)
    assert len(order) == frames and order == order[::-1] and order[0] == 0 and max(order) < frames
    assert faster == (2 if fast else 1)
    if fast and frames > 2:
        assert max(order) == frames - 1


def test_a_loop_s_velocities_turn_round(magnitudes: Magnitudes) -> None:
    parts = torch.from_numpy(Drawn().parts[4:5])
    batch = ClipBatch(
        torch.randn(1, 2, FRAMES, 4, 4), torch.rand(1, FRAMES, 4, 4), parts, [""], np.array([4])
    )
    found = set()
    for seed in range(40):
        shown, _ = magnitudes.shown(batch, np.random.default_rng(seed))
        speed = shown.parts[0, ..., 3].float()
        out, back = speed[: FRAMES // 2].amax().item(), speed[FRAMES // 2 :].amin().item()
        found.add((out, back))
    own = float(parts[..., 3].max())
    assert found == {(own, 0.0), (own, -own), (2 * own, -2 * own)}
