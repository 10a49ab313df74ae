"""From the words of ``rehearse generate`` to a shot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from rehearse.cli.failures import BadWord
from rehearse.shot import Box, BoxTrajectory, PointTrajectory, Shot, parse_trajectory


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for beside the shot or prompt.

    fields, control: values of shot fields and control settings by name; None: not said. boxes, points:
    paths as text. easing: for those paths that name none. image: a picture file to start from. target,
    source: "PHRASE @ PLACE", with a picture file or a box for the place.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    control: dict[str, Any] = field(default_factory=dict)
    boxes: Sequence[str] = ()
    points: Sequence[str] = ()
    easing: str | None = None
    image: Path | None = None
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


def laid_over(shot: Shot, request: Request) -> Shot:
    """A shot with the request laid over it. Raises ShotError, BadWord."""
    said = {name: value for name, value in request.fields.items() if value is not None}
    shot = shot.with_(**said) if said else shot
    control = {name: value for name, value in request.control.items() if value is not None}
    if control:
        shot = shot.with_control(**control)
    texts: list[tuple[Literal["box", "point"], str]] = [("box", text) for text in request.boxes]
    texts += [("point", text) for text in request.points]
    if request.easing is not None and not texts:
        raise BadWord("--easing is for the paths of --box and --point; give one, or leave it out")
    for form, text in texts:
        shot = shot.add(_eased(parse_trajectory(text, form), request.easing))
    if request.image is not None:
        shot = shot.image(request.image)
    marks: list[tuple[Literal["target", "source"], str | None]]
    marks = [("target", request.target), ("source", request.source)]
    for role, mark in marks:
        if mark is not None:
            phrase, occurrence, place = _mark_of(f"--{role}", mark)
            shot = shot.target(phrase, place, role=role, occurrence=occurrence)
    return shot


def _mark_of(option: str, text: str) -> tuple[str, int | None, Box | Path]:
    """The phrase, which mention, and the box or mask picture of a mark. Raises BadWord, ShotError."""
    named, at, place = (part.strip() for part in text.rpartition("@"))
    if not at or not named or not place:
        raise BadWord(
            f'{option} is "{text}": write it like "red ball @ mask.png" or "red ball @ .1,.4,.3,.6"'
        )
    found = re.fullmatch(r"(.*\S)\s*#\s*(\d{1,4})", named)
    phrase, occurrence = (found[1], int(found[2])) if found else (named, None)
    numbers = place.split(",")
    try:
        left, top, right, bottom = (float(number) for number in numbers)
    except ValueError:
        return phrase, occurrence, Path(place)
    return phrase, occurrence, Box(left, top, right, bottom)


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
