"""Tracks that other tools write: read in fractions or pixels, or told what they are."""

from __future__ import annotations

import json
import logging

import pytest

from rehearse.shot import Box, BoxTrajectory, PointTrajectory, Shot, ShotError, parse_trajectory

PIXELS = [[20, 60], [60, 30], [100, 60]]
AS_FRACTIONS = [(0.0, (0.15625, 0.625)), (0.5, (0.46875, 0.3125)), (1.0, (0.78125, 0.625))]
NAMED = [{"x": x, "y": y} for x, y in PIXELS]

FORMS = {
    "named": json.dumps(NAMED),
    "pairs": json.dumps(PIXELS),
    "with more fields": json.dumps([{**point, "id": 3} for point in NAMED]),
    "in a list of tracks": json.dumps([NAMED]),
    "pairs in a list of tracks": json.dumps([PIXELS]),
    "text in a list": json.dumps([json.dumps(NAMED)]),
    "text": json.dumps(json.dumps(NAMED)),
    "as Python prints it": repr(NAMED),
    "text in a list as Python prints it": repr([json.dumps(NAMED)]),
    "over several lines": json.dumps(NAMED, indent=2),
}


def keyframes(text: str, size: tuple[int, int] | None = None) -> list[tuple[float, tuple[float, float]]]:
    made = parse_trajectory(text, "point", size)
    assert isinstance(made, PointTrajectory) and made.phrase == "red ball"
    return [(keyframe.time, keyframe.point) for keyframe in made.path.keyframes]


@pytest.mark.parametrize("form", FORMS)
def test_pixels_of_a_size_that_is_written(form: str) -> None:
    assert keyframes(f"red ball @ size=128x96 {FORMS[form]}") == AS_FRACTIONS


@pytest.mark.parametrize("form", FORMS)
def test_pixels_are_of_the_clip_and_that_is_said(form: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "rehearse"):
        assert keyframes(f"red ball @ {FORMS[form]}", (128, 96)) == AS_FRACTIONS
    (record,) = caplog.records
    assert record.getMessage() == (
        'the track of "red ball" is in pixels; they are taken to be of the clip, 128 x 96'
    )


@pytest.mark.parametrize("form", FORMS)
def test_pixels_of_no_size_are_told(form: str) -> None:
    with pytest.raises(ShotError, match=r"the track is in pixels \(20, 60 at its start\).*size=832x480"):
        keyframes(f"red ball @ {FORMS[form]}")


def test_fractions_need_no_size(caplog: pytest.LogCaptureFixture) -> None:
    assert keyframes('red ball @ [{"x": 0.25, "y": 1}, {"x": 0.5, "y": 0}]', (128, 96)) == [
        (0.0, (0.25, 1.0)),
        (1.0, (0.5, 0.0)),
    ]
    assert not caplog.records


def test_one_position_pins() -> None:
    assert keyframes("red ball @ size=100x100 [[50, 25]]") == [(0.0, (0.5, 0.25))]


def test_words_for_the_path_stand_before_it() -> None:
    made = parse_trajectory("ball#2 @ leaves-frame radius=.1 size=10x10 [[5, 5], [20, 5]]", "point")
    assert isinstance(made, PointTrajectory)
    assert made.occurrence == 2 and made.path.leaves_frame and made.path.radius == 0.1
    assert made.path.at(1) == (2.0, 0.5)


def test_a_size_makes_pixels_of_written_keyframes() -> None:
    assert keyframes("red ball @ size=128x96 0: 20,60; .5: 60,30; 1: 100,60") == AS_FRACTIONS


def test_boxes() -> None:
    made = parse_trajectory("red ball @ size=100x50 [[10, 20, 30, 40], [60, 20, 80, 40]]", "box")
    assert isinstance(made, BoxTrajectory)
    assert [list(k.box.model_dump()) for k in made.path.keyframes] == [
        [0.1, 0.4, 0.3, 0.8],
        [0.6, 0.4, 0.8, 0.8],
    ]


@pytest.mark.parametrize(
    ("form", "track", "sentence"),
    [
        ("point", json.dumps([PIXELS, PIXELS]), "2 tracks are given; write one --point for each"),
        ("point", json.dumps([json.dumps(NAMED)] * 3), "3 tracks are given"),
        ("point", '{"points": [[1, 2]], "fps": 8}', "an object with the fields points, fps is given"),
        ("point", "[[20, 60, 1], [21, 60, 1]]", "and leave out the third number, such as whether"),
        ("point", '[{"x": 20}]', "position 0 of the track is {'x': 20}"),
        ("point", '[{"x": 20, "y": null}]', "position 0 of the track"),
        ("point", '[{"x": 20, "y": true}]', "position 0 of the track"),
        ("point", "[[0, 0, 5, 5]]", "these are boxes, which --box takes"),
        ("box", json.dumps(NAMED), "these are points, which --point takes"),
        ("box", '[{"x": 1, "y": 2, "w": 3, "h": 4}]', ", a box's own two corners in place of its width and"),
        ("box", json.dumps(PIXELS), "these are points, which --point takes"),
        ("point", "[]", "a track is a list such as"),
        ("point", "[20, 60, 100, 60]", "position 0 of the track is 20"),
        ("point", '[{"x": 20, "y": 60}', "it ends before it is complete"),
        ("point", "[NaN]", "position 0 of the track"),
        ("point", "[" * 50_000, "nested too deep"),
        ("point", "size=12 [[1, 2]]", "is no size"),
    ],
)
def test_other_shapes_are_told(form: str, track: str, sentence: str) -> None:
    before = "" if track.startswith("size") else "size=128x96 "
    with pytest.raises(ShotError) as caught:
        parse_trajectory(f"red ball @ {before}{track}", form)  # type: ignore[arg-type]
    assert sentence in str(caught.value) and "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("form", "text", "sentence"),
    [
        ("point", "red ball @ 0: 20,60; 1: 100,60", "not pixels.*divide pixels by the clip"),
        ("box", "red ball @ 0: 20,60,80,90", "divide pixels by the clip's width or height"),
        ("point", "red ball @ 0: .2,.6; 15: .8,.6", "times are fractions of the clip.*less one"),
        ("point", "red ball @ radius=20 0: .2,.6", "divide pixels by that"),
    ],
)  # fmt: skip
def test_numbers_above_one_are_told(form: str, text: str, sentence: str) -> None:
    with pytest.raises(ShotError, match=sentence):
        parse_trajectory(text, form)  # type: ignore[arg-type]


def test_drags_and_marks_in_pixels_are_told() -> None:
    shot = Shot("a red ball")
    for change in (lambda: shot.drag((20, 60), (100, 60)), lambda: Box(20, 60, 90, 90)):
        with pytest.raises(ShotError, match="divide pixels by the clip's width or height"):
            change()
