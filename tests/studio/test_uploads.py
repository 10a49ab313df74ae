"""Hostile and broken uploads: each a clear 4xx, and the server up."""

from __future__ import annotations

import io
import struct
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import hostile
import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient
from hand_engine import HandEngine
from PIL import Image

from rehearse.media import write_clip
from rehearse.shot import ImageRef, Shot
from rehearse.studio.app import create_app
from rehearse.takes.store import exchange
from rehearse.takes.store.errors import StoreError
from rehearse.takes.store.store import Store

IMAGES = dict(hostile.images())
PROJECTS = dict(hostile.projects())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("besieged") / "projects"


@pytest.fixture(scope="module")
def besieged(folder: Path) -> Iterator[TestClient]:
    """One server for all of it: what one upload breaks, the next finds broken."""
    app = create_app(folder, HandEngine())
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


def refused(answer: httpx.Response, client: TestClient, folder: Path) -> None:
    """A clear 4xx, and the server as it was."""
    assert 400 <= answer.status_code < 500, answer.text
    said = answer.json()["error"]
    assert 10 < len(said) < 600
    assert "Traceback" not in said
    assert str(folder.parent) not in said
    assert client.get("/api/health").status_code == 200
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] in ([], [".upgrade"])


def test_there_are_two_hundred_of_them(tmp_path: Path) -> None:
    assert len(IMAGES) + len(PROJECTS) + len(dict(hostile.clips(tmp_path))) >= 200


@pytest.mark.parametrize("name", IMAGES)
def test_a_bad_picture_is_refused_in_words(besieged: TestClient, folder: Path, name: str) -> None:
    headers = {"Content-Type": "image/png", "X-Name": "../../etc/x.png"}
    refused(besieged.post("/api/images", content=IMAGES[name], headers=headers), besieged, folder)


def odd_pictures() -> Iterator[tuple[str, bytes]]:
    """What cameras and tools write, odd as it is."""
    good = hostile.picture()
    yield "a page behind it", good + b"<html><script>alert(1)</script></html>"
    yield "a zip behind it", good + hostile.packed({"x": b"y"})
    yield "a last chunk that says it is endless", good[:33] + b"\x7f\xff\xff\xffIDAT" + good[41:]
    yield "16 bits", hostile.png(16, 16, bytes(16 * 97), bits=16)
    yield "16 bits of grey", hostile.png(16, 16, bytes(16 * 33), bits=16, colour=0)
    yield "one bit", hostile.png(16, 16, bytes(16 * 3), bits=1, colour=0)
    yield "alpha", hostile.picture(mode="RGBA")
    yield "palette", hostile.picture(mode="P")
    yield "cmyk", hostile.picture("JPEG", mode="CMYK")
    jpeg = hostile.picture("JPEG")
    yield "a first segment without length", jpeg[:4] + b"\0\0" + jpeg[6:]
    yield "bad exif", hostile.picture("JPEG", exif=b"Exif\0\0" + bytes(range(256)) * 200)
    circle = b"II*\0\x08\0\0\0" + b"\x01\0" + struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<I", 8)
    yield "exif that points at itself", hostile.picture("JPEG", exif=b"Exif\0\0" + circle)
    giant = b"II*\0\x08\0\0\0" + b"\x01\0" + struct.pack("<HHII", 0x0112, 3, 2**31 - 1, 8) + bytes(4)
    yield "exif of giant count", hostile.picture("JPEG", exif=b"Exif\0\0" + giant)


ODD = dict(odd_pictures())


@pytest.mark.parametrize("name", ODD)
def test_an_odd_picture_is_taken_and_harmless(client: TestClient, name: str) -> None:
    view = client.post("/api/images", content=ODD[name])
    assert view.status_code == 201, view.text
    back = client.get(f"/api/images/{view.json()['digest']}")
    # Whatever else it might be, a browser is told that it is a picture, and told not to guess.
    assert back.headers["content-type"] == view.json()["media_type"]
    assert back.headers["x-content-type-options"] == "nosniff"
    assert "script-src 'self'" in back.headers["content-security-policy"]
    shot = {"prompt": "a ball", "instructions": [{"kind": "image", "image": view.json()["reference"]}]}
    project = client.post("/api/projects", json={"name": "p"}).json()
    assert client.post(f"/api/projects/{project['id']}/shots", json={"shot": shot}).status_code == 201


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_good_picture_comes_back_as_it_was(client: TestClient, kind: str) -> None:
    content = hostile.picture(kind, (24, 16))
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


