"""Shots on disk, and the pictures they refer to."""

from __future__ import annotations

import base64
import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from PIL import Image
from shot_strategies import shots

from rehearse.shot import Box, ImageInstruction, ImageRef, Mask, Shot, ShotError

PROMPT = "a red ball moves right"


def png(size: tuple[int, int] = (20, 12), colour: Any = "green", mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, "PNG")
    return file.getvalue()


def sentence(call: Any) -> str:
    with pytest.raises(ShotError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_save_writes_pictures_beside_and_load_brings_them_back(tmp_path: Path) -> None:
    mask = np.zeros((9, 9), dtype=np.bool_)
    mask[4, 4] = True
    shot = Shot(PROMPT).image(png()).target("red ball", mask).edit("a tree", mask)
    path = shot.save(tmp_path / "my shot.json")
    assert "data:" not in path.read_text()
    assert len(list(tmp_path.glob("*.png"))) == 2  # the same mask once
    assert Shot.load(path) == shot
    assert Shot.load(path).digest() == shot.digest()
    assert not list(tmp_path.glob(".*"))
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    alone = Shot.load(path).save(moved / "alone.json", images="inline")
    assert list(moved.iterdir()) == [alone]
    assert Shot.load(alone) == shot


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shots())
def test_any_shot_survives_the_disk(tmp_path: Path, shot: Shot) -> None:
    assert Shot.load(shot.save(tmp_path / "shot.json")) == shot


def test_the_digest_is_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    (tmp_path / "b.png").write_bytes(png())
    texts = [
        f'{{"prompt": "{PROMPT}", "instructions": [{{"kind": "image", "image": "{n}.png"}}]}}' for n in "ab"
    ]
    digests = set()
    for text in texts:
        (tmp_path / "s.json").write_text(text)
        digests.add(Shot.load(tmp_path / "s.json").digest())
    assert len(digests) == 1
    assert Shot(PROMPT).image(png()).digest() in digests
    assert Shot(PROMPT).image(png(colour="blue")).digest() not in digests
    unread = Shot.model_validate_json(texts[0])
    assert "its file has not been read; open the shot with Shot.load" in sentence(unread.digest)
    assert "instructions[0].image" in sentence(unread.digest)


def test_key_order_and_number_style_do_not_change_the_digest() -> None:
    a = Shot.model_validate_json('{"prompt": "a", "fps": 8, "seed": 3}')
    b = Shot.model_validate_json('{"seed": 3.0, "fps": 8.0, "prompt": "a", "frames": null}')
    assert a.digest() == b.digest()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{", "this is not valid JSON"),
        ("[]", "it must be an object with named fields"),
        ('{"prompt": "a", "sed": 1}', 'sed: there is no such field; did you mean "seed"?'),
        (
            '{"prompt": "a", "instructions": [{"kind": "image", "image": "no.png"}]}',
            'image is "no.png": there is no such',
        ),
        (
            '{"prompt": "a", "instructions": [{"kind": "image", "image": "link.png"}]}',
            "leads out of the shot's folder",
        ),
        ("[" * 100_000, "this is not valid JSON"),
        ("\xff", "this is not valid JSON"),
    ],
)
def test_loading_says_which_file_and_what(tmp_path: Path, content: str, expected: str) -> None:
    outside = tmp_path / "secret.png"
    outside.write_bytes(png())
    folder = tmp_path / "shots"
    folder.mkdir()
    (folder / "link.png").symlink_to(outside)
    path = folder / "shot.json"
    path.write_bytes(content.encode("latin-1"))
    said = sentence(lambda: Shot.load(path))
    assert said.startswith(str(path))
    assert expected in said


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    shot = Shot(PROMPT)
    assert "there is no file" in sentence(lambda: Shot.load(tmp_path / "no.json"))
    assert "is not a file" in sentence(lambda: Shot.load(tmp_path))
    assert "cannot be written" in sentence(lambda: shot.save(tmp_path / "no" / "a.json"))
    assert "cannot be written" in sentence(lambda: shot.save(tmp_path))
    assert "cannot be written" in sentence(lambda: shot.save("a\0b.json"))
    assert 'images is "zip"' in sentence(lambda: shot.save(tmp_path / "a.json", images="zip"))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
    os.mkfifo(tmp_path / "pipe.png")
    assert "there is no such file" in sentence(lambda: shot.image(tmp_path / "pipe.png"))


@pytest.mark.parametrize(
    "uri",
    ["../x.png", "/etc/passwd", "a/../../x.png", "C:/x.png", "a\\x.png", "http://h/x.png", "", " ", "a\0b"],
)
def test_no_path_leads_outside(uri: str) -> None:
    assert "give a path relative to the shot file, or a data: URI" in sentence(lambda: ImageRef(uri))


@pytest.mark.parametrize(
    "uri",
    [
        "data:text/html;base64,AAAA",
        "data:image/png;base64,!!!",
        "data:image/png;base64,AAAA",
        "data:image/png,AAAA",
    ],
)
def test_bad_data_uris(uri: str) -> None:
    said = sentence(lambda: ImageInstruction(image=uri))  # type: ignore[arg-type]
    assert said.startswith("image instruction: image is")


