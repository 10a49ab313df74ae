"""Versions of the shot document: older ones are brought up to date, newer ones refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rehearse.shot.errors import ShotError

VERSION = 1

UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""For each older version, the function that makes a document of the next version from one of it."""


def upgrade(
    document: dict[str, Any],
    *,
    current: int = VERSION,
    upgrades: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = UPGRADES,
) -> dict[str, Any]:
    """The document as one of the current version; without a version it is taken to be current.

    Raises:
        ShotError: the version is newer than this Rehearse knows, or none at all.
    """
    version = document.get("version", current)
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise ShotError(f"it must be a whole number, at most {current}", field="version", value=version)
    if version > current:
        raise ShotError(
            f"this Rehearse reads shots up to version {current}; install a newer Rehearse to open it",
            field="version", value=version,
        )  # fmt: skip
    document = dict(document)
    for step in range(version, current):
        document = upgrades[step](document)
        document["version"] = step + 1
    return document
