"""Paths as one line of text, the way the command line takes them.

    red ball @ 0: .1,.4,.3,.6; 1: .7,.4,.9,.6
    ball#2 @ ease-in-out leaves-frame 0: .1,.4,.3,.6 hold; .5: .4,.4,.6,.6; 1: 1.1,.4,1.3,.6
    red ball @ radius=.05 0: .1,.4; 1: .7,.5

A phrase (`#2` behind it: its second mention; nothing: whatever the path starts on), an @, words for the whole
path, then keyframes `time: numbers` with semicolons between them. An easing behind a keyframe's numbers is
for the way on from there.

A track as other tools write it may stand in place of the keyframes: a JSON list of positions, spread evenly
over the clip. Positions in pixels need the frame they are of, by the word `size=` or the clip's own size:

    red ball @ size=128x96 [{"x": 20, "y": 60}, {"x": 100, "y": 60}]
    red ball @ size=128x96 0: 20,60; 1: 100,60
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rehearse.shot.box_path import BoxPath
from rehearse.shot.easing import EASINGS
from rehearse.shot.errors import ShotError, nearest, show
from rehearse.shot.instructions.trajectory import BoxTrajectory, PointTrajectory
from rehearse.shot.point_path import PointPath
from rehearse.shot.track import in_pixels, read_track, to_fractions

_LOG = logging.getLogger(__name__)

_BOX_EXAMPLE = 'write it like "red ball @ 0: .1,.4,.3,.6; 1: .7,.4,.9,.6"'
_POINT_EXAMPLE = 'write it like "red ball @ 0: .1,.4; 1: .7,.5"'
_LEAVES = "leaves-frame"
_SIZE = "size="

Size = tuple[int, int]


@dataclass(frozen=True)
class _Line:
    phrase: str
    options: dict[str, Any]
    keyframes: list[dict[str, Any]]  # time, numbers, perhaps easing


def parse_box_path(text: str, size: Size | None = None) -> tuple[str, BoxPath]:
    """The phrase and box path of `"red ball @ 0: .1,.4,.3,.6; 1: .7,.4,.9,.6"`.

    size: width and height of the clip in pixels, for tracks in pixels. Raises ShotError.
    """
    line = _read(text, "box path", 4, _BOX_EXAMPLE, size)
    return _with_phrase(line, "box path", _BOX_EXAMPLE), _box_path(line)


def parse_point_path(text: str, size: Size | None = None) -> tuple[str, PointPath]:
    """The phrase and point path of `"red ball @ 0: .1,.4; 1: .7,.5"`.

    size: width and height of the clip in pixels, for tracks in pixels. Raises ShotError.
    """
    line = _read(text, "point path", 2, _POINT_EXAMPLE, size)
    return _with_phrase(line, "point path", _POINT_EXAMPLE), _point_path(line)


def parse_trajectory(
    text: str, form: Literal["box", "point"], size: Size | None = None
) -> BoxTrajectory | PointTrajectory:
    """The instruction that a line of text means, `#2` behind the phrase taken as its second mention.

    Without a phrase (`"@ 0: .1,.4; 1: .7,.5"`) the path is for whatever it starts on. size: width and height
    of the clip in pixels, for tracks in pixels; None where that is not decided. Raises ShotError.
    """
    numbers, example = (4, _BOX_EXAMPLE) if form == "box" else (2, _POINT_EXAMPLE)
    line = _read(text, f"{form} path", numbers, example, size)
    match = re.fullmatch(r"(.*\S)\s*#\s*(\d{1,4})", line.phrase)
    phrase, occurrence = (match[1], int(match[2])) if match else (line.phrase or None, None)
    if form == "box":
        return BoxTrajectory(phrase=phrase, occurrence=occurrence, path=_box_path(line))
    return PointTrajectory(phrase=phrase, occurrence=occurrence, path=_point_path(line))


def format_box_path(phrase: str, path: BoxPath) -> str:
    """The inverse of `parse_box_path`."""
    keyframes = [(k.time, (k.box.x0, k.box.y0, k.box.x1, k.box.y1), k.easing) for k in path.keyframes]
    return _write(
        phrase,
        [path.easing if path.easing != "linear" else "", _LEAVES if path.leaves_frame else ""],
        keyframes,
    )


def format_point_path(phrase: str, path: PointPath) -> str:
    """The inverse of `parse_point_path`."""
    keyframes = [(k.time, k.point, k.easing) for k in path.keyframes]
    options = [
        path.easing if path.easing != "linear" else "",
        _LEAVES if path.leaves_frame else "",
        f"radius={_digits(path.radius)}" if path.radius is not None else "",
    ]
    return _write(phrase, options, keyframes)


def format_trajectory(instruction: BoxTrajectory | PointTrajectory) -> str:
    """The inverse of `parse_trajectory`."""
    phrase = instruction.phrase or ""
    if instruction.occurrence is not None:
        phrase += f"#{instruction.occurrence}"
    if isinstance(instruction, BoxTrajectory):
        return format_box_path(phrase, instruction.path)
    return format_point_path(phrase, instruction.path)


def _box_path(line: _Line) -> BoxPath:
    if "radius" in line.options:
        raise ShotError("only a point path has a radius; leave it out", document="box path", field="radius")
    keyframes = [{"time": k["time"], "box": k["numbers"], "easing": k["easing"]} for k in line.keyframes]
    return BoxPath.model_validate({"keyframes": keyframes, **line.options})


def _point_path(line: _Line) -> PointPath:
    keyframes = [{"time": k["time"], "point": k["numbers"], "easing": k["easing"]} for k in line.keyframes]
    return PointPath.model_validate({"keyframes": keyframes, **line.options})


def _with_phrase(line: _Line, noun: str, example: str) -> str:
    if not line.phrase:
        raise ShotError(f"there is no phrase before the @; {example}", document=noun)
    return line.phrase


def _read(text: str, noun: str, count: int, example: str, size: Size | None) -> _Line:
    before, at, after = text.rpartition("@")
    if not at:
        raise ShotError(f"{show(text)} has no @ between phrase and path; {example}", document=noun)
    phrase = " ".join(before.split())
    if track := re.search(r"""["']?\s*[\[{]""", after):
        return _tracked(phrase, after[: track.start()], after[track.start() :], noun, count, size)
    parts = [part.strip() for part in after.split(";")]
    if parts and not parts[-1]:
        parts.pop()  # a semicolon at the end
    if not parts:
        raise ShotError(f"{show(text)} has no keyframes behind the @; {example}", document=noun)
    head, colon, rest = parts[0].partition(":")
    *words, first_time = head.split() or [""]
    options = _options(words if colon else [], noun)
    if colon:
        parts[0] = f"{first_time}:{rest}"
    keyframes = [_keyframe(part, noun, count, example) for part in parts]
    if (said := options.pop("size", None)) is not None:
        rows = to_fractions([tuple(keyframe["numbers"]) for keyframe in keyframes], *said)
        keyframes = [{**k, "numbers": list(row)} for k, row in zip(keyframes, rows, strict=True)]
    return _Line(phrase, options, keyframes)


