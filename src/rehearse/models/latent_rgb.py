"""A linear map from latents to RGB: a look at all frames that costs next to nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.models.errors import ModelError
from rehearse.models.folder import ModelFolder


@dataclass(frozen=True, slots=True)
class LatentRGB:
    """``rgb = latents @ matrix + bias`` in [0, 1]; matrix ``[channels, 3]``, bias ``[3]``."""

    matrix: Tensor
    bias: Tensor

    def __call__(self, latents: Tensor) -> NDArray[np.uint8]:
        """``[clips, channels, frames, h, w]`` to uint8 ``[clips, frames, h, w, 3]``."""
        rgb = latents.detach().float().permute(0, 2, 3, 4, 1) @ self.matrix + self.bias
        picture: NDArray[np.uint8] = (rgb.nan_to_num().clamp_(0, 1) * 255).round_().to(torch.uint8).numpy()
        return picture


def read_latent_rgb(folder: ModelFolder) -> LatentRGB | None:
    """The map in ``latent_rgb.json`` beside the model index, or None where there is no such file.

    The file holds ``{"matrix": [[r, g, b] per channel], "bias": [r, g, b]}`` and takes latents at the
    denoiser's scale to RGB in [0, 1]. Raises ModelError where it is malformed.
    """
    content = folder.optional("latent_rgb.json")
    if content is None:
        return None
    try:
        matrix = torch.tensor(content["matrix"], dtype=torch.float32)  # type: ignore[call-overload]
        bias = torch.tensor(content["bias"], dtype=torch.float32)  # type: ignore[call-overload]
    except (KeyError, TypeError, ValueError):
        matrix = bias = torch.empty(0)
    vae = folder.config("vae")
    # Wan's autoencoders call them otherwise.
    channels = vae.get("latent_channels", vae.get("z_dim"))
    if matrix.shape != (channels, 3) or bias.shape != (3,):
        raise ModelError(
            f"model {folder.identity!r}: latent_rgb.json needs a matrix of {channels} rows of 3 numbers "
            "and a bias of 3 numbers; remove the file to have the map fitted"
        )
    return LatentRGB(matrix, bias)


def fit_latent_rgb(latents: Tensor, pictures: Tensor) -> LatentRGB:
    """Least-squares map from latents ``[N, channels, h, w]`` to their pictures ``[N, 3, H, W]`` in [0, 1].

    Pictures are averaged over each latent cell first.
    """
    means = torch.nn.functional.adaptive_avg_pool2d(pictures.double(), (latents.shape[-2], latents.shape[-1]))
    rows = latents.double().permute(0, 2, 3, 1).flatten(0, 2)
    columns = torch.cat([rows, torch.ones(len(rows), 1, dtype=torch.float64)], dim=1)
    solution = torch.linalg.lstsq(columns, means.permute(0, 2, 3, 1).flatten(0, 2)).solution
    return LatentRGB(matrix=solution[:-1].float(), bias=solution[-1].float())


def fit_by_decoding(decode: Callable[[Tensor], Tensor], channels: int, factor: int) -> LatentRGB:
    """A map fitted to what ``decode`` makes of random latents: ``[N, channels, h, w]`` -> RGB in [0, 1].

    The latents are smooth (noise at three scales), as those of pictures are: decoders answer white noise
    with textures whose mean colour says little.
    """
    generator = torch.Generator().manual_seed(0)
    side, count = 8, 24
    latents = torch.zeros(count, channels, side, side)
    for cells, weight in ((1, 0.8), (2, 0.5), (4, 0.35)):
        noise = torch.randn(count, channels, cells, cells, generator=generator)
        latents += weight * torch.nn.functional.interpolate(noise, size=(side, side), mode="nearest")
    with torch.no_grad():
        pictures = decode(latents)
    return fit_latent_rgb(latents, pictures)
