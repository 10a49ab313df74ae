"""Masks as people draw, export and cut them out: what is seen is marked, or it is told, or refused."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from rehearse.shot import Box, ImageRef, Mask, ShotError
from rehearse.shot.mask_picture import mask_picture

SIZE = 96
_GREY = Image.new("L", (SIZE, SIZE))
ImageDraw.Draw(_GREY).ellipse((20, 28, 58, 66), fill=255)
SOFT = np.asarray(_GREY.filter(ImageFilter.GaussianBlur(1)), np.uint8)
"""A disc with an edge as drawing programs leave it."""
ON, OFF = SOFT > 250, SOFT < 5
GRAIN = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)


def coloured(thing: tuple[int, int, int], ground: tuple[int, int, int] = (0, 0, 0)) -> NDArray[np.uint8]:
    share = SOFT[..., None] / 255
    return (share * thing + (1 - share) * np.array(ground)).round().astype(np.uint8)


def with_alpha(colours: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(np.dstack([colours, alpha]))


def palette(*colours: tuple[int, int, int]) -> Image.Image:
    labels = ON.astype(np.uint8)
    if len(colours) > 1:
        labels[:10, :10] = len(colours)
    image = Image.fromarray(labels).convert("P")
    image.putpalette([0, 0, 0] + [level for colour in colours for level in colour])
    return image


def png(image: Image.Image | NDArray[np.uint8], kind: str = "PNG", **how: object) -> bytes:
    file = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(file, kind, **how)  # type: ignore[arg-type]
    return file.getvalue()


def full(*colour: int) -> NDArray[np.uint8]:
    return np.full((SIZE, SIZE, len(colour)), colour, np.uint8)


SEEN: dict[str, Callable[[], bytes]] = {
    "white on black": lambda: png(SOFT),
    "as a photo format keeps it": lambda: png(SOFT, "JPEG", quality=60),
    "in colours, as a photo format keeps it": lambda: png(coloured((255, 255, 255)), "JPEG", quality=60),
    "one bit": lambda: png(Image.fromarray(SOFT).convert("1")),
    "16 bits": lambda: png(Image.fromarray(SOFT.astype(np.uint16) * 257)),
    "red": lambda: png(coloured((255, 0, 0))),
    "blue": lambda: png(coloured((0, 0, 255))),
    "a dim green": lambda: png(coloured((20, 140, 30))),
    "red, as a photo format keeps it": lambda: png(coloured((230, 20, 20)), "JPEG", quality=85),
    "a colour on nearly black": lambda: png(coloured((250, 170, 20), (12, 10, 14))),
    "a palette's dark red": lambda: png(palette((128, 0, 0))),
    "white on a colour": lambda: png(coloured((255, 255, 255), (20, 30, 110))),
    "white on clear": lambda: png(with_alpha(full(255, 255, 255), SOFT)),
    "black on clear": lambda: png(with_alpha(full(0, 0, 0), SOFT)),
    "red on clear": lambda: png(with_alpha(full(220, 20, 20), SOFT)),
    "a thing cut out of a photo": lambda: png(with_alpha(GRAIN, SOFT)),
    "grey with alpha": lambda: png(Image.fromarray(np.dstack([GRAIN[..., 0], SOFT]))),
    "white on black, opaque": lambda: png(with_alpha(coloured((255, 255, 255)), full(255)[..., 0])),
    "a cut-out in WebP": lambda: png(with_alpha(GRAIN, SOFT), "WEBP", lossless=True),
}


@pytest.mark.parametrize("name", SEEN)
def test_what_is_seen_is_marked(name: str) -> None:
    mask = ImageRef.embed(SEEN[name]()).load_mask()
    assert mask.shape == (SIZE, SIZE)
    assert mask[ON].mean() > 0.97 and np.median(mask[ON]) == 1
    assert mask[OFF].max() <= (0.1 if "photo format" in name else 0)  # which rings at edges
    edge = (SOFT > 60) & (SOFT < 190)
    if name not in ("one bit", "a palette's dark red"):
        assert 0.2 < mask[edge].mean() < 0.8  # an edge stays soft


def test_a_soft_mask_keeps_its_strengths() -> None:
    ramp = np.tile(np.linspace(0, 255, SIZE).round().astype(np.uint8), (SIZE, 1))
    for picture in (ramp, np.dstack([ramp] * 3), np.dstack([ramp, ramp * 0, ramp * 0])):
        mask = ImageRef.embed(png(picture)).load_mask()
        assert np.abs(mask - ramp / 255).max() < 0.06
    assert np.abs(ImageRef.embed(png(with_alpha(GRAIN, ramp))).load_mask() - ramp / 255).max() < 0.06


def test_labels_of_several_colours_are_all_marked_and_that_is_told() -> None:
    read = mask_picture(png(palette((128, 0, 0), (0, 192, 64))))
    assert read.values[ON].min() == 1 and read.values[:10, :10].min() == 1
    assert read.values.max() == 1 and read.values[80:].max() == 0
    assert read.notes == ("it has several colours on black: all that is not black is marked",)


@pytest.mark.parametrize(
    ("picture", "told"),
    [
        (full(90, 120, 200), "no black ground"),
        (coloured((220, 40, 40), (40, 160, 60)), "no black ground"),
        (GRAIN, "many colours"),
    ],
)
def test_colours_that_say_nothing_are_refused(picture: NDArray[np.uint8], told: str) -> None:
    with pytest.raises(ShotError, match=f"{told}.*make it white on black"):
        ImageRef.embed(png(picture)).load_mask()


def notes_of(mask: Mask, caplog: pytest.LogCaptureFixture) -> str:
    caplog.clear()
    with caplog.at_level(logging.WARNING, "rehearse"):
        mask.clear_raster(32, 32)
    return "\n".join(record.getMessage() for record in caplog.records)


def test_what_cannot_be_known_is_told(caplog: pytest.LogCaptureFixture) -> None:
    plain, inverted = Mask.of(SOFT), Mask.of(255 - SOFT)
    assert notes_of(plain, caplog) == ""
    assert "it marks 87 % of the frame: if the thing is what it leaves out, invert it" in notes_of(
        inverted, caplog
    )
    assert notes_of(Mask(image=inverted.image, invert=True), caplog) == ""
    assert "its strongest place has 0.50 of 1" in notes_of(Mask.of(SOFT // 2), caplog)
    photo = np.where(ON, GRAIN[..., 0], 0).astype(np.uint8)
    photo[ON.nonzero()[0][0], ON.nonzero()[1][0]] = 255
    assert "most of what it marks is grey, 0.5" in notes_of(Mask.of(photo), caplog)
    cut = Mask.of(with_alpha(GRAIN, SOFT))
    assert "its transparency is read as the mask: what is opaque, 12.9 % of it" in notes_of(cut, caplog)
    hole = notes_of(Mask.of(with_alpha(GRAIN, 255 - SOFT)), caplog)
    assert "transparency is read as the mask" in hole and "if the thing is what it leaves out" in hole
    assert notes_of(Mask.of(with_alpha(full(255, 255, 255), SOFT)), caplog) == ""
    assert "marks 100 % of the frame" in notes_of(Mask.of(full(255)[..., 0]), caplog)
    with pytest.raises(ShotError, match="the mask is empty"):
        Mask.of(full(0)[..., 0])
    with pytest.raises(ShotError, match="the mask is empty"):
        Mask.of(with_alpha(GRAIN, full(0)[..., 0]))


def test_a_box_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    assert notes_of(Mask.of(Box(0, 0, 1, 0.9)), caplog) == ""


def test_an_upright_mask_and_an_animated_one(caplog: pytest.LogCaptureFixture) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.fromarray(np.ascontiguousarray(np.rot90(SOFT)))
    assert (ImageRef.embed(png(stored, exif=exif)).load_mask() == mask_picture(png(SOFT)).values).all()
    frames = png(Image.fromarray(SOFT), save_all=True, append_images=[Image.fromarray(255 - SOFT)])
    read = mask_picture(frames)
    assert read.values[ON].min() == 1
    assert "an animation of 2 frames: its first is taken" in read.notes[0]
