"""The abilities of models as the API serves them: what each is called, and what of a shot needs it.

What needs them is :func:`rehearse.resolve.abilities.needs`'s to say: it is asked here about every instruction
that the document knows, so that the page holds no table of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from types import SimpleNamespace
from typing import Any, get_args

from pydantic import BaseModel

from rehearse.resolve.abilities import ALIGNED, LATER, STEERED, UNNAMED, needs
from rehearse.shot.instructions import Instruction
from rehearse.studio.views import AbilityView, Need

SPOKEN = {
    "image": "start from a picture", "content": "use paint or edits", "motion": "follow motion in words",
    "target": "follow a marked target", "target.source": "follow a marked actor",
    "trajectory.box": "follow box paths", "trajectory.point": "follow point paths",
    "trajectory.drag": "follow drags", UNNAMED: "follow paths that name no words",
    LATER: "show a picture later than at the start", STEERED: "raise attention to a target",
    ALIGNED: "align frames with the first picture",
}  # fmt: skip
"""Each ability as a sentence says it after "can" or "cannot"."""

_SETTINGS = (STEERED, ALIGNED)
"""Abilities that are fields of a shot's `control`."""
_FLAGS = ("named", "later")
_EITHER = (False, True)


@lru_cache(maxsize=1)
def abilities() -> tuple[AbilityView, ...]:
    """Every ability that something in a shot can need, in the order of the document's instructions."""
    needed: dict[str, list[Need]] = defaultdict(list)
    for shape in _shapes():
        found = {flags: needs(_instruction(shape, *flags)) for flags in product(_EITHER, _EITHER)}
        for name in dict.fromkeys(name for names in found.values() for name in names):
            needed[name] += _said(shape, [flags for flags, names in found.items() if name in names])
    for name in _SETTINGS:
        needed[name].append(Need(setting=name))
    return tuple(
        AbilityView(name=name, label=SPOKEN.get(name, f"follow {name}"), needed_by=by)
        for name, by in needed.items()
    )


def _shapes() -> Iterator[dict[str, str]]:
    """What tells the kinds of instruction apart: kind, form and role, as far as each has them."""
    for document in _documents(Instruction):
        fields = document.model_fields
        told = [name for name in ("kind", "form", "role") if name in fields]
        for values in product(*(get_args(fields[name].annotation) for name in told)):
            yield dict(zip(told, values, strict=True))


def _documents(kind: Any) -> Iterator[type[BaseModel]]:
    """The documents of a union of instructions, however it is nested."""
    if isinstance(kind, type):
        yield kind
        return
    for inner in get_args(kind):
        if isinstance(inner, type) or get_args(inner):
            yield from _documents(inner)


def _instruction(shape: dict[str, str], named: bool, later: bool) -> SimpleNamespace:
    return SimpleNamespace(**shape, phrase="it" if named else None, time=1.0 if later else 0.0)


def _said(shape: dict[str, str], cases: list[tuple[bool, bool]]) -> list[Need]:
    """The cases (named, later) in which a shape needs something, without what makes no difference."""
    matters = [
        any(tuple(not f if i == j else f for j, f in enumerate(case)) not in cases for case in cases)
        for i in range(len(_FLAGS))
    ]
    told = dict.fromkeys(tuple(f if matters[i] else None for i, f in enumerate(case)) for case in cases)
    return [Need.model_validate({**shape, **dict(zip(_FLAGS, case, strict=True))}) for case in told]
