"""Equation 4: a step's prediction as a mix of what two instructions say.

``eps = w * eps_original + (1 - w) * eps_edited``. The mix is taken on the denoiser's output, which is linear
in epsilon, v and flow alike, so the equation holds for every parameterisation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from rehearse.controls.control import Control


@dataclass(frozen=True, eq=False, slots=True)
class Side:
    """What one prediction is made under.

    text: embeddings ``[2, tokens, width]``, unconditional first. condition: extra input channels, or None
    (see :meth:`rehearse.models.model.VideoModel.denoise`). controls: those that act at attention sites.
    """

    text: Tensor
    condition: Tensor | None = None
    controls: tuple[Control, ...] = ()


KeptX0 = Callable[[int], Tensor]
"""The clean latents ``[1, channels, frames, h, w]`` that the parent take predicted in a step."""


@dataclass(frozen=True, eq=False, slots=True)
class Blend:
    """The original side of a mix and its weights; the edited side is the plan itself.

    original: a side, predicted anew in every step (a step then costs two), or the parent take's predictions,
    which cost nothing but were made for the parent's latents.
    weights: w, broadcastable to ``[1, 1, frames, h, w]``, in [0, 1]; 1 keeps the original, 0 the edit.
    """

    original: Side | KeptX0
    weights: Tensor
