"""What the loop needs to know of a shot."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from rehearse.controls.control import Control
from rehearse.controls.subject import Subject
from rehearse.sampling.blend import Blend, Side


@dataclass(frozen=True, eq=False, slots=True)
class Plan:
    """One model call, validated; ``rehearse.planning.plan`` makes it from a shot.

    frames, width, height: of the clip, in frames and pixels. fps: frames a second.
    steps: denoising steps. guidance: 1 runs the conditional branch only. scheduler: its name.
    seed: of the noise. text: embeddings ``[2, tokens, width]``, unconditional first.
    subjects: what follows a path, back to front as the shot lists them. controls: in the order they act.
    condition: extra input channels of models that start from a picture, see ``VideoModel.denoise``.
    blend: the other side of equation 4, None for an unblended run. pictures: what the clip is to show before
    the model moves it, uint8 ``[1 or frames, height, width, 3]``; None for models that start from no picture.
    """

    frames: int
    width: int
    height: int
    fps: float
    steps: int
    guidance: float
    scheduler: str
    seed: int
    text: Tensor
    subjects: tuple[Subject, ...] = ()
    controls: tuple[Control, ...] = ()
    condition: Tensor | None = None
    blend: Blend | None = None
    pictures: NDArray[np.uint8] | None = None

    @property
    def picture(self) -> str | None:
        """SHA-256 of the pictures' pixels; None without any."""
        return None if self.pictures is None else hashlib.sha256(self.pictures.tobytes()).hexdigest()

    @property
    def side(self) -> Side:
        """What this plan's own prediction is made under."""
        return Side(self.text, self.condition, self.controls, self.blend, self.guidance)
