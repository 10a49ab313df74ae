"""Clips as other programs write them come as players show them, and what was changed for that is told."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from rehearse.cli import run
from rehearse.media import MediaError, read_clip, read_frames, write_clip

WIDTH, HEIGHT = 64, 48
RED, GREEN, BLUE, YELLOW = (200, 30, 30), (30, 180, 30), (30, 30, 200), (220, 210, 40)


def quarters(width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """A picture whose four quarters tell how it lies."""
    frame = np.zeros((height, width, 3), np.uint8)
    frame[: height // 2, : width // 2], frame[: height // 2, width // 2 :] = RED, GREEN
    frame[height // 2 :, : width // 2], frame[height // 2 :, width // 2 :] = BLUE, YELLOW
    return frame


def seen_as(frame: NDArray[np.uint8]) -> list[str]:
    """The colours of the four quarters, by name, left to right and top down."""
    height, width = frame.shape[:2]
    names = {"red": RED, "green": GREEN, "blue": BLUE, "yellow": YELLOW, "white": (255, 255, 255)}
    found = []
    for y in (height // 4, 3 * height // 4):
        for x in (width // 4, 3 * width // 4):
            apart = {name: np.abs(frame[y, x].astype(int) - colour).max() for name, colour in names.items()}
            name = min(apart, key=lambda name: apart[name])
            found.append(name if apart[name] < 30 else str(frame[y, x].tolist()))
    return found


def film(
    path: Path,
    frames: list[NDArray[np.uint8]],
    codec: str = "libx264",
    pixels: str = "yuv420p",
    times: list[int] | None = None,
    ticks: int = 8,
    source: str = "rgb24",
    aspect: Fraction | None = None,
    said: dict[str, int] | None = None,
    by: dict[str, Any] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Writes frames at ``times`` in ``ticks`` of a second. said: colour tags; by: how RGB becomes YUV."""
    with av.open(str(path), "w", options={}) as container:
        stream: Any = container.add_stream(codec, rate=ticks, options=options or {})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pixels
        stream.codec_context.time_base = Fraction(1, ticks)
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        for name, value in (said or {}).items():
            setattr(stream.codec_context, name, value)
        for index, array in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(array), format=source)
            frame = frame.reformat(format=pixels, **(by or {}))
            frame.pts, frame.time_base = (times or range(len(frames)))[index], Fraction(1, ticks)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def with_matrix(path: Path, a: int, b: int, c: int, d: int) -> Path:
    """Patches the display matrix of an mp4's only track."""
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 4 + 4 + 20 + 8 + 8
    one = 1 << 16
    assert struct.unpack_from(">i", content, place) == (one,)
    struct.pack_into(">5i", content, place, a * one, b * one, 0, c * one, d * one)
    path.write_bytes(bytes(content))
    return path


@pytest.mark.parametrize(
    ("matrix", "right"),
    [
        ((1, 0, 0, 1), lambda frame: frame),
        ((-1, 0, 0, 1), lambda frame: frame[:, ::-1]),
        ((1, 0, 0, -1), lambda frame: frame[::-1]),
        ((-1, 0, 0, -1), lambda frame: frame[::-1, ::-1]),
        ((0, 1, -1, 0), lambda frame: np.rot90(frame, -1)),
        ((0, -1, 1, 0), lambda frame: np.rot90(frame)),
        ((0, 1, 1, 0), lambda frame: frame.transpose(1, 0, 2)),
        ((0, -1, -1, 0), lambda frame: np.rot90(frame, 2).transpose(1, 0, 2)),
    ],
)
def test_every_display_matrix_comes_upright(tmp_path: Path, matrix: Any, right: Any) -> None:
    stored = quarters()
    path = film(tmp_path / "clip.mp4", [stored] * 3)
    # Of the same file: two encodings of one clip need not be the same bits.
    plain = read_clip(path).frames
    with_matrix(path, *matrix)
    clip = read_clip(path, 2)
    assert (clip.frames == np.stack([right(frame) for frame in plain[:2]])).all()
    assert seen_as(clip.frames[0]) == seen_as(np.ascontiguousarray(right(stored)))
    assert clip.notes == ()
    assert (read_frames(path) == np.stack([right(frame) for frame in plain])).all()


def test_a_turn_that_is_no_quarter_is_told(tmp_path: Path) -> None:
    path = film(tmp_path / "clip.mp4", [quarters()] * 2)
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 4 + 4 + 20 + 8 + 8
    struct.pack_into(">5i", content, place, 56756, 32768, 0, -32768, 56756)  # 30 degrees
    path.write_bytes(bytes(content))
    assert "no quarter turn" in read_clip(path).notes[0]


