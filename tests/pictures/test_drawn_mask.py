"""Masks that were drawn on the shot's own picture: they lie where the picture lies."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rehearse.models.model import VideoModel
from rehearse.pictures import Intermediate, PictureCache, make_intermediate
from rehearse.pictures.frame import cover_frame
from rehearse.pictures.marks import draw_marks
from rehearse.resolve.instructions.masks import masks_over_frame, over_frame
from rehearse.resolve.instructions.pictures import Picture, picture_of
from rehearse.shot import (
    BlendSettings,
    Box,
    ContentInstruction,
    DragTrajectory,
    ImageRef,
    Mask,
    Shot,
    ShotError,
)

SIZE = 64
WIDE = np.full((64, 128, 3), 120, dtype=np.uint8)
"""A photo twice as wide as the frame, which shows its columns 32 to 96."""
THING = (slice(24, 40), slice(40, 56))
"""Where the thing is on the photo; on the frame it is 32 columns further left."""
SEEN = (slice(24, 40), slice(8, 24))
Make = Callable[[Shot], Intermediate]


def asked(shot: Shot) -> Picture:
    return picture_of(shot, SIZE, SIZE)


def photo() -> NDArray[np.uint8]:
    picture = WIDE.copy()
    picture[THING] = (220, 40, 40)
    return picture


def marked(scale: int = 1) -> NDArray[np.uint8]:
    mask = np.zeros((64, 128), dtype=np.uint8)
    mask[THING] = 255
    return mask[::scale, ::scale]


@pytest.fixture
def make(image_model: VideoModel) -> Make:
    return lambda shot: make_intermediate(picture_of(shot, SIZE, SIZE), image_model, cache=PictureCache())


@pytest.mark.parametrize("scale", [1, 4])
def test_an_edit_changes_what_was_marked_on_the_photo(make: Make, scale: int) -> None:
    shot = Shot("a red ball", seed=1).image(photo())
    before = make(shot).original
    after = make(shot.edit("a blue car", marked(scale), feather=0, strength=1)).original
    changed = (after != before).any(axis=2)
    assert changed[SEEN].mean() > 0.9
    changed[SEEN] = False
    assert not changed.any()


def test_a_drag_takes_what_was_marked_on_the_photo(make: Make) -> None:
    shot = Shot("a red ball", seed=1).image(photo())
    made = make(shot.drag((0.25, 0.5), (0.75, 0.5), region=Mask.of(marked())))
    assert made.edited[32, 48].tolist() == [220, 40, 40]
    assert made.edited[32, 16, 0] < 200


def test_a_handle_beside_what_was_marked_is_told_before_any_work(make: Make) -> None:
    # On the photo squeezed into the frame the handle would lie on it.
    shot = Shot("a red ball", seed=1).image(photo()).drag((0.42, 0.5), (0.75, 0.5), region=marked())
    with pytest.raises(ShotError, match=r"outside the dragged region") as caught:
        make(shot)
    assert caught.value.field == "instructions[1].moves[0].handle"


def test_every_mask_of_a_shot_is_placed_once() -> None:
    mask = Mask.of(marked())
    shot = (
        Shot("a red ball").image(photo()).edit("a blue car", mask).drag((0.25, 0.5), (0.7, 0.5), region=mask)
    )
    shot = shot.target("red ball", mask).with_control(blend=BlendSettings(region=mask))
    placed = masks_over_frame(shot, SIZE, SIZE)
    _, edit, drag, target = placed.instructions
    blend = placed.control.blend
    assert isinstance(edit, ContentInstruction) and isinstance(drag, DragTrajectory) and blend is not None
    for one in (edit.mask, drag.region, target.mask, blend.region):  # type: ignore[union-attr]
        assert one is not None
        raster = one.raster(SIZE, SIZE)
        assert (raster[SEEN] == 1).all() and raster.sum() == 16 * 16
    assert masks_over_frame(placed, SIZE, SIZE) is placed
    assert masks_over_frame(shot, 128, 64) is shot


def test_what_only_the_cut_edge_shows_is_told_by_its_field() -> None:
    away = np.zeros((64, 128), dtype=np.uint8)
    away[:, :20] = 255
    shot = Shot("a red ball").image(photo()).with_control(blend=BlendSettings(region=Mask.of(away)))
    with pytest.raises(ShotError, match=r"^control\.blend\.region.*the mask is empty"):
        masks_over_frame(shot, SIZE, SIZE)


def test_other_shapes_lie_over_the_whole_frame() -> None:
    shot = Shot("a red ball").image(photo())
    for mask in (
        Mask.of(marked()[:, :100]),
        Mask(box=Box(0.1, 0.1, 0.4, 0.4)),
        Mask(image=ImageRef("m.png")),
    ):
        assert over_frame(mask, shot, SIZE, SIZE) is mask
    assert over_frame(Mask.of(marked()), Shot("a red ball"), SIZE, SIZE).raster(64, 128)[THING].all()


@given(st.integers(20, 90), st.integers(20, 90), st.integers(2, 9), st.integers(2, 9))
def test_a_mask_follows_its_picture(width: int, height: int, across: int, down: int) -> None:
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    y, x = height // 2, width // 2
    picture[y - 4 : y + 4, x - 4 : x + 4] = 255
    wide, high = 8 * across, 8 * down
    placed = over_frame(Mask.of(picture[..., 0]), Shot("a").image(picture), wide, high)
    shown = cover_frame(ImageRef.embed(picture).load(), wide, high)[..., 0] / 255
    off = np.abs(placed.raster(high, wide) - shown)
    # The cut is at whole pixels of the mask, and both are resampled: half a pixel of the photo on each side.
    assert off.sum() <= 0.8 * max(wide / width, high / height) ** 2 * 32


def test_outlines_are_drawn_where_the_region_lies() -> None:
    shot = Shot("a red ball").image(photo()).edit("a blue car", marked())
    frame = cover_frame(ImageRef.embed(photo()).load(), SIZE, SIZE)
    changed = (draw_marks(frame, asked(shot)) != draw_marks(frame, asked(Shot("a")))).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert np.allclose([rows.min() / 6, rows.max() / 6], [24, 40], atol=1)
    assert np.allclose([columns.min() / 6, columns.max() / 6], [8, 24], atol=1)
