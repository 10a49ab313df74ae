"""What came of the target evaluation, as numbers: contact by arm, training seed and case, with intervals.

Arms that are not trained have one seed. Differences are paired by case, and by training seed where both arms
are trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rehearse.evaluation.kit.gate import Gate
from rehearse.evaluation.kit.intervals import Interval, interval, resamples, spread_of_few
from rehearse.evaluation.kit.journal import Row
from rehearse.evaluation.target.arms import TargetArm
from rehearse.evaluation.target.cases import TargetCase
from rehearse.evaluation.target.contact import read_contact
from rehearse.evaluation.target.measure import visible
from rehearse.evaluation.target.protocol import TargetProtocol

Values = NDArray[np.float64]

METRICS = ("right", "clean", "wrong", "strayed", "any", "visible", "flicker")
READINGS: tuple[tuple[str, float, int], ...] = (
    ("a touch is 3 % of a prop", 0.03, 1),
    ("10 %", 0.10, 1),
    ("20 %", 0.20, 1),
    ("3 % in two frames in a row", 0.03, 2),
)
"""Other ways to read a touch from the same clips: what is said should not hang on one of them."""


def columns(cases: Sequence[TargetCase], rows: Sequence[Sequence[Row]]) -> dict[str, Values]:
    """Every metric of an arm's clips, [seeds, cases]. rows: by training seed, then case.

    right: the marked prop is the first one touched; clean: and no other is at any time; wrong: another is the
    first; strayed: another is touched at any time; any: one is. visible: the actor is there in most frames.
    flicker: of the backdrop, in [0, 1].
    """
    found = {key: np.zeros((len(rows), len(cases))) for key in METRICS}
    for at, of_seed in enumerate(rows):
        for case, row in zip(cases, of_seed, strict=True):
            touched = row["touched"]
            first = touched[0] if touched else None
            found["any"][at, case.index] = first is not None
            found["right"][at, case.index] = first == case.chosen
            found["wrong"][at, case.index] = first not in (None, case.chosen)
            found["strayed"][at, case.index] = any(prop != case.chosen for prop in touched)
            found["clean"][at, case.index] = tuple(touched) == (case.chosen,)
            found["visible"][at, case.index] = visible(row["seen"])
            found["flicker"][at, case.index] = row["flicker"]
    return found


def read_again(cases: Sequence[TargetCase], rows: Sequence[Sequence[Row]]) -> tuple[Values, ...]:
    """Right-target contact [seeds, cases] under each of READINGS."""
    found = tuple(np.zeros((len(rows), len(cases))) for _ in READINGS)
    for at, of_seed in enumerate(rows):
        for case, row in zip(cases, of_seed, strict=True):
            covered = np.array(row["covered"])
            for values, (_, least, frames) in zip(found, READINGS, strict=True):
                values[at, case.index] = read_contact(covered, row["seen"], least, frames).reached(
                    case.chosen
                )
    return found


@dataclass(frozen=True)
class Swap:
    """What came of trying every mask. followed: share of a case's masks whose prop was touched first,
    [seeds, cases]. all_followed: whether all of them were. keys: of the clips, [seeds][cases][props]."""

    followed: Values
    all_followed: Values
    keys: tuple[tuple[tuple[str, ...], ...], ...]


@dataclass(frozen=True)
class Attention:
    """Mean attention inside and outside of the masks, [seeds, cases, blocks]."""

    inside: Values
    outside: Values

    @property
    def ratio(self) -> Values:
        """Logarithm of inside over outside, mean over blocks: [seeds, cases]."""
        logarithm: Values = np.log(np.maximum(self.inside, 1e-12) / np.maximum(self.outside, 1e-12))
        return logarithm.mean(axis=2)


@dataclass(frozen=True)
class TargetFindings:
    """What came out. gate: of the base. columns: of every arm (the base alone where the gate stopped the
    rest), metrics by name, [seeds, cases]; arms that are not trained have one seed. keys: of the clips,
    [seeds][cases]. readings: right-target contact under each of READINGS. curve: how soon trained arms learn
    it, where stages were asked for. timing: seconds of a training step and of a clip, medians."""

    protocol: TargetProtocol
    cases: tuple[TargetCase, ...]
    gate: Gate
    columns: Mapping[TargetArm, Mapping[str, Values]]
    keys: Mapping[TargetArm, tuple[tuple[str, ...], ...]]
    swaps: Mapping[TargetArm, Swap] = field(default_factory=dict)
    attention: Mapping[TargetArm, Attention] = field(default_factory=dict)
    readings: Mapping[TargetArm, tuple[Values, ...]] = field(default_factory=dict)
    curve: Curve | None = None
    timing: Mapping[str, float] = field(default_factory=dict)

    @property
    def stopped(self) -> bool:
        """Whether the gate failed and nothing else was run."""
        return not self.gate.passes and not self.protocol.force

    @property
    def props(self) -> int:
        """Props in a scene: K."""
        return self.cases[0].count

    def value(self, arm: TargetArm, key: str) -> Interval:
        """A metric of an arm."""
        return self.mean(self.columns[arm][key]).within(0.0, 1.0)

    def difference(self, arm: TargetArm, other: TargetArm, key: str) -> Interval:
        """An arm minus another, paired by case and, where both are trained, by training seed."""
        return self.mean(self.columns[arm][key] - self.columns[other][key])

    def tells(self, *arms: TargetArm) -> bool:
        """Whether these arms can be told from what another training of them might do: one training of an arm
        says nothing of that."""
        return self.protocol.seeds > 1 or not any(arm.trained for arm in arms)

    def above_chance(self, arm: TargetArm) -> Interval:
        """Right-target contact minus chance, which is any contact / K."""
        found = self.columns[arm]
        return self.mean(found["right"] - found["any"] / self.props)

    def mean(self, values: Values) -> Interval:
        """The mean of values [seeds, cases] with its interval.

        A bootstrap draws cases, all of a case's clips together; where there are several training seeds,
        Student's t over their means is added in quadrature. (Drawing three seeds with replacement as well
        would never look beyond the three: two trainings of the same arm were then told apart in one of ten
        comparisons.)"""
        drawn = resamples(values.shape[1], self.protocol.replicates, self.protocol.seed) @ values.mean(axis=0)
        return interval(drawn / values.shape[1]).widened(spread_of_few(values.mean(axis=1)))

    @cached_property
    def arms(self) -> tuple[TargetArm, ...]:
        """The arms, in the order they were asked for."""
        return tuple(self.columns)


@dataclass(frozen=True)
class Curve:
    """Right-target contact as training goes on. steps: after which it was read, ascending, the last step
    among them. right: by trained arm, one [seeds, cases] for each of the steps."""

    steps: tuple[int, ...]
    right: Mapping[TargetArm, tuple[Values, ...]]

    def through(self, arm: TargetArm) -> Values:
        """The mean over the steps, [seeds, cases]: an arm that learns sooner has more of it."""
        return np.mean(self.right[arm], axis=0, dtype=np.float64)
