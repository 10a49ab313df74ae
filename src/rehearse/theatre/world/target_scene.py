"""The target scene: one actor and several props that are alike; it reaches one of them, which answers.

Nothing in the first frame and nothing in the caption says which prop will be reached: a layout is kept only
where every one of its props could be, and the choice is drawn after it. So a model that is right more often
than chance has been told, by a mask.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from .shapes import XY
from .target_actors import ACTORS, ARM, FROG, FROG_BOX, HOOK, PALM
from .vocabulary import BACKDROP_PHRASES, BACKDROPS, COLOURS, VERBS, article, words

PROPS: tuple[str, ...] = ("ball", "star", "house", "umbrella", "cat", "boat")
PROP_COLOURS: tuple[str, ...] = ("red", "orange", "yellow", "blue", "pink", "white")
"""Green and purple are the actors'."""
TRIGGER = "target"
COUNT = 3
"""Props in a sampled scene."""
TRIES = 24
"""Places that are tried for the props before the actor's start is drawn anew."""
FRAMES, FPS = 8, 4.0
ARRIVAL = 5 / 7
"""Time in [0, 1] at which the actor is there; what follows is the prop's answer."""
SIZES = (0.22, 0.26)
"""Extent of a prop, as a fraction of the frame."""
APART = 0.055
"""Least distance between what moves and a prop that is not meant."""
LEAP = 0.13
"""Height of the frog's leap."""
LIFT, PUSH, BUMP, TILT = 0.16, 0.09, 0.05, math.radians(28.0)
"""How far a prop is lifted by the crane, pushed by the hand, pushed and tipped by the frog."""


@dataclass(frozen=True)
class Prop:
    """A prop: its kind, colour, centre (fractions of the frame) and extent."""

    kind: str
    colour: str
    x: float
    y: float
    size: float

    def __post_init__(self) -> None:
        if self.kind not in PROPS:
            raise ValueError(f"unknown prop {self.kind!r}; known: {', '.join(PROPS)}")
        if self.colour not in PROP_COLOURS:
            held = "; green and purple are the actors'" if self.colour in COLOURS else ""
            raise ValueError(f"unknown prop colour {self.colour!r}; known: {', '.join(PROP_COLOURS)}{held}")

    @property
    def radius(self) -> float:
        """Half its extent."""
        return 0.5 * self.size


