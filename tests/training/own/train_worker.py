"""Trains a toy run in a process of its own: ``train_worker.py DATA BASE OUT STEPS [KIND]``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, cast

from rehearse.training.own.rows import Kind
from rehearse.training.own.run import Data, train
from rehearse.training.own.settings import ColumnRecipe, LoraRecipe, Recipe, Running


def train_toy(
    data: Path, base: Path, out: Path, steps: int, kind: str = "target", *, sheets: int = 0, **changes: Any
) -> Any:
    recipe = Recipe(batch=4, rate=1e-2, warmup=2, ema=0.5, precision=changes.pop("precision", "no"))
    column = (
        None if kind != "target" else ColumnRecipe(weight=changes.pop("weight", 0.1), blocks="all", draw=1)
    )
    held_out = changes.pop("validation", None)
    clips = Data(data, changes.pop("frames", None), changes.pop("size", None), validation=held_out)
    running = Running(
        out=out,
        steps=steps,
        save_every=2,
        log_every=2,
        sheet_every=sheets,
        sheet_steps=2,
        cpu=True,
        **changes,
    )
    lora = LoraRecipe(rank=2, alpha=1.0)
    return train(cast(Kind, kind), clips, str(base), recipe, running, lora, column)


if __name__ == "__main__":
    data, base, out, steps, *kind = sys.argv[1:]
    train_toy(Path(data), Path(base), Path(out), int(steps), *kind)
