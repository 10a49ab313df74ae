"""Soft edges of regions: inside them, never beyond."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rehearse.pictures.frame import cover_frame
from rehearse.shot.feather import feathered, lay_over, spread

masks = arrays(np.float32, (23, 31), elements=st.sampled_from([0.0, 0.0, 0.5, 1.0]), fill=st.just(0.0))
boxes = st.tuples(*(st.integers(0, 20) for _ in range(4))).map(
    lambda sides: (slice(sides[0], sides[0] + sides[1] + 1), slice(sides[2], sides[2] + sides[3] + 1))
)


@settings(max_examples=80, deadline=None)
@given(masks, boxes, st.floats(0, 15))
def test_a_feather_lies_inside_the_mask_and_loses_no_part_of_it(mask, box, width):
    mask = mask.copy()
    mask[box] = 1
    weight = feathered(mask, width)
    assert weight.dtype == np.float32
    assert (weight <= mask).all()
    assert ((weight > 0) == (mask > 0)).all()


def test_a_feather_rises_with_depth_and_not_at_the_frames_border():
    mask = np.zeros((40, 60), dtype=np.float32)
    mask[:, :30] = 1
    row = feathered(mask, 5)[20]
    assert np.allclose(row[25:31], [1, 0.8, 0.6, 0.4, 0.2, 0])
    assert (row[:25] == 1).all()
    assert (feathered(mask, 5) == row).all()  # the frame's border is no border of the region
    assert (feathered(mask, 1) == mask).all()


def test_a_region_thinner_than_the_feather_is_whole_in_its_middle():
    mask = np.zeros((40, 40), dtype=np.float32)
    mask[19:22, 5:35] = 1
    weight = feathered(mask, 10)
    assert np.allclose(weight[20, 10:30], 1)
    assert np.allclose(weight[19, 10:30], 0.5)


@settings(max_examples=30, deadline=None)
@given(masks, st.floats(0, 8))
def test_a_spread_mask_is_nowhere_below_the_mask(mask, width):
    soft = spread(mask, width)
    assert (soft >= mask).all()
    assert soft.max(initial=0) <= 1
    assert soft.any() == mask.any()


def test_laying_over_leaves_what_has_no_weight():
    rng = np.random.default_rng(0)
    below, above = rng.integers(0, 256, (2, 9, 9, 3), dtype=np.uint8)
    weight = np.zeros((9, 9), dtype=np.float32)
    weight[2, 3], weight[5, 5] = 1, 0.5
    result = lay_over(below, above, weight)
    assert (result[weight == 0] == below[weight == 0]).all()
    assert (result[2, 3] == above[2, 3]).all()
    assert np.abs(result[5, 5] - (below[5, 5].astype(float) + above[5, 5]) / 2).max() <= 0.5


def test_a_picture_covers_the_frame(caplog):
    from PIL import Image

    same = Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8))
    assert (cover_frame(same, 24, 16) == np.asarray(same)).all()
    assert not caplog.records
    halves = np.zeros((32, 96, 3), dtype=np.uint8)
    halves[:, 32:64] = 200
    covered = cover_frame(Image.fromarray(halves), 16, 16)
    assert covered.shape == (16, 16, 3)
    assert (covered[:, 3:-3] == 200).all()
    assert "67 % of it is cut off, at the left and right" in caplog.text
    assert cover_frame(Image.new("L", (8, 9), 7), 64, 32).shape == (32, 64, 3)
