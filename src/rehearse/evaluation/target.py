"""Does the marked thing get touched, and not another that is just like it? (Methods, section 4.)

One actor, K props that are alike, one caption whichever is meant: only a mask can tell. Every arm makes the
same cases from the same first frames and the same noise; trained arms come once for each training seed, all
trained for the same number of steps on the same clips. First of all the gate: where the base touches hardly
anything, nothing can be said about what it touches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from rehearse.evaluation.contact import read_contact
from rehearse.evaluation.errors import EvaluationError
from rehearse.evaluation.gate import Gate, by, share_gate
from rehearse.evaluation.intervals import REPLICATES, Interval, interval, resamples, spread_of_few
from rehearse.evaluation.journal import Journal, Row
from rehearse.evaluation.progress import Progress, Say
from rehearse.evaluation.store import Store
from rehearse.evaluation.target_arms import BASE, STANDARD, TargetArm, parse_arm
from rehearse.evaluation.target_cases import TargetCase, target_cases
from rehearse.evaluation.target_measure import (
    LookTask,
    TargetTask,
    TargetTools,
    clip_key,
    look_at,
    look_key,
    measure_target,
    visible,
)
from rehearse.evaluation.target_training import (
    Trainer,
    Training,
    TrainingSettings,
    complete_trainings,
    spoken_estimate,
    trainings_of,
    write_training_set,
)
from rehearse.evaluation.workers import run_tasks
from rehearse.shot import Shot
from rehearse.theatre.world.target_scene import COUNT

Values = NDArray[np.float64]

GATE = 0.80
"""Least share of clips in which the base touches some prop."""
SWAPPED = ("target", "target:0", "modulation")
METRICS = ("right", "clean", "wrong", "strayed", "any", "visible", "flicker")
READINGS: tuple[tuple[str, float, int], ...] = (
    ("a touch is 3 % of a prop", 0.03, 1),
    ("10 %", 0.10, 1),
    ("20 %", 0.20, 1),
    ("3 % in two frames in a row", 0.03, 2),
)
"""Other ways to read a touch from the same clips: what is said should not hang on one of them."""


@dataclass(frozen=True)
class TargetProtocol:
    """What is compared. model: the base. cases: in each arm; of the first swaps and looks of them every
    prop's mask is tried, and attention is read. arms, swapped: as `target_arms.parse_arm` reads them; the
    base is added. seeds: trainings of each trained arm. stages: steps of training after which trained arms
    are measured too, besides the last. seed: of cases and noise. steps: denoising steps (None: the model's
    default). force: go on where the gate fails."""

    model: str = "theatre-target"
    cases: int = 300
    arms: tuple[str, ...] = STANDARD
    swapped: tuple[str, ...] = SWAPPED
    swaps: int = 100
    looks: int = 32
    seeds: int = 3
    stages: tuple[int, ...] = ()
    seed: int = 0
    steps: int | None = None
    training: TrainingSettings = field(default_factory=TrainingSettings)
    replicates: int = REPLICATES
    force: bool = False

    def __post_init__(self) -> None:
        if self.cases < 1:
            raise EvaluationError(f"cases: {self.cases} is below 1; ask for 300")
        if self.seeds < 1:
            raise EvaluationError(f"training seeds: {self.seeds} is below 1; ask for 3")
        object.__setattr__(self, "stages", tuple(sorted(set(self.stages))))
        last = self.training.steps
        for stage in self.stages:
            if not 1 <= stage < last:
                raise EvaluationError(
                    f"steps to measure at: {stage} is not on the way to {last} training steps; give 1 to "
                    f"{last - 1}"
                )

    def parsed_arms(self) -> tuple[TargetArm, ...]:
        """The arms, the base first, each once. EvaluationError."""
        return tuple(dict.fromkeys([BASE, *(parse_arm(text) for text in self.arms)]))

    def swapped_arms(self) -> tuple[TargetArm, ...]:
        """Of the arms those whose masks are swapped. EvaluationError."""
        wanted = [parse_arm(text) for text in self.swapped]
        plain = next((arm for arm in wanted if not arm.marked), None)
        if plain is not None:
            raise EvaluationError(f"arm {plain.name!r} takes no mask that could be swapped; leave it out")
        return tuple(arm for arm in self.parsed_arms() if arm in wanted)


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


Marks = Callable[[str], str]
"""The fingerprint of a model's weights, by its name or folder."""


@dataclass(frozen=True)
class TargetWork:
    """How the work is done. make_tools, make_trainer: load what a process needs (functions of a module, where
    there are several processes). marks: fingerprints."""

    make_tools: Callable[[], TargetTools]
    make_trainer: Callable[[], Trainer]
    marks: Marks
    processes: int = 1
    say: Say = print


