"""The conductor: several controls at one model's sites."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from attention_reference import NOW, make_call

from rehearse.controls import Conductor, Control
from rehearse.sites import Grid


@dataclass(frozen=True)
class Says(Control):
    """Answers with a constant, or passes, at one kind of site."""

    kind: str
    value: float | None

    def wants(self, site, moment):
        return site.kind == self.kind

    def attend(self, call, moment):
        assert call.site.kind == self.kind, "asked where it did not want to be"
        return None if self.value is None else torch.full((1,), self.value)


def test_the_first_answer_counts():
    call = make_call("cross", Grid(1, 2, 2))
    controls = [Says("spatial", 1.0), Says("cross", None), Says("cross", 2.0), Says("cross", 3.0)]
    assert Conductor(controls, NOW)(call) == 2.0


def test_nobody_there_or_everybody_passing_means_plain_attention():
    call = make_call("cross", Grid(1, 2, 2))
    assert Conductor([], NOW)(call) is None
    assert Conductor([Says("spatial", 1.0), Says("cross", None)], NOW)(call) is None


def test_wants_what_any_control_wants():
    conductor = Conductor([Says("spatial", 1.0), Says("cross", None)], NOW)
    assert conductor.wants(make_call("spatial", Grid(1, 2, 2)).site)
    assert conductor.wants(make_call("cross", Grid(1, 2, 2)).site)
    assert not conductor.wants(make_call("temporal", Grid(1, 2, 2)).site)
