"""Cases of the image-to-video evaluation: still pictures, and for each of them three things to happen.

A still shows one puppet from a held-out seed, near enough to the middle that there is room to go anywhere.
Its three prompts name a way to the side (the one the puppet faces), a way up or down, and another motion.
With each case come the wishes of a person who directs it: another colour, a second puppet, a place to drag
the puppet to. Case ``i`` depends on the seed and ``i`` alone; kinds, colours and backdrops are balanced.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.kit.motion import centres, heading, moves_as_prompted
from rehearse.evaluation.trajectory.cases import balanced
from rehearse.shot import Box
from rehearse.theatre.data import HELD_OUT, rng_of
from rehearse.theatre.world import (
    BACKDROPS,
    COLOURS,
    PUPPETS,
    Actor,
    Scene,
    caption,
    render_frame,
    still_caption,
)

MOTIONS_EACH = 3
SIZES = (0.34, 0.44)
MIDDLE = (0.36, 0.64)
"""Where a still's puppet stands, in both directions."""
DRAGGED = (0.18, 0.28)
"""How far a puppet is dragged, in fractions of the frame."""
SIZE = 128
GROWN = 0.04
"""What a person's box round a puppet leaves free on each side, in fractions of the frame."""

Wish = Literal["original", "recolour", "second"]
WISHES: tuple[Wish, ...] = get_args(Wish)

_EDGE = 0.02
_SECOND = 0.26
_SPREAD = math.radians(35)
_GROWTH = 1.15
_HOP = 0.06


@dataclass(frozen=True)
class Animation:
    """One case. index: its number, from 0; still: that of its picture. seed: of the noise. motion: what the
    prompt says. actor: the puppet of the still. target: where its centre is dragged to. recolour: the colour
    that is wished for. second: the puppet that is wished for beside it."""

    index: int
    still: int
    seed: int
    backdrop: str
    backdrop_seed: int
    actor: Actor
    motion: str
    target: tuple[float, float]
    recolour: str
    second: Actor

    def actors(self, wish: Wish = "original") -> tuple[Actor, ...]:
        """The puppets of the still as given, or as wished for; the one that the prompt moves comes first."""
        if wish == "recolour":
            return (replace(self.actor, colour=self.recolour),)
        return (self.actor, self.second) if wish == "second" else (self.actor,)

    def scene(self, wish: Wish = "original") -> Scene:
        """What the still shows."""
        return Scene(self.backdrop, self.actors(wish), self.backdrop_seed)

    def picture(self, wish: Wish = "original") -> NDArray[np.uint8]:
        """The still, uint8 [SIZE, SIZE, 3]; as wished for, it is what an edit should make of it."""
        return _rendered(self.scene(wish))[0]

    def caption(self, wish: Wish = "original") -> str:
        """The prompt: who, what happens, where. A second puppet stands still."""
        return caption(self.scene(wish))

    def still_caption(self, wish: Wish = "original") -> str:
        """Who and where, without what happens: what the picture shows."""
        return still_caption(self.scene(wish))

    def edit_prompt(self, wish: Wish) -> str:
        """What the region of an edit shall show."""
        return still_caption(Scene(self.backdrop, self.actors(wish)[-1:]))

    def subjects(self, wish: Wish = "original") -> tuple[tuple[str, str], ...]:
        """(kind, colour) of whom to look for."""
        return tuple((actor.kind, actor.colour) for actor in self.actors(wish))

    @cached_property
    def box(self) -> Box:
        """The puppet's own box in the still."""
        return _box(self.scene(), 0)

    @cached_property
    def second_box(self) -> Box:
        """The box of the second puppet where it is wished for."""
        return _box(self.scene("second"), 1)

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the puppet's box: the handle of a drag."""
        return (self.box.x0 + self.box.x1) / 2, (self.box.y0 + self.box.y1) / 2


def animation_cases(count: int, seed: int = 0) -> tuple[Animation, ...]:
    """The first ``count`` cases of a seed. EvaluationError for a count below 1."""
    if count < 1:
        raise EvaluationError(f"cases: {count} is below 1; ask for one case at least, 105 for a result")
    return tuple(_case(index, seed) for index in range(count))


