"""Paths that begin with a home folder, on accounts that may have none."""

from __future__ import annotations

import os
from pathlib import Path


class HomelessPath(ValueError):
    """A path begins with ``~``, and nobody knows what that is. ``str(error)`` is one sentence."""


def at_home(path: str | os.PathLike[str]) -> Path:
    """The path with the home folder in place of a ``~`` at its start. Raises HomelessPath."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise HomelessPath(
            f"{path} begins with ~, and this account has no home folder; give the folder's whole path"
        ) from error


def without_empty_home() -> None:
    """Take an empty HOME out of this process's environment, and of those it starts.

    Some services set it so. Python and libraries would take it for the root folder; left out, they ask the
    system where the home is.
    """
    if os.environ.get("HOME") == "":
        del os.environ["HOME"]
