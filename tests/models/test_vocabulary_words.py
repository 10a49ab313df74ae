"""What is offered for a word that a model of a closed vocabulary does not know."""

from __future__ import annotations

import pytest

from rehearse.resolve.meanings import alike_in_meaning
from rehearse.resolve.vocabulary import nearest_words, unknown_words, words_of
from rehearse.theatre.world.target_scene import target_words
from rehearse.theatre.world.vocabulary import word_groups, words

KNOWN = frozenset(words())


@pytest.mark.parametrize(
    ("word", "first"),
    [
        ("dog", "cat"), ("puppies", "cat"), ("truck", "car"), ("ships", "boat"), ("running", "moves right"),
        ("flies", "arcs right"), ("jumped", "bounces"), ("spinning", "turns"), ("ocean", "over the sea"),
        ("crimson", "red"), ("bal", "ball"), ("balls", "ball"), ("ballon", "balloon"), ("gren", "green"),
    ],
)  # fmt: skip
def test_what_is_near_in_meaning_goes_before_what_merely_looks_alike(word: str, first: str) -> None:
    near = nearest_words(word, KNOWN)
    assert near[0] in (first, first.split()[-1])
    for phrase in near:
        assert not unknown_words(phrase, KNOWN), "only known words are offered"


def test_nothing_is_offered_where_nothing_is_near() -> None:
    assert nearest_words("quantum", KNOWN) == []
    assert nearest_words("is", KNOWN) == []
    assert alike_in_meaning("dog", frozenset({"car"})) == []


@pytest.mark.parametrize("vocabulary", [words(), target_words(), ("foo", "bar")])
def test_every_known_word_stands_in_a_group(vocabulary: tuple[str, ...]) -> None:
    groups = word_groups(vocabulary)
    told = {part for group in groups for phrase in group["words"] for part in phrase.split()}
    assert told == set(vocabulary)
    if "ball" in vocabulary:
        assert groups[0]["name"] == "Things"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a red ball \N{DOG FACE}\N{VARIATION SELECTOR-16}!", ["a", "red", "ball", "\N{DOG FACE}"]),
        ("\N{HEAVY BLACK HEART}", ["\N{HEAVY BLACK HEART}"]),
        ("“over” — the meadow…", ["over", "the", "meadow"]),
        ("cafe\N{COMBINING ACUTE ACCENT}", ["cafe"]),
    ],
)
def test_signs_that_stand_for_things_are_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words
