"""Tracks as other tools write them: JSON lists of positions, one a frame, mostly in pixels.

[{"x": 20, "y": 60}, {"x": 100, "y": 60}]          the spline editors of ComfyUI
[[20, 60], [100, 60]]                              pairs
[[[20, 60], [100, 60]]], ["[{\\"x\\": 20, ...}]"]    one track in a list of tracks, or as text in a list
[[10, 40, 30, 60], [70, 40, 90, 60]]               boxes: left, top, right, bottom
"""

from __future__ import annotations

import ast
import math
from typing import Any

from rehearse.json_text import JsonFault, parse_json
from rehearse.shot.errors import ShotError, show
from rehearse.shot.fields import REACH
from rehearse.shot.keyframes import MOST_KEYFRAMES

_LEVELS = 4
_NAMES = {2: ("x", "y"), 4: ("x0", "y0", "x1", "y1")}
_FORMS = {
    2: '[{"x": 20, "y": 60}, {"x": 100, "y": 60}] or [[20, 60], [100, 60]]',
    4: "[[10, 40, 30, 60], [70, 40, 90, 60]], each left, top, right, bottom",
}

Row = tuple[float, ...]


def read_track(text: str, numbers: int, noun: str) -> list[Row]:
    """The positions of the one track in a JSON text, as given: 2 numbers each for points, 4 for boxes.

    noun: what messages call it. Raises ShotError, saying what is there instead.
    """
    rows = _track(_parsed(text, numbers, noun), numbers, noun, _LEVELS)
    if not 1 <= len(rows) <= MOST_KEYFRAMES:
        raise ShotError(f"the track has {len(rows)} positions; it takes 1 to {MOST_KEYFRAMES}", document=noun)
    return rows


def in_pixels(rows: list[Row]) -> bool:
    """Whether positions are pixels: some lie farther from the frame than a fraction can."""
    low, high = REACH
    return any(not low <= value <= high for row in rows for value in row)


def to_fractions(rows: list[Row], width: int, height: int) -> list[Row]:
    """Positions in pixels of a frame of that size as fractions of it."""
    return [tuple(value / (height if i % 2 else width) for i, value in enumerate(row)) for row in rows]


def _parsed(text: str, numbers: int, noun: str) -> Any:
    try:
        return parse_json(text)
    except JsonFault as error:
        try:
            return ast.literal_eval(text)  # as Python prints a list: values alone, nothing runs
        except (ValueError, SyntaxError, MemoryError, RecursionError) as cause:
            raise ShotError(f"a track is JSON such as {_FORMS[numbers]}; {error}", document=noun) from cause


def _track(value: Any, numbers: int, noun: str, levels: int) -> list[Row]:
    if isinstance(value, str) and levels:
        return _track(_parsed(value, numbers, noun), numbers, noun, levels - 1)
    if isinstance(value, dict):
        named = ", ".join(map(str, list(value)[:4]))
        raise ShotError(
            f"a track is a list such as {_FORMS[numbers]}; an object with the fields {named} is given",
            document=noun,
        )
    if not isinstance(value, list) or not value:
        raise ShotError(f"a track is a list such as {_FORMS[numbers]}; {show(value)} is given", document=noun)
    if levels and isinstance(value[0], str | list) and not _is_row(value[0]):
        if len(value) > 1:
            option = "--point" if numbers == 2 else "--box"
            raise ShotError(
                f"{len(value)} tracks are given; write one {option} for each, with the words it is for",
                document=noun,
            )
        return _track(value[0], numbers, noun, levels - 1)
    return [_row(entry, i, numbers, noun) for i, entry in enumerate(value)]


def _is_row(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and not isinstance(value[0], list | dict | str)


def _row(entry: Any, index: int, numbers: int, noun: str) -> Row:
    found = entry
    if isinstance(entry, dict):
        missing = [name for name in _NAMES[numbers] if name not in entry]
        found = None if missing else [entry[name] for name in _NAMES[numbers]]
    if not isinstance(found, list) or len(found) != numbers or not all(_is_number(x) for x in found):
        other = ""
        if numbers == 4 and _is_point(entry):
            other = "; these are points, which --point takes"
        elif numbers == 2 and isinstance(entry, list) and len(entry) == 4:
            other = "; these are boxes, which --box takes"
        elif numbers == 2 and isinstance(entry, list) and len(entry) == 3:
            other = ", and leave out the third number, such as whether the point is seen"
        elif numbers == 4 and isinstance(entry, dict) and "x" in entry:
            other = ", a box's own two corners in place of its width and height"
        raise ShotError(
            f"position {index} of the track is {show(entry)}; write {_FORMS[numbers]}{other}", document=noun
        )
    return tuple(float(x) for x in found)


def _is_point(entry: Any) -> bool:
    return (isinstance(entry, dict) and entry.keys() == {"x", "y"}) or (
        isinstance(entry, list) and len(entry) == 2
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
