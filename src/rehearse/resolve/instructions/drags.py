"""What is dragged: by drags, and by paths that name no words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rehearse.resolve.instructions.paths import is_at_rest
from rehearse.shot import (
    Box,
    BoxPath,
    BoxTrajectory,
    DragMove,
    DragTrajectory,
    Mask,
    PointPath,
    PointTrajectory,
)
from rehearse.shot.easing import Easing
from rehearse.shot.errors import ShotError

# How far, in fractions of the frame, a drag may stray from the path it stands for before it is said.
_STRAYS = 0.02

Region = NDArray[np.bool_] | NDArray[np.floating]
Part = Literal["region", "moves", "handle", "target", "move"]


class DragFault(ShotError):
    """A drag that cannot be made. Whoever knows where it comes from tells it with :meth:`DragAsk.told`.

    what: is wrong. remedy: for a drag. drag: its number among those that were given. part: of it that is at
    fault; move: of which of its moves. other: the number of another drag that ``what`` speaks of as
    ``{other}``.
    """

    def __init__(
        self,
        what: str,
        remedy: str,
        *,
        drag: int = 0,
        several: bool = False,
        part: Part,
        move: int = 0,
        value: object = ...,
        other: int | None = None,
    ) -> None:
        self.what, self.remedy = what, remedy
        self.drag, self.part, self.move, self.other = drag, part, move, other
        where = f"drags[{drag}]." if several else ""
        super().__init__(
            f"{what.format(other=f'drags[{other}]')}; {remedy}", field=where + _named(part, move), value=value
        )


def _named(part: Part, move: int) -> str:
    match part:
        case "region" | "moves":
            return part
        case "move":
            return f"moves[{move}]"
        case _:
            return f"moves[{move}].{part}"


@dataclass(frozen=True, eq=False, slots=True)
class DragAsk:
    """One drag of a shot.

    field: of its instruction. drag: what is asked for, its method said. region: float32 ``[H, W]`` in [0, 1],
    what is dragged; None: found from the handles. halo: whether one lies round the region; None: by its
    values. keyframes: how many the path has that it stands for; None for a drag that is one.
    """

    field: str
    drag: DragTrajectory
    region: NDArray[np.float32] | None
    halo: bool | None
    keyframes: int | None = None

    def told(self, fault: DragFault, others: Sequence[DragAsk] = ()) -> ShotError:
        """What is wrong with it, in the shot's own fields. others: the drags whose numbers the fault has."""
        other = "" if fault.other is None else others[fault.other].field
        what = fault.what.format(other=other)
        value = {} if fault.value is ... else {"value": fault.value}
        if self.keyframes is None:
            field = f"{self.field}.{_named(fault.part, fault.move)}"
            return ShotError(f"{what}; {fault.remedy}", field=field, **value)  # type: ignore[arg-type]
        if fault.part in ("handle", "target"):
            at = self.keyframes - 1 if fault.part == "target" else 0
            remedy = "keep it nearer to the middle of the picture"
            return ShotError(f"{what}; {remedy}", field=f"{self.field}.path.keyframes[{at}]")
        return ShotError(f"{what}; keep one of them", field=f"{self.field}.path")


def drag_of(one: DragTrajectory, field: str, width: int, height: int) -> DragAsk:
    """A drag, its region as it lies over a ``width`` x ``height`` frame.

    Raises ShotError, naming the field: a region whose picture cannot be read, that is empty or nearly black,
    or that does not hold its handles.
    """
    return _ask(one, field, width, height, None)


