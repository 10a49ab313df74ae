"""Field types shared by the documents: numbers, texts, positions."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

from rehearse.shot.errors import ShotError


def _number(value: Any) -> float:
    # Text and booleans would pass pydantic's lax mode; a shot means what it says.
    if isinstance(value, bool | str) or not isinstance(value, Real):
        raise ShotError("it must be a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ShotError("it must be a finite number")
    return number + 0.0  # turns -0.0 into 0.0, so that equal shots have equal digests


def _whole(value: Any) -> int:
    if isinstance(value, bool):
        raise ShotError("it must be a whole number")
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real) and float(value).is_integer():
        return int(float(value))
    raise ShotError("it must be a whole number")


def _steps(value: Any) -> int | float:
    remedy = "it must be a number of steps (such as 4) or a fraction of them below 1 (such as 0.1)"
    if isinstance(value, bool):
        raise ShotError(remedy)
    if isinstance(value, Integral):
        if 0 <= int(value) <= 1000:
            return int(value)
    # 1.0 is refused: JavaScript writes it as 1, and "all steps" would silently become "one step".
    elif isinstance(value, Real) and 0 < float(value) < 1:
        return float(value)
    raise ShotError(remedy)


def _one_line(value: Any) -> Any:
    return " ".join(value.split()) if isinstance(value, str) else value


Number = Annotated[float, BeforeValidator(_number)]
"""A finite number."""

Fraction = Annotated[Number, Field(ge=0, le=1)]
"""A number in [0, 1]: a time of the clip, a strength, a position inside the frame."""

Whole = Annotated[int, BeforeValidator(_whole)]
"""A whole number."""

StepCount = Annotated[
    int | float,
    BeforeValidator(_steps),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": 1000},
                {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            ]
        }
    ),
]
"""Denoising steps: a count (int, 0 to 1000) or a fraction of all steps (float, strictly between 0 and 1)."""

REACH = (-4.0, 5.0)
"""How far from the frame a position can lie at all. Farther is nearly always a position in pixels."""


def _reachable(value: float) -> float:
    low, high = REACH
    if not low <= value <= high:
        raise ShotError(
            "positions are fractions of the frame, not pixels: 0 is left or top, 1 right or bottom; divide "
            "pixels by the clip's width or height"
        )
    return value


def _inside(value: float) -> float:
    if not 0 <= value <= 1:
        raise ShotError("it is outside the frame: positions are fractions in [0, 1]")
    return value


Position = Annotated[
    Number,
    AfterValidator(_reachable),
    WithJsonSchema({"type": "number", "minimum": REACH[0], "maximum": REACH[1]}),
]
"""A fraction of the frame's width or height that may lie beyond the frame, in [-4, 5]."""

InsidePosition = Annotated[
    Number,
    AfterValidator(_reachable),
    AfterValidator(_inside),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1}),
]
"""A fraction of the frame's width or height, in [0, 1]."""


def _in_the_clip(value: float) -> float:
    if not 0 <= value <= 1:
        fault = ShotError(
            "times are fractions of the clip, 0 its first frame and 1 its last; divide the number of a frame "
            "by the number of frames less one"
        )
        fault.bound = 0 if value < 0 else 1
        raise fault
    return value


def _a_reach(value: float) -> float:
    if value <= 0:
        raise ShotError("it must be more than 0")
    if value > 1:
        fault = ShotError("it must be at most 1, a part of the frame's shorter side; divide pixels by that")
        fault.bound = 1
        raise fault
    return value


ClipTime = Annotated[
    Number, AfterValidator(_in_the_clip), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})
]
"""A time of the clip in [0, 1]: 0 is the first frame, 1 the last."""

Reach = Annotated[
    Number,
    AfterValidator(_a_reach),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 1}),
]
"""A length as a fraction of the frame's shorter side, in (0, 1]."""

Point = tuple[InsidePosition, InsidePosition]
"""(x, y) inside the frame, origin top left."""

FreePoint = tuple[Position, Position]
"""(x, y) that may lie beyond the frame."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]
"""Text of a prompt, not blank."""

Phrase = Annotated[str, BeforeValidator(_one_line), StringConstraints(min_length=1, max_length=500)]
"""Words that stand in the prompt, with single spaces."""

Occurrence = Annotated[Whole, Field(ge=1, le=1000)]
"""Which mention of a phrase is meant, counted from 1."""


def steps_of(count: int | float, total: int) -> int:
    """How many of `total` steps a StepCount is: a fraction is rounded, at least one step; a count is cut at
    `total`.
    """
    if isinstance(count, int):
        return min(count, total)
    return min(total, max(1, round(count * total)))
