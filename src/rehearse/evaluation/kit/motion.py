"""How much a clip moves, and where to. A frozen clip would win every other score: motion stands beside
them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

AT_LEAST = 0.1
"""Net way, as a fraction of the frame, from which on a subject has moved. The world's own crossings are 0.45
to 0.85 long."""
_HEADINGS = {"right": (1, 0), "left": (-1, 0), "up": (0, -1), "down": (0, 1)}


def centres(boxes: NDArray[np.floating]) -> NDArray[np.float64]:
    """Centres [F, 2] of boxes [F, 4], NaN where there is none."""
    boxes = np.asarray(boxes, dtype=np.float64)
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def subject_motion(boxes: NDArray[np.floating], aspect: float = 1.0) -> float:
    """Dynamic degree of a subject: mean way of its centre from frame to frame, in frame diagonals, over the
    pairs of neighbouring frames that both show it; NaN where there is no such pair. aspect: width over
    height."""
    steps = np.diff(centres(boxes), axis=0) * np.array([aspect, 1.0])
    ways = np.hypot(steps[:, 0], steps[:, 1]) / np.hypot(aspect, 1.0)
    ways = ways[~np.isnan(ways)]
    return float(ways.mean()) if len(ways) else float("nan")


def pixel_change(frames: NDArray[np.uint8]) -> float:
    """Mean absolute difference of neighbouring frames [F, H, W, 3], in [0, 1]; 0 for a single frame."""
    if len(frames) < 2:
        return 0.0
    return float(np.abs(np.diff(frames.astype(np.int16), axis=0)).mean() / 255)


def heading(motion: str) -> tuple[int, int] | None:
    """Unit direction (x, y) that a motion's words prompt ("moves up", "arcs left"), None where they name
    none."""
    verb, _, way = motion.partition(" ")
    return _HEADINGS.get(way) if verb in ("moves", "arcs") else None


def net_way(boxes: NDArray[np.floating]) -> NDArray[np.float64] | None:
    """From the subject's mean place in the first third of the frames that show it to that in the last third,
    (x, y) in fractions of the frame; None where fewer than three frames show it."""
    shown = centres(boxes)
    shown = shown[~np.isnan(shown).any(axis=1)]
    if len(shown) < 3:
        return None
    third = max(1, len(shown) // 3)
    way: NDArray[np.float64] = shown[-third:].mean(axis=0) - shown[:third].mean(axis=0)
    return way


def moves_as_prompted(boxes: NDArray[np.floating], motion: str) -> bool | None:
    """Whether a tracked subject (boxes [F, 4]) went the prompted way: at least AT_LEAST along it and farther
    along it than across. None for motions that name no direction; a subject that is not found has not
    moved."""
    direction = heading(motion)
    if direction is None:
        return None
    way = net_way(boxes)
    if way is None:
        return False
    along = float(way @ np.array(direction))
    across = abs(float(way @ np.array(direction[::-1])))
    return along >= AT_LEAST and along > across
