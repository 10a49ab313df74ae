"""From a caption of the paper theatre to a scene that it describes."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from rehearse.cli.failures import BadWord
from rehearse.theatre.world import BACKDROPS, COLOURS, MOTIONS, PUPPETS, Actor, Scene, sample_scene

_TRIES = 24
_SEVERAL = 0.32
"""Largest size of a puppet among others, as a fraction of the frame."""

_SUBJECT = re.compile(
    rf"\b(?:an?|the) ({'|'.join(COLOURS)}) ({'|'.join(PUPPETS)})(?: ({'|'.join(MOTIONS)}))?\b"
)
_BACKDROP = re.compile(rf"\b({'|'.join(BACKDROPS)})\b")


def scene_of(caption: str, rng: np.random.Generator) -> Scene:
    """A scene of a caption such as "a red ball moves right and a blue car stands still over the meadow".

    Sizes and places are drawn from ``rng``; so is a motion or a backdrop that the caption leaves open.
    Raises BadWord where no subject of the world is found, or more than three.
    """
    text = " ".join(caption.lower().split())
    subjects = _SUBJECT.findall(text)
    if not 1 <= len(subjects) <= 3:
        raise BadWord(
            f'the caption "{caption}" names {len(subjects)} subjects of the theatre: write one to three like '
            f'"a red ball moves right over the meadow"; subjects: {", ".join(PUPPETS)}; '
            f"colours: {', '.join(COLOURS)}; motions: {', '.join(MOTIONS)}"
        )
    where = _BACKDROP.search(_SUBJECT.sub("", text))
    backdrops = (where[1],) if where else BACKDROPS
    casts = [_cast(subjects, backdrops, rng) for _ in range(_TRIES if len(subjects) > 1 else 1)]
    return min(casts, key=_crowding)


def _cast(
    subjects: list[tuple[str, str, str]], backdrops: tuple[str, ...], rng: np.random.Generator
) -> Scene:
    scenes = [
        sample_scene(
            rng,
            1,
            kinds=(kind,),
            colours=(colour,),
            motions=(motion,) if motion else MOTIONS,
            backdrops=backdrops,
        )
        for colour, kind, motion in subjects
    ]
    actors = tuple(scene.actors[0] for scene in scenes)
    if len(actors) > 1:
        actors = tuple(replace(actor, size=min(actor.size, _SEVERAL)) for actor in actors)
    return replace(scenes[0], actors=actors)


def _crowding(scene: Scene) -> float:
    """How close two puppets come to each other: 0 where none ever touch."""
    times = np.linspace(0, 1, 7)
    pairs = [(a, b) for i, a in enumerate(scene.actors) for b in scene.actors[:i]]
    return max((_overlap(a, b, float(t)) for a, b in pairs for t in times), default=0.0)


def _overlap(a: Actor, b: Actor, time: float) -> float:
    ax, ay, a_scale, _ = a.pose(time)
    bx, by, b_scale, _ = b.pose(time)
    reach = (a.size * a_scale + b.size * b_scale) / 2
    return max(0.0, reach - max(abs(ax - bx), abs(ay - by)))
