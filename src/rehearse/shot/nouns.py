"""The things that a prompt speaks of: what a path or a mark can be bound to."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from rehearse.shot.phrases import phrase_spans

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[,.;:!?()]")
_DETERMINERS = frozenset({
    "a", "an", "the", "this", "that", "these", "those", "my", "your", "his", "her", "its", "our",
    "their", "some", "any", "each", "every", "another", "both", "one", "two", "three", "four", "five",
    "six", "several", "many", "few"
})  # fmt: skip
# What ends a noun phrase in plain English captions.
_LINKS = frozenset({
    "and", "or", "but", "while", "as", "then", "with", "without", "of", "over", "under", "in", "into",
    "inside", "on", "onto", "at", "by", "for", "from", "to", "toward", "towards", "through", "across",
    "along", "around", "behind", "before", "after", "above", "below", "beside", "between", "near",
    "next", "against", "off", "up", "down", "out", "away", "past", "upon", "within", "who", "which",
    "that", "where", "when", "is", "are", "was", "were", "be", "being", "been", "has", "have", "had",
    "does", "do", "not", "very", "slowly", "quickly", "gently", "fast", "left", "right", "forward",
    "backward"
})  # fmt: skip
_ENDINGS = ("ing", "ly")
_VERBS = frozenset({
    "moves", "move", "arcs", "arc", "bounces", "bounce", "grows", "grow", "shrinks", "shrink", "stands",
    "stand", "turns", "turn", "still", "runs", "run", "walks", "walk", "flies", "fly", "swims", "swim",
    "jumps", "jump", "rolls", "roll", "falls", "fall", "floats", "float", "sits", "sit", "lies", "lie",
    "drives", "drive", "sails", "sail", "spins", "spin", "rises", "rise", "drifts", "drift", "reaches",
    "reach", "hops", "hop", "lowers", "lower", "looks", "look", "goes", "go", "comes", "come", "dances",
    "dance", "rides", "ride", "holds", "hold", "plays", "play", "eats", "eat", "lands", "land"
})  # fmt: skip
_MOST_WORDS = 4


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun phrase of a prompt. occurrence: which mention of its words is meant, where there are several."""

    phrase: str
    occurrence: int | None = None


def nouns(prompt: str, things: Collection[str] | None = None) -> tuple[Noun, ...]:
    """What of a prompt an instruction can be bound to: :func:`noun_phrases`, each told from the longer ones
    that its words stand in ("ball" beside "red ball")."""
    phrases = noun_phrases(prompt, things)
    found = []
    for phrase in phrases:
        spans = phrase_spans(prompt, phrase)
        longer = [
            span
            for other in phrases
            if len(other.split()) > len(phrase.split())
            for span in phrase_spans(prompt, other)
        ]
        own = [
            i for i, (start, end) in enumerate(spans) if not any(a <= start and end <= b for a, b in longer)
        ]
        if own:
            found.append(Noun(phrase, own[0] + 1 if len(spans) > 1 else None))
    return tuple(found)


def noun_phrases(prompt: str, things: Collection[str] | None = None) -> tuple[str, ...]:
    """Noun phrases of a prompt without their articles, each once, in the order they stand in.

    things: the nouns of a closed vocabulary: a phrase is then such a noun with the words before it up to an
    article or a link. None finds phrases by their articles and by the words that end one, which is a guess:
    every phrase it gives stands in the prompt, and a person chooses.
    """
    found: dict[str, str] = {}
    for words in _runs(prompt):
        for phrase in _of_known(words, things) if things is not None else _guessed(words):
            found.setdefault(phrase.lower(), phrase)
    return tuple(found.values())


def _runs(prompt: str) -> Iterator[list[tuple[str, bool]]]:
    """Words that stand together, each with whether a determiner opens it."""
    run: list[tuple[str, bool]] = []
    opened = False
    last = 0
    for match in _WORD.finditer(prompt):
        word = match.group()
        low = word.lower()
        if prompt[last : match.start()].strip() and run:
            yield run
            run, opened = [], False
        last = match.end()
        ends = not word[0].isalnum() or low in _LINKS or low in _VERBS
        if low in _DETERMINERS or ends:
            if run:
                yield run
            run, opened = [], not ends
        else:
            run.append((word, opened))
    if run:
        yield run


def _of_known(words: list[tuple[str, bool]], things: Collection[str]) -> Iterator[str]:
    start = 0
    for at, (word, _) in enumerate(words):
        if word.lower() in things:
            yield " ".join(each for each, _ in words[max(start, at + 1 - _MOST_WORDS) : at + 1])
            start = at + 1


def _guessed(words: list[tuple[str, bool]]) -> Iterator[str]:
    kept = [word for word, _ in words]
    opened = words[0][1]
    # "a dog running", "a cat slowly": what follows the noun is not of it.
    cut = next((i for i, word in enumerate(kept) if i and word.lower().endswith(_ENDINGS)), len(kept))
    kept = kept[:cut]
    if not opened and len(kept) > _MOST_WORDS:
        return
    if kept:
        yield " ".join(kept[-_MOST_WORDS:])
