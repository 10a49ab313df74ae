"""Does a person get what they ask of image-to-video? Arms of instructions over the same pictures and noise.

Every arm makes the same cases. The *wish* of an arm is what the person wants to see (the picture as given,
the puppet in another colour, a second puppet): its clips are held against the rendered picture of the wish
and against its caption, and so are the uninstructed clips they are compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehearse.evaluation.animate.arms import ALL, MOVED_BY_WORDS, STANDARD, AnimateArm, parse_arm
from rehearse.evaluation.animate.cases import WISHES, Animation, Wish, animation_cases, happens
from rehearse.evaluation.animate.measure import (
    AnimateTask,
    AnimateTools,
    measure_animation,
    request_key,
)
from rehearse.evaluation.kit.choice import Aim, spoken
from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.kit.intervals import REPLICATES, Interval, interval, resamples
from rehearse.evaluation.kit.judging import Embedder
from rehearse.evaluation.kit.measure import boxes_of, unpack
from rehearse.evaluation.kit.motion import centres, subject_motion
from rehearse.evaluation.kit.progress import Say
from rehearse.evaluation.kit.store import Store
from rehearse.evaluation.trajectory.table import Metric

Values = NDArray[np.float64]

NEAR = 0.05
"""How near, in fractions of the frame, a puppet must be to where it belongs."""
AIM_DRAGGED, AIM_OUTSIDE = 0.80, 2
BASE = AnimateArm()

METRICS: tuple[Metric, ...] = (
    Metric("image", "image alignment", 1, 1, 1),
    Metric("text", "text alignment", 1, 1, 1),
    Metric("speed", "dynamic degree x100", 0, 100, 2),
    Metric("change", "pixel change x100", 0, 100, 2),
    Metric("flicker", "flicker x100", -1, 100, 2),
    Metric("kept", "first frame kept", 1),
    Metric("right", "right subjects", 1),
    Metric("happens", "motion as prompted", 1),
    Metric("place", "place error", -1),
    Metric("within", "within .05", 1),
    Metric("iou", "mIoU", 1),
    Metric("outside", "grey levels outside", -1, 1, 1),
    Metric("image_original", "alignment with the given image", 0, 1, 1),
    Metric("closing", "last to first / neighbours", -1, 1, 2),
    Metric("closes", "closes", 1),
)
"""All that has an interval; see :func:`columns` for what each is."""
TITLES: Mapping[str, Metric] = {metric.key: metric for metric in METRICS}


@dataclass(frozen=True)
class AnimateProtocol:
    """What is compared. cases: how many, in each arm, three a picture. arms: as `animate_arms.parse_arm`
    reads them; the base is added. seed: of cases and noise. steps: denoising steps (None: the model's
    default). replicates: of the bootstrap."""

    model: str = "theatre-animate"
    cases: int = 105
    arms: tuple[str, ...] = STANDARD
    seed: int = 0
    steps: int | None = None
    replicates: int = REPLICATES

    def __post_init__(self) -> None:
        if self.cases < 1:
            raise EvaluationError(f"cases: {self.cases} is below 1; ask for 105, 35 pictures with 3 prompts")

    def parsed_arms(self) -> tuple[AnimateArm, ...]:
        """The arms, the base first, each once. EvaluationError."""
        return tuple(dict.fromkeys([BASE, *(parse_arm(text) for text in self.arms)]))


@dataclass(frozen=True)
class Targets:
    """Embeddings of what is wished for: of the wish's picture and of its caption, [cases, d] each."""

    pictures: Mapping[Wish, NDArray[np.float32]]
    captions: Mapping[Wish, NDArray[np.float32]]

    @classmethod
    def of(cls, cases: Sequence[Animation], judge: Embedder) -> Targets:
        """Of all cases."""
        shown = {wish: np.stack([case.picture(wish) for case in cases]) for wish in WISHES}
        said = {wish: [case.caption(wish) for case in cases] for wish in WISHES}
        return cls(
            {wish: judge.embed_frames(frames) for wish, frames in shown.items()},
            {wish: judge.embed_captions(captions) for wish, captions in said.items()},
        )


