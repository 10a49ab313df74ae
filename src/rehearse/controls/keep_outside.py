"""Blended diffusion (Avrahami et al. 2022): outside a region, the picture that was there stays at every step.

In each step the clean prediction outside the region is set to the original's latents and the noise takes up
the difference. A run that started from the noised original then keeps the noise it was given there, so the
latents outside are at each step the original at that step's noise level: what RePaint composes by hand.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rehearse.controls.control import Control, Moment
from rehearse.prediction import Prediction


@dataclass(frozen=True, eq=False)
class KeepOutside(Control):
    """original: clean latents ``[1, channels, frames, h, w]``. inside: float ``[h, w]`` (or broadcastable
    to the latents) in [0, 1]: 1 follows the prediction, 0 keeps the original."""

    original: Tensor
    inside: Tensor
    name: str = "keep outside"

    def predict(self, prediction: Prediction, moment: Moment) -> Prediction:
        x0 = prediction.x0
        wide = torch.promote_types(x0.dtype, self.original.dtype)
        kept = torch.lerp(self.original.to(wide), x0.to(wide), self.inside.to(wide))
        return prediction.with_x0(kept.to(x0.dtype))
