"""Parameters that FSDP keeps in parts, one in each process: to one tensor and back."""

from __future__ import annotations

from typing import Any

from torch import Tensor


def whole(value: Tensor) -> Tensor:
    """A tensor as one: FSDP keeps parts of it in each process (all of which must ask)."""
    found: Tensor = value.detach()
    return found.full_tensor() if hasattr(found, "full_tensor") else found


def as_part(value: Tensor, like: Tensor) -> Tensor:
    """This process's part of a whole tensor, placed as ``like``; a copy."""
    if hasattr(like, "device_mesh"):
        from torch.distributed.tensor import distribute_tensor

        sharded: Any = like
        return distribute_tensor(value.to(like.device), sharded.device_mesh, sharded.placements)
    return value.to(like.device, copy=True)
