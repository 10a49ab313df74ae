"""Closed vocabularies: a theatre model knows a few dozen words and says so."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_WORD = re.compile(r"\w+(?:['’-]\w+)*")


def words_of(text: str) -> list[str]:
    """The words of a text, lower case, in order; punctuation separates them."""
    return [match.group().lower() for match in _WORD.finditer(text)]


def unknown_words(text: str, vocabulary: Iterable[str]) -> list[str]:
    """Words of the text that are not in the vocabulary, each once, in order."""
    known = set(vocabulary)
    return list(dict.fromkeys(word for word in words_of(text) if word not in known))


def nearest_words(word: str, vocabulary: Iterable[str], count: int = 3) -> list[str]:
    """Up to ``count`` known words spelt like this one, nearest first; empty where none is near."""
    return difflib.get_close_matches(word, sorted(vocabulary), n=count, cutoff=0.6)