def columns(
    cases: Sequence[Animation],
    rows: Sequence[Mapping[str, Any]],
    targets: Targets,
    arm: AnimateArm,
) -> dict[str, Values]:
    """Every metric of clips as an arm would have them, one number a case, NaN where it says nothing.

    image: mean cosine of the frames with the wish's picture, times 100; text: of the clip with its caption;
    image_original: of the frames with the picture as it was given. speed: dynamic degree, the mean way of
    the puppet's centre from frame to frame in frame diagonals, where it is found. change: mean change of
    pixels from frame to frame. flicker: see `animate_measure.flicker`. kept: the puppet is found in the first
    frame within NEAR of its place in the picture. right: every subject is found in more than half of the
    frames. happens: the prompted motion takes place (not under a trajectory or in a loop). Under a trajectory
    only: place, the distance of the puppet's centre in the last frame from the target, in fractions of the
    frame, where it is found; within, whether that is at most NEAR (not found counts 0); iou with the straight
    way of its box there, frames that miss it count 0. outside: the largest change of a grey level outside of
    an edit's region. closing: distance of the last frame from the first over the mean distance of neighbours;
    closes: whether it is at most that of the two neighbours farthest apart.
    """
    wish = arm.wish
    found = {key: np.full(len(cases), np.nan) for key in TITLES}
    for at, (case, row) in enumerate(zip(cases, rows, strict=True)):
        boxes = boxes_of(dict(row))
        own = boxes[0]
        frames = unpack(row["frames"])
        found["image"][at] = 100 * frames @ targets.pictures[wish][at]
        found["image_original"][at] = 100 * frames @ targets.pictures["original"][at]
        found["text"][at] = 100 * unpack(row["clip"]) @ targets.captions[wish][at]
        found["speed"][at] = subject_motion(own, row["aspect"])
        found["change"][at], found["flicker"][at] = row["pixel_change"], row["flicker"]
        found["kept"][at] = first_frame_kept(own, case)
        found["right"][at] = bool(((~np.isnan(boxes[..., 0])).mean(axis=1) > 0.5).all())
        found["outside"][at] = np.nan if row["outside"] is None else row["outside"]
        if row["step"]:
            found["closing"][at] = row["closing"] / row["step"]
        found["closes"][at] = row["closing"] <= row["largest_step"]
        if arm.arrives:
            found["place"][at] = np.hypot(*(centres(own)[-1] - np.array(case.target)))
            found["within"][at] = found["place"][at] <= NEAR
            found["iou"][at] = _way_iou(own, case)
        elif not arm.guided and "loop" not in arm:
            found["happens"][at] = happens(own, case.motion)
    return found


def first_frame_kept(boxes: NDArray[np.floating], case: Animation) -> bool:
    """Whether the puppet (boxes [F, 4] of its kind and colour) is in the first frame where the picture has
    it."""
    return bool(np.hypot(*(centres(boxes)[0] - np.array(case.centre))) <= NEAR)


def _way_iou(boxes: NDArray[np.floating], case: Animation) -> float:
    from rehearse.evaluation.kit.trajectory_metrics import score_track

    return score_track(asked_way(case, len(boxes)), boxes).iou


def asked_way(case: Animation, frames: int) -> Values:
    """Where a trajectory wants the puppet's box: [frames, 4], straight from its place to the target."""
    start = np.array([case.box.x0, case.box.y0, case.box.x1, case.box.y1])
    way = np.array([*case.target, *case.target]) - np.array([*case.centre, *case.centre])
    asked: Values = start + np.linspace(0, 1, frames)[:, None] * way
    return asked


