"""The page that a run draws of itself: what was marked, where attention goes, what is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rehearse.media import Row, write_sheet

_ROLES = ((255, 176, 0), (0, 158, 222))
"""Colours of the masks, target and actor."""


@dataclass(frozen=True, eq=False, slots=True)
class SheetRow:
    """A clip of a sheet. first: its first frame uint8 ``[H, W, 3]``; masks ``[roles, H, W]`` in [0, 1]; heat:
    attention maps ``[roles, h, w]`` or None; made: what the model makes, uint8 ``[F, H, W, 3]``."""

    prompt: str
    first: NDArray[np.uint8]
    masks: NDArray[np.float32]
    heat: NDArray[np.float32] | None
    made: NDArray[np.uint8]


def write_training_sheet(path: Path, rows: Sequence[SheetRow]) -> None:
    """Two strips a clip: first frame with its masks and attention maps; the clip the model makes. A png,
    whole or not at all."""
    strips = []
    for row in rows:
        if len(row.masks):
            heats = [] if row.heat is None else [heated(row.first, heat) for heat in row.heat]
            shown = np.stack([marked(row.first, row.masks), *heats])
            strips.append(Row(shown, f"marked; attention {ratio_told(row)}" if heats else "marked"))
        strips.append(Row(row.made, row.prompt))
    write_sheet(path, strips)


def marked(frame: NDArray[np.uint8], masks: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A frame with each mask tinted and outlined."""
    picture = frame.astype(np.float32)
    for mask, colour in zip(masks, _ROLES, strict=False):
        inside = mask >= 0.5
        picture[inside] = picture[inside] * 0.6 + np.array(colour) * 0.4
        picture[_edge(inside)] = colour
    return picture.round().astype(np.uint8)


def heated(frame: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A frame under an attention map: black is the least of the map, full light its most."""
    height, width = frame.shape[:2]
    low, high = float(heat.min()), float(heat.max())
    scaled = (heat - low) / (high - low) if high > low else np.zeros_like(heat)
    picture = Image.fromarray((scaled * 255).astype(np.uint8)).resize(
        (width, height), Image.Resampling.BILINEAR
    )
    light = np.asarray(picture, np.float32)[..., None] / 255
    grey = frame.mean(axis=2, keepdims=True) * 0.35
    return (grey * (1 - light) + np.array(_ROLES[0]) * light).round().astype(np.uint8)


def ratio_told(row: SheetRow) -> str:
    """How many times more the marked area gets than the rest."""
    if row.heat is None:
        return ""
    told = []
    for mask, heat in zip(row.masks, row.heat, strict=True):
        grid = Image.fromarray(mask).resize(heat.shape[::-1], Image.Resampling.BOX)
        weight = np.asarray(grid, np.float32)
        inside = float((heat * weight).sum() / max(weight.sum(), 1e-6))
        outside = float((heat * (1 - weight)).sum() / max((1 - weight).sum(), 1e-6))
        told.append(f"{inside / max(outside, 1e-12):.2f}x")
    return ", ".join(told)


def _edge(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Cells inside that have a neighbour outside."""
    grown = np.pad(inside, 1)
    kept = grown[:-2, 1:-1] & grown[2:, 1:-1] & grown[1:-1, :-2] & grown[1:-1, 2:]
    return inside & ~kept
