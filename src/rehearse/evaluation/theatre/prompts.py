"""Prompts of the theatre's gates: one subject each, kinds, colours, motions and backdrops balanced."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from rehearse.evaluation.trajectory.cases import balanced
from rehearse.theatre.data import HELD_OUT, rng_of
from rehearse.theatre.world import (
    BACKDROPS,
    COLOURS,
    MOTIONS,
    PUPPETS,
    Actor,
    Scene,
    caption,
    sample_scene,
    still_caption,
    through,
)


@dataclass(frozen=True)
class GatePrompt:
    """What is asked of the models. seed: of the noise. still: the caption without its motion, for images."""

    index: int
    seed: int
    kind: str
    colour: str
    motion: str
    backdrop: str
    caption: str
    still: str


def gate_prompts(count: int, seed: int = 0, trained: Collection[str] = ()) -> tuple[GatePrompt, ...]:
    """``count`` prompts. Where the drawn caption is in ``trained``, another backdrop is tried, so that as
    many as possible were never seen whole. Prompt ``i`` depends on the seed, ``i`` and ``trained`` alone."""
    return tuple(_prompt(index, seed, trained) for index in range(count))


def _prompt(index: int, seed: int, trained: Collection[str]) -> GatePrompt:
    kind = balanced(PUPPETS, index, seed, stream=11)
    colour = balanced(COLOURS, index, seed, stream=12)
    motion = balanced(MOTIONS, index, seed, stream=13)
    drawn = BACKDROPS.index(balanced(BACKDROPS, index, seed, stream=14))
    at_rest = through([(0.5, 0.5), (0.5, 0.5)])
    scenes = [
        Scene(BACKDROPS[(drawn + k) % len(BACKDROPS)], (Actor(kind, colour, at_rest, motion),))
        for k in range(len(BACKDROPS))
    ]
    scene = next((scene for scene in scenes if caption(scene) not in trained), scenes[0])
    noise = int(rng_of(seed, HELD_OUT + index).integers(2**31))
    return GatePrompt(
        index, noise, kind, colour, motion, scene.backdrop, caption(scene), still_caption(scene)
    )


def trained_captions(data_seed: int, samples: int) -> frozenset[str]:
    """Captions of the clips of a training set, as rehearse.theatre.data draws their scenes, and those of the
    clips mirrored, which training shows too."""
    drawn = [caption(sample_scene(rng_of(data_seed, index))) for index in range(samples)]
    return frozenset(drawn) | frozenset(_mirrored(text) for text in drawn)


def _mirrored(text: str) -> str:
    swapped = {"left": "right", "right": "left"}
    return " ".join(swapped.get(word, word) for word in text.split(" "))


def held_out_scene(seed: int, index: int, subjects: int | None = None) -> tuple[Scene, np.random.Generator]:
    """A scene that no data set holds, and the generator to go on with."""
    rng = rng_of(seed, HELD_OUT + index)
    return sample_scene(rng, subjects), rng
