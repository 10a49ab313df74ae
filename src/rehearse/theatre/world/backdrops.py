"""The backdrops: layers of pale or dark cut paper, each throwing a soft shadow on the one behind."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from .paper import RGB, cast_shadow, mix, polygon
from .shapes import Points, bezier, ellipse, poly, ribbon, rounded, smooth

SS = 2
Cut = tuple[Points, RGB]


class Stage:
    """A square canvas on which layers are laid; coordinates are fractions of the frame."""

    def __init__(self, size: int, sky: tuple[RGB, RGB], rng: np.random.Generator) -> None:
        self.size = size
        self.rng = rng
        self.tint = [float(v) for v in rng.uniform(-6.0, 6.0, 3)]
        top, bottom = (np.array(self.tone(c), dtype=np.float64) for c in sky)
        w = np.linspace(0.0, 1.0, size)[:, None]
        column = np.rint(top + (bottom - top) * w).astype(np.uint8)
        self.canvas = Image.fromarray(np.ascontiguousarray(np.repeat(column[:, None, :], size, axis=1)))

    def tone(self, colour: RGB) -> RGB:
        """A colour with this scene's palette jitter."""
        r, g, b = (min(max(round(c + d), 0), 255) for c, d in zip(colour, self.tint, strict=True))
        return r, g, b

    def u(self, low: float, high: float) -> float:
        """A uniform random number."""
        return float(self.rng.uniform(low, high))

    def layer(
        self, cuts: list[Cut], shadow: float = 0.34, edge: float = 0.3, details: list[Cut] | None = None
    ) -> None:
        """Lay one sheet made of cuts, with a lighter cut edge, a soft shadow and details on it."""
        n, px = self.size, self.size / 128
        pad = max(4, round(6 * px))
        full = n + 2 * pad
        alpha = Image.new("L", (full * SS, full * SS), 0)
        colour = Image.new("RGB", (full * SS, full * SS), self.tone(cuts[0][1]))
        draw_a, draw_c = ImageDraw.Draw(alpha), ImageDraw.Draw(colour)
        drop = np.array([0.25, 0.8]) * px * SS
        for points, tone in cuts:
            at = (points * n + pad) * SS
            polygon(draw_a, at, 255)
            if edge:
                polygon(draw_c, at, mix(self.tone(tone), (255, 255, 255), edge))
                polygon(draw_c, at + drop, self.tone(tone))
            else:
                polygon(draw_c, at, self.tone(tone))
        for points, tone in details or []:
            polygon(draw_c, (points * n + pad) * SS, self.tone(tone))
        alpha, colour = alpha.reduce(SS), colour.reduce(SS)
        if shadow:
            cast_shadow(self.canvas, alpha, (-pad, -pad), (1.0 * px, 0.6 * px), 2.4 * px, shadow)
        self.canvas.paste(colour, (-pad, -pad), alpha)


def box(x0: float, y0: float, x1: float, y1: float) -> Points:
    """An upright rectangle."""
    return np.array(((x0, y0), (x1, y0), (x1, y1), (x0, y1)))


def ridge(stage: Stage, base: float, height: float, waves: float = 1.2) -> Points:
    """A rolling hill line that fills the frame below it."""
    x = np.linspace(-0.08, 1.08, 40)
    a, b = stage.u(0, 2 * math.pi), stage.u(0, 2 * math.pi)
    y = base + height * (
        0.65 * np.sin(2 * math.pi * waves * x + a) + 0.35 * np.sin(2 * math.pi * 2.1 * waves * x + b)
    )
    return np.concatenate([np.stack([x, y], axis=1), np.array([[1.08, 1.1], [-0.08, 1.1]])])


def height_at(line: Points, x: float) -> float:
    """The y of a ridge's upper line at x."""
    return float(np.interp(x, line[:-2, 0], line[:-2, 1]))


