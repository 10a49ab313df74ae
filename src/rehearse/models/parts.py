"""What a model can do beyond text to video, as parts of it: each is there, or None.

A family makes those that its weights allow when it is loaded; nobody asks for a class or a flag.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from rehearse.models.affinity import Lists

if TYPE_CHECKING:
    from rehearse.models.model import VideoModel


class PictureConditioning(ABC):
    """How a model animates a picture: :meth:`condition` is what its denoiser gets beside the latents."""

    required: bool = True
    """Whether every clip starts from a picture; false where the model makes clips of text alone too."""
    shows: Literal["any", "start"] = "start"
    """When it can show its picture: at any time of the clip, or as the first frame only."""
    affinity_lists: Lists | None = None
    """The affinities it was trained on, by magnitude; None for those that PIA publishes."""

    @abstractmethod
    def condition(self, pictures: NDArray[np.uint8], affinity: Sequence[float] | Tensor) -> Tensor:
        """What ``VideoModel.denoise`` gets as ``condition`` to animate pictures.

        pictures: uint8 ``[1 or frames, height, width, 3]``; one stands for all frames. affinity: for each
        frame how near it stays to its picture, in [0, 1] (see :mod:`rehearse.models.affinity`), or for each
        latent cell of it, ``[frames, h, w]``.
        """

    @abstractmethod
    def picture_model(self) -> VideoModel:
        """The image model that makes and edits the pictures to animate; loaded when first asked for.

        Raises ModelError where the model names none.
        """


class TargetMasks(ABC):
    """How a model reads the masks of target instructions."""

    triggers: Mapping[str, str]
    """The word put before a target's phrase, by the target's role, in the order of the mask channels."""

    @abstractmethod
    def with_masks(self, condition: Tensor, masks: Mapping[str, Tensor]) -> Tensor:
        """A condition in which the masks stand.

        masks: by role ("target", "source"), ``[height, width]`` in [0, 1], of the first frame in pixels.
        Raises ModelError for a role that the model does not take, ShotError (field ``mask``) for an empty or
        full mask.
        """


class Inpainting(ABC):
    """How a model draws in a region of a picture."""

    @abstractmethod
    def condition(self, picture: NDArray[np.uint8], inside: Tensor) -> Tensor:
        """What ``VideoModel.denoise`` gets as ``condition`` to draw in a region of a picture.

        picture: uint8 ``[height, width, 3]``. inside: ``[h, w]`` of the latents, above 0 what is to be drawn.
        """