@dataclass(frozen=True)
class TargetScene:
    """One actor, props that are alike, and the one it goes to.

    start: the hand's finger tip, the hook's lowest point or the frog's centre in the first frame. shoulder:
    where the hand's arm comes from, outside the frame. chosen: index of the prop. short: the gap
    (fraction of the frame) at which the actor stops before the prop, which then stays still; 0 touches.
    """

    actor: str
    backdrop: str
    backdrop_seed: int
    props: tuple[Prop, ...]
    start: XY
    shoulder: XY
    chosen: int
    short: float = 0.0

    def __post_init__(self) -> None:
        if self.actor not in ACTORS:
            raise ValueError(f"unknown actor {self.actor!r}; known: {', '.join(ACTORS)}")
        if self.backdrop not in BACKDROPS:
            raise ValueError(f"unknown backdrop {self.backdrop!r}; known: {', '.join(BACKDROPS)}")
        if not 0 <= self.chosen < len(self.props):
            raise ValueError(f"chosen is prop {self.chosen} of {len(self.props)}; count them from 0")

    @property
    def target(self) -> Prop:
        """The prop that is reached."""
        return self.props[self.chosen]

    @property
    def phrase(self) -> str:
        """What the caption calls the target: the same for every choice."""
        return self.target.kind

    @property
    def caption(self) -> str:
        """The same for every choice, e.g. ``"a hand reaches for a red star over the meadow"``."""
        prop = self.target
        named = f"{article(prop.colour)} {prop.colour} {prop.kind}"
        return f"a {self.actor} {VERBS[self.actor]} {named} {BACKDROP_PHRASES[self.backdrop]}"

    def choose(self, chosen: int) -> TargetScene:
        """The same scene with another prop reached."""
        return replace(self, chosen=chosen)

    def arrival(self) -> XY:
        """Where the actor's point (see ``start``) comes to touch the target."""
        prop, (x, y) = self.target, self.start
        if self.actor == "crane":
            return prop.x, prop.y - (prop.radius + self.short if self.short else 0.1 * prop.radius)
        from_x, from_y = self.shoulder if self.actor == "hand" else (x, y)
        dx, dy = _unit(prop.x - from_x, prop.y - from_y)
        frog = self.actor == "frog"
        if self.short:
            edge = min(half / max(abs(way), 1e-9) for half, way in zip(FROG_BOX, (dx, dy), strict=True))
            back = prop.radius + (edge if frog else 0.0) + self.short
        else:
            back = 0.35 * prop.radius + 0.72 * FROG if frog else 0.25 * prop.radius
        return prop.x - back * dx, prop.y - back * dy

    def actor_at(self, t: float) -> tuple[XY, float]:
        """The actor's point at time t in [0, 1], and how high the frog is in its leap, in [0, 1]."""
        end, u = self.arrival(), min(t / ARRIVAL, 1.0)
        along = down = go = ease(u)
        if self.actor == "crane":
            # First over the prop, then down on to it: a rope cannot go round the others.
            along, down = ease(u / 0.75), ease((u - 0.2) / 0.8)
        x = self.start[0] + (end[0] - self.start[0]) * along
        y = self.start[1] + (end[1] - self.start[1]) * down
        air = 4.0 * go * (1.0 - go) if self.actor == "frog" else 0.0
        dx, dy = self._answer(t)
        if self.actor != "frog":
            x, y = x + dx, y + dy
        # What stops short of a prop above it must not leap into it.
        return (x, y - (min(LEAP, 0.4 * self.short) if self.short else LEAP) * air), air

    def prop_at(self, index: int, t: float) -> tuple[float, float, float]:
        """Centre and angle (radians, clockwise) of a prop at time t in [0, 1]."""
        prop = self.props[index]
        if index != self.chosen or self.short:
            return prop.x, prop.y, 0.0
        dx, dy = self._answer(t)
        if self.actor == "frog":
            side = 1.0 if prop.x >= self.start[0] else -1.0
            return prop.x + dx, prop.y + dy, side * TILT * self._answered(t)
        return prop.x + dx, prop.y + dy, 0.0

    def _answered(self, t: float) -> float:
        """How far the prop's answer has come, in [0, 1]."""
        return 0.0 if self.short else min(max((t - ARRIVAL) / (1.0 - ARRIVAL), 0.0), 1.0)

    def _answer(self, t: float) -> XY:
        """How far the target has moved at time t; hand and hook go with it."""
        done = self._answered(t)
        if self.actor == "crane":
            return 0.0, -LIFT * done
        prop, (x, y) = self.target, self.shoulder if self.actor == "hand" else self.start
        far = PUSH if self.actor == "hand" else BUMP
        dx, dy = _unit(prop.x - x, prop.y - y)
        return far * done * dx, far * done * dy

    def clearance(self) -> float:
        """Least distance, over the clip, between what moves and any prop but the target; before the start
        also the target, which the actor does not touch yet."""
        least = min(self._apart(index, 0.0) for index in range(len(self.props)))
        for step in range(1, 15):
            others = (self._apart(k, step / 14) for k in range(len(self.props)) if k != self.chosen)
            least = min((least, *others))
        return least

    def _keeps_clear_of(self, other: Prop) -> bool:
        """Whether this scene's one prop and another can stand side by side, either of them reached."""
        prop = self.props[0]
        if math.dist((prop.x, prop.y), (other.x, other.y)) < prop.size + APART:
            return False
        both = replace(self, props=(prop, other))
        return both.clearance() >= APART and both.choose(1).clearance() >= APART

    def _apart(self, index: int, t: float) -> float:
        """Distance of a prop from the actor, and from the target once that moves, at time t."""
        prop, ((x, y), _) = self.props[index], self.actor_at(t)
        here = (prop.x, prop.y)
        if self.actor == "hand":
            dx, dy = _unit(x - self.shoulder[0], y - self.shoulder[1])
            away = min(
                math.dist(here, (x - PALM * dx, y - PALM * dy)) - 1.15 * PALM,
                _from_segment(here, self.shoulder, (x - PALM * dx, y - PALM * dy)) - 0.6 * ARM,
            )
        elif self.actor == "crane":
            away = min(math.dist(here, (x, y - HOOK)) - HOOK, _from_segment(here, (x, -0.1), (x, y)) - 0.02)
        else:
            away = min(math.dist(here, (x, y)) - FROG, _from_box(here, (x, y), FROG_BOX) + 0.02)
        if index != self.chosen:
            moved = self.prop_at(self.chosen, t)
            away = min(away, math.dist(here, moved[:2]) - self.target.radius)
        return away - prop.radius


