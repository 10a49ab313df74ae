"""The one error of this room."""

from __future__ import annotations


class TrainingError(ValueError):
    """Data, settings or a run that cannot be trained. ``str(error)`` is one sentence with the remedy."""
