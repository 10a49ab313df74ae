"""Equation 4: a step's prediction as a mix of what two instructions say.

``eps = w * eps(z) + (1 - w) * eps'(z')``, the original's first. The mix is taken on the denoiser's output and
on the latents that each side's controls made of z, both of which are linear in x0 and noise: so the equation
holds for epsilon, v, sample and flow alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from rehearse.controls.control import Control


@dataclass(frozen=True, eq=False, slots=True)
class Side:
    """What one prediction is made under.

    text: embeddings ``[2, tokens, width]``, unconditional first. condition: extra input channels, or None
    (see :meth:`rehearse.models.model.VideoModel.denoise`). controls: those that act on this side, at
    attention sites and on its prediction. blend: where this side is itself a mix, its original and weights.
    guidance: its scale of classifier-free guidance; None is the plan's.
    """

    text: Tensor
    condition: Tensor | None = None
    controls: tuple[Control, ...] = ()
    blend: Blend | None = None
    guidance: float | None = None


KeptX0 = Callable[[int], Tensor]
"""The clean latents ``[1, channels, frames, h, w]`` that the parent take predicted in a step."""


@dataclass(frozen=True, eq=False, slots=True)
class Kept:
    """A :data:`KeptX0` over clean latents by step."""

    x0: Mapping[int, Tensor]

    def __call__(self, step: int) -> Tensor:
        return self.x0[step]


@dataclass(frozen=True, eq=False, slots=True)
class Blend:
    """The original side of a mix and its weights; the edited side is what carries the blend.

    original: a side, predicted anew in every step (a step then costs two), or the parent take's predictions,
    which cost nothing but were made for the parent's latents.
    weights: w, broadcastable to ``[1, 1, frames, h, w]``, in [0, 1]; 1 keeps the original, 0 the edit.
    A side that has no weight anywhere is not predicted.
    """

    original: Side | KeptX0
    weights: Tensor

    @property
    def follows_edit(self) -> bool:
        """Whether w is 0 everywhere."""
        return not bool(self.weights.any())

    @property
    def keeps_original(self) -> bool:
        """Whether w is 1 everywhere."""
        return bool((self.weights == 1).all())