def peaks(stage: Stage, base: float, height: float, count: int) -> tuple[Points, list[tuple[float, float]]]:
    """A jagged line of mountains filling the frame below it, and the summits."""
    xs = np.linspace(-0.15, 1.15, 2 * count + 1)
    line, tops = [], []
    for i, x in enumerate(xs):
        x = float(x) + stage.u(-0.03, 0.03)
        y = base - (height * stage.u(0.7, 1.1) if i % 2 else 0.0)
        line.append((x, y))
        if i % 2:
            tops.append((x, y))
    return poly(*line, (1.2, 1.1), (-0.2, 1.1)), tops


def scallops(offset: float, base: float, width: float, depth: float) -> Points:
    """A row of paper waves (arcs meeting in crests) filling the frame below it."""
    k = np.arange(-2, int(1 / width) + 3)
    a = np.linspace(0, math.pi, 8)[:-1]
    x = ((k[:, None] + (1 - np.cos(a))[None] / 2) * width + offset * width).ravel()
    y = (base + depth * np.sin(a)[None] + 0 * k[:, None]).ravel()
    return np.concatenate([np.stack([x, y], axis=1), np.array([[x[-1], 1.1], [x[0], 1.1]])])


def cloud(cx: float, cy: float, w: float) -> list[Points]:
    """A flat-bottomed cloud as overlapping pieces."""
    return [
        rounded(cx - 0.5 * w, cy - 0.12 * w, cx + 0.5 * w, cy + 0.1 * w, 0.11 * w),
        ellipse(cx - 0.14 * w, cy - 0.1 * w, 0.2 * w, n=24),
        ellipse(cx + 0.17 * w, cy - 0.07 * w, 0.15 * w, n=24),
    ]


def pine(x: float, y: float, h: float) -> list[Points]:
    """A fir of three tiers standing on y."""
    return [
        poly(
            (x, y - h * (1.0 - 0.24 * k)),
            (x + h * (0.17 + 0.07 * k), y - h * (0.52 - 0.22 * k)),
            (x - h * (0.17 + 0.07 * k), y - h * (0.52 - 0.22 * k)),
        )
        for k in range(3)
    ]


def meadow(stage: Stage) -> None:
    """Pale hills, a sun and clouds, flowers in front."""
    x, y = stage.u(0.15, 0.85), stage.u(0.16, 0.26)
    stage.layer([(ellipse(x, y, 0.17, n=40), (252, 240, 200))], shadow=0.1, edge=0.0)
    stage.layer([(ellipse(x, y, 0.115, n=40), (255, 232, 160))], shadow=0.14, edge=0.3)
    for _ in range(2):
        stage.layer(
            [
                (p, (250, 251, 250))
                for p in cloud(stage.u(0.05, 0.95), stage.u(0.1, 0.34), stage.u(0.26, 0.36))
            ],
            shadow=0.16,
            edge=0.0,
        )
    stage.layer([(ridge(stage, 0.58, 0.05, 0.9), (196, 219, 180))], shadow=0.2)
    stage.layer([(ridge(stage, 0.71, 0.045, 0.8), (172, 203, 146))])
    front = ridge(stage, 0.86, 0.03, 0.9)
    blades: list[Cut] = [(front, (146, 184, 120))]
    for _ in range(16):
        gx = stage.u(0, 1)
        gy = height_at(front, gx) + 0.01
        blades.append(
            (
                poly(
                    (gx - 0.012, gy), (gx + stage.u(-0.02, 0.02), gy - stage.u(0.03, 0.06)), (gx + 0.012, gy)
                ),
                (146, 184, 120),
            )
        )
    flowers: list[Cut] = []
    for k in range(9):
        fx, fy = (k + stage.u(0.1, 0.9)) / 9, stage.u(0.9, 0.98)
        tone: RGB = ((250, 240, 236), (240, 214, 216), (252, 240, 196))[k % 3]
        flowers += [
            (ellipse(fx + 0.014 * math.cos(a), fy + 0.014 * math.sin(a), 0.0105, n=10), tone)
            for a in np.arange(5) * 2 * math.pi / 5
        ]
        flowers.append((ellipse(fx, fy, 0.008, n=8), (214, 180, 110)))
    stage.layer(blades, details=flowers)


