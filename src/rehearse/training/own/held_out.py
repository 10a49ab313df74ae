"""The loss on rows that are never trained on: what tells learning from learning by heart."""

from __future__ import annotations

import torch

from rehearse.training.own.metrics import HELD_OUT
from rehearse.training.own.samples import Draw
from rehearse.training.own.task import Task

_ROWS, _TIMES = 16, 2
_STREAM = 0xDA7A


@torch.no_grad()
def held_out_figures(task: Task, seed: int) -> dict[str, float]:
    """Means over the first held-out rows, at the same timesteps and noise whenever it is asked; empty where
    none are held out. The names begin with :data:`HELD_OUT`."""
    rows = task.held_out
    if rows is None:
        return {}
    sums: dict[str, torch.Tensor] = {}
    for row in range(min(_ROWS, len(rows))):
        batch = [Draw(row, (seed, _STREAM, row * _TIMES + time)) for time in range(_TIMES)]
        value, figures = task.loss(task.module, batch, None, rows)
        for name, figure in {"loss": value, **figures}.items():
            pair = figure.float() if figure.ndim else torch.stack([figure.float(), figure.new_ones(())])
            sums[name] = sums.get(name, torch.zeros_like(pair)) + pair
    return {
        f"{HELD_OUT}{name}": float(above / below.clamp(min=1e-6)) for name, (above, below) in sums.items()
    }
