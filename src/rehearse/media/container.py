"""Video containers by PyAV: mp4 (H.264) and webm (VP9), both to play in any browser."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from rehearse.media.errors import MediaError

# Quality over size: these clips are short. Both come within .3 dB of what halved chroma allows on paper-cut
# clips (35 to 40 dB); x264 and VP9 count quality differently.
_CODECS: dict[str, tuple[str, dict[str, str]]] = {
    "mp4": ("libx264", {"crf": "12", "preset": "slow", "tune": "animation"}),
    "webm": (
        "libvpx-vp9",
        {"crf": "8", "b": "0", "deadline": "good", "cpu-used": "1", "lag-in-frames": "16"},
    ),
}
# Matroska readers refuse strings of 16 MiB; a longer comment goes on in further tags (comment_1, ...).
_LONGEST_TAG = {"webm": 8 << 20}
_BT709 = 1
_LIMITED_RANGE = 1


def _even(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """4:2:0 video has even sides only: repeat the last row or column where one is odd."""
    _, height, width, _ = frames.shape
    return np.pad(frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def encode(path: Path, kind: str, frames: NDArray[np.uint8], fps: float, comment: str) -> None:
    """Write frames ``[F, H, W, 3]`` (RGB, 0-255) to ``path``; ``kind`` is "mp4" or "webm".

    Colours go out as BT.709, limited range, and say so: untagged clips are guessed at, differently, by
    every player. ``comment`` becomes the container's comment tag.
    """
    codec, options = _CODECS[kind]
    frames = _even(frames)
    rate = Fraction(fps).limit_denominator(1001)
    flags = {"movflags": "+faststart"} if kind == "mp4" else {}
    with av.open(str(path), "w", format=kind, options=flags) as container:
        container.metadata.update(_tags(comment, _LONGEST_TAG.get(kind, len(comment))))
        stream: Any = container.add_stream(codec, rate=rate, options=options)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        # A keyframe every second at most, so that a player can scrub.
        context.gop_size = max(1, round(fps))
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _LIMITED_RANGE
        for index, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame = frame.reformat(
                format="yuv420p",
                src_color_range=ColorRange.JPEG,
                dst_colorspace=Colorspace.ITU709,
                dst_color_range=ColorRange.MPEG,
            )
            frame.pts, frame.time_base = index, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _tags(comment: str, longest: int) -> dict[str, str]:
    parts = [comment[start : start + longest] for start in range(0, len(comment), longest)]
    return {f"comment_{index}" if index else "comment": part for index, part in enumerate(parts)}


def comment(path: Path) -> str | None:
    """The container's comment tag, or None; MediaError where the file is no video."""
    with _open(path) as container:
        tags = {key.lower(): value for key, value in container.metadata.items()}
    if "comment" not in tags:
        return None
    parts = [tags["comment"]]
    while (more := tags.get(f"comment_{len(parts)}")) is not None:
        parts.append(more)
    return "".join(parts)


def _open(path: Path) -> Any:
    try:
        container = av.open(str(path), "r", metadata_errors="replace")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise MediaError(f"cannot read {path}: it is not a video file, or it is damaged") from error
    # A name like x.png makes the library take any bytes at all for a picture.
    if not container.streams.video or container.format.name.startswith("image2"):
        container.close()
        raise MediaError(f"cannot read {path}: it is not a video file, or it is damaged")
    return container
