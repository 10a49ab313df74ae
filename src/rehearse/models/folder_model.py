"""What families read from a folder in diffusers' layout share: its parts, and what follows from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from rehearse.models.codec import Codec
from rehearse.models.errors import ModelError
from rehearse.models.folder import ModelFolder
from rehearse.models.model import Tokens, VideoModel
from rehearse.models.precision import Precision
from rehearse.models.said import schedule_said
from rehearse.models.text import ClipText
from rehearse.schedulers import SchedulerError, make_scheduler, prediction_type_of


class FolderModel(VideoModel):
    """A denoiser with a text encoder, an autoencoder and a scheduler's settings."""

    _scheduler_config: dict[str, Any]

    def __init__(
        self, folder: ModelFolder, denoiser: Any, text: ClipText, codec: Codec, precision: Precision
    ) -> None:
        self.identity = folder.identity
        self.denoiser = denoiser
        self.precision = precision
        self._folder = folder
        self._text = text
        self._codec = codec

    def _read_schedule(self, said: dict[str, Any]) -> None:
        """The scheduler's settings and the prediction type; said: ``rehearse.json``. Raises ModelError."""
        own = self._folder.config("scheduler", "scheduler_config.json")
        self._scheduler_config = own | schedule_said(self._folder, said)
        try:
            self.prediction_type = prediction_type_of(self._scheduler_config)
        except SchedulerError as error:
            raise ModelError(f"model {self.identity!r}: {error}") from error

    @property
    def fingerprint(self) -> str:
        return self._folder.fingerprint()

    def beside(self, name: str) -> Path | None:
        place = self._folder.path / name
        return place if place.is_dir() else None

    def make_scheduler(self, name: str) -> Any:
        try:
            return make_scheduler(name, self._scheduler_config)
        except SchedulerError as error:
            raise ModelError(f"model {self.identity!r}: {error}") from error

    def tokenize(self, prompt: str) -> Tokens:
        return self._text.tokenize(prompt)

    def encode(self, prompt: str, negative_prompt: str = "") -> Tensor:
        return self._text.encode([negative_prompt, prompt])

    def encode_pictures(self, pictures: NDArray[np.uint8]) -> Tensor:
        """uint8 ``[n, H, W, 3]`` to clean latents ``[n, channels, h, w]``, each a clip of one frame."""
        return self._codec.encode(pictures)
