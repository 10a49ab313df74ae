"""A point that moves over the clip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, StrictBool, field_validator, model_validator

from rehearse.shot.document import Document
from rehearse.shot.easing import Easing, frame_times, interpolate
from rehearse.shot.errors import ShotError
from rehearse.shot.fields import ClipTime, FreePoint, Reach
from rehearse.shot.grid import cell_of, refuse_bad_size
from rehearse.shot.keyframes import LEAVING, MOST_KEYFRAMES, gap_easings, name_pair, refuse_unordered

RADIUS = 0.15
"""Half the side of the box round a named subject's point where its path has no radius, as a fraction of the
frame's shorter side."""


class PointKeyframe(Document):
    """Where the point is at one time."""

    noun: ClassVar[str] = "keyframe"
    positional: ClassVar[tuple[str, ...]] = ("time", "point", "easing")

    time: ClipTime
    """Fraction of the clip: 0 is the first frame, 1 the last."""
    point: FreePoint
    """[x, y] as fractions of the frame."""
    easing: Easing | None = None
    """How the point moves on from here; null = as the path says."""

    if TYPE_CHECKING:

        def __init__(self, time: float, point: tuple[float, float], easing: Easing | None = None) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _from_pair(cls, data: Any) -> Any:
        if isinstance(data, list | tuple) and len(data) == 3 and not isinstance(data[2], str):
            return {"time": data[0], "point": data[1:]}
        return name_pair(data, "point")


class PointPath(Document):
    """A point over time, from keyframes with increasing times; before the first and after the last it stands
    still.

    `PointPath([(0, (.1, .4)), (1, (.7, .5))])`; a keyframe may also be written `(0, .1, .4)`. One keyframe is
    a point at rest: it pins what is there.

    Raises:
        ShotError: no keyframe, times equal, decreasing or outside [0, 1], a point beyond the frame without
        `leaves_frame`.
    """

    noun: ClassVar[str] = "point path"
    positional: ClassVar[tuple[str, ...]] = ("keyframes",)

    keyframes: Annotated[
        tuple[PointKeyframe, ...], Field(fail_fast=True, min_length=1, max_length=MOST_KEYFRAMES)
    ]
    easing: Easing = "linear"
    """How the point moves from each keyframe to the next."""
    radius: Reach | None = None
    """Reach of the point as a fraction of the frame's shorter side; null = the model's default."""
    leaves_frame: StrictBool = False
    """Whether points may lie beyond the frame."""

    if TYPE_CHECKING:

        def __init__(
            self,
            keyframes: Sequence[
                PointKeyframe
                | tuple[float, tuple[float, float]]
                | tuple[float, tuple[float, float], Easing]
                | tuple[float, float, float]
            ],
            *,
            easing: Easing = "linear",
            radius: float | None = None,
            leaves_frame: bool = False,
        ) -> None: ...

    @field_validator("keyframes", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise ShotError("it must be a list of keyframes, (time, (x, y))")
        return value

    @model_validator(mode="after")
    def _is_a_path(self) -> Self:
        refuse_unordered(self.keyframes)
        for i, keyframe in enumerate(self.keyframes):
            for axis, value in enumerate(keyframe.point):
                if not self.leaves_frame and not 0 <= value <= 1:
                    raise ShotError(
                        f"it is outside the frame, [0, 1]; {LEAVING}",
                        field=f"keyframes[{i}].point[{axis}]",
                        value=value,
                    )
        return self

    @property
    def closes(self) -> bool:
        """Whether it ends where it began."""
        return self.keyframes[0].point == self.keyframes[-1].point

    def at(self, time: float) -> tuple[float, float]:
        """(x, y) at a time of the clip in [0, 1]; still before the first and after the last keyframe."""
        x, y = self._sample(np.array([time], dtype=np.float64))[0].tolist()
        return x, y

    def resample(self, frames: int) -> NDArray[np.float64]:
        """x, y for `frames` (1 to 10000) evenly spaced frames: [frames, 2]."""
        return self._sample(frame_times(frames))

    def to_grid(self, frames: int, height: int, width: int) -> NDArray[np.bool_]:
        """Which cells of a height x width grid lie within the radius in each frame: [frames, height, width].

        The cell under the point always counts (without a radius it is the only one) while the point is in the
        frame.
        """
        refuse_bad_size(height, width)
        points = self.resample(frames)
        covered = np.zeros((frames, height, width), dtype=np.bool_)
        if self.radius is not None:
            reach = self.radius * min(height, width)
            dx = (np.arange(width) + 0.5)[None, :] - points[:, :1] * width
            dy = (np.arange(height) + 0.5)[None, :] - points[:, 1:] * height
            covered |= dx[:, None, :] ** 2 + dy[:, :, None] ** 2 <= reach**2
        seen = np.flatnonzero(((points >= 0) & (points <= 1)).all(axis=1))
        covered[seen, cell_of(points[seen, 1], height), cell_of(points[seen, 0], width)] = True
        return covered

    def _sample(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        times = np.array([keyframe.time for keyframe in self.keyframes])
        points = np.array([keyframe.point for keyframe in self.keyframes])
        return interpolate(times, points, gap_easings(self.keyframes, self.easing), at)
