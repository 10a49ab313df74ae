"""What a blend loses when it takes over its parent's predictions instead of making them anew.

Each case's take runs to its end. For each edit it is forked after k steps under the edited shot: once
without a blend, and for each weight w of equation 4 with the original side computed and with it kept. The two
differ because the parent predicted for its own latents, not for those of the mix. With d as in
:mod:`rehearse.evaluation.fork`:

    moved = d(mix, parent) / d(unblended fork, parent)       how far a mix has gone over to the edit
    apart = d(kept mix, computed mix) / d(unblended fork, parent)
    found = share of frames in which the judge finds the edited shot's subjects: a mix that shows two clips
            at once loses them
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rehearse.evaluation.fork import EDITS, distance, named_edits
from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.kit.examples import Example, write_examples
from rehearse.evaluation.kit.intervals import Interval, interval, resamples
from rehearse.evaluation.kit.journal import Journal
from rehearse.evaluation.kit.judging import Bench, find_subjects
from rehearse.evaluation.kit.measure import filmstrip
from rehearse.evaluation.kit.progress import Progress, Say
from rehearse.evaluation.kit.report import as_json, markdown_table, write_json, write_text
from rehearse.evaluation.trajectory.cases import Case, trajectory_cases
from rehearse.media.files import replacing
from rehearse.models.model import VideoModel
from rehearse.shot import BlendSettings, ControlSettings, Shot
from rehearse.takes import Take

Way = Literal["computed", "kept"]
WAYS: tuple[Way, ...] = get_args(Way)
_SHOWN = 2
"""Cases of each edit that the sheet shows."""


@dataclass(frozen=True)
class MixOptions:
    """cases: trajectory cases of a seed. edits: names in EDITS. weights: of the original, w of equation 4.
    at: after how many steps the takes are forked; None: after a quarter of them."""

    model: str = "theatre-video"
    cases: int = 8
    edits: tuple[str, ...] = ("path", "place")
    weights: tuple[float, ...] = (0.25, 0.5, 0.75)
    at: int | None = None
    steps: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class Mix:
    """One edit under one weight, means over the cases with paired intervals. moved, found: by way; apart: the
    two ways' distance; moved_less, found_less: computed minus kept, what is lost."""

    edit: str
    weight: float
    moved: dict[Way, Interval]
    found: dict[Way, Interval]
    apart: Interval
    moved_less: Interval
    found_less: Interval


@dataclass(frozen=True)
class Mixes:
    """All of them; unblended: share found in the forks without a blend, by edit. pictures: the sheet's rows,
    (file, label)."""

    mixes: tuple[Mix, ...]
    unblended: dict[str, Interval]
    at: int
    steps: int
    pictures: tuple[tuple[Path, str], ...]


def measure_mixes(
    options: MixOptions, model: VideoModel, bench: Bench, work: Path, say: Say = print
) -> Mixes:
    """Measure all edits and weights; what is finished stays in ``work``, and a second call goes on there.

    Raises EvaluationError for unknown edits, weights outside 0 to 1 and a step that leaves nothing to mix.
    """
    edits = named_edits(options.edits)
    wrong = [w for w in options.weights if not (math.isfinite(w) and 0 <= w <= 1)]
    if wrong or not options.weights:
        given = f"weights: {wrong[0]:g} is not between 0 and 1" if wrong else "weights: there is none"
        raise EvaluationError(f"{given}; give numbers such as .25,.5,.75 (1 keeps the original)")
    steps = options.steps or model.defaults.steps
    at = steps // 4 if options.at is None else options.at
    if not 0 <= at < steps:
        raise EvaluationError(
            f"at is {at}; give a step between 0 and {steps - 1}, the last that can be mixed"
        )
    cases = trajectory_cases(options.cases, options.seed)
    mark = f"{model.fingerprint[:12]}-{bench.fingerprint[:12]}-{steps}-{at}-{options.seed}"
    journal, pictures = Journal(work / f"mix-{mark}.jsonl"), work / f"mix-{mark}"
    keys = {(case.index, edit): f"{case.index}/{edit}" for case in cases for edit in edits}

    def wanting(case: Case, edit: str) -> list[float]:
        key = keys[case.index, edit]
        there = journal[key]["mixes"] if key in journal else {}
        return [w for w in options.weights if f"{w:g}" not in there]

    done = sum(not wanting(case, edit) for case in cases for edit in edits)
    progress = Progress(say, "edits", len(keys), done)
    for case in cases:
        open_edits = [edit for edit in edits if wanting(case, edit)]
        if not open_edits:
            continue
        parent = Take.start(case.shot(options.model, ControlSettings(), steps), model).finish()
        for edit in open_edits:
            key = keys[case.index, edit]
            known = journal[key]["mixes"] if key in journal else {}
            edited = EDITS[edit](case)
            seen = pictures / key.replace("/", "-") if case.index < _SHOWN else None
            shot = edited.shot(options.model, ControlSettings(), steps)
            found = _mixes_of(parent, shot, _subjects(edited), at, wanting(case, edit), bench, seen)
            journal.append({**found, "key": key, "mixes": {**known, **found["mixes"]}})
            progress.tick()
    rows = {edit: [journal[keys[case.index, edit]] for case in cases] for edit in edits}
    mixes = tuple(_mix(edit, weight, rows[edit]) for edit in edits for weight in options.weights)
    unblended = {edit: _over_cases([[row["found"] for row in rows[edit]]])[0] for edit in edits}
    return Mixes(mixes, unblended, at, steps, tuple(_shown(cases, options, pictures)))


