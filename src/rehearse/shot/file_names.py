"""Files by the names that people and programs write for them."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path


def existing(path: Path) -> Path:
    """The file that a path means: itself where it is there, else the one whose name reads the same.

    An accented letter may be stored as one character or as a letter and its accent, and which of them
    depends on the system that made the file: both read the same, and only one is found. Gives ``path`` back
    where there is none.
    """
    try:
        if path.exists() or str(path).isascii():
            return path
        found = Path(path.anchor or ".")
        for part in path.relative_to(path.anchor).parts:
            found = found / _entry(found, part)
        return found if found.exists() else path
    except (OSError, ValueError):
        return path


def _entry(folder: Path, name: str) -> str:
    if name in (os.curdir, os.pardir) or name.isascii() or (folder / name).exists():
        return name
    wanted = unicodedata.normalize("NFC", name)
    names = (other.name for other in folder.iterdir())
    return next((other for other in names if unicodedata.normalize("NFC", other) == wanted), name)
