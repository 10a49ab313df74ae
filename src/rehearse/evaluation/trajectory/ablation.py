"""The choosing ablation: arms over the same cases and seeds, then the combination, then the curve of frozen
steps.

First every arm at the first number of frozen steps in the list; then, by the rule in `choice`, the best mask
normalization with the best temporal denoising; then masks alone, the two winners and their combination at
every number of frozen steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from rehearse.evaluation.kit.choice import (
    Aim,
    Comparer,
    Pick,
    aims,
    best_point,
    choose_normalization,
    choose_prior,
)
from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.kit.intervals import REPLICATES
from rehearse.evaluation.kit.measure import Task, Tools, key_of
from rehearse.evaluation.kit.progress import Say
from rehearse.evaluation.kit.quality import Reference
from rehearse.evaluation.kit.store import Store
from rehearse.evaluation.trajectory.arms import STANDARD, Arm, Point, combine, parse_arm, point
from rehearse.evaluation.trajectory.cases import Case, Wording, trajectory_cases
from rehearse.evaluation.trajectory.table import Table
from rehearse.schedulers import SCHEDULERS
from rehearse.shot import steps_of

Sweep = Literal["chosen", "all", "none"]
SWEEPS: tuple[Sweep, ...] = get_args(Sweep)
BASE, MASK, PEEKABOO = Arm(), parse_arm("mask"), parse_arm("peekaboo")
PUBLISHED = (PEEKABOO, parse_arm("peekaboo-released"))
"""Peekaboo's masks: by the rule of its paper, and as its released code applies it."""


@dataclass(frozen=True)
class Protocol:
    """What is compared.

    cases: how many, in each arm. frozen: numbers of masked steps (counts or fractions), the choice is made at
    the first. arms: as `arms.parse_arm` reads them; base and mask are added. sweep: which arms run at the
    other numbers of frozen steps: "chosen" masks alone, the winners and their combination; "all"; "none".
    sweep_cases: how many cases there (None: all). seed: of the cases and their noise. steps: denoising steps
    (None: the model's default). scheduler: its name (None: the model's default). wording: of the prompts, see
    `cases`. replicates: of the bootstrap.
    """

    model: str = "theatre-video"
    cases: int = 200
    frozen: tuple[float | int, ...] = (0.67, 0.1, 0.2, 0.33, 0.5)
    arms: tuple[str, ...] = STANDARD
    sweep: Sweep = "chosen"
    sweep_cases: int | None = None
    seed: int = 0
    steps: int | None = None
    scheduler: str | None = None
    wording: Wording = "bare"
    replicates: int = REPLICATES

    def __post_init__(self) -> None:
        if not self.frozen:
            raise EvaluationError(
                "frozen: the list is empty; give one number of steps at least, such as 0.33"
            )
        if self.cases < 2:
            raise EvaluationError(f"cases: {self.cases} is below 2; KID needs two clips, a result needs 200")
        if self.sweep_cases is not None and not 2 <= self.sweep_cases <= self.cases:
            raise EvaluationError(
                f"sweep cases: {self.sweep_cases} must be between 2 and cases ({self.cases})"
            )
        if self.scheduler is not None and self.scheduler not in SCHEDULERS:
            raise EvaluationError(
                f"scheduler: there is no {self.scheduler!r}; known: {', '.join(SCHEDULERS)}"
            )
        if self.steps is not None:
            self._refuse_equal_points(self.steps)

    def _refuse_equal_points(self, steps: int) -> None:
        """Two fractions may round to the same step: the same clips would be made and compared twice."""
        counts: dict[int, float | int] = {}
        for frozen in self.frozen:
            if isinstance(frozen, int) and frozen > steps:
                raise EvaluationError(f"frozen: {frozen} is more than the {steps} steps there are")
            count = steps_of(frozen, steps)
            if count in counts:
                raise EvaluationError(
                    f"frozen: {counts[count]} and {frozen} are both {count} of {steps} steps; leave one out"
                )
            counts[count] = frozen

    def parsed_arms(self) -> tuple[Arm, ...]:
        """The arms, base and masks alone first, each once. EvaluationError."""
        given = [parse_arm(text) for text in self.arms]
        masks = [arm for arm in given if arm.groups == {"mask"} and arm not in PUBLISHED]
        return tuple(dict.fromkeys([BASE, *(masks or [MASK]), *given]))


@dataclass(frozen=True)
class Findings:
    """What came out. tables: of every point that ran, in order. normalization, prior: what was chosen.
    combined: their combination. best: its best point; aims: held against it. mask: the masks-alone arm."""

    protocol: Protocol
    cases: tuple[Case, ...]
    tables: dict[Point, Table]
    normalization: Pick
    prior: Pick
    mask: Arm
    combined: Arm
    best: Point
    aims: tuple[Aim, ...]
    comparer: Comparer

    def beside(self, at: Point, arm: Arm) -> Table | None:
        """The table of another arm at the same frozen steps; where the point masks nothing, at the first."""
        frozen = self.protocol.frozen[0] if at.frozen is None else at.frozen
        return self.tables.get(point(arm, frozen))


