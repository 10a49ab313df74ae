"""What a picture marks, as a person sees it.

White on black is the plain form. A picture with transparency is read by its alpha (a cut-out), a coloured one
by its colour where its ground is black (labels, a red overlay on nothing), or by its white on a coloured
ground. What can be read in several ways is read in one and told; what says nothing is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rehearse.shot.errors import ShotError
from rehearse.shot.picture_file import SHOT_FORMATS, as_levels, decoded, notes_on, open_picture

FAINTEST = 0.05
"""Where a mask picture is within this of black or of white, it means black or white: a dark ground, a camera
format's noise, the far ends of a probability map."""
_REMEDY = "make it white on black"
_LOOKED_AT = 1 << 18
"""Pixels by which it is decided what kind of mask a picture is."""
_COLOURED = 40
"""Levels between the largest and the smallest channel from which on a pixel has a colour, and is not grey
with some noise of a camera format."""
_DARK, _LIGHT = 40, 200
_SPECK = 0.002
"""A share of the pixels below which they decide nothing."""
_ALIKE = 0.9
"""The share of the pixels that the few colours of a drawn mask cover."""
_MOST_COLOURS = 64
_LABEL = 0.02
"""The share of the coloured pixels from which on a colour is a label, and not the edge of one."""
_HUE = 0.2
"""How far channels may lie apart, as parts of the largest, in colours of one hue."""
_NOISE = 0.02
"""The share of what is not black below which colours are noise."""
_TWO_TONED = 0.98


@dataclass(frozen=True, eq=False, slots=True)
class MaskPicture:
    """values: float32 ``[height, width]`` in [0, 1], how much of a pixel is marked. notes: what is to be said
    of how they were read, as sentences without their subject's name."""

    values: NDArray[np.float32]
    notes: tuple[str, ...] = ()


def mask_picture(content: bytes, formats: Sequence[str] | None = SHOT_FORMATS) -> MaskPicture:
    """What the picture file with these bytes marks.

    formats: as :func:`rehearse.shot.picture_file.open_picture` takes them. Raises ShotError for what is no
    readable picture, and for colours that do not say what is marked.
    """
    picture = open_picture(content, formats)
    notes = list(notes_on(picture, content))
    shown = decoded(picture)
    if not shown.has_transparency_data and shown.mode in ("1", "L"):
        return MaskPicture(_settled(_share(np.asarray(shown.convert("L"), np.uint8))), tuple(notes))
    levels = as_levels(shown)
    colours, opaque = levels[..., :3], levels[..., 3]
    if opaque.max() == 0:
        return MaskPicture(np.zeros(opaque.shape, np.float32), tuple(notes))
    if opaque.min() == opaque.max():
        values, told = _by_colour(colours)
    else:
        values, told = _by_alpha(colours, opaque)
    if told is not None:
        notes.append(told)
    return MaskPicture(_settled(values), tuple(notes))


def notes_on_values(values: NDArray[np.float32]) -> tuple[str, ...]:
    """What is to be said of a mask with these values in [0, 1] of which some are marked."""
    found = []
    share, strongest = float(values.mean()), float(values.max())
    if share > 0.5:
        found.append(
            f"it marks {100 * share:.0f} % of the frame: if the thing is what it leaves out, invert it"
        )
    marked = values[values > FAINTEST]
    if strongest < 1 - FAINTEST:
        found.append(
            f"its strongest place has {strongest:.2f} of 1, so that it acts in part only; make it white (255)"
        )
    elif len(marked) and (marked < 1 - FAINTEST).mean() > 0.5:
        found.append(
            f"most of what it marks is grey, {float(marked.mean()):.2f} of 1 on average, and acts in part "
            "only; make it white (255)"
        )
    return tuple(found)


