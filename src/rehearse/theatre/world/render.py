"""Rendering of scenes: frames, and the ground truth that goes with them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .backdrops import backdrop
from .paper import RGB, cast_shadow, polygon, tones
from .puppets import CYCLES, SWAY, Piece, pieces
from .scene import Actor, Scene
from .shapes import Points
from .vocabulary import CUSTOM, caption, still_caption

EDGE = 0.85 / 128
"""Width of the cut edge, as a fraction of the frame."""


@dataclass(frozen=True)
class Still:
    """One rendered frame: ``frame`` uint8 [H, W, 3]; ``boxes`` float32 [A, 4] (x0, y0, x1, y1 as
    fractions, NaN out of frame); ``masks`` uint8 [H, W], 0 backdrop and i + 1 the front-most actor i."""

    frame: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    masks: NDArray[np.uint8]
    still_caption: str
    scene: Scene


@dataclass(frozen=True)
class Clip:
    """A rendered clip with its ground truth.

    ``frames`` uint8 [F, H, W, 3]; ``boxes`` float32 [A, F, 4], (x0, y0, x1, y1) as fractions of the frame,
    tight round each actor's own silhouette clipped to the frame (whatever stands before it), NaN where it
    is wholly out of frame; ``masks`` uint8 [F, H, W], 0 backdrop and i + 1 the front-most actor i; ``flow``
    float16 [F - 1, H, W, 2], the (x, y) way in pixels that each pixel's actor takes to the next frame, from
    its rigid transform, 0 on the backdrop. ``caption`` is empty where an actor is on a custom path.
    """

    frames: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    masks: NDArray[np.uint8]
    flow: NDArray[np.float16]
    caption: str
    still_caption: str
    scene: Scene


def rigid(actor: Actor, t: float, size: int) -> tuple[complex, complex]:
    """The similarity transform at time t, in pixels: centre x + iy, and scale times e^(i angle)."""
    cx, cy, scale, angle = actor.pose(t)
    sway = SWAY.get(actor.kind, 0.0)
    if sway:
        angle += sway * math.sin(2 * math.pi * (actor.phase + t * CYCLES.get(actor.kind, 1.0)))
    extent = max(actor.size * scale - 2 * EDGE, 0.25 * actor.size * scale) * size
    return complex(cx, cy) * size, extent * complex(math.cos(angle), math.sin(angle))


def _travel(actor: Actor, t: float) -> float:
    """The way forward gone along x since the start, in multiples of the actor's size."""
    dx = actor.pose(t)[0] - actor.path[0][1]
    return (-dx if actor.flip else dx) / actor.size


def _draw(
    actor: Actor, t: float, canvas: Image.Image, mask: Image.Image, index: int
) -> tuple[float, ...] | None:
    """Draw one actor on the canvas and the mask; its box in fractions, or None where it is out of frame."""
    cycle = actor.phase + t * CYCLES.get(actor.kind, 0.0)
    parts, _ = pieces(actor.kind, cycle, _travel(actor, t))
    centre, turn = rigid(actor, t, canvas.width)
    points = np.concatenate([p.points for p in parts])
    z = (-points[:, 0] if actor.flip else points[:, 0]) + 1j * points[:, 1]
    z = z * turn + centre
    return lay(parts, np.stack([z.real, z.imag], axis=1), tones(actor.colour), canvas, mask, index)


