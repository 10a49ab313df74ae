"""Pictures as people have them: turned, see-through, deep, grey, indexed, damaged."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rehearse.shot import ImageRef, ShotError

COLOURS = np.random.default_rng(0).integers(0, 256, (24, 20, 4), dtype=np.uint8)
_ORIENTATION = 0x0112


def encoded(image: Image.Image, kind: str, orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    exif[0x010F] = "a camera"
    file = io.BytesIO()
    image.save(file, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    return file.getvalue()


def in_mode(mode: str) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(COLOURS[..., 0].astype(np.uint16) * 257)
    return Image.fromarray(COLOURS).convert(mode)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_every_exif_rotation_comes_upright(kind: str, orientation: int) -> None:
    upright = COLOURS[..., :3]
    # How a camera that is held so stores what it sees.
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright),
        7: np.rot90(upright, 2).transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    file = encoded(Image.fromarray(np.ascontiguousarray(stored)), kind, orientation)
    assert (np.asarray(ImageRef.embed(file).load()) == upright).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16"])
def test_any_mode_becomes_rgb(mode: str) -> None:
    if mode == "PA":
        image = in_mode("RGBA").convert("P")
        image.info["transparency"] = 0
    else:
        image = in_mode(mode)
    loaded = ImageRef.embed(encoded(image, "PNG")).load()
    assert (loaded.mode, loaded.size) == ("RGB", (20, 24))
    if mode in ("L", "I;16", "1"):
        grey = np.asarray(
            image if mode != "I;16" else Image.fromarray(COLOURS[..., 0]).convert("L"), dtype=np.uint8
        )
        assert (np.asarray(loaded)[..., 0] == (grey * 255 if mode == "1" else grey)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_an_open_picture_is_its_file(kind: str, orientation: int) -> None:
    """Written as PNG without its EXIF data, it would lie on its side."""
    file = encoded(Image.fromarray(COLOURS[..., :3]), kind, orientation)
    with Image.open(io.BytesIO(file)) as picture:
        opened = ImageRef.embed(picture).load()
    assert (np.asarray(opened) == np.asarray(ImageRef.embed(file).load())).all()


@pytest.mark.parametrize(
    "mode",
    [
        "1",
        "L",
        "LA",
        "La",
        "P",
        "PA",
        "RGB",
        "RGBA",
        "RGBa",
        "RGBX",
        "CMYK",
        "YCbCr",
        "HSV",
        "LAB",
        "I;16",
        "I;16B",
    ],
)
def test_an_open_picture_of_any_mode_is_taken(mode: str) -> None:
    red = Image.new("RGB", (20, 24), (255, 0, 0))
    if mode.startswith("I;16"):
        picture = Image.new("I", red.size, 0x8080).convert(mode)
        shown = (128, 128, 128)
    else:
        through = {"La": "LA", "PA": "LA", "RGBa": "RGBA"}.get(mode)
        picture = (red.convert(through) if through else red).convert(mode)
        shown = picture.convert("LA" if mode == "La" else "RGBA").convert("RGB").getpixel((3, 3))
    loaded = ImageRef.embed(picture).load()
    assert loaded.mode == "RGB" and loaded.size == (20, 24)
    assert np.abs(np.subtract(loaded.getpixel((3, 3)), shown)).max() <= 1


@pytest.mark.parametrize("mode", ["I", "F"])
def test_a_mode_without_a_known_white_is_told_so(mode: str) -> None:
    with pytest.raises(ShotError, match=rf'mode {mode} .*convert it first: picture.convert\("RGB"\)\.$'):
        ImageRef.embed(Image.new(mode, (20, 24)))


def test_a_phone_s_picture_with_a_second_one_behind_is_a_jpeg() -> None:
    file = io.BytesIO()
    first, second = (Image.new("RGB", (20, 24), colour) for colour in ("red", "blue"))
    first.save(file, "MPO", save_all=True, append_images=[second])
    taken = ImageRef.embed(file.getvalue())
    assert taken.suffix == ".jpg" and ImageRef(taken.uri) == taken
    red, _, blue = taken.load().getpixel((5, 5))  # type: ignore[misc]
    assert red > 240 and blue < 20


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "BMP"])
def test_other_formats_are_named_by_their_file_and_told_what_to_do(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "picture"
    Image.new("RGB", (20, 24)).save(file, kind)
    with pytest.raises(ShotError, match=r"this is not a readable PNG.*save it as one of these") as caught:
        ImageRef.embed(file)
    assert caught.value.value == str(file)
    with pytest.raises(ShotError, match="this is a folder; give the file of a picture"):
        ImageRef.embed(tmp_path)
    with pytest.raises(ShotError, match="are not fetched from the web; save it"):
        ImageRef.embed("https://example.org/picture.png")


def test_printers_colours_are_read() -> None:
    printed = ImageRef.embed(encoded(Image.new("CMYK", (20, 24), (0, 255, 255, 0)), "JPEG")).load()
    red, green, blue = printed.getpixel((5, 5))  # type: ignore[misc]
    assert red > 200 and green < 60 and blue < 60


def test_what_is_seen_through_lies_on_a_said_colour() -> None:
    clear = ImageRef.embed(Image.new("RGBA", (9, 9), (255, 0, 0, 0)))
    half = ImageRef.embed(Image.new("RGBA", (9, 9), (255, 0, 0, 128)))
    assert clear.load().getpixel((0, 0)) == (255, 255, 255)
    assert clear.load(ground="#102030").getpixel((0, 0)) == (16, 32, 48)
    assert half.load(ground="black").getpixel((0, 0)) == (128, 0, 0)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([("PNG", "RGBA"), ("PNG", "P"), ("JPEG", "RGB"), ("WEBP", "RGB"), ("WEBP", "RGBA")]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=4),
    st.floats(0.02, 1),
)
def test_damage_is_one_sentence_or_still_a_picture(
    kind: tuple[str, str], changes: list[tuple[float, int]], kept: float
) -> None:
    content = bytearray(encoded(in_mode(kind[1]), kind[0], 6))
    for place, value in changes:
        content[int(place * len(content))] = value
    try:
        loaded = ImageRef.embed(bytes(content[: max(1, round(kept * len(content)))])).load()
    except ShotError as error:
        assert "\n" not in str(error)
        assert str(error).endswith(".")
    else:
        assert loaded.mode == "RGB"


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_camera_that_writes_bad_exif_costs_nobody_the_picture() -> None:
    file = encoded(in_mode("RGB"), "WEBP", 1)
    start = file.index(b"EXIF") + 8
    for k in range(start, len(file)):
        damaged = bytearray(file)
        damaged[k] = 255
        assert ImageRef.embed(bytes(damaged)).load().mode == "RGB"


def test_a_picture_too_wide_is_told_so() -> None:
    with pytest.raises(ShotError, match=r"20000 x 10 pixels; at most 8192 a side.*make it smaller"):
        ImageRef.embed(encoded(Image.new("L", (20000, 10)), "PNG"))
