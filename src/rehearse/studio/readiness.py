"""What keeps a shot from being run, in a person's words, and what would mend it in one click.

A shot on the desk may be in any state; here is the one place that says what is still wrong with it. What only
the model itself can find (:func:`rehearse.planning.plan`) is asked of the worker when a take is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from rehearse.cards import Limits, ModelCard
from rehearse.resolve import resolve
from rehearse.resolve.abilities import LATER, UNNAMED, needs
from rehearse.resolve.vocabulary import nearest_words, unknown_words
from rehearse.shot import Mask, Shot, ShotError, phrase_spans
from rehearse.shot.draft import Draft, prompt_of
from rehearse.shot.errors import faults
from rehearse.shot.instructions import Instruction
from rehearse.shot.nouns import Noun, nouns
from rehearse.shot.prompt_syntax import told, without_syntax
from rehearse.studio.abilities import SPOKEN
from rehearse.studio.limits import ServerLimits
from rehearse.studio.model_facts import Facts, card_of_facts
from rehearse.studio.views import Fix, PatchOperation, ShotProblem

_INSTRUCTION: TypeAdapter[Any] = TypeAdapter(Instruction)
_MOST_FIXES = 5
_MOST_WORDS = 12
_DEFAULT_MODEL = "theatre-video"
_NAMES = {
    "fps": "frames per second", "negative_prompt": "what not to show", "handle": "where it is taken",
    "target": "where it goes",
}  # fmt: skip
_ONE_OF = {
    "keyframes": "keyframe",
    "moves": "drag",
    "strokes": "stroke",
    "points": "point",
    "over_time": "weight",
}


def problems_of(draft: Draft, models: Sequence[Facts], limits: ServerLimits) -> list[ShotProblem]:
    """All that keeps a draft from being run, the prompt first. models: those of the studio, empty where
    nobody has looked at them yet; then only what does not depend on them is said."""
    reader = _Reader(draft, models, limits)
    return list(reader.read()) or reader.resolved()


def subjects_of(draft: Draft, models: Sequence[Facts]) -> tuple[Noun, ...]:
    """What a draft's prompt speaks of; of a model that knows few things, those."""
    return _Reader(draft, models, None).nouns


def finding_of(draft: Draft, sentence: str, field: str | None) -> ShotProblem:
    """What the model itself found, as a problem of the draft."""
    place = field or ""
    reason = re.sub(rf"^{re.escape(place)}[^:]*: ", "", sentence) if place else sentence
    fixes = [_without(place)] if place.startswith("control.") else []
    index = re.match(r"instructions\[(\d+)\]", place)
    if index:
        fixes.append(_removal(draft, int(index[1])))
    return ShotProblem(field=place, sentence=_sentence(_upper(_spoken_reason(draft, reason))), fixes=fixes)


