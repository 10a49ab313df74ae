"""Files that nobody should send: pictures, projects and clips, each by a name that says what is wrong."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from rehearse.media import write_clip
from rehearse.shot import Shot

Files = Iterator[tuple[str, bytes]]

STRANGERS: dict[str, bytes] = {
    "avif": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf",
    "heic": b"\0\0\0\x18ftypheic\0\0\0\0heicmif1",
    "jpeg 2000": b"\0\0\0\x0cjP  \r\n\x87\n",
    "jpeg xl": b"\0\0\0\x0cJXL \r\n\x87\n",
    "photoshop": b"8BPS\0\x01\0\0\0\0\0\0\0\x03",
    "openexr": b"\x76\x2f\x31\x01\x02\0\0\0",
    "dds": b"DDS \x7c\0\0\0",
    "cursor": b"\0\0\x02\0\x01\0",
    "metafile": b"\xd7\xcd\xc6\x9a\0\0",
    "radiance": b"#?RADIANCE\n",
    "xpm": b"/* XPM */\nstatic char *x[] = {",
    "djvu": b"AT&TFORM\0\0\0\0DJVM",
    "fits": b"SIMPLE  =                    T",
    "dicom": bytes(128) + b"DICM",
    "mp3": b"ID3\x04\0\0\0\0\0\0",
    "wav": b"RIFF\x24\0\0\0WAVEfmt ",
    "avi": b"RIFF\x24\0\0\0AVI LIST",
    "ogg": b"OggS\0\x02",
    "flac": b"fLaC\0\0\0\x22",
    "matroska": b"\x1aE\xdf\xa3\x01\0\0\0",
    "gzip": b"\x1f\x8b\x08\0\0\0\0\0",
    "bzip2": b"BZh91AY&SY",
    "xz": b"\xfd7zXZ\0\0\x04",
    "zstd": b"\x28\xb5\x2f\xfd\0",
    "7z": b"7z\xbc\xaf\x27\x1c",
    "rar": b"Rar!\x1a\x07\x01\0",
    "tar": b"x" * 257 + b"ustar\x0000",
    "pickle": pickle.dumps({"os.system": "ls"}),
    "numpy": b"\x93NUMPY\x01\0v\0{'descr': '|O'}",
    "hdf5": b"\x89HDF\r\n\x1a\n",
    "safetensors": struct.pack("<Q", 2) + b"{}",
    "sqlite": b"SQLite format 3\0",
    "parquet": b"PAR1\x15\x04",
    "java": b"\xca\xfe\xba\xbe\0\0\0\x3d",
    "wasm": b"\0asm\x01\0\0\0",
    "macho": b"\xcf\xfa\xed\xfe\x07\0\0\x01",
    "windows program": b"MZ\x90\0\x03\0\0\0",
    "shell script": b"#!/bin/sh\nrm -rf /\n",
    "python": b"import os; os.system('id')\n",
    "php": b"<?php system($_GET['c']); ?>",
    "entities": b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "b">]><l>&a;</l>',
    "yaml": b"!!python/object:os.x",
    "rich text": b"{\\rtf1\\ansi}",
    "old word": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "font": b"OTTO\0\x09\0\x80",
    "woff2": b"wOF2\0\x01\0\0",
    "capture": b"\xd4\xc3\xb2\xa1\x02\0\x04\0",
    "lnk": b"L\0\0\0\x01\x14\x02\0",
}
"""The beginnings of files of other kinds."""


def picture(
    kind: str = "PNG", size: tuple[int, int] = (16, 16), mode: str = "RGB", **options: object
) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind, **options)
    return file.getvalue()


def noise(kind: str) -> bytes:
    """A picture that does not compress, so that a cut anywhere is a cut in its pixels."""
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (48, 48, 3), np.uint8)).save(file, kind)
    return file.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(
    width: int,
    height: int,
    rows: bytes,
    *more: bytes,
    bits: int = 8,
    colour: int = 2,
    ways: bytes = b"\0\0\0",
) -> bytes:
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


def _strangers() -> Files:
    for name, start in STRANGERS.items():
        yield name, start + bytes(64)


def images() -> Files:
    """Bodies for an upload of a picture."""
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
    yield from _strangers()
    for kind in ("GIF", "BMP", "TIFF", "ICO", "PPM", "TGA", "PCX"):
        yield kind.lower(), picture(kind)
    for kind in ("PNG", "JPEG", "WEBP"):
        whole = noise(kind)
        yield f"{kind.lower()} signature alone", whole[:8]
        for tenth in range(1, 10):
            yield f"{kind.lower()} cut at {tenth} tenths", whole[: len(whole) * tenth // 10]
    yield "png cut in its last chunk", picture(size=(64, 64))[:-30]
    yield "png behind a page", b"<html>" + good
    yield "png behind a zip", packed({"x": b"y"}) + good
    yield "jpeg behind nul bytes", bytes(512) + jpeg
    yield "bomb by its header", png(30_000, 30_000, b"")
    yield "bomb that unfolds", png(8000, 8000, bytes(8000 * 24_001 // 8))
    yield "too wide", png(8193, 8, bytes(8 * (8193 * 3 + 1)))
    yield "too high", png(8, 8193, bytes(8193 * 25))
    yield "larger than the largest number", png(2**31 - 1, 2**31 - 1, b"")
    yield "16 bits and too wide", png(8193, 8, bytes(8 * (8193 * 6 + 1)), bits=16)
    yield "no width", png(0, 16, b"")
    yield "too small", picture(size=(4, 4))
    yield "rows missing", png(64, 64, bytes(64))
    yield "16 bits and rows missing", png(64, 64, bytes(64), bits=16, colour=0)
    yield "no pixels", png(64, 64, b"")
    yield "three bits", png(16, 16, bytes(16 * 49), bits=3)
    yield "no such colour", png(16, 16, bytes(16 * 49), colour=5)
    yield "header damaged", good.replace(struct.pack(">II", 16, 16), struct.pack(">II", 16, 17), 1)
    yield "header too short", good[:8] + chunk(b"IHDR", bytes(12)) + good[33:]
    yield "first chunk endless", good[:8] + b"\x7f\xff\xff\xff" + good[12:]
    yield "first chunk of another kind", good[:8] + chunk(b"IDAT", b"x")
    yield "no such filter", png(16, 16, (b"\x09" + bytes(48)) * 16)
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
    yield (
        "animated png that says it is endless",
        png(16, 16, bytes(16 * 49), chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))),
    )
    yield "pixels that do not unfold", png(64, 64, b"").replace(zlib.compress(b""), b"\xff" * 8)
    yield "jpeg of no size", jpeg.replace(struct.pack(">HH", 16, 16), struct.pack(">HH", 0, 0))
    yield "jpeg of giant size", jpeg.replace(struct.pack(">HH", 16, 16), struct.pack(">HH", 65535, 65535))
    yield "jpeg of nothing", b"\xff\xd8\xff\xd9"
    yield "jpeg without tables", jpeg.replace(b"\xff\xdb", b"\xff\xee").replace(b"\xff\xc4", b"\xff\xee")
    yield "webp of nothing", b"RIFF\x04\0\0\0WEBP"
    yield "webp of giant size", b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(4) + b"\xff" * 6
    yield "webp with noise for pixels", webp[:20] + bytes(range(256))
    yield "more than the limit", good + bytes(33 << 20)


def packed(
    entries: dict[str, bytes | str],
    change: Callable[[zipfile.ZipInfo], None] | None = None,
    way: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """A zip. change: of each entry, before it is written. way: how they are packed."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, content in entries.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = way
            if change is not None:
                change(info)
            pack.writestr(info, content)
    return file.getvalue()


