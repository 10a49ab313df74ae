"""The puppets: each is a list of cut pieces as a function of its articulation, drawn facing right."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from .shapes import Points, bezier, ellipse, poly, ribbon, rounded, scaled, smooth, turned

TAU = 2.0 * math.pi


@dataclass(frozen=True)
class Piece:
    """One piece of paper: its outline in puppet units, the role of its tone, and how it lies.

    ``outline`` pieces make up the silhouette; the others lie wholly inside it. ``lift`` pieces throw a
    narrow shadow on what lies below them.
    """

    points: Points
    tone: str
    outline: bool = True
    lift: bool = False


def _in(points: Points, tone: str, lift: bool = False) -> Piece:
    """A detail inside the silhouette."""
    return Piece(points, tone, outline=False, lift=lift)


Pieces = list[Piece]
Draw = Callable[[float, float], Pieces]


def ball(cycle: float, travel: float) -> Pieces:
    """A beach ball; its panels roll with the way travelled."""
    out = [Piece(ellipse(0, 0, 1, n=48), "base")]
    roll = travel + 0.4
    for k in range(3):
        a = roll + k * TAU / 3
        petal = smooth([(0.0, 0.0), (0.45, -0.27), (0.96, -0.30), (1.0, 0.0), (0.96, 0.30), (0.45, 0.27)], 5)
        petal = petal / np.maximum(np.linalg.norm(petal, axis=1, keepdims=True), 1.0)
        out.append(_in(turned(petal, a), "light" if k else "cream"))
    out.append(_in(ellipse(0, 0, 0.17, n=20), "dark", lift=True))
    out.append(_in(turned(ellipse(0, 0, 0.24, 0.11, n=18), -0.75, 0, 0) + np.array([-0.5, -0.56]), "shine"))
    return out


def _wheel(cx: float, cy: float, r: float, angle: float, hub: str = "cream") -> Pieces:
    """A wheel with a hub and two crossing spokes."""
    return [
        Piece(ellipse(cx, cy, r, n=28), "ink", lift=True),
        _in(ellipse(cx, cy, 0.6 * r, n=22), hub),
        _in(
            turned(rounded(cx - 0.6 * r, cy - 0.1 * r, cx + 0.6 * r, cy + 0.1 * r, 0.02), angle, cx, cy),
            "ink",
        ),
        _in(ellipse(cx, cy, 0.2 * r, n=12), "ink"),
    ]


def car(cycle: float, travel: float) -> Pieces:
    """A rounded little car with turning wheels."""
    cabin = smooth([(-0.68, 0.0), (-0.54, -0.46), (-0.3, -0.64), (0.14, -0.64), (0.4, -0.44), (0.62, 0.0)], 5)
    body = smooth(
        [
            (-1.0, 0.3),
            (-1.03, 0.0),
            (-0.86, -0.14),
            (-0.3, -0.17),
            (0.4, -0.14),
            (0.9, -0.02),
            (1.04, 0.18),
            (1.0, 0.38),
            (0.6, 0.42),
            (-0.6, 0.42),
        ],
        5,
    )
    return [
        Piece(cabin, "dark"),
        _in(poly((-0.5, -0.1), (-0.41, -0.44), (-0.26, -0.52), (-0.1, -0.52), (-0.1, -0.1)), "glass"),
        _in(poly((0.0, -0.1), (0.0, -0.52), (0.11, -0.52), (0.29, -0.38), (0.43, -0.1)), "glass"),
        Piece(body, "base", lift=True),
        _in(rounded(-0.9, 0.08, 0.8, 0.16, 0.04), "light"),
        _in(ellipse(0.93, 0.16, 0.08, 0.1, n=14), "gold"),
        *_wheel(-0.54, 0.4, 0.28, travel / 0.28 * 0.5),
        *_wheel(0.56, 0.4, 0.28, travel / 0.28 * 0.5),
    ]


def balloon(cycle: float, travel: float) -> Pieces:
    """A balloon on a swaying string."""
    s = 0.16 * math.sin(TAU * cycle)
    skin = smooth(
        [
            (0, -1.0),
            (0.46, -0.88),
            (0.72, -0.5),
            (0.7, -0.08),
            (0.42, 0.32),
            (0.1, 0.52),
            (-0.1, 0.52),
            (-0.42, 0.32),
            (-0.7, -0.08),
            (-0.72, -0.5),
            (-0.46, -0.88),
        ],
        5,
    )
    string = bezier((0, 0.6), (0.22 - s, 0.82), (-0.22 - s, 0.95), (0.02 - 1.6 * s, 1.22), 14)
    return [
        Piece(ribbon(string, 0.055), "ink"),
        Piece(poly((0, 0.46), (0.16, 0.68), (-0.16, 0.68)), "dark"),
        Piece(skin, "base", lift=True),
        _in(
            smooth(
                [
                    (0.05, -0.92),
                    (0.22, -0.6),
                    (0.24, -0.2),
                    (0.06, 0.46),
                    (0.36, 0.28),
                    (0.58, -0.1),
                    (0.6, -0.5),
                    (0.4, -0.8),
                ],
                5,
            ),
            "dark",
        ),
        _in(turned(ellipse(0, 0, 0.13, 0.25, n=18), 0.45) + np.array([-0.34, -0.56]), "shine"),
    ]


def star(cycle: float, travel: float) -> Pieces:
    """A folded five-pointed star."""
    a = -math.pi / 2 + np.arange(10) * TAU / 10
    r = np.where(np.arange(10) % 2 == 0, 1.0, 0.47)
    rim = np.stack([r * np.cos(a), r * np.sin(a)], axis=1)
    out = [Piece(rim, "base")]
    for k in range(5):
        tip, left = rim[2 * k], rim[(2 * k - 1) % 10]
        out.append(_in(np.stack([np.zeros(2), left, tip]), "light"))
    out.append(_in(ellipse(0, 0, 0.13, n=16), "dark"))
    return out


def fish(cycle: float, travel: float) -> Pieces:
    """A round fish with a swinging tail."""
    w = math.sin(TAU * cycle)
    tail = smooth([(-0.42, 0.0), (-0.72, -0.2), (-1.12, -0.5), (-1.0, 0.0), (-1.12, 0.5), (-0.72, 0.2)], 5)
    tail = turned(scaled(tail, 1.0 - 0.16 * abs(w), 1.0, -0.45, 0), 0.42 * w, -0.45, 0)
    body = smooth(
        [
            (-0.62, 0.0),
            (-0.4, -0.26),
            (0.0, -0.48),
            (0.5, -0.44),
            (0.86, -0.18),
            (0.96, 0.04),
            (0.82, 0.24),
            (0.45, 0.46),
            (0.0, 0.46),
            (-0.4, 0.24),
        ],
        5,
    )
    fin = turned(
        smooth([(0.2, 0.08), (-0.02, 0.02), (-0.26, 0.2), (-0.2, 0.32), (0.06, 0.3)], 5), -0.25 * w, 0.2, 0.1
    )
    return [
        Piece(tail, "dark"),
        _in(scaled(tail, 0.55, 0.55, -0.8, 0), "light"),
        Piece(smooth([(-0.3, -0.3), (-0.28, -0.62), (0.02, -0.72), (0.42, -0.6), (0.4, -0.4)], 5), "dark"),
        Piece(body, "base", lift=True),
        _in(
            smooth([(-0.3, 0.24), (0.1, 0.2), (0.5, 0.26), (0.78, 0.26), (0.45, 0.43), (0.0, 0.43)], 5),
            "light",
        ),
        _in(ribbon(bezier((0.36, -0.44), (0.18, -0.2), (0.18, 0.2), (0.36, 0.44), 10), 0.1), "light"),
        _in(ribbon(bezier((0.0, -0.44), (-0.14, -0.2), (-0.14, 0.2), (0.0, 0.42), 10), 0.1), "light"),
        _in(fin, "dark", lift=True),
        _in(ellipse(0.62, -0.12, 0.14, n=18), "cream"),
        _in(ellipse(0.65, -0.12, 0.08, n=14), "ink"),
        _in(ribbon(bezier((0.92, 0.12), (0.84, 0.16), (0.8, 0.15), (0.76, 0.1), 6), 0.05), "ink"),
    ]


def bird(cycle: float, travel: float) -> Pieces:
    """A bird with beating wings."""
    w = math.sin(TAU * cycle)
    near = smooth(
        [(0.32, -0.02), (0.16, -0.52), (-0.2, -0.98), (-0.56, -1.06), (-0.52, -0.55), (-0.4, 0.02)], 5
    )
    near = scaled(near, 1.0, 0.2 + 0.9 * w, 0, -0.05)
    far = turned(scaled(near, 0.9, 0.85, 0, -0.05), 0.38) + np.array([0.14, -0.04])
    body = smooth(
        [
            (-0.66, -0.02),
            (-0.3, -0.2),
            (0.1, -0.28),
            (0.44, -0.26),
            (0.66, -0.05),
            (0.56, 0.22),
            (0.2, 0.4),
            (-0.2, 0.34),
            (-0.5, 0.16),
        ],
        5,
    )
    tail = smooth(
        [(-0.5, 0.0), (-0.86, -0.22), (-1.12, -0.24), (-1.02, -0.04), (-1.1, 0.14), (-0.8, 0.16)], 5
    )
    return [
        Piece(far, "under"),
        Piece(tail, "dark"),
        Piece(poly((0.82, -0.32), (1.14, -0.16), (0.8, -0.06)), "gold"),
        Piece(body, "base"),
        Piece(ellipse(0.6, -0.2, 0.31, n=26), "base"),
        _in(smooth([(0.62, 0.04), (0.5, 0.22), (0.2, 0.36), (-0.12, 0.3), (0.2, 0.14)], 5), "light"),
        Piece(near, "dark", lift=True),
        _in(ellipse(0.68, -0.25, 0.1, n=16), "cream"),
        _in(ellipse(0.7, -0.25, 0.062, n=12), "ink"),
    ]


def rocket(cycle: float, travel: float) -> Pieces:
    """A rocket with a flickering flame."""
    f = 0.82 + 0.18 * math.sin(TAU * cycle)
    g = 0.07 * math.sin(TAU * 1.7 * cycle + 1.0)
    flame = smooth(
        [(-0.2, 0.5), (-0.24, 0.7), (-0.08, 0.9), (g, 0.66 + 0.42 * f), (0.08, 0.9), (0.24, 0.7), (0.2, 0.5)],
        5,
    )
    body = smooth(
        [
            (0, -1.06),
            (0.2, -0.82),
            (0.36, -0.4),
            (0.38, 0.1),
            (0.28, 0.52),
            (-0.28, 0.52),
            (-0.38, 0.1),
            (-0.36, -0.4),
            (-0.2, -0.82),
        ],
        5,
    )
    nose = smooth([(0, -1.04), (0.18, -0.82), (0.31, -0.5), (0.0, -0.42), (-0.31, -0.5), (-0.18, -0.82)], 5)
    fin = smooth([(0.28, 0.0), (0.56, 0.24), (0.66, 0.74), (0.5, 0.64), (0.26, 0.5)], 5)
    return [
        Piece(flame, "flame"),
        _in(scaled(flame, 0.55, 0.62, 0, 0.52), "gold"),
        Piece(fin, "dark"),
        Piece(scaled(fin, -1, 1), "dark"),
        Piece(body, "base", lift=True),
        _in(nose, "dark"),
        _in(ribbon(bezier((-0.2, -0.36), (-0.26, -0.1), (-0.24, 0.2), (-0.18, 0.46), 8), 0.09), "light"),
        _in(ellipse(0.02, -0.14, 0.21, n=22), "cream", lift=True),
        _in(ellipse(0.02, -0.14, 0.14, n=20), "glass"),
        _in(rounded(-0.07, 0.24, 0.07, 0.74, 0.06), "dark", lift=True),
    ]


def boat(cycle: float, travel: float) -> Pieces:
    """A sailing boat; the flag waves (the boat rocks through its rigid sway)."""
    w = 0.07 * math.sin(TAU * 2 * cycle)
    hull = smooth(
        [
            (-0.96, 0.36),
            (-0.5, 0.42),
            (0.5, 0.42),
            (1.02, 0.3),
            (0.86, 0.62),
            (0.56, 0.86),
            (-0.5, 0.88),
            (-0.8, 0.7),
        ],
        5,
    )
    main = smooth(
        [(0.06, -0.86), (0.4, -0.5), (0.68, -0.1), (0.8, 0.24), (0.44, 0.28), (0.06, 0.26), (0.1, -0.3)], 5
    )
    jib = smooth(
        [
            (-0.08, -0.7),
            (-0.3, -0.35),
            (-0.56, 0.0),
            (-0.72, 0.24),
            (-0.4, 0.28),
            (-0.08, 0.24),
            (-0.1, -0.2),
        ],
        5,
    )
    return [
        Piece(rounded(-0.045, -1.0, 0.045, 0.5, 0.03), "bark"),
        Piece(poly((0.0, -1.04), (-0.36, -0.93 + w), (0.0, -0.8)), "dark"),
        Piece(jib, "light"),
        Piece(main, "base"),
        _in(poly((0.12, -0.12), (0.64, -0.12), (0.73, 0.05), (0.12, 0.05)), "light"),
        Piece(hull, "base", lift=True),
        _in(
            smooth(
                [
                    (-0.86, 0.62),
                    (-0.3, 0.64),
                    (0.4, 0.63),
                    (0.86, 0.58),
                    (0.56, 0.83),
                    (-0.5, 0.85),
                    (-0.74, 0.72),
                ],
                4,
            ),
            "dark",
        ),
        _in(rounded(-0.84, 0.46, 0.86, 0.53, 0.03), "cream"),
    ]


def butterfly(cycle: float, travel: float) -> Pieces:
    """A butterfly opening and closing its wings."""
    k = 0.78 + 0.22 * math.cos(TAU * cycle)
    upper = smooth(
        [(0.04, -0.06), (0.3, -0.62), (0.72, -0.86), (1.02, -0.68), (0.98, -0.24), (0.62, 0.06), (0.1, 0.1)],
        5,
    )
    lower = smooth([(0.05, 0.05), (0.5, 0.06), (0.8, 0.3), (0.74, 0.68), (0.44, 0.82), (0.18, 0.5)], 5)
    out: Pieces = []
    for side in (-1.0, 1.0):

        def wing(points: Points, side: float = side) -> Points:
            return scaled(points, side * k, 1.0)

        feeler = bezier((0.02, -0.4), (0.06, -0.7), (0.16, -0.86), (0.3, -0.88), 8)
        out += [
            Piece(ribbon(scaled(feeler, side, 1.0), 0.06), "ink"),
            Piece(wing(lower), "dark"),
            _in(wing(scaled(lower, 0.58, 0.58, 0.42, 0.38)), "light"),
            Piece(wing(upper), "base", lift=True),
            _in(wing(scaled(upper, 0.42, 0.42, 0.68, -0.42)), "light"),
            _in(wing(ellipse(0.74, -0.48, 0.1, n=14)), "ink"),
        ]
    out.append(
        Piece(
            smooth(
                [
                    (0, -0.52),
                    (0.12, -0.38),
                    (0.09, 0.0),
                    (0.08, 0.4),
                    (0, 0.62),
                    (-0.08, 0.4),
                    (-0.09, 0.0),
                    (-0.12, -0.38),
                ],
                4,
            ),
            "ink",
            lift=True,
        )
    )
    return out


def house(cycle: float, travel: float) -> Pieces:
    """A house with a steep roof."""
    return [
        Piece(rounded(0.36, -0.94, 0.6, -0.3, 0.02), "under"),
        Piece(rounded(-0.74, -0.2, 0.74, 0.96, 0.03), "base"),
        Piece(
            smooth(
                [(-1.02, -0.06), (-0.98, -0.16), (-0.02, -1.02), (0.02, -1.02), (0.98, -0.16), (1.02, -0.06)],
                4,
            ),
            "dark",
            lift=True,
        ),
        _in(ellipse(0, -0.42, 0.15, n=18), "cream"),
        _in(rounded(-0.17, 0.34, 0.17, 0.95, 0.12), "under"),
        _in(ellipse(0.09, 0.66, 0.035, n=8), "gold"),
        *(
            piece
            for x in (-0.47, 0.47)
            for piece in (
                _in(rounded(x - 0.17, 0.16, x + 0.17, 0.5, 0.02), "cream", lift=True),
                _in(rounded(x - 0.025, 0.16, x + 0.025, 0.5, 0.0), "under"),
                _in(rounded(x - 0.17, 0.31, x + 0.17, 0.35, 0.0), "under"),
            )
        ),
        _in(rounded(-0.74, 0.86, -0.18, 0.95, 0.0), "dark"),
        _in(rounded(0.18, 0.86, 0.74, 0.95, 0.0), "dark"),
    ]


def tree(cycle: float, travel: float) -> Pieces:
    """A tree with a cloud of leaves that leans a little in the wind."""
    s = 0.05 * math.sin(TAU * cycle)
    trunk = smooth([(-0.1, -0.1), (0.1, -0.1), (0.13, 0.6), (0.3, 1.0), (-0.3, 1.0), (-0.13, 0.6)], 5)
    lobes = [
        (-0.5, 0.05, 0.36),
        (0.5, 0.05, 0.36),
        (0.0, 0.12, 0.4),
        (-0.46, -0.42, 0.38),
        (0.46, -0.42, 0.38),
        (0.0, -0.64, 0.42),
        (0.0, -0.25, 0.5),
    ]
    shade = poly((0.03, 0.3), (0.1, 0.3), (0.13, 0.6), (0.26, 0.98), (0.06, 0.98))
    out = [Piece(trunk, "bark"), _in(shade, "ink")]
    out += [Piece(ellipse(x + s * (1 - y), y, r, n=26), "dark" if y > 0 else "base") for x, y, r in lobes]
    for x, y, r in ((-0.26, -0.5, 0.3), (0.34, -0.22, 0.26), (-0.28, -0.02, 0.22)):
        out.append(_in(ellipse(x + s * (1 - y), y, r, n=22), "light", lift=True))
        out.append(_in(ellipse(x + s * (1 - y) + 0.05, y + 0.06, r * 0.86, n=22), "base"))
    return out


def cat(cycle: float, travel: float) -> Pieces:
    """A walking cat; the legs step with the way travelled, the tail waves."""
    step = 0.45 * math.sin(travel * 5.0)
    w = math.sin(TAU * cycle)

    def leg(x: float, swing: float, tone: str) -> Piece:
        return Piece(turned(rounded(x - 0.11, 0.1, x + 0.11, 0.86, 0.1), swing, x, 0.2), tone)

    tail = bezier((-0.6, 0.06), (-1.0, 0.0), (-0.98 - 0.1 * w, -0.5), (-0.72 - 0.24 * w, -0.86), 14)
    body = smooth(
        [
            (-0.74, 0.1),
            (-0.62, -0.18),
            (-0.2, -0.22),
            (0.3, -0.22),
            (0.62, -0.1),
            (0.6, 0.3),
            (0.3, 0.42),
            (-0.2, 0.4),
            (-0.62, 0.42),
        ],
        5,
    )
    return [
        leg(-0.46, -step, "under"),
        leg(0.34, step, "under"),
        Piece(ribbon(tail, 0.2, 0.14), "dark"),
        leg(-0.6, step, "dark"),
        leg(0.5, -step, "dark"),
        Piece(body, "base", lift=True),
        *(
            _in(
                ribbon(bezier((x, -0.2), (x + 0.05, -0.08), (x + 0.04, 0.0), (x, 0.12), 7), 0.09, 0.03),
                "dark",
            )
            for x in (-0.4, -0.16, 0.08)
        ),
        Piece(poly((0.3, -0.5), (0.32, -1.0), (0.62, -0.72)), "dark"),
        Piece(poly((0.66, -0.72), (0.98, -1.0), (0.98, -0.5)), "base"),
        _in(poly((0.76, -0.7), (0.92, -0.86), (0.92, -0.6)), "light"),
        Piece(ellipse(0.64, -0.4, 0.39, 0.35, n=30), "base", lift=True),
        _in(ellipse(0.76, -0.26, 0.21, 0.14, n=18), "light"),
        _in(ellipse(0.54, -0.46, 0.075, 0.1, n=14), "ink"),
        _in(ellipse(0.84, -0.46, 0.075, 0.1, n=14), "ink"),
        _in(poly((0.71, -0.32), (0.81, -0.32), (0.76, -0.25)), "ink"),
    ]


def umbrella(cycle: float, travel: float) -> Pieces:
    """An umbrella whose panels turn round the stick."""
    top = np.linspace(math.pi, TAU, 26)
    dome = np.stack([np.cos(top), 0.92 * np.sin(top)], axis=1)
    ribs = 4
    scallops = [
        np.stack([1 - (2 * k + 1 - np.cos(a)) / ribs, -0.16 * np.sin(a)], axis=1)
        for k in range(ribs)
        for a in [np.linspace(0.0, math.pi, 7)]
    ]
    canopy = np.concatenate([dome, *scallops])
    stick = np.concatenate(
        [np.array([[0.0, -0.3], [0.0, 0.2]]), bezier((0.0, 0.5), (0.0, 1.06), (0.36, 1.1), (0.38, 0.66), 14)]
    )
    out = [
        Piece(rounded(-0.05, -1.08, 0.05, -0.8, 0.04), "ink"),
        Piece(ribbon(stick, 0.1), "ink"),
        Piece(canopy, "base", lift=True),
    ]
    v = np.linspace(0.0, 1.0, 9)
    for k in range(8):
        # panels lie on a turning dome: longitudes between two ribs, seen from the side
        a, b = ((cycle * 0.5 + k / 8.0) % 1.0, (cycle * 0.5 + (k + 1) / 8.0) % 1.0)
        if k % 2 or not (0.0 <= a < b <= 0.5):
            a, b = max(a, 0.0), min(b, 0.5) if b > a else 0.5
            if k % 2 or a >= 0.5 or b <= a:
                continue
        xa, xb = -math.cos(TAU * a), -math.cos(TAU * b)
        low = [-0.16 * abs(math.sin(math.pi * ribs / 2 * (x + 1))) for x in (xa, xb)]
        side_a = np.stack(
            [xa * np.sin(v * math.pi / 2), low[0] - (0.9 + low[0]) * np.cos(v * math.pi / 2)], axis=1
        )
        side_b = np.stack(
            [xb * np.sin(v * math.pi / 2), low[1] - (0.9 + low[1]) * np.cos(v * math.pi / 2)], axis=1
        )
        out.append(_in(np.concatenate([side_a, side_b[::-1]]) * 0.985, "light"))
    return out


def train(cycle: float, travel: float) -> Pieces:
    """A steam engine with coupled wheels."""
    angle = travel / 0.24 * 0.5
    rod = np.array([0.1 * math.cos(angle), 0.1 * math.sin(angle)])
    return [
        Piece(poly((0.72, 0.3), (0.92, 0.3), (1.14, 0.72), (0.72, 0.72)), "under"),
        Piece(
            poly((0.44, -0.2), (0.4, -0.64), (0.32, -0.84), (0.84, -0.84), (0.76, -0.64), (0.72, -0.2)),
            "under",
        ),
        Piece(ellipse(0.06, -0.28, 0.17, 0.2, n=18), "gold"),
        Piece(rounded(-0.5, -0.28, 0.98, 0.36, 0.2), "base"),
        _in(rounded(-0.3, -0.16, 0.84, -0.06, 0.05), "light"),
        _in(rounded(0.2, -0.27, 0.29, 0.35, 0.0), "dark"),
        _in(rounded(0.62, -0.27, 0.71, 0.35, 0.0), "dark"),
        Piece(rounded(-0.98, -0.74, -0.22, 0.46, 0.05), "base", lift=True),
        _in(rounded(-0.82, -0.52, -0.4, -0.08, 0.04), "glass", lift=True),
        Piece(rounded(-1.1, -0.94, -0.1, -0.72, 0.1), "dark", lift=True),
        Piece(rounded(-1.02, 0.3, 0.94, 0.5, 0.04), "dark", lift=True),
        *_wheel(-0.66, 0.6, 0.32, angle),
        *_wheel(0.1, 0.66, 0.25, angle),
        *_wheel(0.64, 0.66, 0.25, angle),
        _in(ribbon(np.array([[0.1, 0.66], [0.37, 0.66], [0.64, 0.66]]) + rod, 0.09), "gold"),
    ]


DRAW: dict[str, Draw] = {
    "ball": ball,
    "car": car,
    "balloon": balloon,
    "star": star,
    "fish": fish,
    "bird": bird,
    "rocket": rocket,
    "boat": boat,
    "butterfly": butterfly,
    "house": house,
    "tree": tree,
    "cat": cat,
    "umbrella": umbrella,
    "train": train,
}

CYCLES: dict[str, float] = {
    "balloon": 1.0,
    "fish": 3.0,
    "bird": 3.0,
    "rocket": 5.0,
    "boat": 1.0,
    "butterfly": 2.5,
    "tree": 1.0,
    "cat": 1.0,
    "umbrella": 0.75,
}
"""Articulation cycles in one clip (t from 0 to 1)."""

SWAY: dict[str, float] = {"boat": math.radians(7.0), "balloon": math.radians(4.0), "star": math.radians(5.0)}
"""Amplitude in radians of a rigid rocking, one rock for each cycle (once a clip where it has none)."""


@cache
def measure(kind: str) -> tuple[float, float, float]:
    """Centre x, centre y and largest extent of a puppet in its own units, over its articulation cycle."""
    boxes = []
    for k in range(8):
        outline = np.concatenate([p.points for p in DRAW[kind](k / 8, 0.0) if p.outline])
        boxes.append((outline.min(0), outline.max(0)))
    low = np.mean([b[0] for b in boxes], axis=0)
    high = np.mean([b[1] for b in boxes], axis=0)
    centre = (low + high) / 2
    extent = max(float((b[1] - b[0]).max()) for b in boxes)
    return float(centre[0]), float(centre[1]), extent


def pieces(kind: str, cycle: float, travel: float) -> tuple[Pieces, float]:
    """The pieces of a puppet, centred and scaled to a largest extent of 1; back to front.

    ``cycle`` is its articulation in turns and ``travel`` the way it has gone forward, in multiples of
    its size. Second value: the extent in the puppet's own units.
    """
    cx, cy, extent = measure(kind)
    centre = np.array([cx, cy])
    drawn = DRAW[kind](cycle, travel * extent)
    return [Piece((p.points - centre) / extent, p.tone, p.outline, p.lift) for p in drawn], extent
