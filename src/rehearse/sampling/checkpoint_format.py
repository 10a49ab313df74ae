"""What a checkpoint's header says of its format. Imports no torch: the studio's server reads headers too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FORMAT = "rehearse-checkpoint"
VERSION = 2
"""1: no originals. 2: the originals of a blend may follow; a program that reads 1 only would lose them."""


def newer(metadata: Mapping[str, Any]) -> str | None:
    """What to say, behind the file's name, of a header of a newer format than is read; None: it is not."""
    version = str(metadata.get("version"))
    if not version.isdecimal() or int(version) <= VERSION:
        return None
    return (
        f"was made by a newer Rehearse (checkpoint format version {version}; this one reads up to "
        f"{VERSION}); update Rehearse"
    )
