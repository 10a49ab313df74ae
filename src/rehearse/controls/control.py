"""The control protocol: a method that acts on denoising, whatever the model.

A control may act in three places, each a no-op here: on the starting latents (``prepare``), on a
site's attention (``attend``) and on the prediction after guidance (``predict``). One file per method.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rehearse.prediction import Prediction
from rehearse.sites import AttentionCall, Site


@dataclass(frozen=True, slots=True)
class Moment:
    """Where in the denoising a control is asked.

    step: index of the step about to be taken, 0 the noisiest; steps: how many there are in all.
    timestep: the model's own time value of this step (1000 x sigma for flow models).
    """

    step: int
    steps: int
    timestep: float

    @property
    def progress(self) -> float:
        """Fraction of the steps already taken, in [0, 1)."""
        return self.step / self.steps


class Control:
    """Base of all controls; override what the method needs. Controls hold no state between steps:
    all they know comes from their fields and the moment, so that a take resumes bit-exactly."""

    name: str = "control"

    def prepare(self, latents: Tensor, generator: torch.Generator) -> Tensor:
        """Change the starting noise ``[batch, channels, frames, height, width]`` before step 0.

        The latents have unit variance here; the loop scales them to the scheduler's first noise level.
        """
        return latents

    def wants(self, site: Site, moment: Moment) -> bool:
        """Whether :meth:`attend` must be asked at this site in this step."""
        return False

    def attend(self, call: AttentionCall, moment: Moment) -> Tensor | None:
        """The site's output after its projection ``[batch, queries, channels]``; None to pass."""
        return None

    def predict(self, prediction: Prediction, moment: Moment) -> Prediction:
        """Change the prediction (after guidance, before the scheduler's step)."""
        return prediction