@pytest.mark.parametrize(
    ("aspect", "size"), [(Fraction(16, 11), (93, 48)), (Fraction(2, 3), (64, 72)), (Fraction(1), (64, 48))]
)
def test_pixels_come_square(tmp_path: Path, aspect: Fraction, size: tuple[int, int]) -> None:
    clip = read_clip(film(tmp_path / "clip.mp4", [quarters()] * 2, aspect=aspect))
    assert clip.frames.shape[1:3] == size[::-1]
    assert seen_as(clip.frames[0]) == ["red", "green", "blue", "yellow"]
    assert bool(clip.notes) == (aspect != 1)
    if aspect != 1:
        assert f"its pixels are not square ({aspect.numerator}:{aspect.denominator})" in clip.notes[0]
        assert f"{size[0]}x{size[1]}" in clip.notes[0]


def test_square_pixels_of_a_clip_on_its_side(tmp_path: Path) -> None:
    path = film(tmp_path / "clip.mp4", [quarters()] * 2, aspect=Fraction(3, 2))
    clip = read_clip(with_matrix(path, 0, 1, -1, 0))
    assert clip.frames.shape[1:3] == (96, 48)
    assert "48x96" in clip.notes[0]


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.webm"])
def test_frames_that_do_not_follow_evenly_are_read_by_their_times(tmp_path: Path, name: str) -> None:
    # 24 a second, and the third stands for four times as long.
    times = [0, 1, 2, 6, 7, 8, 9, 10]
    frames = [np.full((HEIGHT, WIDTH, 3), 20 + 25 * at, np.uint8) for at in range(8)]
    codec = "libvpx-vp9" if name.endswith("webm") else "libx264"
    path = film(tmp_path / name, frames, codec, times=times, ticks=24, options={"crf": "4"})
    clip = read_clip(path)
    assert clip.rate == pytest.approx(24, rel=0.002)
    levels = ((clip.frames.mean(axis=(1, 2, 3)) - 20) / 25).round().astype(int).tolist()
    assert levels == [0, 1, 2, 2, 2, 2, 3, 4, 5, 6, 7]
    assert len(clip.notes) == 1
    assert "its frame rate varies" in clip.notes[0]
    assert "it is read at 24 frames a second, by its timestamps" in clip.notes[0]
    assert len(read_clip(path, 5).frames) == 5
    assert (read_clip(path, 5).frames == clip.frames[:5]).all()
    assert read_clip(path, 1).rate == clip.rate


@pytest.mark.parametrize("rate", [7, 24, 25, 30, 60])
@pytest.mark.parametrize("ending", ["mp4", "webm", "mkv"])
def test_even_frames_are_left_as_they_are(tmp_path: Path, rate: int, ending: str) -> None:
    codec = "libvpx-vp9" if ending == "webm" else "libx264"
    path = film(tmp_path / f"clip.{ending}", [quarters()] * 20, codec, ticks=rate)
    clip = read_clip(path)
    assert (len(clip.frames), clip.notes) == (20, ())
    assert clip.rate == pytest.approx(rate, rel=0.05)


HDR10 = {"color_trc": 16, "color_primaries": 9, "colorspace": 9, "color_range": 1}
HLG = {**HDR10, "color_trc": 18}
TO_2020 = {"dst_colorspace": "BT2020", "dst_color_range": "MPEG"}


def pq(nits: float) -> float:
    light = (nits / 10_000) ** (2610 / 16384)
    return float(((3424 / 4096 + 2413 / 128 * light) / (1 + 2392 / 128 * light)) ** (2523 / 32))


