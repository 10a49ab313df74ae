"""The loss of target training: ``L = L_rec + weight * E||A - M||^2`` (docs/methods.md, section 5.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Normalisation = Literal["joint", "text", "max"]
"""How columns are scaled before they meet the mask. joint: as they are, probabilities over all keys (about
one in the number of tokens at first, so with small gradients); text: probabilities over text keys alone; max:
joint, divided by each map's largest value."""

SMALLEST_NOISE = 1e-4
"""``1 - alphabar`` counts as at least this: the nearly clean end would weigh without bound otherwise."""


def clean_of(output: Tensor, noisy: Tensor, alphabar: Tensor, prediction_type: str) -> Tensor:
    """The prediction of clean latents ``x0^`` from a denoiser's output.

    alphabar: ``[batch]``, of each sample's timestep. prediction_type: diffusers' "v_prediction", "epsilon" or
    "sample".
    """
    alpha, sigma = _beside(alphabar.sqrt(), noisy), _beside((1 - alphabar).sqrt(), noisy)
    if prediction_type == "v_prediction":
        return alpha * noisy - sigma * output
    if prediction_type == "epsilon":
        return (noisy - sigma * output) / alpha.clamp(min=SMALLEST_NOISE)
    return output


def reconstruction(clean_prediction: Tensor, clean: Tensor, alphabar: Tensor) -> Tensor:
    """``mean (x0^ - x0)^2 / (1 - alphabar)``, a value per sample ``[batch]``; 1 - alphabar at least
    :data:`SMALLEST_NOISE`. For a v-predicting model this is the mean squared error of v."""
    weight = 1 / (1 - alphabar).clamp(min=SMALLEST_NOISE)
    return (clean_prediction - clean).square().flatten(1).mean(dim=1) * weight


def normalised(columns: Tensor, normalisation: Normalisation) -> Tensor:
    """Columns ``[..., tokens]`` on the scale of the mask; "joint" and "text" come as they are."""
    if normalisation == "max":
        return columns / columns.amax(dim=-1, keepdim=True).clamp(min=torch.finfo(columns.dtype).tiny)
    return columns


def column_error(columns: Tensor, masks: Tensor, present: Tensor) -> Tensor:
    """``E||A - M||^2``: the mean over blocks and samples, in each over its roles and tokens.

    columns: ``[blocks, batch, roles, tokens]``. masks: ``[batch, roles, tokens]`` in [0, 1]. present:
    ``[batch, roles]``, 1 where the word is in the prompt. What is not present does not count among a sample's
    roles; a sample without any, as one that is shown no text, counts as 0.
    """
    return over_present((columns - masks).square().mean(dim=-1), present).mean()


def over_present(values: Tensor, present: Tensor) -> Tensor:
    """The mean over the roles that are present, ``[..., batch]``; 0 where none is.

    values: ``[..., batch, roles]``. present: ``[batch, roles]``, 0 or 1.
    """
    return (values * present).sum(dim=-1) / present.sum(dim=-1).clamp(min=1)


@dataclass(frozen=True, slots=True)
class Attention:
    """Mean attention of the cells in the masks and of those outside, over what is present."""

    inside: float
    outside: float

    @property
    def ratio(self) -> float:
        """How many times more the inside gets; 1 where the maps ignore the masks."""
        return self.inside / max(self.outside, 1e-12)


def inside_outside(columns: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """Mean column weighted by the mask and by its complement, each ``[blocks, batch, roles]``."""
    inside = (columns * masks).sum(dim=-1) / masks.sum(dim=-1).clamp(min=1e-6)
    outside = (columns * (1 - masks)).sum(dim=-1) / (1 - masks).sum(dim=-1).clamp(min=1e-6)
    return inside, outside


def _beside(values: Tensor, like: Tensor) -> Tensor:
    return values.view(-1, *[1] * (like.ndim - 1))