@pytest.mark.parametrize("orientation", [1, 2, 3, 6, 7])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_shown_as_models_see_it(client: TestClient, kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    levels = np.kron(np.random.default_rng(1).integers(0, 256, (2, 3, 3)), np.ones((8, 8, 1))).astype(
        np.uint8
    )
    file = io.BytesIO()
    Image.fromarray(levels).save(file, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    content = file.getvalue()
    view = client.post("/api/images", content=content).json()
    assert client.get(f"/api/images/{view['digest']}").content == content  # what is exported stays as it was
    for _ in range(2):
        shown = client.get(f"/api/images/{view['digest']}/shown")
        assert "immutable" in shown.headers["cache-control"]
        picture = Image.open(io.BytesIO(shown.content))
        assert shown.headers["content-type"] == f"image/{str(picture.format).lower()}"
        assert picture.size == (view["width"], view["height"])
        assert picture.getexif().get(0x0112, 1) == 1
        seen = ImageRef.embed(content).load()
        apart = np.abs(np.asarray(picture.convert("RGB"), int) - np.asarray(seen, int))
        assert apart.max() <= (12 if kind == "JPEG" else 0)


def test_what_is_clear_is_shown_on_white_and_what_is_guessed_is_told(client: TestClient) -> None:
    file = io.BytesIO()
    Image.new("RGBA", (24, 16), (200, 0, 0, 0)).save(file, "PNG")
    view = client.post("/api/images", content=file.getvalue()).json()
    assert view["notes"] == []
    shown = client.get(f"/api/images/{view['digest']}/shown").content
    assert Image.open(io.BytesIO(shown)).convert("RGBA").getpixel((3, 3)) == (255, 255, 255, 255)
    printed = client.post("/api/images", content=hostile.picture("JPEG", mode="CMYK")).json()
    assert "CMYK without a colour profile" in printed["notes"][0]
    assert client.get(f"/api/images/{'0' * 64}/shown").status_code == 404


def test_a_clip_gives_its_shot_back(client: TestClient, tmp_path: Path) -> None:
    frames = np.zeros((3, 16, 16, 3), np.uint8)
    shot = Shot("a red ball", seed=4).image(hostile.picture())
    for ending in ("mp4", "webm", "gif", "png", "apng"):
        path = tmp_path / f"clip.{ending}"
        write_clip(path, frames, 8, shot)
        found = client.post("/api/clips", content=path.read_bytes())
        assert found.status_code == 200, found.text
        assert found.json()["shot"]["seed"] == 4
        assert found.json()["shot"]["instructions"][0]["image"].startswith("sha256:")


def test_a_bad_clip_is_refused_in_words(besieged: TestClient, folder: Path, tmp_path: Path) -> None:
    for name, content in hostile.clips(tmp_path):
        answer = besieged.post("/api/clips", content=content)
        assert answer.status_code == 422, (name, answer.text)
        refused(answer, besieged, folder)


@pytest.mark.parametrize("name", PROJECTS)
def test_a_bad_project_is_refused_in_words(besieged: TestClient, folder: Path, name: str) -> None:
    refused(besieged.post("/api/projects/import", content=PROJECTS[name]), besieged, folder)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("index of 33 MiB", "its project.json is larger than 32 MiB"),
        ("index of nothing but faults", "takes.0"),
        ("index of nothing but lists", "its project.json cannot be read"),
        ("index of a thousand unknown fields", "its project.json cannot be read"),
        ("files that unfold to little each", "it says that it unfolds to 80 MiB"),
        ("index packed by bzip2", "is compressed by bzip2"),
        ("index packed by lzma", "is compressed by LZMA"),
    ],
)
def test_a_bomb_is_seen_before_it_unfolds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, sentence: str
) -> None:
    """Little is taken on the way, in memory and on the disk."""
    monkeypatch.setattr(exchange, "_extract", None)
    file = tmp_path / "film.rehearse"
    file.write_bytes(PROJECTS[name])
    store = Store(tmp_path / "projects")
    tracemalloc.start()
    try:
        with pytest.raises(StoreError, match=sentence):
            exchange.import_project(store, file, tmp_path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        store.close()
    assert peak < 24 << 20


def test_a_list_of_entries_is_not_read_at_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "_LARGEST_READ", 10_000)
    file = tmp_path / "film.rehearse"
    file.write_bytes(hostile.packed({f"blobs/{number:064x}": b"" for number in range(200)}))
    with pytest.raises(StoreError, match="its list of entries"):
        exchange.import_project(Store(tmp_path / "projects"), file, tmp_path)


def test_a_shot_of_nothing_but_faults_is_told_the_first(client: TestClient) -> None:
    """A fault costs a kilobyte of memory, and two bytes to send."""
    project = client.post("/api/projects", json={"name": "p"}).json()
    shot = {"prompt": "x", "instructions": [0] * 100_000}
    tracemalloc.start()
    try:
        answer = client.post(f"/api/projects/{project['id']}/shots", json={"shot": shot})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (answer.status_code, answer.json()["field"]) == (422, "shot.instructions[0]")
    assert peak < 16 << 20


def test_nothing_of_it_is_kept(besieged: TestClient, folder: Path) -> None:
    """After all of the above: no picture, no file, no row."""
    assert besieged.get("/api/projects").json()["projects"] == []
    blobs = folder / "blobs"
    assert [path for path in blobs.rglob("*") if path.is_file()] == []
