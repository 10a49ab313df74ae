"""From a shot's blend settings to the weights of equation 4 on the latent grid."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.shot.control import BlendSettings
from rehearse.shot.errors import ShotError
from rehearse.shot.grid import pool

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BlendDefaults:
    """What blend settings are where they leave something out.

    weight: w everywhere, where no region is given: as much of the original as of the edit. weight_in_region:
    w inside a given region, where the edit is followed. feather: width of the region's soft edge, as a
    fraction of the frame's shorter side. original: whether the original's predictions are made anew.
    """

    weight: float = 0.5
    weight_in_region: float = 0.0
    feather: float = 0.08
    original: Literal["computed", "kept"] = "computed"


BLEND_DEFAULTS = BlendDefaults()
"""The only place where the blend's defaults are set; forks and drags share them."""


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
    (:func:`~rehearse.pictures.drawn_mask.masks_over_frame`). Latent frames count as evenly spaced over the
    clip. Raises ShotError naming ``control.blend.region``: it is empty or nearly black, or its picture cannot
    be read.
    """
    if settings.feather and settings.region is None:
        _LOG.warning(
            "control.blend.feather is %g: it softens the edge of a region, and the blend has none; give one, "
            "or leave it out",
            settings.feather,
        )
    frames, rows, columns = grid
    own = BLEND_DEFAULTS.weight if settings.region is None else BLEND_DEFAULTS.weight_in_region
    over_time = torch.tensor(settings.weights(frames) or [own] * frames, dtype=torch.float32)
    inside = torch.ones(rows, columns)
    if settings.region is not None:
        feather = BLEND_DEFAULTS.feather if settings.feather is None else settings.feather
        try:
            region = settings.region.clear_raster(height, width, folder)
        except ShotError as error:
            raise error.within("control.blend.region") from None
        soft = feathered(region, feather * min(height, width))
        inside = torch.from_numpy(pool(soft, rows, columns)).clamp(0.0, 1.0)
    # Outside the region the original stays: w is 1 there, whatever the time.
    return (1.0 - inside * (1.0 - over_time[:, None, None]))[None, None]


def feathered(region: NDArray[np.float32], pixels: float) -> NDArray[np.float32]:
    """A region ``[height, width]`` in [0, 1] whose edges run from 1 to 0 over about ``pixels`` pixels, half
    of them on either side.

    It is averaged under a cone-like (separable triangular) window of that width; beyond the frame's edge the
    region goes on as it is at the edge, so that a region that reaches the edge stays whole there.
    """
    reach = int(np.ceil(pixels / 2))
    if reach < 1:
        return region
    window = np.clip(pixels / 2 + 0.5 - np.abs(np.arange(-reach, reach + 1)), 0, None)
    window /= window.sum()
    soft = region.astype(np.float64)
    for axis in (0, 1):
        padding = [(reach, reach) if place == axis else (0, 0) for place in (0, 1)]
        padded = np.pad(soft, padding, mode="edge")
        views = np.lib.stride_tricks.sliding_window_view(padded, len(window), axis=axis)
        soft = views @ window
    return np.clip(soft, 0, 1).astype(np.float32)
