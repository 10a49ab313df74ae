"""Clips and masks from files, at the size a model is trained at.

Frames are taken from the first on: a mask belongs to frame 0, so time is never cut from elsewhere. Frame and
mask are scaled until they cover the size and cut to its middle, both alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence, UnidentifiedImageError

from rehearse.media import MediaError, read_frames
from rehearse.training.target.errors import TrainingError


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


@dataclass(frozen=True, eq=False, slots=True)
class Clip:
    """What was read of a file: frames uint8 ``[n, H, W, 3]`` at its own size, as many as were asked for or
    fewer, and its frames a second (None where it does not say). tick: seconds that the file counts in, where
    these are so coarse that its rate was rounded to them; else 0."""

    frames: NDArray[np.uint8]
    rate: float | None
    tick: float = 0.0


def read_clip(path: Path, most: int) -> Clip:
    """The first ``most`` frames of a clip, upright where a phone was held on its side. Raises MediaError for
    what is missing, damaged or no clip; the sentence does not name the file."""
    import av

    try:
        with path.open("rb") as file:
            head = file.read(8)
    except (OSError, ValueError) as error:
        raise _unopened(error) from None
    if head.startswith((b"GIF8", b"\x89PNG")):
        try:
            return Clip(read_frames(path)[:most], _played_at(path), 0.01 if head[:3] == b"GIF" else 0.001)
        except (MediaError, Image.DecompressionBombError):
            raise MediaError("it cannot be read: it is damaged, or too large; write it again") from None
    found = []
    try:
        with av.open(str(path), "r", metadata_errors="replace") as container:
            stream = container.streams.video[0]
            rate = float(stream.average_rate) if stream.average_rate else None
            for frame in container.decode(stream):
                # Turned counterclockwise by what the file says: so players show it, and so masks are drawn.
                turns = round(frame.rotation / 90) % 4
                found.append(np.rot90(frame.to_ndarray(format="rgb24"), turns))
                if len(found) == most:
                    break
        frames = np.stack(found).astype(np.uint8) if found else None
    except (av.FFmpegError, OSError, ValueError, IndexError) as error:
        raise MediaError("it cannot be read: it is no video, or it is damaged; write it again") from error
    if frames is None:
        raise MediaError("it holds no frames; write it again")
    return Clip(frames, rate)


def _played_at(path: Path) -> float | None:
    """Frames a second of a GIF or animated PNG, None of a still or where it does not say."""
    with Image.open(path) as picture:
        times = [float(frame.info.get("duration", 0)) for frame in ImageSequence.Iterator(picture)]
    # Not the mean: frames that are alike are often kept once, for longer.
    usual = median(times)
    return 1000 / usual if len(times) > 1 and usual > 0 else None


def _unopened(error: OSError | ValueError) -> MediaError:
    """Why a file of a row cannot be opened."""
    if isinstance(error, IsADirectoryError):
        return MediaError("it is a folder; name a file in it")
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return MediaError("there is no such file; mind that paths are relative to the data file")
    why = (getattr(error, "strerror", None) or str(error)).lower()
    return MediaError(f"it cannot be opened ({why}); name a file that can be read")


def read_mask(path: Path) -> NDArray[np.float32]:
    """A mask in [0, 1], ``[H, W]``, from a picture's brightness. Raises MediaError."""
    try:
        with Image.open(path) as picture:
            if "A" in picture.getbands() and picture.getchannel("A").getextrema()[0] < 255:  # type: ignore[operator]
                raise MediaError(
                    "it is transparent in part, which is no mask; make it white on black, without alpha"
                )
            values = _brightness(picture)
    except MediaError:
        raise
    except (UnidentifiedImageError, SyntaxError, Image.DecompressionBombError):
        raise MediaError("it cannot be read as a picture; write it again as png") from None
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is None:  # Pillow's own, of a damaged file
            raise MediaError("it cannot be read as a picture; write it again as png") from None
        raise _unopened(error) from None
    return values.astype(np.float32)


def _brightness(picture: Image.Image) -> NDArray[np.float32]:
    """``[H, W]`` in [0, 1]; Pillow itself would clip 16 bits to 8."""
    if picture.mode.startswith("I;16"):
        return np.asarray(picture).astype(np.float32) / np.float32(65535)
    if picture.mode in ("I", "F"):
        raise MediaError(f"its mode {picture.mode} does not say what is white; write it again as 8-bit png")
    return np.asarray(picture.convert("L"), dtype=np.float32) / np.float32(255)


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


def first_frame(path: Path) -> NDArray[np.uint8]:
    """The first frame of a clip or picture, RGB uint8 ``[H, W, 3]``. Raises MediaError, naming the file."""
    try:
        path.open("rb").close()
    except (OSError, ValueError) as error:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise MediaError(f"cannot read {path}: {why}; name a clip or a picture") from None
    try:
        return read_clip(path, 1).frames[0]
    except MediaError as error:
        try:
            with Image.open(path) as picture:
                return np.asarray(picture.convert("RGB"), np.uint8)
        except (OSError, ValueError, Image.DecompressionBombError):
            raise MediaError(f"cannot read {path}: {error}") from None
