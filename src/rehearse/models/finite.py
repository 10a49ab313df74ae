"""Whether numbers are numbers: NaN and infinite values found, and named, before they spread."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rehearse.models.errors import ModelError
from rehearse.models.folder import ModelFolder


def flaw_of(values: Tensor) -> str | None:
    """What is wrong with a tensor's values, for a sentence: "NaN" or "infinite values"; None for nothing.

    One pass over the memory and no copy: a fraction of a second for a billion numbers.
    """
    if not values.is_floating_point() or values.numel() == 0:
        return None
    if values.element_size() == 1:  # formats of 8 bits have no such operation of their own
        values = values.to(torch.float32)
    least, most = torch.aminmax(values.detach())  # NaN, where there is one, is both
    if bool(torch.isnan(least)):
        return "NaN"
    return None if bool(torch.isfinite(least) & torch.isfinite(most)) else "infinite values"


def flaw_in(module: Any) -> tuple[str, str] | None:
    """The first parameter of a module whose values are not finite, and what they are; None for none."""
    for name, parameter in module.named_parameters():
        if (flaw := flaw_of(parameter)) is not None:
            return name, flaw
    return None


def refuse_flaws(module: Any, folder: ModelFolder, component: str) -> None:
    """ModelError, naming the tensor, where a component's weights are not all finite."""
    if (found := flaw_in(module)) is not None:
        name, flaw = found
        raise ModelError(
            f"model {folder.identity!r}: {component}/ holds {flaw} ({name}); it is damaged, or its training "
            "went wrong: download it again, or use another"
        )
