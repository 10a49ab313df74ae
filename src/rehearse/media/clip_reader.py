"""Clips and pictures from any program, as players show them.

The one reader of frames: training, masks and our own files go through it. Turned and mirrored frames come
upright, pixels square, colours as sRGB, transparent parts on white, frames evenly in time. What is changed on
the way or cannot be honoured is said in :attr:`Clip.notes`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from rehearse.media import picture
from rehearse.media.colour import ORDINARY, narrowed, wide
from rehearse.media.envelope import Envelope
from rehearse.media.errors import MediaError, NoSuchFile
from rehearse.shot.errors import ShotError
from rehearse.shot.picture_file import decoded, flattened, notes_on

_GROUND = "white"
_CLEAR = f"it is transparent in part: it is shown on {_GROUND}"
_SNIFF = 16
_STILLS = (b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"BM")
_APPLE_STILLS = (b"heic", b"heix", b"mif1", b"msf1", b"heim", b"heis")
_UNREADABLE = "it cannot be read: it is no video, or it is damaged; write it again"
_NO_VIDEO = frozenset({"image2", "tty", "bin", "xbin", "adf", "idf"})
"""Demuxers that take a text, or any bytes at all, for a picture."""
_STILL_CODECS = frozenset({"mjpeg", "png", "bmp", "webp", "gif"})
_COVER = 0x400 | 0x800
"""Dispositions of a stream that is a cover picture or thumbnails."""
_UNKNOWN = 2
"""What H.273 and FFmpeg call a matrix, transfer or primaries that a file does not say."""
_HD = 720
"""From this height on, players take colours that a file does not name for BT.709's, below for BT.601's."""
_LONGEST_ASPECT = 8
_MOST_REPEATS = 4096
"""A file that claims to stand still for longer than this is not believed."""
_SCANNED = 256
_UNEVEN = 0.3
"""The part of the usual time between frames by which another differs that is not just rounded."""
_GIF_UNSAID_MS = 100
"""How long browsers let a frame of a GIF stand that says no time, or next to none."""

Frame = NDArray[np.uint8]
Timed = tuple[float, float, Frame]
"""When a frame is shown and for how long, in seconds, and the frame."""


@dataclass(frozen=True, eq=False, slots=True)
class Clip:
    """What was read of a file: frames uint8 ``[n, H, W, 3]`` at its own size, as many as were asked for or
    fewer, and its frames a second (None where it does not say). tick: seconds that the file counts in, where
    these are so coarse that its rate was rounded to them; else 0. notes: what was changed or is not honoured,
    as sentences without their subject's name."""

    frames: NDArray[np.uint8]
    rate: float | None
    tick: float = 0.0
    notes: tuple[str, ...] = ()