def test_hdr_is_mapped_to_an_ordinary_screen(tmp_path: Path) -> None:
    steps = [0, 5, 20, 50, 100, 203, 500, 1000, 4000]
    row = np.array([round(65535 * pq(nits)) if nits else 0 for nits in steps for _ in range(16)], np.uint16)
    frame = np.broadcast_to(row[None, :, None], (HEIGHT, len(row), 3))
    path = film(
        tmp_path / "clip.mp4", [frame] * 3, "libx265", "yuv420p10le", source="rgb48le",
        said=HDR10, by=TO_2020, options={"x265-params": "log-level=none:crf=4"},
    )  # fmt: skip
    clip = read_clip(path)
    assert "it is HDR video (PQ): it is mapped to sRGB" in clip.notes[0]
    levels = clip.frames[0, HEIGHT // 2, 8::16].mean(axis=-1)
    assert (np.diff(levels)[:-1] > 0).all()
    assert levels[0] < 6
    # 50 of 203 candela per square metre stay what they are on paper of that white.
    assert levels[3] == pytest.approx(255 * (1.055 * (50 / 203) ** (1 / 2.4) - 0.055), abs=5)
    assert 200 < levels[5] < 245
    assert levels[7] > 250


def test_hybrid_log_gamma_is_mapped_too(tmp_path: Path) -> None:
    frame = np.full((HEIGHT, WIDTH, 3), round(0.75 * 65535), np.uint16)
    path = film(
        tmp_path / "clip.mp4", [frame] * 2, "libx265", "yuv420p10le", source="rgb48le", said=HLG, by=TO_2020,
        options={"x265-params": "log-level=none"},
    )  # fmt: skip
    clip = read_clip(path)
    assert "HDR video (HLG)" in clip.notes[0]
    assert 205 < clip.frames.mean() < 245  # 75 % is the white of paper


def test_wide_colours_are_mapped(tmp_path: Path) -> None:
    said = {"color_trc": 1, "color_primaries": 12, "colorspace": 1, "color_range": 1}
    frame = np.full((HEIGHT, WIDTH, 3), (150, 120, 100), np.uint8)
    path = film(tmp_path / "clip.mp4", [frame] * 2, said=said, by={"dst_colorspace": "ITU709"})
    clip = read_clip(path)
    assert "P3" in clip.notes[0]
    red, green, blue = clip.frames[0].mean(axis=(0, 1))
    assert red > 151 and green == pytest.approx(119, abs=3) and blue < 100


@pytest.mark.parametrize("matrix", ["ITU709", "ITU601", "BT2020"])
@pytest.mark.parametrize("reach", ["MPEG", "JPEG"])
@pytest.mark.parametrize("pixels", ["yuv420p", "yuv444p", "yuv420p10le"])
def test_matrix_and_range_are_honoured(tmp_path: Path, matrix: str, reach: str, pixels: str) -> None:
    said = {
        "colorspace": {"ITU709": 1, "ITU601": 6, "BT2020": 9}[matrix],
        "color_range": {"MPEG": 1, "JPEG": 2}[reach],
        "color_trc": 1,
        "color_primaries": 1,
    }
    by = {"src_color_range": "JPEG", "dst_colorspace": matrix, "dst_color_range": reach}
    clip = read_clip(film(tmp_path / "clip.mp4", [quarters()] * 2, pixels=pixels, said=said, by=by))
    assert seen_as(clip.frames[0]) == ["red", "green", "blue", "yellow"]
    apart = np.abs(clip.frames[0, 8, 8].astype(int) - RED).max()
    assert apart <= 4
    assert clip.notes == ()


@pytest.mark.parametrize(("height", "matrix"), [(480, "ITU601"), (720, "ITU709")])
def test_a_matrix_that_is_not_said_is_what_players_take(tmp_path: Path, height: int, matrix: str) -> None:
    by = {"dst_colorspace": matrix, "dst_color_range": "MPEG"}
    clip = read_clip(film(tmp_path / "clip.mp4", [quarters(64, height)], by=by))
    assert np.abs(clip.frames[0, 8, 8].astype(int) - RED).max() <= 4


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("clip.webm", "libvpx-vp9", "yuva420p"),
        ("clip.mov", "prores_ks", "yuva444p10le"),
        ("clip.mov", "png", "rgba"),
        ("clip.mov", "qtrle", "argb"),
    ],
)
def test_transparent_parts_lie_on_white(tmp_path: Path, name: str, codec: str, pixels: str) -> None:
    frame = np.dstack([quarters(), np.full((HEIGHT, WIDTH), 255, np.uint8)])
    frame[HEIGHT // 2 :, WIDTH // 2 :, 3] = 0
    path = film(tmp_path / name, [frame] * 3, codec, pixels, source="rgba")
    clip = read_clip(path)
    assert seen_as(clip.frames[1]) == ["red", "green", "blue", "white"]
    assert clip.notes == ("it is transparent in part: it is shown on white",)
    frame[..., 3] = 255
    assert read_clip(film(path, [frame] * 3, codec, pixels, source="rgba")).notes == ()


def beside(path: Path, cover: bool, sound: bool, video: bool) -> Path:
    """A file with a cover picture first, sound and video."""
    with av.open(str(path), "w") as container:
        streams: list[tuple[Any, list[Any]]] = []
        if cover:
            still: Any = container.add_stream("mjpeg", rate=8)
            still.width = still.height = 32
            still.pix_fmt = "yuvj420p"
            still.disposition = 0x400
            picture = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 255, np.uint8), format="rgb24")
            streams.append((still, [picture.reformat(format="yuvj420p")]))
        if video:
            stream: Any = container.add_stream("libx264", rate=8)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            frame = av.VideoFrame.from_ndarray(quarters(), format="rgb24").reformat(format="yuv420p")
            streams.append((stream, [frame] * 4))
        if sound:
            track: Any = container.add_stream("aac", rate=8000)
            noise = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            noise.sample_rate = 8000
            streams.append((track, [noise]))
        for stream, frames in streams:
            for index, frame in enumerate(frames):
                frame.pts, frame.time_base = index, Fraction(1, 8)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.mov"])
