"""A rectangle in the frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import GetJsonSchemaHandler, model_serializer, model_validator
from pydantic_core import CoreSchema

from rehearse.shot.document import Document
from rehearse.shot.errors import ShotError
from rehearse.shot.fields import REACH, Position

THINNEST = 1e-6


class Box(Document):
    """A rectangle from (x0, y0), its top left corner, to (x1, y1), its bottom right one.

    In JSON `[x0, y0, x1, y1]`. Positions are fractions of the frame's width and height. A box may reach
    beyond the frame, to [-4, 5]; what uses it says whether it takes such a box: a path does with
    `leaves_frame=True`, a mask never does.

    Raises:
        ShotError: a reversed box, one without area, or positions in pixels.
    """

    noun: ClassVar[str] = "box"
    positional: ClassVar[tuple[str, ...]] = ("x0", "y0", "x1", "y1")

    x0: Position
    y0: Position
    x1: Position
    y1: Position

    if TYPE_CHECKING:

        def __init__(self, x0: float, y0: float, x1: float, y1: float) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, data: Any) -> Any:
        if isinstance(data, list | tuple):
            if len(data) != 4:
                raise ShotError(f"a box is four numbers, x0, y0, x1, y1; {len(data)} given")
            return dict(zip(cls.positional, data, strict=True))
        return data

    @model_validator(mode="after")
    def _has_area(self) -> Self:
        for low, high, ends in (("x0", "x1", "left, right"), ("y0", "y1", "top, bottom")):
            a, b = getattr(self, low), getattr(self, high)
            if b < a:
                raise ShotError(
                    f"{low} ({a:g}) is beyond {high} ({b:g}); give left, top, right, bottom, in this order"
                )
            if b - a < THINNEST:
                raise ShotError(
                    f"{low} and {high} ({ends}) are both {a:g}, so it has no area; move them apart"
                )
        return self

    @model_serializer
    def _as_list(self) -> list[float]:
        return [self.x0, self.y0, self.x1, self.y1]

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        number = {"type": "number", "minimum": REACH[0], "maximum": REACH[1]}
        return {
            "title": "Box",
            "description": "[left, top, right, bottom] as fractions of the frame; left < right, top < bottom",
            "type": "array",
            "prefixItems": [number] * 4,
            "minItems": 4,
            "maxItems": 4,
        }

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def centre(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    @property
    def in_frame(self) -> bool:
        """Whether the whole box lies in [0, 1]."""
        return self.x0 >= 0 and self.y0 >= 0 and self.x1 <= 1 and self.y1 <= 1

    def moved(self, dx: float, dy: float) -> Box:
        """This box shifted right by `dx` and down by `dy` (fractions of the frame)."""
        return Box(self.x0 + dx, self.y0 + dy, self.x1 + dx, self.y1 + dy)

    def clipped(self) -> Box | None:
        """The part inside the frame, or None where there is none."""
        x0, y0, x1, y1 = (min(1.0, max(0.0, edge)) for edge in (self.x0, self.y0, self.x1, self.y1))
        return Box(x0, y0, x1, y1) if x1 - x0 >= THINNEST and y1 - y0 >= THINNEST else None

    def contains(self, x: float, y: float) -> bool:
        """Whether a point lies inside or on the edge."""
        return self.x0 <= x <= self.x1 and self.y0 <= y <= self.y1

    def refuse_outside_frame(self, remedy: str) -> None:
        """Raise ShotError, naming the edge and the remedy, unless the whole box lies in the frame."""
        for name in self.positional:
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ShotError(f"it is outside the frame, [0, 1]; {remedy}", field=name, value=value)