def read_clip(path: Path, most: int | None = None) -> Clip:
    """The first ``most`` frames of a clip (None: all); a still picture is a clip of one.

    Raises MediaError for what is missing, damaged or no clip; the sentence does not name the file.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_SNIFF)
    except (OSError, ValueError) as error:
        raise unopened(error) from error
    if not head:
        raise MediaError("it is empty; write it again")
    if head[4:8] == b"ftyp" and head[8:12] in _APPLE_STILLS:
        raise MediaError("it is a HEIC picture, which is not read; save it as JPEG or PNG")
    if _is_picture(head):
        return _pictures(path, most)
    try:
        with av.open(str(path), "r", metadata_errors="replace") as container:
            return _video(container, path, most)
    except (av.FFmpegError, OSError, ValueError, IndexError) as error:
        if isinstance(error, MediaError):
            raise
        raise MediaError(_UNREADABLE) from error


def _is_picture(head: bytes) -> bool:
    if head.startswith((b"GIF8", b"\x89PNG", *_STILLS)) or (head[:4], head[8:12]) == (b"RIFF", b"WEBP"):
        return True
    return head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis")


def unopened(error: OSError | ValueError) -> MediaError:
    """Why a file cannot be opened."""
    if isinstance(error, IsADirectoryError):
        return MediaError("it is a folder; name a file in it")
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return NoSuchFile("there is no such file; check the path")
    why = (getattr(error, "strerror", None) or str(error)).lower()
    return MediaError(f"it cannot be opened ({why}); name a file that can be read")


# Pictures, by Pillow ----------------------------------------------------------------------------------------


def _pictures(path: Path, most: int | None) -> Clip:
    try:
        with Image.open(path) as image:
            ours = image.format in ("GIF", "PNG")
            said = Envelope.read(picture.comment(path)) if ours else Envelope()
            gif, one = image.format == "GIF", image.format in ("MPO", "JPEG", "BMP")
            stands = [] if one else [_stands(frame) for frame in ImageSequence.Iterator(image)]
            image.seek(0)
            if gif:
                stands = [stand if stand > 10 else _GIF_UNSAID_MS for stand in stands]
            notes = [] if len(stands) > 1 else list(notes_on(image, path.read_bytes()))
            shown = (
                _flat(frame, notes) for frame in (iter([image]) if one else ImageSequence.Iterator(image))
            )
            clip = _played(shown, stands, said, gif, most)
            return replace(clip, notes=(*clip.notes, *dict.fromkeys(notes)))
    except ShotError as error:
        raise MediaError(error.reason) from error
    except Exception as error:  # Pillow's parsers raise whatever they stumble over
        raise MediaError("it cannot be read: it is damaged, or too large; write it again") from error


def _flat(frame: Image.Image, notes: list[str]) -> Frame:
    shown = decoded(frame)
    if shown.has_transparency_data and np.asarray(shown.convert("RGBA"))[..., 3].min() < 255:
        notes.append(_CLEAR)
    return np.asarray(flattened(shown, _GROUND).convert("RGB"), np.uint8)


def _stands(frame: Image.Image) -> float:
    if frame.format == "WEBP":
        frame.load()  # its reader knows no sooner
    return float(frame.info.get("duration", 0))


def _played(shown: Iterator[Frame], stands: list[float], said: Envelope, gif: bool, most: int | None) -> Clip:
    """Frames of a picture that each stand for so many milliseconds."""
    if said.fps is not None:
        # A file of ours says how many there were: writers store a run of equal frames once.
        frames: list[Frame] = []
        for pixels, stand in zip(shown, stands or [0.0], strict=False):
            frames += [pixels] * min(max(1, round(stand / 1000 * said.fps)), _MOST_REPEATS)
            if most is not None and len(frames) >= most:
                break
        # A clip of one equal frame loses even its duration in a png.
        missing = min((said.frames or 0) - len(frames), _MOST_REPEATS)
        return Clip(np.stack((frames + frames[-1:] * missing)[:most]), said.fps)
    usual = median(stands) if len(stands) > 1 else 0.0
    if usual <= 0:
        return Clip(_stacked(islice(shown, most)), None)
    tick, rate = 10.0 if gif else 1.0, 1000 / usual
    if max(abs(stand - usual) for stand in stands) <= max(tick, _UNEVEN * usual):
        return Clip(_stacked(islice(shown, most)), rate, tick / 1000)
    starts = np.cumsum([0.0, *stands]) / 1000
    timed = zip(starts.tolist(), (stand / 1000 for stand in stands), shown, strict=False)
    slowest, fastest = 1000 / max(stands), 1000 / max(min(stands), tick)
    return Clip(
        _stacked(islice(_even(timed, rate), most)), rate, tick / 1000, (_uneven(slowest, fastest, rate),)
    )


# Video, by FFmpeg -------------------------------------------------------------------------------------------


def _video(container: Any, path: Path, most: int | None) -> Clip:
    if container.format.name in _NO_VIDEO or container.format.name.endswith("_pipe"):
        raise MediaError(_UNREADABLE)
    stream, notes = _stream(container, path)
    reader = _Frames(stream, notes)
    rate, span = _rate(path, stream, most)
    timed = reader.read(container)
    frames: Iterator[Frame]
    if span is None or rate is None:
        frames = (pixels for _, _, pixels in timed)
    else:
        notes.append(_uneven(*span, rate))
        frames = _even(timed, rate)
    found = list(islice(frames, most))
    if not found:
        raise MediaError("it holds no frames; write it again")
    return Clip(np.stack(found), rate, 0.0, tuple(dict.fromkeys(notes)))


def _stream(container: Any, path: Path) -> tuple[Any, list[str]]:
    """The stream that a player shows, and what is to be said of the choice."""
    streams = container.streams.video
    if not streams:
        if container.streams.audio:
            raise MediaError("it holds sound and no video; name a clip")
        raise MediaError(_UNREADABLE)
    moving = [one for one in streams if not int(getattr(one, "disposition", 0)) & _COVER]
    if not moving:
        raise MediaError("it holds sound and a cover picture, and no video; name a clip")
    if len(moving) > 1 or container.streams.audio:
        still = _single_pictures(path)
        if all(one.index in still for one in moving) and container.streams.audio:
            raise MediaError("it holds sound and a cover picture, and no video; name a clip")
        moving = [one for one in moving if one.index not in still] or moving
    chosen = next((one for one in moving if int(getattr(one, "disposition", 0)) & 1), moving[0])
    if chosen.codec_context is None:
        raise MediaError("its video is of a coding that is not known here; write it again as H.264")
    if len(moving) == 1:
        return chosen, []
    return chosen, [f"it holds {len(moving)} video streams: stream {chosen.index} is read"]


def _single_pictures(path: Path) -> set[int]:
    """Streams that are one picture: covers, though no word of the file calls them so."""
    with av.open(str(path), "r", metadata_errors="replace") as container:
        named = {s.index: getattr(s.codec_context, "name", "") for s in container.streams.video}
        packets = (packet for packet in container.demux(container.streams.video) if packet.size)
        counts = Counter(packet.stream.index for packet in islice(packets, _SCANNED))
    return {index for index, name in named.items() if name in _STILL_CODECS and counts[index] <= 1}


def _rate(path: Path, stream: Any, most: int | None) -> tuple[float | None, tuple[float, float] | None]:
    """Frames a second, and the slowest and fastest of a clip whose frames do not follow evenly."""
    usual = float(stream.average_rate) if stream.average_rate else None
    looked_at = None if most is None else max(4 * most, _SCANNED)
    with av.open(str(path), "r", metadata_errors="replace") as container:
        packets = container.demux(container.streams[stream.index])
        shown = (p for p in packets if p.size and not getattr(p, "is_discard", False))
        times = [packet.pts for packet in islice(shown, looked_at)]
    if len(times) < 3 or any(time is None for time in times) or not stream.time_base:
        return usual, None
    tick = float(stream.time_base)
    times = sorted(set(times))
    if looked_at is not None:
        # What is shown later is stored earlier: the last ones may not be complete.
        times = times[: max(3, len(times) - 16)] if len(times) >= looked_at else times
    gaps = np.diff(times) * tick
    if not len(gaps):
        return usual, None
    gap = float(np.median(gaps))
    alike = gaps[np.abs(gaps - gap) <= max(2 * tick, _UNEVEN * gap)]
    grid = np.abs(np.array(times) * tick - times[0] * tick - np.arange(len(times)) * gaps.mean())
    uneven = np.abs(gaps - gap).max() > max(2 * tick, _UNEVEN * gap) or grid.max() > max(0.5 * gap, 2 * tick)
    if not uneven:
        return usual, None
    return _plain_rate(float(1 / alike.mean())), (float(1 / gaps.max()), float(1 / gaps.min()))


def _plain_rate(rate: float) -> float:
    """The rate that is meant by one measured between two frames: a whole number, or NTSC's of it."""
    for meant in (round(rate), round(rate) * 1000 / 1001):
        if meant and abs(rate - meant) < 0.005 * meant:
            return float(meant)
    return rate


