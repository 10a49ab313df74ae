"""Which part of which puppet lies in each latent cell: what the image model learns beside pictures.

A denoiser that is only asked for pixels takes very many samples before its puppets have shapes. Asked as
well which puppet a cell belongs to and where on that puppet it lies, it learns shapes as wholes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehearse.theatre.world import Scene
from rehearse.theatre.world.render import rigid
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


def part_map(
    scene: Scene, t: float, masks: NDArray[np.uint8], cell: int = 8, *, moving: bool = False
) -> NDArray[np.int8]:
    """Classes and puppet coordinates int8 ``[h, w, 3]`` of a picture's latent cells; with ``moving`` also the
    velocity, ``[h, w, 5]``.

    masks: owner of each pixel uint8 [H, W], 0 for none, else index of the actor + 1. The coordinates are
    those of the cell's centre in the puppet's own upright, right-facing frame, in multiples of its size.
    """
    size = masks.shape[0]
    high, wide = masks.shape[0] // cell, masks.shape[1] // cell
    blocks = masks.reshape(high, cell, wide, cell)
    parts = np.zeros((high, wide, 5 if moving else 3), np.int8)
    most = np.full((high, wide), OWNED)
    ys, xs = np.mgrid[0:high, 0:wide]
    centres = (xs + 0.5) * cell + 1j * (ys + 0.5) * cell
    for index, actor in enumerate(scene.actors):
        share = (blocks == index + 1).mean(axis=(1, 3))
        own = share >= most
        most = np.maximum(most, share)
        at, turn = rigid(actor, t, size)
        local = (centres - at) / turn
        across = -local.real if actor.flip else local.real
        coordinates = np.stack([across, local.imag], -1).clip(-0.99, 0.99)
        parts[own, 0] = PUPPETS.index(actor.kind) + 1
        parts[own, 1:3] = np.round(coordinates[own] * SCALE).astype(np.int8)
        if moving:
            before, after = max(t - _DELTA, 0.0), min(t + _DELTA, 1.0)
            (x0, y0, *_), (x1, y1, *_) = actor.pose(before), actor.pose(after)
            speed = np.array([x1 - x0, y1 - y0]) / (after - before)
            parts[own, 3:] = np.round((speed * SPEED).clip(-127, 127)).astype(np.int8)
    return parts
