"""What the paper found, and whether it holds here; and the aims, and whether they are met.

A finding that one arm is above another holds where the whole interval of their paired difference is above
zero, does not hold where all of it is below, and is not told apart at this size otherwise. A finding that two
are alike holds where the whole interval lies within MARGIN on both sides of zero, and does not hold where
zero is outside of it; that one does no more than the other holds where the whole interval is below MARGIN. Of
an arm that was trained once nothing is said: what another training would do is not known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rehearse.evaluation.kit.choice import Aim, spoken
from rehearse.evaluation.kit.intervals import Interval
from rehearse.evaluation.target.arms import BASE, DATA, FULL, SELECTED, TargetArm
from rehearse.evaluation.target.findings import TargetFindings

Verdict = Literal["holds", "does not hold", "not told apart at this size", "not told by one training"]
Judge = Callable[[Interval], Verdict]

MARGIN = 0.10
"""Shares closer than this count as alike, and contact so near to chance as at chance; the whole interval
has to be."""
AIM_RIGHT, AIM_SWAP = 0.90, 0.90

PUBLISHED: dict[TargetArm, float] = {
    BASE: 0.592,
    DATA: 0.692,
    TargetArm("target", weight=0.0): 0.688,
    TargetArm("target", weight=0.01): 0.756,
    FULL: 0.896,
    TargetArm("target", weight=1.0): 0.904,
    TargetArm("target", weight=0.1, blocks="random"): 0.840,
    TargetArm("target", weight=0.1, direction="t2v"): 0.784,
}
"""The paper's scores by arm: human rating (base, + data, full) and the ablation's contact score."""
MODULATION_PUBLISHED = 0.613
CONTACT_PUBLISHED = "contact score: 28.4 % base, 36.2 % + data, 22.2 % attention modulation"


@dataclass(frozen=True)
class Finding:
    """One of the paper's findings. published: its numbers; evidence: ours."""

    text: str
    published: str
    verdict: Verdict
    evidence: str


def above(difference: Interval) -> Verdict:
    """Whether it is told that the first is above the second."""
    if difference.above_zero:
        return "holds"
    return "does not hold" if difference.below_zero else "not told apart at this size"


def alike(difference: Interval, margin: float = MARGIN) -> Verdict:
    """Whether it is told that the two are alike."""
    if -margin <= difference.low and difference.high <= margin:
        return "holds"
    told = difference.above_zero or difference.below_zero
    return "does not hold" if told else "not told apart at this size"


def no_more(difference: Interval, margin: float = MARGIN) -> Verdict:
    """Whether it is told that the first is not above the second by more than the margin."""
    if difference.high <= margin:
        return "holds"
    return "does not hold" if difference.above_zero else "not told apart at this size"


def published(arm: TargetArm) -> float | None:
    """The paper's score of an arm, None where it has none."""
    return MODULATION_PUBLISHED if arm.kind == "modulation" else PUBLISHED.get(arm)


def findings(found: TargetFindings) -> tuple[Finding, ...]:
    """The paper's findings that the arms can tell about, by right-target contact."""
    nothing, much = _of(found, 0.0), _of(found, 1.0)
    told = [
        _finding(found, text, one, other, above)
        for text, one, other in _pairs(found)
        if one in found.arms and other in found.arms and one is not None and other is not None
    ]
    same: list[tuple[str, TargetArm | None, TargetArm, Judge]] = [
        ("mask and word without the loss do no more than the clips alone", nothing, DATA, no_more),
        ("a weight of 1 reaches about as much as .1", much, FULL, alike),
    ]
    told += [
        _finding(found, text, one, other, judge)
        for text, one, other, judge in same
        if one is not None and one in found.arms and other in found.arms
    ]
    if much in found.arms and FULL in found.arms and much is not None:
        told += _quality(found, much)
    return tuple(told)


def _pairs(found: TargetFindings) -> list[tuple[str, TargetArm | None, TargetArm | None]]:
    """What the paper found to be above what."""
    modulation = _modulation(found)
    nothing, little = _of(found, 0.0), _of(found, 0.01)
    return [
        ("the full method is above the base", FULL, BASE),
        ("the full method is above training on the clips alone", FULL, DATA),
        ("the full method is above attention modulation", FULL, modulation),
        ("training on the clips alone is above the base", DATA, BASE),
        ("training on the clips alone is above attention modulation", DATA, modulation),
        ("a weight of .01 is above none", little, nothing),
        ("a weight of .1 is above .01", FULL, little),
        ("the loss is what matters: a weight of .1 is above none", FULL, nothing),
        ("selected blocks are above random ones", FULL, _of(found, 0.1, blocks="random")),
        ("V2T is above T2V", FULL, _of(found, 0.1, direction="t2v")),
    ]


