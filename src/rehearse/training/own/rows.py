"""The data format: JSON lines, a clip each.

::

    {"video": "clips/07.mp4", "mask": "masks/07.png", "caption": "a person lifts the red cup", "target": "red
    cup"}

Paths are relative to the file; ``~``, backslashes and either Unicode form of an accented letter are taken as
they are meant. ``mask`` and ``actor_mask`` are pictures of the clip's own size that mark, in
its first frame, the thing that is acted upon and who acts; ``target`` and ``actor`` are the words of the
caption that name them. Plain LoRAs and motion adapters read ``video`` and ``caption`` alone.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rehearse.json_text import JsonFault, decode_text, once_each, parse_json
from rehearse.shot.errors import nearest, show
from rehearse.shot.file_names import existing
from rehearse.training.own.errors import TrainingError

_ROW = '{"video": ..., "caption": ...}'
_CALLED_ELSEWHERE = {
    "video": ("file_name", "video_path", "media_path", "path", "file"),
    "caption": ("text", "prompt", "captions"),
    "mask": ("mask_path", "mask_file"),
}
"""What other trainers call the fields."""

Kind = Literal["target", "lora", "motion"]


class RowData(BaseModel):
    """What a line says."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=True)

    video: str = Field(min_length=1)
    caption: str = Field(min_length=1)
    mask: str | None = Field(default=None, min_length=1)
    target: str | None = Field(default=None, min_length=1)
    actor_mask: str | None = Field(default=None, min_length=1)
    actor: str | None = Field(default=None, min_length=1)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the data: its number in the file (from 1), what it says, and the folder its paths start
    from."""

    number: int
    said: RowData
    folder: Path

    @property
    def video(self) -> Path:
        return _file(self.folder, self.said.video)

    @property
    def masks(self) -> tuple[tuple[str, Path], ...]:
        """Field and file of the masks it has: target first, then actor."""
        named = (("mask", self.said.mask), ("actor_mask", self.said.actor_mask))
        return tuple((name, _file(self.folder, file)) for name, file in named if file is not None)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row. ``str(problem)`` names row, field, value and remedy; row 0 is the whole
    file. file: where the row stands, named in front; None: there is but one."""

    row: int
    field: str
    value: object
    remedy: str
    file: Path | None = None

    def __str__(self) -> str:
        place = f"{self.file}: " if self.file is not None else ""
        place += f"row {self.row}: " if self.row else ""
        about = f"{self.field} is {show(self.value)}: " if self.field else ""
        # JSON can spell halves of characters, which no terminal takes.
        return f"{place}{about}{self.remedy}".encode("utf-8", "backslashreplace").decode()


def read_rows(path: Path, kind: Kind) -> tuple[list[Row], list[Problem]]:
    """The rows of a file and what is wrong with those that cannot be read. Empty lines are left out.

    kind: "target" rows need ``mask`` and ``target``. Raises TrainingError where the file itself is missing,
    no text, or holds no rows.
    """
    try:
        text = decode_text(path.read_bytes())
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise TrainingError(f"the data {path} cannot be read ({why}); name a file of JSON lines") from error
    except JsonFault as error:
        raise TrainingError(f"the data {path} is no text ({error}); name a file of JSON lines") from error
    # Not splitlines: a JSON string may hold U+2028. Marks come between files that were put together.
    lines = [line.removeprefix("\ufeff") for line in re.split(r"\r\n|\r|\n", text)]
    _refuse_one_value(path, text, sum(bool(line.strip()) for line in lines))
    rows: list[Row] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            said = RowData.model_validate(_object(line))
        except ValidationError as error:
            problems += [_fault(number, entry) for entry in error.errors(include_url=False)]
            continue
        except ValueError as error:
            problems.append(Problem(number, "", "", str(error)))
            continue
        missing = [name for name in ("mask", "target") if kind == "target" and getattr(said, name) is None]
        problems += [
            Problem(number, name, None, "it is missing; target training needs it") for name in missing
        ]
        if said.actor is not None and said.actor_mask is None:
            problems.append(
                Problem(number, "actor", said.actor, "it has no actor_mask; give one or leave it out")
            )
        rows.append(Row(number, said, path.parent))
    if not rows and not problems:
        raise TrainingError(f"the data {path} holds no rows; write a JSON object on each line")
    return rows, problems


def _refuse_one_value(path: Path, text: str, lines: int) -> None:
    """TrainingError where the whole file is one list, or one object over several lines."""
    try:
        content = parse_json(text)
    except JsonFault:
        return
    if isinstance(content, list) or (isinstance(content, dict) and lines > 1):
        what = "one JSON list" if isinstance(content, list) else "one JSON object over several lines"
        raise TrainingError(
            f"the data {path} is {what}; write each row's object on a line of its own, with nothing around it"
        )


def _file(folder: Path, said: str) -> Path:
    """The file that a row names; as it is written where there is none."""
    plain = existing(folder / said)
    if _is_there(plain):
        return plain
    other = said.replace("\\", "/")
    if other.startswith("~"):
        with suppress(RuntimeError):
            other = str(Path(other).expanduser())
    found = existing(folder / other)
    return found if _is_there(found) else plain


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _object(line: str) -> Any:
    try:
        content = parse_json(line, once_each)
    except JsonFault as fault:
        raise ValueError(
            f"it is no JSON object, such as {_ROW} ({str(fault).removeprefix('line 1, ')})"
        ) from fault
    if not isinstance(content, dict):
        raise ValueError(f"it must be a JSON object: {_ROW}")
    return content


def _fault(number: int, entry: Any) -> Problem:
    field = str(entry["loc"][0]) if entry["loc"] else ""
    if entry["type"] == "missing":
        return Problem(number, field, None, "it is missing; add it")
    if entry["type"] == "extra_forbidden":
        ours = next((name for name, others in _CALLED_ELSEWHERE.items() if field.lower() in others), None)
        hint = f"it is called {ours} here" if ours else nearest(field, RowData.model_fields)
        return Problem(number, field, entry["input"], f"there is no such field; {hint}")
    if entry["type"] == "string_too_short":
        return Problem(number, field, entry["input"], "it is empty; fill it in or leave the field out")
    return Problem(number, field, entry["input"], "it must be text")
