"""Tiny models with random weights, saved in diffusers' layout by the stock classes: seconds, not minutes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import torch

WORDS = [
    *("a", "the", "red", "blue", "green", "ball", "car", "star", "moves", "right", "left", "over"),
    *("meadow", "snow", "and", "in", ",", "of", "bird"),
]
MAX_TOKENS = 12
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}

SCHEDULER_CONFIGS: dict[str, dict[str, Any]] = {
    "epsilon": {**BETAS, "prediction_type": "epsilon", "clip_sample": False, "timestep_spacing": "leading"},
    "v_prediction": {
        **BETAS,
        "prediction_type": "v_prediction",
        "clip_sample": False,
        "rescale_betas_zero_snr": True,
        "timestep_spacing": "trailing",
    },
    "flow_prediction": {"shift": 3.0},
}


def save_tokenizer(folder: Path, words: list[str] | None = None, max_tokens: int = MAX_TOKENS) -> None:
    """A CLIPTokenizer in which every word is one token; other words fall into letters."""
    from transformers import CLIPTokenizer

    letters = [*"abcdefghijklmnopqrstuvwxyz,"]
    vocab = {"<|startoftext|>": 0, "<|endoftext|>": 1}
    for piece in [*letters, *(f"{letter}</w>" for letter in letters)]:
        vocab[piece] = len(vocab)
    merges: list[tuple[str, str]] = []
    for word in words or WORDS:
        parts = [*word[:-1], f"{word[-1]}</w>"]
        while len(parts) > 1:
            pair = (parts[0], parts[1])
            parts[:2] = ["".join(pair)]
            if pair not in merges:
                merges.append(pair)
            vocab.setdefault(parts[0], len(vocab))
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=max_tokens)
    tokenizer.save_pretrained(folder)


def save_text_encoder(folder: Path, width: int = 16) -> None:
    from transformers import CLIPTextConfig, CLIPTextModel

    config = CLIPTextConfig(
        vocab_size=400,
        hidden_size=width,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=MAX_TOKENS,
        projection_dim=width,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    CLIPTextModel(config).save_pretrained(folder, safe_serialization=True)


def toy_unet(kind: Literal["video", "image"] = "video", channels: tuple[int, ...] = (8, 16)) -> Any:
    from diffusers import UNet2DConditionModel, UNet3DConditionModel

    shared: dict[str, Any] = {
        "sample_size": 8,
        "block_out_channels": channels,
        "layers_per_block": 1,
        "norm_num_groups": 4,
        "cross_attention_dim": 16,
    }
    last = len(channels) - 1
    if kind == "video":
        return UNet3DConditionModel(
            **shared,
            down_block_types=("CrossAttnDownBlock3D",) * last + ("DownBlock3D",),
            up_block_types=("UpBlock3D",) + ("CrossAttnUpBlock3D",) * last,
            attention_head_dim=4,  # the width of a head here
        )
    return UNet2DConditionModel(
        **shared,
        down_block_types=("CrossAttnDownBlock2D",) * last + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * last,
        attention_head_dim=2,  # the number of heads here
    )


def toy_adapter(pictures: bool, channels: tuple[int, ...] = (8, 16), latents: int = 4) -> Any:
    """A MotionAdapter for :func:`toy_unet` ``("image")``; with ``pictures`` one of PIA's kind."""
    from diffusers import MotionAdapter

    return MotionAdapter(
        block_out_channels=channels,
        motion_layers_per_block=1,
        motion_num_attention_heads=2,
        motion_norm_num_groups=4,
        motion_max_seq_length=24,
        conv_in_channels=1 + 2 * latents if pictures else None,
    )


def save_toy_motion_model(
    folder: Path, base: Path, *, pictures: bool = True, seed: int = 0, **said: Any
) -> Path:
    """A model folder of a motion adapter that stands on ``base``, an image model beside it; the folder."""
    torch.manual_seed(seed)
    adapter = toy_adapter(pictures)
    with torch.no_grad():
        for name, parameter in adapter.named_parameters():
            if "proj_out" in name:  # born zero or nearly so: the modules shall be felt
                parameter.normal_(0, 0.3)
    adapter.save_pretrained(folder / "motion_adapter", safe_serialization=True)
    defaults = {"frames": 5, "steps": 4, "guidance": 3.0, "fps": 8}
    (folder / "rehearse.json").write_text(json.dumps({"base": base.name, "defaults": defaults, **said}))
    return folder


def toy_vae(kind: Literal["kl", "tiny"] = "kl") -> Any:
    from diffusers import AutoencoderKL, AutoencoderTiny

    if kind == "tiny":
        return AutoencoderTiny(
            encoder_block_out_channels=(8, 8, 8, 8),
            decoder_block_out_channels=(8, 8, 8, 8),
            num_encoder_blocks=(1, 1, 1, 1),
            num_decoder_blocks=(1, 1, 1, 1),
        )
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(4, 4, 4, 8),
        layers_per_block=1,
        norm_num_groups=2,
        latent_channels=4,
    )


def save_toy_model(
    folder: Path,
    *,
    kind: Literal["video", "image"] = "video",
    prediction: str = "epsilon",
    vae: Literal["kl", "tiny"] = "kl",
    vocabulary: list[str] | None = None,
    settings: dict[str, Any] | None = None,
    shard: str | None = None,
    seed: int = 0,
) -> Path:
    """A whole model folder that stock ``DiffusionPipeline.from_pretrained`` loads; returns the folder."""
    from diffusers import DDIMScheduler, FlowMatchEulerDiscreteScheduler

    torch.manual_seed(seed)
    unet = toy_unet(kind)
    # Fresh UNets answer almost nothing; larger weights make every later comparison mean something.
    with torch.no_grad():
        for parameter in unet.parameters():
            if parameter.ndim > 1:
                parameter.mul_(1.5)
    unet.save_pretrained(
        folder / "unet", safe_serialization=True, **({"max_shard_size": shard} if shard else {})
    )
    toy_vae(vae).save_pretrained(folder / "vae", safe_serialization=True)
    save_text_encoder(folder / "text_encoder")
    save_tokenizer(folder / "tokenizer")
    flow = prediction == "flow_prediction"
    config = dict(SCHEDULER_CONFIGS[prediction])
    if kind == "image":
        config["steps_offset"] = 1  # the stock image pipeline insists on it
    scheduler = (FlowMatchEulerDiscreteScheduler if flow else DDIMScheduler)(**config)
    scheduler.save_pretrained(folder / "scheduler")
    index = {
        "_class_name": "TextToVideoSDPipeline" if kind == "video" else "StableDiffusionPipeline",
        "_diffusers_version": "0.35.0",
        "scheduler": ["diffusers", type(scheduler).__name__],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", type(unet).__name__],
        "vae": ["diffusers", "AutoencoderKL" if vae == "kl" else "AutoencoderTiny"],
    }
    if kind == "image":
        index |= {
            "safety_checker": [None, None],
            "feature_extractor": [None, None],
            "requires_safety_checker": False,
        }
    (folder / "model_index.json").write_text(json.dumps(index))
    if vocabulary is not None:
        (folder / "vocabulary.json").write_text(json.dumps(vocabulary))
    said = (
        {"defaults": {"frames": 4, "steps": 4, "guidance": 3.0, "fps": 8}} if settings is None else settings
    )
    (folder / "rehearse.json").write_text(json.dumps(said))
    return folder
