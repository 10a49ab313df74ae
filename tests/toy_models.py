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


T5_TOKENS = 14
COGVIDEOX_SCHEDULER: dict[str, Any] = {
    **BETAS,
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
    "timestep_spacing": "trailing",
    "snr_shift_scale": 1.0,
    "set_alpha_to_one": True,
}


def save_t5(
    folder: Path, width: int = 16, words: list[str] | None = None, kind: Literal["T5", "UMT5"] = "T5"
) -> None:
    """``tokenizer/`` and ``text_encoder/`` of T5: every word is one token, other words fall into letters."""
    import transformers
    from transformers import T5Tokenizer

    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -2.0)]
    pieces += [(f"\u2581{word}", -1.0) for word in dict.fromkeys([*(words or WORDS), "target", "source"])]
    pieces += [(letter, -6.0) for letter in "abcdefghijklmnopqrstuvwxyz,"]
    tokenizer = T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=T5_TOKENS)
    tokenizer.save_pretrained(folder / "tokenizer")
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=len(pieces), d_model=width, d_kv=8, d_ff=32, num_layers=1, num_heads=2,
        feed_forward_proj="gated-gelu", decoder_start_token_id=0,
    )  # fmt: skip
    encoder = getattr(transformers, f"{kind}EncoderModel")(config)
    encoder.save_pretrained(folder / "text_encoder", safe_serialization=True)


def toy_cogvideox(
    *,
    pictures: bool = True,
    pairs: bool = False,
    positions: Literal["rotary", "learned", "sincos"] = "rotary",
    latents: int = 4,
    ratio: int = 4,
    tokens: int = T5_TOKENS,
    frames: int = 9,
) -> Any:
    """A CogVideoXTransformer3DModel of two blocks for latents 8 x 8; ``pairs`` for one of 1.5's kind."""
    from diffusers import CogVideoXTransformer3DModel

    return CogVideoXTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=2 * latents if pictures else latents,
        out_channels=latents,
        time_embed_dim=8,
        ofs_embed_dim=8 if pairs and pictures else None,
        text_embed_dim=16,
        num_layers=2,
        sample_width=8,
        sample_height=8,
        sample_frames=frames,
        patch_size=2,
        patch_size_t=2 if pairs else None,
        temporal_compression_ratio=ratio,
        max_text_seq_length=tokens,
        use_rotary_positional_embeddings=positions != "sincos",
        use_learned_positional_embeddings=positions == "learned",
    )


def toy_video_vae(*, invert: bool = False) -> Any:
    """An AutoencoderKLCogVideoX: 8 pixels and 4 frames to a latent cell."""
    from diffusers import AutoencoderKLCogVideoX

    return AutoencoderKLCogVideoX(
        down_block_types=("CogVideoXDownBlock3D",) * 4,
        up_block_types=("CogVideoXUpBlock3D",) * 4,
        block_out_channels=(4, 4, 4, 8),
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=2,
        temporal_compression_ratio=4,
        sample_height=64,
        sample_width=64,
        scaling_factor=0.7,
        invert_scale_latents=invert,
    )


