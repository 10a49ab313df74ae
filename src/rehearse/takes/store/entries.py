"""What lies where in the zip of a project, also where a person unpacked it and packed it again."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rehearse.takes.store.errors import StoreError

INDEX = "project.json"
_BLOB = re.compile("blobs/([0-9a-f]{64})")
_MOST_ENTRIES = 300_000
_WAYS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 98: "PPMd"}
_AGAIN = "pack it again as an ordinary zip, compressed by deflate or not at all"

# What file managers add to a folder or a zip, unseen.
_SYSTEM_FOLDER = "__MACOSX"
_SYSTEM_FILES = {".ds_store", "thumbs.db", "desktop.ini", ".directory"}

_OTHERS = (
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it, and pack what is in it as a zip"),
    (b"Rar!", "a RAR archive; unpack it, and pack what is in it as a zip"),
    (b"\x1f\x8b", "a gzip archive; unpack it, and pack what is in it as a zip"),
    (b"\xfd7zXZ", "an XZ archive; unpack it, and pack what is in it as a zip"),
    (b"SQLite format 3", "a database; start the studio with --projects and the folder it lies in"),
)


@dataclass(frozen=True, slots=True)
class Entries:
    """The entries of a project's zip: its index, and its files by digest (64 hex digits)."""

    index: zipfile.ZipInfo
    blobs: dict[str, zipfile.ZipInfo]


def entries_of(pack: zipfile.ZipFile) -> Entries:
    """The entries of a project, at the top of the zip or all in one folder of it; what file managers add is
    passed over, and backslashes between names are read.

    Raises StoreError: no project in it, several, packed in a way that is not read, or things that are no
    part of one.
    """
    infos = pack.infolist()
    if len(infos) > _MOST_ENTRIES:
        raise StoreError(f"the project has {len(infos)} files; at most {_MOST_ENTRIES} are taken")
    named = [(_name(info), info) for info in infos if not _is_nothing(info)]
    _refuse_other_ways(info for _, info in named)
    tops = sorted(name.removesuffix(INDEX) for name, _ in named if f"/{name}".endswith(f"/{INDEX}"))
    if not tops:
        raise StoreError(
            f"this is not a project file: it has no {INDEX}{_inside([name for name, _ in named])}"
        )
    if len(tops) > 1:
        raise StoreError(
            f"this is not a project file: it holds {INDEX} more than once; pack one project by itself"
        )
    index, blobs = None, dict[str, zipfile.ZipInfo]()
    for name, info in named:
        inner = name.removeprefix(tops[0])
        if name == f"{tops[0]}{INDEX}":
            index = info
        elif not name.startswith(tops[0]) or not (match := _BLOB.fullmatch(inner)):
            raise StoreError(
                f"this is not a project file: it holds {name[:60]!r} too, which is no part of one; take that "
                "out and pack it again"
            )
        elif match[1] in blobs:
            raise StoreError(f"this is not a project file: it holds {match[1][:12]} twice")
        else:
            blobs[match[1]] = info
    assert index is not None
    return Entries(index, blobs)


def refuse_no_zip(file: Path) -> None:
    """StoreError, naming what it is, where a file is not a zip but something else that is known."""
    with file.open("rb") as opened:
        start = opened.read(64)
    if not start:
        raise StoreError("this is not a project file: it is empty; export the project again")
    for mark, what in _OTHERS:
        if start.startswith(mark):
            raise StoreError(f"this is not a project file but {what}")
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        raise StoreError(
            f"this is not a project file but JSON; a project is a zip of {INDEX} and the folder blobs; give "
            "the file that was exported, or pack both of them as a zip"
        )


def _name(info: zipfile.ZipInfo) -> str:
    # Some packers of Windows write backslashes, and some of Unix ./ in front.
    return info.filename.replace("\\", "/").removeprefix("./")


def _is_nothing(info: zipfile.ZipInfo) -> bool:
    """Whether an entry is a folder, or what a file manager left."""
    name = _name(info)
    if name.endswith("/"):
        return info.file_size == 0
    path = PurePosixPath(name)
    return (
        _SYSTEM_FOLDER in path.parts[:2] or path.name.lower() in _SYSTEM_FILES or path.name.startswith("._")
    )


def _refuse_other_ways(infos: Iterable[zipfile.ZipInfo]) -> None:
    for info in infos:
        if info.flag_bits & 1:
            raise StoreError("this project file is locked with a password; pack it again without one")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # Others unfold a little all at once, however little is asked for.
            way = _WAYS.get(info.compress_type, f"method {info.compress_type}")
            raise StoreError(f"this project file is compressed by {way}, which is not read; {_AGAIN}")


def _inside(names: list[str]) -> str:
    """What to do about a zip that holds an exported file, or half of a project."""
    packed = [name for name in names if name.lower().endswith((".rehearse", ".zip"))]
    if packed:
        return f", but {packed[0][:60]!r}; unpack this zip and choose that"
    if any(_BLOB.search(name) for name in names):
        return "; pack the whole unpacked folder, not its folder blobs alone"
    return "; choose a file that Rehearse exported"