def _subjects(case: Case) -> list[tuple[str, str]]:
    return [(one.kind, one.colour) for one in case.subjects]


def _mixes_of(
    parent: Take,
    edited: Shot,
    subjects: Sequence[tuple[str, str]],
    at: int,
    weights: Sequence[float],
    bench: Bench,
    seen: Path | None,
) -> dict[str, Any]:
    """What is measured of one case and edit. seen: where clips are kept as pictures, None for nowhere."""

    def share(frames: NDArray[np.uint8]) -> float:
        boxes = find_subjects(bench.judge, frames, subjects)
        return float(1 - np.isnan(boxes).any(axis=2).mean())

    def keep(name: str, frames: NDArray[np.uint8]) -> None:
        if seen is not None:
            seen.parent.mkdir(parents=True, exist_ok=True)
            with replacing(seen.with_name(f"{seen.name}-{name}.jpg")) as part:
                part.write_bytes(filmstrip(frames))

    original = parent.clip.frames
    fork = parent.fork(at, edited).finish().clip.frames
    whole = distance(fork, original)
    if whole == 0:
        raise EvaluationError("the edit changes nothing; what a blend of it loses cannot be measured")
    keep("parent", original)
    keep("fork", fork)
    mixes: dict[str, Any] = {}
    for weight in weights:
        clips: dict[Way, NDArray[np.uint8]] = {}
        for way in WAYS:
            blend = BlendSettings(weight=weight, original=way)
            clips[way] = parent.fork(at, edited.with_control(blend=blend)).finish().clip.frames
            keep(f"{weight:g}-{way}", clips[way])
        mixes[f"{weight:g}"] = {
            "moved": {way: distance(clips[way], original) / whole for way in WAYS},
            "found": {way: share(clips[way]) for way in WAYS},
            "apart": distance(clips["kept"], clips["computed"]) / whole,
        }
    return {"found": share(fork), "mixes": mixes}


def _over_cases(values: Sequence[Sequence[float]]) -> list[Interval]:
    """The mean of each row of numbers [.., cases] with its interval, cases drawn alike for all rows."""
    table = np.array(values)
    weights = resamples(table.shape[1])
    weights /= weights.sum(axis=1, keepdims=True)
    return [interval(weights @ row) for row in table]


def _mix(edit: str, weight: float, rows: Sequence[dict[str, Any]]) -> Mix:
    told = [row["mixes"][f"{weight:g}"] for row in rows]

    def of(part: str) -> tuple[dict[Way, Interval], Interval]:
        each = {way: np.array([one[part][way] for one in told]) for way in WAYS}
        computed, kept, less = _over_cases(
            [each["computed"], each["kept"], each["computed"] - each["kept"]]  # type: ignore[list-item]
        )
        return {"computed": computed, "kept": kept}, less

    (moved, moved_less), (found, found_less) = of("moved"), of("found")
    (apart,) = _over_cases([[one["apart"] for one in told]])
    return Mix(edit, weight, moved, found, apart, moved_less, found_less)


