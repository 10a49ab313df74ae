"""Rotary positions of CogVideoX, for any size of latents.

1.0 checkpoints stretch the grid of patches over the part of the trained grid that has its aspect; 1.5
checkpoints cut it from the trained grid's corner. Times count patches.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def rotary_positions(
    transformer: Any, frames: int, height: int, width: int, device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor] | None:
    """Cosines and sines for the video tokens of latents ``frames x height x width``, each
    ``[tokens, head width]`` float32; None for a transformer that adds its positions to the tokens.

    transformer: a CogVideoXTransformer3DModel. It takes the pair as ``image_rotary_emb``.
    """
    config = transformer.config
    if not config.use_rotary_positional_embeddings:
        return None
    from diffusers.models.embeddings import get_3d_rotary_pos_embed

    patch, over_time = int(config.patch_size), config.patch_size_t
    grid = (height // patch, width // patch)
    trained = (int(config.sample_height) // patch, int(config.sample_width) // patch)
    if over_time is None:
        pair = get_3d_rotary_pos_embed(
            embed_dim=config.attention_head_dim,
            crops_coords=crop_region(grid, trained),
            grid_size=grid,
            temporal_size=frames,
            device=torch.device(device),
        )
    else:
        pair = get_3d_rotary_pos_embed(
            embed_dim=config.attention_head_dim,
            crops_coords=None,
            grid_size=grid,
            temporal_size=-(-frames // over_time),
            grid_type="slice",
            # Beyond the trained grid its rows and columns are simply counted on.
            max_size=(max(grid[0], trained[0]), max(grid[1], trained[1])),
            device=torch.device(device),
        )
    cosines, sines = pair
    return cosines, sines


def crop_region(grid: tuple[int, int], trained: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """The largest centred part of the trained grid with the aspect of another: its (top, left) and
    (bottom, right). Both grids are (height, width) in patches."""
    (h, w), (most_h, most_w) = grid, trained
    tall = h / w > most_h / most_w
    inner = (most_h, round(most_h / h * w)) if tall else (round(most_w / w * h), most_w)
    top, left = round((most_h - inner[0]) / 2), round((most_w - inner[1]) / 2)
    return (top, left), (top + inner[0], left + inner[1])
