"""What a run belongs to: it cannot be continued with other facts, and its checkpoints say them."""

from __future__ import annotations

from typing import Any

from rehearse.training.own.base import Base
from rehearse.training.own.samples import Samples
from rehearse.training.own.settings import ColumnRecipe, LoraRecipe, Recipe, facts


def facts_of(
    base: Base,
    samples: Samples,
    recipe: Recipe,
    lora: LoraRecipe | None = None,
    column: ColumnRecipe | None = None,
) -> dict[str, Any]:
    """As JSON values. lora: None for a motion adapter; column: None where no masks are trained with."""
    kind = "motion" if lora is None else "lora" if column is None else "target"
    return {
        "kind": kind,
        "base_fingerprint": base.fingerprint,
        "data": samples.key,
        **samples.shape.facts,
        **facts(recipe, *(one for one in (lora,) if one is not None)),
        **({} if column is None else {"masks": samples.masks, **facts(column)}),
    }
