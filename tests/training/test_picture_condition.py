"""What a denoiser is shown beside noisy clips: its own pictures, and how near each frame is to them."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearse.training.picture_condition import ANOTHER, FIRST, LOWEST, draw_condition, shown_frames


@given(st.integers(0, 10_000), st.sampled_from([8, 16]))
@settings(max_examples=50, deadline=None)
def test_what_is_shown_is_the_clip_s_own_and_the_affinity_says_how_near(seed: int, frames: int) -> None:
    torch.manual_seed(seed)
    # Frames that drift: how far two are apart is known.
    clean = torch.randn(3, 4, 1, 4, 4) + 0.1 * torch.arange(frames).view(1, 1, -1, 1, 1)
    condition = draw_condition(clean, 1.0, np.random.default_rng(seed))
    assert condition.shape == (3, 5, frames, 4, 4)
    for clip, beside in zip(clean, condition, strict=True):
        if not beside.any():
            continue
        near, pictures = beside[0, :, 0, 0], beside[1:]
        sources = [
            next(k for k in range(frames) if torch.equal(pictures[:, f], clip[:, k])) for f in range(frames)
        ]
        away = torch.tensor([0.1 * abs(f - k) for f, k in enumerate(sources)])
        torch.testing.assert_close(near, (1 - (1 - LOWEST) * away).clamp(min=LOWEST), atol=1e-4, rtol=0)


def test_pictures_are_left_out_and_chosen_as_often_as_is_said() -> None:
    rng = np.random.default_rng(0)
    shown = [shown_frames(16, rng) for _ in range(4000)]
    first = np.mean([one == [0] * 16 for one in shown])
    moving = np.mean([len(set(one)) > 1 for one in shown])
    assert abs(first - FIRST - ANOTHER / 16) < 0.03
    assert abs(moving - (1 - FIRST - ANOTHER)) < 0.03
    clean = torch.randn(2000, 1, 2, 1, 1)
    seen = draw_condition(clean, 1.0, rng).flatten(1).any(1).float().mean()
    assert abs(float(seen) - 0.8) < 0.03
