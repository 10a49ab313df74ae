"""Animated and still pictures by Pillow: gif, apng and png."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from rehearse.media.errors import MediaError

_TEXT_KEY = "comment"
# Browsers slow a gif down to 10 frames a second when a frame stands shorter than this.
_SHORTEST_GIF_FRAME_MS = 20
# The palette is fitted to about this many pixels: k-means on all of a large noisy clip takes minutes.
_PALETTE_PIXELS = 1 << 16


def durations(count: int, fps: float, grain_ms: int) -> list[int]:
    """How long each of ``count`` frames stands, in ms, in multiples of ``grain_ms``.

    Rounded on the running total, so 8 frames a second stay 8 although a gif counts in 1/100 s.
    """
    ends = [round((index + 1) * 1000 / fps / grain_ms) * grain_ms for index in range(count)]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def _palette(frames: NDArray[np.uint8]) -> Image.Image:
    """One palette of 256 colours for all frames: median cut, then k-means on the pixels themselves.

    A palette per frame would fit each frame a little better and make flat surfaces flicker.
    """
    pixels = frames.reshape(-1, 3)
    # An odd stride, so that it does not fall on the same columns again and again.
    pixels = pixels[:: (len(pixels) // _PALETTE_PIXELS) | 1]
    strip = Image.fromarray(np.ascontiguousarray(pixels[None]))
    return strip.quantize(256, method=Image.Quantize.MEDIANCUT, kmeans=3)


def encode_gif(path: Path, frames: NDArray[np.uint8], fps: float, comment: str) -> None:
    """Write frames ``[F, H, W, 3]`` as a looping gif with ``comment`` in its comment extension."""
    palette = _palette(frames)
    images = [Image.fromarray(f).quantize(palette=palette, dither=Image.Dither.NONE) for f in frames]
    stand = [max(_SHORTEST_GIF_FRAME_MS, ms) for ms in durations(len(images), fps, 10)]
    images[0].save(
        path,
        format="GIF",
        save_all=True,
        append_images=images[1:],
        duration=stand,
        loop=0,
        disposal=1,
        comment=comment.encode(),
    )


def encode_png(path: Path, frames: NDArray[np.uint8], fps: float, comment: str) -> None:
    """Write frames ``[F, H, W, 3]`` lossless: a png for one frame, a looping animated png for more."""
    text = PngInfo()
    # Not compressed: readers bound what they will unpack, and a shot may carry images.
    text.add_itxt(_TEXT_KEY, comment)
    images = [Image.fromarray(frame) for frame in frames]
    if len(images) == 1:
        images[0].save(path, format="PNG", pnginfo=text)
        return
    images[0].save(
        path,
        format="PNG",
        pnginfo=text,
        save_all=True,
        append_images=images[1:],
        duration=durations(len(images), fps, 1),
        loop=0,
    )


def comment(path: Path) -> str | None:
    """The embedded line of a gif or png, or None."""
    with _open(path) as image:
        found = image.info.get("comment")
        if found is None and image.format == "PNG":
            # Text may stand behind the pixels, where other programs put it.
            image.load()
            found = image.info.get("comment")
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else found


def _open(path: Path) -> Image.Image:
    try:
        return Image.open(path, formats=["GIF", "PNG"])
    except Exception as error:  # as above
        raise MediaError(f"cannot read {path}: it is not a picture file, or it is damaged") from error
