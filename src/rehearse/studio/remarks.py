"""What a shot may be run with all the same, but will mean less than it seems to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rehearse.shot.draft import Draft
from rehearse.shot.prompt_syntax import told, without_syntax
from rehearse.studio.views import Fix, PatchOperation, ShotProblem

_TEXTS = ("prompt", "negative_prompt", "text")


def notes_of(draft: Draft) -> list[ShotProblem]:
    """What of a draft is not done as it may be meant: syntax of other tools, a negative prompt not used."""
    found = list(_syntax("", "", draft))
    for index, instruction in enumerate(draft.get("instructions") or ()):
        found += _syntax(f"instructions[{index}].", f"/instructions/{index}", instruction)
    if draft.get("negative_prompt") and draft.get("guidance") == 1:
        sentence = "What the clip shall not show counts for nothing at guidance 1."
        up = Fix(label="Leave guidance to the model", patch=[PatchOperation(op="remove", path="/guidance")])
        found.append(ShotProblem(field="negative_prompt", sentence=sentence, fixes=[up]))
    return found


def _syntax(field: str, pointer: str, said: Any) -> Iterator[ShotProblem]:
    for name in _TEXTS:
        text = said.get(name) if isinstance(said, dict) else None
        if not isinstance(text, str) or not (sentences := list(told(text))):
            continue
        plain = without_syntax(text)
        write = PatchOperation(op="replace", path=f"{pointer}/{name}", value=plain)
        for sentence in sentences:
            fixes = [Fix(label="Write it in plain words", patch=[write])] if plain else []
            yield ShotProblem(
                field=f"{field}{name}", sentence=f"{sentence[:1].upper()}{sentence[1:]}.", fixes=fixes
            )
