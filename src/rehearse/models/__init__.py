"""Diffusion models behind one interface. Importing this room is light; loading a model imports torch."""

from rehearse.models.errors import ModelError
from rehearse.models.registry import ModelEntry, list_models, load_model

__all__ = ["ModelEntry", "ModelError", "list_models", "load_model"]
