"""A subject under control: which prompt tokens name it and where it shall be, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from rehearse.sites import Grid

if TYPE_CHECKING:
    from rehearse.shot import BoxPath


@dataclass(frozen=True)
class Subject:
    """One subject.

    phrase: its words in the prompt. tokens: indices of those words' tokens in the encoded prompt
    (positions in the key sequence of a cross site). path: its boxes over the clip.
    depth: 0 is the front-most; where boxes overlap, a grid token belongs to the front-most subject, of
    equal depths to the one listed last. inset: cells by which its boxes are drawn in on every grid, 0 or
    more: convolutions carry a subject past the cells that attention gives it.
    """

    phrase: str
    tokens: tuple[int, ...]
    path: BoxPath
    depth: int = 0
    inset: float = 0.0


@lru_cache(maxsize=256)
def ownership(subjects: tuple[Subject, ...], grid: Grid) -> Tensor:
    """Who owns each token of a grid: int64 ``[frames, height, width]``, 0 for background, i + 1 for
    ``subjects[i]``. A box that covers no token centre still owns the token under its centre."""
    owner = np.zeros((grid.frames, grid.height, grid.width), dtype=np.int64)
    for index, subject in sorted(enumerate(subjects), key=lambda pair: -pair[1].depth):
        inside = subject.path.to_grid(grid.frames, grid.height, grid.width, subject.inset)
        owner[inside] = index + 1
    return torch.from_numpy(owner)
