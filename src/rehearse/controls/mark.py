"""A target under control: which prompt tokens name it and where it is."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Mark:
    """Which words mean which place. tokens: indices in the encoded prompt. mask: float32 ``[H, W]`` in
    [0, 1], of the first frame."""

    tokens: tuple[int, ...]
    mask: Tensor