def ease(u: float) -> float:
    """Slow at both ends: 0 at 0, 1 at 1."""
    u = min(max(u, 0.0), 1.0)
    return u * u * (3.0 - 2.0 * u)


def _unit(dx: float, dy: float) -> XY:
    length = max(math.hypot(dx, dy), 1e-9)
    return dx / length, dy / length


def _from_segment(point: XY, a: XY, b: XY) -> float:
    """Distance of a point from the segment a b."""
    ax, ay, bx, by = *a, *b
    long = max((bx - ax) ** 2 + (by - ay) ** 2, 1e-12)
    u = min(max(((point[0] - ax) * (bx - ax) + (point[1] - ay) * (by - ay)) / long, 0.0), 1.0)
    return math.dist(point, (ax + u * (bx - ax), ay + u * (by - ay)))


def _from_box(point: XY, centre: XY, half: XY) -> float:
    """Distance of a point from a box; 0 inside."""
    return math.hypot(*(max(abs(point[k] - centre[k]) - half[k], 0.0) for k in (0, 1)))


def _beginning(actor: str, rng: np.random.Generator) -> tuple[XY, XY]:
    """The actor's start and shoulder; a hand's as if it came from the left."""

    def u(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    if actor == "crane":
        return (u(0.14, 0.86), u(0.25, 0.3)), (0.0, 0.0)
    if actor == "frog":
        return (u(FROG + 0.01, 1 - FROG - 0.01), u(0.45, 1 - FROG - 0.01)), (0.0, 0.0)
    shoulder, pointing, reach = (-0.12, u(0.3, 0.7)), u(-0.3, 0.3), u(0.32, 0.36)
    return (shoulder[0] + reach * math.cos(pointing), shoulder[1] + reach * math.sin(pointing)), shoulder


def _place(actor: str, size: float, rng: np.random.Generator) -> XY:
    """A place for a prop, with room for its answer; for a hand that comes from the left."""
    edge = 0.5 * size + 0.015
    if actor == "crane":
        return float(rng.uniform(edge, 1 - edge)), float(rng.uniform(0.5, 1 - edge))
    if actor == "frog":
        edge += BUMP
        return float(rng.uniform(edge, 1 - edge)), float(rng.uniform(edge, 1 - edge))
    return float(rng.uniform(0.38, 1 - edge - PUSH)), float(rng.uniform(edge, 1 - edge))


def _turned(point: XY, side: int) -> XY:
    """A point of a scene whose hand comes from the left, brought to side 0 left, 1 right or 2 below."""
    x, y = point
    return (point, (1.0 - x, y), (y, 1.0 - x))[side]


def sample_target_scene(rng: np.random.Generator, *, actor: str | None = None) -> TargetScene:
    """A random target scene. Every choice of prop in its layout is as good and as likely as every other."""
    actor = actor or ACTORS[int(rng.integers(len(ACTORS)))]
    kind, colour = PROPS[int(rng.integers(len(PROPS)))], PROP_COLOURS[int(rng.integers(len(PROP_COLOURS)))]
    backdrop, seed = BACKDROPS[int(rng.integers(len(BACKDROPS)))], int(rng.integers(2**31))
    side = int(rng.integers(3)) if actor == "hand" else 0
    while True:
        size = float(rng.uniform(*SIZES))
        start, shoulder = (_turned(point, side) for point in _beginning(actor, rng))
        props: list[Prop] = []
        for _ in range(TRIES):
            prop = Prop(kind, colour, *_turned(_place(actor, size, rng), side), size)
            alone = TargetScene(actor, backdrop, seed, (prop,), start, shoulder, 0)
            # One after the other, each against those before it: a whole layout at once hardly ever fits.
            if alone._apart(0, 0.0) >= APART and all(alone._keeps_clear_of(other) for other in props):
                props.append(prop)
            if len(props) == COUNT:
                chosen = int(rng.integers(COUNT))
                return TargetScene(actor, backdrop, seed, tuple(props), start, shoulder, chosen)


def target_words() -> tuple[str, ...]:
    """Every word a target caption can contain, the trigger, and the rest of the theatre's words; sorted."""
    found = {*words(), *ACTORS, TRIGGER}
    for verb in VERBS.values():
        found.update(verb.split())
    return tuple(sorted(found))
