"""Files that a power cut, a full disk or a kill leaves whole: the old one, or the new one."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path


def write_durably(path: Path, content: bytes) -> None:
    """Write beside ``path``, flush to the disk, rename. Raises OSError; then ``path`` is as it was."""
    part = path.parent / f".{path.name}.{secrets.token_hex(6)}.part"
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync(path.parent)
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def sync(path: Path) -> None:
    """Make what a file holds, or the renaming in a folder, last through a power cut, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


_FULL = (errno.ENOSPC, errno.EDQUOT)


def is_full_disk(error: BaseException) -> bool:
    """Whether an error, or one that it was raised from, is the system's for a disk or quota without room."""
    at: BaseException | None = error
    while at is not None:
        if isinstance(at, OSError) and at.errno in _FULL:
            return True
        at = at.__cause__
    return False


def because(error: OSError) -> str:
    """What the system says of it, to go on a sentence with: "no space left on device"."""
    return (error.strerror or str(error)).lower()