def lay(
    parts: Sequence[Piece],
    xy: Points,
    tone: Mapping[str, RGB],
    canvas: Image.Image,
    mask: Image.Image,
    index: int,
) -> tuple[float, ...] | None:
    """Lay the pieces of one thing on the canvas, with cut edge and shadow, and on the mask as ``index + 1``.

    xy: the points of all pieces in their order, in pixels. Returns its box in fractions of the frame,
    or None where it is out of frame.
    """
    size = canvas.width
    px = size / 128
    ss = 3 if size <= 160 else 2
    cut = max(EDGE * size, 0.5)

    # the patch of the frame it touches, with room for its shadow, in whole pixels
    pad = math.ceil(cut + 7 * px)
    low, high = xy.min(0), xy.max(0)
    x0, y0 = (max(math.floor(v) - pad, -pad) for v in low)
    x1, y1 = (min(math.ceil(v) + pad, size + pad) for v in high)
    if x1 - x0 <= pad or y1 - y0 <= pad:
        return None
    w, h = x1 - x0, y1 - y0
    at = (xy - np.array([x0, y0])) * ss - 0.5
    body = Image.new("L", (w * ss, h * ss), 0)
    paint = Image.new("RGB", (w * ss, h * ss), tone["edge"])
    draw_b, draw_p = ImageDraw.Draw(body), ImageDraw.Draw(paint)
    lift = np.array([0.55, 0.75]) * px * ss
    i = 0
    for part in parts:
        where = at[i : i + len(part.points)]
        i += len(part.points)
        if part.outline:
            polygon(draw_b, where, 255)
        if part.lift:
            polygon(draw_p, where + lift, tone["under"])
        polygon(draw_p, where, tone[part.tone])
    paint.paste(tone["edge"], (0, 0), ImageChops.invert(body))
    # the cut edge: the silhouette grown by blurring and cutting at a low level
    reach = cut * ss
    grown = body.filter(ImageFilter.GaussianBlur(reach * 0.62)).point([0] * 14 + [255] * 242)
    left, top = max(0, -x0), max(0, -y0)
    right, bottom = min(w, size - x0), min(h, size - y0)
    alpha, box = grown.reduce(ss), None
    owned = alpha.point([0] * 128 + [255] * 128)
    if right > left and bottom > top:
        found = grown.crop((left * ss, top * ss, right * ss, bottom * ss)).getbbox()
        if found is not None:
            fine = [v / ss for v in found]
            whole = owned.crop((left, top, right, bottom)).getbbox()
            if whole is not None:
                # A sliver at the frame's edge that owns no pixel is not seen, and does not count.
                fine = [min(max(v, m - 1), m + 1) for v, m in zip(fine, whole, strict=True)]
            box = tuple((v + (left + x0 if k % 2 == 0 else top + y0)) / size for k, v in enumerate(fine))
    cast_shadow(canvas, alpha, (x0, y0), (2.0 * px, 2.6 * px), 1.9 * px, 0.5)
    canvas.paste(paint.reduce(ss), (x0, y0), alpha)
    mask.paste(index + 1, (x0, y0), owned)
    return box


def _stage(
    scene: Scene, t: float, size: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.uint8]]:
    """Frame [H, W, 3], boxes [A, 4] and masks [H, W] at time t."""
    canvas = backdrop(scene.backdrop, scene.backdrop_seed, size).copy()
    mask = Image.new("L", (size, size), 0)
    boxes = np.full((len(scene.actors), 4), np.nan, dtype=np.float32)
    for i, actor in enumerate(scene.actors):
        box = _draw(actor, t, canvas, mask, i)
        if box is not None:
            boxes[i] = box
    return np.array(canvas), boxes, np.array(mask)


def render_frame(scene: Scene, t: float = 0.0, size: int = 128) -> Still:
    """The scene at time t in [0, 1] as one still of size x size pixels."""
    frame, boxes, masks = _stage(scene, t, size)
    return Still(frame, boxes, masks, still_caption(scene), scene)


def frame_times(frames: int) -> list[float]:
    """The time in [0, 1] of each frame."""
    return [i / (frames - 1) if frames > 1 else 0.0 for i in range(frames)]


def _flow(scene: Scene, times: list[float], masks: NDArray[np.uint8], size: int) -> NDArray[np.float16]:
    """Flow to the next frame, [F - 1, H, W, 2] in pixels."""
    flow = np.zeros((max(len(times) - 1, 0), size, size, 2), dtype=np.float16)
    for i, actor in enumerate(scene.actors):
        moves = [rigid(actor, t, size) for t in times]
        for f in range(len(times) - 1):
            (c0, z0), (c1, z1) = moves[f], moves[f + 1]
            if c0 == c1 and z0 == z1:
                continue
            ys, xs = np.nonzero(masks[f] == i + 1)
            p = (xs + 0.5) + 1j * (ys + 0.5)
            d = c1 + (z1 / z0) * (p - c0) - p
            flow[f, ys, xs, 0] = d.real
            flow[f, ys, xs, 1] = d.imag
    return flow


def render(scene: Scene, frames: int = 16, size: int = 128) -> Clip:
    """The scene as a clip of ``frames`` frames of size x size pixels, with its ground truth."""
    if frames < 1 or size < 8:
        raise ValueError(f"a clip needs at least 1 frame of at least 8 pixels, not {frames} of {size}")
    times = frame_times(frames)
    shots = [_stage(scene, t, size) for t in times]
    masks = np.stack([s[2] for s in shots])
    return Clip(
        frames=np.stack([s[0] for s in shots]),
        boxes=np.stack([s[1] for s in shots], axis=1),
        masks=masks,
        flow=_flow(scene, times, masks, size),
        caption="" if any(a.motion == CUSTOM for a in scene.actors) else caption(scene),
        still_caption=still_caption(scene),
        scene=scene,
    )
