"""Frame alignment (InteractiveVideo, equation 5): each frame is drawn to what the picture allows.

The paper computes ``v'_i = Conv2D(SiLU(GroupNorm(v_i - x~)))`` once, on the finished frames, with a layer
borrowed from another model. What is applied here, as the paper leaves open how a layer that has lost the
picture gives it back:

    x0'_i = x0_i + (sigma / sqrt(alpha^2 + sigma^2)) * Conv2D(SiLU(GroupNorm(x0_i - x~)))

- on the clean latents that a step predicts, not on pixels: there the layer is small, works for every
  scheduler and parameterisation, and what it puts right is still denoised into a coherent clip;
- as a residual: the convolution begins at zero, so that an untrained layer changes nothing;
- scaled with the noise level: a prediction that has no noise left to explain needs no correction.

``x~`` are the intermediate picture's latents. The layer is trained for one model
(``rehearse.training.frame_alignment``) and lies in its folder as ``frame_alignment/``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from rehearse.controls.control import Control, Moment
from rehearse.json_text import read_json_file
from rehearse.prediction import Prediction
from rehearse.shot.errors import ShotError
from rehearse.shot.methods import FrameAligning

if TYPE_CHECKING:
    from rehearse.controls.material import Material

FOLDER = "frame_alignment"
_CONFIG, _WEIGHTS = "config.json", "model.safetensors"


class FrameAlignmentError(ValueError):
    """A layer cannot be read or does not fit. ``str(error)`` is one sentence."""


def build(material: Material) -> Iterator[FrameAlignment]:
    """Equation 5 with the layer that was trained for the model. Raises ShotError: it cannot be read."""
    resolved = material.resolved
    if not resolved.method(FrameAligning).frame_alignment or material.picture is None:
        return
    place = material.beside(FOLDER)
    try:
        layer = None if place is None else load_frame_alignment(place.parent)
    except FrameAlignmentError as error:
        raise ShotError(str(error), field="control.frame_alignment") from error
    if layer is None:
        raise ShotError(
            f"model {resolved.card.identity!r} has a frame alignment folder without weights; train the layer "
            "again",
            field="control.frame_alignment",
        )
    yield FrameAlignment(layer, material.picture())


class FrameAlignmentLayer(nn.Module):
    """``Conv2D(SiLU(GroupNorm(.)))``, frame by frame.

    channels: of the latents. groups: of the normalization; a divisor of ``channels``.
    """

    def __init__(self, channels: int, groups: int = 1, kernel: int = 3) -> None:
        super().__init__()
        if groups < 1 or channels % groups or kernel % 2 == 0:
            raise FrameAlignmentError(
                f"a frame alignment layer of {channels} channels cannot have {groups} groups and a kernel of "
                f"{kernel}; groups must divide the channels and the kernel be odd"
            )
        self.settings = {"channels": channels, "groups": groups, "kernel": kernel}
        self.norm = nn.GroupNorm(groups, channels)
        self.activation = nn.SiLU()
        self.conv = nn.Conv2d(channels, channels, kernel, padding=kernel // 2)
        nn.init.zeros_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)  # type: ignore[arg-type]

    def forward(self, frames: Tensor, picture: Tensor, noise_level: Tensor | float) -> Tensor:
        """The correction of clean latents ``[batch, channels, frames, h, w]``, the same shape.

        picture: x~, ``[batch or 1, channels, frames or 1, h, w]``. noise_level: sigma of a
        variance-preserving schedule, in [0, 1]; a number or ``[batch]``. In float32, autocast or not.
        """
        with torch.autocast(frames.device.type, enabled=False):
            # Contiguous: torch's group normalization crashes in its backward pass on some strided maps.
            apart = (frames.float() - picture.float()).transpose(1, 2).flatten(0, 1).contiguous()
            change: Tensor = self.conv(self.activation(self.norm(apart)))
        change = change.unflatten(0, (frames.shape[0], frames.shape[2])).transpose(1, 2)
        if isinstance(noise_level, Tensor):
            noise_level = noise_level.view(-1, 1, 1, 1, 1)
        return noise_level * change


@dataclass(frozen=True, eq=False)
class FrameAlignment(Control):
    """Equation 5 in every step, on the prediction after guidance.

    layer: trained for the model. picture: latents of the intermediate picture,
    ``[1, channels, 1 or frames, h, w]``. strength: factor on the correction, 0 or more; 1 as trained.
    """

    layer: FrameAlignmentLayer
    picture: Tensor
    strength: float = 1.0

    name = "frame alignment"

    def __post_init__(self) -> None:
        channels = self.layer.settings["channels"]
        if self.picture.shape[1] != channels:
            raise FrameAlignmentError(
                f"the frame alignment layer was made for latents of {channels} channels, and the picture's "
                f"have {self.picture.shape[1]}; use the layer of this model"
            )
        if self.strength < 0:
            raise ValueError(
                f"frame alignment strength: {self.strength} is below 0; 1 is as trained, 0 is off"
            )

    @torch.no_grad()
    def predict(self, prediction: Prediction, moment: Moment) -> Prediction:
        noise_level = prediction.sigma / (prediction.alpha**2 + prediction.sigma**2) ** 0.5
        x0 = prediction.x0
        change = self.strength * self.layer(x0, self.picture, noise_level)
        # Nothing to change: the very same prediction, so that off and untrained are off to the last bit.
        return prediction.with_x0((x0 + change).to(x0.dtype)) if bool(change.any()) else prediction


def save_frame_alignment(layer: FrameAlignmentLayer, folder: str | os.PathLike[str]) -> Path:
    """Write the layer into a model's folder (as its ``frame_alignment/``); the folder it lies in."""
    from safetensors.torch import save_file

    place = Path(folder) / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    part = place / f".{_WEIGHTS}.part"
    save_file(
        {name: value.detach().cpu().contiguous() for name, value in layer.state_dict().items()}, str(part)
    )
    (place / _CONFIG).write_text(json.dumps(layer.settings, indent=1) + "\n")
    part.replace(place / _WEIGHTS)
    return place


def load_frame_alignment(folder: str | os.PathLike[str]) -> FrameAlignmentLayer | None:
    """The layer of a model's folder, float32, in evaluation mode; None where it has none.

    Raises FrameAlignmentError where it is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    place = Path(folder) / FOLDER
    if not (place / _WEIGHTS).exists():
        return None
    try:
        layer = FrameAlignmentLayer(**read_json_file(place / _CONFIG))
        layer.load_state_dict({name: value.float() for name, value in load_file(place / _WEIGHTS).items()})
    except (OSError, ValueError, TypeError, RuntimeError, SafetensorError) as error:
        raise FrameAlignmentError(
            f"the frame alignment layer in {place} is damaged; train it again"
        ) from error
    return layer.eval().requires_grad_(False)
