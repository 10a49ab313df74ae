"""The helper tasks of the models that learn motion, together: parts and velocities, ways and times, words."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from rehearse.theatre.data import Clips
from rehearse.training.clip_batches import ClipBatch
from rehearse.training.motion_words import CAPTIONS


def motion_tasks(
    module: Any, batch: ClipBatch, clips: Clips, tokenizer: Any, rng: np.random.Generator
) -> tuple[Tensor, dict[str, float]]:
    """Their summed error after the denoiser's call on a batch, and each of them to log.

    module: has the denoiser's ``parts`` (PartHead) and ``ways`` (WayHead), the text encoder ``text`` and its
    ``words`` (MotionWords), which hears captions of clips beyond the batch too.
    """
    parts = batch.parts.to(next(module.ways.parameters()).device)
    named = module.parts.loss(parts.flatten(0, 1))
    come = module.ways.loss(parts)
    drawn = rng.choice(len(clips), min(CAPTIONS, len(clips)), replace=False)
    captions = [str(clips.rows[int(i)]["caption"]) for i in drawn]
    heard = module.words.loss(module.text, tokenizer, captions, rng)
    errors = {"parts": named, "ways": come, "words": heard}
    return named + come + heard, {name: float(error.detach()) for name, error in errors.items()}
