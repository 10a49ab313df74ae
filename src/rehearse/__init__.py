"""Rehearse: a director's desk for video diffusion.

    import rehearse as rh

    shot = rh.Shot("a red ball moves right over the meadow", seed=7)
    shot = shot.follow("red ball", [(0, rh.Box(.1, .4, .3, .6)), (1, rh.Box(.7, .4, .9, .6))])
    rh.generate(shot).save("ball.mp4")

Names load on first use: importing this package imports no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rehearse.api import generate as generate
    from rehearse.api import picture as picture
    from rehearse.models import ModelError as ModelError
    from rehearse.models import list_models as list_models
    from rehearse.models import load_model as load_model
    from rehearse.sampling.checkpoint import CheckpointError as CheckpointError
    from rehearse.sampling.loop import Cancelled as Cancelled
    from rehearse.shot import Box as Box
    from rehearse.shot import BoxPath as BoxPath
    from rehearse.shot import ControlSettings as ControlSettings
    from rehearse.shot import ImageRef as ImageRef
    from rehearse.shot import Mask as Mask
    from rehearse.shot import PointPath as PointPath
    from rehearse.shot import Shot as Shot
    from rehearse.shot import ShotError as ShotError
    from rehearse.shot import Stroke as Stroke
    from rehearse.takes import Clip as Clip
    from rehearse.takes import Take as Take
    from rehearse.takes import TakeError as TakeError

__version__ = "0.1.0"

_HOMES: dict[str, str] = {
    "Box": "rehearse.shot",
    "BoxPath": "rehearse.shot",
    "Cancelled": "rehearse.sampling.loop",
    "CheckpointError": "rehearse.sampling.checkpoint",
    "Clip": "rehearse.takes",
    "ControlSettings": "rehearse.shot",
    "ImageRef": "rehearse.shot",
    "Mask": "rehearse.shot",
    "ModelError": "rehearse.models",
    "PointPath": "rehearse.shot",
    "Shot": "rehearse.shot",
    "ShotError": "rehearse.shot",
    "Stroke": "rehearse.shot",
    "Take": "rehearse.takes",
    "TakeError": "rehearse.takes",
    "generate": "rehearse.api",
    "list_models": "rehearse.models",
    "load_model": "rehearse.models",
    "picture": "rehearse.api",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'rehearse' has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
