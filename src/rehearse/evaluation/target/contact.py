"""Contact in clips of the target scene: which prop did the actor touch, if any, and was it there at all.

Everything is read from pixels and from what the first frame shows: where the props stand. The actor is the
largest connected piece of its paper colour, which no prop and no backdrop has. A mean of its pixels would
not do: a smear between two props has its centre on the third.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.kit.intervals import Interval, wilson
from rehearse.theatre.world.target_actors import ACTOR_COLOURS

HUES: dict[str, tuple[float, float]] = {"green": (118.0, 170.0), "purple": (258.0, 292.0)}
"""Hues of the actors' papers in degrees, from low to high."""
CHROMA = 56
"""Least difference between a pixel's largest and smallest channel, of 255: backdrops are paler."""
VISIBLE = 0.008
"""Least share of the frame that is an actor and no stray cut; the smallest one covers four times as much."""
COVERED = 0.03
"""Share of a prop's pixels that the actor must lie on for a touch."""
DETECTOR = 2
"""Counted up when what is read from pixels changes: measurements of another one are not taken over."""
MOST = 0.75
"""Share of the frames in which an actor that counts as visible is found."""


@dataclass(frozen=True, slots=True)
class Contact:
    """What happened in a clip.

    touched: the props the actor lay on, in the order of the first touch (the more covered one first where two
    began together). frame: of the first touch, None without one. seen: share of frames that show the actor.
    """

    touched: tuple[int, ...]
    frame: int | None
    seen: float

    @property
    def first(self) -> int | None:
        """The prop touched first; None: no contact."""
        return self.touched[0] if self.touched else None

    @property
    def visible(self) -> bool:
        """Whether the actor is there in most frames."""
        return self.seen >= MOST

    def reached(self, prop: int) -> bool:
        """Whether this prop was the first one touched."""
        return self.first == prop

    def strayed(self, prop: int) -> bool:
        """Whether another prop than this was touched, first or later."""
        return any(other != prop for other in self.touched)


def actor_mask(frame: NDArray[np.uint8], actor: str) -> NDArray[np.bool_]:
    """The actor's pixels in a frame uint8 [H, W, 3], [H, W]; all False where none is seen.

    actor: "hand", "crane" or "frog".
    """
    from scipy import ndimage

    low, high = HUES[ACTOR_COLOURS[actor]]
    hue, chroma = _hue_and_chroma(frame)
    coloured = (chroma >= CHROMA) & (hue >= low) & (hue <= high)
    # Light stripes and dark lines cut an actor into pieces; one step of closing joins them again.
    joined = ndimage.binary_closing(np.pad(coloured, 3, mode="edge"), np.ones((3, 3)), iterations=2)[
        3:-3, 3:-3
    ]
    pieces, count = ndimage.label(joined, np.ones((3, 3)))
    if not count:
        return np.zeros(frame.shape[:2], np.bool_)
    sizes = np.bincount(pieces.ravel())[1:]
    largest: NDArray[np.bool_] = (pieces == int(sizes.argmax()) + 1) & joined
    return largest if largest.mean() >= VISIBLE else np.zeros_like(largest)


def contact(frames: NDArray[np.uint8], actor: str, props: NDArray[np.bool_]) -> Contact:
    """What the actor of a clip touched.

    frames: uint8 [F, H, W, 3]. props: [K, H, W], the pixels of each prop in the first frame, where nothing is
    touched yet: contact is counted from the second frame on. Raises EvaluationError: sizes that do not fit,
    an actor of another world.
    """
    covered, seen = coverage_of_props(frames, actor, props)
    return read_contact(covered, seen)


def coverage_of_props(
    frames: NDArray[np.uint8], actor: str, props: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], float]:
    """The share of each prop that the actor lies on, [F, K], and the share of frames that show the actor;
    arguments and errors as of :func:`contact`."""
    if actor not in ACTOR_COLOURS:
        raise EvaluationError(f"unknown actor {actor!r}; known: {', '.join(ACTOR_COLOURS)}")
    if frames.ndim != 4 or props.ndim != 3 or frames.shape[1:3] != props.shape[1:]:
        raise EvaluationError(
            f"frames of shape {frames.shape} and props of shape {props.shape} do not fit; "
            "give [F, H, W, 3] and [K, H, W] of the same H and W"
        )
    areas = props.sum(axis=(1, 2))
    if not areas.all():
        raise EvaluationError(f"prop {int(np.argmin(areas))} has no pixels in the first frame")
    found = np.stack([actor_mask(frame, actor) for frame in frames])
    covered = np.stack([(found & prop).sum(axis=(1, 2)) for prop in props], axis=1) / areas
    return covered, float(found.any(axis=(1, 2)).mean())


def read_contact(
    covered: NDArray[np.floating], seen: float, least: float = COVERED, frames: int = 1
) -> Contact:
    """What coverages [F, K] say. least: share of a prop that is a touch; frames: for so many in a row."""
    touching = covered >= least
    touching[0] = False
    for later in range(1, frames):
        touching &= np.concatenate([covered[later:] >= least, np.zeros((later, covered.shape[1]), np.bool_)])
    props = covered.shape[1]
    begun = [int(touching[:, k].argmax()) if touching[:, k].any() else None for k in range(props)]
    order = sorted(
        (frame, -float(covered[frame, k]), k) for k, frame in enumerate(begun) if frame is not None
    )
    return Contact(
        touched=tuple(k for *_, k in order),
        frame=order[0][0] if order else None,
        seen=seen,
    )


def any_contact(clips: Iterable[tuple[NDArray[np.uint8], str, NDArray[np.bool_]]]) -> Interval:
    """Share of clips in which some prop is touched, with Wilson's interval: the gate of the base model.

    clips: (frames, actor, props) of each, as for :func:`contact`.
    """
    return touching_share([contact(frames, actor, props) for frames, actor, props in clips])


def touching_share(found: Sequence[Contact]) -> Interval:
    """Share of clips with contact, with Wilson's interval."""
    return wilson(sum(one.first is not None for one in found), len(found))


def _hue_and_chroma(frame: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Hue in degrees, [0, 360), and the difference of largest and smallest channel, of RGB [H, W, 3]."""
    red, green, blue = np.moveaxis(frame.astype(np.float32), -1, 0)
    top, low = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    chroma = top - low
    safe = np.where(chroma > 0, chroma, 1.0)
    sector = np.where(
        top == red,
        ((green - blue) / safe) % 6.0,
        np.where(top == green, (blue - red) / safe + 2.0, (red - green) / safe + 4.0),
    )
    return np.asarray(60.0 * sector, np.float32), np.asarray(chroma, np.float32)