def _tracked(phrase: str, words: str, track: str, noun: str, count: int, size: Size | None) -> _Line:
    """The line whose path is a track in JSON, spread evenly over the clip."""
    options = _options(words.split(), noun)
    said: Size | None = options.pop("size", None)
    rows = read_track(track.strip(), count, noun)
    if said is not None or in_pixels(rows):
        chosen = said or size
        if chosen is None:
            raise ShotError(
                f"the track is in pixels ({', '.join(f'{x:g}' for x in rows[0])} at its start), and of what "
                f'frame is not said; say the size of the clip (--size), or write "{phrase} @ size=832x480 '
                '[...]" with the size it was drawn on',
                document=noun,
            )
        if said is None:
            _LOG.warning(
                'the track of "%s" is in pixels; they are taken to be of the clip, %d x %d', phrase, *chosen
            )
        rows = to_fractions(rows, *chosen)
    last = max(1, len(rows) - 1)
    keyframes = [{"time": i / last, "numbers": list(row), "easing": None} for i, row in enumerate(rows)]
    return _Line(phrase, options, keyframes)


def _options(words: list[str], noun: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for word in words:
        if word in EASINGS:
            options["easing"] = word
        elif word == _LEAVES:
            options["leaves_frame"] = True
        elif word.startswith("radius="):
            options["radius"] = _number(word.removeprefix("radius="), noun)
        elif word.startswith(_SIZE):
            options["size"] = _size(word, noun)
        else:
            known = nearest(word, [*EASINGS, _LEAVES, "radius=", _SIZE])
            raise ShotError(f"{show(word)} is no word for a path; {known}", document=noun)
    return options


def _size(word: str, noun: str) -> Size:
    found = re.fullmatch(r"(\d{1,5})[xX\u00d7](\d{1,5})", word.removeprefix(_SIZE))
    if not found or not int(found[1]) or not int(found[2]):
        raise ShotError(f'{show(word)} is no size; write it like "size=832x480", in pixels', document=noun)
    return int(found[1]), int(found[2])


def _keyframe(part: str, noun: str, count: int, example: str) -> dict[str, Any]:
    time, colon, rest = part.partition(":")
    if not colon:
        raise ShotError(f"the keyframe {show(part)} has no colon behind its time; {example}", document=noun)
    *_, last = rest.split() or [""]
    easing = None
    if re.match(r"[A-Za-z]", last) and "," not in last:
        if last not in EASINGS:
            raise ShotError(f"{show(last)} is no easing; {nearest(last, EASINGS)}", document=noun)
        easing, rest = last, rest.rstrip().removesuffix(last)
    numbers = [_number(number, noun) for number in rest.split(",")]
    if len(numbers) != count:
        raise ShotError(
            f"the keyframe {show(part)} has {len(numbers)} numbers, a {noun} takes {count}; {example}",
            document=noun,
        )
    return {"time": _number(time, noun), "numbers": numbers, "easing": easing}


def _number(text: str, noun: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ShotError(f"{show(text.strip())} is not a number", document=noun) from error


def _write(
    phrase: str, options: list[str], keyframes: Sequence[tuple[float, tuple[float, ...], str | None]]
) -> str:
    path = "; ".join(
        f"{_digits(time)}: {','.join(map(_digits, numbers))}{' ' + easing if easing else ''}"
        for time, numbers, easing in keyframes
    )
    return " ".join(word for word in (phrase, "@", *options, path) if word)


def _digits(number: float) -> str:
    """Exact, and as short as a person would write it: .1, 1, -.25."""
    digits = repr(float(number)).removesuffix(".0")
    return re.sub(r"^(-?)0\.", r"\1.", digits)
