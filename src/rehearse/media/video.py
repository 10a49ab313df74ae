"""Clips on disk: written whole or not at all, with the shot that made them in their metadata."""

from __future__ import annotations

import json
import logging
import math
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehearse.media import container, picture, sheet
from rehearse.media.clip_reader import read_clip
from rehearse.media.envelope import Envelope
from rehearse.media.errors import MediaError
from rehearse.media.files import replacing
from rehearse.shot import Shot

_LOG = logging.getLogger(__name__)

FASTEST_GIF = 50
"""Frames a second: viewers take shorter frames of a gif for no time at all."""

FORMATS: dict[str, str] = {
    ".mp4": "video, H.264; plays everywhere",
    ".webm": "video, VP9; plays in every browser",
    ".gif": "looping picture, 256 colours",
    ".apng": "looping picture, lossless",
    ".png": "one frame as it is, several side by side",
}
"""What :func:`write_clip` writes, by file name ending."""

_log = logging.getLogger(__name__)
_CONTAINERS = ("mp4", "webm")
_PICTURES = ("gif", "apng", "png")
_SNIFF = 16
_SLOWEST = 0.02  # frames a second; a png cannot hold a frame much longer than a minute


def clip_format(path: str | os.PathLike[str]) -> str:
    """The format a file name asks for: "mp4", "webm", "gif", "apng" or "png"; MediaError for others."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        known = ", ".join(FORMATS)
        what = f"the ending {suffix!r}" if suffix else "a name without an ending"
        raise MediaError(f"cannot write {path}: {what} is no clip format; end it in one of {known}")
    return suffix[1:]


def check_frames(frames: NDArray[np.uint8]) -> None:
    """Raise MediaError unless ``frames`` is uint8 ``[F, H, W, 3]`` with at least one frame and pixel."""
    shape: tuple[int, ...] = getattr(frames, "shape", ())
    dtype = getattr(frames, "dtype", type(frames).__name__)
    if len(shape) != 4 or shape[-1] != 3 or 0 in shape or dtype != np.uint8:
        raise MediaError(f"frames must be uint8 [frames, height, width, 3], not {dtype} {list(shape)}")


def write_clip(
    path: str | os.PathLike[str],
    frames: NDArray[np.uint8],
    fps: float,
    shot: Shot | None = None,
) -> None:
    """Write a clip; the format follows from the ending of ``path``, see :data:`FORMATS`.

    frames: RGB uint8 ``[F, H, W, 3]``; sizes are kept (mp4 and webm repeat the last row or column of an
        odd side). fps: frames per second, above 0; a gif shows 50 at most, and
        no file fewer than one in 50 seconds.
    shot: embedded in the file with its pictures; :func:`read_shot` gives it back.

    The file appears whole under its name, or not at all: errors and Ctrl-C leave what was there before.
    Raises MediaError for an unknown ending, a wrong array, or a place that cannot be written.
    """
    kind = clip_format(path)
    check_frames(frames)
    if not (math.isfinite(fps) and fps > 0):
        raise MediaError(f"fps must be above 0, not {fps}")
    said = json.loads(shot.to_json()) if shot is not None else None
    if kind == "png":
        if len(frames) > 1:  # one frame is a picture as it stands
            frames = np.asarray(sheet.contact_sheet([sheet.Row(frames)]))[None]
        text = Envelope(shot=said).text()
    else:
        text = Envelope(frames=len(frames), fps=float(fps), shot=said).text()
    if kind == "gif" and fps > FASTEST_GIF and len(frames) > 1:
        _LOG.warning(
            "a gif shows %d frames a second at most, so this one plays slower than the %g asked for; write "
            "an mp4, webm or apng for that rate, or ask for fewer",
            FASTEST_GIF, fps,
        )  # fmt: skip
    if fps < _SLOWEST:
        _LOG.warning(
            "no file shows fewer frames than one in %d seconds; %g a second is not kept", 1 / _SLOWEST, fps
        )
    with replacing(path) as part:
        encode(part, kind, frames, max(fps, _SLOWEST), text)


def write_still(path: str | os.PathLike[str], frame: NDArray[np.uint8], shot: Shot | None = None) -> None:
    """Write one picture, RGB uint8 ``[H, W, 3]``, as a png pixel for pixel, with the shot inside; whole or
    not at all. Raises MediaError where it cannot be written.
    """
    said = json.loads(shot.to_json()) if shot is not None else None
    with replacing(path) as part:
        picture.encode_png(part, frame[None], 1, Envelope(shot=said).text())


def encode(part: Path, kind: str, frames: NDArray[np.uint8], fps: float, text: str) -> None:
    """Write frames in the given format straight to ``part``, with ``text`` in its metadata."""
    if kind in _CONTAINERS:
        container.encode(part, kind, frames, fps, text)
    elif kind == "gif":
        picture.encode_gif(part, frames, fps, text)
    else:
        picture.encode_png(part, frames, fps, text)


def read_frames(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """The frames of a video or picture, sRGB uint8 ``[F, H, W, 3]`` (a still picture: one frame), as players
    show them; what was changed for that is logged.

    Raises MediaError for files that are missing, damaged, or no video or picture.
    """
    try:
        clip = read_clip(Path(path))
    except MediaError as error:
        raise MediaError(f"cannot read {path}: {error}") from error
    for note in clip.notes:
        _log.warning("%s: %s", path, note)
    return clip.frames


def read_envelope(path: str | os.PathLike[str]) -> Envelope:
    """What a media file says about itself; empty for files that are not ours. MediaError as above."""
    comment = picture.comment if _is_picture(path) else container.comment
    return Envelope.read(comment(Path(path)))


def read_shot(path: str | os.PathLike[str]) -> Shot:
    """The shot embedded in a clip by :func:`write_clip`.

    Raises MediaError where the file carries no shot, and ShotError where it carries one that this
    version of Rehearse does not understand.
    """
    said = read_envelope(path).shot
    if said is None:
        raise MediaError(f"{path} carries no shot: it was not written by rehearse, or its metadata was lost")
    return Shot.model_validate_json(json.dumps(said))


def _is_picture(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a gif or png, by its first bytes: names lie."""
    try:
        with Path(path).open("rb") as file:
            head = file.read(_SNIFF)
    except OSError as error:
        raise MediaError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from error
    return head.startswith((b"GIF8", b"\x89PNG"))