class _Reader:
    def __init__(self, draft: Draft, models: Sequence[Facts], limits: ServerLimits | None) -> None:
        self.draft = draft
        self.said = _without_nulls(draft)
        self.prompt = prompt_of(draft)
        self.instructions: list[dict[str, Any]] = self.said.get("instructions", [])
        self.models = [card_of_facts(facts) for facts in models]
        self.limits = limits
        self.name = str(self.said.get("model", _DEFAULT_MODEL))
        self.model = next((card for card in self.models if card.identity == self.name), None)
        told = next((facts for facts in models if facts["name"] == self.name), None)
        self.nouns = nouns(self.prompt, _things(told))

    def read(self) -> Iterator[ShotProblem]:
        if not self.prompt.strip():
            yield _problem("prompt", "Say what the clip shows.")
        yield from self._words("prompt", self.prompt, "/prompt")
        yield from self._model()
        whole = list(self._settings())
        for index, instruction in enumerate(self.instructions):
            whole += self._instruction(index, instruction)
        # What the model cannot follow at all comes before what is still open about it.
        yield from self._able()
        yield from whole
        if self.prompt.strip() and not whole:
            yield from self._together()
        yield from self._size()
        yield from self._control()
        yield from self._words(
            "negative_prompt", str(self.said.get("negative_prompt", "")), "/negative_prompt"
        )

    def resolved(self) -> list[ShotProblem]:
        """What is wrong with a draft of which nothing else is: what keeps it from being resolved for its
        model. Mask pictures lie in the store; where there are any, the worker looks at them."""
        if self.model is None:
            return []
        shot = Shot.model_validate(self.said)
        if not all(mask.is_ready for mask in _masks_of(shot)):
            return []
        try:
            resolve(shot, self.model)
        except ShotError as error:
            return [finding_of(self.draft, str(error), error.field)]
        return []

    # What the document alone says

    def _settings(self) -> Iterator[ShotProblem]:
        """Faults of all fields but the instructions and the prompt."""
        alone = {name: value for name, value in self.said.items() if name != "instructions"}
        for fault in _faults(Shot, {**alone, "prompt": self.prompt.strip() or "x"}):
            yield _problem(fault.field, _said(fault), *_of_a_setting(fault))

    def _instruction(self, index: int, instruction: dict[str, Any]) -> list[ShotProblem]:
        place = f"instructions[{index}]"
        removal = _removal(self.draft, index)
        own = [self._phrase(index, instruction)]
        unmarked = instruction["kind"] == "target" and not _marks(instruction.get("mask"))
        if unmarked:
            own.append(_problem(f"{place}.mask", "Mark it on the picture: nothing is outlined yet.", removal))
        for fault in _instruction_faults(instruction):
            if fault.field == "phrase" or (unmarked and fault.field.startswith("mask")):
                continue
            field = place + (f".{fault.field}" if fault.field else "")
            own.append(_problem(field, _said(fault), *_bounded(fault, field), removal))
        return [problem for problem in own if problem is not None]

    def _phrase(self, index: int, instruction: dict[str, Any]) -> ShotProblem | None:
        if not _takes_words(instruction):
            return None
        field, removal = f"instructions[{index}].phrase", _removal(self.draft, index)
        phrase, what = str(instruction.get("phrase", "")), _kind_of(instruction)
        if not phrase.strip():
            if instruction["kind"] == "target" or "phrase" in instruction:
                return _problem(
                    field, f"Say which words of the prompt this {what} is for.", *self._binds(index), removal
                )
            return None
        spans = phrase_spans(self.prompt, phrase)
        if not spans:
            sentence = f"This {what} is for “{phrase}”, but the prompt does not say that."
            return _problem(field, sentence, *self._binds(index), removal)
        occurrence = instruction.get("occurrence")
        if occurrence is None and len(spans) == 1:
            return None
        if occurrence is not None and 1 <= occurrence <= len(spans) and occurrence == int(occurrence):
            return None
        fixes = [
            _fix(f"The {_ordinal(nth)} “{phrase}”" if len(spans) > 1 else f"Bind to “{phrase}”",
                 ("add", f"/instructions/{index}/occurrence", nth if len(spans) > 1 else None))
            for nth in range(1, min(len(spans), 4) + 1)
        ]  # fmt: skip
        many = "once" if len(spans) == 1 else f"{len(spans)} times"
        return _problem(
            f"instructions[{index}].occurrence",
            f"The prompt says “{phrase}” {many}. Which one is meant?",
            *fixes,
        )

    def _binds(self, index: int) -> list[Fix]:
        """Binding an instruction to what the prompt speaks of; what nothing is bound to yet comes first."""
        taken = {str(one.get("phrase", "")).lower() for i, one in enumerate(self.instructions) if i != index}
        free = sorted(self.nouns, key=lambda noun: noun.phrase.lower() in taken)
        return [
            _fix(
                f"Bind to “{noun.phrase}”",
                ("add", f"/instructions/{index}/phrase", noun.phrase),
                ("add", f"/instructions/{index}/occurrence", noun.occurrence),
            )
            for noun in free[:_MOST_FIXES]
        ]

    def _together(self) -> Iterator[ShotProblem]:
        """What only the document as a whole says, such as two instructions for one thing."""
        try:
            shot = Shot.model_validate(self.said)
        except ShotError as error:
            index = re.match(r"instructions\[(\d+)\]", error.field)
            fixes = [_removal(self.draft, int(index[1]))] if index else []
            yield _problem(error.field, _upper(_spoken_reason(self.draft, error.reason)), *fixes)
            return
        if self.limits is None or self.name not in self.limits.models:
            return
        try:
            self.limits.check(shot)
        except ShotError as error:
            yield _problem(error.field, _said(error), _without(error.field))

    # What the model says

    def _model(self) -> Iterator[ShotProblem]:
        if self.limits is None or self.name in self.limits.models:
            return
        titles = [_use(card.identity) for card in self._others(self._needed())]
        yield _problem("model", f"This studio has no model “{_title(self.name)}”.", *titles[:_MOST_FIXES])

    def _needed(self) -> frozenset[str]:
        return frozenset(need for one in self.instructions for need in needs(SimpleNamespace(**one)))

    def _others(self, all_of: frozenset[str], least: Sequence[str] = ()) -> list[ModelCard]:
        """Models for a clip that can do all of this; where there is none, those that can do the least."""
        clips = [card for card in self.models if card.identity != self.name and self._makes_clips(card)]
        for wanted in (all_of, frozenset(least)):
            found = [card for card in clips if wanted <= card.abilities]
            if found:
                return sorted(found, key=self._farness)
        return []

    def _farness(self, card: ModelCard) -> tuple[int, bool, bool]:
        """How much else would change with a model: words it does not know come first, then whether it is of
        the other kind of vocabulary, then whether it makes as many frames."""
        closed = card.limits.vocabulary is not None
        mine = self.model is None or self.model.limits.vocabulary is not None
        frames = self.said.get("frames")
        fits = not isinstance(frames, int) or frames < 1 or card.limits.takes_frames(frames)
        return len(self._unknown(self.prompt, card)), closed is not mine, not fits

    def _makes_clips(self, card: ModelCard) -> bool:
        one = card.limits.max_frames == 1
        return not one or (self.model is not None and self.model.limits.max_frames == 1)

    def _able(self) -> Iterator[ShotProblem]:
        if self.model is None:
            return
        can, title = set(self.model.abilities), _title(self.name)
        if (self.said.get("control") or {}).get("target_attention") and "target_attention" in can:
            can |= {"target", "target.source"}
        pictures = 0
        for index, instruction in enumerate(self.instructions):
            needed = needs(SimpleNamespace(**instruction))
            removal = _removal(self.draft, index)
            missing = [need for need in needed if need not in can]
            if not missing:
                if instruction["kind"] == "image":
                    pictures += 1
                    if pictures > 1:
                        yield _problem(
                            f"instructions[{index}]",
                            "A clip can start from only one picture; this is a second one.",
                            removal,
                        )
                continue
            others = [_use(card.identity) for card in self._others(self._needed(), needed)][:3]
            first = missing[0]
            if first == UNNAMED:
                if "phrase" in instruction:
                    continue  # it is told which words it is for already
                fixes = [*self._binds(index)[: _MOST_FIXES - 1], *others[:1], removal]
                where = "in the box" if instruction.get("form") == "box" else "at the point"
                yield _problem(
                    f"instructions[{index}].phrase", f"Say what is {where}, in words of the prompt.", *fixes
                )
            elif first == LATER:
                start = _fix("Show it at the start", ("add", f"/instructions/{index}/time", 0))
                yield _problem(
                    f"instructions[{index}].time", f"{title} takes a picture only at the start of the clip.",
                    start, *others, removal,
                )  # fmt: skip
            else:
                lacks = "" if others else " No model of this studio can."
                yield _problem(
                    f"instructions[{index}]",
                    f"{title} cannot {SPOKEN.get(first, f'follow {first}')}.{lacks}",
                    *others, removal,
                )  # fmt: skip
            if instruction["kind"] == "image":
                pictures += 1
        for index, instruction in enumerate(self.instructions):
            for field in ("prompt", "negative_prompt", "text"):
                text = instruction.get(field)
                if isinstance(text, str):
                    yield from self._words(
                        f"instructions[{index}].{field}", text, f"/instructions/{index}/{field}"
                    )

    def _size(self) -> Iterator[ShotProblem]:
        if self.model is None:
            return
        limits, title = self.model.limits, _title(self.name)
        fixed = limits.fixed or (None, None, None)
        for field, only in zip(("frames", "width", "height"), fixed, strict=True):
            value = self.said.get(field)
            if not isinstance(value, int | float) or value < 1 or value != int(value):
                continue
            asked = int(value)
            near = (
                list(limits.nearest_frames(asked))
                if field == "frames"
                else [_nearest_size(asked, limits, only)]
            )
            if near == [asked]:
                continue
            unit = "frames" if field == "frames" else "pixels"
            fixes = [_fix(f"Set to {fits} {unit}", ("add", f"/{field}", fits)) for fits in near]
            if field == "frames":
                able = (card for card in self._others(self._needed()) if card.limits.takes_frames(asked))
                fixes += [_use(card.identity) for card in able][:2]
            yield _problem(field, _size_sentence(title, field, asked, limits, only), *fixes, _without(field))

    def _control(self) -> Iterator[ShotProblem]:
        control = self.said.get("control") or {}
        if self.model is None:
            return
        can, title = set(self.model.abilities), _title(self.name)
        if control.get("frame_alignment") and "frame_alignment" not in can:
            yield _problem(
                "control.frame_alignment", f"{title} cannot align frames with the first picture.",
                _without("control.frame_alignment"),
            )  # fmt: skip
        if control.get("target_attention"):
            marks = any(one["kind"] == "target" for one in self.instructions)
            if "target_attention" not in can or not marks:
                why = (
                    f"{title} cannot raise attention to a target."
                    if marks
                    else "This raises attention to a target, but none is marked."
                )
                yield _problem("control.target_attention", why, _without("control.target_attention"))

    # Words

    def _unknown(self, text: str, model: ModelCard | None) -> list[str]:
        known = None if model is None else model.limits.vocabulary
        return [] if known is None else unknown_words(text, known)

    def _words(self, field: str, text: str, pointer: str) -> Iterator[ShotProblem]:
        """One problem for each word that the model was never taught."""
        if self.model is None:
            return
        known = self.model.limits.vocabulary or frozenset()
        unknown = self._unknown(text, self.model)
        if unknown and (foreign := list(told(text))):
            # Its words would be told as unknown one by one: "1", "3", "lora".
            plain = without_syntax(text)
            fix = [_fix("Write it in plain words", ("replace", pointer, plain))] if plain else []
            for sentence in foreign:
                yield _problem(field, sentence, *fix)
            unknown = self._unknown(plain, self.model)
        for word in unknown[:_MOST_WORDS]:
            fixes = [
                _fix(near, ("replace", pointer, _replaced(text, word, near)))
                for near in nearest_words(word, known)
            ]
            yield _problem(field, f"{_title(self.name)} does not know “{word}”.", *fixes)


