"""From a shot's blend settings to the weights of equation 4 on the latent grid."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from rehearse.shot.errors import ShotError
from rehearse.shot.feather import across
from rehearse.shot.grid import pool
from rehearse.shot.methods import BlendSettings


def blend_weights(
    settings: BlendSettings,
    grid: tuple[int, int, int],
    height: int,
    width: int,
    *,
    folder: Path | None = None,
) -> Tensor:
    """w of equation 4 over the latents, float32 ``[1, 1, frames, h, w]`` in [0, 1].

    grid: latent frames, height and width. height, width: of the clip in pixels, at which the region is drawn
    and feathered before its area is pooled to the grid. folder: where a relative picture path of the region
    starts. A region's picture lies over the whole frame: one drawn on the shot's own picture is placed before
    (:mod:`rehearse.resolve.instructions.masks`). Latent frames count as evenly spaced over the clip.

    Raises ShotError naming ``control.blend.region``: it is empty or nearly black, or its picture cannot be
    read.
    """
    frames, rows, columns = grid
    settings = settings.filled()
    over_time = torch.tensor(settings.weights(frames), dtype=torch.float32)
    inside = torch.ones(rows, columns)
    if settings.region is not None:
        try:
            region = settings.region.clear_raster(height, width, folder)
        except ShotError as error:
            raise error.within("control.blend.region") from error
        soft = across(region, (settings.feather or 0.0) * min(height, width))
        inside = torch.from_numpy(pool(soft, rows, columns)).clamp(0.0, 1.0)
    # Outside the region the original stays: w is 1 there, whatever the time.
    return (1.0 - inside * (1.0 - over_time[:, None, None]))[None, None]
