"""Phrases in prompts, and paths as lines of text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shot_strategies import box_paths, point_paths

from rehearse.shot import (
    Box,
    BoxPath,
    BoxTrajectory,
    PointPath,
    PointTrajectory,
    ShotError,
    find_phrase,
    format_box_path,
    format_point_path,
    format_trajectory,
    parse_box_path,
    parse_point_path,
    parse_trajectory,
    phrase_spans,
)

PROMPT = "A red  ball and the blue ball; a balloon"


@pytest.mark.parametrize(
    ("phrase", "found"),
    [
        ("red ball", "red  ball"),
        ("the Red\tBALL", "red  ball"),
        ("blue ball", "blue ball"),
        ("ball and the blue", "ball and the blue"),
        ("balloon", "balloon"),
        ("a balloon", "balloon"),
        ("A", None),
        ("loon", None),
    ],
)
def test_phrases_are_found(phrase: str, found: str | None) -> None:
    if found is None:
        with pytest.raises(ShotError):
            find_phrase(PROMPT, phrase)
    else:
        start, end = find_phrase(PROMPT, phrase)
        assert PROMPT[start:end] == found


def test_mentions() -> None:
    assert len(phrase_spans(PROMPT, "ball")) == 2
    assert find_phrase(PROMPT, "ball", 2) == phrase_spans(PROMPT, "ball")[1]
    with pytest.raises(ShotError, match="the prompt has it 2 times; say which"):
        find_phrase(PROMPT, "ball")
    with pytest.raises(ShotError, match='occurrence is 3: the prompt mentions "ball" only 2 times'):
        find_phrase(PROMPT, "ball", 3)
    with pytest.raises(ShotError, match='mentions "balloon" only once'):
        find_phrase(PROMPT, "balloon", 2)


def test_a_missing_phrase_names_the_nearest_words() -> None:
    with pytest.raises(ShotError, match='the nearest words there are "blue ball"'):
        find_phrase(PROMPT, "bleu ball")
    with pytest.raises(ShotError, match=r'are not in the prompt "[^"]*"; use words'):
        find_phrase(PROMPT, "xyzzyq")
    with pytest.raises(ShotError):
        find_phrase(PROMPT, " ")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.from_regex(r"[a-z(+.*éß]{1,6}", fullmatch=True), min_size=3, max_size=6))
def test_any_run_of_words_is_found(words: list[str]) -> None:
    phrase = " ".join(words[1:])
    prompt = "  ".join(words)
    assert any(prompt[s:e].split() for s, e in phrase_spans(prompt, phrase)) or phrase[:2] in ("a ", "an")


def test_the_command_line_form() -> None:
    phrase, path = parse_box_path("red ball @ 0: .1,.4,.3,.6; 1: .7,.4,.9,.6")
    assert phrase == "red ball"
    assert path == BoxPath([(0, Box(0.1, 0.4, 0.3, 0.6)), (1, Box(0.7, 0.4, 0.9, 0.6))])
    assert format_box_path(phrase, path) == "red ball @ 0: .1,.4,.3,.6; 1: .7,.4,.9,.6"
    phrase, points = parse_point_path(" red   ball@ease-in radius=.05 0:.1, .4 hold;1: .7 ,.5 ; ")
    assert phrase == "red ball"
    assert points == PointPath([(0, (0.1, 0.4), "hold"), (1, (0.7, 0.5))], easing="ease-in", radius=0.05)
    assert format_point_path(phrase, points) == "red ball @ ease-in radius=.05 0: .1,.4 hold; 1: .7,.5"
    assert parse_box_path("me@home @ leaves-frame 0: -1,0,-.5,1")[0] == "me@home"


def test_a_line_as_instruction() -> None:
    second = parse_trajectory("ball#2 @ 0: .1,.4", "point")
    assert second == PointTrajectory(phrase="ball", occurrence=2, path=PointPath([(0, 0.1, 0.4)]))
    assert format_trajectory(second) == "ball#2 @ 0: .1,.4"
    nameless = parse_trajectory("@ 0: 0,0,1,1", "box")
    assert nameless == BoxTrajectory(path=BoxPath([(0, Box(0, 0, 1, 1))]))
    assert parse_trajectory(format_trajectory(nameless), "box") == nameless


phrases = st.from_regex(r"[a-z@;:,.0-9]{1,8}( [a-z@;:,.0-9]{1,8}){0,2}", fullmatch=True)


@settings(max_examples=80, deadline=None)
@given(phrases, box_paths(), st.none() | st.integers(1, 9))
def test_box_path_round_trip(phrase: str, path: BoxPath, occurrence: int | None) -> None:
    assert parse_box_path(format_box_path(phrase, path)) == (phrase, path)
    trajectory = BoxTrajectory(phrase=phrase, occurrence=occurrence, path=path)
    assert parse_trajectory(format_trajectory(trajectory), "box") == trajectory


@settings(max_examples=80, deadline=None)
@given(phrases, point_paths())
def test_point_path_round_trip(phrase: str, path: PointPath) -> None:
    assert parse_point_path(format_point_path(phrase, path)) == (phrase, path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "has no @ between phrase and path"),
        ("red ball 0: .1,.4,.3,.6", "has no @ between phrase and path"),
        ("red ball @", "has no keyframes behind the @"),
        ("red ball @ ;", "has no keyframes behind the @|has no colon"),
        ("@ 0: .1,.4,.3,.6", "there is no phrase before the @"),
        ("red ball @ 0 .1,.4,.3,.6", "has no colon behind its time"),
        ("red ball @ 0: .1,.4,.3", "has 3 numbers, a box path takes 4"),
        ("red ball @ fast 0: .1,.4,.3,.6", '"fast" is no word for a path; known'),
        ("red ball @ ease-inn 0: .1,.4,.3,.6", 'did you mean "ease-in"'),
        ("red ball @ 0: .1,.4,.3,.6 eas-in", 'is no easing; did you mean "ease-in"'),
        ("red ball @ 0: .1,.4,.3,x", '"x" is not a number'),
        ("red ball @ x: .1,.4,.3,.6", '"x" is not a number'),
        ("red ball @ 0: nan,.4,.3,.6", r"keyframes\[0\].box.x0 is nan: it must be a finite number"),
        ("red ball @ 0: .3,.4,.1,.6", r"keyframes\[0\].box: x0 \(0.3\) is beyond x1"),
        ("red ball @ 0: .1,.4,.3,.6; 0: .1,.4,.3,.6", "two keyframes have this time"),
        ("red ball @ 0: .1,.4,1.3,.6", "leaves-frame"),
        ("red ball @ radius=.1 0: .1,.4,.3,.6", "only a point path has a radius"),
        ("red ball @ radius=x 0: .1,.4,.3,.6", '"x" is not a number'),
    ],
)
def test_bad_lines_get_a_sentence(text: str, expected: str) -> None:
    with pytest.raises(ShotError, match=expected) as caught:
        parse_box_path(text)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("box path: ")
