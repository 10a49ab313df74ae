"""The model that is trained on: what it is, its encoders, its denoiser. Weights are read when asked for.

A base is any folder or hub id of the CogVideoX image-to-video family (with its causal video autoencoder, or
the theatre's frame by frame), or for motion adapters any Stable Diffusion checkpoint.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.models.codec import Codec, load_component
from rehearse.models.errors import ModelError
from rehearse.models.folder import ModelFolder
from rehearse.models.model import Tokens
from rehearse.models.precision import Precision
from rehearse.models.registry import find_model
from rehearse.models.said import schedule_said
from rehearse.models.t5_text import T5Text, refuse_unreadable_table
from rehearse.models.text import ClipText, vocabulary_of
from rehearse.models.video_codec import load_video_codec
from rehearse.schedulers import SchedulerError, make_scheduler
from rehearse.training.own.clips import Shape
from rehearse.training.own.errors import TrainingError
from rehearse.training.own.rows import Kind

_BLOCK = 1 << 20
_GUIDANCE = 6.0
_NEEDED = {
    "unet": ("in_channels", "out_channels", "block_out_channels", "layers_per_block"),
    "transformer": (
        *("in_channels", "out_channels", "num_layers", "patch_size", "max_text_seq_length"),
        *("sample_frames", "sample_width", "sample_height"),
    ),
}


@dataclass
class Base:
    """A model folder opened for training. kind: which trainer asks."""

    folder: ModelFolder
    kind: Kind
    precision: Precision
    _text: ClipText | None = field(default=None, repr=False)
    _codec: Codec | None = field(default=None, repr=False)

    @classmethod
    def open(cls, name: str, kind: Kind, precision: Precision) -> Base:
        """Find a base and see that it is one for this trainer. Raises ModelError or TrainingError."""
        folder = find_model(name)
        part, wanted, what = (
            ("unet", "UNet2DConditionModel", "a Stable Diffusion checkpoint")
            if kind == "motion"
            else ("transformer", "CogVideoXTransformer3DModel", "a CogVideoX image-to-video model")
        )
        found = folder.index.get(part)
        if not isinstance(found, list) or found[-1] != wanted:
            said = folder.index.get("_class_name", "a model of another kind")
            raise TrainingError(
                f"--base is {name!r}: it is no {what[2:]} ({said}); rehearse train {kind} needs {what}"
            )
        base = cls(folder, kind, precision)
        why = base._unfit()
        if why:
            raise TrainingError(f"--base is {name!r}: {why}")
        # What is missing is told now, and not when the clips have been encoded.
        for component in (part, "vae", "text_encoder"):
            folder.weights(component)
        try:
            _ = base.scheduler
        except SchedulerError as error:
            raise TrainingError(f"--base is {name!r}: {error}; give a base that DDIM can sample") from error
        return base

    def _unfit(self) -> str:
        """Why this trainer cannot train on it; empty where it can."""
        taken, given = int(self.config["in_channels"]), int(self.config["out_channels"])
        if self.kind == "motion":
            if self.folder.input_layer is not None:
                return "it inpaints, and a motion adapter cannot go on it; give the checkpoint it stands on"
            if self.folder.adapter is not None:
                return "it has a motion adapter already; give the Stable Diffusion checkpoint it stands on"
            if taken != given:
                return f"its unet takes {taken} channels, not {given} (an inpainting one?); give a plain one"
            if self.config.get("addition_embed_type") is not None:
                return "it is of Stable Diffusion XL's kind; give a 1.x or 2.x one"
            return ""
        if self.folder.target_adapter is not None:
            return "it has a target adapter already; give the base it stands on"
        if taken == 2 * given:
            return ""
        if taken > 2 * given:
            return "it has mask channels already; give the base it was made from"
        return "it makes clips from text alone; give an image-to-video one"

    @cached_property
    def config(self) -> dict[str, Any]:
        """Of the denoiser. Raises ModelError where it lacks what is read of it here."""
        part = "unet" if self.kind == "motion" else "transformer"
        return _with(self.folder.config(part), _NEEDED[part], f"{part}/config.json", self.folder.identity)

    @property
    def fingerprint(self) -> str:
        return self.folder.fingerprint()

    @property
    def blocks(self) -> int:
        return int(self.config["num_layers"])

    @property
    def fixed_length(self) -> bool:
        """Whether it takes clips of one length and size alone, having learned where things are in them."""
        return self.kind != "motion" and bool(self.config.get("use_learned_positional_embeddings"))

    @property
    def codec_factor(self) -> int:
        """Pixels per latent cell along width and height."""
        vae, named = self.folder.config("vae"), "block_out_channels"
        if f"decoder_{named}" in vae:
            named = f"decoder_{named}"
        levels = _with(vae, (named,), "vae/config.json", self.folder.identity)[named]
        return int(2 ** (len(levels) - 1))

    @property
    def vocabulary(self) -> frozenset[str] | None:
        return vocabulary_of(self.folder)

    def shape(self, frames: int | None, size: tuple[int, int] | None, every: int) -> Shape:
        """Length and size to train at; what is None is the base's own (for motion, whose base makes single
        pictures: 16 frames). Raises TrainingError where it cannot make a clip of that size. Reads no weights
        of the denoiser."""
        said, most = self._said.get("defaults", {}), None
        vae = self.folder.config("vae")
        unit = self.codec_factor
        if self.kind == "motion":
            # What it says of frames is said of pictures.
            said = {name: value for name, value in said.items() if name != "frames"}
            side = int(self.config.get("sample_size") or 64) * unit
            own, multiple, step = (
                (16, side, side),
                unit * 2 ** (len(self.config["block_out_channels"]) - 1),
                1,
            )
        else:
            causal = self.folder.component_class("vae") == "AutoencoderKLCogVideoX"
            ratio = int(vae.get("temporal_compression_ratio", 4)) if causal else 1
            step = ratio * int(self.config.get("patch_size_t") or 1)
            count = 1 + (int(self.config["sample_frames"]) - 1) // step * step
            own = (count, int(self.config["sample_width"]) * unit, int(self.config["sample_height"]) * unit)
            multiple = unit * int(self.config["patch_size"])
            most = self._said.get("max_frames")
        found = Shape(
            frames or int(said.get("frames", own[0])),
            *(size or (int(said.get("width", own[1])), int(said.get("height", own[2])))),
            every,
        )
        if found.width < multiple or found.height < multiple:
            raise TrainingError(
                f"--size is {found.width}x{found.height}: this base needs at least {multiple}x{multiple}"
            )
        if self.kind == "motion" and found.frames < 2:
            raise TrainingError(f"--frames is {found.frames}: motion takes at least 2; 16 is usual")
        if self.kind != "motion" and (found.frames - 1) % step:
            near = 1 + round((found.frames - 1) / step) * step
            raise TrainingError(
                f"--frames is {found.frames}: this base makes 1 + n x {step} frames; give {max(near, 1)}"
            )
        if isinstance(most, int) and found.frames > most:
            raise TrainingError(f"--frames is {found.frames}: this base makes at most {most}; give {most}")
        if found.width % multiple or found.height % multiple:
            sides = [max(1, round(side / multiple)) * multiple for side in (found.width, found.height)]
            raise TrainingError(
                f"--size is {found.width}x{found.height}: this base needs multiples of {multiple}; give "
                f"{sides[0]}x{sides[1]}"
            )
        if self.fixed_length:
            why = "this base has learned its positions; give"
            if (found.width, found.height) != own[1:]:
                raise TrainingError(f"--size is {found.width}x{found.height}: {why} {own[1]}x{own[2]}")
            if found.frames != own[0]:
                raise TrainingError(f"--frames is {found.frames}: {why} {own[0]}, or leave it out")
        return found

    @property
    def text(self) -> ClipText:
        """Tokenizer and text encoder."""
        if self._text is None:
            if self.folder.component_class("text_encoder") == "T5EncoderModel":
                self._text = T5Text.load_t5(
                    self.folder, int(self.config["max_text_seq_length"]), self.precision
                )
            else:
                self._text = ClipText.load(self.folder)
        return self._text

    @property
    def codec(self) -> Codec:
        if self._codec is None:
            self._codec = load_video_codec(self.folder, self.precision)
        return self._codec

    @cached_property
    def words(self) -> ClipText:
        """The tokenizer without the weights of a large encoder: it tokenizes and does not encode."""
        if self._text is not None or self.folder.component_class("text_encoder") != "T5EncoderModel":
            return self.text
        refuse_unreadable_table(self.folder)
        from transformers import T5Tokenizer

        self.folder.check_json("tokenizer")
        place = self.folder.place("tokenizer")
        try:
            tokenizer = T5Tokenizer.from_pretrained(place, local_files_only=True)
        except (OSError, ValueError, ImportError) as error:
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise ModelError(
                f"model {self.folder.identity!r}: its tokenizer cannot be read: {lines[0]}"
            ) from error
        nothing = SimpleNamespace(config=SimpleNamespace())
        return T5Text(tokenizer, nothing, int(self.config["max_text_seq_length"]), torch.device("cpu"))

    def tokenize(self, prompt: str) -> Tokens:
        return self.words.tokenize(prompt)

    def encode_clip(self, frames: NDArray[np.uint8]) -> dict[str, Tensor]:
        """``latents`` ``[F, C, h, w]`` and, beside them, ``picture`` ``[C, h, w]`` of the first frame alone
        as the denoiser takes it; float32."""
        latents = self.codec.encode_clip(frames).transpose(0, 1).contiguous()
        return {"latents": latents, "picture": self.codec.encode_condition(frames[:1])[0].contiguous()}

    def decode(self, latents: Tensor) -> NDArray[np.uint8]:
        """``[clips, F, C, h, w]`` to uint8 ``[clips, frames, H, W, 3]``."""
        padding = int(self.config.get("patch_size_t") or 1) - 1
        return self.codec.decode(latents[:, padding:].transpose(1, 2))

    def release(self) -> None:
        """Forget the encoders: the denoiser needs their memory."""
        self._text = self._codec = None

    def encoder_key(self, component: str) -> str:
        """Sha256 of a component's settings and weights and of the format it runs in: the cache's."""
        digest = hashlib.sha256(str(self.precision.dtype).encode())
        place = self.folder.place(component)
        for path in sorted([*place.glob("*.safetensors"), place / "config.json"]):
            digest.update(path.name.encode())
            digest.update(file_key(path).encode())
        return digest.hexdigest()

    @property
    def text_key(self) -> str:
        """Sha256 of all that decides a prompt's embedding: encoder, tokenizer, length."""
        digest = hashlib.sha256(self.encoder_key("text_encoder").encode())
        place = self.folder.place("tokenizer")
        for path in sorted(path for path in place.glob("*") if path.is_file()):
            digest.update(f"{path.name}\0{file_key(path)}".encode())
        digest.update(str(self.config.get("max_text_seq_length")).encode())
        return digest.hexdigest()

    @property
    def guidance(self) -> float:
        """The guidance scale that it is used with."""
        return float(self._said.get("defaults", {}).get("guidance", _GUIDANCE))

    def load_transformer(self) -> Any:
        """The stock CogVideoXTransformer3DModel, float32, frozen; with the folder's LoRAs. Raises
        ModelError."""
        from diffusers.models.transformers.cogvideox_transformer_3d import CogVideoXTransformer3DModel

        from rehearse.models.lora import add_loras

        if self.folder.target_adapter is not None:
            raise ModelError(
                f"model {self.folder.identity!r} has a target adapter already; train on its base"
            )
        self.folder.weights("transformer")
        transformer = load_component(CogVideoXTransformer3DModel, self.folder, "transformer")
        add_loras(self.folder, transformer)
        return transformer

    def load_unet(self) -> Any:
        """The stock UNet2DConditionModel, float32, frozen; without LoRAs, which belong to looks and not to
        motion. Raises ModelError."""
        from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

        self.folder.weights("unet")
        return load_component(UNet2DConditionModel, self.folder, "unet")

    @cached_property
    def scheduler(self) -> Any:
        """A DDIM scheduler of the noise schedule that the base is used with."""
        own = self.folder.config("scheduler", "scheduler_config.json")
        return make_scheduler("ddim", own | schedule_said(self.folder, self._said))

    @cached_property
    def _said(self) -> dict[str, Any]:
        """What ``rehearse.json`` says of it, and of the models below it where it says nothing itself."""
        return self.folder.inherited_settings()


def _with(config: dict[str, Any], names: tuple[str, ...], file: str, identity: str) -> dict[str, Any]:
    """The settings; ModelError where one of these is not there."""
    lacking = next((name for name in names if config.get(name) is None), None)
    if lacking is not None:
        raise ModelError(f"model {identity!r}: {file} lacks {lacking}; copy the whole folder again")
    return config


def file_key(path: Any) -> str:
    """Sha256 (hex) of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def alphabars(scheduler: Any) -> Tensor:
    """The cumulative signal ``alphabar`` of every training timestep, float32."""
    found: Tensor = torch.as_tensor(scheduler.alphas_cumprod).float()
    return found
