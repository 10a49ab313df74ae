"""Does the marked thing get touched, and not another that is just like it? (docs/methods.md, section 5.8)

One actor, K props that are alike, one caption whichever is meant: only a mask can tell. Every arm makes the
same cases from the same first frames and the same noise; trained arms come once for each training seed, all
trained for the same number of steps on the same clips. First of all the gate: where the base touches hardly
anything, nothing can be said about what it touches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from statistics import median

import numpy as np

from rehearse.evaluation.kit.gate import Gate, by, share_gate
from rehearse.evaluation.kit.journal import Journal, Row
from rehearse.evaluation.kit.progress import Progress, Say
from rehearse.evaluation.kit.store import Store
from rehearse.evaluation.kit.workers import run_tasks
from rehearse.evaluation.target.arms import BASE, TargetArm
from rehearse.evaluation.target.cases import TargetCase, target_cases
from rehearse.evaluation.target.findings import (
    Attention,
    Curve,
    Swap,
    TargetFindings,
    Values,
    columns,
    read_again,
)
from rehearse.evaluation.target.measure import (
    LookTask,
    TargetTask,
    TargetTools,
    clip_key,
    look_at,
    look_key,
    measure_target,
)
from rehearse.evaluation.target.protocol import TargetProtocol
from rehearse.evaluation.target.training import (
    Trainer,
    Training,
    complete_trainings,
    spoken_estimate,
    trainings_of,
    write_training_set,
)
from rehearse.shot import Shot
from rehearse.theatre.world.target_scene import COUNT

GATE = 0.80
"""Least share of clips in which the base touches some prop."""

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
