"""Writing a file whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rehearse.media.errors import MediaError


def _because(error: OSError) -> str:
    """The system's own words; PyAV's errors are OSErrors too and may carry numbers of their own."""
    known = error.errno is not None and error.errno in errno.errorcode and error.strerror
    return str(error.strerror).lower() if known else str(error)


def _target(path: str | os.PathLike[str]) -> Path:
    """The file that ``path`` means, links followed; MediaError where none can be written there."""
    named = Path(path)
    if not named.name or "\0" in str(named):
        raise MediaError(f"cannot write {str(named)!r}: it names no file")
    try:
        target = Path(os.path.realpath(named))
        if target.is_dir():
            raise MediaError(f"cannot write {named}: it is a folder; name a file in it")
        # Renaming over a device (say /dev/null) would replace the device itself.
        if target.exists() and not target.is_file():
            raise MediaError(f"cannot write {named}: it is not a regular file")
        if not target.parent.is_dir():
            raise MediaError(f"cannot write {named}: there is no folder {named.parent}; make it first")
    except OSError as error:
        raise MediaError(f"cannot write {named}: {_because(error)}") from error
    return target


def _part(target: Path) -> Path:
    return target.parent / f".rehearse-{secrets.token_hex(6)}.part"


def check_writable(path: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Raise MediaError, before any work, where ``path`` could not be written.

    A probe file is made in the folder and removed: permissions alone do not tell (read-only mounts, full
    disks). With ``overwrite`` false an existing file is refused too.
    """
    target = _target(path)
    if target.exists() and not overwrite:
        raise MediaError(f"{path} exists already; choose another name or allow overwriting it")
    probe = _part(target)
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise MediaError(f"cannot write {path}: {_because(error)}") from error


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside ``path`` to write to; renamed onto ``path`` at the end of the block.

    Readers see the old file or the whole new one, never a part. When the block raises anything at all,
    Ctrl-C included, the temporary file is removed and ``path`` is as it was. Operating-system errors
    (permissions, a full disk) become a MediaError.
    """
    target = _target(path)
    part = _part(target)
    try:
        # Made here, with the user's own umask; encoders then open it by name.
        part.touch(exist_ok=False)
        mode = part.stat().st_mode
        yield part
        # safetensors puts a file of its own there, which nobody but its owner may read.
        part.chmod(mode)
        part.replace(target)
    except OSError as error:
        raise MediaError(f"cannot write {path}: {_because(error)}") from error
    finally:
        with suppress(OSError):
            part.unlink()
