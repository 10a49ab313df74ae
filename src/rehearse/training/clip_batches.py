"""Batches of encoded clips for the models that learn motion: drawn, mirrored, captioned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.theatre.codec import PatchBasis
from rehearse.theatre.data import Clips
from rehearse.theatre.recipes import Recipe
from rehearse.theatre.world.vocabulary import BACKDROPS, COLOURS, PUPPETS, bare_caption

BARE = 0.3
"""Share of clips whose caption leaves the motion out: where a path says the motion, the prompt need not."""
SWAPPED = {"left": "right", "right": "left"}


@dataclass(frozen=True, eq=False, slots=True)
class ClipBatch:
    """Clips to learn from.

    clean: latents ``[n, C, F, h, w]``. subjects: share of each cell that puppets cover, in [0, 1],
    ``[n, F, h, w]``. parts: int8 ``[n, F, h, w, 5]``, see :mod:`rehearse.theatre.parts`. captions: some of
    them bare of motion, some empty. rows: which clips of the data set they are, ``[n]``. speed: 0.5
    where they are shown at half speed.
    """

    clean: Tensor
    subjects: Tensor
    parts: Tensor
    captions: list[str]
    rows: NDArray[np.int64]
    speed: float = 1.0


def draw_clips(
    clips: Clips, count: int, recipe: Recipe, mirror: Tensor, every_other: float, rng: np.random.Generator
) -> ClipBatch:
    """A batch of different clips, half of them mirrored.

    mirror: of :func:`mirror_matrix`. every_other: share of batches that keep every other frame only, at half
    the cost, and with the same directions to learn.
    """
    chosen = np.sort(rng.choice(len(clips), count, replace=False))
    clean = torch.from_numpy(clips.latents[chosen]).float()  # [n, F, C, h, w]
    subjects = torch.from_numpy(clips.subjects[chosen]).float() / 255
    parts = torch.from_numpy(clips.parts[chosen])
    captions = [str(clips.rows[int(i)]["caption"]) for i in chosen]
    for k in range(count):
        if rng.random() < 0.5:
            clean[k] = torch.einsum("fchw,cd->fdhw", clean[k].flip(3), mirror)
            subjects[k] = subjects[k].flip(2)
            parts[k] = parts[k].flip(2)
            parts[k, ..., 3] *= -1
            captions[k] = mirrored_caption(captions[k])
        if rng.random() < BARE:
            captions[k] = bare_caption_of(clips.rows[int(chosen[k])])
        if rng.random() < recipe.text_dropout:
            captions[k] = ""
    speed = 1.0
    if rng.random() < every_other:
        kept = slice(None, None, 2)
        if recipe.slow and rng.random() < recipe.slow:
            # As many neighbouring frames: half of the way in a clip of the same length.
            speed, half = 0.5, clean.shape[1] // 2
            at = int(rng.integers(half + 1))
            kept = slice(at, at + half)
        clean, subjects, parts = clean[:, kept], subjects[:, kept], parts[:, kept].clone()
        parts[..., 3:] = (parts[..., 3:].float() * speed).round().to(parts.dtype)
    return ClipBatch(clean.permute(0, 2, 1, 3, 4), subjects, parts, captions, chosen, speed)


def halved(step: int, steps: int) -> float:
    """Share of batches at every other frame: all in the first three quarters of the steps, then none."""
    return 1.0 if step < 0.75 * steps else 0.0


def mirrored_caption(caption: str) -> str:
    """The caption of the mirrored clip."""
    return " ".join(SWAPPED.get(word, word) for word in caption.split(" "))


def bare_caption_of(row: dict[str, Any]) -> str:
    """The caption without motions of a row of labels."""
    puppets = [(PUPPETS[k], COLOURS[c]) for k, c in zip(row["kinds"], row["colours"], strict=True)]
    return bare_caption(puppets, BACKDROPS[row["backdrop"]])


def mirror_matrix(basis: PatchBasis) -> Tensor:
    """``[C, C]``: what mirroring a picture does to the latents of a patch (the patches also swap places).

    The components are whitened projections, so the best linear answer is decode, mirror, encode."""
    patches = basis.decode_matrix.reshape(-1, 8, 8, 3).flip(2).reshape(basis.channels, -1)
    return patches @ basis.encode_matrix