def _masks_of(shot: Shot) -> Iterator[Mask]:
    blend = shot.control.blend
    for holder in (*shot.instructions, *(() if blend is None else (blend,))):
        for name in ("mask", "region"):
            if (mask := getattr(holder, name, None)) is not None:
                yield mask


def _replaced(text: str, word: str, by: str) -> str:
    pattern = rf"(?<![\w'’-]){re.escape(word)}(?![\w'’-])"
    return re.sub(pattern, lambda _: by, text, flags=re.IGNORECASE)


def _things(facts: Facts | None) -> list[str] | None:
    """The things that a model of a closed vocabulary knows; None where it may be anything."""
    if facts is None or facts["limits"]["vocabulary"] is None:
        return None
    groups = facts["limits"].get("word_groups", ())
    return [word for group in groups if group["name"] == "Things" for word in group["words"]] or None


def _nearest_size(asked: int, limits: Limits, only: int | None) -> int:
    if only is not None:
        return int(only)
    unit = limits.size_multiple
    return max(unit, round(asked / unit) * unit) if asked % unit else asked


def _size_sentence(title: str, field: str, asked: int, limits: Limits, only: int | None) -> str:
    if only is not None:
        return f"{title} only makes a {field} of {only}, not {asked}."
    if field != "frames":
        return f"{title} needs a {field} that is a multiple of {limits.size_multiple}; {asked} is not."
    most, step = limits.max_frames, limits.frame_step
    if most is not None and asked > most:
        return f"{title} makes at most {most} frame{'' if most == 1 else 's'}; this asks for {asked}."
    return f"{title} makes 1 frame plus a multiple of {step}; {asked} does not fit."