@dataclass(slots=True)
class _Frames:
    """Decodes the frames of a stream to what a player shows."""

    stream: Any
    notes: list[str]
    size: tuple[int, int] | None = field(default=None)
    """Width and height that all frames get, before they are turned."""

    def read(self, container: Any) -> Iterator[Timed]:
        tick = float(self.stream.time_base or 0)
        for index, frame in enumerate(self._decoded(container)):
            if self.size is None:
                self.size = self._square(frame)
                self._look_at(frame)
            if getattr(frame, "interlaced_frame", False):
                self.notes.append("its frames are interlaced and read as they are: deinterlace it first")
            at = frame.pts * tick if frame.pts is not None else float(index)
            lasts = (getattr(frame, "duration", 0) or 0) * tick
            yield at, lasts, np.ascontiguousarray(_turned(self._pixels(frame), frame, self.notes))

    def _decoded(self, container: Any) -> Iterator[Any]:
        tags = {key.lower(): value for key, value in self.stream.metadata.items()}
        name = self.stream.codec_context.name
        if tags.get("alpha_mode") != "1" or name not in ("vp8", "vp9"):
            yield from container.decode(self.stream)
            return
        # FFmpeg's own decoders of VP8 and VP9 leave the second picture out, which says what is clear.
        try:
            decoder: Any = av.CodecContext.create({"vp8": "libvpx", "vp9": "libvpx-vp9"}[name], "r")
        except (av.FFmpegError, ValueError):
            self.notes.append("its transparency cannot be read here: its colours are shown as if opaque")
            yield from container.decode(self.stream)
            return
        for packet in container.demux(self.stream):
            yield from decoder.decode(packet if packet.size else None)

    def _square(self, frame: Any) -> tuple[int, int]:
        """The size at which pixels are square; no row or column is lost."""
        aspect = self.stream.sample_aspect_ratio or Fraction(1)
        if aspect <= 0 or aspect == 1:
            return frame.width, frame.height
        said = f"its pixels are not square ({aspect.numerator}:{aspect.denominator})"
        if not 1 / _LONGEST_ASPECT <= aspect <= _LONGEST_ASPECT:
            self.notes.append(f"{said}, which is not believed: it is read as if they were")
            return frame.width, frame.height
        width, height = frame.width, frame.height
        width, height = (round(width * aspect), height) if aspect > 1 else (width, round(height / aspect))
        if (width, height) == (frame.width, frame.height):
            return width, height
        turned = _axes(frame)[0]
        shown = f"{height}x{width}" if turned else f"{width}x{height}"
        self.notes.append(f"{said}: it is read at {shown}, as players show it")
        return width, height

    def _look_at(self, frame: Any) -> None:
        """Notes on colours that do not come as they are."""
        transfer, primaries = self._transfer(frame), self._primaries(frame)
        kinds = {side.type.name for side in frame.side_data}
        if {"DOVI_METADATA", "DOVI_RPU_BUFFER"} & kinds and transfer in (0, _UNKNOWN):
            raise MediaError("it is Dolby Vision without an ordinary picture in it; convert it to SDR first")
        name = wide(transfer, primaries)
        if name is not None:
            self.notes.append(
                f"it is {name}: it is mapped to sRGB; convert it first where it should look otherwise"
            )
        elif transfer not in ORDINARY and transfer != 0:
            self.notes.append(f"its transfer characteristic {transfer} is not honoured; convert it to BT.709")
        elif primaries not in ORDINARY and primaries != 0:
            self.notes.append(f"its colour primaries {primaries} are not honoured; convert it to BT.709")

    def _transfer(self, frame: Any) -> int:
        return int(getattr(frame, "color_trc", self.stream.codec_context.color_trc))

    def _primaries(self, frame: Any) -> int:
        return int(getattr(frame, "color_primaries", self.stream.codec_context.color_primaries))

    def _pixels(self, frame: Any) -> Frame:
        transfer, primaries = self._transfer(frame), self._primaries(frame)
        if wide(transfer, primaries) is None:
            pixels = self._as(frame, "rgb24")
        else:
            pixels = narrowed(self._as(frame, "rgb48le"), transfer, primaries)
        if not any(component.is_alpha for component in frame.format.components):
            return pixels
        opaque = self._as(frame, "rgba")[..., 3:]
        if opaque.min() == 255:
            return pixels
        self.notes.append(_CLEAR)
        share = opaque.astype(np.float32) / np.float32(255)
        return np.asarray((pixels * share + 255 * (1 - share)).round(), dtype=np.uint8)

    def _as(self, frame: Any, format_: str) -> NDArray[Any]:
        asked: dict[str, Any] = {"format": format_}
        assert self.size is not None
        if (frame.width, frame.height) != self.size:
            asked |= {"width": self.size[0], "height": self.size[1], "interpolation": "LANCZOS"}
        if frame.colorspace == _UNKNOWN and not frame.format.is_rgb:
            asked["src_colorspace"] = "ITU709" if frame.height >= _HD else "ITU601"
        return np.asarray(frame.to_ndarray(**asked))


