"""How much the clips of the theatre move, on the scale of a motion instruction, and what they are shown.

PIA takes the affinity of a frame from its distance to the picture in latents. In a world of paper puppets
that distance is the puppet's size and colour: as soon as it has moved by its own width it does not grow. So
the affinity here says how fast the clip is: it falls from the picture's frame along the list of an amount,
and that amount is the share of clips that move less.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from rehearse.models.affinity import affinity
from rehearse.theatre.data import Clips
from rehearse.theatre.parts import NOTHING, SPEED
from rehearse.theatre.recipes import ANIMATE_LISTS
from rehearse.theatre.world.vocabulary import PUPPETS
from rehearse.training.clip_batches import ClipBatch
from rehearse.training.picture_condition import PICTURE_DROPOUT, shown_frames

LOOPS = 0.2
"""Share of clips that go there and back, and of which the affinity says so."""
_STILL = 0.05
_AT_ONCE = 512


def path_lengths(parts: Tensor) -> Tensor:
    """How far each clip's liveliest puppet goes, in fractions of the frame, ``[n]``: the way of its centre,
    and the change of its side.

    parts: int8 ``[n, F, h, w, 5]``, see :mod:`rehearse.theatre.parts`.
    """
    frames, high, wide = parts.shape[1:4]
    owner = F.one_hot(parts[..., 0].long().flatten(2, 3), len(PUPPETS) + 1).float()
    owner[..., NOTHING] = 0  # [n, F, cells, kinds]
    cells = owner.sum(2)
    speed = (parts[..., 3:].float() / SPEED).norm(dim=-1).flatten(2, 3)
    there = (cells > 0).float()
    each = torch.einsum("nfc,nfck->nfk", speed, owner) / cells.clamp(min=1)
    gone = each.sum(1) / there.sum(1).clamp(min=1)
    side, third = (cells / (high * wide)).sqrt(), max(1, frames // 3)

    def mean(part: slice) -> Tensor:
        return (side * there)[:, part].sum(1) / there[:, part].sum(1).clamp(min=1)

    # From the middle of the first third to that of the last are two thirds of the clip.
    grown = 1.5 * (mean(slice(-third, None)) - mean(slice(third))).abs()
    seen = (there.mean(1) > 0.5).float()
    return ((gone + grown) * seen).amax(1)


class Magnitudes:
    """The scale of amounts of a data set."""

    def __init__(self, clips: Clips) -> None:
        found = [
            path_lengths(torch.from_numpy(np.array(clips.parts[at : at + _AT_ONCE])))
            for at in range(0, len(clips), _AT_ONCE)
        ]
        self.ways: NDArray[np.float32] = torch.cat(found).numpy()
        self._moving = np.sort(self.ways[self.ways > _STILL])
        self._turning = np.array(["turns" in str(row["caption"]) for row in clips.rows])

    def amount(self, clip: int, faster: float, rng: np.random.Generator) -> float:
        """The amount of a clip at a multiple of its speed; of one that only turns, which is no way, any."""
        way = float(self.ways[clip]) * faster
        if way <= _STILL:
            return float(rng.random()) if self._turning[clip] else 0.0
        return float(np.searchsorted(self._moving, way) / max(len(self._moving), 1))

    def shown(self, batch: ClipBatch, rng: np.random.Generator) -> tuple[ClipBatch, Tensor]:
        """The batch, some of its clips made loops, and what is shown beside each: affinity and picture,
        ``[n, 1 + C, F, h, w]``, all zeros for some."""
        clean, subjects, parts = batch.clean.clone(), batch.subjects.clone(), batch.parts.clone()
        frames, conditions = clean.shape[2], []
        for k, clip in enumerate(batch.rows):
            loop = bool(rng.random() < LOOPS)
            sources, faster = [0] * frames, 1.0
            if loop:
                order, faster = there_and_back(frames, fast=bool(rng.random() < 0.5))
                clean[k], subjects[k] = batch.clean[k][:, order], batch.subjects[k][order]
                parts[k] = batch.parts[k][order]
                speed = (parts[k, ..., 3:].float() * faster).clamp(-127, 127)
                speed[frames // 2 :] *= -1
                parts[k, ..., 3:] = speed.round().to(torch.int8)
            else:
                sources = shown_frames(frames, rng)
            own = len(set(sources)) == 1
            near = affinity(
                frames,
                self.amount(int(clip), faster * batch.speed, rng),
                loop=loop,
                time=sources[0] / max(frames - 1, 1) if own else 0.0,
                lists=ANIMATE_LISTS,
            )
            beside = torch.tensor(near).view(1, frames, 1, 1).expand(-1, -1, *clean.shape[-2:])
            condition = torch.cat([beside, clean[k][:, sources]])
            conditions.append(condition * float(rng.random() >= PICTURE_DROPOUT))
        looped = dataclasses.replace(batch, clean=clean, subjects=subjects, parts=parts)
        return looped, torch.stack(conditions)


def there_and_back(frames: int, *, fast: bool) -> tuple[list[int], float]:
    """Which frames of a clip make a loop of as many, and the multiple of its speed: half of the way at the
    clip's own speed, or fast, all of it at twice that."""
    half = (frames + 1) // 2
    out = [round(k * (frames - 1) / max(half - 1, 1)) for k in range(half)] if fast else list(range(half))
    back = out[::-1] if frames % 2 == 0 else out[-2::-1]
    return out + back, 2.0 if fast else 1.0
