"""Finding the words of a prompt that an instruction speaks of."""

from __future__ import annotations

import difflib
import re
from functools import lru_cache

from rehearse.shot.errors import ShotError, show

_ARTICLE = re.compile(r"(?:a|an|the)\s+(?=\S)", re.IGNORECASE)


@lru_cache(maxsize=512)
def phrase_spans(prompt: str, phrase: str) -> tuple[tuple[int, int], ...]:
    """Character spans [start, end) of every mention of the phrase in the prompt, in order.

    Whole words; case and the width of spaces do not matter, nor does an article at the phrase's start, which
    no span includes: "the red ball" finds "red ball" in "a Red  ball".
    """
    words = _ARTICLE.sub("", phrase.strip(), count=1) if _ARTICLE.match(phrase.strip()) else phrase
    pattern = r"\s+".join(re.escape(word) for word in words.split())
    if not pattern:
        return ()
    found = re.finditer(rf"(?<!\w){pattern}(?!\w)", prompt, re.IGNORECASE)
    return tuple(match.span() for match in found)


def find_phrase(prompt: str, phrase: str, occurrence: int | None = None) -> tuple[int, int]:
    """The character span [start, end) of a phrase in a prompt, without a leading article.

    Args:
        prompt: where to look.
        phrase: one or more whole words, see `phrase_spans`.
        occurrence: which mention, counted from 1; needed only if there are several.

    Raises:
        ShotError: not in the prompt (names the nearest words), or several mentions and no occurrence.
    """
    spans = phrase_spans(prompt, phrase)
    if not spans:
        near = _nearest_words(prompt, phrase)
        hint = f'the nearest words there are "{near}"; ' if near else ""
        raise ShotError(
            f"these words are not in the prompt {show(prompt)}; {hint}use words that stand in the prompt",
            field="phrase", value=phrase,
        )  # fmt: skip
    if occurrence is None:
        if len(spans) > 1:
            raise ShotError(
                f"the prompt has it {len(spans)} times; say which with an occurrence from 1 to {len(spans)}, "
                "or with more words",
                field="phrase", value=phrase,
            )  # fmt: skip
        return spans[0]
    if not 1 <= occurrence <= len(spans):
        mentions = "once" if len(spans) == 1 else f"{len(spans)} times"
        raise ShotError(
            f"the prompt mentions {show(phrase)} only {mentions}", field="occurrence", value=occurrence
        )
    return spans[occurrence - 1]


def _nearest_words(prompt: str, phrase: str) -> str | None:
    words = re.findall(r"[\w'-]+", prompt)[:500]
    sought = " ".join(phrase.split()).lower()
    length = len(sought.split())
    runs = {
        " ".join(words[i : i + n]).lower(): " ".join(words[i : i + n])
        for n in {length, max(1, length - 1)}
        for i in range(len(words) - n + 1)
    }
    close = difflib.get_close_matches(sought, runs, n=1, cutoff=0.4)
    return runs[close[0]] if close else None
