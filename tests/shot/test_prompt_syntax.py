"""The syntax of other tools in prompts: found, named, and taken out; plain words are left alone."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearse.shot.prompt_syntax import foreign_syntax, told, without_syntax

FOUND = {
    "a (red ball:1.3) on grass": ("weights", "a red ball on grass"),
    "a (red ball: .8 ) on grass": ("weights", "a red ball on grass"),
    "a (red ball)1.3 on grass": ("weights", "a red ball on grass"),
    "a (red ball)++ on grass": ("weights", "a red ball on grass"),
    "a ball++ on grass": ("weights", "a ball on grass"),
    "a ball-- on grass": ("weights", "a ball on grass"),
    "a ((red ball)) on grass": ("weights", "a red ball on grass"),
    "a (((red ball))) on grass": ("weights", "a red ball on grass"),
    "a (very (red:1.2) ball:1.3) on grass": ("weights", "a very red ball on grass"),
    "a (red ball:1,3) on grass": ("weights", "a red ball on grass"),
    "a \uff08red ball\uff1a1.3\uff09 on grass": ("weights", "a red ball on grass"),
    "a (red:1.3 ball on grass": ("weights", "a red ball on grass"),
    "a [red] ball on grass": ("weights", "a red ball on grass"),
    "a {red} ball on grass": ("weights", "a red ball on grass"),
    "a {{red}} ball on grass": ("weights", "a red ball on grass"),
    "(masterpiece), a ball": ("weights", "masterpiece, a ball"),
    "a ball::2 and grass::-.5": ("weights", "a ball and grass"),
    "a ball BREAK on grass": ("joints of prompts", "a ball on grass"),
    "a ball AND grass": ("joints of prompts", "a ball grass"),
    "a ball <lora:ink:0.8> on grass": ("LoRAs", "a ball on grass"),
    "<lyco:ink> a ball": ("LoRAs", "a ball"),
    "a ball, <lora:my style v2:1>, grass": ("LoRAs", "a ball, grass"),
    "a ball, embedding:easynegative, grass": ("textual inversions", "a ball, grass"),
    "a ball, embedding:dir/neg.pt:1.2": ("textual inversions", "a ball"),
    "a <sks-dog> runs": ("textual inversions", "a runs"),
    "a <b>ball": ("textual inversions", "a ball"),
    "a ball <|endoftext|>": ("marks of a text encoder", "a ball"),
    "a ball <segment:face:0.5> on grass": ("commands of other tools", "a ball on grass"),
    "a {red|blue} ball": ("wildcards", "a red ball"),
    "a [red|blue] ball": ("alternatives", "a red ball"),
    "a __colour__ ball": ("wildcards", "a ball"),
    "a [red:blue:0.5] ball": ("prompts by step", "a red ball"),
    "# mine\na ball": ("comments", "a ball"),
    "a ball # mine": ("comments", "a ball"),
    "a ball\n// mine": ("comments", "a ball"),
    "a /* red */ ball": ("comments", "a ball"),
    r"a ball \(toy\)": ("backslashes", "a ball (toy)"),
    "a ball --ar 16:9 --v 5": ("options", "a ball"),
    "a ball\nNegative prompt: ugly\nSteps: 20, Sampler: Euler": ("settings of other tools", "a ball"),
    '"0": "a ball", "16": "a cube"': ("prompts by frame", ""),
    '("a ball", "a cube").blend(1, .5)': ("blends of prompts", ""),
}

PLAIN = [
    "a red ball moves right over the meadow",
    "a man (smiling) walks",
    "a lens (120 mm, f/2.8), in the rain",
    "he said -- wait",
    "a well-known ball, half-open",
    "the clock shows 3:30, odds are 100:1",
    "a screen (16:9 at first) and 3 < 4, a > b",
    "a #1 jersey",
    '50% off! A sale; "cheap": now',
    "HELLO AND GOODBYE",
    "one line\nand another",
    "a < b and c > d",
    "C++ on a screen",
    "l'été, ein Mädchen, 赤いボール (球)",
    "notes: a ball, steps and a door",
]


@pytest.mark.parametrize("prompt", FOUND)
def test_syntax_is_named_and_taken_out(prompt: str) -> None:
    kind, plain = FOUND[prompt]
    assert {piece.kind for piece in foreign_syntax(prompt)} == {kind}
    assert without_syntax(prompt) == plain
    (sentence,) = told(prompt)
    assert f"{kind} are not read here" in sentence and "\n" not in sentence


@pytest.mark.parametrize("prompt", PLAIN)
def test_plain_words_are_left_alone(prompt: str) -> None:
    assert not foreign_syntax(prompt) and not list(told(prompt))


def test_each_kind_is_told_once_with_its_remedy() -> None:
    said = list(told("(a:1.1), (b:1.2), (c:1.3) <lora:ink:0.8> d"))
    assert len(said) == 2
    assert said[0].startswith("“(a:1.1)”, “(b:1.2)” and 1 more: weights")
    assert '"loras": [{"file"' in said[1] and "rehearse.json" in said[1]


def test_pieces_stand_where_they_are_said_to() -> None:
    prompt = "a (red ball:1.3) <lora:x:1>  BREAK b"
    pieces = foreign_syntax(prompt)
    assert [prompt[piece.start : piece.end] for piece in pieces] == ["(red ball:1.3)", "<lora:x:1>", "BREAK"]
    assert all(piece.piece == prompt[piece.start : piece.end] for piece in pieces)


@given(st.text(alphabet='ab ([{<>}]):|+-_#*/\\"1.\nBREAK', max_size=60))
def test_any_text_can_be_looked_at(text: str) -> None:
    pieces = foreign_syntax(text)
    for before, after in pairwise(pieces):
        assert before.end <= after.start
    assert "\0" not in without_syntax(text)
