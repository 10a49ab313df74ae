"""What a clip's silhouettes and edges say, of the puppet that was asked for."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehearse.evaluation.kit.judging import Judge
from rehearse.evaluation.kit.silhouette import Mask, best_fit, largest_blob, steadiness
from rehearse.theatre.world import COLOURS

FITTED = 3
"""Frames of a clip in which a shape is fitted, evenly spaced over those that show the puppet whole."""
LEAST_PIXELS = 96
"""At 128 x 128."""


def look(judge: Judge, frames: NDArray[np.uint8], kind: str, colour: str) -> dict[str, Any]:
    """What a clip's silhouettes and edges say, as a row of a journal holds it: ``shape`` and ``steady``,
    overlaps; ``second``, the largest second blob; ``edges``."""
    seen = judge.segment(frames).colour == COLOURS.index(colour) + 1
    least = LEAST_PIXELS * frames.shape[1] * frames.shape[2] / (128 * 128)
    blobs: list[Mask | None] = []
    second = 0.0
    for mask in seen:
        blob, more = largest_blob(mask)
        found = bool(blob.sum() >= least)
        blobs.append(blob if found else None)
        second = max(second, more if found else 0.0)
    whole = [blob for blob in blobs if blob is not None and _inside(blob)]
    chosen = sorted({round(at) for at in np.linspace(0, len(whole) - 1, FITTED)}) if whole else []
    steady = [
        steadiness(here, there)
        for here, there in pairwise(blobs)
        if here is not None and there is not None and _inside(here) and _inside(there)
    ]
    return {
        "shape": [round(best_fit(whole[at], kind).iou, 4) for at in chosen],
        "steady": [round(value, 4) for value in steady],
        "second": round(second, 4),
        "edges": round(edge_energy(frames), 4),
    }


def _inside(mask: Mask) -> bool:
    """Whether a mask keeps off the frame's edge: what is cut off has no whole shape."""
    return not (mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())


def edge_energy(frames: NDArray[np.uint8]) -> float:
    """Mean difference of neighbouring pixels of frames [F, H, W, 3], in grey levels."""
    values = frames.astype(np.float32)
    return float(np.abs(np.diff(values, axis=1)).mean() + np.abs(np.diff(values, axis=2)).mean())
