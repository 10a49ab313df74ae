"""Where a denoising run stands between two steps."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from rehearse.sampling.snapshot import Snapshot


@dataclass(frozen=True, eq=False, slots=True)
class State:
    """All that is needed to take the next step, and nothing that a step changes in place.

    step: how many steps are done. latents: float32 ``[1, channels, frames, h, w]`` in the scheduler's frame.
    scheduler: with its history. generator: state of the random generator (uint8).
    x0: clean latents as the last step's prediction sees them; None before the first step.
    """

    step: int
    latents: Tensor
    scheduler: Snapshot
    generator: Tensor
    x0: Tensor | None = None
