"""Where a command writes: names made from prompts, and places checked before any work."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from rehearse.cli.failures import BadWord

_LONGEST_NAME = 60


def name_for(prompt: str, suffix: str = ".mp4") -> Path:
    """A file name in this folder that says what is in it and that nothing has yet: ``a-red-ball.mp4``,
    then ``a-red-ball-2.mp4``."""
    # NFKD parts accents from letters, the pattern then drops them; other scripts stay as they are.
    plain = unicodedata.normalize("NFKD", prompt.lower())
    stem = re.sub(r"[^\w]+", "-", "".join(c for c in plain if not unicodedata.combining(c))).strip("-_")
    # File names are limited in bytes. Cut between words, or anywhere in a script that does not part them.
    while len(stem.encode()) > _LONGEST_NAME:
        stem = stem.rpartition("-")[0] or stem[:-1]
    stem = stem or "clip"
    names = (Path(f"{stem}{'' if n == 1 else f'-{n}'}{suffix}") for n in count(1))
    return next(name for name in names if not os.path.lexists(name))


def beside(path: Path, word: str) -> Path:
    """``clip.mp4`` -> ``clip.paths.mp4``."""
    return path.with_name(f"{path.stem}.{word}{path.suffix}")


def check_outputs(paths: Sequence[Path], force: bool, inputs: Sequence[Path] = ()) -> None:
    """Raise MediaError or BadWord, before any work, unless every path can be written and all differ.

    force: existing files may be replaced, the ``inputs`` never.
    """
    from rehearse.media import check_writable

    seen: set[str] = set()
    for path in paths:
        real = os.path.realpath(path)
        if real in seen:
            raise BadWord(f"{path} is named for two outputs; give each a name of its own")
        if real in {os.path.realpath(given) for given in inputs}:
            raise BadWord(f"{path} is the input; give the output another name")
        seen.add(real)
        check_writable(path)
        if os.path.lexists(path) and not force:
            raise BadWord(f"{path} exists already; choose another name, or replace it with --force")


def as_sheet(path: Path, option: str = "--sheet") -> Path:
    """The path of a sheet; BadWord unless it ends in ``.png``."""
    if path.suffix.lower() != ".png":
        raise BadWord(f"{option} is {path}: the picture is written as PNG; end its name in .png")
    return path
