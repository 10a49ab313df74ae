"""Captions with their trigger words, and the tokens these become."""

from __future__ import annotations

from dataclasses import dataclass

from rehearse.models.model import Tokens
from rehearse.models.target_conditioning import TRIGGERS, with_trigger
from rehearse.shot.errors import ShotError
from rehearse.shot.phrases import find_phrase, phrase_spans
from rehearse.training.own.rows import Problem, Row


@dataclass(frozen=True, slots=True)
class Marked:
    """A prompt and, for each role in the order of the mask channels, the characters of its trigger word, and
    of the phrase behind it; None for a role whose phrase the row does not name."""

    prompt: str
    words: tuple[tuple[int, int] | None, ...]
    phrases: tuple[tuple[int, int] | None, ...]


def marked_prompt(row: Row, roles: int = 2) -> Marked:
    """The row's caption with the word "target" before its target, and "source" before its actor.

    roles: how many masks are trained with; a role without one gets no word. Raises ShotError where a phrase
    does not stand there exactly once, or the two share words.
    """
    prompt, named_things = row.said.caption, (row.said.target, row.said.actor)
    phrases = tuple(phrase if role < roles else None for role, phrase in enumerate(named_things))
    (start, end), *others = [find_phrase(prompt, phrase) for phrase in phrases if phrase is not None]
    if any(start < last and first < end for first, last in others):
        why = "it shares words with the target; use other words for the one that acts"
        raise ShotError(why, field="phrase", value=row.said.actor)
    for phrase, trigger in zip(phrases, TRIGGERS.values(), strict=True):
        if phrase is not None:
            prompt, _ = with_trigger(prompt, phrase, trigger)
    spans = [
        with_trigger(prompt, phrase, trigger)[1] if phrase is not None else None
        for phrase, trigger in zip(phrases, TRIGGERS.values(), strict=True)
    ]
    named = [
        None if span is None or phrase is None else _behind(prompt, span, phrase)
        for span, phrase in zip(spans, phrases, strict=True)
    ]
    return Marked(prompt, tuple(spans), tuple(named))


def _behind(prompt: str, word: tuple[int, int], phrase: str) -> tuple[int, int]:
    """The characters of the phrase whose trigger word stands there."""
    spans = phrase_spans(prompt, phrase)
    return next(span for span in spans if span[0] >= word[0])


def prompt_problems(row: Row, marked: Marked, tokens: Tokens, limit: int) -> list[Problem]:
    """What of the marked words the token limit cut off."""
    found = []
    phrases = (("target", row.said.target), ("actor", row.said.actor))
    for (field, phrase), span in zip(phrases, marked.words, strict=True):
        if span is None or phrase is None:
            continue
        # The word and the phrase it stands before.
        end = marked.prompt.lower().find(phrase.split()[-1].lower(), span[1])
        lost = tokens.cut is not None and max(span[1], end) >= tokens.cut
        if lost or not tokens.within(*span):
            remedy = f"the caption is cut off before it, at {limit} tokens; shorten the caption"
            found.append(Problem(row.number, field, phrase, remedy))
    return found


def trigger_problem(row: Row, error: ShotError) -> Problem:
    """A fault of the row's phrases as a problem."""
    said = {row.said.target: "target", row.said.actor: "actor"}
    field = said.get(error.value, "caption") if isinstance(error.value, str) else "caption"
    if field == "caption":
        return Problem(row.number, field, row.said.caption, error.reason)
    mentions = len(phrase_spans(row.said.caption, str(error.value)))
    if mentions > 1:
        why = f"the caption has it {mentions} times; name it with words that stand there once"
        return Problem(row.number, field, error.value, why)
    return Problem(row.number, field, error.value, error.reason)
