"""Trajectory in the starting noise alone (FreeTraj): the control arm that separates "initialisation" from
"each step" (docs/methods.md, section 3.4).

One random patch is pasted into every frame's box; then only the low frequencies of the result are kept and
joined with the high frequencies of fresh noise, since the coarse layout is what the noise should tell:

    z = LP(pasted) + (1 - LP)(fresh),    LP = 1 / (1 + r^(2n)),    r^2 = (fx^2 + fy^2) / d_s^2 + ft^2 / d_t^2

a Butterworth filter of order n with frequencies as fractions of the highest one. z is scaled back to unit
variance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rehearse.controls.box_patch import box_patches
from rehearse.controls.control import Control
from rehearse.controls.subject import Subject
from rehearse.shot.methods import StartingNoise
from rehearse.sites import Grid

if TYPE_CHECKING:
    from rehearse.controls.material import Material


def build(material: Material) -> Iterator[TrajectoryNoise]:
    """The noise that carries the paths of a shot's subjects."""
    if material.subjects and material.resolved.method(StartingNoise).initial_noise == "freetraj":
        yield TrajectoryNoise(material.subjects)


@dataclass(frozen=True)
class TrajectoryNoise(Control):
    """FreeTraj's starting noise.

    subjects: whose boxes get a patch of noise each. spatial, temporal: cut-off frequencies d_s, d_t as
    fractions of the highest frequency, above 0. order: n, 1 or more.
    """

    subjects: tuple[Subject, ...]
    spatial: float = 0.25
    temporal: float = 0.1
    order: int = 4

    name = "trajectory noise"

    def __post_init__(self) -> None:
        for field, value in (("spatial", self.spatial), ("temporal", self.temporal)):
            if not value > 0.0:
                raise ValueError(
                    f"trajectory noise {field}: {value} must be above 0, a fraction of the highest frequency"
                )
        if self.order < 1:
            raise ValueError(f"trajectory noise order: {self.order} is below 1; 4 is usual")

    def prepare(self, latents: Tensor, generator: torch.Generator) -> Tensor:
        if not self.subjects:
            return latents
        batch, channels = latents.shape[:2]
        grid = Grid(*latents.shape[2:])
        pasted = latents.flatten(2).clone()
        patches = box_patches(self.subjects, grid, latents.device)
        # Subjects further back first, as everywhere; cells are owned by one subject, so the order only
        # decides which random numbers each gets.
        for patch in patches:
            if patch is not None:
                local = _normal((batch, channels, patch.height * patch.width), generator, latents)
                pasted[:, :, patch.cells] = local[:, :, patch.patch_cells]
        fresh = _normal(tuple(latents.shape), generator, latents)
        keep = low_pass(grid, self.spatial, self.temporal, self.order).to(latents.device)
        axes = (2, 3, 4)
        mixed = torch.fft.irfftn(
            torch.fft.rfftn(pasted.view_as(latents).float(), dim=axes) * keep
            + torch.fft.rfftn(fresh.float(), dim=axes) * (1.0 - keep),
            s=latents.shape[2:],
            dim=axes,
        )
        # The two halves overlap at the cut-off, where LP^2 + (1 - LP)^2 < 1: the mix has lost some variance.
        if mixed[0, 0].numel() == 1:
            return mixed.to(latents.dtype)  # one number has no variance to lose
        return (mixed / mixed.std(dim=axes, keepdim=True)).to(latents.dtype)


@lru_cache(maxsize=16)
def low_pass(grid: Grid, spatial: float, temporal: float, order: int) -> Tensor:
    """The Butterworth filter LP on the half spectrum of a real signal, ``[frames, height, width//2 + 1]``."""
    with torch.inference_mode(False):
        ft, fy, fx = (
            torch.fft.fftfreq(grid.frames, 0.5),
            torch.fft.fftfreq(grid.height, 0.5),
            torch.fft.rfftfreq(grid.width, 0.5),
        )
        across = (fy[:, None].square() + fx.square()) / spatial**2
        squared = across + (ft / temporal).square()[:, None, None]
        return 1.0 / (1.0 + squared**order)


def _normal(shape: tuple[int, ...], generator: torch.Generator, like: Tensor) -> Tensor:
    """Standard normal numbers drawn on the generator's device, so that a seed means the same everywhere."""
    drawn = torch.randn(shape, generator=generator, device=generator.device, dtype=torch.float32)
    return drawn.to(device=like.device, dtype=like.dtype)
