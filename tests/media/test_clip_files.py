"""Clip files: frames and shot survive every format, and no file is ever half-written."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from rehearse.media import MediaError, check_writable, read_frames, read_shot, write_clip
from rehearse.media import video as video_module
from rehearse.media.envelope import Envelope
from rehearse.media.picture import durations
from rehearse.shot import Box, Shot, ShotError
from rehearse.theatre.world import Actor, Scene, render, through

MOVING = ("mp4", "webm", "gif", "apng")
ALL = (*MOVING, "png")


def paper_clip(frames: int = 8, size: int = 96) -> NDArray[np.uint8]:
    actor = Actor("ball", "red", through([(0.2, 0.5), (0.8, 0.5)]))
    return render(Scene("meadow", (actor,)), frames=frames, size=size).frames


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    error = float(((a.astype(np.float64) - b) ** 2).mean())
    return 99.0 if error == 0 else float(10 * np.log10(255**2 / error))


def ball_shot(prompt: str = "a red ball over the meadow") -> Shot:
    return Shot(prompt, seed=3)


@pytest.mark.parametrize(("kind", "least"), [("mp4", 32.0), ("webm", 32.0), ("gif", 36.0), ("apng", 99.0)])
def test_frames_survive_the_encoding(tmp_path: Path, kind: str, least: float) -> None:
    frames = paper_clip()
    write_clip(tmp_path / f"clip.{kind}", frames, 8)
    back = read_frames(tmp_path / f"clip.{kind}")
    assert back.shape == frames.shape
    assert back.dtype == np.uint8
    for before, after in zip(frames, back, strict=True):
        assert psnr(before, after) >= least


@pytest.mark.parametrize("kind", ["mp4", "webm"])
@pytest.mark.parametrize(
    "colour", [(230, 20, 30), (20, 180, 40), (30, 40, 220), (250, 210, 20), (255, 255, 255)]
)
def test_flat_colours_do_not_drift(tmp_path: Path, kind: str, colour: tuple[int, int, int]) -> None:
    # A wrong matrix (BT.601 read as BT.709) or range moves flat colours by 10 and more.
    frames = np.full((4, 64, 64, 3), colour, dtype=np.uint8)
    write_clip(tmp_path / f"flat.{kind}", frames, 8)
    drift = np.abs(read_frames(tmp_path / f"flat.{kind}").astype(int) - frames)
    assert drift.max() <= 3
    with av.open(str(tmp_path / f"flat.{kind}")) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_range, context.pix_fmt) == (1, 1, "yuv420p")


@pytest.mark.parametrize("kind", ["mp4", "webm", "gif"])
@pytest.mark.parametrize("fps", [1, 8, 12.5, 24, 30000 / 1001])
def test_a_clip_lasts_as_long_as_it_should(tmp_path: Path, kind: str, fps: float) -> None:
    frames = paper_clip(frames=12, size=32)
    path = tmp_path / f"clip.{kind}"
    write_clip(path, frames, fps)
    if kind == "gif":
        with Image.open(path) as image:
            stands = []
            for index in range(image.n_frames):
                image.seek(index)
                stands.append(image.info["duration"])
        length = sum(stands) / 1000
    else:
        with av.open(str(path)) as container:
            length = container.duration / av.time_base
    assert length == pytest.approx(12 / fps, abs=0.02)


def test_gif_loops_and_its_palette_fits_the_clip(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.gif", paper_clip(), 8)
    with Image.open(tmp_path / "clip.gif") as image:
        assert image.info["loop"] == 0


def test_gif_durations_keep_the_running_total() -> None:
    assert set(durations(16, 8, 10)) == {120, 130}
    assert sum(durations(16, 8, 10)) == 2000


@pytest.mark.parametrize("kind", MOVING)
def test_a_clip_that_stands_still_keeps_its_frames(tmp_path: Path, kind: str) -> None:
    # gif and png store equal frames once.
    moving = paper_clip(frames=6, size=32)
    frames = np.concatenate([np.repeat(moving[:1], 5, 0), moving, np.repeat(moving[-1:], 5, 0)])
    write_clip(tmp_path / f"a.{kind}", frames, 8)
    assert read_frames(tmp_path / f"a.{kind}").shape == frames.shape
    still = np.repeat(moving[:1], 16, 0)
    write_clip(tmp_path / f"b.{kind}", still, 8)
    assert read_frames(tmp_path / f"b.{kind}").shape == still.shape


@pytest.mark.parametrize("kind", MOVING)
def test_one_frame_is_a_clip(tmp_path: Path, kind: str) -> None:
    frames = paper_clip(frames=1, size=32)
    write_clip(tmp_path / f"one.{kind}", frames, 1)
    assert read_frames(tmp_path / f"one.{kind}").shape == (1, 32, 32, 3)


@pytest.mark.parametrize("kind", ["mp4", "webm"])
def test_odd_sides_grow_by_one_pixel(tmp_path: Path, kind: str) -> None:
    frames = paper_clip(frames=3, size=33)
    write_clip(tmp_path / f"odd.{kind}", frames, 8)
    back = read_frames(tmp_path / f"odd.{kind}")
    assert back.shape == (3, 34, 34, 3)
    assert psnr(back[:, :33, :33], frames) > 28


@pytest.mark.parametrize("kind", ALL)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prompt=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80))
def test_any_prompt_travels_in_the_file(tmp_path: Path, kind: str, prompt: str) -> None:
    try:
        shot = Shot(prompt, seed=5)
    except ShotError:  # blank
        return
    frames = np.zeros((2, 16, 16, 3), dtype=np.uint8)
    write_clip(tmp_path / f"clip.{kind}", frames, 8, shot)
    assert read_shot(tmp_path / f"clip.{kind}") == shot


@pytest.mark.parametrize("kind", ALL)
def test_a_whole_shot_travels_in_the_file(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(0)
    shot = (
        Shot("a red ball and a blue car 日本 😀", model="theatre-video", seed=7, guidance=4.5)
        .follow("red ball", [(0, Box(0.1, 0.4, 0.3, 0.6)), (1, Box(0.7, 0.4, 0.9, 0.6))], easing="ease-in")
        .follow("blue car", [(0, (0.1, 0.4)), (1, (0.7, 0.5))], radius=0.1)
        .image(rng.integers(0, 255, (256, 256, 3), dtype=np.uint8))
        .with_control(frozen_steps=0.25, normalization="global")
    )
    write_clip(tmp_path / f"clip.{kind}", paper_clip(frames=2, size=32), 8, shot)
    assert read_shot(tmp_path / f"clip.{kind}") == shot


def test_a_shot_with_large_pictures_fits_a_webm(tmp_path: Path) -> None:
    # Matroska readers refuse a tag beyond 16 MiB; noise of this size takes more as base64.
    noise = np.random.default_rng(0).integers(0, 255, (2200, 2200, 3), dtype=np.uint8)
    shot = Shot("a ball").image(noise)
    write_clip(tmp_path / "clip.webm", np.zeros((2, 16, 16, 3), dtype=np.uint8), 8, shot)
    assert read_shot(tmp_path / "clip.webm") == shot


@pytest.mark.parametrize("kind", ALL)
def test_a_file_without_a_shot_says_so(tmp_path: Path, kind: str) -> None:
    write_clip(tmp_path / f"clip.{kind}", paper_clip(frames=2, size=32), 8)
    with pytest.raises(MediaError, match="carries no shot"):
        read_shot(tmp_path / f"clip.{kind}")


@pytest.mark.parametrize(
    "comment", ["made by hand", "{}", "[1]", '{"rehearse": 3}', '{"rehearse": {"shot": []}}', "{" * 9]
)
def test_a_comment_of_someone_else_is_no_shot(tmp_path: Path, comment: str) -> None:
    Image.new("RGB", (16, 16)).save(tmp_path / "other.gif", comment=comment.encode())
    with pytest.raises(MediaError, match="carries no shot"):
        read_shot(tmp_path / "other.gif")


def test_a_shot_from_the_future_is_named_as_such(tmp_path: Path) -> None:
    text = Envelope(fps=8, shot={"version": 99, "prompt": "a ball"}).text()
    Image.new("RGB", (16, 16)).save(tmp_path / "future.gif", comment=text.encode())
    with pytest.raises(ShotError, match="version"):
        read_shot(tmp_path / "future.gif")


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a.png", "a.webm"])
@pytest.mark.parametrize(
    "content", [b"", b"not a video at all", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\x1aE\xdf\xa3"]
)
def test_files_that_are_no_clips_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    for read in (read_frames, read_shot):
        with pytest.raises(MediaError, match=f"cannot read .*{name}"):
            read(tmp_path / name)


@pytest.mark.parametrize("kind", ALL)
def test_files_cut_off_are_refused_or_read_in_part(tmp_path: Path, kind: str) -> None:
    write_clip(tmp_path / f"whole.{kind}", paper_clip(frames=4, size=48), 8, ball_shot())
    whole = (tmp_path / f"whole.{kind}").read_bytes()
    for part in (0.1, 0.3, 0.6, 0.9):
        (tmp_path / f"cut.{kind}").write_bytes(whole[: int(len(whole) * part)])
        for read in (read_frames, read_shot):
            try:
                read(tmp_path / f"cut.{kind}")
            except MediaError as error:
                assert str(tmp_path / f"cut.{kind}") in str(error)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no such file"):
        read_shot(tmp_path / "none.mp4")
    with pytest.raises(MediaError, match="directory"):
        read_shot(tmp_path)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("clip.avi", r"'\.avi'"),
        ("clip", "without an ending"),
        ("nowhere/clip.mp4", "no folder"),
        ("x" * 300 + ".mp4", "too long"),
        ("folder.gif", "is a folder"),
    ],
)
def test_places_that_cannot_be_written(tmp_path: Path, path: str, said: str) -> None:
    (tmp_path / "folder.gif").mkdir()
    with pytest.raises(MediaError, match=said):
        write_clip(tmp_path / path, paper_clip(frames=2, size=32), 8)
    assert [p.name for p in tmp_path.iterdir()] == ["folder.gif"]


def test_devices_are_not_replaced() -> None:
    with pytest.raises(MediaError, match="not a regular file"):
        check_writable("/dev/null")
    assert Path("/dev/null").is_char_device()


def test_an_existing_file_is_kept_unless_told(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"mine")
    with pytest.raises(MediaError, match="exists already"):
        check_writable(tmp_path / "clip.mp4", overwrite=False)
    check_writable(tmp_path / "clip.mp4")
    assert (tmp_path / "clip.mp4").read_bytes() == b"mine"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((0, 8, 8, 3), dtype=np.uint8),
        np.zeros((2, 8, 8), dtype=np.uint8),
        np.zeros((2, 8, 8, 4), dtype=np.uint8),
        np.zeros((2, 8, 8, 3), dtype=np.float32),
        np.zeros((2, 0, 8, 3), dtype=np.uint8),
    ],
)
def test_arrays_that_are_no_frames(tmp_path: Path, frames: NDArray[np.uint8]) -> None:
    with pytest.raises(MediaError, match="uint8"):
        write_clip(tmp_path / "clip.mp4", frames, 8)


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf")])
def test_rates_that_are_none(tmp_path: Path, fps: float) -> None:
    with pytest.raises(MediaError, match="fps"):
        write_clip(tmp_path / "clip.mp4", paper_clip(frames=2, size=32), fps)


@pytest.mark.parametrize(
    "failure", [KeyboardInterrupt(), RuntimeError("encoder"), OSError(28, "No space left on device")]
)
def test_nothing_is_left_when_writing_breaks_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"the take before")

    def break_off(part: Path, *_: object) -> None:
        part.write_bytes(b"half")
        raise failure

    monkeypatch.setattr(video_module, "encode", break_off)
    with pytest.raises(MediaError if isinstance(failure, OSError) else type(failure)):
        write_clip(tmp_path / "clip.mp4", paper_clip(frames=2, size=32), 8)
    assert (tmp_path / "clip.mp4").read_bytes() == b"the take before"
    assert [p.name for p in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_written_file_has_the_users_own_permissions(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_clip(tmp_path / "clip.gif", paper_clip(frames=2, size=32), 8)
    assert (tmp_path / "clip.gif").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "clip.gif").symlink_to(tmp_path / "real" / "clip.gif")
    write_clip(tmp_path / "clip.gif", paper_clip(frames=2, size=32), 8)
    assert (tmp_path / "clip.gif").is_symlink()
    assert (tmp_path / "real" / "clip.gif").is_file()


@pytest.mark.parametrize("kind", ["mp4", "webm", "gif", "apng"])
def test_a_rate_slower_than_files_hold_keeps_the_clip(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"clip.{kind}"
    write_clip(path, paper_clip(frames=2, size=32), 1e-6, Shot("a ball", fps=1e-6))
    assert read_shot(path).fps == 1e-6 and path.stat().st_size > 100