def _axes(frame: Any) -> tuple[bool, bool, bool]:
    """How a frame's display matrix lays it: whether its axes change places, and whether then left and right,
    and top and bottom."""
    side = next((side for side in frame.side_data if side.type.name == "DISPLAYMATRIX"), None)
    if side is None:
        return False, False, False
    a, b, _, c, d = np.frombuffer(bytes(side), np.int32)[:5].tolist()
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return False, a < 0, d < 0
    return True, c < 0, b < 0


def _turned(pixels: Frame, frame: Any, notes: list[str]) -> Frame:
    side = next((side for side in frame.side_data if side.type.name == "DISPLAYMATRIX"), None)
    if side is None:
        return pixels
    a, b, _, c, d = np.frombuffer(bytes(side), np.int32)[:5].tolist()
    if min(abs(a) + abs(d), abs(b) + abs(c)) > 0.02 * max(abs(a) + abs(d), abs(b) + abs(c)):
        notes.append("it is turned by an angle that is no quarter turn: it is turned by the nearest")
    sideways, across, down = _axes(frame)
    if sideways:
        pixels = pixels.transpose(1, 0, 2)
    if across:
        pixels = pixels[:, ::-1]
    return pixels[::-1] if down else pixels


# Time -------------------------------------------------------------------------------------------------------


def _even(timed: Iterator[Timed], rate: float) -> Iterator[Frame]:
    """What is seen at 0, 1 / rate, 2 / rate, ... seconds from the first frame on."""
    start, count, end = 0.0, 0, 0.0
    before: Frame | None = None
    for at, lasts, pixels in timed:
        if before is None:
            start = at
        else:
            # A frame that comes a little late is still this one's.
            until = max(round((at - start) * rate), 1)
            for _ in range(min(until - count, _MOST_REPEATS)):
                yield before
            count = max(count, until)
        before, end = pixels, at + lasts
    if before is not None:
        for _ in range(min(max(1, round((end - start) * rate) - count), _MOST_REPEATS)):
            yield before


def _uneven(slowest: float, fastest: float, rate: float) -> str:
    return (
        f"its frame rate varies ({slowest:.3g} to {fastest:.3g} a second): it is read at {rate:.4g} frames a "
        "second, by its timestamps"
    )


def _stacked(frames: Iterator[Frame]) -> NDArray[np.uint8]:
    found = list(frames)
    if not found:
        raise MediaError("it holds no frames; write it again")
    if len({frame.shape for frame in found}) > 1:
        raise MediaError("its pictures differ in size; write it again")
    return np.stack(found)
