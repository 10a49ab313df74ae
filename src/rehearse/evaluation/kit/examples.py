"""Sheets of examples: an arm's best, middling and worst cases, with the asked and the found boxes drawn
in."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rehearse.evaluation.kit.measure import shown_frames
from rehearse.media.files import replacing
from rehearse.media.sheet import Row, contact_sheet

ASKED, FOUND = (230, 159, 0), (255, 255, 255)
_SHADE = (20, 18, 16)


@dataclass(frozen=True)
class Example:
    """One clip: its stored picture, the boxes [tracks, F, 4] asked and found (or None), and a line above
    it."""

    picture: Path
    label: str
    asked: NDArray[np.floating] | None = None
    found: NDArray[np.floating] | None = None


def write_examples(path: Path, examples: Sequence[Example]) -> None:
    """Draw the examples on one page and write it as JPEG, whole or not at all. Raises MediaError for none."""
    page = contact_sheet([Row(_frames(example), example.label) for example in examples], every=1)
    with replacing(path) as part:
        page.save(part, format="JPEG", quality=80)


def spread(scores: NDArray[np.floating], each: int = 2) -> list[int]:
    """Indices of the ``each`` best, middle and worst scores, best first, no index twice."""
    order = np.argsort(-scores, kind="stable")
    middle = max(0, (len(order) - each) // 2)
    chosen = [*order[:each], *order[middle : middle + each], *order[-each:]]
    return list(dict.fromkeys(int(index) for index in chosen))


def _frames(example: Example) -> NDArray[np.uint8]:
    """The picture's frames [n, H, W, 3], boxes drawn in."""
    strip = Image.open(io.BytesIO(example.picture.read_bytes())).convert("RGB")
    count = strip.width // strip.height  # clips of the theatre are square
    if example.found is not None:
        count = len(shown_frames(example.found.shape[1]))
    size = strip.width // count
    cells = [strip.crop((k * size, 0, (k + 1) * size, strip.height)) for k in range(count)]
    for boxes, colour in ((example.asked, ASKED), (example.found, FOUND)):
        if boxes is None:
            continue
        for cell, frame in zip(cells, shown_frames(boxes.shape[1]), strict=True):
            for box in boxes[:, frame]:
                if not np.isnan(box).any():
                    _outline(cell, box, colour)
    return np.stack([np.asarray(cell) for cell in cells])


def _outline(cell: Image.Image, box: NDArray[np.floating], colour: tuple[int, int, int]) -> None:
    draw = ImageDraw.Draw(cell)
    x0, y0, x1, y1 = _pixels(cell, box)
    if colour == FOUND:
        # White alone would be lost on snow.
        draw.rectangle((x0 - 1, y0 - 1, x1 + 1, y1 + 1), outline=_SHADE)
        draw.rectangle((x0, y0, x1, y1), outline=colour)
    else:
        draw.rectangle((x0 - 1, y0 - 1, x1 + 1, y1 + 1), outline=colour, width=2)


def _pixels(cell: Image.Image, box: NDArray[np.floating]) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = (float(v) for v in box)
    right, bottom = cell.width - 1, cell.height - 1
    return round(x0 * right), round(y0 * bottom), round(x1 * right), round(y1 * bottom)
