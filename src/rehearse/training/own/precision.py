"""In which number format a run trains that was asked for none: its own, or the hardware's."""

from __future__ import annotations

from pathlib import Path

import torch

from rehearse.models.precision import choose_precision
from rehearse.training.own.checkpoint import facts_in
from rehearse.training.own.settings import Precision

FORMATS: dict[Precision, torch.dtype] = {"no": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def precision_for(out: Path, on_cpu: bool) -> Precision:
    """The precision of the run in ``out``, where there is one, so that another machine can go on with it;
    else "bf16" where the hardware multiplies in it, and "no" (float32) where it does not."""
    said = facts_in(out).get("precision")
    best = choose_precision("cpu" if on_cpu else "auto", use="training").dtype
    return next(name for name, dtype in FORMATS.items() if (dtype is best if said is None else name == said))