def _marks(mask: object) -> bool:
    return isinstance(mask, dict) and any(mask.get(part) for part in ("image", "box", "polygon", "strokes"))


def _takes_words(instruction: Mapping[str, Any]) -> bool:
    return instruction["kind"] == "target" or instruction.get("form") in ("box", "point")


def _kind_of(instruction: Mapping[str, Any]) -> str:
    match instruction["kind"]:
        case "trajectory":
            if instruction.get("form") == "drag":
                return "drag"
            keyframes = (instruction.get("path") or {}).get("keyframes") or ()
            is_pin = instruction.get("form") == "point" and len(keyframes) == 1
            return "pin" if is_pin and not instruction.get("phrase") else "path"
        case "target":
            return "mark"
        case "content":
            return "paint" if instruction.get("strokes") else "edit"
        case "image":
            return "picture"
        case kind:
            return str(kind)


def _called(instruction: Mapping[str, Any]) -> str:
    phrase = instruction.get("phrase")
    return f"the {_kind_of(instruction)}" + (f" of “{phrase}”" if phrase else "")


def _instruction_faults(instruction: dict[str, Any]) -> list[ShotError]:
    try:
        _INSTRUCTION.validate_python(instruction)
    except ValidationError as error:
        tags = rf"^{instruction['kind']}(\.{instruction.get('form', '')})?\.?"
        found = faults(error)
        for fault in found:
            fault.field = re.sub(tags, "", fault.field)
        return found
    return []


