"""A line now and then that says how far a long evaluation is and when it will be done."""

from __future__ import annotations

import time
from collections.abc import Callable

Say = Callable[[str], None]


def spoken_time(seconds: float) -> str:
    """A duration in words: ``40 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


class Progress:
    """Counts finished pieces and says so at most every ``every`` seconds, and at the end.

    what: plural noun. total: pieces in all; done: those found finished at the start, which are not timed.
    """

    def __init__(self, say: Say, what: str, total: int, done: int = 0, every: float = 15.0) -> None:
        self._say, self._what, self._total, self._every = say, what, total, every
        self._done, self._made = done, 0
        self._began = self._said = time.monotonic()
        if done and total:
            say(f"{what}: {done} of {total} are there already")

    def tick(self) -> None:
        """One more is finished."""
        self._done += 1
        self._made += 1
        now = time.monotonic()
        if now - self._said < self._every and self._done < self._total:
            return
        self._said = now
        each = (now - self._began) / self._made
        left = self._total - self._done
        end = f", done in about {spoken_time(each * left)}" if left else ""
        self._say(f"{self._what}: {self._done} of {self._total}, {each:.1f} s each{end}")
