"""What a LoRA makes of one layer's weights, in float32: LoRA, DoRA, LoHa, LoKr, plain differences.

With ``f`` for the scale in use times alpha over rank, and W the layer's weight:

- LoRA: ``W + f up down``; with a core tensor (LoCon's ``lora_mid``) ``W + f up mid down``
- LoHa: ``W + f (w1_a w1_b) * (w2_a w2_b)``, an elementwise product
- LoKr: ``W + f kron(w1, w2)``, either factor perhaps a product itself
- DoRA: ``m (W + dW) / ||W + dW||``, dW one of the changes above, the norm over a row of the weights
- differences: ``W + scale diff``

A convolution's kernel counts as part of its inputs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from rehearse.models.lora_file import LoraLayer


class Misfit(ValueError):
    """A layer's change has another shape than the layer. ``str(error)`` says which is due."""


@dataclass(frozen=True, eq=False)
class Changed:
    """A layer's weight and bias after a change, float32; None for what stays as it is."""

    weight: Tensor | None
    bias: Tensor | None


def changed(layer: LoraLayer, weight: Tensor, bias: Tensor | None, scale: float, factor: float) -> Changed:
    """A layer's weight and bias with a LoRA's change of it. scale: in use. factor: alpha over rank.

    Raises Misfit: a change of another shape, or of a bias that the layer does not have.
    """
    parts = {name: value.to(torch.float32) for name, value in layer.parts.items()}
    try:
        made = _weight(parts, weight.to(torch.float32), scale, factor)
    except (RuntimeError, IndexError) as error:  # tensors that do not go together at all
        raise _misfit(weight.shape, None) from error
    return Changed(made, _bias(parts, bias, scale, factor))


def _weight(parts: Mapping[str, Tensor], weight: Tensor, scale: float, factor: float) -> Tensor | None:
    change = product(parts, weight.shape)
    made = None if change is None else weight + scale * factor * _shaped(change, weight.shape)
    if made is not None:
        if "magnitude" in parts:
            made = _with_magnitude(made, parts["magnitude"].flatten(), 0)
        elif "dora_scale" in parts:
            made = _with_magnitude(made, *_magnitude(parts["dora_scale"], weight.shape))
    for name in ("diff", "w_norm"):
        if name in parts:
            made = (weight if made is None else made) + scale * _shaped(parts[name], weight.shape)
    return made


def _bias(parts: Mapping[str, Tensor], bias: Tensor | None, scale: float, factor: float) -> Tensor | None:
    made = None
    for name, by in (("up_bias", scale * factor), ("diff_b", scale), ("b_norm", scale)):
        if name not in parts:
            continue
        if bias is None:
            raise Misfit("has no bias, and the file has a change of one")
        made = (bias.to(torch.float32) if made is None else made) + by * _shaped(parts[name], bias.shape)
    return made


def product(parts: Mapping[str, Tensor], shape: torch.Size) -> Tensor | None:
    """A change before its scale, ``[out, in ...]`` in the weight's order; None where no product is given.

    parts: float32, by kind. shape: of the weight.
    """
    if "down" in parts:
        up, down = parts["up"].flatten(1), parts["down"]
        if "mid" in parts:
            return torch.einsum("or,rs...,si->oi...", up, parts["mid"], down.flatten(1))
        if down.shape[1] != shape[1]:
            raise _misfit(shape, (up.shape[0], *down.shape[1:]))
        return up @ down.flatten(1)
    if "embedding_down" in parts:
        return (parts["embedding_up"] @ parts["embedding_down"]).T
    if "hada_w1_a" in parts:
        return _factor(parts, "hada_w1", "hada_t1") * _factor(parts, "hada_w2", "hada_t2")
    if "lokr_w1" in parts or "lokr_w1_a" in parts:
        small = _factor(parts, "lokr_w1", None)
        large = _factor(parts, "lokr_w2", "lokr_t2")
        return torch.kron(small.reshape(*small.shape, *[1] * (large.ndim - small.ndim)), large.contiguous())
    return None


def _factor(parts: Mapping[str, Tensor], name: str, core: str | None) -> Tensor:
    """A matrix that is given whole, as a product of two, or by a core tensor between two."""
    if name in parts:
        return parts[name]
    left, right = parts[f"{name}_a"], parts[f"{name}_b"]
    if core is not None and core in parts:
        return torch.einsum("rs...,ro,si->oi...", parts[core], left, right)
    return left @ right


def _magnitude(stated: Tensor, shape: torch.Size) -> tuple[Tensor, int]:
    """The magnitudes of a ``dora_scale`` and the axis of the weight they run along: its outputs, or, as older
    trainers had it, its inputs."""
    if stated.numel() == shape[0] and stated.shape[0] == shape[0]:
        return stated.flatten(), 0
    if stated.ndim > 1 and stated.shape[1] == stated.numel() == shape[1]:
        return stated.flatten(), 1
    raise _misfit(shape, stated.shape)


def _with_magnitude(weight: Tensor, magnitude: Tensor, axis: int) -> Tensor:
    """A weight whose rows (axis 0) or columns (axis 1) have these lengths and point where they did."""
    if magnitude.numel() != weight.shape[axis]:
        raise _misfit(weight.shape, magnitude.shape)
    lengths = weight.transpose(0, axis).flatten(1).norm(dim=1).clamp_min(torch.finfo(torch.float32).tiny)
    form = [1] * weight.ndim
    form[axis] = -1
    return weight * (magnitude / lengths).view(form)


def _shaped(change: Tensor, shape: torch.Size) -> Tensor:
    """A change in the weight's shape; kernels may be flat, and kernels of one pixel left out or given."""
    rest = math.prod(shape[1:])
    fits = change.shape[:1] == shape[:1] and change.numel() == shape[0] * rest
    wide = change.shape[1] if change.ndim > 1 else 1
    if not fits or (len(shape) > 1 and wide not in (shape[1], rest)):
        raise _misfit(shape, change.shape)
    return change.reshape(shape)


def _misfit(due: torch.Size, given: object) -> Misfit:
    has = f", and the file has {list(given)}" if isinstance(given, torch.Size | tuple) else ""
    return Misfit(f"takes {list(due)}{has}")
