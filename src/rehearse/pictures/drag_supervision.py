"""Motion supervision and point tracking of a whole region, on an image model's features.

Places are (x, y) in cells of the *point grid*, half the picture's size. Features are what the last two up
blocks give, each in units of its mean size in the original; between their cells they are read bilinearly.
Supervised places lie two cells apart, half a latent's side for codecs of 8 pixels a latent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate

from rehearse.models.image import ImageModel
from rehearse.pictures.drag_inversion import Journey
from rehearse.pictures.elastic import Elastic

_APART = 2
_PLAIN = 0.25
"""Weight of a place that looks like what is behind it, where the mean of all is 1."""
_MOST_SOUGHT = 128
_HELD_BELOW = 0.05


@dataclass(frozen=True, eq=False, slots=True)
class Wanted:
    """What a picture shows whose region has come to some place.

    features: ``[places, width]``, and weights of the places ``[places]``. free: ``[1, 1, 1, h, w]``, 1 for
    latents that the region covers any of, 0 for the others.
    """

    features: Tensor
    weights: Tensor
    free: Tensor


class RegionSupervision:
    """One region of one picture, over the steps of its journey.

    journey: of the original and of what is behind the region, in this order. opacity: float32 ``[H, W]``, of
    the region where it was. bare, changeable: bool ``[H, W]``, what shows the picture behind once the region
    has left, and all that the drag may change.
    """

    def __init__(
        self,
        model: ImageModel,
        journey: Journey,
        opacity: NDArray[np.float32],
        bare: NDArray[np.bool_],
        changeable: NDArray[np.bool_],
        reach: int,
    ) -> None:
        self.model, self.journey, self.reach = model, journey, reach
        height, width = opacity.shape
        self.grid = (max(1, height // 2), max(1, width // 2))
        self._opacity = pooled(opacity, self.grid)
        rows, columns = (torch.arange((_APART - 1) / 2, size, _APART) for size in self.grid)
        y, x = torch.meshgrid(rows, columns, indexing="ij")
        self._lattice = torch.stack([x, y], dim=-1).reshape(-1, 2)
        self._shape = (len(rows), len(columns))
        self._asked = self._read(pooled(changeable, self.grid), self._lattice)[:, 0] > 0
        self._bare = self._read(pooled(bare, self.grid), self._lattice)[self._asked]
        latents = journey.latents[0]
        self._behind = pooled(bare, (latents.shape[-2], latents.shape[-1]))[:, :, None]
        covered = self._read(self._opacity, self._lattice)[:, 0]
        self._thing = self._lattice[covered >= min(0.5, float(covered.max()))]
        self.enter(0)

    def enter(self, k: int) -> None:
        """Take up step k of the journey: its noise, and the features of the kept pictures under it."""
        self.step = k
        self._sizes: list[Tensor] | None = None
        with torch.no_grad():
            both = self.features(self.journey.latents[k])
            self._start, behind = both[:1], both[1:]
            places = self._lattice[self._asked]
            self._plain = self._read(behind, places)
            self._still = torch.lerp(self._read(self._start, places), self._plain, self._bare)
            self._sought = self._read(self._start, self._thing)
            self._telling = (self._sought - self._read(behind, self._thing)).abs().mean(dim=1) + 1e-6

    def features(self, latents: Tensor) -> Tensor:
        """``[batch, width, h, w]``, with gradients."""
        blocks = self.model.denoiser.up_blocks
        earlier: list[Tensor] = []

        def keep(module: Any, args: Any, output: Tensor) -> None:
            earlier.append(output.float().cpu())

        hook = blocks[-2].register_forward_hook(keep) if len(blocks) > 1 else None
        try:
            timestep = self.journey.timesteps[self.step]
            last = self.model.features(latents, timestep, self.journey.text, len(blocks) - 1)
        finally:
            if hook is not None:
                hook.remove()
        found = [*earlier, last]
        if self._sizes is None:
            self._sizes = [one[:1].detach().abs().mean().clamp(min=1e-6) for one in found]
        size = (last.shape[-2], last.shape[-1])
        return torch.cat(
            [
                interpolate(one / unit, size=size, mode="bilinear", align_corners=False)
                for one, unit in zip(found, self._sizes, strict=True)
            ],
            dim=1,
        )

    def held(self, latents: Tensor, free: Tensor, k: int | None = None) -> Tensor:
        """The latents where they are free, the kept ones of step k (None: this one) elsewhere: those of the
        picture behind where the region was, the original's where it never was."""
        original, behind = self.journey.latents[self.step if k is None else k].split(1)
        return torch.lerp(torch.lerp(original, behind, self._behind), latents, free)

    def wanted(self, start: Tensor, now: Tensor) -> Wanted:
        """What is to be seen once the handles ``[n, 2]`` have come from ``start`` to ``now``."""
        source = _carried(self._lattice, start, now)
        rows, columns = self.grid
        within = ((source > -0.5) & (source < torch.tensor([columns - 0.5, rows - 0.5]))).all(dim=1)
        cover = self._read(self._opacity, source) * within[:, None]
        here = cover[self._asked]
        moved = self._read(self._start, source[self._asked])
        features = torch.lerp(self._still, moved, here)
        # Most of a marked box can be backdrop: what differs from the picture behind tells where it is.
        telling = (features - self._plain).abs().mean(dim=1)
        weights = _PLAIN + telling / telling.mean().clamp(min=1e-6)
        latents = self.journey.latents[0]
        size = (latents.shape[-2], latents.shape[-1])
        share = interpolate(cover.reshape(1, 1, *self._shape), size=size, mode="area")
        return Wanted(features, weights / weights.sum(), (share > _HELD_BELOW).float()[:, :, None])

    def loss(self, seen: Tensor, wanted: Wanted) -> Tensor:
        """Weighted mean distance of features ``[1, width, h, w]`` from the wanted ones, a scalar."""
        apart = (self._read(seen, self._lattice[self._asked]) - wanted.features).abs().mean(dim=1)
        return (apart * wanted.weights).sum()

    def track(self, seen: Tensor, start: Tensor, points: Tensor, pulled: Tensor) -> Tensor:
        """Where the handles are now: for each the place round which its part of the region is found again.

        Searched are the squares round ``points``, where it was last, and ``pulled``, where it is pulled to.
        """
        side = torch.arange(-self.reach, self.reach + 1, dtype=torch.float32)
        square = torch.stack(torch.meshgrid(side, side, indexing="xy"), dim=-1).reshape(-1, 2)
        # Of equally good places the nearest: in a flat part a point stays where it is.
        near = 1 + 1e-6 * square.norm(dim=1)
        owner = (self._thing[:, None] - start).norm(dim=2).argmin(dim=1)
        ways = [(at, _carried(self._thing, at, start)) for at in (points, pulled)]
        found = []
        for i in range(len(points)):
            mine = torch.nonzero(owner == i)[:, 0] if bool((owner == i).any()) else torch.arange(len(owner))
            mine = mine[:: -(-len(mine) // _MOST_SOUGHT)]
            share = self._telling[mine] / self._telling[mine].sum()
            best, place = float("inf"), points[i]
            for at, there in ways:
                read = self._read(seen, (there[mine] + square[:, None]).reshape(-1, 2))
                apart = (read.reshape(len(square), len(mine), -1) - self._sought[mine]).abs().mean(dim=2)
                cost = (apart @ share) * near
                k = int(cost.argmin())
                if float(cost[k]) < best:
                    best, place = float(cost[k]), at[i] + square[k]
            found.append(place)
        return torch.stack(found)

    def _read(self, values: Tensor, places: Tensor) -> Tensor:
        """Values ``[1, width, h, w]`` at places ``[n, 2]`` of the point grid, bilinear: ``[n, width]``."""
        size = torch.tensor([self.grid[1], self.grid[0]], dtype=torch.float32)
        where = ((2 * places + 1) / size - 1)[None, None]
        read = grid_sample(values, where, mode="bilinear", padding_mode="border", align_corners=False)
        return read[0, :, 0].T


def pooled(values: NDArray[Any], size: tuple[int, int]) -> Tensor:
    """A map ``[H, W]`` as means over the cells of a coarser one, float32 ``[1, 1, *size]``."""
    return interpolate(torch.from_numpy(values.astype(np.float32))[None, None], size=size, mode="area")


def _carried(places: Tensor, start: Tensor, now: Tensor) -> Tensor:
    """Where places ``[m, 2]`` are read once the handles ``[n, 2]`` have gone from ``start`` to ``now``."""
    ends = [point.double().numpy() @ np.array([1, 1j]) for point in (start, now)]
    x, y = Elastic(ends[0], ends[1]).source(places[:, 0].numpy(), places[:, 1].numpy())
    return torch.from_numpy(np.stack([x, y], axis=-1))
