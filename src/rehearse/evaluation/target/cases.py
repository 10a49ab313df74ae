"""Cases of the target evaluation: held-out scenes with several props that are alike, one of them marked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.theatre.data import HELD_OUT
from rehearse.theatre.recipes import TARGET
from rehearse.theatre.target_data import target_clip
from rehearse.theatre.world.target_render import TargetClip

TRAINING_SEED = TARGET.data_seed + 1
"""Of the adapters' training clips: no clip that the base learned from is among them."""
_APART, _FIRST = 1_000_000, 100_000
"""Indices of one seed's cases lie this far from the next seed's; below the first are sheets and tests."""


@dataclass(frozen=True, eq=False)
class TargetCase:
    """A first frame, a caption that fits every choice, and the prop that is marked.

    index: counted from 0. place: of the clip in the held-out part of the base's data set. seed: of the noise,
    the same in every arm. frame: uint8 [H, W, 3]. props: bool [K, H, W], each prop's pixels in it. chosen:
    the marked one.
    """

    index: int
    place: int
    seed: int
    caption: str
    phrase: str
    actor: str
    frame: NDArray[np.uint8]
    props: NDArray[np.bool_]
    chosen: int

    @property
    def count(self) -> int:
        """How many props there are: K."""
        return len(self.props)


@lru_cache(maxsize=2)
def target_cases(count: int, seed: int = 0) -> tuple[TargetCase, ...]:
    """The first ``count`` cases of a seed. EvaluationError for fewer than one."""
    if count < 1:
        raise EvaluationError(f"cases: {count} is below 1; ask for 300")
    found = []
    for index in range(count):
        place = HELD_OUT + _FIRST + _APART * seed + index
        clip = truth(place)
        scene = clip.scene
        found.append(
            TargetCase(
                index=index,
                place=place,
                seed=_APART * seed + index,
                caption=clip.caption,
                phrase=scene.phrase,
                actor=scene.actor,
                frame=clip.frames[0],
                props=clip.props,
                chosen=scene.chosen,
            )
        )
    return tuple(found)


@lru_cache(maxsize=64)
def truth(place: int) -> TargetClip:
    """The rendered clip of a case, in which the marked prop is reached."""
    return target_clip(TARGET.data_seed, place)
