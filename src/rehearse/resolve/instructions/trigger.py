"""The word that marks a target in the prompt (docs/methods.md, section 5.2)."""

from __future__ import annotations

import re

from rehearse.shot.errors import ShotError
from rehearse.shot.phrases import find_phrase


def with_trigger(
    prompt: str, phrase: str, trigger: str = "target", occurrence: int | None = None
) -> tuple[str, tuple[int, int]]:
    """The prompt with the trigger word before the phrase, and the characters ``[start, end)`` of that word.

    "a frog reaches the red ball", "the red ball" becomes "a frog reaches the target red ball". A prompt that
    has the word before the phrase already, at its start, or as the phrase, stays as it is, whatever else it
    has that word for. occurrence: which mention of the phrase, counted from 1, where there are several.

    Raises ShotError (field ``phrase``): the phrase is not in the prompt, or there several times and no
    occurrence is given; the trigger stands in the prompt and not before this mention.
    """
    start, _ = find_phrase(prompt, phrase, occurrence)
    found = trigger_spans(prompt, trigger)
    if not found:
        return f"{prompt[:start]}{trigger} {prompt[start:]}", (start, start + len(trigger))
    for mark in found:
        if mark[0] == start or (mark[1] < start and not prompt[mark[1] : start].strip()):
            return prompt, mark
    places = " and ".join(f'"{_words_from(prompt, first)}"' for first, _ in found)
    raise ShotError(
        f'the word "{trigger}" marks it in the prompt and must stand just before it, and stands in {places}; '
        "name these words if they are meant, or use another word there",
        field="phrase",
        value=phrase,
    )


def _words_from(prompt: str, start: int, most: int = 3) -> str:
    """The first few words of a prompt from a character on."""
    return " ".join(re.findall(r"[\w'-]+", prompt[start : start + 200])[:most])


def trigger_spans(prompt: str, trigger: str) -> tuple[tuple[int, int], ...]:
    """The characters ``[start, end)`` of every mention of the trigger as a whole word, whatever its case."""
    pattern = rf"(?<!\w){re.escape(trigger)}(?!\w)"
    return tuple(match.span() for match in re.finditer(pattern, prompt, re.IGNORECASE))
