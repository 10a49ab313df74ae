"""What the rest of the house knows of a model: one interface for every family."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Generator, Tensor, float32, randn

from rehearse.cards import Defaults as Defaults
from rehearse.cards import Limits as Limits
from rehearse.models.parts import Inpainting, PictureConditioning, TargetMasks
from rehearse.prediction import PredictionType
from rehearse.sites import Attend, Site


@dataclass(frozen=True, slots=True)
class Tokens:
    """An encoded prompt, as the model's cross-attention sees it: ``max_tokens`` entries.

    ids: token ids, padded. spans: for each token its characters in the prompt as ``(start, end)``; None for
    start, end and padding marks. cut: where the token limit cut the prompt off (the first character lost),
    None if all of it fits.
    """

    ids: tuple[int, ...]
    spans: tuple[tuple[int, int] | None, ...]
    cut: int | None = None

    def within(self, start: int, end: int) -> tuple[int, ...]:
        """Indices of the tokens that share a character with ``[start, end)`` of the prompt."""
        return tuple(
            index
            for index, span in enumerate(self.spans)
            if span is not None and span[0] < end and span[1] > start
        )


class VideoModel(ABC):
    """A diffusion model behind the one interface. An image model is a video model of one frame.

    Latents are ``[clips, channels, frames, h, w]``, float32 on the CPU, at the scale the denoiser was trained
    on; a model moves them to its own device and back, so that one seed means one noise everywhere.
    """

    identity: str
    """What ``--model`` was given."""
    family: str
    """Name of the family: ``unet3d``, ``image``, ..."""
    defaults: Defaults
    limits: Limits
    acts_on: frozenset[str]
    """Abilities: what :func:`rehearse.planning.ability` calls the instructions this model can follow."""
    prediction_type: PredictionType
    sites: tuple[Site, ...]
    """Every attention call of the denoiser, in the order of its modules."""

    pictures: PictureConditioning | None = None
    """How it animates a picture; None where it starts from none."""
    targets: TargetMasks | None = None
    """How it reads masks of target instructions; None where it takes none."""
    inpainting: Inpainting | None = None
    """How it draws in a region of a picture; None where it does not."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Sha256 (hex) over the model's files: a checkpoint names it."""

    @abstractmethod
    def make_scheduler(self, name: str) -> Any:
        """A new diffusers scheduler on this model's noise schedule, its steps not yet set.

        Raises ModelError for a name that is unknown or cannot sample this model's prediction type.
        """

    @abstractmethod
    def tokenize(self, prompt: str) -> Tokens:
        """Token ids of a prompt and the characters each stands for."""

    @abstractmethod
    def encode(self, prompt: str, negative_prompt: str = "") -> Tensor:
        """Text embeddings ``[2, tokens, width]`` float32; unconditional (the negative prompt) first."""

    @abstractmethod
    def latent_shape(self, frames: int, height: int, width: int) -> tuple[int, int, int, int]:
        """Channels, frames, height and width of the latents of a clip of the given size (pixels)."""

    def starting_noise(self, shape: Sequence[int], generator: Generator) -> Tensor:
        """Standard normal ``[1, channels, frames, h, w]``, float32, drawn from the generator as the family's
        stock pipeline draws it: there and here, one seed is one noise."""
        return randn(tuple(shape), generator=generator, dtype=float32)

    @abstractmethod
    def denoise(
        self,
        latents: Tensor,
        timestep: Tensor,
        text: Tensor,
        attend: Attend | None = None,
        condition: Tensor | None = None,
    ) -> Tensor:
        """The denoiser's output for ``[branches*clips, channels, frames, h, w]``, same shape, float32.

        latents: already scaled for the model (``scheduler.scale_model_input``), guidance branches first:
            all unconditional clips, then all conditional ones. timestep: 0-d tensor.
        text: ``[branches, tokens, width]``, one prompt for all clips, or one each,
            ``[branches, clips, tokens, width]``; branches is 2 under guidance, else 1.
        attend: asked at every site it wants.
        condition: what the denoiser gets beside the latents along their channels, float32
            ``[branches or 1, extra channels, frames, h, w]``, the same for all clips of a branch; None for
            models that take latents alone, and where a picture may be left out. See
            :mod:`rehearse.models.parts`.
        """

    @abstractmethod
    def encode_pictures(self, pictures: NDArray[np.uint8]) -> Tensor:
        """Clean latents ``[n, channels, h, w]``, float32 on the CPU, of pictures uint8 ``[n, H, W, 3]``.

        Deterministic.
        """

    def beside(self, name: str) -> Path | None:
        """The folder of this name in the model's own folder, for what is trained for this model alone; None
        where there is none."""
        return None

    def inpainting_model(self) -> VideoModel | None:
        """The image model that draws in regions of this one's pictures, itself where it inpaints, loaded when
        first asked for; None where there is none. Raises ModelError where the one that is named will not do.
        """
        return None

    def guidance_at(self, guidance: float, step: int, steps: int, timestep: float) -> float:
        """The guidance scale of a step, where the model's schedule moves it; the asked one everywhere else.

        step: from 0 to steps - 1. timestep: the model's own time of the step.
        """
        return guidance

    def known(self, condition: Tensor | None) -> tuple[Tensor, Tensor] | None:
        """Clean latents that a clip is known to have, and where: ``[1, channels, frames, h, w]`` and a bool
        ``[1, 1, frames, h, w]``; None where nothing is known.

        condition: what :meth:`denoise` gets, see there.
        """
        return None

    def guided_places(self, condition: Tensor | None) -> Tensor | None:
        """How much of the guidance beyond 1 each latent cell gets, in [0, 1], ``[frames, h, w]``; None for
        all of it.

        condition: what :meth:`denoise` gets, see there.
        """
        return None

    @abstractmethod
    def decode(self, latents: Tensor) -> NDArray[np.uint8]:
        """Clean latents to frames, uint8 ``[clips, frames, height, width, 3]``."""

    @abstractmethod
    def preview(self, latents: Tensor) -> NDArray[np.uint8]:
        """A quick linear look at clean latents, uint8 ``[clips, frames, h, w, 3]`` at latent size."""