def city(stage: Stage) -> None:
    """Rows of lit buildings behind a street."""
    stage.layer(
        [(ellipse(stage.u(0.2, 0.8), stage.u(0.22, 0.34), 0.15, n=40), (252, 236, 218))],
        shadow=0.12,
        edge=0.0,
    )
    for base, low, high, tone, window in (
        (0.8, 0.42, 0.6, (196, 190, 208), (214, 209, 222)),
        (0.82, 0.26, 0.46, (160, 156, 182), (222, 212, 206)),
        (0.84, 0.1, 0.28, (118, 116, 146), (240, 222, 186)),
    ):
        cuts: list[Cut] = []
        lights: list[Cut] = []
        x = -0.05 - stage.u(0, 0.08)
        while x < 1.02:
            w, h = stage.u(0.1, 0.17), stage.u(low, high)
            top = base - h
            cuts.append((poly((x, top), (x + w, top), (x + w, 1.1), (x, 1.1)), tone))
            style = int(stage.rng.integers(4))
            if style == 0:
                cuts.append((poly((x, top + 0.01), (x + w / 2, top - 0.06), (x + w, top + 0.01)), tone))
            elif style == 1:
                cuts.append(
                    (
                        poly(
                            (x + w * 0.45, top),
                            (x + w * 0.45, top - 0.08),
                            (x + w * 0.55, top - 0.08),
                            (x + w * 0.55, top),
                        ),
                        tone,
                    )
                )
            elif style == 2:
                cuts.append(
                    (
                        poly(
                            (x + w * 0.2, top + 0.01),
                            (x + w * 0.2, top - 0.035),
                            (x + w * 0.8, top - 0.035),
                            (x + w * 0.8, top + 0.01),
                        ),
                        tone,
                    )
                )
            columns = 3 if w > 0.13 else 2
            for row in range(int(h / 0.06)):
                for c in range(columns):
                    if stage.rng.random() < 0.72:
                        wx, wy = x + w * (c + 0.5) / columns, top + 0.045 + 0.06 * row
                        lights.append((box(wx - 0.012, wy - 0.014, wx + 0.012, wy + 0.014), window))
            x += w + stage.u(0.0, 0.035)
        stage.layer(cuts, details=lights, edge=0.22)
    stage.layer([(box(-0.1, 0.83, 1.1, 1.2), (186, 182, 192))], edge=0.4)
    shift = stage.u(0, 0.2)
    dashes = [
        (rounded(x + shift - 0.2, 0.925, x + shift - 0.09, 0.942, 0.004), (226, 220, 206))
        for x in np.arange(0, 1.3, 0.2)
    ]
    stage.layer([(box(-0.1, 0.87, 1.1, 1.2), (92, 90, 112))], details=dashes, edge=0.15, shadow=0.2)


def sea(stage: Stage) -> None:
    """A low sun behind rows of scalloped waves."""
    x = stage.u(0.15, 0.85)
    for r, tone in ((0.27, (250, 238, 218)), (0.2, (252, 228, 196)), (0.135, (254, 216, 176))):
        stage.layer([(ellipse(x, 0.5, r, n=48), tone)], shadow=0.1, edge=0.0)
    stage.layer(
        [(p, (250, 250, 248)) for p in cloud(stage.u(0.05, 0.95), stage.u(0.1, 0.26), stage.u(0.26, 0.36))],
        shadow=0.16,
        edge=0.0,
    )
    tones: tuple[RGB, ...] = (
        (176, 212, 214),
        (146, 194, 202),
        (116, 172, 186),
        (86, 146, 166),
        (62, 118, 142),
    )
    for k, tone in enumerate(tones):
        stage.layer(
            [(scallops(stage.u(0, 1), 0.5 + 0.105 * k, 0.125 + 0.02 * k, 0.026 + 0.006 * k), tone)], edge=0.55
        )