class Ablation:
    """Runs a protocol. fingerprints: of model and judge, they decide which stored clips still hold."""

    def __init__(
        self,
        protocol: Protocol,
        folder: Path,
        make_tools: Callable[[], Tools],
        reference: Reference,
        fingerprints: Sequence[str] = (),
        processes: int = 1,
        say: Say = print,
    ) -> None:
        self.protocol = protocol
        self.store = Store(folder)
        self._make_tools, self._reference = make_tools, reference
        self._fingerprints, self._processes, self._say = tuple(fingerprints), processes, say
        self._cases = trajectory_cases(protocol.cases, protocol.seed, protocol.wording)

    def make(self) -> None:
        """The clips of the named arms alone, and no choice: arms may be made one after the other, in any
        order, into one folder, and :meth:`run` finds them there. They are made at the first number of frozen
        steps, where ``sweep`` is "all" at the others too."""
        protocol = self.protocol
        arms = tuple(dict.fromkeys(parse_arm(text) for text in protocol.arms))
        rest = protocol.frozen[1:] if protocol.sweep == "all" else ()
        first = [point(arm, protocol.frozen[0]) for arm in arms]
        self._complete(self.tasks(first, protocol.cases), "clips")
        others = [point(arm, frozen) for arm in arms if "mask" in arm.groups for frozen in rest]
        self._complete(self.tasks(others, protocol.sweep_cases or protocol.cases), "frozen steps: clips")

    def run(self) -> Findings:
        """All stages; what the folder holds already is not made again."""
        protocol = self.protocol
        arms = protocol.parsed_arms()
        mask = next(arm for arm in arms if arm.groups == {"mask"} and arm not in PUBLISHED)
        first, rest = protocol.frozen[0], protocol.frozen[1:]
        everywhere = protocol.cases
        comparer = Comparer(protocol.seed, protocol.replicates)

        tables = self._tables([point(arm, first) for arm in arms], everywhere, "choosing")
        by_arm = {at.arm: table for at, table in tables.items()}
        normalization = choose_normalization(by_arm, mask, comparer)
        prior = choose_prior(by_arm, mask, comparer)
        self._say(f"mask normalization: {normalization.why}")
        self._say(f"temporal intrinsic denoising: {prior.why}")
        combined = combine(normalization.arm or mask, prior.arm or Arm())
        tables |= self._tables([point(combined, first)], everywhere, "combination")

        if protocol.sweep != "none":
            published = [arm for arm in PUBLISHED if arm in arms]
            winners = [*published, mask, normalization.arm or mask, prior.arm or mask, combined]
            swept = list(dict.fromkeys(winners if protocol.sweep == "chosen" else [*arms, combined]))
            points = [point(arm, frozen) for arm in swept if "mask" in arm.groups for frozen in rest]
            tables |= self._tables(points, protocol.sweep_cases or everywhere, "frozen steps")

        base = tables[point(BASE, first)]
        best = best_point(tables, combined, base, comparer)
        same = first if best.frozen is None else best.frozen
        rival = tables.get(point(PEEKABOO, same))
        held = aims(tables[best], tables[point(mask, same)], base, comparer, rival)
        return Findings(
            protocol, self._cases, tables, normalization, prior, mask, combined, best, held, comparer
        )

    def tasks(self, points: Sequence[Point], count: int) -> dict[tuple[Point, int], Task]:
        """The clips of some points, case by case: a run that is stopped leaves whole cases behind."""
        tasks = {}
        for case in self._cases[:count]:
            for at in points:
                settings = at.arm.settings(at.frozen)
                shot = case.shot(self.protocol.model, settings, self.protocol.steps, self.protocol.scheduler)
                subjects = tuple((subject.kind, subject.colour) for subject in case.subjects)
                tasks[at, case.index] = Task(key_of(shot, *self._fingerprints), shot, subjects)
        return tasks

    def _complete(self, tasks: dict[tuple[Point, int], Task], what: str) -> None:
        self.store.complete(list(tasks.values()), self._make_tools, self._processes, self._say, what)

    def _tables(self, points: Sequence[Point], count: int, stage: str) -> dict[Point, Table]:
        tasks = self.tasks(points, count)
        self._complete(tasks, f"{stage}: clips")
        cases = self._cases[:count]
        return {
            at: Table.of(
                cases, [self.store.journal[tasks[at, case.index].key] for case in cases], self._reference
            )
            for at in points
        }
