"""CogVideoX (diffusers' CogVideoXTransformer3DModel): image to video, and text to video.

A transformer that takes twice its latent channels starts from a picture, whose latents stand in latent frame
0, zeros behind. With target conditioning (:mod:`rehearse.models.target_conditioning`) it takes masks too.

Both patch embeddings are served: 1.0 (a convolution over each latent frame) and 1.5 (a linear layer over two
latent frames; the latents are padded to pairs, and the padding is cut off before decoding). Positions are
rotary for any size, or learned: then the model takes the one size it was trained on.

``vae/`` holds an AutoencoderKLCogVideoX (clips of ``4 n + 1`` frames) or an AutoencoderTiny or AutoencoderKL,
frame by frame (any number of frames); ``text_encoder/`` a T5EncoderModel or a CLIPTextModel. Beside
``model_index.json``, ``rehearse.json`` may set, beyond what :mod:`rehearse.models.composition` lists:

``dynamic_guidance``
    ``"published"`` (the default with the family's own VAE): the cosine schedule as the released code
    computes it, from the model's time of 0 to 999; ``"cosine"``: the same curve over the run, from 1 to the
    full scale; false: one scale for all steps.
``picture_model``
    the image model that draws and edits the picture where a shot does not give one as it is.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.models.attention import spread_text, with_condition
from rehearse.models.codec import Codec, load_component
from rehearse.models.cogvideox_positions import rotary_positions
from rehearse.models.errors import ModelError
from rehearse.models.folder import ModelFolder
from rehearse.models.folder_model import FolderModel
from rehearse.models.joint_attention import JointStage, install_joint
from rehearse.models.lora import add_loras
from rehearse.models.model import Defaults, Limits, VideoModel
from rehearse.models.parts import PictureConditioning, TargetMasks
from rehearse.models.precision import Precision
from rehearse.models.said import with_said
from rehearse.models.t5_text import T5Text
from rehearse.models.target_adapter import (
    TargetAdapter,
    apply_target_adapter,
    check_base,
    load_target_adapter,
)
from rehearse.models.target_conditioning import TRIGGERS, mask_channels, mask_count
from rehearse.models.text import ClipText, vocabulary_of
from rehearse.models.video_codec import VideoCodec, load_video_codec
from rehearse.sites import Attend, Grid

_TEXT = frozenset({"trajectory.box", "trajectory.point"})
_PICTURE = _TEXT | {"image", "content"}
_OFS = 2.0
"""The one value of 1.5's extra embedding that the published pipelines use."""
_SCHEDULES = ("published", "cosine", False)


