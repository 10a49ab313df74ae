"""Prompt-and-path cases: who shall go where, along paths that no prompt describes.

The prompt is the still caption ("a red ball over the meadow"): it names who and where but no motion, so what
moves the subject is the path and nothing else, and no word contradicts it. ``wording="still"`` says "stands
still" instead, for a model that has never seen a caption without a verb.

Case ``i`` depends on the seed and ``i`` alone, so a run of more cases continues a run of fewer; path
families, kinds, colours and backdrops are balanced over every stretch of cases. Every fifth case has two
subjects.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.trajectory.paths import FAMILIES, box_path
from rehearse.shot import BoxPath, ControlSettings, Shot
from rehearse.theatre.world import (
    BACKDROPS,
    COLOURS,
    PUPPETS,
    Actor,
    Scene,
    render_frame,
    still_caption,
    through,
)
from rehearse.theatre.world.vocabulary import article, join_phrases

Wording = Literal["bare", "still"]
WORDINGS: tuple[Wording, ...] = get_args(Wording)

SIZES_ONE = (0.34, 0.48)
SIZES_TWO = (0.30, 0.38)
"""Larger side of a subject's box, as a fraction of the frame: within what the world's puppets measure."""
TWO_EVERY = 5
_STREAM = 0xCA5E
_TRIES = 40


@dataclass(frozen=True)
class CaseSubject:
    """One subject of a case: its kind, its colour and where it shall be."""

    kind: str
    colour: str
    path: BoxPath

    @property
    def phrase(self) -> str:
        """Its words in the prompt."""
        return f"{self.colour} {self.kind}"


@dataclass(frozen=True)
class Case:
    """One prompt with its paths. index: its number, from 0. seed: of the noise, the same in every arm.
    family: of the (first) path. subjects: one or two, the later in front."""

    index: int
    seed: int
    prompt: str
    family: str
    backdrop: str
    subjects: tuple[CaseSubject, ...]

    def shot(
        self, model: str, control: ControlSettings, steps: int | None = None, scheduler: str | None = None
    ) -> Shot:
        """The case as a shot for a model under the settings of an arm."""
        sampling: dict[str, Any] = {"steps": steps, "scheduler": scheduler}
        shot = Shot(self.prompt, model=model, seed=self.seed, control=control, **sampling)
        for subject in self.subjects:
            shot = shot.follow(subject.phrase, subject.path)
        return shot

    def asked(self, frames: int) -> NDArray[np.float64]:
        """Where each subject shall be, cut at the frame's edge: [subjects, frames, 4]; NaN where a box is
        wholly out of frame."""
        boxes = np.stack([subject.path.resample(frames) for subject in self.subjects]).clip(0, 1)
        empty = (boxes[..., 2] <= boxes[..., 0]) | (boxes[..., 3] <= boxes[..., 1])
        boxes[empty] = np.nan
        return boxes


def trajectory_cases(count: int, seed: int = 0, wording: Wording = "bare") -> tuple[Case, ...]:
    """The first ``count`` cases of a seed. EvaluationError for a count below 1."""
    if count < 1:
        raise EvaluationError(f"cases: {count} is below 1; ask for one case at least, 200 for a result")
    return tuple(_case(index, seed, wording) for index in range(count))


@lru_cache(maxsize=4096)
def _case(index: int, seed: int, wording: Wording) -> Case:
    rng = np.random.default_rng([seed, _STREAM, index])
    double = index % TWO_EVERY == TWO_EVERY - 1
    family = tuple(FAMILIES)[index % len(FAMILIES)]
    backdrop = balanced(BACKDROPS, index, seed, stream=1)
    first = (balanced(PUPPETS, index, seed, stream=2), balanced(COLOURS, index, seed, stream=3))
    noise = int(rng.integers(2**31))
    if double:
        # Neither kind nor colour is shared: whose words are whose must not decide the result.
        kinds = [kind for kind in PUPPETS if kind != first[0]]
        colours = [colour for colour in COLOURS if colour != first[1]]
        second = (kinds[int(rng.integers(len(kinds)))], colours[int(rng.integers(len(colours)))])
        subjects = _pair(family, first, second, rng)
    else:
        size = box_size(first[0], float(rng.uniform(*SIZES_ONE)))
        subjects = (CaseSubject(*first, box_path(family, size, rng)),)
    return Case(index, noise, _prompt(subjects, backdrop, wording), family, backdrop, subjects)


def _pair(
    family: str, first: tuple[str, str], second: tuple[str, str], rng: np.random.Generator
) -> tuple[CaseSubject, ...]:
    """Two subjects whose paths overlap as little as a few dozen draws find."""
    sizes = [box_size(kind, float(rng.uniform(*SIZES_TWO))) for kind, _ in (first, second)]
    least, best = np.inf, None
    for _ in range(_TRIES):
        paths = [
            box_path(family, sizes[0], rng),
            box_path(tuple(FAMILIES)[int(rng.integers(len(FAMILIES)))], sizes[1], rng),
        ]
        cover = _overlap(paths[0], paths[1])
        if cover < least:
            least, best = cover, paths
        if least == 0:
            break
    assert best is not None
    return CaseSubject(*first, best[0]), CaseSubject(*second, best[1])


def _overlap(a: BoxPath, b: BoxPath, frames: int = 16) -> float:
    """Mean area that two paths' boxes share, in frames."""
    p, q = a.resample(frames), b.resample(frames)
    sides = np.minimum(p[:, 2:], q[:, 2:]) - np.maximum(p[:, :2], q[:, :2])
    return float(sides.clip(min=0).prod(axis=1).mean())


def _prompt(subjects: tuple[CaseSubject, ...], backdrop: str, wording: Wording) -> str:
    at_rest = through([(0.5, 0.5), (0.5, 0.5)])
    scene = Scene(backdrop, tuple(Actor(s.kind, s.colour, at_rest) for s in subjects))
    if wording == "bare":
        return still_caption(scene)
    # The caption is the nouns, then where: the verb goes behind each noun.
    bare = still_caption(scene)
    nouns = [f"{article(s.colour)} {s.phrase}" for s in subjects]
    place = bare.removeprefix(join_phrases(nouns)).strip()
    return f"{join_phrases([f'{noun} stands still' for noun in nouns])} {place}"


def balanced(values: tuple[str, ...], index: int, seed: int, stream: int) -> str:
    """The value of element ``index`` in a sequence where every run of ``len(values)`` elements, counted from
    the start, holds each value once, in random order."""
    block, place = divmod(index, len(values))
    order = np.random.default_rng([seed, _STREAM, stream, block]).permutation(len(values))
    return values[int(order[place])]


@lru_cache(maxsize=64)
def proportions(kind: str) -> tuple[float, float]:
    """Width and height of a puppet's own box at size 1 (the larger is about 1), the middle of its phases."""
    at_rest = through([(0.5, 0.5), (0.5, 0.5)])
    boxes = [
        render_frame(Scene("meadow", (Actor(kind, "red", at_rest, size=0.5, phase=p / 8),))).boxes[0]
        for p in range(8)
    ]
    sides = np.median([(b[2] - b[0], b[3] - b[1]) for b in boxes], axis=0) / 0.5
    return float(sides[0]), float(sides[1])


def box_size(kind: str, size: float) -> tuple[float, float]:
    """Width and height of the box a person would draw round a puppet whose larger side is ``size``."""
    width, height = proportions(kind)
    return size * width / max(width, height), size * height / max(width, height)
