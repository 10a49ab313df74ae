"""A subject's boxes of all frames laid over one another: the trajectory-aligned view of latents.

Every grid cell of the subject in every frame is given a cell of one *canonical patch*, as large as the
largest box. A box that keeps its size moves by whole cells, so the same part of the patch follows the same
part of the subject; a box that grows or shrinks is sampled nearest. No value is ever interpolated: bilinear
warps would shrink the variance of noise (docs/methods.md, section 3.2). Cells beyond the frame's edge, or
under a subject in front, are simply not seen in that frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.controls.subject import Subject, ownership
from rehearse.sites import Grid

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class BoxPatch:
    """Correspondence between the cells of a moving box and its canonical patch of ``height`` x ``width``.

    cells: int64 ``[n]``, flat positions in frames x grid height x grid width of the cells the subject owns.
    patch_cells: int64 ``[n]``, the flat patch cell that each of them shows.
    source: int64 ``[frames, height * width]``, for each frame and patch cell the flat position (in frames x
        grid height x grid width) that shows it; 0 where ``seen`` is 0.
    seen: fp32 ``[frames, height * width]``, 1 where the frame shows the patch cell, else 0.
    """

    height: int
    width: int
    cells: Tensor
    patch_cells: Tensor
    source: Tensor
    seen: Tensor

    def gather(self, x: Tensor) -> Tensor:
        """``[batch, channels, frames, h, w] -> [batch, channels, frames, cells]``, 0 where unseen."""
        picked = x.flatten(2)[:, :, self.source.flatten()]
        return picked.unflatten(2, tuple(self.source.shape)) * self.seen.to(x.dtype)

    def average(self, aligned: Tensor) -> Tensor:
        """Mean of what :meth:`gather` gave over the frames that show a cell, ``[batch, channels, cells]``."""
        return aligned.sum(dim=2) / self.seen.sum(dim=0).clamp(min=1.0).to(aligned.dtype)


@lru_cache(maxsize=32)
def box_patches(
    subjects: tuple[Subject, ...], grid: Grid, device: torch.device
) -> tuple[BoxPatch | None, ...]:
    """The patch of each subject; None for one that owns no cell in any frame."""
    with torch.inference_mode(False):
        owner = ownership(subjects, grid).numpy()
        return tuple(
            _box_patch(subject, owner == index + 1, grid, device) for index, subject in enumerate(subjects)
        )


def _box_patch(
    subject: Subject, owned: NDArray[np.bool_], grid: Grid, device: torch.device
) -> BoxPatch | None:
    frame, row, column = owned.nonzero()
    if frame.size == 0:
        return None
    x0, y0, x1, y1 = subject.path.resample(grid.frames).T
    # The frames that show the subject decide how large the patch is; in the others it may be anywhere.
    shown = np.unique(frame)
    down = _Axis.of(y0, y1, grid.height, shown)
    across = _Axis.of(x0, x1, grid.width, shown)
    rows, columns = down.cells()[:, :, None], across.cells()[:, None, :]
    frames = np.arange(grid.frames)[:, None, None]
    seen = (rows >= 0) & (columns >= 0) & owned[frames, rows, columns]
    source = (frames * grid.height + rows) * grid.width + columns
    patch_cells = down.patch_cells(frame, row) * across.length + across.patch_cells(frame, column)
    size = (grid.frames, down.length * across.length)
    return BoxPatch(
        down.length,
        across.length,
        cells=torch.from_numpy((frame * grid.height + row) * grid.width + column).to(device),
        patch_cells=torch.from_numpy(patch_cells).to(device),
        source=torch.from_numpy(np.where(seen, source, 0).reshape(size)).to(device),
        seen=torch.from_numpy(seen.reshape(size).astype(np.float32)).to(device),
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Axis:
    """One axis of the correspondence.

    first, count: per frame the first grid cell whose centre the box covers and how many it covers, counted on
    beyond the frame's edge, so that a box half out of the frame keeps its alignment. total, length: cells of
    the grid and of the patch; rigid: whether the box keeps its size and so moves by whole cells.
    """

    first: Integers
    count: Integers
    total: int
    length: int
    rigid: bool

    @classmethod
    def of(cls, low: NDArray[np.float64], high: NDArray[np.float64], total: int, shown: Integers) -> _Axis:
        """From the box's edges per frame, in fractions; shown: the frames in which it is seen."""
        first = np.ceil(low * total - 0.5).astype(np.int64)
        count = np.ceil(high * total - 0.5).astype(np.int64) - first
        # A box between two centres has the cell under its middle, as in BoxPath.to_grid.
        thin = count < 1
        first[thin] = np.floor((low + high)[thin] / 2 * total).clip(max=total - 1).astype(np.int64)
        count[thin] = 1
        size = ((high - low) * total)[shown]
        return cls(first, count, total, int(count[shown].max()), bool(np.ptp(size) < 1.0))

    def cells(self) -> Integers:
        """The grid cell that shows each patch cell ``[frames, length]``; -1 where none does."""
        at = np.arange(self.length)
        if self.rigid:
            cell = np.where(at < self.count[:, None], self.first[:, None] + at, -1)
        else:
            # (2 p + 1) n / 2 L, in whole numbers: which of n cells lies at the middle of patch cell p of L.
            cell = self.first[:, None] + (2 * at + 1) * self.count[:, None] // (2 * self.length)
        return np.where((cell >= 0) & (cell < self.total), cell, -1)

    def patch_cells(self, frame: Integers, cell: Integers) -> Integers:
        """The patch cell that each grid cell of a frame shows."""
        offset = cell - self.first[frame]
        if not self.rigid:
            offset = (2 * offset + 1) * self.length // (2 * self.count[frame])
        return offset.clip(0, self.length - 1)
