"""What the model reads, and where in it an instruction's words stand."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from rehearse.cards import ModelCard
from rehearse.resolve.abilities import ability
from rehearse.resolve.instructions.motions import motion_instruction_of
from rehearse.resolve.instructions.trigger import trigger_spans, with_trigger
from rehearse.shot import BoxTrajectory, PointTrajectory, Shot, ShotError, TargetInstruction, find_phrase

Named = BoxTrajectory | PointTrajectory | TargetInstruction


@dataclasses.dataclass(frozen=True, slots=True)
class Trigger:
    """The word that marks a target. at: the character of the asked words where it begins. new: whether it was
    put in there."""

    at: int
    word: str
    new: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Words:
    """What the video model reads.

    text: with the trigger words of targets. negative: what it shall not show. field: of the shot, where the
    words stand. asked: the words as the shot has them. triggers: by the index of their instruction.
    """

    text: str
    negative: str
    field: str
    asked: str
    triggers: Mapping[int, Trigger] = dataclasses.field(default_factory=dict)

    @property
    def spoken(self) -> str:
        """What a sentence calls the text."""
        return "the prompt" if self.field == "prompt" else "the motion's text"

    def shifted(self, start: int, end: int) -> tuple[int, int]:
        """Where ``[start, end)`` of the asked words stands in the text."""
        new = [(one.at, len(one.word) + 1) for one in self.triggers.values() if one.new]
        before = sum(length for at, length in new if at <= start)
        inside = sum(length for at, length in new if start < at < end)
        return start + before, end + before + inside

    def trigger_span(self, index: int) -> tuple[int, int] | None:
        """Where the trigger word of an instruction stands in the text; None for none."""
        found = self.triggers.get(index)
        if found is None:
            return None
        start = self.shifted(found.at, found.at)[0] - (len(found.word) + 1 if found.new else 0)
        return start, start + len(found.word)

    def span(self, named: Named, place: str) -> tuple[int, int]:
        """Where the text names what an instruction speaks of. place: the field of its phrase."""
        phrase = str(named.phrase)
        if self.field == "prompt":
            return self.shifted(*find_phrase(self.asked, phrase, named.occurrence))
        try:
            return self.shifted(*find_phrase(self.asked, phrase, None))
        except ShotError as error:
            raise ShotError(
                f"the motion's text ({self.asked!r}) is what the model reads, and it must name the subject "
                "once, in these words; add them there, or leave the text out so that the prompt is read",
                field=place,
                value=phrase,
            ) from error


def words_of(shot: Shot, card: ModelCard) -> tuple[Words, list[str]]:
    """What a model reads of a shot, and notes on it: the motion's text where there is one, else the prompt;
    each target's trigger word stands before its phrase.

    Raises ShotError: a trigger word that the model does not know or that cannot be placed.
    """
    motion = motion_instruction_of(shot)
    if motion is None or motion.text is None:
        asked, where = shot.prompt, "prompt"
    else:
        asked, where = motion.text, f"instructions[{shot.instructions.index(motion)}].text"
    triggers: dict[int, Trigger] = {}
    notes: list[str] = []
    for index, target in enumerate(shot.instructions):
        if not isinstance(target, TargetInstruction) or ability(target) not in card.abilities:
            continue
        word, place = card.triggers[target.role], f"instructions[{index}].phrase"
        known = card.limits.vocabulary
        if known is not None and word.lower() not in known:
            raise ShotError(
                f"model {card.identity!r} takes masks, but its vocabulary lacks the word {word!r} that "
                "marks them in the prompt; add it to vocabulary.json if it was trained with it",
                field=f"instructions[{index}]",
            )
        try:
            occurrence = target.occurrence if where == "prompt" else None
            marked, (start, _) = with_trigger(asked, target.phrase, word, occurrence)
        except ShotError as error:
            raise ShotError(error.reason, field=place, value=target.phrase) from error
        if (mentions := len(trigger_spans(marked, word))) > 1:
            notes.append(
                f'the word "{word}" stands {mentions} times in the text; the one that names '
                f'"{target.phrase}" marks the {target.role}'
            )
        if any(one.at == start for one in triggers.values()):
            raise ShotError(
                "target and source are named by the same words; name them apart",
                field=place,
                value=target.phrase,
            )
        triggers[index] = Trigger(start, word, marked != asked)
    text = asked
    for one in sorted(triggers.values(), key=lambda one: -one.at):
        text = f"{text[: one.at]}{one.word} {text[one.at :]}" if one.new else text
    return Words(text, shot.negative_prompt or "", where, asked, triggers), notes
