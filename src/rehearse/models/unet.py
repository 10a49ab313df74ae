"""What UNet families share: a folder in diffusers' layout, loaded by component class."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.models.attention import Stage, install, spread_text
from rehearse.models.codec import Codec, load_component
from rehearse.models.errors import ModelError
from rehearse.models.folder import ModelFolder
from rehearse.models.lora import add_loras
from rehearse.models.model import Defaults, Limits, Tokens, VideoModel
from rehearse.models.precision import Precision
from rehearse.models.said import schedule_said, with_said
from rehearse.models.text import ClipText, vocabulary_of
from rehearse.sampling.schedulers import SchedulerError, make_scheduler, prediction_type_of
from rehearse.sites import Attend


class UNetModel(VideoModel):
    """A UNet denoiser with a CLIP text encoder and an image autoencoder.

    Optional files beside ``model_index.json``: ``rehearse.json`` with ``defaults`` (fields of
    :class:`Defaults`), ``max_frames`` and ``scheduler`` (settings laid over ``scheduler_config.json``), for
    more see :mod:`rehearse.models.composition`; ``vocabulary.json``; ``latent_rgb.json``.
    """

    def __init__(
        self, folder: ModelFolder, denoiser: Any, text: ClipText, codec: Codec, precision: Precision
    ) -> None:
        self.identity = folder.identity
        self.denoiser = denoiser
        self.precision = precision
        self._folder = folder
        self._text = text
        self._codec = codec
        said = folder.settings()
        self._scheduler_config = folder.config("scheduler", "scheduler_config.json") | schedule_said(folder)
        self._stage = Stage()
        try:
            self.prediction_type = prediction_type_of(self._scheduler_config)
        except SchedulerError as error:
            raise ModelError(f"model {self.identity!r}: {error}") from None
        self.sites = install(denoiser, self._stage)
        self.defaults = with_said(self._own_defaults(), said, folder.identity)
        self.limits = Limits(
            max_frames=self._max_frames(said),
            size_multiple=codec.factor,
            max_tokens=text.max_tokens,
            vocabulary=vocabulary_of(folder),
        )
        if codec.channels != self._latent_channels():
            raise ModelError(
                f"model {folder.identity!r}: its unet takes {denoiser.config.in_channels} channels and its "
                f"vae makes {codec.channels}; they belong to different models"
            )

    @classmethod
    def load(cls, folder: ModelFolder, precision: Precision) -> Self:
        """Load the components by class; no pipeline is built. Raises ModelError."""
        denoiser, text = cls._load_denoiser(folder), ClipText.load(folder)
        add_loras(folder, denoiser, text.encoder)
        precision.prepare(denoiser)
        return cls(folder, denoiser, text, Codec.load(folder, precision), precision)

    @classmethod
    def _load_denoiser(cls, folder: ModelFolder) -> Any:
        folder.weights("unet")
        return load_component(cls._denoiser_class(), folder, "unet")

    @classmethod
    @abstractmethod
    def _denoiser_class(cls) -> Any:
        """The diffusers class of ``unet/``."""

    @abstractmethod
    def _own_defaults(self) -> Defaults:
        """Defaults where ``rehearse.json`` is silent."""

    @abstractmethod
    def _max_frames(self, said: dict[str, Any]) -> int | None:
        """Most frames, given what ``rehearse.json`` says."""

    @abstractmethod
    def _forward(self, latents: Tensor, timestep: Tensor, text: Tensor) -> Tensor:
        """The denoiser itself, all tensors on its device; ``[batch, channels, frames, h, w]`` in and out."""

    def _latent_channels(self) -> int:
        """How many of the denoiser's input channels are latents."""
        return int(self.denoiser.config.in_channels)

    def _own_scheduler(self) -> str:
        return "euler" if self.prediction_type == "flow_prediction" else "ddim"

    def _sample_size(self) -> tuple[int, int]:
        """Height and width in pixels the UNet was configured for; (256, 256) where it does not say."""
        size = self.denoiser.config.sample_size
        height, width = (size, size) if isinstance(size, int) or size is None else size
        unit = self._codec.factor
        return (height * unit if height else 256), (width * unit if width else 256)

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
            raise ModelError(f"model {self.identity!r}: {error}") from None

    def tokenize(self, prompt: str) -> Tokens:
        return self._text.tokenize(prompt)

    def encode(self, prompt: str, negative_prompt: str = "") -> Tensor:
        return self._text.encode([negative_prompt, prompt])

    def encode_pictures(self, pictures: NDArray[np.uint8]) -> Tensor:
        """uint8 ``[n, H, W, 3]`` to clean latents ``[n, channels, h, w]``, float32, on the CPU."""
        return self._codec.encode(pictures)

    def latent_shape(self, frames: int, height: int, width: int) -> tuple[int, int, int, int]:
        unit = self._codec.factor
        return self._codec.channels, frames, height // unit, width // unit

    @torch.no_grad()
    def denoise(
        self,
        latents: Tensor,
        timestep: Tensor,
        text: Tensor,
        attend: Attend | None = None,
        condition: Tensor | None = None,
    ) -> Tensor:
        spread, branches, clips = spread_text(text, latents.shape[0])
        if condition is not None:
            beside = condition.expand(branches, -1, -1, -1, -1).repeat_interleave(clips, dim=0)
            latents = torch.cat([latents, beside.to(latents.dtype)], dim=1)
        stage, device = self._stage, self.precision.device
        stage.attend, stage.branches, stage.clips, stage.frames = attend, branches, clips, latents.shape[2]
        try:
            with self.precision.scope():
                output = self._forward(latents.to(device), timestep.to(device), spread.to(device))
        finally:
            stage.attend = None  # a control must not outlive its step
        return output.float().cpu()

    def features(self, latents: Tensor, timestep: Tensor, text: Tensor, block: int) -> Tensor:
        """What an up block gives, float32 ``[batch, width, h, w]`` on the CPU, with gradients to the latents.

        latents, timestep, text: as for `denoise`. block: index among the up blocks. The blocks behind it are
        not computed.
        """
        spread, branches, clips = spread_text(text, latents.shape[0])
        stage, device = self._stage, self.precision.device
        stage.attend, stage.branches, stage.clips, stage.frames = None, branches, clips, latents.shape[2]

        def take(module: Any, args: Any, output: Tensor) -> None:
            raise _Reached(output)

        hook = self.denoiser.up_blocks[block].register_forward_hook(take)
        try:
            with self.precision.scope():
                self._forward(latents.to(device), timestep.to(device), spread.to(device))
        except _Reached as reached:
            return reached.output.float().cpu()
        finally:
            hook.remove()
        raise AssertionError("the forward pass went by the block")

    def decode(self, latents: Tensor) -> NDArray[np.uint8]:
        return self._codec.decode(latents)

    def preview(self, latents: Tensor) -> NDArray[np.uint8]:
        return self._codec.preview(latents)


class _Reached(Exception):
    """Ends a forward pass at the block whose output was asked for."""

    def __init__(self, output: Tensor) -> None:
        super().__init__()
        self.output = output