class CogVideoX(FolderModel):
    """A CogVideoX transformer with its text encoder and autoencoder."""

    family = "cogvideox"
    acts_on = _PICTURE
    targets: MaskChannels | None

    def __init__(
        self, folder: ModelFolder, transformer: Any, text: ClipText, codec: Codec, precision: Precision
    ) -> None:
        super().__init__(folder, transformer, text, codec, precision)
        # A target adapter's folder stands on a model of this very family: its settings hold here too.
        self._said = said = folder.inherited_settings()
        config = transformer.config
        self._patch, self._patch_t = int(config.patch_size), int(config.patch_size_t or 1)
        self.masks = mask_count(transformer)
        """Mask channels it takes: 0, 1 (target) or 2 (target, source)."""
        self.targets = MaskChannels(self.identity, self.masks) if self.masks else None
        self._refuse_misfit()
        self.pictures = FirstFrame(self) if int(config.in_channels) > codec.channels else None
        marked = frozenset(
            {"target", "target.source"} if self.masks > 1 else {"target"} if self.masks else ()
        )
        self.acts_on = (_TEXT if self.pictures is None else _PICTURE) | marked
        self._read_schedule(said)
        self._schedule = said.get("dynamic_guidance", "published" if isinstance(codec, VideoCodec) else False)
        if self._schedule not in _SCHEDULES:
            raise ModelError(
                f"model {self.identity!r}: rehearse.json: dynamic_guidance cannot be {self._schedule!r}; "
                'write "published", "cosine" or false'
            )
        self._stage = JointStage()
        self.sites = install_joint(transformer.transformer_blocks, "transformer_blocks", self._stage)
        self._rotary: dict[tuple[int, int, int], tuple[Tensor, Tensor] | None] = {}
        self.limits = self._own_limits(said)
        self.defaults = with_said(self._own_defaults(), said, self.identity)

    @classmethod
    def load(cls, folder: ModelFolder, precision: Precision) -> Self:
        """Load the components by class; no pipeline is built. Raises ModelError."""
        from diffusers.models.transformers.cogvideox_transformer_3d import CogVideoXTransformer3DModel

        kind = folder.component_class("transformer")
        if kind != "CogVideoXTransformer3DModel":
            raise ModelError(
                f"model {folder.identity!r}: its transformer is a {kind}; "
                "only CogVideoXTransformer3DModel is read"
            )
        folder.weights("transformer")
        transformer = load_component(CogVideoXTransformer3DModel, folder, "transformer")
        text = _load_text(folder, int(transformer.config.max_text_seq_length), precision)
        adapter = _adapt(folder, transformer, text.encoder)
        precision.prepare(transformer)
        model = cls(folder, transformer, text, load_video_codec(folder, precision), precision)
        if adapter is not None and model.targets is not None:
            model.targets.triggers["target"] = adapter.trigger
        return model

    def _refuse_misfit(self) -> None:
        config, latents = self.denoiser.config, self._codec.channels
        taken, tokens = int(config.in_channels), int(config.max_text_seq_length)
        most = 2 * latents + len(TRIGGERS)
        if int(config.out_channels) != latents or not (taken == latents or 2 * latents <= taken <= most):
            raise ModelError(
                f"model {self.identity!r}: its transformer takes {taken} channels and gives "
                f"{config.out_channels}, but with a vae of {latents} it would take {latents}, or "
                f"{2 * latents} and up to {len(TRIGGERS)} masks to start from a picture; they belong to "
                "different models"
            )
        if self._adds_positions and self._text.max_tokens != tokens:
            raise ModelError(
                f"model {self.identity!r}: its transformer knows positions of {tokens} text tokens and its "
                f"text encoder gives {self._text.max_tokens}; they belong to different models"
            )

    @property
    def _adds_positions(self) -> bool:
        embed = self.denoiser.patch_embed
        return bool(embed.use_positional_embeddings or embed.use_learned_positional_embeddings)

    def _trained_size(self) -> tuple[int, int, int]:
        """Frames, width and height, in pixels, that the transformer was configured for."""
        config, unit = self.denoiser.config, self._codec.factor
        step = self._codec.frame_ratio * self._patch_t
        frames = 1 + (int(config.sample_frames) - 1) // step * step
        return frames, int(config.sample_width) * unit, int(config.sample_height) * unit

    def _own_limits(self, said: dict[str, Any]) -> Limits:
        learned = bool(self.denoiser.config.use_learned_positional_embeddings)
        most = said.get("max_frames")
        return Limits(
            max_frames=most if isinstance(most, int) else None,
            size_multiple=self._codec.factor * self._patch,
            max_tokens=self._text.max_tokens,
            vocabulary=vocabulary_of(self._folder),
            frame_step=self._codec.frame_ratio * self._patch_t,
            fixed=self._trained_size() if learned else None,
        )

    def _own_defaults(self) -> Defaults:
        frames, width, height = self._trained_size()
        multistep = "DPM" in str(self._scheduler_config.get("_class_name"))
        scheduler = "dpm++" if multistep else "ddim"
        return Defaults(frames, width, height, fps=8, steps=50, guidance=6.0, scheduler=scheduler)

    def encode_clip(self, frames: NDArray[np.uint8]) -> Tensor:
        """A clip uint8 ``[frames, H, W, 3]`` to clean latents ``[channels, latent frames, h, w]``, without
        padding, float32 on the CPU."""
        return self._codec.encode_clip(frames)

    def latent_shape(self, frames: int, height: int, width: int) -> tuple[int, int, int, int]:
        unit, ratio = self._codec.factor, self._codec.frame_ratio
        over_time = (frames - 1) // ratio + 1
        padded = -(-over_time // self._patch_t) * self._patch_t
        return self._codec.channels, padded, height // unit, width // unit

    def starting_noise(self, shape: Sequence[int], generator: torch.Generator) -> Tensor:
        """Frame by frame; where stock samples a picture's latents first (here they are their distribution's
        mode), what that draws is drawn and dropped."""
        clips, channels, frames, height, width = shape
        if self.pictures is not None and isinstance(self._codec, VideoCodec):
            torch.randn(clips, channels, 1, height, width, generator=generator)
        drawn = torch.randn(clips, frames, channels, height, width, generator=generator)
        return drawn.transpose(1, 2).contiguous()

    @torch.no_grad()
    def denoise(
        self,
        latents: Tensor,
        timestep: Tensor,
        text: Tensor,
        attend: Attend | None = None,
        condition: Tensor | None = None,
    ) -> Tensor:
        if self.pictures is not None and condition is None:
            raise ModelError(f"model {self.identity!r} starts from a picture; give it a condition")
        spread, branches, clips = spread_text(text, latents.shape[0])
        latents = with_condition(latents, condition, branches, clips)
        stage, device = self._stage, self.precision.device
        stage.attend, stage.branches, stage.clips = attend, branches, clips
        frames, height, width = (int(n) for n in latents.shape[2:])
        stage.grid = Grid(frames // self._patch_t, height // self._patch, width // self._patch)
        try:
            with self.precision.scope():
                output: Tensor = self.denoiser(
                    hidden_states=latents.transpose(1, 2).to(device),
                    encoder_hidden_states=spread.to(device),
                    timestep=timestep.to(device).expand(latents.shape[0]),
                    ofs=self._ofs(),
                    image_rotary_emb=self._positions(frames, height, width),
                    return_dict=False,
                )[0]
        finally:
            stage.attend = None  # a control must not outlive its step
        return output.float().cpu().transpose(1, 2).contiguous()

    def _ofs(self) -> Tensor | None:
        if self.denoiser.config.ofs_embed_dim is None:
            return None
        return torch.full((1,), _OFS, device=self.precision.device)

    def _positions(self, frames: int, height: int, width: int) -> tuple[Tensor, Tensor] | None:
        size = (frames, height, width)
        if size not in self._rotary:
            self._rotary = {size: rotary_positions(self.denoiser, *size, device=self.precision.device)}
        return self._rotary[size]

    def guidance_at(self, guidance: float, step: int, steps: int, timestep: float) -> float:
        """``1 + guidance (1 - cos(pi x^5)) / 2``: "cosine" with x = (step + 1) / steps, "published" with
        x = (steps - timestep) / steps, which leaves [0, 1] and so visits scales in no plain order."""
        if self._schedule is False:
            return guidance
        x = (step + 1) / steps if self._schedule == "cosine" else (steps - timestep) / steps
        return 1 + guidance * (1 - math.cos(math.pi * x**5)) / 2

    def decode(self, latents: Tensor) -> NDArray[np.uint8]:
        return self._codec.decode(self._unpadded(latents))

    def preview(self, latents: Tensor) -> NDArray[np.uint8]:
        """As many frames as the clip has: each latent frame stands for all that it holds."""
        frames, ratio = self._codec.preview(self._unpadded(latents)), self._codec.frame_ratio
        if ratio == 1:
            return frames
        return np.concatenate([frames[:, :1], np.repeat(frames[:, 1:], ratio, axis=1)], axis=1)

    def _unpadded(self, latents: Tensor) -> Tensor:
        # Clips have 1 + n pairs of latent frames (Limits.frame_step): the padding is what a pair lacks.
        return latents[:, :, self._patch_t - 1 :]


class FirstFrame(PictureConditioning):
    """The picture is the clip's first frame: its latents stand in latent frame 0."""

    def __init__(self, model: CogVideoX) -> None:
        self._model = model
        self._picture_model: VideoModel | None = None

    def condition(self, pictures: NDArray[np.uint8], affinity: Sequence[float] | Tensor) -> Tensor:
        """The picture's latents in latent frame 0, zeros behind, and empty masks:
        ``[1, channels + masks, frames, h, w]``, the same for both guidance branches.

        pictures: the first is the clip's first frame. affinity: tells the number of frames alone.
        """
        height, width = pictures.shape[1:3]
        channels, frames, h, w = self._model.latent_shape(len(affinity), height, width)
        condition = torch.zeros(1, channels + self._model.masks, frames, h, w)
        condition[0, :channels, 0] = self._model._codec.encode_condition(pictures[:1])[0]
        return condition

    def picture_model(self) -> VideoModel:
        """The image model that ``rehearse.json`` names as ``picture_model``."""
        name = self._model._said.get("picture_model")
        if not isinstance(name, str):
            raise ModelError(
                f"model {self._model.identity!r} names no image model to make its picture with; give the "
                'shot an image as it is, without edits, or write "picture_model" into rehearse.json'
            )
        if self._picture_model is None:
            from rehearse.models.registry import find_model, load_family

            near = self._model._folder.path.parent / name
            self._picture_model = load_family(
                find_model(str(near) if near.is_dir() else name), self._model.precision
            )
        return self._picture_model


class MaskChannels(TargetMasks):
    """Masks behind the picture's channels, one for each role (:mod:`rehearse.models.target_conditioning`)."""

    triggers: dict[str, str]

    def __init__(self, identity: str, masks: int) -> None:
        self._identity = identity
        self.triggers = dict(list(TRIGGERS.items())[:masks])

    def with_masks(self, condition: Tensor, masks: Mapping[str, Tensor]) -> Tensor:
        roles = tuple(self.triggers)
        unknown = sorted(set(masks) - set(roles))
        if unknown:
            raise ModelError(
                f"model {self._identity!r} takes no {unknown[0]} mask; it takes: {', '.join(roles)}"
            )
        marked = condition.clone()
        first = condition.shape[1] - len(roles)
        for index, role in enumerate(roles):
            if role in masks:
                marked[:, first + index] = mask_channels(masks[role][None], *condition.shape[2:])[0]
        return marked


def _load_text(folder: ModelFolder, tokens: int, precision: Precision) -> ClipText:
    if folder.component_class("text_encoder") == "T5EncoderModel":
        return T5Text.load_t5(folder, tokens, precision)
    return ClipText.load(folder)


def _adapt(folder: ModelFolder, transformer: Any, text_encoder: Any) -> TargetAdapter | None:
    """LoRAs and the target adapter, merged; the adapter. Raises ModelError, naming the model and the file."""
    add_loras(folder, transformer, text_encoder)
    said = folder.target_adapter
    if said is None:
        return None
    try:
        adapter = load_target_adapter(said.file)
        # Where the transformer lies decides what it was trained on: a folder may borrow other parts.
        own = folder.base is None or folder.place("transformer").is_relative_to(folder.path)
        base = dataclasses.replace(folder, target_adapter=None, loras=()) if own else folder.base
        assert base is not None
        check_base(adapter, base.fingerprint())
        apply_target_adapter(transformer, adapter, scale=said.scale)
    except ModelError as error:
        reason = str(error)
        raise ModelError(
            reason if reason.startswith("model ") else f"model {folder.identity!r}: {reason}"
        ) from error
    return adapter