def desert(stage: Stage) -> None:
    """A wide pale sun, mesas, dunes and cactuses."""
    x = stage.u(0.2, 0.8)
    stage.layer([(ellipse(x, 0.34, 0.23, n=48), (250, 232, 206))], shadow=0.1, edge=0.0)
    stage.layer([(ellipse(x, 0.34, 0.165, n=48), (253, 242, 216))], shadow=0.1, edge=0.0)
    mesas: list[Cut] = [(box(-0.1, 0.62, 1.1, 1.1), (204, 164, 148))]
    stripes: list[Cut] = []
    for k in range(3):
        mx, w, top = (k + stage.u(0.1, 0.9)) / 3, stage.u(0.09, 0.15), stage.u(0.4, 0.52)
        mesas.append(
            (
                poly((mx - w * 0.72, top), (mx + w * 0.72, top), (mx + w, 0.66), (mx - w, 0.66)),
                (204, 164, 148),
            )
        )
        stripes.append(
            (
                poly(
                    (mx - w * 0.78, top + 0.05),
                    (mx + w * 0.78, top + 0.05),
                    (mx + w * 0.82, top + 0.075),
                    (mx - w * 0.82, top + 0.075),
                ),
                (188, 146, 134),
            )
        )
    stage.layer(mesas, details=stripes, edge=0.35)
    stage.layer([(ridge(stage, 0.68, 0.035, 0.8), (228, 202, 166))], edge=0.4)
    tone: RGB = (120, 142, 120)
    side = stage.rng.random() < 0.5
    for cx, h in ((stage.u(0.06, 0.3), stage.u(0.2, 0.27)), (stage.u(0.72, 0.94), stage.u(0.13, 0.18))):
        cx = cx if side else 1 - cx
        y, w = 0.84, 0.2 * h
        arm = 0.55 * w
        cuts: list[Cut] = [
            (rounded(cx - w / 2, y - h, cx + w / 2, y + 0.05, w / 2), tone),
            (rounded(cx - 1.6 * w, y - 0.5 * h, cx, y - 0.5 * h + arm * 1.2, arm * 0.5), tone),
            (rounded(cx - 1.6 * w, y - 0.78 * h, cx - 1.6 * w + arm * 1.2, y - 0.4 * h, arm * 0.6), tone),
            (rounded(cx, y - 0.38 * h, cx + 1.6 * w, y - 0.38 * h + arm * 1.2, arm * 0.5), tone),
            (rounded(cx + 1.6 * w - arm * 1.2, y - 0.68 * h, cx + 1.6 * w, y - 0.3 * h, arm * 0.6), tone),
        ]
        stage.layer(cuts, edge=0.0)
    stage.layer([(ridge(stage, 0.8, 0.035, 0.7), (214, 184, 144))], edge=0.4)
    stage.layer([(ridge(stage, 0.92, 0.025, 0.9), (194, 160, 124))], edge=0.35)


def snow(stage: Stage) -> None:
    """White hills and firs under mountains and falling flakes."""
    line, tops = peaks(stage, 0.62, 0.34, 3)
    caps: list[Cut] = []
    for tx, ty in tops:
        d = 0.1
        caps.append(
            (
                poly(
                    (tx, ty),
                    (tx + d * 0.75, ty + d * 1.15),
                    (tx + d * 0.3, ty + d * 0.85),
                    (tx, ty + d * 1.25),
                    (tx - d * 0.32, ty + d * 0.85),
                    (tx - d * 0.75, ty + d * 1.15),
                ),
                (240, 245, 250),
            )
        )
    stage.layer([(line, (146, 166, 192))], details=caps, edge=0.3)
    far = ridge(stage, 0.66, 0.035, 0.8)
    stage.layer([(far, (212, 224, 236))], edge=0.6)
    firs: list[Cut] = []
    for k in range(7):
        x = (k + stage.u(0.1, 0.9)) / 7
        firs += [(p, (92, 122, 132)) for p in pine(x, 0.77, stage.u(0.13, 0.23))]
    stage.layer(firs, edge=0.55)
    stage.layer([(ridge(stage, 0.76, 0.03, 0.8), (226, 235, 243))], edge=0.7)
    stage.layer([(ridge(stage, 0.89, 0.025, 0.9), (240, 245, 250))], edge=0.8)
    flakes: list[Cut] = []
    for k in range(26):
        flakes.append(
            (
                ellipse((k + stage.u(0, 1)) / 26, stage.u(0.02, 0.66), stage.u(0.007, 0.013), n=10),
                (250, 252, 255),
            )
        )
    stage.layer(flakes, edge=0.0, shadow=0.3)


