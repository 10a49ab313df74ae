"""The abilities that the API serves, against what the planner asks of models."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace

import pytest

from rehearse.resolve.abilities import LATER, UNNAMED, needs
from rehearse.studio.abilities import SPOKEN, abilities
from rehearse.studio.views import Need

KINDS = [
    {"kind": "image"}, {"kind": "content"}, {"kind": "motion"},
    {"kind": "target", "role": "target"}, {"kind": "target", "role": "source"},
    *({"kind": "trajectory", "form": form} for form in ("box", "point", "drag")),
]  # fmt: skip


def asked(need: Need, kind: dict[str, str], named: bool, later: bool) -> bool:
    told = {"kind": need.kind, "form": need.form, "role": need.role, "named": need.named, "later": need.later}
    said = {**kind, "named": named, "later": later}
    return need.setting is None and all(
        value is None or said.get(name) == value for name, value in told.items()
    )


@pytest.mark.parametrize(("kind", "named", "later"), list(product(KINDS, (False, True), (False, True))))
def test_what_is_served_asks_of_each_instruction_what_the_planner_asks(
    kind: dict[str, str], named: bool, later: bool
) -> None:
    instruction = SimpleNamespace(**kind, phrase="ball" if named else None, time=0.5 if later else 0.0)
    served = {
        ability.name
        for ability in abilities()
        if any(asked(need, kind, named, later) for need in ability.needed_by)
    }
    assert served == set(needs(instruction))


def test_every_ability_is_called_something_and_needed_by_something() -> None:
    served = {ability.name: ability for ability in abilities()}
    assert set(served) == set(SPOKEN)
    assert all(ability.needed_by for ability in served.values())


def test_what_makes_no_difference_is_not_said() -> None:
    served = {ability.name: ability.needed_by for ability in abilities()}
    assert [need.model_dump(exclude_none=True) for need in served["trajectory.drag"]] == [
        {"kind": "trajectory", "form": "drag"}
    ]
    assert {need.named for need in served[UNNAMED]} == {False}
    assert [need.model_dump(exclude_none=True) for need in served[LATER]] == [
        {"kind": "image", "later": True}
    ]