def _shown(cases: Sequence[Case], options: MixOptions, folder: Path) -> list[tuple[Path, str]]:
    """Pictures of the first cases, by edit: the parent, the mixes from most of it to least, the fork."""
    names = [("parent", "original")]
    for weight in sorted(options.weights, reverse=True):
        names += [(f"{weight:g}-{way}", f"w {weight:g}, {way}") for way in WAYS]
    names.append(("fork", "edit alone"))
    return [
        (folder / f"{case.index}-{edit}-{name}.jpg", f"case {case.index}, {edit}: {label}")
        for case in cases[:_SHOWN]
        for edit in options.edits
        for name, label in names
        if (folder / f"{case.index}-{edit}-{name}.jpg").is_file()
    ]


def write_mix_report(
    mixes: Mixes, options: MixOptions, out: Path, command: str, about: dict[str, Any]
) -> list[Path]:
    """Write ``blend-kept.md``, ``.json`` and, where clips were kept, the sheet ``blend-kept.jpg``; the
    files."""
    facts = {"command": command, **asdict(options), "at": mixes.at, "steps": mixes.steps, **about}
    told = [
        {
            "edit": mix.edit,
            "weight": mix.weight,
            "moved": {way: as_json(mix.moved[way]) for way in WAYS},
            "found": {way: as_json(mix.found[way]) for way in WAYS},
            "apart": as_json(mix.apart),
            "moved_less": as_json(mix.moved_less),
            "found_less": as_json(mix.found_less),
        }
        for mix in mixes.mixes
    ]
    unblended = {edit: as_json(value) for edit, value in mixes.unblended.items()}
    files = [out / "blend-kept.md", out / "blend-kept.json"]
    write_json(files[1], {**facts, "mixes": told, "unblended_found": unblended})
    table = markdown_table(
        ["edit, w", "moved: computed", "kept", "less", "apart", "found: computed", "kept", "less"],
        [
            [
                f"{mix.edit}, {mix.weight:g}",
                *(_told(v) for v in (mix.moved["computed"], mix.moved["kept"], mix.moved_less, mix.apart)),
                *(_told(v) for v in (mix.found["computed"], mix.found["kept"], mix.found_less)),
            ]
            for mix in mixes.mixes
        ],
    )
    alone = ", ".join(f"{edit} {_told(value)}" for edit, value in mixes.unblended.items())
    page = [
        "# What a blend with kept predictions loses",
        f"`{command}`",
        f"{options.cases} cases of {options.model}, case seed {options.seed}. Finished takes are forked "
        f"after {mixes.at} of {mixes.steps} steps under an edited shot, blended with weight w of the original"
        " (equation 4): its side computed anew at every step, or taken from what the parent predicted. "
        "*moved* is a mix's distance to its parent and *apart* the distance of the two ways, as parts of the "
        "unblended fork's distance to the parent (root mean square over pixels); *found* is the share of "
        "frames in which the judge finds the edited shot's subjects; *less* is computed minus kept, what is "
        "lost. 95 % bootstrap intervals over cases.",
        table,
        f"Found without a blend: {alone}.",
        _conclusion(mixes),
    ]
    if mixes.pictures:
        files.append(out / "blend-kept.jpg")
        write_examples(files[-1], [Example(path, label) for path, label in mixes.pictures])
        page.append("![the first cases](blend-kept.jpg)")
    write_text(files[0], "\n\n".join(page) + "\n")
    return files


def _conclusion(mixes: Mixes) -> str:
    """What the intervals say, in a sentence."""

    def names(chosen: Sequence[Mix]) -> str:
        return ", ".join(f"{mix.edit} at {mix.weight:g}" for mix in chosen)

    lost = [mix for mix in mixes.mixes if mix.found_less.above_zero]
    won = [mix for mix in mixes.mixes if mix.found_less.below_zero]
    tied = [mix for mix in mixes.mixes if mix.moved_less.above_zero]
    loose = [mix for mix in mixes.mixes if mix.moved_less.below_zero]
    parts = []
    if lost:
        parts.append(f"kept loses subjects beyond the interval in {names(lost)}")
    if won:
        parts.append(f"kept finds more subjects beyond the interval in {names(won)}")
    if not lost and not won:
        parts.append("neither way loses subjects beyond the interval")
    if tied:
        parts.append(f"kept stays nearer to the original in {names(tied)}")
    if loose:
        parts.append(f"kept goes farther over to the edit in {names(loose)}")
    return "; ".join(parts).capitalize() + "."


def _told(value: Interval) -> str:
    return f"{value.value:.2f} [{value.low:.2f}, {value.high:.2f}]"