def night(stage: Stage) -> None:
    """A moon and stars over dark hills."""
    x, y = stage.u(0.18, 0.82), stage.u(0.18, 0.27)
    for r, tone in ((0.36, (34, 38, 82)), (0.25, (44, 48, 96))):
        stage.layer([(ellipse(x, y, r, n=48), tone)], shadow=0.3, edge=0.0)
    a = np.linspace(-2.2, 2.2, 30)
    r = 0.125
    outer = np.stack([x - r * np.cos(a), y + r * np.sin(a)], axis=1)
    inner = np.stack([x + 0.075 - 0.105 * np.cos(a[::-1] * 0.98), y + 0.105 * np.sin(a[::-1] * 0.98)], axis=1)
    stage.layer([(np.concatenate([outer, inner]), (250, 238, 196))], edge=0.3)
    stars: list[Cut] = []
    for k in range(24):
        sx, sy, s = (k + stage.u(0, 1)) / 24, stage.u(0.03, 0.6), stage.u(0.008, 0.02)
        q = 0.28 * s
        stars.append(
            (
                poly(
                    (sx, sy - s),
                    (sx + q, sy - q),
                    (sx + s, sy),
                    (sx + q, sy + q),
                    (sx, sy + s),
                    (sx - q, sy + q),
                    (sx - s, sy),
                    (sx - q, sy - q),
                ),
                (240, 234, 208),
            )
        )
    stage.layer(stars, edge=0.0, shadow=0.2)
    stage.layer([(ridge(stage, 0.7, 0.05, 0.9), (50, 58, 104))], edge=0.16, shadow=0.5)
    middle = ridge(stage, 0.8, 0.035, 1.0)
    cuts: list[Cut] = [(middle, (36, 42, 80))]
    lit: list[Cut] = []
    for k in range(3):
        hx = (k + stage.u(0.2, 0.8)) / 3
        hy = height_at(middle, hx) + 0.02
        w, h = stage.u(0.035, 0.05), stage.u(0.05, 0.07)
        cuts.append(
            (
                poly((hx - w, hy), (hx - w, hy - h), (hx, hy - h - 0.045), (hx + w, hy - h), (hx + w, hy)),
                (56, 60, 106),
            )
        )
        lit.append((box(hx - 0.013, hy - h + 0.004, hx + 0.013, hy - h + 0.032), (252, 214, 128)))
    stage.layer(cuts, details=lit, edge=0.16, shadow=0.5)
    stage.layer([(ridge(stage, 0.92, 0.03, 0.8), (22, 26, 54))], edge=0.14, shadow=0.5)


