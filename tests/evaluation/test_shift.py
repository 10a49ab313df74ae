"""The shift diagnostic: the probe goes in, the averages come out."""

from __future__ import annotations

import json

import pytest
import torch

from rehearse.controls import AttentionMask, NoisePrior, Shift, ShiftProbe, Subject
from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.shift import ShiftOptions, average, measure_shift, watched, write_shift_report
from rehearse.sampling.plan import Plan
from rehearse.shot import Box, BoxPath


def plan_with(*controls):
    return Plan(4, 64, 64, 8, 6, 5.0, "ddim", 0, torch.zeros(2, 4, 8), controls=controls)


def test_the_probe_is_put_at_masks_and_nowhere_else():
    subject = Subject("red ball", (1, 2), BoxPath([(0, Box(0.1, 0.1, 0.5, 0.5))]))
    prior, mask = (
        NoisePrior((subject,), steps=3, strength=0.8),
        AttentionMask(
            (subject,),
            frozen_steps=2,
            sites=frozenset({"cross", "spatial", "temporal"}),
            parts=frozenset({"mid", "up"}),
        ),
    )
    probe = ShiftProbe()
    made, frozen = watched(plan_with(prior, mask), probe)
    assert frozen == 2 and made.controls[0] is prior
    assert made.controls[1].probe is probe and made.controls[1] == mask
    with pytest.raises(EvaluationError, match="masks no attention"):
        watched(plan_with(prior), probe)


def test_averages_by_site_in_order():
    shifts = [
        Shift(0, "up.b", "cross", 4.0, 1.0),
        Shift(0, "up.a", "spatial", 1.0, 0.0),
        Shift(1, "up.b", "cross", 2.0, 0.5),
    ]
    b, a = average(shifts)
    assert (b.site, b.before, b.after, b.measurements) == ("up.b", 3.0, 0.75, 2)
    assert (a.site, a.kind, a.measurements) == ("up.a", "spatial", 1)


def test_both_variants_run_and_are_reported(tmp_path):
    asked = []

    def run(shot):
        asked.append(shot.control)
        left = 0.0 if shot.control.normalization == "global" else 0.5
        return [Shift(0, "up.a", "cross", 2.0, 2.0 * left), Shift(0, "up.t", "temporal", 1.0, 1.0 * left)]

    options = ShiftOptions(cases=3, frozen=4)
    sites = measure_shift(options, run, say=lambda line: None)
    assert [c.normalization for c in asked] == ["global"] * 3 + ["regional"] * 3
    assert all(c.frozen_steps == 4 and c.temporal_prior == "none" for c in asked)
    write_shift_report(sites, options, tmp_path, "rehearse evaluate shift", {})
    page = (tmp_path / "shift.md").read_text()
    assert "| cross | 2 | 0 | 0% | 2 | 1 | 50% |" in page
    assert "| up.t | temporal | 1 | 0 | 0% | 1 | 0.5 | 50% |" in page
    numbers = json.loads((tmp_path / "shift.json").read_text())
    assert numbers["variants"]["mn-b"][0] == {
        "site": "up.a", "kind": "cross", "before": "2", "after": "1", "measurements": 3,
    }  # fmt: skip