def drag_of_path(
    one: BoxTrajectory | PointTrajectory, field: str, width: int, height: int
) -> tuple[DragAsk | None, list[str]]:
    """The drag that a path without words stands for, None where it stands still; and notes on it.

    A box path drags what its first box holds, by the box's centre, or where the box changes its size by two
    of its corners, drawn in by a quarter. A point path drags what is under its first point: within its
    radius, or what the picture shows there. A drag goes along the keyframes' places at even speed, from the
    first keyframe's time to the last's.

    Raises ShotError: a path that leaves the frame.
    """
    path: Any = one.path
    if isinstance(path, BoxPath):
        boxes = [key.box for key in path.keyframes]
        sizes = {(round(box.x1 - box.x0, 6), round(box.y1 - box.y0, 6)) for box in boxes}
        places = [(0.5, 0.5)] if len(sizes) == 1 else [(0.25, 0.25), (0.75, 0.75)]
        ways = [[_in_box(box, at) for box in boxes] for at in places]
        held = boxes[0].clipped()
        region = None if held is None else Mask(box=held)
    else:
        ways = [[key.point for key in path.keyframes]]
        region = disc(path, width, height)
    for way in ways:
        for index, (x, y) in enumerate(way):
            if not (0 <= x <= 1 and 0 <= y <= 1):
                raise ShotError(
                    "it leads what is dragged out of the frame; keep its middle inside, or name the subject "
                    "with words of the prompt",
                    field=f"{field}.path.keyframes[{index}]",
                )
    if is_at_rest(one):
        return None, []
    times = [key.time for key in path.keyframes]
    single: Easing = (path.keyframes[0].easing or path.easing) if len(times) == 2 else "linear"
    drag = DragTrajectory(
        # A corner that stays where it is holds on by a way of no length.
        moves=tuple(DragMove(way[0], way[-1], via=tuple(way[1:-1]) or _still(way)) for way in ways),
        region=region,
        start=times[0],
        end=times[-1],
        easing=single,
    )
    return _ask(drag, field, width, height, len(times)), _strays(path, drag, f"{field}.path")


def _ask(drag: DragTrajectory, field: str, width: int, height: int, keyframes: int | None) -> DragAsk:
    if drag.region is None:
        return DragAsk(field, drag, None, None, keyframes)
    try:
        region = drag.region.clear_raster(height, width)
    except ShotError as error:
        raise error.within(f"{field}.region" if keyframes is None else f"{field}.path") from error
    # A box is drawn round a thing, with ground to spare: what lies round the box is not the thing's.
    ask = DragAsk(field, drag, region, False if drag.region.is_box else None, keyframes)
    try:
        check_region(region, [move.handle for move in drag.moves], height, width)
    except DragFault as fault:
        raise ask.told(fault) from fault
    return ask


def check_region(
    region: Region,
    handles: Sequence[tuple[float, float]],
    height: int,
    width: int,
    drag: int = 0,
    several: bool = False,
) -> None:
    """Raise DragFault for a region of another size, an empty one, or one that does not hold its handles.
    drag: its number, among several."""
    if region.shape != (height, width):
        size = " x ".join(str(side) for side in region.shape[::-1])
        raise DragFault(
            f"it has {size} cells and the picture {width} x {height} pixels", "make them equal",
            drag=drag, several=several, part="region",
        )  # fmt: skip
    marked = np.asarray(region > 0)
    if not marked.any():
        raise DragFault(
            "it is empty", "mark what is to be dragged", drag=drag, several=several, part="region"
        )
    for i, (x, y) in enumerate(handles):
        column, row = min(int(x * width), width - 1), min(int(y * height), height - 1)
        if not marked[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].any():
            raise DragFault(
                "it is outside the dragged region", "put the handle on what is dragged",
                drag=drag, several=several, part="handle", move=i, value=[x, y],
            )  # fmt: skip


def _in_box(box: Box, at: tuple[float, float]) -> tuple[float, float]:
    return box.x0 + at[0] * (box.x1 - box.x0), box.y0 + at[1] * (box.y1 - box.y0)


def _still(way: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    return (way[0],) if way[0] == way[-1] else ()


def disc(path: PointPath, width: int, height: int) -> Mask | None:
    """What lies within the path's radius of its first point, as a polygon; None where it has no radius."""
    if path.radius is None:
        return None
    x, y = path.keyframes[0].point
    reach = path.radius * min(width, height)
    turns = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    corners = np.stack([x + reach / width * np.cos(turns), y + reach / height * np.sin(turns)], axis=1)
    corners = np.clip(corners, 0, 1)
    return Mask(polygon=[(float(u), float(v)) for u, v in corners])


def _strays(path: Any, drag: DragTrajectory, field: str) -> list[str]:
    asked = path.resample(64)
    if isinstance(path, BoxPath):
        asked = (asked[:, :2] + asked[:, 2:]) / 2
    strays = float(np.abs(drag.resample(64).mean(axis=1) - asked).max())
    if strays <= _STRAYS:
        return []
    return [
        f"{field}: what is dragged goes along it at even speed, and so is up to {100 * strays:.0f} % of the "
        "frame away from where the keyframes' times put it"
    ]
