"""Temporal intrinsic denoising: the canonical patch, the noise prior and the clean prior."""

from __future__ import annotations

import itertools

import pytest
import torch
from attention_reference import casts, moving, still
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearse.controls import CleanPrior, Moment, NoisePrior, Subject, ownership
from rehearse.controls.box_patch import box_patches
from rehearse.prediction import Prediction
from rehearse.sites import Grid

CPU = torch.device("cpu")
GRID = Grid(8, 12, 12)
RIGHT = (Subject("ball", (1,), moving((0.0, 0.25, 0.25, 0.5), (7 / 12, 0.25, 10 / 12, 0.5))),)


def noise(seed=0, grid=GRID, channels=4, clips=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(clips, channels, grid.frames, grid.height, grid.width, generator=generator)


def in_boxes(x, subjects=RIGHT):
    """The subject's cells of each frame, ``[frames, channels, cells]``, for a box that keeps its size."""
    owned = ownership(subjects, GRID) > 0
    return torch.stack([x[0, :, f][:, owned[f]] for f in range(GRID.frames)])


def correlation(x):
    """Mean correlation of neighbouring frames' boxes."""
    flat = x.flatten(1)
    return torch.stack(
        [torch.corrcoef(torch.stack([a, b]))[0, 1] for a, b in itertools.pairwise(flat)]
    ).mean()


def prediction(seed=0, alpha=0.6, sigma=0.8):
    x0, eps = noise(seed + 1), noise(seed)
    return Prediction(alpha * x0 + sigma * eps, x0, eps, alpha, sigma)


@settings(max_examples=60, deadline=None)
@given(subjects=casts())
def test_every_owned_cell_shows_a_patch_cell_and_back(subjects):
    owner = ownership(subjects, GRID)
    for index, patch in enumerate(box_patches(subjects, GRID, CPU)):
        owned = (owner == index + 1).flatten().nonzero()[:, 0]
        if patch is None:
            assert owned.numel() == 0
            continue
        assert torch.equal(patch.cells.sort().values, owned)
        assert int(patch.patch_cells.min()) >= 0 and int(patch.patch_cells.max()) < patch.height * patch.width
        seen = patch.seen > 0
        frames = torch.arange(GRID.frames)[:, None].expand_as(seen)
        assert torch.equal(patch.source[seen] // GRID.area, frames[seen])
        assert torch.isin(patch.source[seen], owned).all()
        # Reading the patch back where a cell shows it finds that cell, unless nearest sampling merged cells.
        back = torch.full((owner.numel(),), -1)
        back[patch.cells] = patch.patch_cells
        if patch.seen.sum() == owned.numel():
            cells = torch.arange(patch.height * patch.width).expand_as(patch.source)
            assert torch.equal(back[patch.source[seen]], cells[seen])


def test_a_box_that_keeps_its_size_moves_by_whole_cells():
    (patch,) = box_patches(RIGHT, GRID, CPU)
    assert (patch.height, patch.width) == (3, 3)
    for frame in range(GRID.frames):
        rows, columns = patch.source[frame] // 12 % 12, patch.source[frame] % 12
        assert torch.equal(rows.view(3, 3)[:, 0], torch.arange(3, 6))
        assert torch.equal(columns.view(3, 3)[0], torch.arange(frame, frame + 3))


def test_a_box_half_out_of_the_frame_keeps_its_alignment():
    subjects = (Subject("ball", (1,), moving((0.0, 0.0, 0.5, 0.5), (1.0, 0.0, 1.5, 0.5))),)
    (patch,) = box_patches(subjects, Grid(3, 4, 4), CPU)
    assert (patch.height, patch.width) == (2, 2)
    assert patch.seen.tolist() == [[1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0]]
    half_out = (Subject("ball", (1,), moving((0.25, 0.0, 0.75, 0.5), (0.75, 0.0, 1.25, 0.5))),)
    (patch,) = box_patches(half_out, Grid(3, 4, 4), CPU)
    assert patch.seen.tolist() == [[1, 1, 1, 1], [1, 1, 1, 1], [1, 0, 1, 0]]
    assert patch.source[2, 0] == 2 * 16 + 3


def test_a_growing_box_is_sampled_nearest():
    subjects = (Subject("ball", (1,), moving((0, 0, 0.5, 0.5), (0, 0, 1, 1))),)
    (patch,) = box_patches(subjects, Grid(2, 4, 4), CPU)
    assert (patch.height, patch.width) == (4, 4)
    small = patch.patch_cells[patch.cells < 16].view(2, 2)
    assert small.tolist() == [[5, 7], [13, 15]]
    assert patch.source[0].view(4, 4).tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [4, 4, 5, 5], [4, 4, 5, 5]]
    assert patch.seen.min() == 1


def test_starting_noise_is_shared_inside_the_moving_box():
    x = noise()
    prior = NoisePrior(RIGHT, steps=4, strength=0.8)
    shared = prior.prepare(x, torch.Generator())
    assert abs(correlation(in_boxes(x))) < 0.15
    assert 0.6 < correlation(in_boxes(shared)) < 0.9
    assert correlation(in_boxes(NoisePrior(RIGHT, 4, strength=1.0).prepare(x, torch.Generator()))) > 0.999


@settings(max_examples=40, deadline=None)
@given(subjects=casts(), strength=st.floats(0.0, 1.0), seed=st.integers(0, 9))
def test_noise_keeps_its_moments_and_the_clean_latents_stay(subjects, strength, seed):
    before = prediction(seed)
    after = NoisePrior(subjects, 4, strength).predict(before, Moment(1, 10, 0.0))
    for old, new in zip(
        torch.std_mean(before.noise, dim=(2, 3, 4)), torch.std_mean(after.noise, dim=(2, 3, 4)), strict=True
    ):
        torch.testing.assert_close(old, new, atol=1e-4, rtol=1e-4)
    assert torch.equal(after.x0, before.x0)
    torch.testing.assert_close(after.latents, after.alpha * after.x0 + after.sigma * after.noise)
    assert torch.isfinite(after.noise).all()


def test_the_power_inside_the_box_is_kept_whether_noise_was_fresh_or_shared():
    x = noise(channels=64)
    for g in (0.3, 0.7, 1.0):
        prior = NoisePrior(RIGHT, 4, strength=g)
        once = prior.prepare(x, torch.Generator())
        twice = prior.prepare(once, torch.Generator())
        for shared in (once, twice):
            assert in_boxes(shared).std() == pytest.approx(float(in_boxes(x).std()), abs=0.01)
    torch.testing.assert_close(in_boxes(twice), in_boxes(once), atol=0.02, rtol=0.02)


def test_a_share_g_of_the_noise_is_common():
    """Two frames' boxes correlate as sqrt(1 - g^2) n_i + g c do, with c the average of n such n_i over its
    root-mean-square: cov = g^2 + 2 g sqrt(1 - g^2) / sqrt(n), var = 1 + 2 g sqrt(1 - g^2) / sqrt(n)."""
    x = noise(channels=256)
    for g in (0.2, 0.5, 0.8):
        shared = NoisePrior(RIGHT, 4, strength=g).prepare(x, torch.Generator())
        cross = 2 * g * (1 - g * g) ** 0.5 / GRID.frames**0.5
        assert correlation(in_boxes(shared)) == pytest.approx((g * g + cross) / (1 + cross), abs=0.03)


def test_a_cell_seen_in_few_frames_gets_no_more_power_than_the_others():
    leaving = (Subject("ball", (1,), moving((0.5, 0.25, 0.9, 0.6), (0.9, 0.25, 1.3, 0.6))),)
    x = noise(channels=256)
    shared = NoisePrior(leaving, 4, strength=1.0).prepare(x, torch.Generator())
    (patch,) = box_patches(leaving, GRID, CPU)
    counts = patch.seen.sum(0)
    assert counts.min() < counts.max()
    power = shared.flatten(2)[0][:, patch.cells].square().mean(0)
    assert float(power.min()) > 0.7 and float(power.max()) < 1.4


def test_background_noise_only_feels_the_restored_moments():
    x = noise()
    shared = NoisePrior(RIGHT, 4, strength=0.8).prepare(x, torch.Generator())
    background = ownership(RIGHT, GRID) == 0
    for channel in range(x.shape[1]):
        old, new = x[0, channel][background], shared[0, channel][background]
        assert torch.corrcoef(torch.stack([old, new]))[0, 1] > 0.99999
        assert (old - new).abs().max() < 0.15


def test_priors_fade_out_over_their_steps():
    before = prediction()
    moved = [
        float(
            (
                NoisePrior(RIGHT, 4, strength=0.8).predict(before, Moment(k, 10, 0.0)).noise - before.noise
            ).norm()
        )
        for k in range(6)
    ]
    assert moved[0] > moved[1] > moved[2] > moved[3] > 0 == moved[4] == moved[5]
    pulled = [
        float((CleanPrior(RIGHT, 4, strength=0.5).predict(before, Moment(k, 10, 0.0)).x0 - before.x0).norm())
        for k in range(6)
    ]
    assert pulled[0] > pulled[1] > pulled[2] > pulled[3] > 0 == pulled[4] == pulled[5]
    assert NoisePrior(RIGHT, 4, strength=0.8).predict(before, Moment(4, 10, 0.0)) is before
    assert NoisePrior((), 4, strength=0.8).predict(before, Moment(0, 10, 0.0)).noise is before.noise
    assert CleanPrior((), 4, strength=0.5).predict(before, Moment(0, 10, 0.0)) is before


def test_clean_prior_pulls_coarse_content_together_and_leaves_the_rest():
    before = prediction()
    after = CleanPrior(RIGHT, 4, strength=1.0, smoothing=5.0).predict(before, Moment(0, 10, 0.0))
    old, new = in_boxes(before.x0), in_boxes(after.x0)
    # So smooth a filter only moves each box's mean: to the mean over frames.
    torch.testing.assert_close(
        new.mean(2), old.mean(2).mean(0, keepdim=True).expand(8, -1), atol=0.02, rtol=0
    )
    torch.testing.assert_close(
        new - new.mean(2, keepdim=True), old - old.mean(2, keepdim=True), atol=0.05, rtol=0
    )
    background = ownership(RIGHT, GRID) == 0
    assert torch.equal(after.x0[0][:, background], before.x0[0][:, background])
    assert torch.equal(after.latents, before.latents)
    torch.testing.assert_close(after.alpha * after.x0 + after.sigma * after.noise, before.latents)


@pytest.mark.parametrize("smoothing", [0.0, 1e-3])
def test_clean_prior_with_no_filter_reaches_the_mean(smoothing):
    before = prediction()
    after = CleanPrior(RIGHT, 4, strength=1.0, smoothing=smoothing).predict(before, Moment(0, 10, 0.0))
    old, new = in_boxes(before.x0), in_boxes(after.x0)
    torch.testing.assert_close(new, old.mean(0, keepdim=True).expand_as(old), atol=1e-5, rtol=1e-5)


def test_clean_prior_leaves_equal_frames_alone():
    (patch,) = box_patches(RIGHT, GRID, CPU)
    x0 = noise()
    x0.flatten(2)[:, :, patch.cells] = noise(5).flatten(2)[:, :, : patch.seen.shape[1]][
        :, :, patch.patch_cells
    ]
    before = Prediction(x0, x0, torch.zeros_like(x0), 1.0, 0.5)
    after = CleanPrior(RIGHT, 4, strength=1.0).predict(before, Moment(0, 10, 0.0))
    torch.testing.assert_close(after.x0, x0)


@settings(max_examples=40, deadline=None)
@given(subjects=casts(), smoothing=st.sampled_from([0.0, 0.15]))
def test_clean_prior_is_finite_for_any_boxes(subjects, smoothing):
    after = CleanPrior(subjects, 4, 1.0, smoothing).predict(prediction(), Moment(0, 10, 0.0))
    assert torch.isfinite(after.x0).all() and torch.isfinite(after.noise).all()
    assert after.x0.abs().max() < 20


@pytest.mark.parametrize("control", [NoisePrior, CleanPrior])
def test_bad_input_names_the_field(control):
    with pytest.raises(ValueError, match="prior steps: -1 is below 0"):
        control(RIGHT, steps=-1, strength=0.5)
    with pytest.raises(ValueError, match=r"prior strength: 2.0 is outside \[0, 1\]"):
        control(RIGHT, steps=1, strength=2.0)
    with pytest.raises(ValueError, match=r"smoothing: -0.1 is below 0"):
        CleanPrior(RIGHT, steps=1, smoothing=-0.1, strength=0.5)


def test_a_subject_that_is_never_seen_changes_nothing():
    away = (Subject("ball", (1,), still(2, 2, 3, 3)),)
    x = noise()
    assert torch.equal(NoisePrior(away, 4, strength=0.8).prepare(x, torch.Generator()), x)
    before = prediction()
    assert CleanPrior(away, 4, strength=0.5).predict(before, Moment(0, 10, 0.0)) is before