def save_toy_cogvideox(
    folder: Path,
    *,
    pictures: bool = True,
    pairs: bool = False,
    positions: Literal["rotary", "learned", "sincos"] = "rotary",
    vae: Literal["video", "tiny"] = "video",
    text: Literal["t5", "clip"] = "t5",
    scheduler: Literal["ddim", "dpm"] = "ddim",
    masks: int = 0,
    invert: bool = False,
    settings: dict[str, Any] | None = None,
    words: list[str] | None = None,
    seed: int = 0,
) -> Path:
    """A whole CogVideoX folder; with the video VAE and T5 stock pipelines load it. Returns the folder.

    masks: mask channels of a grown one, their weights random.
    """
    from diffusers import CogVideoXDDIMScheduler, CogVideoXDPMScheduler

    torch.manual_seed(seed)
    ratio = 4 if vae == "video" else 1
    tokens = T5_TOKENS if text == "t5" else MAX_TOKENS
    transformer = toy_cogvideox(
        pictures=pictures,
        pairs=pairs,
        positions=positions,
        ratio=ratio,
        tokens=tokens,
        frames=9 if ratio == 4 else 5,
    )
    if masks:
        from rehearse.models.target_conditioning import grow_for_masks

        grow_for_masks(transformer, masks)
    with torch.no_grad():
        for name, parameter in transformer.named_parameters():
            if name == "patch_embed.proj.weight" and masks:
                parameter.normal_(0, 0.2)
            elif parameter.ndim > 1:
                parameter.mul_(2.0)
    transformer.save_pretrained(folder / "transformer", safe_serialization=True)
    (toy_video_vae(invert=invert) if vae == "video" else toy_vae("tiny")).save_pretrained(
        folder / "vae", safe_serialization=True
    )
    if text == "t5":
        save_t5(folder, words=words)
    else:
        save_text_encoder(folder / "text_encoder")
        save_tokenizer(folder / "tokenizer", words=words)
    kind = CogVideoXDDIMScheduler if scheduler == "ddim" else CogVideoXDPMScheduler
    kind(**COGVIDEOX_SCHEDULER).save_pretrained(folder / "scheduler")
    index = {
        "_class_name": "CogVideoXImageToVideoPipeline" if pictures else "CogVideoXPipeline",
        "_diffusers_version": "0.35.0",
        "scheduler": ["diffusers", kind.__name__],
        "text_encoder": ["transformers", "T5EncoderModel" if text == "t5" else "CLIPTextModel"],
        "tokenizer": ["transformers", "T5Tokenizer" if text == "t5" else "CLIPTokenizer"],
        "transformer": ["diffusers", "CogVideoXTransformer3DModel"],
        "vae": ["diffusers", "AutoencoderKLCogVideoX" if vae == "video" else "AutoencoderTiny"],
    }
    (folder / "model_index.json").write_text(json.dumps(index))
    said = {"defaults": {"steps": 4, "guidance": 3.0, "fps": 8}, "dynamic_guidance": False}
    (folder / "rehearse.json").write_text(json.dumps(said | (settings or {})))
    return folder


def toy_wan_vae(halvings: tuple[bool, bool] = (True, True)) -> Any:
    """An AutoencoderKLWan of 2.2's kind: 8 pixels to a latent cell. halvings: which halve time too."""
    from diffusers import AutoencoderKLWan

    return AutoencoderKLWan(
        base_dim=8, decoder_base_dim=8, z_dim=4, dim_mult=[1, 2, 2], num_res_blocks=1, attn_scales=[],
        temperal_downsample=list(halvings), is_residual=True, in_channels=12, out_channels=12, patch_size=2,
        latents_mean=[0.1, -0.2, 0.0, 0.3], latents_std=[0.5, 0.8, 1.1, 0.6],
        scale_factor_temporal=2 ** sum(halvings), scale_factor_spatial=8,
    )  # fmt: skip


def save_toy_wan(
    folder: Path,
    *,
    pictures: bool = True,
    halvings: tuple[bool, bool] = (True, True),
    scheduler: Literal["unipc", "euler"] = "unipc",
    settings: dict[str, Any] | None = None,
    seed: int = 0,
) -> Path:
    """A whole Wan folder that stock pipelines load. pictures: of 2.2 TI2V's kind. Returns the folder."""
    from diffusers import (
        FlowMatchEulerDiscreteScheduler,
        UniPCMultistepScheduler,
        WanTransformer3DModel,
    )

    torch.manual_seed(seed)
    transformer = WanTransformer3DModel(
        patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=16, in_channels=4, out_channels=4,
        text_dim=16, freq_dim=16, ffn_dim=64, num_layers=2, rope_max_seq_len=32,
    )  # fmt: skip
    with torch.no_grad():
        for parameter in transformer.parameters():
            if parameter.ndim > 1:
                parameter.mul_(2.0)
    transformer.save_pretrained(folder / "transformer", safe_serialization=True)
    toy_wan_vae(halvings).save_pretrained(folder / "vae", safe_serialization=True)
    save_t5(folder, kind="UMT5")
    made: Any = (
        FlowMatchEulerDiscreteScheduler(shift=3.0)
        if scheduler == "euler"
        else UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    )
    made.save_pretrained(folder / "scheduler")
    index = {
        "_class_name": "WanPipeline",
        "_diffusers_version": "0.35.0",
        "scheduler": ["diffusers", type(made).__name__],
        "text_encoder": ["transformers", "UMT5EncoderModel"],
        "tokenizer": ["transformers", "T5Tokenizer"],
        "transformer": ["diffusers", "WanTransformer3DModel"],
        "transformer_2": [None, None],
        "vae": ["diffusers", "AutoencoderKLWan"],
        "boundary_ratio": None,
        "expand_timesteps": pictures,
    }
    (folder / "model_index.json").write_text(json.dumps(index))
    said = {"defaults": {"frames": 9, "width": 64, "height": 48, "steps": 4, "guidance": 3.0, "fps": 8}}
    (folder / "rehearse.json").write_text(json.dumps(said | (settings or {})))
    return folder
