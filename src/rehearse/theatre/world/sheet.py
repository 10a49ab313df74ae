"""Contact sheets: the world at a glance."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from .motions import through
from .render import render, render_frame
from .scene import Actor, Scene, sample_scene
from .target_actors import ACTORS
from .target_render import render_target
from .target_scene import FRAMES, sample_target_scene
from .vocabulary import BACKDROPS, COLOURS, PUPPETS

PAPER = (250, 246, 238)
TEXT = (60, 54, 70)


def cast_sheet(seed: int = 0, size: int = 96) -> Image.Image:
    """Every puppet (down) in every colour (across), over the backdrops in turn."""
    sheet = Image.new("RGB", (len(COLOURS) * (size + 4) + 4, len(PUPPETS) * (size + 4) + 4), PAPER)
    for r, kind in enumerate(PUPPETS):
        for c, colour in enumerate(COLOURS):
            actor = Actor(kind, colour, through([(0.5, 0.5), (0.5, 0.5)]), size=0.62, phase=0.1 * c)
            scene = Scene(BACKDROPS[(r + c) % len(BACKDROPS)], (actor,), backdrop_seed=seed + r)
            tile = Image.fromarray(render_frame(scene, 0.3, size).frame)
            sheet.paste(tile, (4 + c * (size + 4), 4 + r * (size + 4)))
    return sheet


def contact_sheet(rng: np.random.Generator, rows: int = 10, cols: int = 6, size: int = 128) -> Image.Image:
    """A labelled sheet: ``rows`` filmstrips of ``cols`` frames with captions, beside the grid of the cast."""
    label = 16
    width = cols * (size + 4) + 4
    strips = Image.new("RGB", (width, rows * (size + label + 4) + 4), PAPER)
    draw = ImageDraw.Draw(strips)
    for r in range(rows):
        scene = sample_scene(rng, subjects=None if r % 3 else 1 + (r // 3) % 3)
        clip = render(scene, frames=max(cols, 1), size=size)
        y = 4 + r * (size + label + 4)
        draw.text((6, y), clip.caption, fill=TEXT)
        for c in range(cols):
            strips.paste(Image.fromarray(clip.frames[c]), (4 + c * (size + 4), y + label))
    cast = cast_sheet(size=max(size * 3 // 4, 32))
    sheet = Image.new("RGB", (width + cast.width, max(strips.height, cast.height)), PAPER)
    sheet.paste(strips, (0, 0))
    sheet.paste(cast, (width, 0))
    return sheet


def target_sheet(rng: np.random.Generator, rows: int = 9, size: int = 128) -> Image.Image:
    """A labelled sheet of target scenes, their actors in turn: a filmstrip of all frames each."""
    label = 16
    sheet = Image.new("RGB", (FRAMES * (size + 4) + 4, rows * (size + label + 4) + 4), PAPER)
    draw = ImageDraw.Draw(sheet)
    for r in range(rows):
        clip = render_target(sample_target_scene(rng, actor=ACTORS[r % len(ACTORS)]), FRAMES, size)
        y = 4 + r * (size + label + 4)
        draw.text((6, y), clip.caption, fill=TEXT)
        for f, frame in enumerate(clip.frames):
            sheet.paste(Image.fromarray(frame), (4 + f * (size + 4), y + label))
    return sheet
