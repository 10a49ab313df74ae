"""Metrics against values worked out by hand or by other libraries."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch

from rehearse.evaluation.kit.intervals import interval, resamples, wilson
from rehearse.evaluation.kit.motion import moves_as_prompted, pixel_change, subject_motion
from rehearse.evaluation.kit.quality import FRAMES, ClipFeatures, Population
from rehearse.evaluation.kit.trajectory_metrics import centre_distance, frame_iou, score_track

NAN = [math.nan] * 4


def test_iou_of_known_boxes():
    a = np.array([[0, 0, 0.5, 0.5], [0, 0, 0.5, 0.5], NAN])
    b = np.array([[0.25, 0, 0.75, 0.5], [0.5, 0.5, 1, 1], [0, 0, 1, 1]])
    assert frame_iou(a, b) == pytest.approx([1 / 3, 0, 0])


def test_a_track_with_misses():
    asked = np.array([[0, 0, 0.5, 0.5]] * 4)
    found = np.array([[0, 0, 0.5, 0.5], [0.25, 0, 0.75, 0.5], NAN, NAN])
    score = score_track(asked, found)
    assert score.found == 0.5 and not score.covered
    assert score.iou == pytest.approx((1 + 1 / 3) / 4)
    assert score.iou_found == pytest.approx((1 + 1 / 3) / 2)
    # Shared .25 + .125; joined .25 + .375 and the two missed boxes.
    assert score.volume_iou == pytest.approx(0.375 / (0.625 + 0.5))
    assert score.distance == pytest.approx(0.25 / math.sqrt(2) / 2)


def test_frames_without_a_box_do_not_count_and_an_empty_path_is_refused():
    asked = np.array([[0, 0, 0.5, 0.5], NAN])
    found = np.array([[0, 0, 0.5, 0.5], [0, 0, 1, 1]])
    assert score_track(asked, found).iou == 1
    with pytest.raises(ValueError, match="out of the frame"):
        score_track(asked[1:], found[1:])


def test_a_subject_never_found():
    score = score_track(np.array([[0, 0, 0.5, 0.5]] * 3), np.array([NAN] * 3))
    assert (score.found, score.covered, score.iou, score.volume_iou) == (0, False, 0, 0)
    assert math.isnan(score.iou_found) and math.isnan(score.distance)


def test_distance_is_in_frame_diagonals():
    corner, other = np.array([[-0.1, -0.1, 0.1, 0.1]]), np.array([[0.9, 0.9, 1.1, 1.1]])
    assert centre_distance(corner, other, aspect=16 / 9) == pytest.approx([1.0])
    sideways = np.array([[0.9, -0.1, 1.1, 0.1]])
    assert centre_distance(corner, sideways, aspect=3 / 4) == pytest.approx([3 / 5])


def boxes_along(xs, ys):
    return np.array([[x - 0.1, y - 0.1, x + 0.1, y + 0.1] for x, y in zip(xs, ys, strict=True)])


def test_direction_of_motion():
    right = boxes_along(np.linspace(0.2, 0.8, 9), [0.5] * 9)
    assert moves_as_prompted(right, "moves right") is True
    assert moves_as_prompted(right, "moves left") is False
    assert moves_as_prompted(right, "moves up") is False
    assert moves_as_prompted(right, "bounces") is None and moves_as_prompted(right, "stands still") is None
    up = boxes_along([0.5] * 9, np.linspace(0.8, 0.2, 9))
    assert moves_as_prompted(up, "moves up") is True and moves_as_prompted(up, "moves down") is False
    arc = boxes_along(np.linspace(0.8, 0.2, 9), 0.7 - 0.4 * np.sin(np.linspace(0, np.pi, 9)))
    assert moves_as_prompted(arc, "arcs left") is True
    trembling = boxes_along(0.5 + np.linspace(0, 0.05, 9), [0.5] * 9)
    assert moves_as_prompted(trembling, "moves right") is False
    assert moves_as_prompted(np.array([NAN] * 9), "moves right") is False


def test_motion_and_change():
    boxes = boxes_along([0.1, 0.2, 0.3], [0.5] * 3)
    assert subject_motion(boxes) == pytest.approx(0.1 / math.sqrt(2))
    gap = boxes.copy()
    gap[1] = np.nan
    assert math.isnan(subject_motion(gap))
    frames = np.zeros((3, 2, 2, 3), np.uint8)
    frames[1:] = 51
    assert pixel_change(frames) == pytest.approx(0.1)
    assert pixel_change(frames[:1]) == 0


def test_clip_features_hold_look_and_change():
    frames = np.array([[0.0, 1.0], [1.0, 1.0], [0.0, 1.0]])
    own = ClipFeatures.of(frames)
    assert own.change.tolist() == [pytest.approx([1 / 3, 1, 1, 0])]
    assert own.look.shape == (1, FRAMES, 2)
    assert own.look[0, 0].tolist() == [0, 1] and own.look[0, -1].tolist() == [0, 1]
    assert {tuple(row) for row in own.look[0].tolist()} == {(0, 1), (1, 1)}
    still = ClipFeatures.of(frames[:1])
    assert still.change.tolist() == [[0, 1, 0, 0]] and still.look.shape == (1, FRAMES, 2)


class Passing(torch.nn.Module):
    """A feature network for torchmetrics that hands features through."""

    num_features = 6

    def forward(self, x):
        return x.float()


def test_fid_and_kid_agree_with_torchmetrics():
    from torchmetrics.image.fid import FrechetInceptionDistance
    from torchmetrics.image.kid import KernelInceptionDistance

    rng = np.random.default_rng(0)
    real = Population(rng.normal(size=(40, 1, 6)).astype(np.float32))
    fake = (0.3 + 1.4 * rng.normal(size=(40, 1, 6))).astype(np.float32)
    x, y = (torch.from_numpy(real.scaled(part)) for part in (fake, real.samples))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fid = FrechetInceptionDistance(feature=Passing()).set_dtype(torch.float64)
        kid = KernelInceptionDistance(feature=Passing(), subsets=1, subset_size=40)
    for metric in (fid, kid):
        metric.update(y, real=True)
        metric.update(x, real=False)
    assert real.fid(fake) == pytest.approx(float(fid.compute()), rel=1e-4)
    assert real.compare(fake).kid(np.ones((1, 40)))[0] == pytest.approx(float(kid.compute()[0]), rel=1e-4)


def test_kid_pairs_clips_and_never_frames_of_one_clip():
    """With several samples a clip it is the mean over all pairs of samples from different clips."""
    rng = np.random.default_rng(5)
    real = Population(rng.normal(size=(5, 2, 3)).astype(np.float32))
    fake = rng.normal(size=(4, 2, 3)).astype(np.float32)
    x, y = (real.scaled(part).reshape(-1, 2, 3) for part in (fake, real.samples))

    def mean_pairs(a, b, skip_same):
        values = [
            (float(p @ q) / 3 + 1) ** 3
            for i, one in enumerate(a) for j, other in enumerate(b) if not (skip_same and i == j)
            for p in one for q in other
        ]  # fmt: skip
        return np.mean(values)

    expected = mean_pairs(x, x, True) + mean_pairs(y, y, True) - 2 * mean_pairs(x, y, False)
    assert real.compare(fake).kid(np.ones((1, 4)))[0] == pytest.approx(expected)


def clips_at(rng, shift, count):
    return (shift + rng.normal(size=(count, 1, 8))).astype(np.float32)


def test_kid_is_about_zero_for_the_same_world_and_grows_with_distance():
    rng = np.random.default_rng(1)
    real = Population(clips_at(rng, 0.0, 300))
    same, near, far = (
        real.compare(clips_at(rng, shift, 100)).kid(np.ones((1, 100)))[0] for shift in (0.0, 0.5, 1.5)
    )
    assert abs(same) < 0.05 < near < far


def test_kid_of_resampled_clips_is_not_biased_by_doubles():
    rng = np.random.default_rng(2)
    clips = Population(clips_at(rng, 0.0, 200)).compare(clips_at(rng, 0.4, 60))
    draws = resamples(60, 2000, seed=0)
    values = clips.kid(draws)
    assert values[1:].mean() == pytest.approx(values[0], abs=0.1 * values[1:].std())
    assert math.isnan(clips.kid(np.eye(60)[:1])[0])


def test_bootstrap_intervals_cover():
    """Nominal 95 % intervals of a mean and of a paired difference hold the truth about that often."""
    rng = np.random.default_rng(3)
    mean_hits = paired_hits = 0
    widths = []
    for trial in range(200):
        base = rng.normal(0.5, 0.3, 80)
        other = base + 0.02 + rng.normal(0, 0.02, 80)
        draws = resamples(80, 400, seed=trial)
        sums = draws.sum(axis=1)
        mean = interval(draws @ base / sums)
        paired = interval(draws @ other / sums - draws @ base / sums)
        mean_hits += mean.low <= 0.5 <= mean.high
        paired_hits += paired.low <= 0.02 <= paired.high
        widths.append((mean.high - mean.low) / (paired.high - paired.low))
    assert 0.90 <= mean_hits / 200 <= 0.99
    assert 0.90 <= paired_hits / 200 <= 0.99
    assert np.median(widths) > 8  # pairing is what makes small differences visible


def test_wilson():
    # Values of the closed form for 9 of 10 and its limits.
    some = wilson(9, 10)
    assert (some.low, some.high) == pytest.approx((0.5958, 0.9821), abs=1e-3)
    assert wilson(0, 5).low == 0 and wilson(5, 5).high == 1 and wilson(5, 5).low < 0.6
    assert math.isnan(wilson(0, 0).value)
