"""A subject under control: which prompt tokens name it and where it shall be, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
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
    corners_of: height and width of the latents, where the subject owns those cells of a coarser grid whose
    top-left latent cell lies in its box, as Peekaboo's released code has it; None: those whose centre does.
    """

    phrase: str
    tokens: tuple[int, ...]
    path: BoxPath
    depth: int = 0
    inset: float = 0.0
    corners_of: tuple[int, int] | None = None


@lru_cache(maxsize=256)
def ownership(subjects: tuple[Subject, ...], grid: Grid) -> Tensor:
    """Who owns each token of a grid: int64 ``[frames, height, width]``, 0 for background, i + 1 for
    ``subjects[i]``. A box that covers no token centre still owns the token under its centre."""
    owner = np.zeros((grid.frames, grid.height, grid.width), dtype=np.int64)
    for index, subject in sorted(enumerate(subjects), key=lambda pair: -pair[1].depth):
        owner[_inside(subject, grid)] = index + 1
    return torch.from_numpy(owner)


def _inside(subject: Subject, grid: Grid) -> NDArray[np.bool_]:
    """Cells of the grid that the subject's boxes take, ``[frames, height, width]``."""
    height, width = subject.corners_of or (grid.height, grid.width)
    inside = subject.path.to_grid(grid.frames, height, width, subject.inset)
    down, across = _stride(height, grid.height), _stride(width, grid.width)
    return inside[:, ::down, ::across]


def _stride(fine: int, coarse: int) -> int:
    """Cells of the fine side to one of the coarse: a UNet halves its sides, rounding up."""
    stride = 1
    while -(-fine // stride) > coarse:
        stride *= 2
    return stride