def _by_colour(colours: NDArray[np.uint8]) -> tuple[NDArray[np.float32], str | None]:
    """Values by what is seen, and what is to be said of it."""
    seen = _sample(colours)
    strongest, weakest = seen.max(axis=1), seen.min(axis=1)
    coloured = strongest.astype(int) - weakest > _COLOURED
    dark, light = strongest < _DARK, weakest > _LIGHT
    if coloured.mean() < max(_SPECK, _NOISE * (~dark).mean()):
        return _share(_brightness(colours)), None
    things = seen[coloured]
    if dark.mean() >= _SPECK:
        full, several = _full_strength(things)
        several = several or bool((~dark & ~coloured).mean() >= _SPECK)
        ground = float(np.percentile(strongest[dark], 10))
        values = (colours.max(axis=2).astype(np.float32) - np.float32(ground)) / np.float32(full - ground)
        values = values.clip(0, 1).astype(np.float32)
        told = "it has several colours on black: all that is not black is marked"
        return values, told if several else None
    ground = ~light & coloured
    if light.mean() >= _SPECK and _one_colour(seen[ground]) and (light | ground).mean() > _ALIKE:
        low = float(np.median(weakest[ground]))
        values = (colours.min(axis=2).astype(np.float32) - np.float32(low)) / np.float32(255 - low)
        return values.clip(0, 1).astype(np.float32), "its white is marked, and its other colour is not"
    raise ShotError(
        f"it is coloured and has no black ground, which does not say what is marked; {_REMEDY}", field="image"
    )


def _full_strength(things: NDArray[np.uint8]) -> tuple[float, bool]:
    """The level of what is marked in full among coloured pixels on black, and whether they are of several
    colours. Raises ShotError where they are of too many to be a drawn mask."""
    kinds = _rounded(things)
    colours, counts = np.unique(kinds, return_counts=True)
    common = colours[counts >= _LABEL * len(things)]
    # The strongest of each hue: labels differ in how dark their colours are, and are marked alike.
    strongest: list[NDArray[np.float64]] = []
    for mean in sorted((things[kinds == colour].mean(axis=0) for colour in common), key=max, reverse=True):
        if all(np.abs(mean / mean.max() - other / other.max()).max() > _HUE for other in strongest):
            strongest.append(mean)
    if len(strongest) <= 1 and _one_hue(things):
        return float(np.percentile(things.max(axis=1), 99)), False
    if np.sort(counts)[-_MOST_COLOURS:].sum() < _ALIKE * len(things):
        raise ShotError(f"it has many colours, which do not say what is marked; {_REMEDY}", field="image")
    return float(min(mean.max() for mean in strongest)) if strongest else 255.0, len(strongest) > 1


def _sample(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    pixels = colours.reshape(-1, 3)
    return np.ascontiguousarray(pixels[:: max(1, (len(pixels) // _LOOKED_AT) | 1)])


def _rounded(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """One number for colours that are nearly alike."""
    steps = (pixels >> 4).astype(np.int64)
    return np.asarray(steps[:, 0] * 256 + steps[:, 1] * 16 + steps[:, 2])


def _one_hue(pixels: NDArray[np.uint8]) -> bool:
    """Whether pixels are one colour in several strengths."""
    full = pixels / pixels.max(axis=1, keepdims=True).clip(1)
    return bool((np.abs(full - np.median(full, axis=0)).max(axis=1) < _HUE).mean() > _ALIKE)


def _one_colour(pixels: NDArray[np.uint8]) -> bool:
    if not len(pixels):
        return False
    return bool((np.abs(pixels - np.median(pixels, axis=0)).max(axis=1) < _COLOURED).mean() > 0.8)


def _by_alpha(
    colours: NDArray[np.uint8], opaque: NDArray[np.uint8]
) -> tuple[NDArray[np.float32], str | None]:
    seen = colours[opaque > 127]
    black, white = 0.0, 0.0
    if len(seen):
        black, white = float((seen.max(axis=1) < _DARK).mean()), float((seen.min(axis=1) > _LIGHT).mean())
    if min(black, white) > _SPECK and black + white > _TWO_TONED:
        # Drawn in black and white itself: what is clear only adds to the black.
        return _share(_brightness(colours)) * _share(opaque), None
    values = _share(opaque)
    if white > _TWO_TONED:
        return values, None
    part = f"{100 * float(values.mean()):.1f} %"
    return values, f"its transparency is read as the mask: what is opaque, {part} of it, is marked"


def _brightness(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(np.ascontiguousarray(colours)).convert("L"), dtype=np.uint8)


def _share(levels: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(levels, dtype=np.float32) / np.float32(255)


def _settled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values without what is faint beside what they mark. What is faint all over stays: whoever uses it says
    so."""
    if values.max() <= FAINTEST:
        return values
    return np.where(values < FAINTEST, 0, np.where(values > 1 - FAINTEST, 1, values)).astype(np.float32)
