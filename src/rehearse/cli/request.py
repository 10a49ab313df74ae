"""From the words of ``rehearse generate`` to a shot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from rehearse.cli.failures import BadWord
from rehearse.shot import BoxTrajectory, PointTrajectory, Shot, parse_trajectory


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for beside the shot or prompt.

    fields, control: values of shot fields and control settings by name; None: not said. boxes, points:
    paths as text. easing: for those paths that name none.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    control: dict[str, Any] = field(default_factory=dict)
    boxes: Sequence[str] = ()
    points: Sequence[str] = ()
    easing: str | None = None


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
    return shot


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