def test_the_cover_is_not_the_clip(tmp_path: Path, name: str) -> None:
    clip = read_clip(beside(tmp_path / name, cover=True, sound=False, video=True))
    assert len(clip.frames) == 4
    assert seen_as(clip.frames[0]) == ["red", "green", "blue", "yellow"]


def test_sound_alone_is_told(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="it holds sound and no video; name a clip"):
        read_clip(beside(tmp_path / "a.mp4", cover=False, sound=True, video=False))
    with pytest.raises(MediaError, match="sound and a cover picture, and no video"):
        read_clip(beside(tmp_path / "b.mkv", cover=True, sound=True, video=False))
    (tmp_path / "c.mp4").write_bytes(b"")
    with pytest.raises(MediaError, match="it is empty"):
        read_clip(tmp_path / "c.mp4")


def test_interlaced_frames_are_told(tmp_path: Path) -> None:
    path = film(tmp_path / "clip.mp4", [quarters()] * 3, options={"x264-params": "interlaced=1"})
    assert "interlaced" in read_clip(path).notes[0]


@pytest.mark.parametrize("kind", ["mp4", "webm", "gif", "apng"])
def test_our_own_clips_are_read_back_without_a_word(tmp_path: Path, kind: str) -> None:
    frames = np.stack([np.roll(quarters(), 4 * index, axis=1) for index in range(6)])
    path = tmp_path / f"clip.{kind}"
    write_clip(path, frames, 8)
    clip = read_clip(path)
    assert clip.frames.shape == frames.shape
    assert np.abs(clip.frames.astype(int) - frames).mean() < 3
    assert (clip.rate, clip.notes) == (8, ())
    assert (read_frames(path) == clip.frames).all()


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_animated_pictures_of_other_programs(tmp_path: Path, kind: str) -> None:
    images = [Image.fromarray(np.full((HEIGHT, WIDTH, 3), 40 * index, np.uint8)) for index in range(5)]
    path = tmp_path / f"clip.{kind.lower()}"
    images[0].save(
        path, kind, save_all=True, append_images=images[1:], duration=[100, 100, 300, 100, 100], lossless=True
    )
    clip = read_clip(path)
    assert clip.rate == 10
    levels = (clip.frames.mean(axis=(1, 2, 3)) / 40).round().astype(int).tolist()
    assert levels == [0, 1, 2, 2, 2, 3, 4]
    assert "its frame rate varies (3.33 to 10 a second)" in clip.notes[0]


def test_a_still_picture_is_a_clip_of_one_upright_frame(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.fromarray(np.ascontiguousarray(np.rot90(quarters())))
    for kind, more in (("PNG", {}), ("JPEG", {"quality": 95}), ("WEBP", {"lossless": True}), ("TIFF", {})):
        path = tmp_path / f"picture.{kind.lower()}"
        stored.save(path, kind, exif=exif, **more)
        clip = read_clip(path, 1)
        assert clip.frames.shape == (1, HEIGHT, WIDTH, 3), kind
        assert seen_as(clip.frames[0]) == ["red", "green", "blue", "yellow"], kind


def test_a_clear_still_lies_on_white(tmp_path: Path) -> None:
    frame = np.dstack([quarters(), np.full((HEIGHT, WIDTH), 255, np.uint8)])
    frame[:, : WIDTH // 2, 3] = 0
    Image.fromarray(frame).save(tmp_path / "clear.png")
    clip = read_clip(tmp_path / "clear.png")
    assert seen_as(clip.frames[0]) == ["white", "green", "white", "yellow"]
    assert clip.notes == ("it is transparent in part: it is shown on white",)
    Image.new("CMYK", (WIDTH, HEIGHT)).save(tmp_path / "printed.jpg")
    assert "CMYK without a colour profile" in read_clip(tmp_path / "printed.jpg").notes[0]


def test_what_was_changed_in_a_row_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film(tmp_path / "plain.mp4", [quarters()] * 9)
    film(tmp_path / "wide.mp4", [quarters()] * 9, aspect=Fraction(3, 2))
    for name in ("a.mp4", "b.mp4"):
        film(tmp_path / name, [quarters()] * 9, aspect=Fraction(4, 3))
    data = tmp_path / "data.jsonl"
    names = ("plain.mp4", "wide.mp4", "a.mp4", "b.mp4")
    data.write_text("".join(f'{{"video": "{name}", "caption": "a red ball"}}\n' for name in names))
    assert run(["train", "lora", str(data), "--validate"]) == 0
    told = capsys.readouterr().err
    assert 'note: row 2: video is "wide.mp4": its pixels are not square (3:2): it is read at 96x48' in told
    assert "note: rows 3, 4: video: its pixels are not square (4:3)" in told
    assert "row 1" not in told
