"""What the Wan codec learns on: crops round puppets, now and then whole frames, of stills and of clips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.theatre.data import SIZE, Stills, rng_of
from rehearse.theatre.judge import to_input
from rehearse.theatre.world import render_frame, sample_scene
from rehearse.theatre.world.render import frame_times

CROP = 64
WHOLE_EVERY = 4
"""Each that many steps sees whole frames: what attends over all of a frame must meet all of it."""
AROUND_PUPPETS = 0.8
"""Share of crops round a puppet, where there is one: backdrops are easy."""


@dataclass(frozen=True)
class CodecBatch:
    """``pictures`` float32 [N, 3, F, H, W] in [-1, 1]; ``subjects`` float32 [N, 1, F, H, W], 1 on puppets."""

    pictures: Tensor
    subjects: Tensor


def of_stills(stills: Stills, count: int, step: int, rng: np.random.Generator) -> CodecBatch:
    """``count`` crops of stills, or a quarter as many whole ones."""
    whole = step % WHOLE_EVERY == WHOLE_EVERY - 1
    chosen = np.sort(rng.choice(len(stills), max(count // 4, 1) if whole else count, replace=False))
    return _batch([(stills.frames[i][None], stills.masks[i][None]) for i in chosen.tolist()], whole, rng)


def of_clips(
    seed: int, samples: int, frames: int, length: int, count: int, step: int, rng: np.random.Generator
) -> CodecBatch:
    """``count`` crops of ``length`` neighbouring frames of clips of ``frames``, rendered as they are asked
    for; or one, of a third of that length, that is whole."""
    whole = step % WHOLE_EVERY == WHOLE_EVERY - 1
    if whole:
        count, length = 1, max(length // 3 // 2 * 2 + 1, 3)
    drawn = []
    for index in rng.integers(0, samples, count).tolist():
        scene = sample_scene(rng_of(seed, index))
        first = int(rng.integers(0, frames - length + 1))
        shots = [render_frame(scene, t) for t in frame_times(frames)[first : first + length]]
        drawn.append((np.stack([shot.frame for shot in shots]), np.stack([shot.masks for shot in shots])))
    return _batch(drawn, whole, rng)


def _batch(
    drawn: list[tuple[NDArray[np.uint8], NDArray[np.uint8]]], whole: bool, rng: np.random.Generator
) -> CodecBatch:
    pictures, subjects = [], []
    for frames, owners in drawn:
        if not whole:
            top, left = _corner(owners, rng)
            frames = frames[:, top : top + CROP, left : left + CROP]
            owners = owners[:, top : top + CROP, left : left + CROP]
        if rng.random() < 0.5:
            frames, owners = frames[:, :, ::-1], owners[:, :, ::-1]
        pictures.append(to_input(np.ascontiguousarray(frames)).transpose(0, 1))
        subjects.append(torch.from_numpy(owners > 0).float().unsqueeze(0))
    return CodecBatch(torch.stack(pictures), torch.stack(subjects))


def _corner(owners: NDArray[np.uint8], rng: np.random.Generator) -> tuple[int, int]:
    """The corner of a crop, round a pixel of a puppet of any frame."""
    _, rows, columns = np.nonzero(owners)
    if len(rows) and rng.random() < AROUND_PUPPETS:
        pick = int(rng.integers(len(rows)))
        middle = np.array([rows[pick], columns[pick]]) + rng.integers(-20, 21, 2)
    else:
        middle = rng.integers(0, SIZE, 2)
    top, left = np.clip(middle - CROP // 2, 0, SIZE - CROP).tolist()
    return int(top), int(left)
