"""What paths of boxes and of points share: rules for keyframes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Protocol

from rehearse.shot.document import Document
from rehearse.shot.easing import EASINGS, Easing
from rehearse.shot.errors import ShotError

MOST_KEYFRAMES = 10_000
LEAVING = (
    "keep it inside, or say that the subject may leave the frame "
    '(leaves_frame=True; on the command line the word "leaves-frame" after the @)'
)


class Keyframe(Protocol):
    """A value at a time of the clip."""

    @property
    def time(self) -> float: ...
    @property
    def easing(self) -> Easing | None: ...


def refuse_unordered(keyframes: Sequence[Keyframe]) -> None:
    """Raise ShotError unless every keyframe is later than the one before."""
    for i, (before, after) in enumerate(pairwise(keyframes), start=1):
        if after.time == before.time:
            raise ShotError(
                "two keyframes have this time; give each a time of its own",
                field=f"keyframes[{i}].time",
                value=after.time,
            )
        if after.time < before.time:
            raise ShotError(
                f"it is before the keyframe in front of it ({before.time:g}); order keyframes by time",
                field=f"keyframes[{i}].time", value=after.time,
            )  # fmt: skip


def gap_easings(keyframes: Sequence[Keyframe], easing: Easing) -> list[Easing]:
    """The easing of each gap between keyframes: the earlier keyframe's own, else the path's."""
    return [keyframe.easing or easing for keyframe in keyframes[:-1]]


def name_pair(data: Any, value_name: str) -> Any:
    """A keyframe written as (time, value) or (time, value, easing) as named fields; else unchanged."""
    if isinstance(data, dict | Document):
        return data
    if not isinstance(data, list | tuple):
        raise ShotError(f"a keyframe is (time, {value_name})")
    if len(data) == 2:
        return {"time": data[0], value_name: data[1]}
    if len(data) == 3 and data[2] in EASINGS:
        return {"time": data[0], value_name: data[1], "easing": data[2]}
    raise ShotError(
        f"a keyframe is (time, {value_name}) or (time, {value_name}, easing); {len(data)} values given"
    )