def test_pictures_of_any_kind_become_rgb() -> None:
    assert ImageRef.embed(png()).load().getpixel((0, 0)) == (0, 128, 0)
    assert ImageRef.embed(png(colour=(255, 0, 0, 0), mode="RGBA")).load().getpixel((0, 0)) == (255, 255, 255)
    assert ImageRef.embed(Image.new("P", (9, 9))).load().mode == "RGB"
    assert ImageRef.embed(Image.new("1", (9, 9), 1)).load().getpixel((0, 0)) == (255, 255, 255)
    deep = ImageRef.embed(Image.fromarray(np.full((9, 9), 32896, dtype=np.uint16)))
    assert deep.load().getpixel((0, 0)) == (128, 128, 128)
    turned, file = Image.new("RGB", (20, 10)), io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(file, "JPEG", exif=exif)
    assert ImageRef.embed(file.getvalue()).load().size == (10, 20)
    assert ImageRef.embed(file.getvalue()).suffix == ".jpg"
    again = ImageRef.embed(np.full((8, 9, 3), 7, dtype=np.uint8))
    assert ImageRef.embed(again.uri) == again == ImageRef.embed(again)


def test_pictures_that_cannot_be_used(tmp_path: Path) -> None:
    assert "20000 x 9 pixels; at most 8192 a side" in sentence(lambda: ImageRef.embed(png((20000, 9))))
    assert "1 x 1 pixels; give one of at least 8 x 8" in sentence(lambda: ImageRef.embed(png((1, 1))).load())
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    whole = ImageRef.embed(noise).read()
    assert "the picture is damaged" in sentence(lambda: ImageRef.embed(whole[: len(whole) // 2]).load())
    assert "not a readable PNG, JPEG or WebP" in sentence(lambda: ImageRef.embed(b"<svg/>"))
    assert "not int" in sentence(lambda: ImageRef.embed(3))  # type: ignore[arg-type]
    assert "an array must be" in sentence(lambda: ImageRef.embed(np.zeros((4, 4))))
    big = tmp_path / "big.png"
    with big.open("wb") as file:
        file.truncate(33 * 2**20)
    assert "at most 32 are taken" in sentence(lambda: ImageRef.embed(big))
    huge = "data:image/png;base64," + "A" * (44 * 2**20)
    assert "at most 32 are taken" in sentence(lambda: ImageRef(huge))


def test_a_decompression_bomb_is_refused_unopened() -> None:
    # A PNG header that claims 60000 x 60000 pixels, and nothing behind it.
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    chunk += struct.pack(">I", 9) + b"IDAT"
    bomb = b"\x89PNG\r\n\x1a\n" + chunk
    uri = "data:image/png;base64," + base64.b64encode(bomb).decode()
    assert "megapixels" in sentence(lambda: ImageRef(uri))


def test_masks_from_pictures() -> None:
    white_on_clear = Image.new("RGBA", (10, 10), (255, 255, 255, 0))
    white_on_clear.putpixel((3, 2), (255, 255, 255, 255))
    mask = Mask.of(white_on_clear).raster(10, 10)
    assert mask[2, 3] == 1
    assert mask.sum() == 1
    assert "the mask is empty" in sentence(lambda: Mask.of(Image.new("L", (10, 10))))
    black = Mask.model_validate({"image": ImageRef.embed(Image.new("L", (9, 9), 9)).uri})
    assert 0 < black.raster(3, 3).max() < 0.05


def test_a_picture_says_its_size_upright() -> None:
    sideways = Image.new("RGB", (40, 20)).getexif()
    sideways[0x0112] = 6
    file = io.BytesIO()
    Image.new("RGB", (40, 20)).save(file, "JPEG", exif=sideways)
    assert ImageRef.embed(file.getvalue()).size() == ImageRef.embed(file.getvalue()).load().size == (20, 40)
    assert ImageRef.embed(Image.new("L", (40, 20))).size() == (40, 20)


def test_nearly_black_and_nearly_white_are_black_and_white() -> None:
    shades = np.tile(np.array([0, 3, 12, 100, 243, 252, 255], dtype=np.uint8), (7, 1))
    raster = Mask.of(shades).raster(7, 7)
    assert (raster[0] == np.array([0, 0, 0, np.float32(100) / np.float32(255), 1, 1, 1], np.float32)).all()
    assert (Mask(image=ImageRef.embed(shades), invert=True).raster(7, 7) == 1 - raster).all()
    dark = Mask.of(np.full((9, 9), 12, np.uint8))
    assert dark.raster(9, 9).max() > 0
    assert "its strongest place has 0.047 of 1" in sentence(lambda: dark.clear_raster(9, 9))
    hairline = np.zeros((100, 100), np.uint8)
    hairline[50] = 255
    assert Mask.of(hairline).clear_raster(3, 3).max() < 0.05


def test_a_mask_file_is_found_from_the_shots_folder(tmp_path: Path) -> None:
    (tmp_path / "m.png").write_bytes(png(colour="white"))
    mask = Mask(image="m.png")
    assert not mask.is_ready
    assert mask.raster(2, 2, folder=tmp_path).min() == 1
    assert "has not been read" in sentence(lambda: mask.raster(2, 2))
    (tmp_path / "shot.json").write_text(
        '{"prompt": "a", "instructions": [{"kind": "content", "prompt": "b", "mask": {"image": "m.png"}}]}'
    )
    assert Shot.load(tmp_path / "shot.json").instructions[0].mask.is_ready
    (tmp_path / "m.png").write_bytes(png(colour="black"))
    assert "the mask is empty" in sentence(lambda: Shot.load(tmp_path / "shot.json"))


def test_the_python_way_reads_files_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.png").write_bytes(png(colour="white"))
    shot = Shot(PROMPT).image("m.png").target("red ball", Mask(image="m.png", box=Box(0, 0, 1, 1)))
    Path("m.png").unlink()
    assert shot.digest()
    assert shot.instructions[1].mask.box == Box(0, 0, 1, 1)


def test_a_byte_order_mark_and_windows_lines_change_nothing(tmp_path: Path) -> None:
    shot = Shot("a red ball", seed=3)
    path = tmp_path / "shot.json"
    shot.save(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert Shot.load(path) == shot
