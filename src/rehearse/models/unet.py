"""What UNet families share: a folder in diffusers' layout, loaded by component class."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.models.attention import Stage, install, spread_text, with_condition
from rehearse.models.codec import Codec, load_component
from rehearse.models.errors import ModelError
from rehearse.models.folder import ModelFolder
from rehearse.models.folder_model import FolderModel
from rehearse.models.lora import add_loras
from rehearse.models.model import Defaults, Limits
from rehearse.models.precision import Precision
from rehearse.models.said import with_said
from rehearse.models.text import ClipText, vocabulary_of
from rehearse.sites import Attend


class UNetModel(FolderModel):
    """A UNet denoiser with a CLIP text encoder and an image autoencoder.

    Optional files beside ``model_index.json``: ``rehearse.json`` with ``defaults`` (fields of
    :class:`Defaults`), ``max_frames`` and ``scheduler`` (settings laid over ``scheduler_config.json``), for
    more see :mod:`rehearse.models.composition`; ``vocabulary.json``; ``latent_rgb.json``.
    """

    def __init__(
        self, folder: ModelFolder, denoiser: Any, text: ClipText, codec: Codec, precision: Precision
    ) -> None:
        super().__init__(folder, denoiser, text, codec, precision)
        said = folder.settings()
        self._read_schedule(said)
        self._stage = Stage()
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
        latents = with_condition(latents, condition, branches, clips)
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
