"""Hostile and broken uploads: each a clear 4xx, and the server up."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from rehearse.media import write_clip
from rehearse.shot import Shot


def picture(
    kind: str = "PNG", size: tuple[int, int] = (16, 16), mode: str = "RGB", **options: object
) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind, **options)
    return file.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, rows: bytes, *more: bytes, bits: int = 8, colour: int = 2) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + b"".join(more)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def animation(kind: str) -> bytes:
    file = io.BytesIO()
    frames = [Image.fromarray(np.full((16, 16, 3), shade, np.uint8)) for shade in (0, 90, 200)]
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    return file.getvalue()


def hostile_images() -> Iterator[tuple[str, bytes]]:
    good, jpeg, webp = picture(), picture("JPEG"), picture("WEBP")
    yield "empty", b""
    yield "text", b"hello"
    yield "nul bytes", bytes(4096)
    yield "html", b"<html><script>alert(1)</script></html>"
    yield "svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
    yield "svg that asks for files", b'<?xml version="1.0"?><!DOCTYPE s SYSTEM "file:///etc/passwd"><svg/>'
    yield "postscript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(w) file"
    yield "pdf", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj"
    yield "elf", b"\x7fELF" + bytes(200)
    yield "zip", b"PK\x03\x04" + bytes(200)
    for kind in ("GIF", "BMP", "TIFF", "ICO", "PPM", "TGA", "PCX"):
        yield kind.lower(), picture(kind)
    for name, whole in (("png", good), ("jpeg", jpeg), ("webp", webp)):
        yield f"{name} cut in its header", whole[:20]
        yield f"{name} cut in its middle", whole[: len(whole) // 2]
        yield f"{name} signature alone", whole[:8]
    yield "png cut in its last chunk", picture(size=(64, 64))[:-30]
    yield "bomb by its header", png(30_000, 30_000, b"")
    yield "bomb that unfolds", png(8000, 8000, bytes(8000 * 24_001 // 8))
    yield "too wide", png(8193, 8, bytes(8 * (8193 * 3 + 1)))
    yield "too high", png(8, 8193, bytes(8193 * 25))
    yield "larger than the largest number", png(2**31 - 1, 2**31 - 1, b"")
    yield "no width", png(0, 16, b"")
    yield "too small", picture(size=(4, 4))
    yield "rows missing", png(64, 64, bytes(64))
    yield "no pixels", png(64, 64, b"")
    yield (
        "text chunk that unfolds",
        png(16, 16, bytes(16 * 49), chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(200 << 20)))),
    )
    yield (
        "profile that unfolds",
        png(16, 16, bytes(0), chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(100 << 20)))),
    )
    yield "animated png", animation("PNG")
    yield "animated webp", animation("WEBP")
    yield "pixels that do not unfold", png(64, 64, b"").replace(zlib.compress(b""), b"\xff" * 8)
    yield "jpeg of no size", jpeg.replace(struct.pack(">HH", 16, 16), struct.pack(">HH", 0, 0))
    yield "jpeg of giant size", jpeg.replace(struct.pack(">HH", 16, 16), struct.pack(">HH", 65535, 65535))
    yield "more than the limit", good + bytes(33 << 20)


IMAGES = dict(hostile_images())


@pytest.mark.parametrize("name", IMAGES)
def test_a_bad_picture_is_refused_in_words(client: TestClient, name: str) -> None:
    answer = client.post(
        "/api/images",
        content=IMAGES[name],
        headers={"Content-Type": "image/png", "X-Name": "../../etc/x.png"},
    )
    assert 400 <= answer.status_code < 500, (name, answer.text)
    assert len(answer.json()["error"]) > 10
    assert "Traceback" not in answer.text
    assert "/tmp" not in answer.text
    assert client.get("/api/health").status_code == 200


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_good_picture_comes_back_as_it_was(client: TestClient, kind: str) -> None:
    content = picture(kind, (24, 16))
    view = client.post("/api/images", content=content).json()
    assert (view["width"], view["height"], view["bytes"]) == (24, 16, len(content))
    assert client.post("/api/images", content=content).json() == view
    back = client.get(f"/api/images/{view['digest']}")
    assert back.content == content
    assert back.headers["content-type"] == view["media_type"] == f"image/{kind.lower()}"
    assert "immutable" in back.headers["cache-control"]
    shot = {"prompt": "a ball", "instructions": [{"kind": "image", "image": view["reference"]}]}
    project = client.post("/api/projects", json={"name": "p"}).json()
    made = client.post(f"/api/projects/{project['id']}/shots", json={"shot": shot}).json()
    assert made["shot"]["instructions"][0]["image"] == view["reference"]


def test_a_clip_gives_its_shot_back(client: TestClient, tmp_path: Path) -> None:
    frames = np.zeros((3, 16, 16, 3), np.uint8)
    shot = Shot("a red ball", seed=4).image(picture())
    for ending in ("mp4", "webm", "gif", "png", "apng"):
        path = tmp_path / f"clip.{ending}"
        write_clip(path, frames, 8, shot)
        found = client.post("/api/clips", content=path.read_bytes())
        assert found.status_code == 200, found.text
        assert found.json()["shot"]["seed"] == 4
        assert found.json()["shot"]["instructions"][0]["image"].startswith("sha256:")
    write_clip(tmp_path / "bare.mp4", frames, 8)
    for content in ((tmp_path / "bare.mp4").read_bytes(), b"", b"junk", path.read_bytes()[:100], bytes(9999)):
        answer = client.post("/api/clips", content=content)
        assert answer.status_code == 422
        assert str(tmp_path) not in answer.text


def packed(entries: dict[str, bytes | str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, content in entries.items():
            pack.writestr(name, content)
    return file.getvalue()


def hostile_projects() -> Iterator[tuple[str, bytes]]:
    empty = {
        "format": "rehearse-project", "version": 1, "id": "a" * 32, "name": "p", "created": 0,
        "images": [], "shots": [], "takes": [],
    }  # fmt: skip
    index = json.dumps(empty)
    digest = "0" * 64
    shot = {"id": "b" * 32, "name": "s", "created": 0, "deleted": None,
            "revisions": [{"revision": 1, "document": '{"prompt": "x"}', "created": 0}]}  # fmt: skip
    yield "nothing", b""
    yield "no zip", b"hello" * 100
    yield "cut zip", packed({"project.json": index})[:-10]
    yield "empty zip", packed({})
    yield "path upwards", packed({"project.json": index, "../evil": b"x"})
    yield "absolute path", packed({"project.json": index, "/etc/cron.d/x": b"x"})
    yield "path inside a blob's name", packed({"project.json": index, f"blobs/../{digest}": b"x"})
    yield "backslashes", packed({"project.json": index, "blobs\\..\\x": b"x"})
    yield "file that nothing names", packed({"project.json": index, f"blobs/{digest}": b"x"})
    yield "file that is missing", packed({"project.json": json.dumps({**empty, "images": [digest]})})
    yield (
        "wrong content",
        packed({"project.json": json.dumps({**empty, "images": [digest]}), f"blobs/{digest}": b"x"}),
    )
    yield "index no json", packed({"project.json": "{"})
    yield "index a list", packed({"project.json": "[]"})
    yield "index deep", packed({"project.json": "[" * 100_000})
    yield "unknown field", packed({"project.json": json.dumps({**empty, "run": "x"})})
    yield "other version", packed({"project.json": json.dumps({**empty, "version": 2})})
    yield "id with a path", packed({"project.json": json.dumps({**empty, "id": "../x"})})
    yield "index bomb", packed({"project.json": b" " * (300 << 20)})
    yield "shot no good", packed(
        {"project.json": json.dumps(
            {**empty, "shots": [{**shot, "revisions": [{"revision": 1, "document": "{}", "created": 0}]}]}
        )}
    )  # fmt: skip
    yield "shot twice", packed({"project.json": json.dumps({**empty, "shots": [shot, shot]})})
    yield "not a number", packed({"project.json": index.replace('"created": 0', '"created": NaN')})


PROJECTS = dict(hostile_projects())


@pytest.mark.parametrize("name", PROJECTS)
def test_a_bad_project_is_refused_in_words(client: TestClient, tmp_path: Path, name: str) -> None:
    answer = client.post("/api/projects/import", content=PROJECTS[name])
    assert answer.status_code in (413, 422), (name, answer.text)
    assert len(answer.json()["error"]) > 10
    assert client.get("/api/projects").json()["projects"] == []
    left = [path.name for path in (tmp_path / "projects").iterdir() if path.name.startswith(".upload")]
    assert left == [], "nothing is left behind"
