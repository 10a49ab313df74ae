"""Boxes, paths, strokes and masks: what they are at any time, length and grid."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from shot_strategies import box_paths, boxes, fractions, point_paths, strokes

from rehearse.shot import EASINGS, Box, BoxPath, Mask, PointPath, ShotError, Stroke, paint, pool
from rehearse.shot.easing import ease

LEFT, RIGHT = Box(0.1, 0.4, 0.3, 0.6), Box(0.7, 0.4, 0.9, 0.6)
frames = st.integers(1, 60)
sizes = st.integers(1, 40)


def test_box_measures() -> None:
    assert LEFT.width == pytest.approx(0.2)
    assert LEFT.height == pytest.approx(0.2)
    assert LEFT.centre == pytest.approx((0.2, 0.5))
    assert LEFT.in_frame
    moved = LEFT.moved(0.8, 0)
    assert not moved.in_frame
    assert moved.clipped() == Box(moved.x0, 0.4, 1, 0.6)
    assert LEFT.moved(2, 0).clipped() is None
    assert LEFT.contains(0.1, 0.5)
    assert not LEFT.contains(0.4, 0.5)


def test_a_path_moves_between_its_keyframes() -> None:
    path = BoxPath([(0.2, LEFT), (0.8, RIGHT)])
    assert path.at(0) == path.at(0.2) == LEFT
    assert path.at(1) == path.at(0.8) == RIGHT
    np.testing.assert_allclose(path.at(0.5).model_dump(), [0.4, 0.4, 0.6, 0.6])
    assert BoxPath([(0.5, LEFT)]).at(1) == LEFT
    np.testing.assert_array_equal(BoxPath([(0.5, LEFT)]).resample(3), [LEFT.model_dump()] * 3)


def test_easings() -> None:
    half = {"linear": 0.5, "ease-in": 0.25, "ease-out": 0.75, "ease-in-out": 0.5, "hold": 0.0}
    for easing in EASINGS:
        assert ease(easing, np.array([0.0, 0.5, 1.0])).tolist() == [0, half[easing], 1]
    held = BoxPath([(0, LEFT, "hold"), (0.5, RIGHT), (1, LEFT)])
    assert held.at(0.49) == LEFT
    assert held.at(0.5) == RIGHT
    assert held.at(0.75).x0 == pytest.approx(0.4)


@settings(max_examples=100, deadline=None)
@given(box_paths())
def test_a_path_passes_through_its_keyframes(path: BoxPath) -> None:
    for keyframe in path.keyframes:
        assert path.at(keyframe.time) == keyframe.box


@settings(max_examples=100, deadline=None)
@given(box_paths(), fractions)
def test_a_path_stays_in_the_hull_of_its_neighbours(path: BoxPath, time: float) -> None:
    before = [k.box for k in path.keyframes if k.time <= time][-1:] or [path.keyframes[0].box]
    after = [k.box for k in path.keyframes if k.time >= time][:1] or [path.keyframes[-1].box]
    ends = np.array([box.model_dump() for box in before + after])
    now = np.array(path.at(time).model_dump())
    assert (ends.min(axis=0) <= now).all()
    assert (now <= ends.max(axis=0)).all()


@settings(max_examples=100, deadline=None)
@given(box_paths(), frames)
def test_resampling_gives_each_frame_the_box_of_its_time(path: BoxPath, count: int) -> None:
    boxes_ = path.resample(count)
    assert boxes_.shape == (count, 4)
    assert np.isfinite(boxes_).all()
    for frame, time in enumerate(np.linspace(0, 1, count).tolist()):
        np.testing.assert_array_equal(boxes_[frame], path.at(time).model_dump())


@settings(max_examples=150, deadline=None)
@given(boxes(-1, 2), sizes, sizes)
def test_a_box_is_never_lost_while_its_centre_is_in_the_frame(box: Box, height: int, width: int) -> None:
    grid = BoxPath([(0, box)], leaves_frame=True).to_grid(2, height, width)
    assert grid.shape == (2, height, width)
    assert grid.dtype == np.bool_
    x, y = box.centre
    if 0 <= x <= 1 and 0 <= y <= 1:
        assert grid.any()
        if box.width < 1 / width and box.height < 1 / height:
            assert grid[0].sum() == 1
            row, column = np.argwhere(grid[0])[0]
            assert abs((column + 0.5) / width - x) <= 1 / width
            assert abs((row + 0.5) / height - y) <= 1 / height
    if box.clipped() is None:
        assert not grid.any()


@settings(max_examples=150, deadline=None)
@given(boxes(), boxes(), sizes, sizes)
def test_a_larger_box_covers_no_less(a: Box, b: Box, height: int, width: int) -> None:
    # Of a box thinner than a cell only the cell under its middle is kept, which a larger box may not reach.
    if min(a.width * width, a.height * height) < 1.001:
        return
    outer = Box(min(a.x0, b.x0), min(a.y0, b.y0), max(a.x1, b.x1), max(a.y1, b.y1))
    inner_grid = BoxPath([(0, a)]).to_grid(1, height, width)
    outer_grid = BoxPath([(0, outer)]).to_grid(1, height, width)
    assert (inner_grid <= outer_grid).all()


def test_grids_by_nearest_sampling() -> None:
    full = BoxPath([(0, Box(0, 0, 1, 1))]).to_grid(1, 3, 5)
    assert full.all()
    halves = [BoxPath([(0, box)]).to_grid(1, 4, 4)[0] for box in (Box(0, 0, 0.5, 1), Box(0.5, 0, 1, 1))]
    assert (halves[0] ^ halves[1]).all()
    thin = BoxPath([(0, Box(0.1, 0.49, 0.9, 0.495))]).to_grid(1, 8, 8)[0]
    assert thin.sum(axis=1).tolist() == [0, 0, 0, 6, 0, 0, 0, 0]
    leaving = BoxPath([(0, LEFT), (1, Box(1.1, 0.4, 1.3, 0.6))], leaves_frame=True).to_grid(3, 8, 8)
    assert leaving.any(axis=(1, 2)).tolist() == [True, True, False]


@settings(max_examples=150, deadline=None)
@given(boxes(-1, 2), sizes, sizes, st.floats(0, 4))
def test_a_box_that_is_drawn_in_covers_no_more_and_is_not_lost(
    box: Box, height: int, width: int, inset: float
) -> None:
    path = BoxPath([(0, box)], leaves_frame=True)
    drawn_in, whole = path.to_grid(1, height, width, inset), path.to_grid(1, height, width)
    x, y = box.centre
    if 0 <= x <= 1 and 0 <= y <= 1:
        assert drawn_in.any()
        thin = min(box.width * width, box.height * height) < 1.001
        assert thin or (drawn_in <= whole).all()


def test_half_a_cell_leaves_the_cells_that_lie_in_the_box_whole() -> None:
    for height, width in ((3, 5), (16, 16), (7, 10)):
        assert BoxPath([(0, Box(0, 0, 1, 1))]).to_grid(1, height, width, 0.5).all()
    path = BoxPath([(0, Box(0.26, 0.25, 0.74, 0.75))])
    assert path.to_grid(1, 8, 8, 0.5)[0].any(axis=0).tolist() == [False] * 3 + [True] * 2 + [False] * 3
    assert path.to_grid(1, 8, 8, 0.5)[0].any(axis=1).tolist() == [False] * 2 + [True] * 4 + [False] * 2
    assert path.to_grid(1, 8, 8, 3)[0].sum() == 1


@settings(max_examples=100, deadline=None)
@given(point_paths(), frames, sizes, sizes)
def test_points_on_a_grid(path: PointPath, count: int, height: int, width: int) -> None:
    points = path.resample(count)
    grid = path.to_grid(count, height, width)
    assert points.shape == (count, 2)
    assert grid.shape == (count, height, width)
    inside = ((points >= 0) & (points <= 1)).all(axis=1)
    assert grid.any(axis=(1, 2))[inside].all()
    if path.radius is None:
        assert (grid.sum(axis=(1, 2)) == inside).all()
    for keyframe in path.keyframes:
        assert path.at(keyframe.time) == keyframe.point


def test_a_points_radius_is_round_in_the_frames_shape() -> None:
    grid = PointPath([(0, 0.5, 0.5)], radius=0.25).to_grid(1, 40, 80)[0]
    assert grid.any(axis=0).sum() == grid.any(axis=1).sum() == 20
    assert grid.sum() == pytest.approx(math.pi * 100, rel=0.05)


@pytest.mark.parametrize(("count", "height", "width"), [(0, 4, 4), (10_001, 4, 4), (4, 0, 4), (4, 4, 20_000)])
def test_sizes_are_checked(count: int, height: int, width: int) -> None:
    for path in (BoxPath([(0, LEFT)]), PointPath([(0, 0.5, 0.5)])):
        with pytest.raises(ShotError, match="it must be between 1 and"):
            path.to_grid(count, height, width)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 30), st.integers(1, 30))
def test_pooling_keeps_the_mean(rows: int, columns: int, height: int, width: int) -> None:
    picture = np.random.default_rng(rows * 31 + columns).random((rows, columns), dtype=np.float32)
    pooled = pool(picture, height, width)
    assert pooled.shape == (height, width)
    assert pooled.mean() == pytest.approx(picture.mean(), abs=1e-5)
    assert (pooled > 0).all()


@settings(max_examples=60, deadline=None)
@given(boxes(), sizes, sizes)
def test_a_box_mask_has_the_boxs_area(box: Box, height: int, width: int) -> None:
    raster = Mask(box=box).raster(height, width)
    assert raster.dtype == np.float32
    assert raster.mean() == pytest.approx(box.width * box.height, abs=1e-5)
    inverted = Mask(box=box, invert=True) if raster.min() < 0.9 else None
    if inverted:
        np.testing.assert_allclose(inverted.raster(height, width), 1 - raster, atol=1e-6)


def test_a_mask_thinner_than_a_cell_keeps_its_weight() -> None:
    picture = np.zeros((480, 720), dtype=np.bool_)
    picture[100:103, 50:52] = True
    mask = Mask.of(picture)
    assert mask.raster(30, 45).sum() * 256 == pytest.approx(6, rel=1e-4)
    assert mask.covers(51 / 720, 101 / 480)
    assert not mask.covers(0.5, 0.5)


def test_polygons_strokes_and_erasing() -> None:
    triangle = Mask(polygon=[(0, 0), (1, 0), (0, 1)])
    assert triangle.raster(32, 32).mean() == pytest.approx(0.5, abs=0.02)
    assert triangle.raster(32, 32)[0, 0] == 1
    assert triangle.raster(32, 32)[-1, -1] == 0
    dot = Stroke([(0.5, 0.5)], width=0.5)
    assert Mask(strokes=[dot]).raster(64, 64).mean() == pytest.approx(math.pi / 16, rel=0.03)
    ring = Mask(strokes=[dot, Stroke([(0.5, 0.5)], width=0.25, erase=True)])
    assert ring.raster(64, 64).mean() == pytest.approx(math.pi / 16 * 0.75, rel=0.05)
    both = Mask(box=Box(0, 0, 0.1, 0.1), strokes=[dot])
    assert both.raster(64, 64)[0, 0] == 1
    with pytest.raises(ShotError, match="the mask is empty"):
        Mask(strokes=[dot, Stroke([(0.5, 0.5)], width=0.6, erase=True)])
    with pytest.raises(ShotError, match="the mask is empty"):
        Mask(strokes=[Stroke([(1.5, 0.5)])])


def test_strokes_are_as_wide_as_said() -> None:
    line = Stroke([(0.2, 0.5), (0.8, 0.5)], width=0.2).raster(100, 200)
    assert line[:, 100].sum() == pytest.approx(20, abs=0.7)
    tapered = Stroke([(0.2, 0.5), (0.8, 0.5)], width=0.2, pressure=[1, 0]).raster(100, 200)
    assert tapered[:, 50].sum() > 2 * tapered[:, 140].sum() > 0
    hair = Stroke([(0.1, 0.5), (0.9, 0.5)], width=0.001, opacity=0.5).raster(16, 16)
    assert 0 < hair.max() <= 0.5


@settings(max_examples=40, deadline=None)
@given(strokes(), st.integers(1, 64), st.integers(1, 64))
def test_any_stroke_can_be_drawn_at_any_size(stroke: Stroke, height: int, width: int) -> None:
    raster = stroke.raster(height, width)
    assert raster.shape == (height, width)
    assert raster.min() >= 0
    assert raster.max() <= 1.0001


def test_painting() -> None:
    white = Image.new("RGB", (40, 30), "white")
    red = Stroke([(0.5, 0.5)], width=0.5, colour="red")
    assert paint(white, [red]).getpixel((20, 15)) == (255, 0, 0)
    assert paint(white, [red]).getpixel((1, 1)) == (255, 255, 255)
    half = Stroke([(0.5, 0.5)], width=0.5, colour="#000000", opacity=0.5)
    assert paint(white, [half]).getpixel((20, 15)) == (128, 128, 128)
    erased = [red, Stroke([(0.5, 0.5)], width=0.3, erase=True)]
    assert paint(white, erased).getpixel((20, 15)) == (255, 255, 255)
    assert paint(white, erased).getpixel((14, 15)) == (255, 0, 0)
    assert paint(white, []).tobytes() == white.tobytes()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"colour": "reddish"}, 'stroke: colour is "reddish": it must be a colour such as #c02020 or red.'),
        ({"colour": "#ff000080"}, "how much it covers is the stroke's opacity"),
        ({"width": 0}, "stroke: width is 0: it must be more than 0."),
        ({"pressure": [1, 1]}, "stroke: pressure: it needs one entry for each point, 1; 2 given."),
    ],
)
def test_bad_strokes(fields: dict[str, object], expected: str) -> None:
    with pytest.raises(ShotError) as caught:
        Stroke([(0.5, 0.5)], **fields)  # type: ignore[arg-type]
    assert expected in str(caught.value)
    assert Stroke([(0.5, 0.5)], colour="Red").rgb == (255, 0, 0)
