"""The gates of theatre-animate, on held-out pictures and prompts (see `animate_cases`).

first frame   it keeps the given picture: the puppet's kind, colour and place                     >= 90 %
motion        the prompted motion happens                                                         >= 75 %
magnitude     small < moderate < large: each moves more than the one before, by this part at least   5 %
loops         the last frame is no further from the first than the two neighbours farthest apart  >= 90 %

The picture and the motion are read from the clips of moderate magnitude, so that every case takes four clips.
The parts in the last two gates are ours: the aim says "monotone" and "close".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehearse.evaluation.animate.arms import parse_arm
from rehearse.evaluation.animate.cases import Animation, animation_cases, happens
from rehearse.evaluation.animate.measure import AnimateTask, AnimateTools, measure_animation, request_key
from rehearse.evaluation.animate.study import first_frame_kept
from rehearse.evaluation.kit.gate import Gate, by, share_gate
from rehearse.evaluation.kit.intervals import interval, resamples
from rehearse.evaluation.kit.journal import Row
from rehearse.evaluation.kit.measure import boxes_of
from rehearse.evaluation.kit.motion import subject_motion
from rehearse.evaluation.kit.progress import Say
from rehearse.evaluation.kit.store import Store

KEPT, HAPPENS, GROWTH, CLOSES = 0.90, 0.75, 0.05, 0.90
MAGNITUDES = ("small", "moderate", "large")


@dataclass(frozen=True)
class Animated:
    """One case as it was judged. keys: of its clips by arm. kept: the first frame keeps the picture; moved:
    the prompted motion happens; speeds: dynamic degree by magnitude (0 where the puppet is not found);
    closes: its loop does, within ``closing`` of the mean distance of neighbours."""

    case: Animation
    keys: dict[str, str]
    kept: bool
    moved: bool
    speeds: tuple[float, ...]
    closes: bool
    closing: float


def run_animate_gates(
    count: int,
    store: Store,
    make_tools: Callable[[], AnimateTools],
    model: str,
    fingerprints: Sequence[str] = (),
    *,
    seed: int = 0,
    steps: int | None = None,
    processes: int = 1,
    say: Say = print,
) -> tuple[list[Gate], tuple[Animated, ...]]:
    """Make what the store does not hold yet; the gates, and the judged cases behind them."""
    cases = animation_cases(count, seed)
    arms = {name: parse_arm(name) for name in (*(f"magnitude:{size}" for size in MAGNITUDES), "loop")}
    tasks = {}
    for case in cases:
        for name, arm in arms.items():
            request = arm.request(case, model, steps)
            key = request_key(request, *fingerprints, "gates")
            tasks[name, case.index] = AnimateTask(key, request, case.subjects(), embeds=False)
    store.complete_by(measure_animation, list(tasks.values()), make_tools, processes, say, "animations")
    judged = []
    for case in cases:
        keys = {name: tasks[name, case.index].key for name in arms}
        judged.append(_judged(case, keys, {name: store.journal[key] for name, key in keys.items()}))
    return animate_gates(judged, seed), tuple(judged)


def _judged(case: Animation, keys: dict[str, str], rows: dict[str, Row]) -> Animated:
    tracks = [boxes_of(rows[f"magnitude:{size}"])[0] for size in MAGNITUDES]
    middle, loop = tracks[MAGNITUDES.index("moderate")], rows["loop"]
    speeds = [subject_motion(track, loop["aspect"]) for track in tracks]
    return Animated(
        case,
        keys,
        kept=first_frame_kept(middle, case),
        moved=happens(middle, case.motion),
        speeds=tuple(0.0 if np.isnan(speed) else speed for speed in speeds),
        closes=loop["closing"] <= loop["largest_step"],
        closing=loop["closing"] / loop["step"] if loop["step"] else float("nan"),
    )


def animate_gates(found: Sequence[Animated], seed: int = 0) -> list[Gate]:
    """The four gates."""
    ratios = [one.closing for one in found if not np.isnan(one.closing)]
    return [
        share_gate(
            "animations: first frame keeps the picture",
            KEPT,
            [one.kept for one in found],
            by_kind=by(found, lambda one: one.case.actor.kind, lambda one: one.kept),
        ),
        share_gate(
            "animations: motion as prompted",
            HAPPENS,
            [one.moved for one in found],
            by_motion=by(found, lambda one: one.case.motion, lambda one: one.moved),
        ),
        _monotone(np.array([one.speeds for one in found]), seed),
        share_gate(
            "animations: loops close",
            CLOSES,
            [one.closes for one in found],
            last_to_first_over_neighbours=float(np.mean(ratios)) if ratios else float("nan"),
        ),
    ]


def _monotone(speeds: NDArray[np.float64], seed: int) -> Gate:
    """The smaller of the two steps up in mean dynamic degree, as a part of what it rises from: [cases, 3]."""
    means = resamples(len(speeds), seed=seed) @ speeds / len(speeds)
    with np.errstate(invalid="ignore", divide="ignore"):
        rises = (means[:, 1:] / means[:, :-1] - 1).min(axis=1)
    # A clip that never moves rises from nothing to nothing.
    rises = np.where(np.isfinite(rises), rises, 0.0)
    degrees = {size: float(100 * mean) for size, mean in zip(MAGNITUDES, means[0], strict=True)}
    return Gate(
        "animations: motion rises with its magnitude",
        GROWTH,
        interval(rises),
        len(speeds),
        {"dynamic_degree_x100": degrees, "large_above_small": float((speeds[:, 2] > speeds[:, 0]).mean())},
    )