def sooner(found: TargetFindings) -> tuple[Finding, ...]:
    """The findings that compare what is trained, by right-target contact over all steps it was read after:
    where every arm comes to the same in the end, some may come there sooner."""
    curve = found.curve
    if curve is None:
        return ()
    told = []
    for text, one, other in _pairs(found):
        if one in curve.right and other in curve.right and one is not None and other is not None:
            difference = found.mean(curve.through(one) - curve.through(other))
            told.append(_told(found, text, one, other, difference, above))
    return tuple(told)


def _finding(found: TargetFindings, text: str, one: TargetArm, other: TargetArm, judge: Judge) -> Finding:
    return _told(found, text, one, other, found.difference(one, other, "right"), judge)


def _told(
    found: TargetFindings, text: str, one: TargetArm, other: TargetArm, difference: Interval, judge: Judge
) -> Finding:
    verdict = _verdict(found, judge, difference, one, other)
    numbers = " against ".join(f"{score:.3f}" for score in (published(one), published(other)) if score)
    return Finding(text, numbers, verdict, f"{spoken(difference, sign=True)} (`{one.name}` - `{other.name}`)")


def _verdict(found: TargetFindings, judge: Judge, difference: Interval, *arms: TargetArm) -> Verdict:
    return judge(difference) if found.tells(*arms) else "not told by one training"


def _quality(found: TargetFindings, much: TargetArm) -> list[Finding]:
    seen = found.difference(FULL, much, "visible")
    flicker = found.difference(much, FULL, "flicker")
    return [
        Finding(
            "a weight of 1 costs quality: the actor is lost more often",
            "said without a number",
            _verdict(found, above, seen, FULL, much),
            f"actor visible {spoken(seen, sign=True)} (`{FULL.name}` - `{much.name}`)",
        ),
        Finding(
            "a weight of 1 costs quality: the backdrop flickers more",
            "said without a number",
            _verdict(found, above, flicker, FULL, much),
            f"flicker x100 {spoken(flicker, 100, 2, sign=True)} (`{much.name}` - `{FULL.name}`)",
        ),
    ]


def aims(found: TargetFindings) -> tuple[Aim, ...]:
    """The aims, those that the arms can tell about. Levels are held against the measured value, differences
    against their interval."""
    told: list[Aim] = []
    arms = found.arms
    if FULL in arms:
        right = found.value(FULL, "right")
        told.append(
            Aim(
                f"`{FULL.name}`: right-target contact at least {AIM_RIGHT:.2f}",
                right.value >= AIM_RIGHT,
                spoken(right),
            )
        )
    for arm in (BASE, DATA):
        if arm in arms:
            away = found.above_chance(arm)
            text = f"`{arm.name}` at chance (any contact / {found.props}), its interval within {MARGIN:.2f}"
            told.append(Aim(text, alike(away) == "holds", f"{spoken(away, sign=True)} from it"))
    modulation = _modulation(found)
    if modulation is not None and FULL in arms:
        up = found.difference(modulation, BASE, "right")
        down = found.difference(FULL, modulation, "right")
        evidence = f"{spoken(up, sign=True)} above the base, {spoken(down, sign=True)} below `{FULL.name}`"
        told.append(
            Aim(
                f"`{modulation.name}` between the base and `{FULL.name}`",
                up.above_zero and down.above_zero and found.tells(FULL),
                evidence,
            )
        )
    for text, other in (
        ("the loss at .1 above none", _of(found, 0.0)),
        ("V2T above T2V", _of(found, 0.1, direction="t2v")),
        ("selected above random blocks", _of(found, 0.1, blocks="random")),
    ):
        if other is not None and FULL in arms:
            gain = found.difference(FULL, other, "right")
            beyond = gain.above_zero and found.tells(FULL)
            told.append(Aim(f"{text}, beyond the interval", beyond, spoken(gain, sign=True)))
    if FULL in found.swaps:
        followed = found.mean(found.swaps[FULL].followed).within(0.0, 1.0)
        told.append(
            Aim(
                f"`{FULL.name}`: each mask in turn is followed in at least {AIM_SWAP:.2f}",
                followed.value >= AIM_SWAP,
                spoken(followed),
            )
        )
    return tuple(told)


def _modulation(found: TargetFindings) -> TargetArm | None:
    """Of several strengths the one with most right-target contact: it is the one to beat."""
    arms = [arm for arm in found.arms if arm.kind == "modulation"]
    return max(arms, key=lambda arm: found.value(arm, "right").value, default=None)


def _of(
    found: TargetFindings,
    weight: float,
    direction: Literal["v2t", "t2v"] = "v2t",
    blocks: str = SELECTED,
) -> TargetArm | None:
    arm = TargetArm("target", weight=weight, direction=direction, blocks=blocks)
    return arm if arm in found.arms else None
