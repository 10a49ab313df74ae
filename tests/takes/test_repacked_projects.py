"""Projects that people unpacked and packed again, by whatever program: read, or told what to do."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from safetensors.numpy import save as save_tensors

import rehearse.sampling.checkpoint_format as checkpoint_format
from rehearse.shot import Shot
from rehearse.takes.store import projects, shots, tree
from rehearse.takes.store.errors import StoreError
from rehearse.takes.store.exchange import export_project, import_project
from rehearse.takes.store.images import take_in
from rehearse.takes.store.store import Store

Entry = tuple[str, bytes]


@pytest.fixture
def exported(tmp_path: Path) -> list[Entry]:
    """Names and contents of what is in the file of a project with a picture."""
    import numpy as np
    from PIL import Image

    store = Store(tmp_path / "projects")
    picture = io.BytesIO()
    Image.fromarray(np.arange(768, dtype=np.uint8).reshape(16, 16, 3)).save(picture, "PNG")
    with store.write() as session:
        project = str(projects.create_project(session, "Film")["id"])
        drawn = take_in(session, store.blobs, Shot("a ball").image(picture.getvalue()))
        shots.create_shot(session, project, "drawn", "a ball", drawn.to_json())
    export_project(store, project, tmp_path / "film.rehearse")
    store.close()
    with zipfile.ZipFile(tmp_path / "film.rehearse") as pack:
        return [(name, pack.read(name)) for name in pack.namelist()]


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "elsewhere")
    yield store
    store.close()


def packed(place: Path, entries: list[Entry], way: int = zipfile.ZIP_DEFLATED) -> Path:
    file = place / "again.zip"
    with zipfile.ZipFile(file, "w", way) as pack:
        for name, content in entries:
            pack.writestr(name, content)
    return file


def brought(store: Store, file: Path) -> str:
    place = file.parent / "parts"
    place.mkdir()
    return import_project(store, file, place)


def refusal(store: Store, file: Path) -> str:
    with pytest.raises(StoreError) as caught:
        brought(store, file)
    assert "\n" not in str(caught.value)
    return str(caught.value)


PACKERS: dict[str, Callable[[list[Entry]], list[Entry]]] = {
    "as exported": lambda entries: entries,
    "in a folder": lambda entries: [("Film/", b""), *((f"Film/{name}", x) for name, x in entries)],
    "in a folder in a folder": lambda entries: [(f"Films/2026 é/{name}", x) for name, x in entries],
    "with ./ in front": lambda entries: [(f"./{name}", x) for name, x in entries],
    "with backslashes": lambda entries: [(f"Film\\{name}".replace("/", "\\"), x) for name, x in entries],
    "with folders by themselves": lambda entries: [("blobs/", b""), *entries],
    "on a Mac": lambda entries: [
        *((f"Film/{name}", x) for name, x in entries),
        ("Film/.DS_Store", b"x"),
        ("Film/blobs/.DS_Store", b"x"),
        ("__MACOSX/", b""),
        ("__MACOSX/Film/._project.json", b"x"),
        ("__MACOSX/Film/blobs/._" + "0" * 64, b"x"),
        ("__MACOSX/._Film", b"x"),
    ],
    "on Windows": lambda entries: [*entries, ("Thumbs.db", b"x"), ("blobs/desktop.ini", b"x")],
    "with a mark on its index": lambda entries: [
        (name, b"\xef\xbb\xbf" + x if name == "project.json" else x) for name, x in entries
    ],
}


@pytest.mark.parametrize("way", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("packer", PACKERS)
def test_a_repacked_project_is_read(
    exported: list[Entry], other: Store, tmp_path: Path, packer: str, way: int
) -> None:
    project = brought(other, packed(tmp_path, PACKERS[packer](exported), way))
    with other.read() as session:
        (shot,) = shots.list_shots(session, project)
        assert shot["name"] == "drawn" and not tree.list_takes(session, project)
    digest = next(name for name, _ in exported if name.startswith("blobs/")).removeprefix("blobs/")
    assert other.blobs.has(digest)


def _zipped(entries: list[Entry]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as pack:
        for name, content in entries:
            pack.writestr(name, content)
    return file.getvalue()


REFUSED: dict[str, tuple[Callable[[list[Entry]], list[Entry]], str]] = {
    "the exported file inside": (
        lambda entries: [("to you/film.rehearse", _zipped(entries))],
        "but 'to you/film.rehearse'; unpack this zip and choose that",
    ),
    "the folder blobs alone": (
        lambda entries: [(name, x) for name, x in entries if name != "project.json"],
        "pack the whole unpacked folder",
    ),
    "something else": (lambda entries: [("holiday.jpg", b"x")], "choose a file that Rehearse exported"),
    "two projects": (
        lambda entries: [(f"{top}/{name}", x) for top in "ab" for name, x in entries],
        "pack one project by itself",
    ),
    "notes beside it": (lambda entries: [*entries, ("notes.txt", b"x")], "'notes.txt' too"),
    "a file missing": (lambda entries: entries[:1], "lacks the file"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_gets_a_remedy(
    exported: list[Entry], other: Store, tmp_path: Path, name: str
) -> None:
    change, sentence = REFUSED[name]
    assert sentence in refusal(other, packed(tmp_path, change(exported)))


@pytest.mark.parametrize(
    ("way", "name"), [(zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "LZMA")], ids=["bzip2", "LZMA"]
)
def test_another_compression_is_named(
    exported: list[Entry], other: Store, tmp_path: Path, way: int, name: str
) -> None:
    said = refusal(other, packed(tmp_path, exported, way))
    assert f"compressed by {name}" in said and "pack it again as an ordinary zip" in said


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "it is empty"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(60), "a 7z archive"),
        (b"Rar!\x1a\x07\x00", "a RAR archive"),
        (b"\x1f\x8b\x08" + bytes(60), "a gzip archive"),
        (b'\xef\xbb\xbf{"prompt": "a ball"}', "JSON"),
        (b"SQLite format 3\0", "--projects"),
    ],
)
def test_other_files_are_named(other: Store, tmp_path: Path, content: bytes, sentence: str) -> None:
    file = tmp_path / "film.rehearse"
    file.write_bytes(content)
    assert sentence in refusal(other, file)


def _changed(entries: list[Entry], change: dict[str, object]) -> list[Entry]:
    whole = {**json.loads(dict(entries)["project.json"]), **change}
    return [("project.json", json.dumps(whole).encode()), *entries[1:]]


def test_a_newer_project_says_so(exported: list[Entry], other: Store, tmp_path: Path) -> None:
    newer = _changed(exported, {"version": 3, "boards": [], "shots": "elsewhere now"})
    said = refusal(other, packed(tmp_path, newer))
    assert "made by a newer Rehearse (project format 3; this one reads up to 2); update Rehearse" in said


def test_a_newer_shot_in_a_project_says_so(exported: list[Entry], other: Store, tmp_path: Path) -> None:
    (shot,) = json.loads(dict(exported)["project.json"])["shots"]
    shot["revisions"][0]["document"] = json.dumps({"version": 5, "prompt": "a ball", "lens": 35})
    said = refusal(other, packed(tmp_path, _changed(exported, {"shots": [shot]})))
    assert "version is 5" in said and "install a newer Rehearse" in said


def test_a_newer_checkpoint_in_a_project_says_so(tmp_path: Path) -> None:
    import numpy as np

    from rehearse.takes.store.exchange import _checkpoint

    header = {"format": checkpoint_format.FORMAT, "version": str(checkpoint_format.VERSION + 1)}
    file = tmp_path / "checkpoint"
    file.write_bytes(save_tensors({"x": np.zeros(2, np.float32)}, header))
    with pytest.raises(StoreError, match=r"made by a newer Rehearse \(checkpoint format version 3.*update"):
        _checkpoint(file)
    file.write_bytes(save_tensors({"x": np.zeros(2, np.float32)}, {**header, "version": "2"}))
    _checkpoint(file)
