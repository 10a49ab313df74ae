"""A theatre that knows the truth: engines that render what a shot asks for, and a judge that remembers it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rehearse.evaluation.kit.measure import Tools
from rehearse.shot import Shot
from rehearse.theatre.world import BACKDROPS, COLOURS, PUPPETS, Actor, Scene, render, sample_path

_MEMORY: dict[bytes, tuple[np.ndarray, Scene]] = {}


@dataclass
class Maps:
    kind: np.ndarray
    colour: np.ndarray


def remember(frames: np.ndarray, masks: np.ndarray, scene: Scene) -> np.ndarray:
    """Let the oracle know whose pixels these frames [F, H, W, 3] show."""
    for frame, mask in zip(frames, masks, strict=True):
        _MEMORY[frame.tobytes()] = (mask, scene)
    return frames


class Oracle:
    """A judge by ground truth; knows nothing of frames it was not told about."""

    def _look(self, frame):
        return _MEMORY.get(np.ascontiguousarray(frame).tobytes(), (np.zeros(frame.shape[:2], int), None))

    def segment(self, frames):
        kinds, colours = np.zeros(frames.shape[:3], int), np.zeros(frames.shape[:3], int)
        for n, frame in enumerate(frames):
            mask, scene = self._look(frame)
            for i, actor in enumerate(scene.actors if scene else ()):
                kinds[n][mask == i + 1] = PUPPETS.index(actor.kind) + 1
                colours[n][mask == i + 1] = COLOURS.index(actor.colour) + 1
        return Maps(kinds, colours)

    def detect(self, frames, kind, colour):
        maps = self.segment(frames)
        match = (maps.kind == PUPPETS.index(kind) + 1) & (maps.colour == COLOURS.index(colour) + 1)
        boxes = np.full((len(frames), 4), np.nan, np.float32)
        height, width = frames.shape[1:3]
        for n, here in enumerate(match):
            ys, xs = np.nonzero(here)
            if len(ys):
                boxes[n] = (
                    xs.min() / width,
                    ys.min() / height,
                    (xs.max() + 1) / width,
                    (ys.max() + 1) / height,
                )
        return boxes, (~np.isnan(boxes[:, 0])).astype(np.float32)

    def features(self, frames):
        # What colours there are, wherever they are.
        hist = [
            np.stack([np.bincount(c.ravel() // 32, minlength=8) for c in frames[..., k]]) for k in range(3)
        ]
        return (np.concatenate(hist, axis=1) / frames[0, ..., 0].size).astype(np.float32)


def read_prompt(prompt: str) -> tuple[list[tuple[str, str]], str, str]:
    """(kind, colour) pairs, backdrop and the last motion word pair of a prompt."""
    words = prompt.replace(",", "").split()
    pairs = [(b, a) for a, b in pairwise(words) if a in COLOURS and b in PUPPETS]
    backdrop = next(word for word in words if word in BACKDROPS)
    return pairs, backdrop, prompt


def perfect(shot: Shot, frames: int = 8, size: int = 64) -> np.ndarray:
    """Every subject exactly where its path says."""
    pairs, backdrop, _ = read_prompt(shot.prompt)
    actors = []
    for (kind, colour), instruction in zip(pairs, shot.instructions, strict=True):
        boxes = instruction.path.resample(frames)
        sides = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
        keys = tuple(
            (f / (frames - 1), (b[0] + b[2]) / 2, (b[1] + b[3]) / 2, s / sides.max(), 0.0)
            for f, (b, s) in enumerate(zip(boxes.tolist(), sides.tolist(), strict=True))
        )
        actors.append(Actor(kind, colour, keys, size=float(sides.max())))
    return _render(Scene(backdrop, tuple(actors), shot.seed % 100), frames, size)


def static(shot: Shot, frames: int = 8, size: int = 64) -> np.ndarray:
    """The right subjects, at rest in the middle whatever is asked."""
    pairs, backdrop, _ = read_prompt(shot.prompt)
    actors = tuple(
        Actor(kind, colour, ((0.0, 0.35 + 0.3 * i, 0.5, 1.0, 0.0),), size=0.3)
        for i, (kind, colour) in enumerate(pairs)
    )
    return _render(Scene(backdrop, actors, shot.seed % 100), frames, size)


def prompted(shot: Shot, frames: int = 8, size: int = 64) -> np.ndarray:
    """One subject that moves as the caption says; at rest where it says nothing."""
    pairs, backdrop, prompt = read_prompt(shot.prompt)
    (kind, colour), *_ = pairs
    verbs = " ".join(prompt.split()[3:5])
    rng = np.random.default_rng(shot.seed)
    motion = verbs if verbs.split()[0] in ("moves", "arcs") else "stands still"
    actor = Actor(kind, colour, sample_path(motion, 0.35, rng), size=0.35)
    return _render(Scene(backdrop, (actor,)), shot.frames or frames, size)


def _render(scene: Scene, frames: int, size: int) -> np.ndarray:
    clip = render(scene, frames, size)
    return remember(clip.frames, clip.masks, scene)


def by_settings(shot: Shot) -> np.ndarray:
    """An engine with the effects the ablation looks for: no control stands still; masks follow
    half-heartedly, the temporal prior makes them follow truly; without normalization frames get a grain."""
    control = shot.control
    if not control.frozen_steps:
        return static(shot)
    follows = control.temporal_prior != "none" or shot.seed % 2 == 0
    frames = perfect(shot) if follows else static(shot)
    if control.normalization == "none":
        return grainy(frames, shot.seed)
    return frames


def grainy(frames: np.ndarray, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 40, frames.shape)
    noisy = (frames.astype(int) + noise).clip(0, 255).astype(np.uint8)
    oracle = Oracle()
    for before, after in zip(frames, noisy, strict=True):
        mask, scene = oracle._look(before)
        _MEMORY[after.tobytes()] = (mask, scene)
    return noisy


def tools(engine) -> Tools:
    return Tools(engine, Oracle())
