"""How a value moves between keyframes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rehearse.shot.errors import ShotError

Easing = Literal["linear", "ease-in", "ease-out", "ease-in-out", "hold"]
EASINGS: tuple[Easing, ...] = get_args(Easing)
MOST_FRAMES = 10_000


def ease(easing: Easing, progress: NDArray[np.float64]) -> NDArray[np.float64]:
    """Eased progress in [0, 1] for linear progress in [0, 1] between two keyframes."""
    if easing == "ease-in":
        return progress**2
    if easing == "ease-out":
        return 1 - (1 - progress) ** 2
    if easing == "ease-in-out":
        return progress**2 * (3 - 2 * progress)
    if easing == "hold":
        return np.where(progress < 1, 0.0, 1.0)
    return progress


def interpolate(
    times: NDArray[np.float64],
    values: NDArray[np.float64],
    easings: Sequence[Easing],
    at: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Values [T, D] at the times `at` [T], between keyframes at increasing `times` [K] with `values` [K, D].

    `easings` holds one entry for each of the K - 1 gaps. Before the first and after the last keyframe its
    value stays.
    """
    if len(times) == 1:
        return np.repeat(values, len(at), axis=0)
    gap = np.clip(np.searchsorted(times, at, side="right") - 1, 0, len(times) - 2)
    progress = np.clip((at - times[gap]) / (times[gap + 1] - times[gap]), 0, 1)
    for easing in set(easings):
        chosen = np.array([e == easing for e in easings])[gap]
        progress[chosen] = ease(easing, progress[chosen])
    share = progress[:, None]
    start, end = values[gap], values[gap + 1]
    mixed = (1 - share) * start + share * end
    # Rounding may step over the ends by one unit in the last place; a held value must stay exactly itself.
    return np.clip(mixed, np.minimum(start, end), np.maximum(start, end))


def there_and_back(frames: int) -> tuple[int, list[int]]:
    """How something goes its way by the middle of a clip and comes back by its end.

    Returns how many places the way is cut into, evenly, and at which of them each frame is.
    """
    return (frames - 1) // 2 + 1, [min(frame, frames - 1 - frame) for frame in range(frames)]


def frame_times(frames: int) -> NDArray[np.float64]:
    """Times in [0, 1] of `frames` even frames, the first at 0 and the last at 1; a single one is at 0."""
    if not 1 <= frames <= MOST_FRAMES:
        raise ShotError(f"it must be between 1 and {MOST_FRAMES}", field="frames", value=frames)
    return np.linspace(0, 1, frames)


def interpolate_numbers(keyframes: Sequence[tuple[float, float]], frames: int) -> list[float]:
    """A number over evenly spaced frames, straight between (time, value) keyframes with increasing times."""
    times, values = zip(*keyframes, strict=True)
    return [float(value) for value in np.interp(frame_times(frames), times, values)]
