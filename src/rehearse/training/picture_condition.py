"""What a denoiser of PIA's kind is shown beside noisy clips: a picture, and how near each frame is to it.

Every trainer of such a model draws it here: the theatre's own, and ``rehearse train motion``.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

PICTURE_DROPOUT = 0.2
"""Share of clips that are shown no picture and no affinity (PIA), so that pictures can be guided."""
FIRST, ANOTHER = 0.65, 0.15
"""Of the others, shares that are shown their first frame, and a random one. The rest see a picture that
moves: one of their frames at a time, held for a while, as the pictures of a drag move."""
HOLDS = (1, 2, 4)
LOWEST = 0.2
"""Affinity of a frame as far from its picture as any; PIA's."""


def distance(frames: Tensor, pictures: Tensor) -> Tensor:
    """Root mean square difference of latents ``[n, F, C, h, w]``: ``[n, F]``."""
    return (frames - pictures).square().mean(dim=(2, 3, 4)).sqrt()


def shown_frames(frames: int, rng: np.random.Generator) -> list[int]:
    """For each frame of a clip, which of its frames is the picture it is shown."""
    chance = rng.random()
    if chance < FIRST:
        return [0] * frames
    if chance < FIRST + ANOTHER:
        return [int(rng.integers(frames))] * frames
    hold = int(rng.choice(HOLDS))
    return [frame // hold * hold for frame in range(frames)]


def draw_condition(clean: Tensor, unit: float, rng: np.random.Generator) -> Tensor:
    """What is shown beside noisy clips: affinity and picture, ``[n, 1 + C, F, h, w]``; all zeros for some.

    clean: latents ``[n, C, F, h, w]``. unit: the :func:`distance` that counts as far. The affinity is
    ``1 - (1 - LOWEST) min(d / unit, 1)`` with d the distance of a frame from its picture.
    """
    clips = clean.transpose(1, 2)
    frames = clips.shape[1]
    pictures = torch.stack([clip[shown_frames(frames, rng)] for clip in clips])
    near = 1 - (1 - LOWEST) * (distance(clips, pictures) / unit).clamp(max=1)
    beside = near[:, :, None, None, None].expand(-1, -1, 1, *clean.shape[-2:])
    seen = torch.from_numpy(rng.random(len(clean)) >= PICTURE_DROPOUT).float()
    condition = torch.cat([beside, pictures], dim=2).transpose(1, 2)
    return condition * seen.view(-1, 1, 1, 1, 1)
