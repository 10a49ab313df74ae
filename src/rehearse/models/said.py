"""What a model folder's ``rehearse.json`` says over the family's own settings."""

from __future__ import annotations

import dataclasses
import logging
import math
from itertools import pairwise
from typing import Any

from rehearse.models.affinity import Lists
from rehearse.models.errors import ModelError
from rehearse.models.folder import ModelFolder
from rehearse.models.model import Defaults
from rehearse.shot.errors import nearest
from rehearse.shot.instructions.motion import MAGNITUDES

_LOG = logging.getLogger(__name__)

_KINDS: dict[str, type[int] | type[float] | type[str]] = {
    "frames": int,
    "width": int,
    "height": int,
    "fps": float,
    "steps": int,
    "guidance": float,
    "scheduler": str,
    "frozen_steps": float,
}


_LEAST = {"frames": 1, "width": 1, "height": 1, "steps": 1}


_KNOWN = (
    "base", "closeness", "defaults", "dynamic_guidance", "guidance_ramp", "inpainting", "loras", "max_frames",
    "motion_adapter", "picture_guidance", "picture_model", "scheduler", "target_adapter",
)  # fmt: skip


def tell_unknown(folder: ModelFolder) -> None:
    """Warn of what a folder's ``rehearse.json``, or its base's, says that nothing reads."""
    for name in folder.settings():
        if name not in _KNOWN and name[:1] not in ("_", "$", "/", "#"):  # notes, and schemas of editors
            _LOG.warning(
                'model %r: its rehearse.json says "%s", which is not read; %s',
                folder.identity, name, nearest(name, _KNOWN),
            )  # fmt: skip
    if folder.base is not None:
        tell_unknown(folder.base)


def schedule_said(folder: ModelFolder, settings: dict[str, Any] | None = None) -> dict[str, Any]:
    """Scheduler settings, laid over the model's own. settings: None for the folder's. Raises ModelError."""
    said = (folder.settings() if settings is None else settings).get("scheduler", {})
    if not isinstance(said, dict):
        raise ModelError(
            f"model {folder.identity!r}: rehearse.json: scheduler must be an object of scheduler settings, "
            'such as {"beta_schedule": "linear"}'
        )
    return said


def said_lists(folder: ModelFolder) -> Lists | None:
    """The model's own affinities by magnitude; None where it says none. Raises ModelError."""
    said = folder.settings().get("closeness")
    if said is None:
        return None
    whole = isinstance(said, dict) and list(said) == list(MAGNITUDES)
    if not whole or not all(_falls(values) for values in said.values()):
        raise ModelError(
            f"model {folder.identity!r}: rehearse.json: closeness cannot be {said!r}; give a list for "
            f"each of {', '.join(MAGNITUDES)}, in this order, of numbers in [0, 1] that never rise"
        )
    return {name: tuple(float(value) for value in values) for name, values in said.items()}


def said_ramp(folder: ModelFolder) -> float | None:
    """How far a frame's affinity is below 1 when it gets all of the guidance; None where all frames do.
    Raises ModelError."""
    said = folder.settings().get("guidance_ramp")
    if said is None:
        return None
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 < said <= 1:
        raise ModelError(
            f"model {folder.identity!r}: rehearse.json: guidance_ramp cannot be {said!r}; give a number "
            "above 0, up to 1: how far a frame's affinity is below 1 when it gets all of the guidance"
        )
    return float(said)


def _falls(values: Any) -> bool:
    if not isinstance(values, list) or len(values) < 2:
        return False
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
        return False
    return values[0] <= 1 and values[-1] >= 0 and all(a >= b for a, b in pairwise(values))


def with_said(own: Defaults, said: dict[str, Any], identity: str) -> Defaults:
    """The family's defaults with those that ``rehearse.json`` sets. Raises ModelError, naming the field."""
    given = said.get("defaults", {})
    if not isinstance(given, dict):
        form = '{"frames": 16, "fps": 8}'
        raise ModelError(f"model {identity!r}: rehearse.json: defaults cannot be {given!r}; write {form}")
    for name, value in given.items():
        if name not in _KINDS:
            raise ModelError(
                f"model {identity!r}: rehearse.json sets defaults.{name}; known: {', '.join(sorted(_KINDS))}"
            )
        fits = (int, float) if _KINDS[name] is float else _KINDS[name]
        if not isinstance(value, fits) or isinstance(value, bool):
            kind = {int: "a whole number", float: "a number", str: "a name"}[_KINDS[name]]
            raise ModelError(
                f"model {identity!r}: rehearse.json: defaults.{name} cannot be {value!r}; give {kind}"
            )
        if isinstance(value, int | float) and (not math.isfinite(value) or value < _LEAST.get(name, 0)):
            least = f"at least {_LEAST[name]}" if name in _LEAST else "0 or above"
            raise ModelError(
                f"model {identity!r}: rehearse.json: defaults.{name} cannot be {value!r}; it is {least}"
            )
    return dataclasses.replace(own, **given)
