"""Which part of which puppet lies in each latent cell: what the image model learns beside pictures.

A denoiser that is only asked for pixels takes very many samples before its puppets have shapes. Asked as
well which puppet a cell belongs to and where on that puppet it lies, it learns shapes as wholes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehearse.theatre.world import Scene
from rehearse.theatre.world.render import rigid
from rehearse.theatre.world.target_actors import ACTORS
from rehearse.theatre.world.target_render import prop_rigid
from rehearse.theatre.world.target_scene import PROPS, TargetScene
from rehearse.theatre.world.vocabulary import PUPPETS

NOTHING = 0
"""Class of a cell that no puppet owns; a puppet's class is its index in PUPPETS + 1."""
OWNED = 0.35
"""Share of a cell's pixels that makes it a puppet's."""
SCALE = 127.0
"""Puppet coordinates of about [-0.6, 0.6] are stored as ``round(coordinate * SCALE)`` in an int8."""
SPEED = 40.0
"""Velocities, in frame widths and heights a clip, are stored as ``round(velocity * SPEED)`` in an int8."""
_DELTA = 0.02


@dataclass(frozen=True)
class Thing:
    """What owns cells: its class, and at one time its similarity transform in pixels (centre x + iy; scale
    times e^(i angle)), whether it is mirrored, and its velocity in frame widths and heights a clip."""

    kind: int
    centre: complex
    turn: complex
    flip: bool = False
    velocity: tuple[float, float] = (0.0, 0.0)


def cells_of(
    things: Sequence[Thing], masks: NDArray[np.uint8], cell: int = 8, *, moving: bool = False
) -> NDArray[np.int8]:
    """Classes and coordinates int8 ``[h, w, 3]`` of a picture's latent cells; with ``moving`` also the
    velocity, ``[h, w, 5]``.

    masks: owner of each pixel uint8 [H, W], 0 for none, else index of the thing + 1. The coordinates are
    those of the cell's centre in the thing's own upright, right-facing frame, in multiples of its size.
    """
    high, wide = masks.shape[0] // cell, masks.shape[1] // cell
    blocks = masks.reshape(high, cell, wide, cell)
    parts = np.zeros((high, wide, 5 if moving else 3), np.int8)
    most = np.full((high, wide), OWNED)
    ys, xs = np.mgrid[0:high, 0:wide]
    centres = (xs + 0.5) * cell + 1j * (ys + 0.5) * cell
    for index, thing in enumerate(things):
        share = (blocks == index + 1).mean(axis=(1, 3))
        own = share >= most
        most = np.maximum(most, share)
        local = (centres - thing.centre) / thing.turn
        across = -local.real if thing.flip else local.real
        coordinates = np.stack([across, local.imag], -1).clip(-0.99, 0.99)
        parts[own, 0] = thing.kind
        parts[own, 1:3] = np.round(coordinates[own] * SCALE).astype(np.int8)
        if moving:
            speed = np.array(thing.velocity) * SPEED
            parts[own, 3:] = np.round(speed.clip(-127, 127)).astype(np.int8)
    return parts


def part_map(
    scene: Scene, t: float, masks: NDArray[np.uint8], cell: int = 8, *, moving: bool = False
) -> NDArray[np.int8]:
    """:func:`cells_of` a scene of puppets at time t in [0, 1]; masks as the renderer gives them."""
    before, after = max(t - _DELTA, 0.0), min(t + _DELTA, 1.0)
    things = []
    for actor in scene.actors:
        (x0, y0, *_), (x1, y1, *_) = actor.pose(before), actor.pose(after)
        velocity = ((x1 - x0) / (after - before), (y1 - y0) / (after - before))
        centre, turn = rigid(actor, t, masks.shape[0])
        things.append(Thing(PUPPETS.index(actor.kind) + 1, centre, turn, actor.flip, velocity))
    return cells_of(things, masks, cell, moving=moving)


TARGET_KINDS: tuple[str, ...] = (*PROPS, *ACTORS)
"""Kinds of the target scene; the class of one is its index here + 1."""
ACTOR_UNIT = 0.3
"""What counts as the size of an actor of the target scene, as a fraction of the frame."""


def target_part_map(
    scene: TargetScene, t: float, owners: NDArray[np.uint8], cell: int = 8
) -> NDArray[np.int8]:
    """:func:`cells_of` a target scene at time t in [0, 1], with velocities, int8 ``[h, w, 5]``.

    The actor's coordinates lie round its tip (the frog's centre) and are upright, however the hand points:
    so all coordinates of a mirrored clip are mirrored.
    """
    size = owners.shape[0]
    before, after = max(t - _DELTA, 0.0), min(t + _DELTA, 1.0)
    span = after - before
    things = []
    for index, prop in enumerate(scene.props):
        (x0, y0, _), (x1, y1, _) = scene.prop_at(index, before), scene.prop_at(index, after)
        centre, turn = prop_rigid(scene, index, t, size)
        velocity = ((x1 - x0) / span, (y1 - y0) / span)
        things.append(Thing(TARGET_KINDS.index(prop.kind) + 1, centre, turn, velocity=velocity))
    (x, y), _ = scene.actor_at(t)
    (x0, y0), _ = scene.actor_at(before)
    (x1, y1), _ = scene.actor_at(after)
    centre, turn = complex(x, y) * size, complex(ACTOR_UNIT * size)
    velocity = ((x1 - x0) / span, (y1 - y0) / span)
    things.append(Thing(TARGET_KINDS.index(scene.actor) + 1, centre, turn, velocity=velocity))
    return cells_of(things, owners, cell, moving=True)
