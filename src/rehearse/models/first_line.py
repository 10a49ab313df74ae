"""What a library's error says, cut to the one line that fits into a sentence of ours."""

from __future__ import annotations


def first_line(error: BaseException) -> str:
    """The first line of an error's text; its kind where it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