def run_target(protocol: TargetProtocol, folder: Path, work: TargetWork) -> tuple[TargetFindings, Store]:
    """Train and make what the folder does not hold yet, measure it, compare."""
    arms, swapped = protocol.parsed_arms(), protocol.swapped_arms()
    cases, store = target_cases(protocol.cases, protocol.seed), Store(folder)
    base = work.marks(protocol.model)
    work.say(_spoken_size(protocol, arms, swapped))
    tasks = [_clip(BASE, case, case.chosen, protocol, protocol.model, base) for case in cases]
    store.complete_by(measure_target, tasks, work.make_tools, work.processes, work.say, "gate clips")
    rows = [store.journal[task.key] for task in tasks]
    gate = _gate(cases, rows)
    only_base = TargetFindings(
        protocol, cases, gate, {BASE: columns(cases, [rows])}, {BASE: (tuple(task.key for task in tasks),)}
    )
    if only_base.stopped:
        return only_base, store
    size = protocol.training
    data = folder / f"clips-{size.clips}" / "data.jsonl"
    trainings = trainings_of(
        arms, protocol.seeds, protocol.model, base, data, size, folder / "trainings", protocol.stages
    )
    if any(not training.finished for training in trainings):
        write_training_set(data.parent, size.clips, work.say)
    tell = partial(_tell_what_is_left, protocol, arms, swapped, trainings, store, rows, work)
    complete_trainings(trainings, work.make_trainer, work.processes, work.say, tell)
    return _compared(protocol, cases, gate, trainings, base, store, folder, work), store


def _compared(
    protocol: TargetProtocol,
    cases: tuple[TargetCase, ...],
    gate: Gate,
    trainings: Sequence[Training],
    base: str,
    store: Store,
    folder: Path,
    work: TargetWork,
) -> TargetFindings:
    arms, swapped = protocol.parsed_arms(), protocol.swapped_arms()
    models: dict[TargetArm, list[tuple[str, str]]] = {arm: [(protocol.model, base)] for arm in arms}
    for arm in arms:
        if arm.trained:
            folders = [str(training.out) for training in trainings if training.arm == arm]
            models[arm] = [(name, work.marks(name)) for name in folders]

    def clips(arm: TargetArm, some: Sequence[TargetCase], shift: int) -> list[list[TargetTask]]:
        return [
            [
                _clip(arm, case, (case.chosen + shift) % case.count, protocol, name, mark)
                for case in some
            ]
            for name, mark in models[arm]
        ]  # fmt: skip

    made = {arm: clips(arm, cases, 0) for arm in arms}
    early: dict[int, dict[TargetArm, list[list[TargetTask]]]] = {}
    for steps in protocol.stages:
        early[steps] = {arm: [] for arm in arms if arm.trained}
        for training in trainings:
            name = str(training.at(steps))
            mark = work.marks(name)
            early[steps][training.arm].append(
                [_clip(training.arm, case, case.chosen, protocol, name, mark) for case in cases]
            )
    first = cases[: protocol.swaps]
    others = {
        arm: [clips(arm, first, shift) for shift in range(1, cases[0].count)] for arm in swapped if first
    }
    # Model by model: a process that goes from one to the next loads it once.
    wanted = [task for of_seeds in made.values() for tasks in of_seeds for task in tasks]
    wanted += [t for shifts in others.values() for of_seeds in shifts for tasks in of_seeds for t in tasks]
    wanted += [t for of in early.values() for of_seeds in of.values() for tasks in of_seeds for t in tasks]
    store.complete_by(measure_target, wanted, work.make_tools, work.processes, work.say)
    rows = {
        arm: [[store.journal[task.key] for task in tasks] for tasks in of_seeds]
        for arm, of_seeds in made.items()
    }
    measured = {arm: columns(cases, of_seeds) for arm, of_seeds in rows.items()}
    curve = _curve(protocol, cases, early, measured, store) if early else None
    swaps = {arm: _swap(arm, first, made[arm], others[arm], store) for arm in others}
    attention = _attention(protocol, cases, models, folder, work)
    timing = {
        "seconds_a_clip": median(float(row["seconds"]) for of in rows.values() for s in of for row in s)
    }
    if trainings:
        timing["seconds_a_step"] = median(training.seconds_a_step for training in trainings)
    return TargetFindings(
        protocol,
        cases,
        gate,
        measured,
        {arm: tuple(tuple(task.key for task in tasks) for tasks in made[arm]) for arm in arms},
        swaps,
        attention,
        {arm: read_again(cases, of_seeds) for arm, of_seeds in rows.items()},
        curve,
        timing,
    )


def _clip(
    arm: TargetArm, case: TargetCase, prop: int, protocol: TargetProtocol, model: str, mark: str
) -> TargetTask:
    asking = TargetArm(arm.kind, strength=arm.strength) if arm.marked else BASE
    shot = _shot(asking, case, protocol.model, prop, protocol.steps)
    return TargetTask(clip_key(shot, mark, case.place), model, shot, case.place)


@lru_cache(maxsize=4096)
def _shot(arm: TargetArm, case: TargetCase, model: str, prop: int, steps: int | None) -> Shot:
    """One shot for all that ask for the same: pictures are embedded once."""
    return arm.shot(case, model, prop, steps)