@dataclass(frozen=True)
class AnimateFindings:
    """What came out. columns: of every arm, metrics by name, one value a case. beside: for each arm the
    uninstructed clips under that arm's wish and trajectory. keys: of the arms' rows, case by case."""

    protocol: AnimateProtocol
    cases: tuple[Animation, ...]
    columns: dict[AnimateArm, dict[str, Values]]
    beside: dict[AnimateArm, dict[str, Values]]
    keys: dict[AnimateArm, tuple[str, ...]]

    @cached_property
    def _draws(self) -> Values:
        return resamples(len(self.cases), self.protocol.replicates, self.protocol.seed)

    def value(self, arm: AnimateArm, key: str) -> Interval:
        """A metric of an arm with its interval over cases."""
        return interval(self._mean(self.columns[arm][key]))

    def base_value(self, arm: AnimateArm, key: str) -> Interval:
        """The same of the uninstructed clips, held against what the arm wishes for."""
        return interval(self._mean(self.beside[arm][key]))

    def difference(self, arm: AnimateArm, key: str) -> Interval:
        """An arm minus the uninstructed clips, paired, over the cases that both have a value for."""
        return interval(self._mean(self.columns[arm][key] - self.beside[arm][key]))

    def _mean(self, values: Values) -> Values:
        there = ~np.isnan(values)
        if not there.any():
            return np.full(len(self._draws), np.nan)
        weights = self._draws[:, there]
        with np.errstate(invalid="ignore", divide="ignore"):
            mean: Values = (weights @ values[there]) / weights.sum(axis=1)
        return mean

    @cached_property
    def aims(self) -> tuple[Aim, ...]:
        """The aims of the issue, those that the arms can tell about."""
        return (*self._alignment_aims(), *self._drag_aims(), *self._edit_aims())

    def _alignment_aims(self) -> list[Aim]:
        arms = [arm for arm in self.columns if arm.name in (MOVED_BY_WORDS, ALL)]
        arms = arms or [arm for arm in self.columns if arm.edited][:1]
        aims = []
        for arm in arms:
            for key in ("image", "text"):
                gain = self.difference(arm, key)
                name = f"{TITLES[key].title} of `{arm.name}` above the uninstructed clips'"
                aims.append(Aim(name, gain.above_zero, spoken(gain, digits=1, sign=True)))
            motion = self.difference(arm, "speed")
            told = f"dynamic degree x100 {spoken(motion, scale=100, digits=2, sign=True)}"
            if arm.arrives:
                told += "; a trajectory takes the place of the words' motion, and its length is the person's"
            holds = not np.isnan(motion.value) and not motion.below_zero
            aims.append(Aim(f"at no less motion (`{arm.name}`)", holds, told))
        return aims

    def _drag_aims(self) -> list[Aim]:
        arms = [arm for arm in self.columns if "drag" in arm and arm.arrives and "blend" not in arm]
        return [
            Aim(
                f"dragged subjects within {NEAR} of the target in at least {AIM_DRAGGED:.0%} (`{arm.name}`)",
                self.value(arm, "within").value >= AIM_DRAGGED,
                spoken(self.value(arm, "within")),
            )
            for arm in arms
        ]

    def _edit_aims(self) -> list[Aim]:
        changes = [self.columns[arm]["outside"] for arm in self.columns if arm.edited]
        known = np.concatenate(changes) if changes else np.empty(0)
        known = known[~np.isnan(known)]
        if not len(known):
            return []
        name = f"nothing outside a regional edit moves by more than {AIM_OUTSIDE} grey levels"
        told = f"largest {known.max():.0f}, over {len(known)} edited pictures"
        return [Aim(name, bool(known.max() <= AIM_OUTSIDE), told)]


def run_animate(
    protocol: AnimateProtocol,
    folder: Path,
    make_tools: Callable[[], AnimateTools],
    judge: Embedder,
    fingerprints: Sequence[str] = (),
    processes: int = 1,
    say: Say = print,
) -> tuple[AnimateFindings, Store]:
    """Make what the folder does not hold yet, measure it, compare. judge: embeds what is wished for.
    fingerprints: of model, judge and its towers; they decide which stored clips still hold."""
    arms, store = protocol.parsed_arms(), Store(folder)
    cases = animation_cases(protocol.cases, protocol.seed)
    targets = Targets.of(cases, judge)
    tasks = {(arm, case.index): _task(arm, case, protocol, fingerprints) for case in cases for arm in arms}
    store.complete_by(measure_animation, list(tasks.values()), make_tools, processes, say)
    rows = {arm: [store.journal[tasks[arm, case.index].key] for case in cases] for arm in arms}
    made = {arm: columns(cases, rows[arm], targets, arm) for arm in arms}
    beside = {arm: columns(cases, rows[BASE], targets, arm) for arm in arms}
    keys = {arm: tuple(row["key"] for row in rows[arm]) for arm in arms}
    return AnimateFindings(protocol, cases, made, beside, keys), store


def _task(
    arm: AnimateArm, case: Animation, protocol: AnimateProtocol, fingerprints: Sequence[str]
) -> AnimateTask:
    request = arm.request(case, protocol.model, protocol.steps)
    # What is looked for is part of the question: the same clip may be asked for two puppets or for one.
    subjects = case.subjects(arm.wish)
    key = request_key(request, *fingerprints, repr(subjects), repr(arm.region(case)))
    return AnimateTask(key, request, subjects, arm.region(case))
