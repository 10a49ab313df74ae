"""From the words of ``rehearse generate`` to a shot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from rehearse.cli.failures import BadWord
from rehearse.json_text import JsonFault, decode_text
from rehearse.shot import (
    Box,
    BoxTrajectory,
    MotionInstruction,
    PointTrajectory,
    Shot,
    parse_trajectory,
)
from rehearse.shot.file_names import existing

_TRACK_FILE = re.compile(r"(\.(?:json|npy|npz|csv|txt|pt|pth|pkl))\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for beside the shot or prompt.

    fields, control, motion: values of shot fields, control settings and the motion instruction by name;
    None: not said. boxes, points: paths as text. easing: for those paths that name none. image: a picture
    file to start from. edits: "WORDS" or "WORDS @ PLACE"; drags: "X,Y > X,Y" or with "@ PLACE"; target,
    source: "PHRASE @ PLACE"; a place is a picture file or a box.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    control: dict[str, Any] = field(default_factory=dict)
    boxes: Sequence[str] = ()
    points: Sequence[str] = ()
    easing: str | None = None
    image: Path | None = None
    edits: Sequence[str] = ()
    drags: Sequence[str] = ()
    motion: dict[str, Any] = field(default_factory=dict)
    target: str | None = None
    source: str | None = None


def shot_of(source: str, request: Request) -> Shot:
    """The shot of a prompt, of a shot file or of a clip, with the request laid over it.

    Raises ShotError, MediaError, BadWord.
    """
    if is_file(source):
        return laid_over(read(Path(source)), request)
    said = {name: value for name, value in request.fields.items() if value is not None}
    return laid_over(Shot(source, **said), replace(request, fields={}))


def laid_over(shot: Shot, request: Request, size: tuple[int, int] | None = None) -> Shot:
    """A shot with the request laid over it. size: width and height of the clip in pixels, where the shot does
    not say them. Raises ShotError, BadWord."""
    said = {name: value for name, value in request.fields.items() if value is not None}
    shot = shot.with_(**said) if said else shot
    control = {name: value for name, value in request.control.items() if value is not None}
    if control:
        shot = shot.with_control(**control)
    texts: list[tuple[Literal["box", "point"], str]] = [("box", text) for text in request.boxes]
    texts += [("point", text) for text in request.points]
    if request.easing is not None and not texts:
        raise BadWord("--easing is for the paths of --box and --point; give one, or leave it out")
    size = (shot.width, shot.height) if shot.width and shot.height else size
    for form, text in texts:
        shot = shot.add(_eased(parse_trajectory(_with_track(text), form, size), request.easing))
    if request.image is not None:
        shot = shot.image(request.image)
    for text in request.edits:
        words, place = _parted(text)
        if not words or place == "":
            raise BadWord(
                f'--edit is "{text}": write it like "a blue ball", "a blue ball @ .1,.4,.3,.6" or '
                '"a blue ball @ mask.png"'
            )
        shot = shot.edit(words, _place_of(place) if place else None)
    for text in request.drags:
        shot = _dragged(shot, text)
    shot = _moved(shot, request.motion)
    marks: list[tuple[Literal["target", "source"], str | None]]
    marks = [("target", request.target), ("source", request.source)]
    for role, mark in marks:
        if mark is not None:
            phrase, occurrence, marked = _mark_of(f"--{role}", mark)
            shot = shot.target(phrase, marked, role=role, occurrence=occurrence)
    return shot


def _with_track(text: str) -> str:
    """The text of a path, with what a JSON file says that is named in place of its keyframes. Raises
    BadWord."""
    ending = _TRACK_FILE.search(text)
    if "@" not in text or ending is None:
        return text
    # Words for the whole path may stand before the name, which may hold spaces and an @ itself.
    starts = [found.end() for found in re.finditer(r"@\s*|(?<=\s)(?=\S)", text) if "@" in text[: found.end()]]
    at = next((start for start in starts if Path(text[start:].strip()).is_file()), starts[-1])
    file = Path(text[at:].strip())
    if ending[1].lower() != ".json":
        raise BadWord(
            f'the path "{text}" names a {ending[1].lower()} file; only JSON tracks are read: save the '
            "positions of one track as [[x, y], ...] in a .json file"
        )
    try:
        content = decode_text(file.read_bytes())
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise BadWord(f'the path "{text}" names {file}, which cannot be read ({why})') from error
    except JsonFault as error:
        raise BadWord(f'the path "{text}" names {file}: {error}') from error
    if not content.lstrip().startswith(("[", "{", '"')):
        raise BadWord(f'the path "{text}" names {file}, which holds no JSON list of positions')
    return f"{text[:at]} {content}"


def _moved(shot: Shot, said: dict[str, Any]) -> Shot:
    """The shot with what is said about its motion; what is not said stays. Raises ShotError."""
    said = {name: value for name, value in said.items() if value is not None}
    if not said:
        return shot
    if isinstance(said.get("magnitude"), str):
        with suppress(ValueError):
            said["magnitude"] = float(said["magnitude"])
    before = next((one for one in shot.instructions if isinstance(one, MotionInstruction)), None)
    return shot.add(MotionInstruction(**{**({} if before is None else before.given()), **said}))


def _dragged(shot: Shot, text: str) -> Shot:
    """The shot with the drag that a line of text means. Raises BadWord, ShotError."""
    way, place = _parted(text)
    points: list[tuple[float, float]] = []
    for point in way.split(">"):
        try:
            x, y = (float(number) for number in point.split(","))
        except ValueError:
            points = []
            break
        points.append((x, y))
    if len(points) < 2 or place == "":
        raise BadWord(
            f'--drag is "{text}": write it like ".2,.5 > .7,.4", from where to where in parts of width and '
            'height, with "@ mask.png" or "@ .1,.4,.3,.6" for what moves along'
        )
    handle, *via, target = points
    return shot.drag(handle, target, via=via, region=_place_of(place) if place else None)


def _parted(text: str) -> tuple[str, str | None]:
    """Words and place of "WORDS @ PLACE"; None for the place where there is no @.

    Words and file names may have an @ of their own: the first behind which a box or a file follows is meant,
    else the last that stands free.
    """
    ways = [(text[: found.start()].strip(), text[found.end() :].strip()) for found in re.finditer("@", text)]
    if not ways:
        return text.strip(), None
    for words, place in ways:
        if words and place and (_numbers(place) is not None or existing(Path(place)).is_file()):
            return words, place
    words, free, place = text.rpartition(" @ ")
    return (words.strip(), place.strip()) if free else ways[-1]


def _numbers(text: str) -> list[float] | None:
    try:
        return [float(number) for number in text.split(",")]
    except ValueError:
        return None


def _place_of(text: str) -> Box | Path:
    """A box of four numbers, or a picture file. Raises BadWord, ShotError."""
    numbers = _numbers(text)
    if numbers is None or (len(numbers) != 4 and existing(Path(text)).is_file()):
        return Path(text)
    if len(numbers) != 4:
        raise BadWord(f'the box "{text}" has {len(numbers)} numbers: write left,top,right,bottom')
    return Box(*numbers)


def _mark_of(option: str, text: str) -> tuple[str, int | None, Box | Path]:
    """The phrase, which mention, and the box or mask picture of a mark. Raises BadWord, ShotError."""
    named, place = _parted(text)
    if not named or not place:
        raise BadWord(
            f'{option} is "{text}": write it like "red ball @ mask.png" or "red ball @ .1,.4,.3,.6"'
        )
    found = re.fullmatch(r"(.*\S)\s*#\s*(\d{1,4})", named)
    phrase, occurrence = (found[1], int(found[2])) if found else (named, None)
    return phrase, occurrence, _place_of(place)


def is_file(source: str) -> bool:
    """Whether the first word of the command line names a file: by its ending, so that a misspelt file name
    is never taken for a prompt."""
    from rehearse.media import FORMATS

    ending = "." + source.rpartition(".")[2].lower()
    return ending == ".json" or ending in FORMATS


def read(path: Path) -> Shot:
    """The shot of a shot file or of a clip. Raises ShotError, MediaError."""
    from rehearse.media import FORMATS, read_shot

    return read_shot(path) if path.suffix.lower() in FORMATS else Shot.load(path)


def _eased(
    trajectory: BoxTrajectory | PointTrajectory, easing: str | None
) -> BoxTrajectory | PointTrajectory:
    path = trajectory.path
    # A path's own word is nearer than the option.
    if easing is None or path.easing != "linear":
        return trajectory
    document = trajectory.model_dump(mode="json", exclude_none=True)
    document["path"]["easing"] = easing
    return type(trajectory).model_validate(document)