def forest(stage: Stage) -> None:
    """Rows of trunks fading into mist, a canopy above and ferns below."""
    for count, w, tone in (
        (7, 0.035, (146, 172, 160)),
        (5, 0.055, (104, 136, 128)),
        (3, 0.085, (66, 92, 92)),
    ):
        cuts: list[Cut] = [(ridge(stage, 0.93 - w * 2.0 + 0.04 * (w > 0.08), 0.02, 1.0), tone)]
        for k in range(count):
            x = (k + stage.u(0.15, 0.85)) / count
            cuts.append(
                (
                    poly(
                        (x - w * 0.42, -0.1),
                        (x + w * 0.42, -0.1),
                        (x + w * 0.5, 0.72),
                        (x + w * 0.95, 1.0),
                        (x - w * 0.95, 1.0),
                        (x - w * 0.5, 0.72),
                    ),
                    tone,
                )
            )
            side = 1.0 if stage.rng.random() < 0.5 else -1.0
            by = stage.u(0.25, 0.45)
            cuts.append(
                (
                    ribbon(
                        bezier(
                            (x, by),
                            (x + side * w, by - 0.02),
                            (x + side * 2.2 * w, by - 0.08),
                            (x + side * 2.6 * w, by - 0.16),
                            8,
                        ),
                        0.34 * w,
                        0.12 * w,
                    ),
                    tone,
                )
            )
        stage.layer(cuts, edge=0.16)
    for base, r, leaf in ((0.12, 0.11, (76, 108, 98)), (0.03, 0.12, (50, 78, 78))):
        shift = stage.u(0, 0.1)
        leaves: list[Cut] = [(box(-0.1, -0.2, 1.1, base), leaf)]
        for k in range(9):
            leaves.append(
                (
                    ellipse(
                        k * 0.135 - 0.08 + shift, base + stage.u(-0.02, 0.03), r * stage.u(0.8, 1.05), n=24
                    ),
                    leaf,
                )
            )
        stage.layer(leaves, edge=0.0)
    ground = ridge(stage, 0.91, 0.018, 1.2)
    front: list[Cut] = [(ground, (42, 66, 66))]
    for k in range(8):
        x = (k + stage.u(0.1, 0.9)) / 8
        y = height_at(ground, x) + 0.02
        for a in (-0.7, -0.3, 0.1, 0.5, 0.8):
            h = stage.u(0.05, 0.09)
            tip = (x + h * math.sin(a), y - h * math.cos(a))
            mid = (x + 0.5 * h * math.sin(a), y - 0.55 * h * math.cos(a))
            front.append(
                (smooth([(x, y), (mid[0] - 0.012, mid[1]), tip, (mid[0] + 0.012, mid[1])], 3), (42, 66, 66))
            )
    stage.layer(front, edge=0.0, shadow=0.4)


PAINT: dict[str, Callable[[Stage], None]] = {
    "meadow": meadow,
    "city": city,
    "sea": sea,
    "desert": desert,
    "snow": snow,
    "night": night,
    "forest": forest,
}
SKIES: dict[str, tuple[RGB, RGB]] = {
    "meadow": ((160, 206, 230), (216, 234, 232)),
    "city": ((206, 208, 226), (240, 222, 214)),
    "sea": ((182, 214, 230), (246, 230, 208)),
    "desert": ((168, 206, 210), (238, 222, 196)),
    "snow": ((168, 190, 214), (206, 220, 234)),
    "night": ((22, 24, 58), (40, 44, 92)),
    "forest": ((196, 214, 198), (214, 226, 208)),
}


@lru_cache(maxsize=8)
def _vignette(size: int) -> Image.Image:
    """A soft darkening towards the corners, as a mask."""
    c = np.abs(np.linspace(-1.0, 1.0, size))
    d = np.sqrt(c[:, None] ** 2 + c[None, :] ** 2)
    return Image.fromarray(np.rint(np.clip((d - 0.85) / 0.56, 0, 1) ** 2 * 62).astype(np.uint8))


@lru_cache(maxsize=16)
def backdrop(name: str, seed: int, size: int) -> Image.Image:
    """A backdrop as an RGB image of size x size pixels (shared: copy before drawing on it)."""
    stage = Stage(size, SKIES[name], np.random.default_rng(seed))
    PAINT[name](stage)
    stage.canvas.paste((20, 16, 40), (0, 0), _vignette(size))
    return stage.canvas
