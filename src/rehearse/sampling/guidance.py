"""Classifier-free guidance, in the one place where both branches of a prediction meet."""

from __future__ import annotations

from torch import Tensor

from rehearse.models.model import VideoModel


def guided(
    model: VideoModel,
    unconditional: Tensor,
    conditional: Tensor,
    guidance: float,
    condition: Tensor | None = None,
) -> Tensor:
    """``u + guidance (c - u)`` of denoiser outputs ``[clips, channels, frames, h, w]``.

    condition: what the denoiser got beside the latents; a model that reads it may give some places less of
    the guidance beyond 1 (:meth:`VideoModel.guided_places`).
    """
    shares = model.guided_places(condition)
    scales = guidance if shares is None else 1 + (guidance - 1) * shares
    return unconditional + scales * (conditional - unconditional)
