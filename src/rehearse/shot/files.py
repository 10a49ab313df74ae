"""Shots on disk: whole files or none, pictures beside them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from rehearse.shot.document import Document
from rehearse.shot.errors import ShotError
from rehearse.shot.image_ref import ImageRef

LARGEST_DOCUMENT = 256 * 2**20

D = TypeVar("D", bound=Document)


def read_document(path: Path) -> bytes:
    """The bytes of a shot file. Raises ShotError."""
    try:
        if not path.exists():
            raise ShotError(f"there is no file {path}")
        if not path.is_file():
            raise ShotError(f"{path} is not a file")
        if path.stat().st_size > LARGEST_DOCUMENT:
            raise ShotError(f"{path} is larger than {LARGEST_DOCUMENT // 2**20} MiB, too large for a shot")
        return path.read_bytes()
    except OSError as error:
        raise ShotError(f"{path} cannot be read: {_because(error)}") from error


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is never seen half-written. Raises ShotError."""
    part = path.with_name(f".rehearse-{secrets.token_hex(6)}.part")
    try:
        try:
            part.write_bytes(content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise ShotError(f"{path} cannot be written: {_because(error)}") from error


def write_images(document: D, path: Path) -> D:
    """Write the inline pictures of a document that shall be saved at `path` beside it, and refer to those
    files.
    """

    def beside(image: ImageRef) -> ImageRef:
        if not image.is_inline:
            return image
        # Named by content: a changed picture never overwrites one that an older shot refers to.
        name = f"{path.stem}-{image.digest()[:12]}{image.suffix}"
        file = path.parent / name
        content = image.read()
        if not (file.is_file() and file.read_bytes() == content):
            write_whole(file, content)
        return ImageRef(name)

    return replace_images(document, beside)


def embed_images(document: D, folder: Path) -> D:
    """The document with every picture inline; relative paths start at `folder`. Raises ShotError."""
    return replace_images(document, lambda image: image.inline(folder))


def replace_images(document: D, replace: Callable[[ImageRef], ImageRef]) -> D:
    """The document with each image reference replaced; faults name the field."""
    fields: dict[str, Any] = {}
    for name, value in document.given().items():
        changed = _replaced(value, replace, name)
        if changed is not value:
            fields[name] = changed
    return type(document)(**{**document.given(), **fields}) if fields else document


def _replaced(value: Any, replace: Callable[[ImageRef], ImageRef], field: str) -> Any:
    if isinstance(value, ImageRef):
        try:
            return replace(value)
        except ShotError as error:
            raise ShotError(error.reason, field=field, value=value.uri) from error
    if isinstance(value, Document):
        try:
            return replace_images(value, replace)
        except ShotError as error:
            raise ShotError(error.reason, field=f"{field}.{error.field}", value=error.value) from error
    if isinstance(value, tuple):
        changed = tuple(_replaced(entry, replace, f"{field}[{i}]") for i, entry in enumerate(value))
        return changed if any(a is not b for a, b in zip(changed, value, strict=True)) else value
    return value


def _because(error: Exception) -> str:
    words = getattr(error, "strerror", None) or str(error)
    return words[:1].lower() + words[1:]
