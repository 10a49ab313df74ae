"""How things move."""

from __future__ import annotations

from numbers import Real
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, StrictBool

from rehearse.shot.document import Document
from rehearse.shot.errors import ShotError
from rehearse.shot.fields import Fraction, Text

MAGNITUDES: dict[str, float] = {"small": 0.25, "moderate": 0.5, "large": 0.75}
"""Where the named magnitudes lie on the scale from 0 (still) to 1 (as much as the model can)."""
AMOUNT = MAGNITUDES["moderate"]
"""The magnitude where a shot says none."""


def _magnitude(value: Any) -> Any:
    # Checked here, because a union's own errors speak of each of its branches.
    if isinstance(value, str) and value not in MAGNITUDES:
        raise ShotError("it must be small, moderate, large or a number in [0, 1]")
    if not isinstance(value, str) and (
        isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) <= 1
    ):
        raise ShotError("it must be small, moderate, large or a number in [0, 1]")
    return value


class MotionInstruction(Document):
    """How the clip moves. A shot has at most one."""

    noun: ClassVar[str] = "motion instruction"

    kind: Literal["motion"] = "motion"
    text: Text | None = None
    """What moves and how; null = the shot's prompt says it."""
    magnitude: (
        Annotated[Literal["small", "moderate", "large"] | Fraction, BeforeValidator(_magnitude)] | None
    ) = None
    """How much: small (.25), moderate (.5), large (.75), or a number from 0, still, to 1; null = the model's
    default.
    """
    loop: StrictBool = False
    """Whether the last frame leads back to the first."""
    restyle: StrictBool = False
    """Whether the model may change the picture's style to its own, to move more freely."""

    @property
    def amount(self) -> float | None:
        """The magnitude as a number in [0, 1]."""
        return MAGNITUDES[self.magnitude] if isinstance(self.magnitude, str) else self.magnitude
