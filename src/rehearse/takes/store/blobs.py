"""Files named by their content: checkpoints, previews, pictures."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from rehearse.durable import is_full_disk, sync
from rehearse.takes.store.errors import DiskFull, StoreError

_DIGEST = re.compile("[0-9a-f]{64}")
_CHUNK = 1 << 20


class Blobs:
    """A folder of files, each under the SHA-256 of its bytes; written whole or not at all, never changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, digest: str) -> Path:
        """Where a blob lies, or would lie. StoreError for what is no digest: no path comes from outside."""
        if not _DIGEST.fullmatch(digest):
            raise StoreError("a digest is 64 hex digits", field="digest")
        return self._folder / digest[:2] / digest[2:]

    def has(self, digest: str) -> bool:
        """Whether the blob is here."""
        return self.path(digest).is_file()

    def get(self, digest: str) -> bytes:
        """The bytes of a blob. StoreError (missing) where it is not here."""
        try:
            return self.path(digest).read_bytes()
        except FileNotFoundError as error:
            raise StoreError("there is no such file", "missing") from error

    def put(self, content: bytes) -> str:
        """Write bytes and flush them to the disk; their digest. DiskFull where there is no room."""
        digest = hashlib.sha256(content).hexdigest()
        if not self.has(digest):
            with self.room(), self._part() as part:
                with part.open("xb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                self._settle(part, digest)
        return digest

    def adopt(self, part: Path) -> str:
        """Take in a file that was written to a path of :meth:`part` and flushed; its digest."""
        with self.room():
            digest = digest_of(part)
            self._settle(part, digest)
            return digest

    @contextlib.contextmanager
    def part(self) -> Iterator[Path]:
        """A path on the same disk to write a file to, gone at the end of the block unless adopted."""
        with self.room(), self._part() as part:
            yield part

    def remove(self, digest: str) -> int:
        """Delete a blob; the bytes freed, 0 where it is not here."""
        path = self.path(digest)
        try:
            size = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            return 0
        return size

    def size(self, digest: str) -> int:
        """Bytes of a blob, 0 where it is not here."""
        try:
            return self.path(digest).stat().st_size
        except FileNotFoundError:
            return 0

    def all(self) -> Iterator[str]:
        """The digests of every blob."""
        for file in self._folder.glob("??/*"):
            digest = file.parent.name + file.name
            if _DIGEST.fullmatch(digest):
                yield digest

    @staticmethod
    @contextlib.contextmanager
    def room() -> Iterator[None]:
        """Inside, a full disk is a DiskFull."""
        try:
            yield
        except OSError as error:
            if is_full_disk(error):
                raise DiskFull from error
            raise

    @contextlib.contextmanager
    def _part(self) -> Iterator[Path]:
        self._folder.mkdir(exist_ok=True)
        part = self._folder / f".{secrets.token_hex(8)}.part"
        try:
            yield part
        finally:
            with contextlib.suppress(OSError):
                part.unlink()

    def _settle(self, part: Path, digest: str) -> None:
        path = self.path(digest)
        if path.is_file():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        part.replace(path)
        for folder in (path.parent, self._folder):
            sync(folder)


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
