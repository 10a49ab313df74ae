"""Wan (diffusers' WanTransformer3DModel): text to video, and a picture to video as Wan 2.2 TI2V does it.

Where ``model_index.json`` says ``"expand_timesteps": true``, one model does both. A picture's latents stand
clean in latent frame 0 and keep the time 0, while the tokens of the other frames have the step's; the loop
holds that frame (:meth:`~rehearse.models.model.VideoModel.known`), so that it is shown as it was given.

Its sites are full self-attention of the video (kind ``video``) beside cross-attention to the prompt. Latents
are normalised channel by channel. ``text_encoder/`` holds a UMT5EncoderModel; a prompt is padded with zeros.

The variants that read a picture along their channels or by an image encoder, and those of two transformers,
are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.models.attention import spread_text
from rehearse.models.codec import load_component
from rehearse.models.errors import ModelError
from rehearse.models.folder import ModelFolder
from rehearse.models.folder_model import FolderModel
from rehearse.models.joint_attention import JointStage
from rehearse.models.lora import add_loras
from rehearse.models.model import Defaults, Limits, VideoModel
from rehearse.models.parts import PictureConditioning
from rehearse.models.precision import Precision
from rehearse.models.said import with_said
from rehearse.models.t5_text import UMT5Text
from rehearse.models.text import vocabulary_of
from rehearse.models.wan_attention import install_wan
from rehearse.models.wan_codec import WanCodec, load_wan_codec
from rehearse.sites import Attend, Grid

_MAX_TOKENS = 512
"""What all published models were trained with."""


class Wan(FolderModel):
    """A Wan transformer with its text encoder and autoencoder."""

    family = "wan"
    acts_on = frozenset({"trajectory.box", "trajectory.point"})
    _codec: WanCodec

    def __init__(
        self, folder: ModelFolder, transformer: Any, text: UMT5Text, codec: WanCodec, precision: Precision
    ) -> None:
        super().__init__(folder, transformer, text, codec, precision)
        said = folder.inherited_settings()
        self.pictures = KnownFirstFrame(self) if folder.index.get("expand_timesteps") is True else None
        if self.pictures is not None:
            self.acts_on |= {"image"}
        self._refuse_misfit()
        self._patch: tuple[int, int, int] = tuple(transformer.config.patch_size)
        self._read_schedule(said)
        self._stage = JointStage()
        self.sites = install_wan(transformer.blocks, self._stage)
        most = said.get("max_frames")
        self.limits = Limits(
            max_frames=most if isinstance(most, int) else None,
            size_multiple=codec.factor * max(self._patch[1:]),
            max_tokens=text.max_tokens,
            vocabulary=vocabulary_of(folder),
            frame_step=codec.frame_step,
        )
        self.defaults = with_said(self._own_defaults(), said, self.identity)

    @classmethod
    def load(cls, folder: ModelFolder, precision: Precision) -> Self:
        """Load the components by class; no pipeline is built. Raises ModelError."""
        from diffusers.models.transformers.transformer_wan import WanTransformer3DModel

        kind = folder.component_class("transformer")
        if kind != "WanTransformer3DModel":
            raise ModelError(
                f"model {folder.identity!r}: its transformer is a {kind}; only WanTransformer3DModel is read"
            )
        _refuse_variants(folder)
        folder.weights("transformer")
        transformer = load_component(WanTransformer3DModel, folder, "transformer")
        text = _load_text(folder, precision)
        add_loras(folder, transformer, text.encoder)
        precision.prepare(transformer)
        return cls(folder, transformer, text, load_wan_codec(folder, precision), precision)

    def _refuse_misfit(self) -> None:
        config, latents = self.denoiser.config, self._codec.channels
        if not int(config.in_channels) == int(config.out_channels) == latents:
            raise ModelError(
                f"model {self.identity!r}: its transformer takes {config.in_channels} channels and gives "
                f"{config.out_channels}, and its vae makes latents of {latents}; only models for which "
                "all three are the same are served"
            )

    def _own_defaults(self) -> Defaults:
        """Those of the published pipelines: of 2.2 TI2V, and of 2.1."""
        if self.pictures is not None:
            return Defaults(121, 1280, 704, fps=24, steps=50, guidance=5.0, scheduler="unipc")
        return Defaults(81, 832, 480, fps=16, steps=50, guidance=5.0, scheduler="unipc")

    def encode_clip(self, frames: NDArray[np.uint8]) -> Tensor:
        """A clip uint8 ``[frames, H, W, 3]`` to clean latents ``[channels, latent frames, h, w]``, float32 on
        the CPU."""
        return self._codec.encode_clip(frames)

    def latent_shape(self, frames: int, height: int, width: int) -> tuple[int, int, int, int]:
        codec = self._codec
        return (
            codec.channels,
            (frames - 1) // codec.frame_ratio + 1,
            height // codec.factor,
            width // codec.factor,
        )

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
        times = timestep.expand(latents.shape[0])
        known = self.known(condition)
        if known is not None:
            latents = torch.where(known[1], known[0], latents)
            times = self._times(known[1], timestep).expand(latents.shape[0], -1)
        stage, device = self._stage, self.precision.device
        stage.attend, stage.branches, stage.clips = attend, branches, clips
        stage.grid = Grid(*(int(n) // p for n, p in zip(latents.shape[2:], self._patch, strict=True)))
        try:
            with self.precision.scope():
                output: Tensor = self.denoiser(
                    hidden_states=latents.to(device),
                    timestep=times.to(device),
                    encoder_hidden_states=spread.to(device),
                    return_dict=False,
                )[0]
        finally:
            stage.attend = None  # a control must not outlive its step
        return output.float().cpu()

    def _times(self, where: Tensor, timestep: Tensor) -> Tensor:
        """The time of each token, ``[1, tokens]``: 0 where the clip is known."""
        frames, height, width = self._patch
        return (~where[:, 0, ::frames, ::height, ::width]).flatten(1) * timestep

    def known(self, condition: Tensor | None) -> tuple[Tensor, Tensor] | None:
        if condition is None:
            return None
        if self.pictures is None:
            raise ModelError(f"model {self.identity!r} starts from no picture; give it no condition")
        return condition[:1, :-1], condition[:1, -1:] > 0

    def decode(self, latents: Tensor) -> NDArray[np.uint8]:
        return self._codec.decode(latents)

    def preview(self, latents: Tensor) -> NDArray[np.uint8]:
        """As many frames as the clip has: each latent frame stands for all that it holds."""
        frames = self._codec.preview(latents)
        later = np.repeat(frames[:, 1:], self._codec.frame_ratio, axis=1)
        return np.concatenate([frames[:, :1], later], axis=1)


class KnownFirstFrame(PictureConditioning):
    """The picture's latents stand clean in latent frame 0, as what the clip is known to be there."""

    required = False

    def __init__(self, model: Wan) -> None:
        self._model = model

    def condition(self, pictures: NDArray[np.uint8], affinity: Sequence[float] | Tensor) -> Tensor:
        """The picture's latents in latent frame 0, zeros behind, and a channel that is 1 where they stand:
        ``[1, channels + 1, frames, h, w]``.

        pictures: the first is the clip's first frame. affinity: tells the number of frames alone.
        """
        height, width = pictures.shape[1:3]
        channels, frames, h, w = self._model.latent_shape(len(affinity), height, width)
        condition = torch.zeros(1, channels + 1, frames, h, w)
        condition[0, :channels, 0] = self._model._codec.encode_condition(pictures[:1])[0]
        condition[0, channels, 0] = 1.0
        return condition

    def picture_model(self) -> VideoModel:
        raise ModelError(
            f"model {self._model.identity!r} names no image model to make its picture with; give it one as "
            "it is"
        )


def _refuse_variants(folder: ModelFolder) -> None:
    """ModelError for what this module does not serve."""
    config = folder.config("transformer")
    second = folder.index.get("transformer_2")
    why = None
    if isinstance(second, list) and second[:1] != [None]:
        why = "has two transformers, one for each part of the steps"
    elif config.get("added_kv_proj_dim") is not None or config.get("image_dim") is not None:
        why = "reads its picture by an image encoder"
    if why is not None:
        raise ModelError(
            f"model {folder.identity!r} {why}, which is not served; use one of text to video, or of "
            "text and picture to video (2.2 TI2V)"
        )


def _load_text(folder: ModelFolder, precision: Precision) -> UMT5Text:
    kind = folder.component_class("text_encoder")
    if kind != "UMT5EncoderModel":
        raise ModelError(
            f"model {folder.identity!r}: its text encoder is a {kind}; only UMT5EncoderModel is read"
        )
    text = UMT5Text.load_t5(folder, _MAX_TOKENS, precision)
    # A tokenizer without a length in its settings reports a number of 30 digits.
    text.max_tokens = min(_MAX_TOKENS, int(text.tokenizer.model_max_length))
    return text
