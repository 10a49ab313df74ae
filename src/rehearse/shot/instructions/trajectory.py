"""Where things go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from rehearse.shot.box_path import BoxPath
from rehearse.shot.document import Document
from rehearse.shot.easing import Easing, ease, frame_times
from rehearse.shot.errors import ShotError
from rehearse.shot.fields import ClipTime, Occurrence, Phrase, Point
from rehearse.shot.mask import Mask
from rehearse.shot.point_path import PointPath


class BoxTrajectory(Document):
    """A subject stays in a moving box. Where subjects overlap, the later instruction's is in front."""

    noun: ClassVar[str] = "box trajectory"

    kind: Literal["trajectory"] = "trajectory"
    form: Literal["box"] = "box"
    phrase: Phrase | None = None
    """The words of the prompt that name the subject; null = what the first box holds in the first frame."""
    occurrence: Occurrence | None = None
    """Which mention, counted from 1; needed if the prompt mentions it several times."""
    path: BoxPath


class PointTrajectory(Document):
    """A subject's centre, or what is under the first point, follows a moving point; at rest it is pinned."""

    noun: ClassVar[str] = "point trajectory"

    kind: Literal["trajectory"] = "trajectory"
    form: Literal["point"] = "point"
    phrase: Phrase | None = None
    """The words of the prompt that name the subject; null = what is under the first point in the first frame.
    """
    occurrence: Occurrence | None = None
    """Which mention, counted from 1; needed if the prompt mentions it several times."""
    path: PointPath


class DragMove(Document):
    """One handle of a drag and where it goes."""

    noun: ClassVar[str] = "drag move"
    positional: ClassVar[tuple[str, ...]] = ("handle", "target")

    handle: Point
    """[x, y] where it is taken."""
    target: Point
    """[x, y] where it is let go."""
    via: Annotated[tuple[Point, ...], Field(fail_fast=True, max_length=10_000)] = ()
    """Points [x, y] passed on the way, at even speed over the length of the whole way."""

    if TYPE_CHECKING:

        def __init__(
            self,
            handle: tuple[float, float],
            target: tuple[float, float],
            *,
            via: Sequence[tuple[float, float]] = (),
        ) -> None: ...

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        if self.handle == self.target and not self.via:
            raise ShotError(
                "handle and target are the same point; move one, or pin it with a point path", field="target"
            )
        return self

    def along(self, progress: NDArray[np.float64]) -> NDArray[np.float64]:
        """(x, y) at each progress in [0, 1] of the way's length: [N, 2]."""
        corners = np.array([self.handle, *self.via, self.target])
        reached = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))])
        if reached[-1] == 0:
            return np.repeat(corners[:1], len(progress), axis=0)
        return np.stack([np.interp(progress * reached[-1], reached, corners[:, i]) for i in (0, 1)], axis=1)


class DragTrajectory(Document):
    """A region is dragged: its handles go to their targets, what it bares is painted anew."""

    noun: ClassVar[str] = "drag"

    kind: Literal["trajectory"] = "trajectory"
    form: Literal["drag"] = "drag"
    moves: Annotated[tuple[DragMove, ...], Field(fail_fast=True, min_length=1, max_length=256)]
    region: Mask | None = None
    """What is dragged; null = found from the handles."""
    start: ClipTime = 0.0
    """Time of the clip at which the drag begins."""
    end: ClipTime = 1.0
    """Time of the clip at which it arrives."""
    easing: Easing = "linear"
    """How it moves from start to end."""
    method: Literal["warp", "optimise"] | None = None
    """warp: elastic and instant; optimise: motion supervision on the image model's features; null = the
    default.
    """

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.end <= self.start:
            raise ShotError(f"it must be after start ({self.start:g})", field="end", value=self.end)
        handles = [move.handle for move in self.moves]
        # Where a region's picture lies depends on the frame: its handles are looked at when it is laid there.
        for i, handle in enumerate(handles):
            if handle in handles[:i]:
                raise ShotError(
                    "another move has this handle; take each point once", field=f"moves[{i}].handle"
                )
            if self.region is not None and self.region.image is None and not self.region.covers(*handle):
                raise ShotError(
                    "it is outside the dragged region; put the handle on what is dragged",
                    field=f"moves[{i}].handle",
                    value=list(handle),
                )
        return self

    def resample(self, frames: int) -> NDArray[np.float64]:
        """x, y of every handle for `frames` evenly spaced frames: [frames, moves, 2]."""
        gone = self.progress(frames)
        return np.stack([move.along(gone) for move in self.moves], axis=1)

    def progress(self, frames: int) -> NDArray[np.float64]:
        """The part of the way gone at each of `frames` evenly spaced frames, in [0, 1], eased: [frames]."""
        return ease(self.easing, np.clip((frame_times(frames) - self.start) / (self.end - self.start), 0, 1))


Trajectory = Annotated[BoxTrajectory | PointTrajectory | DragTrajectory, Field(discriminator="form")]
"""Any trajectory."""
