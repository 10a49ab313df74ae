"""What models read: theatre models know a few dozen words and say so, and all have a longest text."""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rehearse.models.meanings import alike_in_meaning
from rehearse.shot.errors import ShotError
from rehearse.shot.prompt_syntax import told, without_syntax

if TYPE_CHECKING:
    from rehearse.models.model import VideoModel

_LOG = logging.getLogger(__name__)
_MOST_SHOWN = 240
# Emoji and other signs that stand for things are words too; punctuation is none.
_SIGNS = r"[^\w\s\u0000-\u036f\u2000-\u206f\u3000-\u303f\ufe00-\ufe0f\uff00-\uffef]+"
_WORD = re.compile(rf"\w+(?:['’-]\w+)*|{_SIGNS}")


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


def refuse_unknown_words(field: str, text: str, model: VideoModel) -> None:
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


def say_foreign_syntax(what: str, text: str) -> None:
    """Warn of what a text says in the syntax of other tools. what: it is called in the sentence."""
    for sentence in told(text):
        _LOG.warning("%s has %s", what, sentence)


def say_what_is_cut(what: str, text: str, model: VideoModel) -> None:
    """Warn where a text has more tokens than a model reads. what: it is called in the sentence."""
    lost = words_lost(text, model)
    if not lost:
        return
    shown = lost if len(lost) <= _MOST_SHOWN else f"{lost[:_MOST_SHOWN]}... ({len(lost.split())} words)"
    _LOG.warning(
        "%s is longer than the %d tokens %r reads; it does not see: %r",
        *(what, model.limits.max_tokens, model.identity, shown),
    )


def words_lost(text: str, model: VideoModel) -> str:
    """The end of a text that a model does not read, from the first word that it does not read whole; empty
    where it reads all."""
    cut = model.tokenize(text).cut
    if cut is None:
        return ""
    while cut and text[cut - 1].isalnum() and text[cut : cut + 1].isalnum():
        cut -= 1
    return text[cut:].strip()
