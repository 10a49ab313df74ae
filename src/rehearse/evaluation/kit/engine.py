"""From a shot to frames, through the public API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehearse.shot import Shot

Engine = Callable[[Shot], NDArray[np.uint8]]
"""Frames uint8 [F, H, W, 3] of a shot."""


def load_engine(model: str) -> Engine:
    """A model as an engine, the same as ``rehearse.generate``. Raises ModelError."""
    from rehearse.api import generate
    from rehearse.models import load_model

    loaded = load_model(model)

    def engine(shot: Shot) -> NDArray[np.uint8]:
        return generate(shot, model=loaded).frames

    return engine


def load_codec(model: str) -> tuple[Callable[[NDArray[np.uint8]], NDArray[np.uint8]], int]:
    """What takes a clip uint8 [F, H, W, 3] through a model's codec and back, and the frames of its clips.
    Raises ModelError."""
    from rehearse.models import load_model

    loaded: Any = load_model(model)

    def round_trip(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        over_time = getattr(loaded, "encode_clip", None)
        latents = loaded.encode_pictures(frames).transpose(0, 1) if over_time is None else over_time(frames)
        decoded: NDArray[np.uint8] = loaded.decode(latents[None])[0]
        return decoded

    return round_trip, loaded.defaults.frames


def model_defaults(model: str) -> dict[str, Any]:
    """What a model's folder says its defaults are (steps, scheduler, ...); empty where it is silent. Raises
    ModelError."""
    from rehearse.models.registry import find_model

    said = find_model(model).settings().get("defaults", {})
    return said if isinstance(said, dict) else {}


def model_fingerprint(model: str) -> str:
    """Sha256 over a model's files, without loading it. Raises ModelError."""
    from rehearse.models.registry import find_model

    return find_model(model).fingerprint()


def pictures_fingerprint(model: str) -> str:
    """The same of what draws in regions of the pictures that a model starts from; "" where nothing of its own
    does. Raises ModelError."""
    from rehearse.models.registry import find_inpainting, find_model

    folder = find_model(model)
    found = find_inpainting(folder.base or folder)
    return "" if found is None else found.fingerprint()
