"""Verdicts on the paper's findings and on the aims: each can come out either way, by the numbers alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from rehearse.evaluation.kit.gate import share_gate
from rehearse.evaluation.kit.intervals import Interval
from rehearse.evaluation.target.arms import FULL, STANDARD, parse_arm
from rehearse.evaluation.target.cases import target_cases
from rehearse.evaluation.target.findings import METRICS, Swap, TargetFindings
from rehearse.evaluation.target.protocol import TargetProtocol
from rehearse.evaluation.target.verdicts import above, aims, alike, findings, no_more, published

PAPER = {
    "base": 0.33,
    "modulation": 0.53,
    "data": 0.37,
    "target:0": 0.37,
    "target:0.01": 0.7,
    "target": 0.95,
    "target:1": 0.96,
    "target+t2v": 0.75,
    "target+blocks:random": 0.82,
}
CASES = 300


def found_with(
    rates: Mapping[str, float], swap: float = 0.95, visible: Mapping[str, float] | None = None
) -> TargetFindings:
    """Findings with these rates of right contact, any contact .95 at least."""
    # Of the cases only the number of props counts here.
    cases = target_cases(1) * CASES
    columns = {}
    for name, rate in rates.items():
        arm = parse_arm(name)
        shape = (3 if arm.trained else 1, CASES)
        rng = np.random.default_rng(sum(map(ord, name)))
        right = rng.random(shape) < rate
        touched = right | (rng.random(shape) < 0.95)
        seen = rng.random(shape) < (visible or {}).get(name, 0.98)
        columns[arm] = {
            **{key: np.zeros(shape) for key in METRICS},
            "right": right.astype(float),
            "any": touched.astype(float),
            "visible": seen.astype(float),
        }
    followed = (np.random.default_rng(1).random((3, 100)) < swap).astype(float)
    return TargetFindings(
        TargetProtocol(cases=CASES, replicates=400),
        cases,
        share_gate("gate", 0.8, [True] * 10, by_actor={}),
        columns,
        {},
        {FULL: Swap(followed, followed, ())} if FULL in columns else {},
    )


def verdicts(found: TargetFindings) -> dict[str, str]:
    return {one.text: one.verdict for one in findings(found)}


def test_what_the_paper_found_is_found_where_the_numbers_have_it() -> None:
    found = found_with(PAPER, visible={"target:1": 0.8})
    told = verdicts(found)
    flicker = told.pop("a weight of 1 costs quality: the backdrop flickers more")
    assert flicker == "not told apart at this size"
    assert told.pop("training on the clips alone is above attention modulation") == "does not hold"
    assert len(told) == 12 and set(told.values()) == {"holds"}
    assert [aim.text for aim in aims(found) if not aim.holds] == []
    assert len(aims(found)) == 8


def test_the_numbers_turned_round_turn_every_verdict() -> None:
    rates = PAPER | {
        "base": 0.6,
        "modulation": 0.98,
        "data": 0.75,
        "target:0": 0.95,
        "target:0.01": 0.6,
        "target": 0.4,
        "target:1": 0.9,
        "target+t2v": 0.9,
        "target+blocks:random": 0.8,
    }
    found = found_with(rates, swap=0.4, visible={"target": 0.8})
    told = verdicts(found)
    for text in (
        "the full method is above the base",
        "the full method is above training on the clips alone",
        "the full method is above attention modulation",
        "training on the clips alone is above attention modulation",
        "a weight of .01 is above none",
        "a weight of .1 is above .01",
        "the loss is what matters: a weight of .1 is above none",
        "selected blocks are above random ones",
        "V2T is above T2V",
        "mask and word without the loss do no more than the clips alone",
        "a weight of 1 reaches about as much as .1",
        "a weight of 1 costs quality: the actor is lost more often",
    ):
        assert told[text] == "does not hold", text
    assert told["training on the clips alone is above the base"] == "holds"
    assert not any(aim.holds for aim in aims(found))


def test_arms_alike_are_not_told_apart() -> None:
    told = verdicts(found_with(dict.fromkeys(STANDARD, 0.95)))
    same = {text for text in told if "no more than" in text or "about as much" in text}
    assert {told[text] for text in same} == {"holds"}
    assert {verdict for text, verdict in told.items() if text not in same} == {"not told apart at this size"}


def test_only_what_ran_is_told() -> None:
    found = found_with({name: PAPER[name] for name in ("base", "data")})
    assert list(verdicts(found)) == ["training on the clips alone is above the base"]
    assert [aim.text[:6] for aim in aims(found)] == ["`base`", "`data`"]


@pytest.mark.parametrize(
    ("low", "high", "first_above", "both_alike"),
    [
        (0.01, 0.2, "holds", "does not hold"),
        (0.01, 0.09, "holds", "holds"),
        (-0.2, -0.01, "does not hold", "does not hold"),
        (-0.05, 0.05, "not told apart at this size", "holds"),
        (-0.2, 0.2, "not told apart at this size", "not told apart at this size"),
    ],
)
def test_verdicts_read_the_interval(low: float, high: float, first_above: str, both_alike: str) -> None:
    number = Interval((low + high) / 2, low, high)
    assert above(number) == first_above and alike(number) == both_alike


def test_seeds_that_disagree_widen_the_interval() -> None:
    found = found_with(PAPER)
    rng = np.random.default_rng(0)
    agree = (rng.random((3, CASES)) < 0.6).astype(float)
    apart = np.stack([rng.random(CASES) < rate for rate in (0.2, 0.6, 1.0)]).astype(float)
    narrow, wide = found.mean(agree), found.mean(apart)
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)
    assert wide.value == pytest.approx(apart.mean())
    # Clips of one case are drawn together: three seeds that do the same know no more than one.
    once = found.mean(agree[:1])
    thrice = found.mean(np.repeat(agree[:1], 3, axis=0))
    assert thrice.high - thrice.low == pytest.approx(once.high - once.low, abs=0.005)


def test_trainings_of_one_method_are_seldom_told_apart() -> None:
    """Trainings differ by .05 here, the method does not: of 300 comparisons some 15 may be told apart."""
    found = found_with({"base": 0.3})
    rng = np.random.default_rng(0)

    def trained() -> NDArray[np.float64]:
        rates = np.clip(rng.normal(0.8, 0.05, (3, 1)), 0, 1)
        return (rng.random((3, CASES)) < rates).astype(float)

    told = [above(found.mean(trained() - trained())) != "not told apart at this size" for _ in range(300)]
    assert sum(told) <= 25


def test_of_what_was_trained_once_nothing_is_said() -> None:
    found = found_with(PAPER)
    once = replace(
        found,
        protocol=replace(found.protocol, seeds=1),
        columns={arm: {key: v[:1] for key, v in of.items()} for arm, of in found.columns.items()},
    )
    told = verdicts(once)
    assert set(told.values()) == {"not told by one training"}
    held = {aim.text for aim in aims(once) if aim.holds}
    assert not any("above" in text or "between" in text for text in held)


def test_a_share_has_no_interval_beyond_1() -> None:
    found = found_with({"base": 0.3, "target": 0.98})
    number = found.value(FULL, "right")
    assert number.low < number.value <= number.high <= 1


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.4, -0.2, "holds"),
        (-0.02, 0.09, "holds"),
        (0.02, 0.2, "does not hold"),
        (-0.1, 0.2, "not told apart at this size"),
    ],
)
def test_no_more_looks_at_one_side(low: float, high: float, verdict: str) -> None:
    assert no_more(Interval((low + high) / 2, low, high)) == verdict


def test_published_numbers_stand_beside_their_arms() -> None:
    told = {name: published(parse_arm(name)) for name in STANDARD}
    assert told["target"] == 0.896 and told["target+t2v"] == 0.784 and told["modulation"] == 0.613
    assert None not in told.values() and published(parse_arm("target:0.5")) is None
