"""How near each frame stays to the picture that a clip starts from: PIA's inter-frame affinity.

The published lists (PIA, section 3.2 and its released settings) give one number for each distance from the
picture's frame, for clips of 16 frames: 1 is the picture itself, lower values let a frame change more. Those
of loops give one for each frame from the picture on, and do not come back quite as they went. Here they are
curves over a part of the clip, so that they hold for any number of frames, and for any magnitude between the
named ones. A model that was trained on other lists says its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rehearse.shot.instructions.motion import MAGNITUDES

_FRAMES = 16
_LOWEST = 0.2

# By distance in frames; the last value holds on to the end.
_PLAIN = {
    "small": (1.0, 0.9, 0.85, 0.85, 0.85, 0.8),
    "moderate": (1.0, 0.8, 0.8, 0.8, 0.79, 0.78, 0.75),
    "large": (1.0, 0.8, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.6, 0.5),
}
_RESTYLED = {
    "small": (0.5, 0.4, 0.4, 0.4, 0.35, 0.3),
    "moderate": (0.5, 0.4, 0.4, 0.4, 0.35, 0.35, 0.3, 0.25, 0.2),
    "large": (0.5, 0.2),
}
# By frames since the picture, once round.
_LOOPED = {
    "small": (1.0, 0.9, 0.85, 0.85, 0.85, *(0.8,) * 7, 0.85, 0.85, 0.9, 1.0),
    "moderate": (1.0, 0.8, 0.8, 0.8, 0.79, 0.78, *(0.75,) * 5, 0.78, 0.79, 0.8, 0.8, 1.0),
    "large": (1.0, 0.8, 0.7, 0.7, 0.7, 0.7, 0.6, 0.5, 0.5, 0.6, 0.7, 0.7, 0.7, 0.7, 0.8, 1.0),
}


Lists = Mapping[str, Sequence[float]]
"""Affinity by magnitude (small, moderate, large): values at equal distances over a whole clip."""


def affinity(
    frames: int,
    amount: float,
    *,
    loop: bool = False,
    restyle: bool = False,
    time: float = 0.0,
    lists: Lists | None = None,
) -> tuple[float, ...]:
    """Affinity of each frame to the picture, in [0, 1]; for 16 frames from time 0 the published lists.

    amount: of motion, from 0 (still) to 1; small, moderate and large lie where
    :data:`rehearse.shot.instructions.motion.MAGNITUDES` says, what lies between is interpolated and what
    lies above large goes on as from moderate to large. restyle: the lists that let go of the style.
    time: when the clip shows the picture, in [0, 1]; the distance is measured from the frame nearest to it.
    loop: time is a circle on which the last frame is the first again; its lists are the published ones of
    loops. Restyled, or with a model's own lists, the way back mirrors the way out.
    lists: a model's own, in place of the published ones; restyled, they begin at half, as those do.
    """
    round_trip = loop and lists is None and not restyle
    if lists is None:
        curve = _curve(_RESTYLED if restyle else _LOOPED if loop else _PLAIN, amount)
    else:
        curve = _curve({name: _spread(values) for name, values in lists.items()}, amount)
        curve = 0.5 * curve if restyle else curve
    last = frames - 1
    if last < 1:
        return (float(curve[0]),) * frames
    since = np.arange(frames) - round(time * last)
    away = (since % last if round_trip else np.abs(since)).astype(np.float64)
    if loop and not round_trip:
        away = np.minimum(away, last - away)
    # The lists count frames of a clip of 16: the same part of this clip is as far away.
    found = np.interp(away * (_FRAMES - 1) / last, np.arange(_FRAMES), curve)
    return tuple(float(value) for value in found)


def _spread(values: Sequence[float]) -> tuple[float, ...]:
    """A model's own list, by distance in frames of a clip of 16."""
    places = np.linspace(0, _FRAMES - 1, len(values))
    return tuple(float(value) for value in np.interp(np.arange(_FRAMES), places, values))


def _curve(lists: Mapping[str, tuple[float, ...]], amount: float) -> NDArray[np.float64]:
    """The list of any amount, by distance in frames of a clip of 16 (of loops, by frames since): ``[16]``."""
    named = [np.array(values + values[-1:] * (_FRAMES - len(values))) for values in lists.values()]
    still = np.full(_FRAMES, named[0][0])
    most = np.maximum(2 * named[-1] - named[-2], _LOWEST)
    # No nearer on the way out, and where a list comes back, no farther on the way back.
    out, back = np.minimum.accumulate(most), np.minimum.accumulate(most[::-1])[::-1]
    most = np.maximum(out, back) if named[-1][-1] > named[-1].min() else out
    curves = np.stack([still, *named, most])
    known = [0.0, *MAGNITUDES.values(), 1.0]
    return np.array([np.interp(amount, known, column) for column in curves.T])
