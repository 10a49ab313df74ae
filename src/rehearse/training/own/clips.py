"""Clips and masks at the size a model is trained at.

Frames are taken from the first on: a mask belongs to frame 0, so time is never cut from elsewhere. Frame and
mask are scaled until they cover the size and cut to its middle, both alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rehearse.media import MediaError
from rehearse.media.clip_reader import unopened
from rehearse.shot.errors import ShotError
from rehearse.shot.mask_picture import MaskPicture, mask_picture
from rehearse.training.own.errors import TrainingError


@dataclass(frozen=True, slots=True)
class Shape:
    """Length and size of what is trained on. every: takes frames 0, every, 2 every, ... of a clip."""

    frames: int
    width: int
    height: int
    every: int = 1

    def __post_init__(self) -> None:
        if min(self.width, self.height) < 1:
            raise TrainingError(
                f"--size is {self.width}x{self.height}: give width and height in pixels, such as 720x480"
            )

    @property
    def needed(self) -> int:
        """Frames a clip must have."""
        return (self.frames - 1) * self.every + 1

    @property
    def facts(self) -> dict[str, Any]:
        """As JSON values, under the names of the options."""
        return {"frames": self.frames, "size": f"{self.width}x{self.height}", "every": self.every}


def read_mask(path: Path) -> MaskPicture:
    """A mask in [0, 1], ``[H, W]``, as a shot's are read, from a picture of any format. Raises MediaError."""
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise unopened(error) from error
    try:
        return mask_picture(content, formats=None)
    except ShotError as error:
        raise MediaError(error.reason) from error


def fitted_frames(frames: NDArray[np.uint8], shape: Shape) -> NDArray[np.uint8]:
    """Frames 0, every, ... at the size of ``shape``, uint8 ``[frames, height, width, 3]``.

    Raises TrainingError for a clip that is too short.
    """
    if len(frames) < shape.needed:
        raise TrainingError(
            f"a clip of {len(frames)} frames is shorter than the {shape.needed} that are needed"
        )
    chosen = frames[: shape.needed : shape.every]
    return np.stack([np.asarray(_fitted(Image.fromarray(frame), shape), np.uint8) for frame in chosen])


def fitted_mask(mask: NDArray[np.float32], shape: Shape) -> NDArray[np.float32]:
    """A mask cut as the frames are, float32 ``[height, width]`` in [0, 1]."""
    picture = Image.fromarray(np.ascontiguousarray(mask, dtype=np.float32), mode=None)
    return np.asarray(_fitted(picture, shape, Image.Resampling.BOX), dtype=np.float32).clip(0, 1)


def _fitted(
    picture: Image.Image, shape: Shape, filter_: Image.Resampling = Image.Resampling.LANCZOS
) -> Image.Image:
    width, height = picture.size
    if (width, height) == (shape.width, shape.height):
        return picture
    scale = max(shape.width / width, shape.height / height)
    kept = shape.width / scale, shape.height / scale
    # Rounding may leave the kept part a hair larger than the picture.
    left, top = max(0.0, (width - kept[0]) / 2), max(0.0, (height - kept[1]) / 2)
    box = (left, top, min(left + kept[0], width), min(top + kept[1], height))
    return picture.resize((shape.width, shape.height), filter_, box=box)
