"""Batches of clips: halves of them at the clip's own speed, and at half of it."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import torch

from rehearse.theatre.data import Clips
from rehearse.theatre.recipes import ANIMATE
from rehearse.training.clip_batches import draw_clips

FRAMES = 16


class Counted:
    """Clips whose latents tell the frame."""

    def __init__(self) -> None:
        self.latents = np.broadcast_to(np.arange(FRAMES).reshape(1, -1, 1, 1, 1), (6, FRAMES, 2, 4, 4))
        self.subjects = np.zeros((6, FRAMES, 4, 4), np.uint8)
        self.parts = np.full((6, FRAMES, 4, 4, 5), 20, np.int8)
        self.rows = [{"caption": "a red ball moves up", "kinds": [0], "colours": [0], "backdrop": 0}] * 6

    def __len__(self) -> int:
        return len(self.rows)


def test_a_slow_clip_has_neighbouring_frames_and_half_the_velocity() -> None:
    clips, recipe, seen = cast(Clips, Counted()), replace(ANIMATE, slow=0.5), set()
    for seed in range(40):
        batch = draw_clips(clips, 3, recipe, torch.eye(2), 1.0, np.random.default_rng(seed))
        assert batch.clean.shape == (3, 2, FRAMES // 2, 4, 4)
        step = {float(value) for value in batch.clean[:, 0, :, 0, 0].diff(dim=1).unique()}
        speeds = {int(value) for value in batch.parts[..., 4].unique()}
        assert (step, speeds) == (({1.0}, {10}) if batch.speed == 0.5 else ({2.0}, {20}))
        seen.add(batch.speed)
        assert len(batch.rows) == 3
    assert seen == {0.5, 1.0}


def test_without_slow_clips_and_at_full_length_nothing_is_slowed() -> None:
    clips = cast(Clips, Counted())
    for seed in range(10):
        rng = np.random.default_rng(seed)
        plain = draw_clips(clips, 2, replace(ANIMATE, slow=0.0), torch.eye(2), 1.0, rng)
        whole = draw_clips(clips, 2, ANIMATE, torch.eye(2), 0.0, rng)
        assert plain.speed == whole.speed == 1.0 and whole.clean.shape[2] == FRAMES
