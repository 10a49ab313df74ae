"""Scenes: what stands on the stage and how it moves, as frozen data."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .motions import Path, Pose, heading, pose_at, sample_path
from .vocabulary import BACKDROPS, COLOURS, CUSTOM, MOTIONS, PUPPETS

SIZES_ONE = (0.36, 0.52)
SIZES_MORE = (0.29, 0.39)
SUBJECT_MIX = (0.70, 0.22, 0.08)
LEAN = {"rocket": math.radians(24.0)}
"""Constant lean into a sideways motion, for puppets that would look wrong upright."""


@dataclass(frozen=True)
class Actor:
    """One puppet: what it is, how large, and where it is at every time.

    ``size`` is the larger side of its drawn box at scale 1, as a fraction of the frame. ``path`` holds
    keyframes ``(t, cx, cy, scale, angle)`` with t in [0, 1], centres in fractions of the frame and
    angles in radians (clockwise), interpolated linearly. ``phase`` is the start of the articulation
    cycle in turns. ``flip`` mirrors a puppet, which otherwise faces right.
    """

    kind: str
    colour: str
    path: Path
    motion: str = CUSTOM
    size: float = 0.33
    phase: float = 0.0
    flip: bool = False

    def __post_init__(self) -> None:
        if self.kind not in PUPPETS:
            raise ValueError(f"unknown puppet {self.kind!r}; known: {', '.join(PUPPETS)}")
        if self.colour not in COLOURS:
            raise ValueError(f"unknown colour {self.colour!r}; known: {', '.join(COLOURS)}")
        if self.motion != CUSTOM and self.motion not in MOTIONS:
            raise ValueError(f"unknown motion {self.motion!r}; known: {', '.join(MOTIONS)}, {CUSTOM}")
        if not self.path:
            raise ValueError("an actor needs a path of at least one keyframe")
        times = [key[0] for key in self.path]
        if any(b <= a for a, b in pairwise(times)):
            raise ValueError("the times of a path must increase strictly")
        if self.size <= 0:
            raise ValueError("an actor's size must be positive")

    @property
    def start(self) -> tuple[float, float]:
        """Centre at the first keyframe, fractions of the frame."""
        return self.path[0][1], self.path[0][2]

    @property
    def end(self) -> tuple[float, float]:
        """Centre at the last keyframe, fractions of the frame."""
        return self.path[-1][1], self.path[-1][2]

    def pose(self, t: float) -> Pose:
        """``(cx, cy, scale, angle)`` at time t in [0, 1]."""
        return pose_at(self.path, t)


@dataclass(frozen=True)
class Scene:
    """A backdrop and its actors, the later ones in front. ``backdrop_seed`` fixes the backdrop's details."""

    backdrop: str
    actors: tuple[Actor, ...]
    backdrop_seed: int = 0

    def __post_init__(self) -> None:
        if self.backdrop not in BACKDROPS:
            raise ValueError(f"unknown backdrop {self.backdrop!r}; known: {', '.join(BACKDROPS)}")


def _cover(a: Actor, b: Actor, t: float) -> float:
    """Overlap of two actors' nominal squares at time t, as a fraction of the smaller square."""
    ax, ay, sa, _ = a.pose(t)
    bx, by, sb, _ = b.pose(t)
    wa, wb = a.size * sa, b.size * sb
    w = min(ax + wa / 2, bx + wb / 2) - max(ax - wa / 2, bx - wb / 2)
    h = min(ay + wa / 2, by + wb / 2) - max(ay - wa / 2, by - wb / 2)
    return max(w, 0.0) * max(h, 0.0) / min(wa, wb) ** 2


def _crowding(actor: Actor, others: Sequence[Actor]) -> float:
    """How much an actor collides with others: 0 is acceptable, more is worse."""
    worst = 0.0
    for other in others:
        first = _cover(actor, other, 0.0)
        mean = sum(_cover(actor, other, i / 6) for i in range(7)) / 7
        worst = max(worst, 4.0 * max(first - 0.25, 0.0) + max(mean - 0.30, 0.0))
    return worst


def _place(
    kind: str, colour: str, motion: str, sizes: tuple[float, float], rng: np.random.Generator
) -> Actor:
    """An actor of the given kind, colour and motion at a random size and place."""
    size = float(rng.uniform(*sizes))
    way = heading(motion)
    return Actor(
        kind=kind,
        colour=colour,
        path=sample_path(motion, size, rng, LEAN.get(kind, 0.0)),
        motion=motion,
        size=size,
        phase=float(rng.random()),
        flip=way < 0 if way else bool(rng.random() < 0.5),
    )


def sample_scene(
    rng: np.random.Generator,
    subjects: int | None = None,
    *,
    kinds: Sequence[str] = PUPPETS,
    colours: Sequence[str] = COLOURS,
    motions: Sequence[str] = MOTIONS,
    backdrops: Sequence[str] = BACKDROPS,
    avoid: Collection[tuple[str, str]] = (),
) -> Scene:
    """A random scene of one to three subjects (70, 22 and 8 percent unless ``subjects`` is given).

    Kind, colour, motion and backdrop are uniform and independent; no two subjects share kind and colour.
    ``avoid`` holds (kind, colour) pairs that never appear, for held-out combinations.
    """
    count = int(rng.choice(3, p=SUBJECT_MIX)) + 1 if subjects is None else subjects
    allowed = sum((kind, colour) not in avoid for kind in set(kinds) for colour in set(colours))
    if not 1 <= count <= 3 or count > allowed:
        raise ValueError(f"cannot place {count} distinct subjects (1 to 3, {allowed} pairs allowed)")
    sizes = SIZES_ONE if count == 1 else SIZES_MORE
    backdrop = backdrops[int(rng.integers(len(backdrops)))]
    seed = int(rng.integers(2**31))
    actors: list[Actor] = []
    while len(actors) < count:
        kind = kinds[int(rng.integers(len(kinds)))]
        colour = colours[int(rng.integers(len(colours)))]
        if (kind, colour) in avoid or any((a.kind, a.colour) == (kind, colour) for a in actors):
            continue
        motion = motions[int(rng.integers(len(motions)))]
        best = _place(kind, colour, motion, sizes, rng)
        least = _crowding(best, actors)
        for _ in range(40):
            if least == 0.0:
                break
            other = _place(kind, colour, motion, sizes, rng)
            if (crowding := _crowding(other, actors)) < least:
                best, least = other, crowding
        actors.append(best)
    return Scene(backdrop=backdrop, actors=tuple(actors), backdrop_seed=seed)
