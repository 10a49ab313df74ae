"""What the way head is asked for: how far each puppet has come, and when it is."""

from __future__ import annotations

import torch
from diffusers import UNet3DConditionModel
from hypothesis import given
from hypothesis import strategies as st

from rehearse.theatre.recipes import VIDEO_UNET
from rehearse.training.way_head import WayHead, ways

CELLS = 8


def clip_of(paths: dict[int, list[tuple[int, int] | None]]) -> torch.Tensor:
    """Part maps ``[1, F, CELLS, CELLS, 5]`` of puppets of one cell each, by class."""
    frames = len(next(iter(paths.values())))
    parts = torch.zeros(1, frames, CELLS, CELLS, 5, dtype=torch.int8)
    for kind, path in paths.items():
        for frame, cell in enumerate(path):
            if cell is not None:
                parts[0, frame, cell[1], cell[0], 0] = kind
    return parts


@given(st.lists(st.integers(0, CELLS - 1), min_size=2, max_size=6), st.integers(0, CELLS - 1))
def test_ways_are_measured_from_the_mean_place(columns: list[int], row: int) -> None:
    found = ways(clip_of({3: [(x, row) for x in columns]}))
    mean = sum(columns) / len(columns)
    for frame, x in enumerate(columns):
        assert torch.allclose(found[0, frame, 0, row, x], torch.tensor((x - mean) / CELLS), atol=1e-6)
        assert found[0, frame, 1].abs().max() < 1e-6
        found[0, frame, 0, row, x] = 0
    assert found.abs().max() == 0


def test_puppets_have_ways_of_their_own_and_absence_does_not_count() -> None:
    found = ways(clip_of({1: [(0, 0), (2, 0), None], 2: [(5, 5), (5, 5), (5, 2)]}))
    assert torch.allclose(found[0, 0, 0, 0, 0], torch.tensor(-1 / CELLS))
    assert torch.allclose(found[0, 1, 0, 0, 2], torch.tensor(1 / CELLS))
    assert torch.allclose(found[0, 2, 1, 2, 5], torch.tensor(-2 / CELLS))
    assert found[0, 2, :, 0, 0].abs().max() == 0


def test_the_head_reads_the_denoiser_and_teaches_it() -> None:
    torch.manual_seed(0)
    small = {**VIDEO_UNET, "block_out_channels": (32, 32, 64)}
    unet = UNet3DConditionModel(**small).train()
    head = WayHead(unet)
    parts = clip_of({3: [(1, 4), (6, 4)]}).repeat_interleave(2, 2).repeat_interleave(2, 3)
    unet(torch.randn(1, 8, 2, 16, 16), torch.tensor([500]), torch.randn(1, 5, 128))
    error = head.loss(parts)
    error.backward()
    gradient = unet.up_blocks[-2].resnets[0].conv1.weight.grad
    assert gradient is not None and gradient.abs().sum() > 0


@given(st.lists(st.integers(0, CELLS - 1), min_size=2, max_size=6))
def test_ways_may_be_measured_from_the_first_frame(columns: list[int]) -> None:
    found = ways(clip_of({3: [(x, 2) for x in columns]}), "first")
    for frame, x in enumerate(columns):
        assert torch.allclose(found[0, frame, 0, 2, x], torch.tensor((x - columns[0]) / CELLS), atol=1e-6)
    # Who is not there yet has no first place: its mean place stands for it.
    late = ways(clip_of({3: [None, (2, 2), (4, 2)]}), "first")
    assert torch.allclose(late[0, 1, 0, 2, 2], torch.tensor(-1 / CELLS))
