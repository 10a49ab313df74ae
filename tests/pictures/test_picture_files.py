"""Pictures as people have them: turned, see-through, deep, grey, indexed, damaged."""

from __future__ import annotations

import io
import logging
import struct
import unicodedata
import zlib
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


def profile(kind: str, colours: dict[str, tuple[float, float, float]], gamma: float) -> bytes:
    """A colour profile of the ICC's second version: colours on D50, and one gamma."""

    def xyz(*values: float) -> bytes:
        return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))

    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
    text = b"A profile of a test\0"
    name = b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78)
    tags = {"desc": name, "cprt": b"text" + bytes(4) + text, "wtpt": xyz(0.9642, 1, 0.8249)}
    tags |= {f"{band}XYZ": xyz(*value) for band, value in colours.items()}
    tags |= {f"{band}TRC": curve for band in (colours or {"k": ()})}
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for tag, content in tags.items():
        content += bytes(-len(content) % 4)
        table += tag.encode() + struct.pack(">II", start + len(body), len(content))
        body += content
    head = struct.pack(">I4sI4s4s4s", start + len(body), b"lcms", 0x02100000, b"mntr", kind.encode(), b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061) + bytes(48)
    return head + table + body


P3 = profile(
    "RGB ", {"r": (0.5151, 0.2412, -0.0011), "g": (0.292, 0.6922, 0.0419), "b": (0.1571, 0.0666, 0.7841)}, 2.2
)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_wide_colours_become_srgb(kind: str, orientation: int) -> None:
    image = Image.new("RGB", (40, 24), (150, 120, 100))
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    file = io.BytesIO()
    image.save(
        file, kind, icc_profile=P3, exif=exif, quality=100, **({"lossless": True} if kind == "WEBP" else {})
    )
    loaded = ImageRef.embed(file.getvalue()).load()
    assert loaded.size == ((40, 24) if orientation == 1 else (24, 40))
    # Display P3 is wider than sRGB: the same colour has larger numbers there.
    red, green, blue = loaded.getpixel((5, 5))  # type: ignore[misc]
    assert (red, green, blue) == pytest.approx((155, 119, 97), abs=4)
    clear = image.copy()
    clear.putalpha(0)
    if kind != "JPEG":
        file = io.BytesIO()
        clear.save(file, kind, icc_profile=P3, lossless=True)
        assert ImageRef.embed(file.getvalue()).load().getpixel((5, 5)) == (255, 255, 255)


def test_an_open_picture_keeps_its_colours_too() -> None:
    image = Image.new("RGB", (40, 24), (150, 120, 100))
    image.info["icc_profile"] = P3
    assert ImageRef.embed(image).load().getpixel((5, 5)) == pytest.approx((155, 119, 97), abs=4)


def test_a_grey_profile_and_a_png_s_gamma_are_honoured() -> None:
    file = io.BytesIO()
    Image.new("L", (20, 24), 128).save(file, "PNG", icc_profile=profile("GRAY", {}, 1.0))
    grey = ImageRef.embed(file.getvalue()).load().getpixel((5, 5))
    assert grey == pytest.approx((188, 188, 188), abs=3)
    plain = encoded(Image.new("RGB", (20, 24), (128, 128, 128)), "PNG")
    linear = b"gAMA" + struct.pack(">I", 100_000)
    chunk = struct.pack(">I", 4) + linear + struct.pack(">I", zlib.crc32(linear))
    lit = ImageRef.embed(plain[:33] + chunk + plain[33:]).load().getpixel((5, 5))
    assert lit == pytest.approx((186, 186, 186), abs=3)
    usual = b"gAMA" + struct.pack(">I", 45_455)
    chunk = struct.pack(">I", 4) + usual + struct.pack(">I", zlib.crc32(usual))
    assert ImageRef.embed(plain[:33] + chunk + plain[33:]).load().getpixel((5, 5)) == (128, 128, 128)


def test_deep_pictures_with_a_clear_colour() -> None:
    grey = np.full((24, 20), 30_000, np.uint16)
    grey[:12] = 30_001
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "PNG", transparency=30_001)
    loaded = np.asarray(ImageRef.embed(file.getvalue()).load())
    assert (loaded[:12] == 255).all() and (np.abs(loaded[12:].astype(int) - 117) <= 1).all()


def test_what_is_guessed_or_left_out_is_told(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    def told(content: bytes) -> str:
        caplog.clear()
        (tmp_path / "picture").write_bytes(content)
        with caplog.at_level(logging.WARNING, "rehearse"):
            ImageRef.embed(tmp_path / "picture")
        return "\n".join(record.getMessage() for record in caplog.records)

    red, blue = Image.new("RGB", (20, 24), "red"), Image.new("RGB", (20, 24), "blue")
    assert told(encoded(red, "PNG")) == told(encoded(red, "JPEG", 6)) == told(encoded(red, "WEBP")) == ""
    assert "CMYK without a colour profile" in told(encoded(red.convert("CMYK"), "JPEG"))
    file = io.BytesIO()
    red.save(file, "PNG", icc_profile=b"no profile")
    assert "picture: its colour profile cannot be used" in told(file.getvalue())
    assert ImageRef.embed(file.getvalue()).load().getpixel((5, 5)) == (255, 0, 0)
    for kind in ("PNG", "WEBP"):
        file = io.BytesIO()
        red.save(file, kind, save_all=True, append_images=[blue], lossless=True)
        assert "it is an animation of 2 frames: its first is taken" in told(file.getvalue())
    plain = encoded(red, "PNG")
    for said, text in ((bytes([9, 16, 0, 1]), "primaries 9 and transfer 16"), (bytes([1, 13, 0, 1]), "")):
        chunk = struct.pack(">I", 4) + b"cICP" + said + struct.pack(">I", zlib.crc32(b"cICP" + said))
        assert text in told(plain[:33] + chunk + plain[33:])


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_name_with_accents_is_found_in_either_form(form: str, tmp_path: Path) -> None:
    written = unicodedata.normalize("NFD" if form == "NFC" else "NFC", "caf\u00e9/pr\u00e9.png")
    (tmp_path / written).parent.mkdir()
    Image.new("RGB", (20, 24), "red").save(tmp_path / written)
    asked = unicodedata.normalize(form, "caf\u00e9/pr\u00e9.png")
    assert ImageRef(asked).load(tmp_path).getpixel((3, 3)) == (255, 0, 0)
    assert ImageRef.embed(tmp_path / asked).load().size == (20, 24)
