"""How far an edit still reaches when it is made after k steps of a run.

Each case's take runs to its end; for each edit a take is run from the start under the edited shot, and forks
of the first take under that shot branch off after k steps. With d the root mean square difference of two
clips' pixels:

    moved(k) = d(fork at k, parent) / d(from scratch, parent)      1: all of the change, 0: none
    missed(k) = d(fork at k, from scratch) / d(from scratch, parent)

A fork at 0 is the run from scratch, a fork at the last step is the parent. That a fork takes over its
parent's state bit for bit is checked at every k.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rehearse.evaluation.kit.curve import Line, draw_curve
from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.kit.intervals import Interval, interval, resamples
from rehearse.evaluation.kit.journal import Journal
from rehearse.evaluation.kit.progress import Progress, Say
from rehearse.evaluation.kit.report import as_json, markdown_table, write_json, write_text
from rehearse.evaluation.trajectory.cases import Case, trajectory_cases
from rehearse.models.model import VideoModel
from rehearse.shot import Box, BoxPath, ControlSettings, Shot
from rehearse.takes import Take
from rehearse.theatre.world import BACKDROPS, COLOURS
from rehearse.theatre.world.vocabulary import BACKDROP_PHRASES, article


def _path(case: Case) -> Case:
    """Every subject on its path upside down."""
    return replace(case, subjects=tuple(replace(one, path=_upside_down(one.path)) for one in case.subjects))


def _place(case: Case) -> Case:
    """The next backdrop."""
    other = BACKDROPS[(BACKDROPS.index(case.backdrop) + 1) % len(BACKDROPS)]
    prompt = case.prompt.replace(BACKDROP_PHRASES[case.backdrop], BACKDROP_PHRASES[other])
    return replace(case, prompt=prompt, backdrop=other)


def _colour(case: Case) -> Case:
    """The first subject in a colour that nobody has."""
    first, *others = case.subjects
    taken = {one.colour for one in case.subjects}
    start = COLOURS.index(first.colour)
    other = next(c for c in (*COLOURS[start:], *COLOURS[:start]) if c not in taken)
    changed = replace(first, colour=other)
    prompt = case.prompt.replace(
        f"{article(first.colour)} {first.phrase}", f"{article(other)} {changed.phrase}"
    )
    return replace(case, prompt=prompt, subjects=(changed, *others))


EDITS: dict[str, Callable[[Case], Case]] = {"path": _path, "place": _place, "colour": _colour}
"""What is changed on the way, by name."""


@dataclass(frozen=True)
class ReachOptions:
    """cases: trajectory cases of a seed. edits: names in EDITS. every: forks after every n-th step."""

    model: str = "theatre-video"
    cases: int = 8
    edits: tuple[str, ...] = tuple(EDITS)
    steps: int | None = None
    every: int = 1
    seed: int = 0


@dataclass(frozen=True)
class Reach:
    """One fork. exact: whether it began with its parent's state bit for bit."""

    step: int
    steps: int
    moved: float
    missed: float
    exact: bool


@dataclass(frozen=True)
class Curve:
    """One edit: for each step its mean moved and missed over the cases, with paired intervals."""

    edit: str
    steps: tuple[int, ...]
    moved: tuple[Interval, ...]
    missed: tuple[Interval, ...]


def distance(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Root mean square difference of two clips' pixels, in grey levels, 0 to 255."""
    return float(np.sqrt(np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2)))


def named_edits(names: Sequence[str]) -> tuple[str, ...]:
    """The names, all of which are in EDITS; EvaluationError where one is not, or where there is none."""
    unknown = [name for name in names if name not in EDITS]
    if unknown:
        raise EvaluationError(f"edits: there is no {unknown[0]!r}; there are {', '.join(EDITS)}")
    if not names:
        raise EvaluationError(f"edits: name at least one of {', '.join(EDITS)}")
    return tuple(names)


def reach_of(parent: Take, edited: Shot, at: Sequence[int]) -> list[Reach]:
    """How far an edit reaches at each of the given steps of a finished take that kept their states.

    Raises EvaluationError where the edit changes nothing from scratch, TakeError where it cannot be forked.
    """
    scratch = parent.fork(0, edited).finish().clip.frames
    original = parent.clip.frames
    whole = distance(scratch, original)
    if whole == 0:
        raise EvaluationError("the edit changes nothing even from scratch; its reach cannot be measured")
    found = []
    for step in at:
        same = parent.fork(step)
        # At the last step no step is left that a change could act in.
        fork = same if step == parent.steps else parent.fork(step, edited)
        exact = step == 0 or (
            fork.state is not None
            and same.state is not None
            and torch.equal(fork.state.latents, same.state.latents)
        )
        frames = fork.finish().clip.frames
        moved, missed = distance(frames, original) / whole, distance(frames, scratch) / whole
        found.append(Reach(step, parent.steps, moved, missed, exact))
    return found


