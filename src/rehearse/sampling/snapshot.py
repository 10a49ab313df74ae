"""A scheduler between two steps, captured whole.

No diffusers scheduler has a state dict, and multistep solvers keep past outputs in plain attributes: a fresh
scheduler set to the right step forgets them (DPM-Solver++ is off by .45 then). So everything in
``vars(scheduler)`` is kept: tensors as tensors, the rest as JSON values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rehearse.schedulers import scheduler_class

_TENSOR = "__tensor__"
_TUPLE = "__tuple__"
_CONFIG = "_internal_dict"  # where diffusers keeps a scheduler's settings


@dataclass(frozen=True, eq=False, slots=True)
class Snapshot:
    """The captured state. Immutable, and independent of the scheduler it came from.

    kind: class name. config, values: JSON-ready; a tensor among the values stands as ``{"__tensor__": key}``.
    tensors: by those keys, contiguous.
    """

    kind: str
    config: Mapping[str, Any]
    values: Mapping[str, Any]
    tensors: Mapping[str, Tensor]

    @classmethod
    def capture(cls, scheduler: Any) -> Snapshot:
        """Capture a scheduler; TypeError names an attribute that cannot be kept."""
        tensors: dict[str, Tensor] = {}
        values = {
            name: _flatten(value, name, tensors) for name, value in vars(scheduler).items() if name != _CONFIG
        }
        config = {
            name: _flatten(value, f"config.{name}", tensors) for name, value in scheduler.config.items()
        }
        return cls(type(scheduler).__name__, config, values, tensors)

    def restore(self) -> Any:
        """A scheduler that goes on exactly where the captured one stood."""
        config = {name: _unflatten(value, self.tensors) for name, value in self.config.items()}
        scheduler = scheduler_class(self.kind).from_config(config)
        for name in set(vars(scheduler)) - set(self.values) - {_CONFIG}:
            delattr(scheduler, name)
        for name, value in self.values.items():
            setattr(scheduler, name, _unflatten(value, self.tensors))
        return scheduler

    def to_json(self) -> str:
        """All but the tensors, as JSON text; numbers come back bit for bit."""
        return json.dumps({"kind": self.kind, "config": self.config, "values": self.values})

    @classmethod
    def from_json(cls, text: str, tensors: Mapping[str, Tensor]) -> Snapshot:
        """The inverse of :meth:`to_json`, given the tensors."""
        content = json.loads(text)
        return cls(content["kind"], content["config"], content["values"], dict(tensors))


def _flatten(value: Any, key: str, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        # Contiguous, so that a state from memory and one from a file have the same layout in every kernel.
        tensors[key] = value.detach().contiguous()
        return {_TENSOR: key}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list):
        return [_flatten(item, f"{key}.{index}", tensors) for index, item in enumerate(value)]
    if isinstance(value, tuple):
        return {_TUPLE: [_flatten(item, f"{key}.{index}", tensors) for index, item in enumerate(value)]}
    if isinstance(value, np.ndarray):
        return _flatten(torch.from_numpy(value.copy()), key, tensors) | {"numpy": True}
    raise TypeError(f"scheduler attribute {key} is a {type(value).__name__}, which a checkpoint cannot hold")


def _unflatten(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(value, list):
        return [_unflatten(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    if _TUPLE in value:
        return tuple(_unflatten(item, tensors) for item in value[_TUPLE])
    tensor = tensors[value[_TENSOR]]
    return tensor.numpy().copy() if value.get("numpy") else tensor
