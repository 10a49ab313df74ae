"""Latents and text, computed once: files named by what they were computed from.

A clip's key is the sha256 of its bytes, of the autoencoder and of the size it was read at; a prompt's, of its
words and the text encoder. Whatever changes, changes the name: nothing old is ever taken for new, and runs on
the same clips share the work. Safetensors only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from rehearse.media import MediaError, replacing
from rehearse.training.own.errors import TrainingError


class Cache:
    """A folder of computed tensors, safe to share between processes and runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise TrainingError(
                f"--cache is {folder}: it cannot be made ({why}); name a folder to write in"
            ) from error

    @staticmethod
    def key(**said: Any) -> str:
        """A name for what depends on all of ``said`` (JSON values)."""
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    def path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.safetensors"

    def load(self, key: str) -> dict[str, Tensor] | None:
        """The tensors of a key; None where they are not there or the file is damaged."""
        path = self.path(key)
        if not path.is_file():
            return None
        try:
            return load_file(path)
        except (OSError, SafetensorError):
            return None

    def get(self, key: str, make: Callable[[], Mapping[str, Tensor]]) -> dict[str, Tensor]:
        """The tensors of a key, made and kept where they are not there. Raises TrainingError where they
        cannot be kept."""
        found = self.load(key)
        if found is not None:
            return found
        made = {name: value.contiguous() for name, value in make().items()}
        path = self.path(key)
        try:
            path.parent.mkdir(exist_ok=True)
            with replacing(path) as part:
                save_file(made, part)
        except (MediaError, OSError, SafetensorError) as error:
            raise TrainingError(
                f"--cache is {self.folder}: {error}; make room or name another folder"
            ) from error
        return made
