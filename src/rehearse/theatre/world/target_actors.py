"""The actors of the target scene as cut pieces: a hand on an arm, a hook on a rope, a frog from the front.

Each is large and of one strong paper colour that no prop and no backdrop has, so that a small model learns
it soon and a picture tells where it is. Coordinates are fractions of the frame.
"""

from __future__ import annotations

import math

import numpy as np

from .puppets import Piece
from .shapes import XY, Points, bezier, ellipse, ribbon, rounded, smooth, turned

ACTORS: tuple[str, ...] = ("hand", "crane", "frog")
ACTOR_COLOURS: dict[str, str] = {"hand": "purple", "crane": "green", "frog": "green"}
ARM = 0.115
"""Width of the hand's arm."""
PALM = 0.09
"""Radius of a circle round the hand, whose centre lies PALM behind its finger tip."""
HOOK = 0.115
"""Radius of a circle round the hook and its block, whose centre lies HOOK above its tip."""
FROG = 0.145
"""Radius of a circle round the frog."""
FROG_BOX = (0.15, 0.14)
"""Half the width and half the height of a box round it: its feet stand in the corners, outside the circle."""


def hand(tip: XY, shoulder: XY) -> list[Piece]:
    """A gloved hand that points from the shoulder to the tip of its finger."""
    way = np.array(tip) - np.array(shoulder)
    length = float(np.hypot(*way))
    angle = math.atan2(way[1], way[0])

    def placed(points: Points) -> Points:
        return turned(points, angle) + np.array(tip)

    wrist = -0.13
    arm = ribbon([(-length, 0.0), (-length / 2, 0.0), (wrist, 0.0)], ARM * 1.15, ARM)
    fingers = [
        (rounded(-0.13, y - 0.021, reach, y + 0.021, 0.021), tone)
        for y, reach, tone in ((-0.062, -0.035, "dark"), (0.062, -0.035, "dark"), (0.0, 0.0, "base"))
    ]
    thumb = smooth([(-0.15, 0.05), (-0.10, 0.10), (-0.055, 0.125), (-0.05, 0.10), (-0.09, 0.06)], 5)
    palm = smooth(
        [
            (-0.17, -0.05),
            (-0.11, -0.085),
            (-0.055, -0.07),
            (-0.04, 0.0),
            (-0.055, 0.07),
            (-0.11, 0.08),
            (-0.17, 0.05),
        ],
        5,
    )
    return [
        Piece(placed(arm), "dark"),
        Piece(placed(thumb), "dark"),
        *(Piece(placed(points), tone) for points, tone in fingers),
        Piece(placed(palm), "base", lift=True),
        Piece(placed(rounded(wrist - 0.075, -0.072, wrist - 0.02, 0.072, 0.02)), "light", lift=True),
    ]


def crane(tip: XY) -> list[Piece]:
    """A hook under a block, on a rope from above; the tip is its lowest point."""
    x, y = tip
    round_ = np.linspace(-0.5 * math.pi, 0.96 * math.pi, 18)
    bow = np.stack([0.058 * np.cos(round_), -0.08 + 0.058 * np.sin(round_)], axis=1)
    hook = np.concatenate([np.array([[-0.002, -0.17], [-0.002, -0.15]]), bow])
    at = np.array([x, y])
    return [
        Piece(ribbon([(x, -0.08), (x, (y - 0.2) / 2), (x, y - 0.2)], 0.04), "dark"),
        Piece(ribbon(hook, 0.046, 0.04) + at, "base"),
        Piece(rounded(x - 0.095, y - 0.235, x + 0.095, y - 0.145, 0.03), "base", lift=True),
        Piece(rounded(x - 0.095, y - 0.205, x + 0.095, y - 0.178, 0.0), "light", outline=False),
        Piece(ellipse(x, y - 0.191, 0.02, n=14), "ink", outline=False),
    ]


def frog(centre: XY, air: float) -> list[Piece]:
    """A frog from the front; ``air`` in [0, 1] is how far it is stretched in a leap."""
    tall, wide = 1.0 + 0.14 * air, 1.0 - 0.08 * air

    def placed(points: Points) -> Points:
        return np.asarray(points * (wide, tall) + np.array(centre), dtype=np.float64)

    rim = [(0.115, 0.055), (0.12, -0.01), (0.075, -0.065)]
    left = [(-x, y) for x, y in rim]
    body = smooth([*left, (0.0, -0.08), *reversed(rim), (0.06, 0.1), (-0.06, 0.1)], 5)
    pieces = []
    for side in (-1.0, 1.0):
        leg = ellipse(side * 0.105, 0.06 + 0.02 * air, 0.045, 0.055, n=20)
        foot = ellipse(side * 0.1, 0.115 + 0.03 * air, 0.05, 0.022, n=18)
        pieces += [Piece(placed(leg), "dark"), Piece(placed(foot), "dark")]
    pieces += [Piece(placed(ellipse(side * 0.062, -0.085, 0.046, n=22)), "base") for side in (-1.0, 1.0)]
    pieces.append(Piece(placed(body), "base", lift=True))
    pieces.append(Piece(placed(ellipse(0.0, 0.055, 0.068, 0.038, n=24)), "light", outline=False))
    for side in (-1.0, 1.0):
        pieces.append(Piece(placed(ellipse(side * 0.062, -0.088, 0.028, n=18)), "cream", outline=False))
        pieces.append(Piece(placed(ellipse(side * 0.06, -0.084, 0.015, n=12)), "ink", outline=False))
    mouth = bezier((-0.06, -0.012), (-0.03, 0.014), (0.03, 0.014), (0.06, -0.012), 10)
    pieces.append(Piece(placed(ribbon(mouth, 0.012)), "ink", outline=False))
    return pieces
