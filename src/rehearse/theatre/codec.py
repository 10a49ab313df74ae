"""The latent space of the theatre: principal components of 8 x 8 patches, partly whitened.

The components are found in closed form and the encoder of the shipped autoencoder is taught to compute
them; so the diffusion models can train from the first minute on, while the decoder, which must make
sharp paper edges out of few numbers, learns beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from rehearse.theatre.data import coverage

PATCH = 8
FLATTENING = 0.6
"""How far the spectrum of the components is flattened: 0 keeps their deviations, 1 whitens.

Wholly whitened, brightness and the finest stroke drown in noise at the same timestep, and a denoiser must
decide on both at once; with their order kept in part, it settles what is where before how it looks.
"""


@dataclass(frozen=True)
class PatchBasis:
    """Principal components of RGB patches, brought to similar size.

    mean: ``[192]``; encode_matrix: ``[192, C]``, patches to latents of unit variance on average;
    decode_matrix: ``[C, 192]``, back. Patches are PATCH x PATCH x RGB in [-1, 1].
    """

    mean: Tensor
    encode_matrix: Tensor
    decode_matrix: Tensor

    @property
    def channels(self) -> int:
        """Latent channels."""
        return self.encode_matrix.shape[1]

    @classmethod
    def fit(
        cls, pictures: NDArray[np.uint8], masks: NDArray[np.uint8], channels: int, subject_weight: float = 4.0
    ) -> PatchBasis:
        """Fit on pictures uint8 [N, H, W, 3] and their puppet masks uint8 [N, H, W].

        A patch that a puppet covers weighs ``1 + subject_weight``: puppets are a tenth of a picture and
        all of what people ask for.
        """
        patches = _patches(torch.from_numpy(np.array(pictures))).reshape(-1, 3 * PATCH * PATCH).double()
        weights = 1.0 + subject_weight * torch.from_numpy(coverage(masks)).double().reshape(-1, 1) / 255
        mean = (patches * weights).sum(0) / weights.sum()
        centred = patches - mean
        values, vectors = torch.linalg.eigh((centred * weights).T @ centred / weights.sum())
        order = values.argsort(descending=True)[:channels]
        deviations, vectors = values[order].sqrt(), vectors[:, order]
        # The sign of an eigenvector is arbitrary; fix it so that a fit is the same everywhere.
        vectors = vectors * vectors[vectors.abs().argmax(0), torch.arange(channels)].sign()
        whitened = cls(
            mean.float(), (vectors / deviations).float(), (vectors * deviations).T.contiguous().float()
        )
        return whitened.rescaled(deviations.float() ** (1 - FLATTENING))

    def rescaled(self, sizes: Tensor) -> PatchBasis:
        """The same components with latents multiplied by ``sizes`` [C], then all by one number so that their
        mean variance stays."""
        sizes = sizes / sizes.square().mean().sqrt()
        return PatchBasis(
            self.mean, self.encode_matrix * sizes, (self.decode_matrix / sizes[:, None]).contiguous()
        )

    def encode(self, pictures: Tensor) -> Tensor:
        """uint8 [N, H, W, 3] to latents float32 [N, C, H / 8, W / 8]."""
        latents = (_patches(pictures) - self.mean.to(pictures.device)) @ self.encode_matrix.to(
            pictures.device
        )
        return latents.permute(0, 3, 1, 2).contiguous()

    def decode(self, latents: Tensor) -> Tensor:
        """Latents [N, C, h, w] to pictures float32 [N, 3, 8h, 8w] in about [-1, 1]."""
        count, _, height, width = latents.shape
        patches = latents.permute(0, 2, 3, 1).float() @ self.decode_matrix.to(latents.device)
        patches = (patches + self.mean.to(latents.device)).reshape(count, height, width, PATCH, PATCH, 3)
        return patches.permute(0, 5, 1, 3, 2, 4).reshape(count, 3, height * PATCH, width * PATCH)

    def save(self, path: Path) -> None:
        """Write as safetensors."""
        save_file(
            {"mean": self.mean, "encode": self.encode_matrix.contiguous(), "decode": self.decode_matrix},
            str(path),
        )

    @classmethod
    def load(cls, path: Path) -> PatchBasis:
        """Read what :meth:`save` wrote."""
        tensors = load_file(str(path))
        return cls(tensors["mean"], tensors["encode"], tensors["decode"])


def _patches(pictures: Tensor) -> Tensor:
    """uint8 [N, H, W, 3] to float patches [N, H / 8, W / 8, 192] in [-1, 1]."""
    count, height, width, _ = pictures.shape
    split = pictures.reshape(count, height // PATCH, PATCH, width // PATCH, PATCH, 3)
    ordered = split.permute(0, 1, 3, 2, 4, 5).reshape(count, height // PATCH, width // PATCH, -1)
    return ordered.float() / 127.5 - 1.0
