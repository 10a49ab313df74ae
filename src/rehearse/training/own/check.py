"""Every row looked at before any work: what training would stumble over, told at once."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rehearse.media import MediaError, NoSuchFile, read_clip
from rehearse.models.model import Tokens
from rehearse.models.target_conditioning import TRIGGERS
from rehearse.resolve.vocabulary import unknown_words
from rehearse.shot.errors import ShotError
from rehearse.shot.mask_picture import notes_on_values
from rehearse.training.own.clips import Shape, fitted_mask, read_mask
from rehearse.training.own.prompts import marked_prompt, prompt_problems, trigger_problem
from rehearse.training.own.rows import Kind, Problem, Row

_RATE_TOLERANCE = 0.01
_FAINTEST = 0.5
"""A mask whose lightest place is darker than this is a slip."""
_LARGEST = 0.95
"""A mask that marks more of the frame than this marks no one thing in it."""
_ONLY = "mark only the thing that is meant"
_NAMED = 5
"""Rows that are named where a note holds for more."""
_LOG = logging.getLogger(__name__)


def check_rows(
    rows: Sequence[Row],
    shape: Shape,
    kind: Kind,
    tokenize: Callable[[str], Tokens] | None = None,
    max_tokens: int = 0,
    vocabulary: frozenset[str] | None = None,
    told: Callable[[int], None] | None = None,
    cut: bool = True,
    fixed: bool = False,
    roles: int = 2,
) -> list[Problem]:
    """What is wrong, in the order of the rows.

    tokenize, max_tokens, vocabulary: of the base; None leaves the length of prompts unchecked, or takes any
    word. told: called with the number of rows done. cut: whether the size of ``shape`` is known, so that what
    the cut to it leaves of a mask can be looked at. fixed: whether the base takes clips of one length alone.
    roles: masks that are trained with; words of those beyond are left out.
    """
    problems: list[Problem] = []
    rates: dict[int, tuple[float, float]] = {}
    notes: list[Problem] = []
    for done, row in enumerate(rows, 1):
        try:
            clip = read_clip(row.video, shape.needed)
        except MediaError as error:
            problems.append(Problem(row.number, "video", row.said.video, _why(error, row.said.video)))
        else:
            notes += [Problem(row.number, "video", row.said.video, note) for note in clip.notes]
            if clip.rate is not None:
                rates[row.number] = (clip.rate, clip.tick)
            if len(clip.frames) < shape.needed:
                why = _too_short(len(clip.frames), shape, fixed)
                problems.append(Problem(row.number, "video", row.said.video, why))
            if kind == "target":
                problems += _mask_problems(row, clip.frames.shape[1:3], shape if cut else None, notes)
        problems += _text_problems(row, kind, tokenize, max_tokens, vocabulary, roles)
        if told is not None:
            told(done)
    problems += _rate_problems(rows, rates)
    _tell(notes)
    return sorted(problems, key=lambda problem: problem.row)


def _too_short(count: int, shape: Shape, fixed: bool) -> str:
    frames = f"it has {count} frame{'' if count == 1 else 's'} and {shape.needed} are needed"
    remedies = [] if fixed else ["ask for fewer --frames"]
    if shape.every > 1:
        remedies.append("ask for a lower --every")
    return f"{frames}; {' or '.join([*remedies, 'leave it out'])}"


def _why(error: MediaError, said: str) -> str:
    """Why a file of a row cannot be read."""
    if not isinstance(error, NoSuchFile):
        return str(error)
    slashes = ", written with / instead of \\" if "\\" in said else ""
    return f"there is no such file; mind that paths are relative to the data file{slashes}"


def _tell(notes: Sequence[Problem]) -> None:
    """Log what is no fault of the rows and still to be known: once for all rows that share it."""
    alike: dict[tuple[str, str], list[Problem]] = {}
    for note in notes:
        alike.setdefault((note.field, note.remedy), []).append(note)
    for (field, text), same in alike.items():
        if len(same) == 1:
            _LOG.warning("%s", same[0])
            continue
        numbers = [str(note.row) for note in same]
        named = ", ".join(numbers[:_NAMED])
        more = f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else ""
        _LOG.warning("rows %s%s: %s: %s", named, more, field, text)


def _mask_problems(row: Row, size: Sequence[int], shape: Shape | None, notes: list[Problem]) -> list[Problem]:
    """What is wrong with the masks of a row; what is only to be said of them goes to ``notes``."""
    found: list[Problem] = []
    before: NDArray[np.float32] | None = None
    for field, path in row.masks:
        said = getattr(row.said, field)
        try:
            read = read_mask(path)
        except MediaError as error:
            found.append(Problem(row.number, field, said, _why(error, said)))
            continue
        mask, before_it = read.values, len(found)
        if mask.shape != tuple(size):
            sizes = f"it is {mask.shape[1]}x{mask.shape[0]} and the clip {size[1]}x{size[0]}"
            found.append(Problem(row.number, field, said, f"{sizes}; draw it on the clip's first frame"))
        elif not mask.any():
            found.append(
                Problem(row.number, field, said, "it is empty; mark the thing in the first frame, in white")
            )
        elif mask.min() == mask.max():
            found.append(Problem(row.number, field, said, f"it marks the whole frame; {_ONLY}"))
        elif mask.mean() > _LARGEST:
            share = f"it marks {100 * mask.mean():.1f} % of the frame"
            found.append(Problem(row.number, field, said, f"{share}; {_ONLY}"))
        elif before is not None and np.array_equal(before, mask):
            found.append(Problem(row.number, field, said, "it marks what mask marks; mark the one that acts"))
        elif mask.max() < _FAINTEST:
            # Drawn with 0 and 1, or in a dark colour of a palette.
            light = f"it is nearly black: its lightest place has {mask.max() * 255:.0f} of 255"
            found.append(Problem(row.number, field, said, f"{light}; mark the thing in white (255)"))
        elif shape is not None:
            cut = fitted_mask(mask, shape)
            kept = f"the {shape.width}x{shape.height} cut from the middle"
            if not cut.any():
                why = f"what it marks lies outside of {kept}; cut the clip yourself"
                found.append(Problem(row.number, field, said, why))
            elif cut.mean() > _LARGEST:
                why = f"it marks {100 * cut.mean():.1f} % of {kept}; cut the clip yourself"
                found.append(Problem(row.number, field, said, why))
        if len(found) == before_it:
            told = (*read.notes, *notes_on_values(mask))
            notes += [Problem(row.number, field, said, note) for note in told]
        before = mask
    return found


def _text_problems(
    row: Row,
    kind: Kind,
    tokenize: Callable[[str], Tokens] | None,
    max_tokens: int,
    vocabulary: frozenset[str] | None,
    roles: int,
) -> list[Problem]:
    prompt, found = row.said.caption, []
    if kind == "target" and row.said.target is not None:
        try:
            marked = marked_prompt(row, roles)
        except ShotError as error:
            return [trigger_problem(row, error)]
        prompt = marked.prompt
        if tokenize is not None:
            found += prompt_problems(row, marked, tokenize(prompt), max_tokens)
    if vocabulary is not None:
        unknown = unknown_words(row.said.caption, vocabulary)
        if unknown:
            why = f"the base does not know {', '.join(unknown)}; use words it knows"
            found.append(Problem(row.number, "caption", row.said.caption, why))
        # What was put before the phrases is not the caption's fault.
        for word in (word for word in unknown_words(prompt, vocabulary) if word not in unknown):
            if word == TRIGGERS["source"]:
                remedy = "leave actor out and keep actor_mask"
                found.append(Problem(row.number, "actor", row.said.actor, f"{_marks(word)}; {remedy}"))
            else:
                remedy = "train on a base that does"
                found.append(Problem(row.number, "target", row.said.target, f"{_marks(word)}; {remedy}"))
    return found


def _marks(word: str) -> str:
    return f'the base does not know the word "{word}" that is put before it'


def _rate_problems(rows: Sequence[Row], rates: dict[int, tuple[float, float]]) -> list[Problem]:
    """Clips of another rate than most. rates: by row, and the tick it was rounded to."""
    if not rates:
        return []
    usual = Counter(round(rate, 2) for rate, _ in rates.values()).most_common(1)[0][0]
    rounded = max(tick for rate, tick in rates.values() if round(rate, 2) == usual)
    found = []
    for row in rows:
        rate, tick = rates.get(row.number, (usual, 0.0))
        # A GIF counts in hundredths of a second: 8 frames a second are 8.33 in one.
        apart = abs(1 / rate - 1 / usual) > max(tick, rounded)
        if abs(rate - usual) > _RATE_TOLERANCE * usual and apart:
            why = f"it runs at {rate:g} frames a second and most others at {usual:g}; bring all to one rate"
            found.append(Problem(row.number, "video", row.said.video, why))
    return found