def _faults(kind: type[Shot], value: Mapping[str, Any]) -> list[ShotError]:
    try:
        kind.__pydantic_validator__.validate_python(dict(value))
    except ValidationError as error:
        return faults(error)
    return []


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


# Words and fixes


def _problem(field: str, sentence: str, *fixes: Fix) -> ShotProblem:
    return ShotProblem(field=field, sentence=_sentence(sentence), fixes=list(fixes))


def _sentence(text: str) -> str:
    return text + ("" if text.endswith((".", "?", "!")) else ".")


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _said(fault: ShotError) -> str:
    """A fault of the document without the names of its fields."""
    named = " ".join(_part(part) for part in fault.field.split(".") if part not in ("path", "control"))
    given = isinstance(fault.value, int | float) and not isinstance(fault.value, bool)
    now = f" It is {fault.value:g}." if given else ""
    return f"{_upper(named) or 'This'}: {fault.reason.rstrip('.')}.{now}"


def _part(part: str) -> str:
    name, _, index = part.partition("[")
    spoken = _NAMES.get(name, name.replace("_", " "))
    if not index:
        return spoken
    number = index.split("]")[0]
    return f"{_ONE_OF.get(name, spoken)} {int(number) + 1}" if number.isdigit() else spoken


def _spoken_reason(draft: Draft, reason: str) -> str:
    """A reason that names instructions by their place, with what they are called instead."""
    instructions = draft.get("instructions") or []

    def name(match: re.Match[str]) -> str:
        index = int(match[1])
        return _called(instructions[index]) if index < len(instructions) else match[0]

    return re.sub(r"instructions\[(\d+)\]", name, reason)


def _pointer(field: str) -> str:
    return "".join(f"/{part}" for part in re.findall(r"[^.\[\]]+", field))


def _fix(label: str, *operations: tuple[str, str, Any] | tuple[str, str]) -> Fix:
    return Fix(label=label, patch=[PatchOperation(op=op[0], path=op[1], value=op[2] if len(op) > 2 else None)  # type: ignore[arg-type]
                                   for op in operations])  # fmt: skip


def _removal(draft: Draft, index: int) -> Fix:
    instructions = draft.get("instructions") or []
    kind = _kind_of(_without_nulls(instructions[index])) if index < len(instructions) else "instruction"
    return _fix(f"Remove this {kind}", ("remove", f"/instructions/{index}"))


def _without(field: str) -> Fix:
    return _fix("Leave it to the model", ("add", _pointer(field), None))


def _use(name: str) -> Fix:
    return _fix(f"Use {_title(name)}", ("add", "/model", name))


def _of_a_setting(fault: ShotError) -> list[Fix]:
    fixes = _bounded(fault, fault.field)
    optional = fault.field.partition(".")[0] not in ("prompt", "model", "seed", "version")
    return [*fixes, _without(fault.field)] if optional and "[" not in fault.field else fixes


def _bounded(fault: ShotError, field: str) -> list[Fix]:
    """Setting a number to the end of its range that it lies beyond, or to the whole number next to it."""
    value = fault.bound
    given = isinstance(fault.value, int | float) and not isinstance(fault.value, bool)
    if value is None and given and fault.reason == "it must be a whole number":
        value = round(fault.value)  # type: ignore[call-overload]
    if value is None:
        return []
    return [_fix(f"Set to {value:g}" if isinstance(value, float) else f"Set to {value}",
                 ("add", _pointer(field), value))]  # fmt: skip


def _ordinal(number: int) -> str:
    return ("first", "second", "third", "fourth")[number - 1]


def _title(name: str) -> str:
    """A model as the desk calls it: a folder by its own name, without the way there."""
    if re.match(r"[/.~]|[A-Za-z]:\\", name):
        return next((part for part in reversed(re.split(r"[/\\]", name)) if part), name)
    return name
