"""What the store can refuse."""

from __future__ import annotations

from typing import Literal

Kind = Literal["missing", "conflict", "forbidden", "invalid"]


class StoreError(ValueError):
    """The store cannot do this. ``str(error)`` is one sentence with the remedy.

    kind: ``missing`` (there is no such thing), ``conflict`` (it has moved on, or stands where this cannot be
    done), ``forbidden`` (it is somebody else's), ``invalid`` (the value is no good). field: what is at fault.
    """

    def __init__(self, sentence: str, kind: Kind = "invalid", field: str | None = None) -> None:
        super().__init__(sentence)
        self.kind: Kind = kind
        self.field = field


class DiskFull(StoreError):
    """There is no room left; nothing was written and nothing is lost.

    remedy: what tells a person how to free room, where they read this; of itself the command line's.
    """

    def __init__(self, remedy: str = "rehearse takes prune") -> None:
        super().__init__(
            "the disk is full: nothing is lost, and what ran is paused; free some room "
            f"({remedy} tells what it would free) and play on"
        )
