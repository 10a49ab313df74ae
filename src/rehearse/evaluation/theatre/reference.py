"""The rendered clips that generated ones are compared with for FID and KID. Two sets, neither holding a case:

- the world's own held-out clips, one subject in four of five and two in the rest, as in the cases. They say
  what frames look like, and favour no arm: the uncontrolled model was trained to make just these.
- clips that follow paths such as the cases' (other cases, rendered). They say how clips change. Against the
  world's own clips a perfect renderer of the cases scores worse than a frozen one, for the paths are not the
  world's; against these it scores 0. So this measure rewards motion as asked for, and stands beside the
  first, which alone decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.kit.judging import Bench
from rehearse.evaluation.kit.progress import Progress, Say
from rehearse.evaluation.kit.quality import ClipFeatures, Reference
from rehearse.evaluation.theatre.prompts import held_out_scene
from rehearse.evaluation.trajectory.cases import TWO_EVERY, Case, trajectory_cases
from rehearse.theatre.world import Actor, Scene, render

LENGTH, SIZE = 16, 128
SEED = 2**40
"""Seed of the cases that are rendered as a reference: far from any that a person gives."""
_WORLD_SEED = 9


def reference_clips(
    bench: Bench, count: int, folder: Path, say: Say, frames: int = LENGTH, size: int = SIZE
) -> Reference:
    """Features of ``count`` clips of each set, from the folder where they were computed before.

    EvaluationError for fewer than two clips."""
    if count < 2:
        raise EvaluationError(f"reference: {count} clips are too few; give two at least, 512 for a result")
    path = folder / f"reference-{bench.fingerprint[:12]}-{count}x{frames}x{size}.safetensors"
    if path.exists():
        try:
            kept = load_file(str(path))
            return Reference(
                *(ClipFeatures(kept[f"{s}.look"], kept[f"{s}.change"]) for s in ("world", "asked"))
            )
        except (SafetensorError, KeyError):
            path.unlink()  # half-written by a kill
    progress = Progress(say, "reference clips", 2 * count)
    sets = {}
    for name, clips in (("world", _world(count, frames, size)), ("asked", _asked(count, frames, size))):
        rows = []
        for clip in clips:
            rows.append(ClipFeatures.of(bench.judge.features(clip)))
            progress.tick()
        sets[name] = ClipFeatures.join(rows)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        f"{name}.{part}": getattr(own, part) for name, own in sets.items() for part in ("look", "change")
    }
    save_file(tensors, str(path))
    return Reference(**sets)


def _world(count: int, frames: int, size: int) -> Iterator[NDArray[np.uint8]]:
    for index in range(count):
        subjects = 2 if index % TWO_EVERY == TWO_EVERY - 1 else 1
        scene, _ = held_out_scene(_WORLD_SEED, index, subjects)
        yield render(scene, frames, size).frames


def _asked(count: int, frames: int, size: int) -> Iterator[NDArray[np.uint8]]:
    for case in trajectory_cases(count, SEED):
        yield render(case_scene(case, frames), frames, size).frames


def case_scene(case: Case, frames: int) -> Scene:
    """A case as the world would show it: every subject in its box in each of ``frames`` frames."""
    actors = []
    for subject in case.subjects:
        boxes = subject.path.resample(frames)
        sides = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2
        times = np.linspace(0, 1, frames)
        path = tuple(
            (float(t), float(x), float(y), float(side / sides.max()), 0.0)
            for t, (x, y), side in zip(times, middles, sides, strict=True)
        )
        actors.append(Actor(subject.kind, subject.colour, path, size=float(sides.max())))
    return Scene(case.backdrop, tuple(actors), backdrop_seed=case.seed)