def measure_reach(options: ReachOptions, model: VideoModel, work: Path, say: Say = print) -> list[Curve]:
    """The curves of all edits; what is finished stays in ``work``, and a second call goes on there."""
    named_edits(options.edits)
    if options.every < 1:
        raise EvaluationError(
            f"every is {options.every}; give 1 to fork after every step, n after every n-th"
        )
    cases = trajectory_cases(options.cases, options.seed)
    steps = options.steps or model.defaults.steps
    at = sorted({*range(0, steps, options.every), steps})
    name = f"reach-{model.fingerprint[:12]}-{steps}-{options.every}-{options.seed}.jsonl"
    journal = Journal(work / name)
    total = len(cases) * len(options.edits)
    keys = [f"{case.index}/{edit}" for case in cases for edit in options.edits]
    progress = Progress(say, "edits", total, sum(key in journal for key in keys))
    for case in cases:
        open_edits = [edit for edit in options.edits if f"{case.index}/{edit}" not in journal]
        if not open_edits:
            continue
        parent = Take.start(case.shot(options.model, ControlSettings(), steps), model).finish()
        for edit in open_edits:
            edited = EDITS[edit](case).shot(options.model, ControlSettings(), steps)
            found = reach_of(parent, edited, at)
            journal.append({"key": f"{case.index}/{edit}", "reach": [asdict(one) for one in found]})
            progress.tick()
    return [
        _curve(edit, [journal[f"{case.index}/{edit}"]["reach"] for case in cases]) for edit in options.edits
    ]


def write_reach_report(
    curves: Sequence[Curve], options: ReachOptions, out: Path, command: str, about: dict[str, Any]
) -> list[Path]:
    """Write ``fork.md``, ``fork.json`` and ``fork.svg``; the files."""
    facts = {"command": command, **asdict(options), **about}
    write_json(
        out / "fork.json",
        {
            **facts,
            "curves": {
                curve.edit: [
                    {"step": step, "moved": as_json(moved), "missed": as_json(missed)}
                    for step, moved, missed in zip(curve.steps, curve.moved, curve.missed, strict=True)
                ]
                for curve in curves
            },
        },
    )
    lines = [
        Line(
            curve.edit,
            tuple(("", float(k), value.value) for k, value in zip(curve.steps, curve.moved, strict=True)),
        )
        for curve in curves
    ]
    title = "part of the change that still comes about"
    write_text(out / "fork.svg", draw_curve(lines, "step after which the edit is made", title))
    last = curves[0].steps[-1]
    rows = [
        [
            f"{step} of {last}",
            *(_told(value) for curve in curves for value in (curve.moved[place], curve.missed[place])),
        ]
        for place, step in enumerate(curves[0].steps)
    ]
    head = ["fork after", *(text for curve in curves for text in (f"{curve.edit}: moved", "missed"))]
    page = [
        "# How far an edit still reaches",
        f"`{command}`",
        f"{options.cases} cases of {options.model}, case seed {options.seed}. A finished take is forked "
        "after k steps under an edited shot: *path* turns the drawn paths upside down, *place* changes the "
        "backdrop, *colour* the first subject's colour. *moved* is the fork's distance to its parent, "
        "*missed* its distance to the clip made under the edited shot from scratch, both as parts of the "
        "distance between these two (root mean square over pixels; 95 % bootstrap intervals over cases). "
        "Every fork began with its parent's latents bit for bit.",
        "![curve](fork.svg)",
        markdown_table(head, rows),
    ]
    write_text(out / "fork.md", "\n\n".join(page) + "\n")
    return [out / "fork.md", out / "fork.json", out / "fork.svg"]


def _curve(edit: str, runs: Sequence[Sequence[dict[str, Any]]]) -> Curve:
    for number, run in enumerate(runs):
        for one in run:
            if not one["exact"]:
                raise EvaluationError(
                    f"case {number}: a fork at step {one['step']} did not begin with its parent's state"
                )
    weights = resamples(len(runs))
    weights /= weights.sum(axis=1, keepdims=True)

    def over_cases(name: str) -> tuple[Interval, ...]:
        values = np.array([[one[name] for one in run] for run in runs])
        return tuple(interval(weights @ column) for column in values.T)

    steps = tuple(int(one["step"]) for one in runs[0])
    return Curve(edit, steps, over_cases("moved"), over_cases("missed"))


def _upside_down(path: BoxPath) -> BoxPath:
    turned = tuple(
        type(key)(**{**key.given(), "box": Box(key.box.x0, 1 - key.box.y1, key.box.x1, 1 - key.box.y0)})
        for key in path.keyframes
    )
    return BoxPath(**{**path.given(), "keyframes": turned})


def _told(value: Interval) -> str:
    return f"{value.value:.2f} [{value.low:.2f}, {value.high:.2f}]"
