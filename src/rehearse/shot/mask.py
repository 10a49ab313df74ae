"""A region of the frame."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pydantic import Field, StrictBool, model_validator

from rehearse.shot.box import Box
from rehearse.shot.document import Document
from rehearse.shot.errors import ShotError
from rehearse.shot.fields import Point
from rehearse.shot.grid import overlap, pool, refuse_bad_size
from rehearse.shot.image_ref import ImageRef
from rehearse.shot.mask_picture import FAINTEST, notes_on_values
from rehearse.shot.stroke import Stroke, lay

_log = logging.getLogger(__name__)

MOST_STROKES = 4096
_TRIAL_SIZE = 128


class Mask(Document):
    """A region: a picture (white marks it), a box, a polygon, brush strokes, or several of them together.

    Parts add up in the order picture, box, polygon, strokes; erasing strokes take away again.
    `Mask(box=Box(.2, .2, .5, .5))`, `Mask(polygon=[(.1, .1), (.4, .1), (.2, .6)])`, `Mask.of("target.png")`.

    Raises:
        ShotError: no part given, or nothing marked.
    """

    noun: ClassVar[str] = "mask"

    image: ImageRef | None = None
    """A picture over the whole frame: white is marked, black and transparent are not; of a cut-out, what is
    opaque, of coloured things on black, these."""
    box: Box | None = None
    polygon: Annotated[tuple[Point, ...], Field(fail_fast=True, min_length=3, max_length=20_000)] | None = (
        None
    )
    """Corners [x, y] in order; the last joins the first."""
    strokes: Annotated[tuple[Stroke, ...], Field(fail_fast=True, max_length=MOST_STROKES)] = ()
    invert: StrictBool = False
    """Whether everything else is meant instead."""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            image: ImageRef | str | None = None,
            box: Box | None = None,
            polygon: Sequence[tuple[float, float]] | None = None,
            strokes: Sequence[Stroke] = (),
            invert: bool = False,
        ) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _from_box(cls, data: Any) -> Any:
        return {"box": data} if isinstance(data, Box) else data

    @model_validator(mode="after")
    def _marks_something(self) -> Self:
        if self.image is None and self.box is None and self.polygon is None and not self.strokes:
            raise ShotError("a mask needs an image, a box, a polygon or strokes")
        if self.box is not None:
            try:
                self.box.refuse_outside_frame("cut the box at the frame's edge")
            except ShotError as error:
                raise ShotError(error.reason, field=f"box.{error.field}", value=error.value) from error
        if self.is_ready:
            self.raster(_TRIAL_SIZE, _TRIAL_SIZE)
        return self

    @classmethod
    def of(cls, source: Mask | Box | ImageRef | str | Path | bytes | Image.Image | NDArray[Any]) -> Mask:
        """A mask from a mask, a box, or a picture in any form that `ImageRef.embed` takes; pictures are
        embedded.
        """
        if isinstance(source, Box):
            return cls(box=source)
        if isinstance(source, list | tuple):
            raise ShotError(
                "a region is a Box, a Mask or a picture; write Box(x0, y0, x1, y1), or Mask(polygon=[...])",
                field="mask",
                value=source,
            )
        if not isinstance(source, Mask):
            return cls(image=ImageRef.embed(source))
        if source.is_ready or source.image is None:
            return source
        return cls(**{**source.given(), "image": ImageRef.embed(source.image)})

    @property
    def is_ready(self) -> bool:
        """Whether it can be rastered without a folder: no part is a file that has not been read."""
        return self.image is None or self.image.is_inline

    @property
    def is_box(self) -> bool:
        """Whether it is a box and nothing else."""
        parts = (self.image, self.polygon)
        return self.box is not None and parts == (None, None) and not self.strokes and not self.invert

    def raster(self, height: int, width: int, folder: Path | None = None) -> NDArray[np.float32]:
        """How much of each cell of a height x width grid is marked: [height, width] in [0, 1].

        By area, so that a region thinner than a cell keeps its weight. Of a picture, nearly black and nearly
        white are black and white (:data:`FAINTEST`). `folder` is where a relative picture path starts.

        Raises:
            ShotError: nothing is marked, or the picture cannot be read.
        """
        return self._raster(height, width, None if self.image is None else self.image.load_mask(folder))

    def _raster(self, height: int, width: int, picture: NDArray[np.float32] | None) -> NDArray[np.float32]:
        """:meth:`raster`; picture: the values of ``image``, where there is one."""
        refuse_bad_size(height, width)
        marked = np.zeros((height, width), dtype=np.float32)
        if picture is not None:
            np.clip(pool(picture, height, width), 0, 1, out=marked)
        if self.box is not None:
            rows = overlap(self.box.y0, self.box.y1, height)
            columns = overlap(self.box.x0, self.box.x1, width)
            np.maximum(marked, np.outer(rows, columns).astype(np.float32), out=marked)
        if self.polygon is not None:
            np.maximum(marked, _polygon(self.polygon, height, width), out=marked)
        lay(marked, self.strokes)
        if self.invert:
            marked = 1 - marked
        if not marked.any():
            raise ShotError("the mask is empty; mark some part of the frame (in a picture, white marks)")
        return marked

    def clear_raster(self, height: int, width: int, folder: Path | None = None) -> NDArray[np.float32]:
        """:meth:`raster`, for what something shall be done with; what is to be said of its picture is logged.

        Raises:
            ShotError: as :meth:`raster`; the picture is dark all over.
        """
        if self.image is None:
            return self.raster(height, width, folder)
        read = self.image.read_mask(folder)
        marked = self._raster(height, width, read.values)
        strongest = float(read.values.max())
        if marked.max() <= FAINTEST and strongest <= FAINTEST:
            raise ShotError(
                f"it is nearly black: its strongest place has {strongest:.2g} of 1; mark the thing in "
                "white (255)"
            )
        notes = [*read.notes]
        if not self.invert and self.box is None and self.polygon is None and not self.strokes:
            notes += notes_on_values(read.values)
        for note in notes:
            _log.warning("a mask picture: %s", note)
        return marked

    def covers(self, x: float, y: float) -> bool:
        """Whether the point (fractions of the frame) lies in the region or at its edge. Needs `is_ready`.

        A picture counts as lying over the whole frame, which one drawn on the shot's own picture need not.
        """
        fine = 512
        marked = self.raster(fine, fine)
        return bool(marked[min(int(y * fine), fine - 1), min(int(x * fine), fine - 1)] > 0)


def _polygon(corners: Sequence[tuple[float, float]], height: int, width: int) -> NDArray[np.float32]:
    finer = max(2, 512 // max(height, width))
    canvas = Image.new("L", (width * finer, height * finer))
    scaled = [(x * width * finer - 0.5, y * height * finer - 0.5) for x, y in corners]
    ImageDraw.Draw(canvas).polygon(scaled, fill=255)
    return pool(np.asarray(canvas, dtype=np.float32) / np.float32(255), height, width)