def _gate(cases: Sequence[TargetCase], rows: Sequence[Row]) -> Gate:
    pairs = list(zip(cases, rows, strict=True))
    return share_gate(
        "the base touches some prop",
        GATE,
        [bool(row["touched"]) for row in rows],
        by_actor=by(pairs, lambda pair: pair[0].actor, lambda pair: bool(pair[1]["touched"])),
    )


def _curve(
    protocol: TargetProtocol,
    cases: Sequence[TargetCase],
    early: Mapping[int, Mapping[TargetArm, Sequence[Sequence[TargetTask]]]],
    last: Mapping[TargetArm, Mapping[str, Values]],
    store: Store,
) -> Curve:
    """early: tasks of every stage, by arm, [seeds][cases]; last: what was measured after the last step."""

    def right(tasks: Sequence[Sequence[TargetTask]]) -> Values:
        return columns(cases, [[store.journal[task.key] for task in seed] for seed in tasks])["right"]

    arms = [arm for arm in last if arm.trained]
    return Curve(
        (*early, protocol.training.steps),
        {arm: (*(right(of[arm]) for of in early.values()), last[arm]["right"]) for arm in arms},
    )


def _swap(
    arm: TargetArm,
    cases: Sequence[TargetCase],
    own: Sequence[Sequence[TargetTask]],
    others: Sequence[Sequence[Sequence[TargetTask]]],
    store: Store,
) -> Swap:
    """own: tasks [seeds][cases] with the case's own mask; others: [shifts][seeds][cases]."""
    seeds = len(own)
    followed = np.zeros((seeds, len(cases), cases[0].count))
    keys = []
    for seed in range(seeds):
        of_seed = []
        for at, case in enumerate(cases):
            tasks = [own[seed][at], *(shift[seed][at] for shift in others)]
            for shift, task in enumerate(tasks):
                touched = store.journal[task.key]["touched"]
                asked = (case.chosen + shift) % case.count
                followed[seed, at, shift] = bool(touched) and touched[0] == asked
            of_seed.append(tuple(task.key for task in tasks))
        keys.append(tuple(of_seed))
    return Swap(followed.mean(axis=2), followed.all(axis=2).astype(float), tuple(keys))


def _attention(
    protocol: TargetProtocol,
    cases: Sequence[TargetCase],
    models: Mapping[TargetArm, Sequence[tuple[str, str]]],
    folder: Path,
    work: TargetWork,
) -> dict[TargetArm, Attention]:
    """Of every arm but modulation, whose attention is what is asked for and no finding."""
    some = cases[: protocol.looks]
    tasks = {
        arm: [
            [
                LookTask(look_key(mark, case.place), name, case.place)
                for case in some
            ]
            for name, mark in named
        ]
        for arm, named in models.items()
        if arm.kind != "modulation" and some
    }  # fmt: skip
    journal = Journal(folder / "attention.jsonl")
    missing = [t for of in tasks.values() for seed in of for t in seed if t.key not in journal]
    missing = list({task.key: task for task in missing}.values())
    progress = Progress(work.say, "attention maps", len(missing))
    for row in run_tasks(missing, look_at, work.make_tools, work.processes):
        journal.append(row)
        progress.tick()

    def read(part: str, of_seeds: Sequence[Sequence[LookTask]]) -> Values:
        return np.array([[journal[task.key][part] for task in seed] for seed in of_seeds])

    return {arm: Attention(read("inside", of), read("outside", of)) for arm, of in tasks.items()}


def _counts(
    protocol: TargetProtocol, arms: Sequence[TargetArm], swapped: Sequence[TargetArm], props: int
) -> tuple[int, int]:
    """Clips in all, and trainings."""
    seeds = {arm: protocol.seeds if arm.trained else 1 for arm in arms}
    clips = protocol.cases * sum(seeds.values())
    clips += len(protocol.stages) * protocol.cases * sum(seeds[arm] for arm in arms if arm.trained)
    clips += min(protocol.swaps, protocol.cases) * (props - 1) * sum(seeds[arm] for arm in swapped)
    return clips, sum(protocol.seeds for arm in arms if arm.trained)


def _spoken_size(protocol: TargetProtocol, arms: Sequence[TargetArm], swapped: Sequence[TargetArm]) -> str:
    clips, trainings = _counts(protocol, arms, swapped, COUNT)
    return (
        f"{len(arms)} arms: {trainings} trainings of {protocol.training.steps} steps and {clips} clips in "
        f"all; first the gate, {protocol.cases} clips of the base, then an estimate"
    )


def _tell_what_is_left(
    protocol: TargetProtocol,
    arms: Sequence[TargetArm],
    swapped: Sequence[TargetArm],
    trainings: Sequence[Training],
    store: Store,
    rows: Sequence[Row],
    work: TargetWork,
    step_seconds: float,
) -> None:
    clips, _ = _counts(protocol, arms, swapped, COUNT)
    missing = sum(not training.finished for training in trainings)
    each = median(float(row["seconds"]) for row in rows)
    left = max(clips - len(store.journal), 0)
    work.say(spoken_estimate(missing, protocol.training.steps, step_seconds, left, each, work.processes))
