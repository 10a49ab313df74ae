"""Takes: one run of one shot by one model; rewound, branched, paused, carried to another process.

Names load on first use: the studio's server keeps takes in ``rehearse.takes.store`` and imports no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rehearse.takes.clip import Clip as Clip
    from rehearse.takes.take import StepEvent as StepEvent
    from rehearse.takes.take import Take as Take
    from rehearse.takes.take import TakeError as TakeError

_HOMES = {"Clip": "clip", "StepEvent": "take", "Take": "take", "TakeError": "take"}

__all__ = ["Clip", "StepEvent", "Take", "TakeError"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'rehearse.takes' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"rehearse.takes.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
