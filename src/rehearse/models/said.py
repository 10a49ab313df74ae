"""What a model folder's ``rehearse.json`` says over the family's own settings."""

from __future__ import annotations

import dataclasses
from typing import Any

from rehearse.models.errors import ModelError
from rehearse.models.folder import ModelFolder
from rehearse.models.model import Defaults

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


def schedule_said(folder: ModelFolder, settings: dict[str, Any] | None = None) -> dict[str, Any]:
    """Scheduler settings, laid over the model's own. settings: None for the folder's. Raises ModelError."""
    said = (folder.settings() if settings is None else settings).get("scheduler", {})
    if not isinstance(said, dict):
        raise ModelError(
            f"model {folder.identity!r}: rehearse.json: scheduler must be an object of scheduler settings, "
            'such as {"beta_schedule": "linear"}'
        )
    return said


def with_said(own: Defaults, said: dict[str, Any], identity: str) -> Defaults:
    """The family's defaults with those that ``rehearse.json`` sets. Raises ModelError, naming the field."""
    given: dict[str, Any] = said.get("defaults", {})
    for name, value in given.items():
        if name not in _KINDS:
            raise ModelError(
                f"model {identity!r}: rehearse.json sets defaults.{name}; known: {', '.join(sorted(_KINDS))}"
            )
        fits = (int, float) if _KINDS[name] is float else _KINDS[name]
        if not isinstance(value, fits) or isinstance(value, bool):
            raise ModelError(f"model {identity!r}: rehearse.json: defaults.{name} cannot be {value!r}")
    return dataclasses.replace(own, **given)