@lru_cache(maxsize=4096)
def _case(index: int, seed: int) -> Animation:
    still, which = divmod(index, MOTIONS_EACH)
    rng = rng_of(seed, HELD_OUT + still)
    way = balanced(("right", "left"), still, seed, stream=21)
    kind, colour = (
        balanced(values, still, seed, stream=22 + k) for k, values in ((0, PUPPETS), (1, COLOURS))
    )
    backdrop = balanced(BACKDROPS, still, seed, stream=24)
    x, y = (float(v) for v in rng.uniform(*MIDDLE, 2))
    size = float(rng.uniform(*SIZES))
    motion = (
        f"moves {way}",
        balanced(("moves up", "moves down"), still, seed, stream=25),
        balanced((f"arcs {way}", "bounces", "grows", "shrinks"), still, seed, stream=26),
    )[which]
    actor = _actor(kind, colour, (x, y), motion, size, rng, flip=way == "left")
    others = [other for other in COLOURS if other != colour]
    recolour = others[int(rng.integers(len(others)))]
    kinds = [other for other in PUPPETS if other != kind]
    second_kind, second_colour = kinds[int(rng.integers(len(kinds)))], others[int(rng.integers(len(others)))]
    corner = (0.18 if x > 0.5 else 0.82, 0.18 if y > 0.5 else 0.82)
    second = _actor(second_kind, second_colour, corner, "stands still", _SECOND, rng, flip=corner[0] > 0.5)
    own = rng_of(seed, HELD_OUT + HELD_OUT // 2 + index)
    plain = Animation(
        index, still, int(own.integers(2**31)), backdrop, int(rng.integers(2**31)), actor, motion, (0, 0),
        recolour, second,
    )  # fmt: skip
    return replace(plain, target=_target(plain, own))


def _actor(
    kind: str,
    colour: str,
    place: tuple[float, float],
    motion: str,
    size: float,
    rng: np.random.Generator,
    flip: bool,
) -> Actor:
    at_rest = ((0.0, *place, 1.0, 0.0),)
    return Actor(kind, colour, at_rest, motion, size=size, phase=float(rng.random()), flip=flip)


def _target(case: Animation, rng: np.random.Generator) -> tuple[float, float]:
    """Where the puppet is dragged to: roughly the way that the prompt names, or any way where it names none;
    all of it stays in the frame."""
    x, y = case.centre
    half = ((case.box.x1 - case.box.x0) / 2, (case.box.y1 - case.box.y0) / 2)
    named = heading(case.motion)
    best, longest = (x, y), 0.0
    for _ in range(40):
        if named is None:
            angle = float(rng.uniform(0, 2 * math.pi))
        else:
            angle = math.atan2(named[1], named[0]) + float(rng.uniform(-_SPREAD, _SPREAD))
        far = float(rng.uniform(*DRAGGED))
        end = tuple(
            min(max(start + far * part, side + _EDGE), 1 - side - _EDGE)
            for start, part, side in zip((x, y), (math.cos(angle), math.sin(angle)), half, strict=True)
        )
        gone = math.hypot(end[0] - x, end[1] - y)
        if gone > longest:
            best, longest = (round(end[0], 4), round(end[1], 4)), gone
        if gone >= DRAGGED[0]:
            break
    return best


@lru_cache(maxsize=256)
def _rendered(scene: Scene) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    still = render_frame(scene, 0.0, SIZE)
    return still.frame, still.boxes


def _box(scene: Scene, actor: int) -> Box:
    return Box(*(float(v) for v in _rendered(scene)[1][actor].clip(0, 1)))


def grown(box: Box, by: float = GROWN) -> Box:
    """A box as a person draws it round something: a little larger, within the frame."""
    return Box(max(box.x0 - by, 0), max(box.y0 - by, 0), min(box.x1 + by, 1), min(box.y1 + by, 1))


def happens(boxes: NDArray[np.floating], motion: str) -> bool:
    """Whether a tracked subject (boxes [F, 4], NaN where not found) does what the prompt says.

    Directions as in :mod:`rehearse.evaluation.kit.motion`. Grows and shrinks: the box's side
    changes by a factor of at least 1.15 from the first third of the frames that show it to the last.
    Bounces: its centre turns round at least once between rising and falling, by .06 of the frame each, and
    has gone farther up and down than it ends up to the side.
    """
    directed = moves_as_prompted(boxes, motion)
    if directed is not None:
        return directed
    shown = np.asarray(boxes, np.float64)[~np.isnan(boxes).any(axis=1)]
    if len(shown) < 3:
        return motion == "stands still"
    third = max(1, len(shown) // 3)
    if motion in ("grows", "shrinks"):
        sides = np.sqrt((shown[:, 2:] - shown[:, :2]).prod(axis=1).clip(min=1e-9))
        ratio = float(np.median(sides[-third:]) / np.median(sides[:third]))
        return ratio >= _GROWTH if motion == "grows" else ratio <= 1 / _GROWTH
    track = centres(shown)
    if motion == "bounces":
        across = abs(float(track[-third:, 0].mean() - track[:third, 0].mean()))
        return _turns_round(track[:, 1], _HOP) and float(np.ptp(track[:, 1])) > across
    raise EvaluationError(f"motion {motion!r}: there is no test for it")


def _turns_round(height: Sequence[float] | NDArray[np.floating], least: float) -> bool:
    """Whether a series goes at least ``least`` one way and afterwards as far the other."""
    low = high = float(height[0])
    rose = fell = False
    for value in height:
        low, high = min(low, float(value)), max(high, float(value))
        if value - low >= least:
            if fell:
                return True
            rose, high = True, max(float(value), high)
        if high - value >= least:
            if rose:
                return True
            fell, low = True, min(float(value), low)
    return False
