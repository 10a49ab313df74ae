"""The curve of control against quality, one line an arm over its frozen steps, as a small SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 760, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 220, 28, 52
# Okabe and Ito's colours, told apart by colour-blind eyes too.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5c00", "#7f7f7f", "#000000")


@dataclass(frozen=True)
class Line:
    """One arm: name, and its points (label, x, y), in the order in which they are joined."""

    name: str
    points: tuple[tuple[str, float, float], ...]


def draw_curve(lines: Sequence[Line], x_title: str, y_title: str) -> str:
    """The SVG document. Points that are not finite are left out."""
    shown = [
        Line(line.name, tuple(p for p in line.points if math.isfinite(p[1]) and math.isfinite(p[2])))
        for line in lines
    ]
    xs = [x for line in shown for _, x, _ in line.points] or [0.0]
    ys = [y for line in shown for _, _, y in line.points] or [0.0]
    x_ticks, y_ticks = _ticks(min(xs), max(xs)), _ticks(min(ys), max(ys))

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - x_ticks[0]) / (x_ticks[-1] - x_ticks[0])
        up = (y - y_ticks[0]) / (y_ticks[-1] - y_ticks[0])
        return (
            round(_LEFT + across * (_WIDTH - _LEFT - _RIGHT), 1),
            round(_HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM), 1),
        )

    body = []
    for tick in x_ticks:
        x, _ = place(tick, y_ticks[0])
        body.append(f'<line x1="{x}" y1="{_TOP}" x2="{x}" y2="{_HEIGHT - _BOTTOM}" stroke="#ddd"/>')
        body.append(f'<text x="{x}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">{tick:g}</text>')
    for tick in y_ticks:
        _, y = place(x_ticks[0], tick)
        body.append(f'<line x1="{_LEFT}" y1="{y}" x2="{_WIDTH - _RIGHT}" y2="{y}" stroke="#ddd"/>')
        body.append(f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{tick:g}</text>')
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    body.append(f'<text x="{middle}" y="{_HEIGHT - 12}" text-anchor="middle">{escape(x_title)}</text>')
    body.append(f'<text x="{_LEFT}" y="16">{escape(y_title)}</text>')
    for index, line in enumerate(shown):
        colour = _COLOURS[index % len(_COLOURS)]
        spots = [place(x, y) for _, x, y in line.points]
        if len(spots) > 1:
            path = " ".join(f"{x},{y}" for x, y in spots)
            body.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for (label, _, _), (x, y) in zip(line.points, spots, strict=True):
            body.append(f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>')
            body.append(
                f'<text x="{x + 6}" y="{y - 6}" fill="{colour}" font-size="10">{escape(label)}</text>'
            )
        top = _TOP + 12 + 18 * index
        body.append(f'<circle cx="{_WIDTH - _RIGHT + 16}" cy="{top - 4}" r="4" fill="{colour}"/>')
        body.append(f'<text x="{_WIDTH - _RIGHT + 26}" y="{top}">{escape(line.name)}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" font-family="sans-serif" font-size="12" fill="#222">\n'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers that enclose the range, about five."""
    span = high - low or max(abs(high), 1.0) * 0.1
    raw = span / 5
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(m * unit for m in (1, 2, 5, 10) if m * unit >= raw)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(k * step, 10) for k in range(first, max(last, first + 1) + 1)]
