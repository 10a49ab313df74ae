"""Contact sheets, overlays and the notebook's HTML."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from rehearse.media import (
    MediaError,
    Row,
    Trace,
    clip_html,
    contact_sheet,
    draw_overlay,
    draw_paths,
    read_frames,
    read_shot,
    traces_of,
    write_clip,
    write_sheet,
)
from rehearse.media.lettering import fitted, font
from rehearse.media.overlay import COLOURS
from rehearse.media.sheet import shown_frames
from rehearse.shot import Box, Shot

GREY = np.full((8, 64, 64, 3), 128, dtype=np.uint8)


def near(image: NDArray[np.uint8], colour: tuple[int, int, int], within: int = 24) -> NDArray[np.bool_]:
    """Where an image [H, W, 3] has about this colour."""
    hit: NDArray[np.bool_] = (np.abs(image.astype(int) - colour) <= within).all(axis=-1)
    return hit


def test_a_sheet_shows_first_and_last_frames_in_order() -> None:
    assert shown_frames(16, None) == [0, 2, 4, 6, 9, 11, 13, 15]
    assert shown_frames(3, None) == [0, 1, 2]
    assert shown_frames(1, None) == [0]
    assert shown_frames(16, 5) == [0, 5, 10, 15]
    frames = np.stack([np.full((100, 100, 3), 20 * i, dtype=np.uint8) for i in range(4)])
    page = np.asarray(contact_sheet([Row(frames, "grey")]))
    seen = [int(page[60, 16 + 50 + 104 * column, 0]) for column in range(4)]
    assert seen == [0, 20, 40, 60]


def test_sheets_take_clips_of_other_sizes_and_long_labels() -> None:
    small = np.zeros((2, 16, 24, 3), dtype=np.uint8)
    page = contact_sheet([Row(GREY, "a very long label " * 40), Row(small), Row(GREY)], every=4)
    assert page.width < 700
    assert page.height > 3 * 96


@pytest.mark.parametrize("every", [0, -1])
def test_sheets_refuse_what_makes_no_sense(every: int) -> None:
    with pytest.raises(MediaError, match="every"):
        contact_sheet([Row(GREY)], every=every)
    with pytest.raises(MediaError, match="one clip"):
        contact_sheet([])


def test_a_png_of_one_frame_is_that_frame(tmp_path: Path) -> None:
    write_clip(tmp_path / "one.png", GREY[:1], 8, Shot("a cat"))
    assert np.array_equal(read_frames(tmp_path / "one.png"), GREY[:1])
    assert read_shot(tmp_path / "one.png") == Shot("a cat")


def test_a_png_clip_is_a_sheet_with_its_shot(tmp_path: Path) -> None:
    shot = Shot("a ball")
    write_clip(tmp_path / "clip.png", GREY, 8, shot)
    assert read_shot(tmp_path / "clip.png") == shot
    assert read_frames(tmp_path / "clip.png").shape[0] == 1
    write_sheet(tmp_path / "sheet.png", [Row(GREY)])
    assert Image.open(tmp_path / "sheet.png").size == Image.open(tmp_path / "clip.png").size


def test_labels_are_cut_to_fit() -> None:
    letters = font(15)
    assert fitted("short", letters, 1000) == "short"
    cut = fitted("a red ball moves right over the meadow", letters, 120)
    assert cut.endswith("…")
    assert letters.getlength(cut) <= 120
    assert fitted("two\nlines", letters, 1000) == "two lines"


def test_the_box_is_drawn_where_the_path_has_it() -> None:
    shot = Shot("a red ball").follow(
        "red ball", [(0, Box(0.1, 0.5, 0.3, 0.75)), (1, Box(0.65, 0.5, 0.85, 0.75))]
    )
    traces = traces_of(shot, 8)
    drawn = draw_overlay(GREY, traces, scale=4)
    assert drawn.shape == (8, 256, 256, 3)
    boxes = shot.instructions[0].path.resample(8)  # type: ignore[union-attr]
    for frame, (x0, _, x1, y1) in zip(drawn, boxes, strict=True):
        # The lower edge of the box: the label stands at its top.
        rows = near(frame[round(y1 * 256) - 3 : round(y1 * 256) + 1], COLOURS[0])
        columns = np.flatnonzero(rows.any(axis=0))
        assert columns.min() == pytest.approx(x0 * 256, abs=3)
        assert columns.max() == pytest.approx(x1 * 256, abs=3)
    assert np.array_equal(draw_overlay(GREY, [], scale=1), GREY)


def test_the_trail_grows_with_time_and_the_rest_stays_thin() -> None:
    times = np.linspace(0.1, 0.9, 8)
    trace = Trace("", points=np.stack([times, np.full(8, 0.5)], axis=1))
    drawn = draw_overlay(GREY, [trace], scale=4)
    # How much ink there is half way between the frames' own marks.
    columns = [round((times[i] + times[i + 1]) / 2 * 256) for i in range(7)]
    ink = np.abs(drawn.astype(int) - 128).sum(axis=(1, 3))[:, columns]
    for now in range(2, 6):
        past, future = ink[now, : now - 1], ink[now, now + 1 :]
        assert past.min() > 1.3 * future.max()
        assert future.min() > 0


def test_subjects_have_colours_of_their_own() -> None:
    traces = [
        Trace(str(i), boxes=np.repeat([[0.05 + 0.3 * i, 0.6, 0.25 + 0.3 * i, 0.9]], 8, axis=0))
        for i in range(3)
    ]
    frame = draw_overlay(GREY, traces)[0]
    assert frame.shape[0] >= 384
    for colour in COLOURS[:3]:
        assert near(frame, colour).sum() > 200
    assert len(set(COLOURS)) == len(COLOURS)


def test_paths_beyond_the_frame_and_many_subjects_can_be_drawn() -> None:
    shot = Shot("a red ball and a blue car").follow(
        "red ball", [(0, Box(-0.5, 0.4, -0.2, 0.6)), (1, Box(1.1, -0.4, 1.3, 0.6))], leaves_frame=True
    )
    shot = shot.follow("blue car", [(0, (0.99, 0.01)), (1, (0.0, 1.0))]).drag((0.5, 0.5), (0.9, 0.9))
    assert [trace.label for trace in traces_of(shot, 5)] == ["red ball", "blue car", "drag"]
    assert draw_paths(traces_of(shot, 5), 64, 32, 5).shape == (5, 384, 768, 3)
    # A label at the right edge is kept inside and whole: its plate is wider than what is left of the frame.
    frame = draw_overlay(GREY[:5], traces_of(shot, 5))[0]
    assert near(frame[:, -60:], COLOURS[1]).sum() > 300


def test_where_the_clip_loops_paths_come_back() -> None:
    path = [(0, Box(0.1, 0.1, 0.3, 0.3)), (1, Box(0.5, 0.1, 0.7, 0.3))]
    shot = Shot("a red ball").drag((0.2, 0.5), (0.8, 0.5)).follow(None, path).follow("red ball", path)
    shot = shot.motion(loop=True)
    for frames in (1, 5, 6):
        ways = [trace.centres()[:, 0] for trace in traces_of(shot, frames)]
        assert all((way == way[::-1]).all() for way in ways)
        if frames > 1:
            assert [way.max() for way in ways] == pytest.approx([0.8, 0.6, 0.6])
    # A named path that leads back by itself goes as it says.
    back = [path[0], (0.25, path[1][1]), (1, path[0][1])]
    (named,) = traces_of(shot.without("trajectory").follow("red ball", back), 5)
    assert named.centres()[:, 0].argmax() == 1


def test_traces_of_another_length_are_refused() -> None:
    with pytest.raises(MediaError, match="resample"):
        draw_overlay(GREY, [Trace("x", points=np.zeros((5, 2)))])
    with pytest.raises(MediaError, match="neither"):
        draw_overlay(GREY, [Trace("x")])


@pytest.mark.parametrize("kind", ["webm", "mp4", "gif"])
def test_a_notebook_gets_the_clip_itself(tmp_path: Path, kind: str) -> None:
    html = clip_html(GREY, 8, caption='<b>"ball" & co</b>', kind=kind)  # type: ignore[arg-type]
    assert "<b>" not in html
    assert "&lt;b&gt;&quot;ball&quot; &amp; co" in html
    assert 'width="256"' in html
    data = re.search(r"base64,([A-Za-z0-9+/=]+)", html)
    assert data
    (tmp_path / f"back.{kind}").write_bytes(base64.b64decode(data[1]))
    assert read_frames(tmp_path / f"back.{kind}").shape == GREY.shape
