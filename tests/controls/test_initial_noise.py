"""FreeTraj's starting noise."""

from __future__ import annotations

import math

import pytest
import torch
from attention_reference import moving, still

from rehearse.controls import Subject, TrajectoryNoise
from rehearse.controls.initial_noise import low_pass
from rehearse.sites import Grid

GRID = Grid(16, 16, 16)
PATH = (Subject("ball", (1,), moving((0.0, 0.25, 0.375, 0.625), (0.625, 0.25, 1.0, 0.625))),)


def fresh(channels=8, seed=0):
    return torch.randn(1, channels, 16, 16, 16, generator=torch.Generator().manual_seed(seed))


def test_unit_variance_and_a_seed_that_holds():
    control = TrajectoryNoise(PATH)
    x = fresh()
    first = control.prepare(x, torch.Generator().manual_seed(4))
    again = control.prepare(x, torch.Generator().manual_seed(4))
    other = control.prepare(x, torch.Generator().manual_seed(5))
    assert torch.equal(first, again) and not torch.equal(first, other)
    torch.testing.assert_close(first.std(dim=(2, 3, 4)), torch.ones(1, 8))
    assert first.mean().abs() < 0.05
    assert torch.equal(x, fresh())


def test_low_frequencies_come_from_the_pasted_noise_and_high_ones_do_not():
    keep = low_pass(GRID, 0.25, 0.1, 4)
    x = fresh(channels=64)
    z = TrajectoryNoise(()).prepare(x, torch.Generator())
    assert z is x
    tiny = (Subject("ball", (1,), still(0.5, 0.5, 0.51, 0.51)),)
    z = TrajectoryNoise(tiny).prepare(x, torch.Generator().manual_seed(1))
    spectrum, original = (torch.fft.rfftn(y, dim=(2, 3, 4)) for y in (z, x))

    def likeness(where):
        a, b = spectrum[..., where], original[..., where]
        return float((a * b.conj()).sum().real / (a.abs().square().sum() * b.abs().square().sum()).sqrt())

    assert likeness(keep > 0.95) > 0.9
    assert abs(likeness(keep < 0.05)) < 0.1


def test_boxes_of_all_frames_share_their_coarse_noise():
    """Averaged over each box, frames agree inside the trajectory more than along any other path."""
    z = TrajectoryNoise(PATH, temporal=1.0, spatial=1.0).prepare(
        fresh(channels=64), torch.Generator().manual_seed(2)
    )
    first, last = z[0, :, 0, 4:10, 0:6].flatten(), z[0, :, -1, 4:10, 10:16].flatten()
    elsewhere = z[0, :, -1, 4:10, 0:6].flatten()
    assert torch.corrcoef(torch.stack([first, last]))[0, 1] > 0.5
    assert torch.corrcoef(torch.stack([first, elsewhere]))[0, 1].abs() < 0.1


def test_the_filter_is_butterworth_of_order_four():
    keep = low_pass(GRID, 0.25, 0.1, 4)
    assert keep.shape == (16, 16, 9)
    assert keep[0, 0, 0] == 1.0
    # Frequencies are fractions of the highest one: index k of 16 is 2k/16.
    assert float(keep[0, 0, 2]) == pytest.approx(0.5)
    assert float(keep[0, 3, 1]) == pytest.approx(1 / (1 + ((0.375**2 + 0.125**2) / 0.25**2) ** 4))
    assert float(keep[1, 0, 0]) == pytest.approx(1 / (1 + (0.125 / 0.1) ** 8))
    assert float(keep[-1, 0, 0]) == pytest.approx(float(keep[1, 0, 0]))
    assert math.isclose(float(keep[8, 8, 8]), 0.0, abs_tol=1e-6)


def test_odd_and_single_frame_sizes():
    for shape in ((1, 2, 1, 7, 5), (2, 2, 5, 3, 9)):
        x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        z = TrajectoryNoise(PATH).prepare(x, torch.Generator().manual_seed(1))
        assert z.shape == x.shape and torch.isfinite(z).all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"spatial": 0.0}, "spatial: 0.0 must be above 0"),
        ({"temporal": -1.0}, "temporal: -1.0 must be above 0"),
        ({"order": 0}, "order: 0 is below 1"),
    ],
)
def test_bad_input_names_the_field(settings, words):
    with pytest.raises(ValueError, match=words):
        TrajectoryNoise(PATH, **settings)
