"""Words that models know: theatre models know a few dozen and say so."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Protocol

from rehearse.cards import Limits
from rehearse.resolve.meanings import alike_in_meaning
from rehearse.shot.errors import ShotError
from rehearse.shot.prompt_syntax import told, without_syntax

# Emoji and other signs that stand for things are words too; punctuation is none.
_SIGNS = r"[^\w\s\u0000-\u036f\u2000-\u206f\u3000-\u303f\ufe00-\ufe0f\uff00-\uffef]+"
_WORD = re.compile(rf"\w+(?:['’-]\w+)*|{_SIGNS}")


class Reader(Protocol):
    """What reads a text: a model, or its card."""

    @property
    def identity(self) -> str:
        """What ``--model`` was given."""

    @property
    def limits(self) -> Limits:
        """Of words, among others."""


def words_of(text: str) -> list[str]:
    """The words of a text, lower case, and its emoji, in order; punctuation separates them."""
    return [match.group().lower() for match in _WORD.finditer(text)]


def unknown_words(text: str, vocabulary: Iterable[str]) -> list[str]:
    """Words of the text that are not in the vocabulary, each once, in order."""
    known = set(vocabulary)
    return list(dict.fromkeys(word for word in words_of(text) if word not in known))


def nearest_words(word: str, vocabulary: Iterable[str], count: int = 3) -> list[str]:
    """Up to ``count`` known words in place of this one: first one spelt nearly the same (a slip of the
    finger), then those of like meaning ("dog": "cat"; "runs": "moves right"), else others spelt like it.
    Empty where none is near."""
    known = frozenset(vocabulary)
    slips = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.85)
    spelt = difflib.get_close_matches(word, sorted(known), n=count, cutoff=0.6) if len(word) > 2 else []
    alike = alike_in_meaning(word, known)
    # Where the meaning is known, words that merely look alike ("dog", "down") would mislead.
    return list(dict.fromkeys([*slips, *alike, *([] if alike else spelt)]))[:count]


def refuse_unknown_words(field: str, text: str, model: Reader) -> None:
    """Raise ShotError, naming the field, where the text has words that a model of closed vocabulary was never
    taught; the sentence gives the nearest known ones."""
    vocabulary = model.limits.vocabulary
    if vocabulary is None:
        return
    unknown = unknown_words(text, vocabulary)
    if not unknown:
        return
    if foreign := list(told(text)):
        plain = without_syntax(text)
        left = unknown_words(plain, vocabulary)
        write = f'write "{plain}"' if plain and not left else "write it in plain words"
        raise ShotError(f"{'; '.join(foreign)}; {write}", field=field)
    parts = []
    for word in unknown:
        near = " or ".join(f'"{known}"' for known in nearest_words(word, vocabulary))
        parts.append(f'"{word}" (nearest: {near})' if near else f'"{word}"')
    verb = "is a word" if len(unknown) == 1 else "are words"
    raise ShotError(
        f"{', '.join(parts)} {verb} that {model.identity!r} does not know; it knows: "
        + " ".join(sorted(vocabulary)),
        field=field,
    )


def foreign_syntax(what: str, text: str) -> list[str]:
    """Sentences on what a text says in the syntax of other tools. what: it is called in them."""
    return [f"{what} has {sentence}" for sentence in told(text)]
