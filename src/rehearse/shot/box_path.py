"""A box that moves over the clip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, StrictBool, field_validator, model_validator

from rehearse.shot.box import Box
from rehearse.shot.document import Document
from rehearse.shot.easing import Easing, frame_times, interpolate
from rehearse.shot.errors import ShotError
from rehearse.shot.fields import ClipTime
from rehearse.shot.grid import cells_in, refuse_bad_size
from rehearse.shot.keyframes import LEAVING, MOST_KEYFRAMES, gap_easings, name_pair, refuse_unordered


class BoxKeyframe(Document):
    """Where the box is at one time."""

    noun: ClassVar[str] = "keyframe"
    positional: ClassVar[tuple[str, ...]] = ("time", "box", "easing")

    time: ClipTime
    """Fraction of the clip: 0 is the first frame, 1 the last."""
    box: Box
    easing: Easing | None = None
    """How the box moves on from here; null = as the path says."""

    if TYPE_CHECKING:

        def __init__(self, time: float, box: Box, easing: Easing | None = None) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _from_pair(cls, data: Any) -> Any:
        return name_pair(data, "box")


class BoxPath(Document):
    """A box over time, from keyframes with increasing times; before the first and after the last it stands
    still.

    `BoxPath([(0, Box(.1, .4, .3, .6)), (1, Box(.7, .4, .9, .6))], easing="ease-in-out")`. One keyframe is a
    box at rest.

    Raises:
        ShotError: no keyframe, times equal, decreasing or outside [0, 1], a box beyond the frame without
        `leaves_frame`.
    """

    noun: ClassVar[str] = "box path"
    positional: ClassVar[tuple[str, ...]] = ("keyframes",)

    keyframes: Annotated[
        tuple[BoxKeyframe, ...], Field(fail_fast=True, min_length=1, max_length=MOST_KEYFRAMES)
    ]
    easing: Easing = "linear"
    """How the box moves from each keyframe to the next."""
    leaves_frame: StrictBool = False
    """Whether boxes may lie partly or wholly beyond the frame."""

    if TYPE_CHECKING:

        def __init__(
            self,
            keyframes: Sequence[BoxKeyframe | tuple[float, Box] | tuple[float, Box, Easing]],
            *,
            easing: Easing = "linear",
            leaves_frame: bool = False,
        ) -> None: ...

    @field_validator("keyframes", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise ShotError("it must be a list of keyframes, (time, box)")
        return value

    @model_validator(mode="after")
    def _is_a_path(self) -> Self:
        refuse_unordered(self.keyframes)
        if not self.leaves_frame:
            for i, keyframe in enumerate(self.keyframes):
                try:
                    keyframe.box.refuse_outside_frame(LEAVING)
                except ShotError as error:
                    field = f"keyframes[{i}].box.{error.field}"
                    raise ShotError(error.reason, field=field, value=error.value) from error
        return self

    @property
    def closes(self) -> bool:
        """Whether it ends where it began."""
        return self.keyframes[0].box == self.keyframes[-1].box

    def at(self, time: float) -> Box:
        """The box at a time of the clip in [0, 1]; still before the first and after the last keyframe."""
        x0, y0, x1, y1 = self._sample(np.array([time], dtype=np.float64))[0].tolist()
        # Between two thin boxes rounding may fall just under Box's least thickness: no fault of the caller's.
        return Box.model_construct(x0=x0, y0=y0, x1=x1, y1=y1)

    def resample(self, frames: int) -> NDArray[np.float64]:
        """x0, y0, x1, y1 for `frames` (1 to 10000) evenly spaced frames, not cut at the frame's edge:
        [frames, 4].
        """
        return self._sample(frame_times(frames))

    def to_grid(self, frames: int, height: int, width: int, inset: float = 0.0) -> NDArray[np.bool_]:
        """Which cells of a height x width grid the box covers in each frame: [frames, height, width].

        A cell is covered when its centre is. A box too thin to hold a centre keeps the cells under its
        middle, so that it is never lost while its centre is in the frame; a box out of the frame covers
        nothing. inset: cells by which each side is drawn in first, 0 or more.
        """
        refuse_bad_size(height, width)
        x0, y0, x1, y1 = self.resample(frames).T
        columns, rows = cells_in(x0, x1, width, inset), cells_in(y0, y1, height, inset)
        covered: NDArray[np.bool_] = rows[:, :, None] & columns[:, None, :]
        return covered

    def _sample(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        times = np.array([keyframe.time for keyframe in self.keyframes])
        boxes = np.array([keyframe.box.model_dump() for keyframe in self.keyframes])
        return interpolate(times, boxes, gap_easings(self.keyframes, self.easing), at)
