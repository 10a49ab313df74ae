"""The rule that chooses the methods (docs/methods.md, section 3.6), and the aims it is held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.kit.intervals import REPLICATES, Interval, interval, resamples
from rehearse.evaluation.trajectory.arms import Arm, Point
from rehearse.evaluation.trajectory.table import Table

TOLERANCE = 0.01
"""How far mask normalization may fall below the mIoU of masks alone: one point."""
AIM_MIOU = 0.60
AIM_GAIN = 0.05


@dataclass(frozen=True)
class Pick:
    """What was chosen among candidates (None: none of them), and why, in a sentence."""

    arm: Arm | None
    why: str


@dataclass(frozen=True)
class Aim:
    """One aim: what, whether it holds, and the numbers it rests on."""

    text: str
    holds: bool
    evidence: str


class Comparer:
    """Values and paired differences of tables, all under the same draws of cases."""

    def __init__(self, seed: int = 0, replicates: int = REPLICATES) -> None:
        self._seed, self._replicates = seed, replicates

    def value(self, table: Table, key: str) -> Interval:
        """A metric with its interval over cases."""
        return interval(table.values(key, self._draws(table)))

    def difference(self, table: Table, other: Table, key: str) -> Interval:
        """``table`` minus ``other`` with the paired interval, over the cases that both have."""
        count = min(len(table.cases), len(other.cases))
        a, b = table.first(count), other.first(count)
        if a.cases != b.cases:
            raise EvaluationError("arms can only be compared on the same cases")
        draws = self._draws(a)
        return interval(a.values(key, draws) - b.values(key, draws))

    def _draws(self, table: Table) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return resamples(len(table.cases), self._replicates, self._seed)


def choose_normalization(tables: Mapping[Arm, Table], mask: Arm, comparer: Comparer) -> Pick:
    """Lowest KID among the arms of masks and normalization alone whose mIoU is no more than TOLERANCE below
    that of masks alone."""
    candidates = [arm for arm in tables if arm.groups == {"mask", "mn"}]
    if not candidates:
        return Pick(None, "no arm with mask normalization was run")
    floor = comparer.value(tables[mask], "miou").value - TOLERANCE
    control = {arm: comparer.value(tables[arm], "miou").value for arm in candidates}
    kid = {arm: comparer.value(tables[arm], "kid").value for arm in candidates}
    fit = [arm for arm in candidates if control[arm] >= floor]
    if not fit:
        told = ", ".join(f"{arm.name} {control[arm]:.3f}" for arm in candidates)
        return Pick(None, f"none keeps its mIoU within a point of masks alone (floor {floor:.3f}: {told})")
    best = min(fit, key=lambda arm: kid[arm])
    left = [arm for arm in candidates if arm not in fit]
    why = (
        f"{best.name} has the lowest KID x100 ({100 * kid[best]:.2f}) of {len(fit)} with mIoU >= {floor:.3f}"
    )
    if left:
        why += f"; too little control: {', '.join(f'{arm.name} ({control[arm]:.3f})' for arm in left)}"
    return Pick(best, why)


def choose_prior(tables: Mapping[Arm, Table], mask: Arm, comparer: Comparer) -> Pick:
    """Highest mIoU among the arms of masks and temporal denoising alone, at no loss of KID or of motion: an
    arm loses where its paired interval against masks alone lies wholly on the bad side. Motion beyond what
    the paths ask for is jitter: an arm loses motion only where it moves less than asked too."""
    candidates = [arm for arm in tables if arm.groups == {"mask", "tid"}]
    if not candidates:
        return Pick(None, "no arm with temporal intrinsic denoising was run")
    out: dict[Arm, str] = {}
    for arm in candidates:
        kid = comparer.difference(tables[arm], tables[mask], "kid")
        motion = comparer.difference(tables[arm], tables[mask], "motion")
        if kid.above_zero:
            out[arm] = f"KID x100 rises by {100 * kid.value:.2f}"
        elif motion.below_zero and comparer.value(tables[arm], "excess").below_zero:
            out[arm] = f"motion x100 falls by {-100 * motion.value:.2f}"
    fit = [arm for arm in candidates if arm not in out]
    told = "; ".join(f"{arm.name} is out: {reason}" for arm, reason in out.items())
    if not fit:
        return Pick(None, f"every one loses against masks alone ({told})")
    control = {arm: comparer.value(tables[arm], "miou").value for arm in fit}
    best = max(fit, key=lambda arm: control[arm])
    why = (
        f"{best.name} has the highest mIoU ({control[best]:.3f}) of {len(fit)} without loss of KID or motion"
    )
    return Pick(best, f"{why}; {told}" if told else why)


def best_point(tables: Mapping[Point, Table], combined: Arm, base: Table, comparer: Comparer) -> Point:
    """Where on the axis of frozen steps the combination is best: highest mIoU among the points whose KID is
    not worse than the base's (see :func:`choose_prior`); among all of them where none is. A point that ran on
    fewer cases than another is on the curve, but carries no verdict."""
    most = max(len(table.cases) for point, table in tables.items() if point.arm == combined)
    points = [p for p, table in tables.items() if p.arm == combined and len(table.cases) == most]
    fit = [p for p in points if not comparer.difference(tables[p], base, "kid").above_zero]
    return max(fit or points, key=lambda point: comparer.value(tables[point], "miou").value)


def aims(
    best: Table, mask: Table, base: Table, comparer: Comparer, published: Table | None = None
) -> tuple[Aim, ...]:
    """What the best combination shall reach, against masks alone at the same frozen steps - ours and, where
    they ran, those of Peekaboo's paper - and against the uncontrolled model."""
    miou = comparer.value(best, "miou")
    rivals = {"masks alone": mask} | (
        {} if published is None else {"Peekaboo's masks (the paper's rule) alone": published}
    )
    gains = {name: comparer.difference(best, table, "miou") for name, table in rivals.items()}
    kid = comparer.difference(best, base, "kid")
    change = comparer.difference(best, base, "kid_change")
    return (
        Aim(f"mIoU at least {AIM_MIOU:.2f}", miou.value >= AIM_MIOU, spoken(miou)),
        *(
            Aim(
                f"mIoU at least {AIM_GAIN:.2f} above {name}",
                gain.value >= AIM_GAIN,
                spoken(gain, sign=True),
            )
            for name, gain in gains.items()
        ),
        Aim(
            "KID no worse than the uncontrolled model's, within its interval",
            not kid.above_zero,
            f"KID x100 {spoken(kid, scale=100, digits=2, sign=True)} against it (of change: "
            f"{spoken(change, scale=100, digits=2, sign=True)})",
        ),
    )


def spoken(number: Interval, scale: float = 1.0, digits: int = 3, sign: bool = False) -> str:
    """``.612 [.590, .633]`` in the house's way of writing."""
    form = f"{'+' if sign else ''}.{digits}f"
    return f"{number.value * scale:{form}} [{number.low * scale:{form}}, {number.high * scale:{form}}]"