def _link(info: zipfile.ZipInfo) -> None:
    if info.filename != "project.json":
        info.create_system = 3
        info.external_attr = (stat.S_IFLNK | 0o777) << 16


EMPTY: dict[str, Any] = {
    "format": "rehearse-project",
    "version": 1,
    "id": "a" * 32,
    "name": "p",
    "created": 0,
    "images": [],
    "shots": [],
    "takes": [],
}
DIGEST = "0" * 64


def _named(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _shot(document: object = None, **more: object) -> dict[str, Any]:
    text = json.dumps({"prompt": "x"} if document is None else document)
    return {
        "id": "b" * 32,
        "name": "s",
        "created": 0,
        "deleted": None,
        "revisions": [{"revision": 1, "document": text, "created": 0}],
        **more,
    }


def _take(**more: object) -> dict[str, Any]:
    return {
        "id": "c" * 32,
        "shot": "b" * 32,
        "shot_revision": 1,
        "parent": None,
        "branch_step": None,
        "document": '{"prompt": "x"}',
        "status": "paused",
        "step": 0,
        "total": 4,
        "until": None,
        "frames": 2,
        "width": 8,
        "height": 8,
        "fps": 8,
        "name": "t",
        "pinned": False,
        "error": None,
        "begun": False,
        "seconds": None,
        "look": None,
        "picture": None,
        "created": 0,
        "deleted": None,
        "steps": [],
        **more,
    }


def _project(*files: bytes, takes: object = (), shots: object = None, **more: object) -> bytes:
    whole = {**EMPTY, "shots": [_shot()] if shots is None else shots, "takes": list(takes), **more}  # type: ignore[call-overload]
    return packed({"project.json": json.dumps(whole), **{f"blobs/{_named(one)}": one for one in files}})


def _unfolding() -> bytes:
    """Ten files of 8 MiB in a few dozen kilobytes."""
    many = [bytes([number]) * (8 << 20) for number in range(10)]
    return _project(*many, images=[_named(one) for one in many])


def _strip(content: bytes, **more: object) -> dict[str, Any]:
    return {"digest": _named(content), "frames": 2, "columns": 2, "width": 8, "height": 8, **more}


def _step(step: int = 0, **more: object) -> dict[str, Any]:
    preview = _strip(picture(size=(16, 8)))
    return {
        "step": step,
        "checkpoint": None,
        "preview": preview,
        "look": None,
        "inherited": False,
        "seconds": None,
        "created": 0,
        **more,
    }


def projects() -> Files:
    """Bodies for an import of a project."""
    index = json.dumps(EMPTY)
    strip = picture(size=(16, 8))
    shot = _shot()
    yield "nothing", b""
    yield "no zip", b"hello" * 100
    yield "zip cut", packed({"project.json": index})[:-10]
    yield "zip without its start", packed({"project.json": index})[30:]
    yield "zip of nothing", packed({})
    for name, path in {
        "path upwards": "../evil",
        "path upwards, deep": "blobs/../../../../tmp/evil",
        "absolute": "/etc/cron.d/x",
        "path in a digest": f"blobs/../{DIGEST}",
        "backslashes": "blobs\\..\\x",
        "drive": "C:/evil",
        "drive with backslash": "C:\\evil",
        "share": "\\\\host\\share\\x",
        "home": "~/.ssh/authorized_keys",
        "here": f"./blobs/{DIGEST}",
        "doubled slash": f"blobs//{DIGEST}",
        "folder": "blobs/",
        "device": "/dev/null",
        "capital digest": f"blobs/{'A' * 64}",
        "short digest": "blobs/abc",
        "long name": "x" * 60_000,
        "newline": f"blobs/{DIGEST}\n",
        "other letters": "blobs/\N{CYRILLIC SMALL LETTER A}" + "0" * 63,
        "second index": "blobs/project.json",
        "index in a folder": "x/project.json",
    }.items():
        yield f"entry: {name}", packed({"project.json": index, path: b"x"})
    yield "entry: file that nothing names", packed({"project.json": index, f"blobs/{DIGEST}": b"x"})
    yield "entry: link", packed({"project.json": index, "link": "/etc/passwd"}, _link)
    linked = packed(
        {"project.json": json.dumps({**EMPTY, "images": [DIGEST]}), f"blobs/{DIGEST}": "/etc/passwd"}, _link
    )
    yield "entry: link for a file", linked
    yield "file missing", packed({"project.json": json.dumps({**EMPTY, "images": [DIGEST]})})
    yield (
        "file with other content",
        packed({"project.json": json.dumps({**EMPTY, "images": [DIGEST]}), f"blobs/{DIGEST}": b"x"}),
    )
    bomb = bytes(64 << 20)
    yield "file that unfolds and is no picture", _project(bomb, images=[_named(bomb)])
    lying = bytearray(_project(bomb, images=[_named(bomb)]))
    for place in _places(lying, struct.pack("<I", len(bomb))):
        lying[place : place + 4] = struct.pack("<I", 100)
    yield "file that unfolds to more than it says", bytes(lying)
    encrypted = bytearray(packed({"project.json": index}))
    encrypted[6] |= 1
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    yield "index encrypted", bytes(encrypted)
    strange = bytearray(packed({"project.json": index}))
    strange[8], strange[strange.index(b"PK\x01\x02") + 10] = 99, 99
    yield "index packed in an unknown way", bytes(strange)
    damaged = bytearray(packed({"project.json": index}))
    damaged[50] ^= 0xFF
    yield "index damaged", bytes(damaged)
    yield "index of 300 MiB", packed({"project.json": b" " * (300 << 20)})
    # Each is much once it is in memory, and little to send.
    yield "index of 33 MiB", packed({"project.json": index + " " * (33 << 20)})
    yield "index of nothing but faults", packed({"project.json": index[:-2] + "0," * 200_000 + "0]}"})
    yield "index of nothing but lists", packed({"project.json": index[:-2] + "[]," * 200_000 + "[]]}"})
    fields = {f"k{number}": 0 for number in range(100_000)}
    yield "index of a thousand unknown fields", packed({"project.json": json.dumps({**EMPTY, **fields})})
    yield "files that unfold to little each", _unfolding()
    for name, way in {"bzip2": zipfile.ZIP_BZIP2, "lzma": zipfile.ZIP_LZMA}.items():
        yield f"index packed by {name}", packed({"project.json": index}, way=way)
    yield "index no json", packed({"project.json": "{"})
    yield "index no text", packed({"project.json": b"\xff\xfe\0"})
    yield "index a pickle", packed({"project.json": pickle.dumps(EMPTY)})
    yield "index a list", packed({"project.json": "[]"})
    yield "index deep", packed({"project.json": "[" * 100_000})
    yield (
        "index with a key of a megabyte",
        packed({"project.json": json.dumps({**EMPTY, "k" * (1 << 20): 1})}),
    )
    yield "created is not a number", packed({"project.json": index.replace('"created": 0', '"created": NaN')})
    yield "created is endless", packed({"project.json": index.replace('"created": 0', '"created": 1e999')})
    yield (
        "created has 5000 digits",
        packed({"project.json": index.replace('"created": 0', '"created": ' + "9" * 5000)}),
    )
    for name, more in {
        "unknown field": {"run": "x"},
        "other version": {"version": 99},
        "version as text": {"version": "1"},
        "other format": {"format": "other"},
        "id with a path": {"id": "../x"},
        "id empty": {"id": ""},
        "no name": {"name": ""},
        "name too long": {"name": "x" * 201},
        "name a list": {"name": ["x"]},
        "negative time": {"created": -1},
        "digest with a path": {"images": ["../../etc/passwd"]},
        "images a text": {"images": DIGEST},
        "shot twice": {"shots": [shot, shot]},
        "shot without revisions": {"shots": [_shot(revisions=[])]},
        "revision 0": {"shots": [_shot(revisions=[{"revision": 0, "document": "{}", "created": 0}])]},
        "revision twice": {"shots": [_shot(revisions=shot["revisions"] * 2)]},
        "shot with a number for its prompt": {"shots": [_shot({"prompt": 1})]},
        "shot that is no object": {"shots": [_shot([])]},
        "shot with an instruction of no kind": {"shots": [_shot({"instructions": [{}]})]},
        "shot of a newer version": {"shots": [_shot({"version": 999, "prompt": "x"})]},
        "shot with an unknown field": {"shots": [_shot({"prompt": "x", "eval": "1"})]},
        "shot with a file for its picture": {"shots": [_pictured("images/x.png")]},
        "shot with a picture upwards": {"shots": [_pictured("../../etc/passwd")]},
        "shot with a picture of the web": {"shots": [_pictured("http://169.254.169.254/x.png")]},
        "shot with a picture that is elsewhere": {"shots": [_pictured(f"sha256:{DIGEST}")]},
        "shot with a bad picture inside": {"shots": [_pictured("data:image/png;base64,AAAA")]},
        "take of no shot": {"takes": [_take()]},
    }.items():
        yield f"index: {name}", packed({"project.json": json.dumps({**EMPTY, **more})})
    for name, take in {
        "parent missing": _take(parent="d" * 32),
        "its own parent": _take(parent="c" * 32),
        "revision missing": _take(shot_revision=7),
        "running": _take(status="running"),
        "status unknown": _take(status="owned"),
        "step negative": _take(step=-1),
        "too many steps": _take(total=1001),
        "endless frames": _take(frames=2**60),
        "no frames a second": _take(fps=0),
        "pinned in words": _take(pinned="x"),
        "begun without a checkpoint": _take(begun=True),
        "finished without a clip": _take(status="finished"),
        "steps doubled": _take(step=0, steps=[_step(), _step()]),
        "steps backwards": _take(steps=[_step(1), _step(0)]),
        "steps beyond it": _take(step=0, steps=[_step(3)]),
        "strip without columns": _take(steps=[_step(preview=_strip(strip, columns=0))]),
        "strip of giant frames": _take(steps=[_step(preview=_strip(strip, width=9000))]),
        "document no shot": _take(document="[]"),
        "document deep": _take(document="[" * 50_000),
    }.items():
        yield f"take: {name}", _project(strip, takes=[take])
    circle = [_take(id="c" * 32, parent="d" * 32), _take(id="d" * 32, parent="c" * 32)]
    yield "take: in a circle", _project(takes=circle)
    yield "take: twice", _project(takes=[_take(), _take()])
    for name, content in {
        "a text": b"hello",
        "a page": b"<html>",
        "of another size": picture(size=(64, 64)),
        "grey": picture(size=(16, 8), mode="L"),
        "a jpeg": picture("JPEG", (16, 8)),
        "cut": strip[:40],
        "a bomb": png(16, 8, b"")[:33] + chunk(b"IDAT", zlib.compress(bytes(1))),
    }.items():
        take = _take(step=0, steps=[_step(preview=_strip(content))])
        yield f"preview: {name}", _project(content, takes=[take])
    for name, content in {
        "a text": b"hello world",
        "a pickle": pickle.dumps({"a": 1}),
        "nothing": b"",
        "of endless header": struct.pack("<Q", 2**60) + b"{}",
        "of other making": struct.pack("<Q", 2) + b"{}",
        "of deep header": struct.pack("<Q", 50_000) + b"[" * 50_000,
        "a list": struct.pack("<Q", 2) + b"[]",
    }.items():
        take = _take(step=0, begun=True, steps=[_step(checkpoint=_named(content))])
        yield f"checkpoint: {name}", _project(strip, content, takes=[take])
    for name, content in {
        "a text": b"hello",
        "too small": picture(size=(4, 4)),
        "animated": animation("GIF"),
    }.items():
        yield f"picture: {name}", _project(content, images=[_named(content)])
        yield f"intermediate picture: {name}", _project(content, takes=[_take(picture=_named(content))])


def _pictured(uri: str) -> dict[str, Any]:
    return _shot({"prompt": "x", "instructions": [{"kind": "image", "image": uri}]})


def _places(content: bytearray, wanted: bytes) -> Iterator[int]:
    at = content.find(wanted)
    while at >= 0:
        yield at
        at = content.find(wanted, at + 1)


def clips(folder: Path) -> Files:
    """Bodies for reading a clip's shot. folder: to write good clips to, before they are spoiled."""
    frames = np.random.default_rng(2).integers(0, 255, (3, 32, 32, 3), np.uint8)
    shot = Shot("a red ball", seed=4)
    yield "empty", b""
    yield "text", b"junk"
    yield "nul bytes", bytes(9999)
    for name in (
        "mp3",
        "wav",
        "avi",
        "matroska",
        "ogg",
        "pickle",
        "zstd",
        "avif",
        "safetensors",
        "shell script",
    ):
        yield name, STRANGERS[name] + bytes(64)
    for ending in ("mp4", "webm", "gif", "png", "apng"):
        bare, whole = folder / f"bare.{ending}", folder / f"whole.{ending}"
        write_clip(bare, frames, 8)
        yield f"{ending} without a shot", bare.read_bytes()
        write_clip(whole, frames, 8, shot)
        content = whole.read_bytes()
        yield f"{ending} signature alone", content[:12]
        yield f"{ending} cut in its head", content[:60]
        yield f"{ending} of a newer shot", content.replace(b'"version":1', b'"version":9')
    yield "mp4 whose first box is endless", b"\xff\xff\xff\xffftypisom" + bytes(32)
    yield "mp4 whose boxes hold each other", b"\0\0\0\x10moov\0\0\0\x10moov" * 4000
    yield "gif of giant size", b"GIF89a\xff\xff\xff\xff\0\0\0;"
    yield "png of giant size", png(30_000, 30_000, b"")
    text = chunk(b"zTXt", b"comment\0\0" + zlib.compress(bytes(200 << 20)))
    yield "png whose text unfolds", png(16, 16, bytes(16 * 49), text)
    deep = chunk(b"tEXt", b"comment\0" + b"[" * 100_000)
    yield "png whose text is deep", png(16, 16, bytes(16 * 49), deep)
