"""The theatre models' architectures and training recipes: the one place that says what is trained and how.

All are stock diffusers and transformers classes, at a size that a laptop CPU runs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rehearse.theatre.target_tokenizer import TARGET_TOKENS
from rehearse.theatre.tokenizer import MAX_TOKENS
from rehearse.theatre.world.target_scene import FRAMES as TARGET_FRAMES

LATENT_CHANNELS = 8
TEXT_WIDTH = 128
CHANNELS = (64, 160, 192)
HEAD_WIDTH = 32

TEXT_ENCODER: dict[str, Any] = {
    "hidden_size": TEXT_WIDTH,
    "intermediate_size": 4 * TEXT_WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": MAX_TOKENS,
    "hidden_act": "gelu",
    "projection_dim": TEXT_WIDTH,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 1,
}

VAE: dict[str, Any] = {
    "latent_channels": LATENT_CHANNELS,
    "encoder_block_out_channels": (48, 48, 48, 48),
    "decoder_block_out_channels": (48, 48, 48, 48),
    "num_encoder_blocks": (1, 1, 1, 2),
    "num_decoder_blocks": (4, 3, 2, 1),
    # The tiny decoder softly clamps its input at 3; whitened components reach 9, so they travel in thirds.
    "scaling_factor": 3.0,
    "force_upcast": False,
}

IMAGE_UNET: dict[str, Any] = {
    "sample_size": 16,
    "in_channels": LATENT_CHANNELS,
    "out_channels": LATENT_CHANNELS,
    "layers_per_block": 1,
    "block_out_channels": CHANNELS,
    "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
    "cross_attention_dim": TEXT_WIDTH,
    # In UNet2DConditionModel this is the NUMBER of heads, in UNet3DConditionModel the width of one.
    "attention_head_dim": tuple(width // HEAD_WIDTH for width in CHANNELS),
    "use_linear_projection": True,
}

VIDEO_UNET: dict[str, Any] = {
    "sample_size": 16,
    "in_channels": LATENT_CHANNELS,
    "out_channels": LATENT_CHANNELS,
    "layers_per_block": 1,
    "block_out_channels": CHANNELS,
    "down_block_types": ("CrossAttnDownBlock3D", "CrossAttnDownBlock3D", "DownBlock3D"),
    "up_block_types": ("UpBlock3D", "CrossAttnUpBlock3D", "CrossAttnUpBlock3D"),
    "cross_attention_dim": TEXT_WIDTH,
    "attention_head_dim": HEAD_WIDTH,
}

# What theatre-animate adds to the image UNet: motion modules, and PIA's input of affinity and picture.
MOTION_ADAPTER: dict[str, Any] = {
    "block_out_channels": CHANNELS,
    "motion_layers_per_block": 1,
    "motion_num_attention_heads": tuple(width // HEAD_WIDTH for width in CHANNELS),
    "motion_norm_num_groups": 32,
    "motion_max_seq_length": 32,
    "use_motion_mid_block": True,
    "conv_in_channels": 1 + 2 * LATENT_CHANNELS,
}

# theatre-target has words of its own, and the text encoder of its family.
TARGET_TEXT_ENCODER: dict[str, Any] = {
    "d_model": TEXT_WIDTH,
    "d_kv": HEAD_WIDTH,
    "d_ff": 2 * TEXT_WIDTH,
    "num_layers": 2,
    "num_heads": 4,
    "feed_forward_proj": "gated-gelu",
    "dropout_rate": 0.0,
    "is_encoder_decoder": False,
    "use_cache": False,
}

TARGET_TRANSFORMER: dict[str, Any] = {
    # Wide heads tell positions apart sooner: what stands still is copied from the first frame by position.
    "num_attention_heads": 4,
    "attention_head_dim": 64,
    "in_channels": 2 * LATENT_CHANNELS,
    "out_channels": LATENT_CHANNELS,
    "time_embed_dim": 128,
    "text_embed_dim": TEXT_WIDTH,
    "num_layers": 5,
    "sample_width": 16,
    "sample_height": 16,
    "sample_frames": TARGET_FRAMES,
    # The autoencoder takes a clip frame by frame.
    "temporal_compression_ratio": 1,
    "patch_size": 2,
    "max_text_seq_length": TARGET_TOKENS,
    "use_rotary_positional_embeddings": True,
}

WAN_LATENTS = 16
WAN_FRAMES = 17
WAN_CODEC: dict[str, Any] = {
    # Two pixels of a side are folded into channels, and two halvings follow: 8 pixels to a latent.
    "patch_size": 2,
    "in_channels": 12,
    "out_channels": 12,
    "base_dim": 32,
    # It runs once a clip, so it may know the puppets.
    "decoder_base_dim": 64,
    "z_dim": WAN_LATENTS,
    # The residual form keeps its last two widths alike.
    "dim_mult": [1, 2, 2],
    "num_res_blocks": 1,
    "attn_scales": [],
    # Time is halved once: 17 frames are 9 latents, of which each but the first holds two frames.
    "temperal_downsample": [True, False],
    "is_residual": True,
    "scale_factor_temporal": 2,
    "scale_factor_spatial": 8,
}

WAN_TRANSFORMER: dict[str, Any] = {
    "patch_size": (1, 2, 2),
    "num_attention_heads": 5,
    "attention_head_dim": 64,
    "in_channels": WAN_LATENTS,
    "out_channels": WAN_LATENTS,
    "text_dim": TEXT_WIDTH,
    "freq_dim": 128,
    "ffn_dim": 1280,
    "num_layers": 8,
    "cross_attn_norm": True,
}
WAN_TEXT_ENCODER: dict[str, Any] = {
    "d_model": TEXT_WIDTH,
    "d_kv": HEAD_WIDTH,
    "d_ff": 2 * TEXT_WIDTH,
    "num_layers": 2,
    "num_heads": 4,
    "feed_forward_proj": "gated-gelu",
    "dropout_rate": 0.0,
    "is_encoder_decoder": False,
    "use_cache": False,
}
WAN_SHIFT = 3.0
"""How far times are moved to the noisy ones, in training and in the schedulers, as for Wan's own models."""
WAN_SCHEDULER: dict[str, Any] = {
    "num_train_timesteps": 1000,
    "prediction_type": "flow_prediction",
    "use_flow_sigmas": True,
    "flow_shift": WAN_SHIFT,
}

SCHEDULER: dict[str, Any] = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
    # Flat paper colours need a free mean: without zero terminal SNR nights are grey and snow is beige.
    "rescale_betas_zero_snr": True,
    "timestep_spacing": "trailing",
    "clip_sample": False,
    "set_alpha_to_one": True,
}


@dataclass(frozen=True)
class Recipe:
    """How one model is trained.

    steps: optimiser steps; batch: samples a step over all processes; rate: peak learning rate of AdamW;
    warmup: steps of linear warm-up, after which the rate falls as a cosine to zero; average: decay of the
    exponential moving average of the weights, which is what ships; text_dropout: share of captions
    replaced by the empty one, for guidance; subject_weight: added weight of the loss where a puppet stands,
    at the first step and at the last (backdrops are learned early, puppets late); late: timesteps are
    1000 u^late for uniform u: below 1 the noisy ones, where a picture's layout is decided, come more often;
    parts_weight: weight of naming the puppet parts beside denoising (:mod:`rehearse.training.part_head`);
    begins: the run whose averaged weights it begins with, "" for none; rank: of the LoRA in which spatial
    weights learn, 0 where they do not; slow: share of half-length batches that show a clip at half speed.
    samples, data_seed: size and seed of the rendered data set; seed: of initial weights, order and noise.
    """

    name: str
    steps: int
    batch: int
    rate: float
    samples: int
    warmup: int = 100
    average: float = 0.999
    text_dropout: float = 0.1
    subject_weight: tuple[float, float] = (2.0, 6.0)
    late: float = 1.0
    parts_weight: float = 0.0
    begins: str = ""
    rank: int = 0
    slow: float = 0.0
    weight_decay: float = 0.01
    data_seed: int = 1
    seed: int = 0

    def timesteps(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        """Random timesteps in 0 to 999, drawn as ``late`` says."""
        return np.floor(1000 * rng.random(count) ** self.late).astype(np.int64)

    def weight_at(self, step: int, steps: int) -> float:
        """The subject weight at a step: a straight line from the first to the last."""
        first, last = self.subject_weight
        return first + (last - first) * min(step / max(steps, 1), 1.0)


CODEC = Recipe("theatre-vae", steps=5000, batch=8, rate=1e-3, samples=49152, subject_weight=(2.0, 2.0))
IMAGE = Recipe("theatre-image", steps=12000, batch=32, rate=1e-3, samples=49152, late=2 / 3, parts_weight=1.0)
# What lies in a region is drawn from what is around it: a LoRA, and an input layer that reads both.
# Stills first, in large batches: over one frame a causal convolution is a plain one, many times cheaper.
WAN_CODEC_STILLS = Recipe(
    "theatre-wan-codec-stills",
    steps=24000,
    batch=16,
    rate=1e-3,
    samples=49152,
    average=0.998,
    subject_weight=(3.0, 3.0),
    weight_decay=1e-3,
)
WAN_CODEC_CLIPS = Recipe(
    "theatre-wan-codec",
    steps=8000,
    batch=2,
    rate=5e-4,
    samples=8192,
    average=0.998,
    subject_weight=(3.0, 3.0),
    begins=WAN_CODEC_STILLS.name,
    weight_decay=1e-3,
    data_seed=2,
)
# A still is a clip of one latent frame: what the world looks like is learned there, at a ninth of the tokens.
WAN_STILLS = Recipe(
    "theatre-wan-stills", steps=9000, batch=32, rate=1e-3, samples=49152, warmup=200, parts_weight=1.0
)
WAN = Recipe(
    "theatre-wan",
    steps=12000,
    batch=4,
    rate=6e-4,
    samples=12288,
    data_seed=2,
    warmup=200,
    parts_weight=1.0,
    # In the end the plain error: weighing makes what is uncertain large.
    subject_weight=(4.0, 0.0),
    begins=WAN_STILLS.name,
)
INPAINT = Recipe(
    "theatre-inpaint",
    steps=2400,
    batch=32,
    rate=1e-3,
    samples=49152,
    late=2 / 3,
    rank=8,
    average=0.998,
    seed=4,
)
VIDEO = Recipe(
    "theatre-video", steps=2400, batch=8, rate=1e-3, samples=8192, data_seed=2, late=1 / 2, parts_weight=1.0
)
# theatre-animate is trained in four stages: what PIA trains; a LoRA of the spatial weights as well, which
# lets the picture in; slow clips beside the world's own, which make magnitude heard; then the plain error.
# Weighing puppets up teaches them early, but where they are uncertain it also makes them seven times as
# likely: what has moved was drawn too large, and as a lump.
ANIMATE_MOTION = replace(VIDEO, name="theatre-animate-motion")
ANIMATE_PICTURE = replace(
    ANIMATE_MOTION, name="theatre-animate-picture", begins=ANIMATE_MOTION.name, rank=32, steps=3000, seed=1
)
ANIMATE_SPEED = replace(
    ANIMATE_PICTURE,
    name="theatre-animate-speed",
    begins=ANIMATE_PICTURE.name,
    slow=0.5,
    late=1 / 3,
    subject_weight=(4.0, 6.0),
    steps=3600,
    seed=2,
)
ANIMATE = replace(
    ANIMATE_SPEED,
    name="theatre-animate",
    begins=ANIMATE_SPEED.name,
    late=1 / 2,
    subject_weight=(1.0, 0.0),
    steps=3000,
    seed=3,
)
ANIMATE_STAGES = (ANIMATE_MOTION, ANIMATE_PICTURE, ANIMATE_SPEED, ANIMATE)
ANIMATE_LISTS: dict[str, tuple[float, ...]] = {
    "small": (1.0, 0.8),
    "moderate": (1.0, 0.6),
    "large": (1.0, 0.4),
}
"""Affinity that theatre-animate is trained with, from the picture's frame to the far end of the clip: each
amount of motion as the share of clips that move less."""
ANIMATE_MAGNITUDES: dict[str, tuple[float, ...]] = {
    "small": (1.0, 0.9),
    "moderate": (1.0, 0.6),
    "large": (1.0, 0.3),
}
"""What a person means by them: farther apart, as the words of a prompt pull all clips to their middle. Chosen
on 16 pictures of another seed than the gates'."""
JUDGE = Recipe("theatre-judge", steps=12000, batch=16, rate=2e-3, samples=49152)
ALIGNMENT = Recipe("theatre-alignment", steps=600, batch=4, rate=3e-3, samples=2048, data_seed=3, warmup=50)
TARGET = Recipe(
    "theatre-target",
    steps=4000,
    batch=16,
    rate=1e-3,
    samples=16384,
    # To nothing: what is uncertain here is which prop is reached, and weighing would reach for all of them.
    subject_weight=(2.0, 0.0),
    data_seed=4,
    late=1 / 2,
    parts_weight=1.0,
)


@dataclass(frozen=True)
class ReachRecipe:
    """How ``theatre-reach``, the target adapter, is trained. clips, data_seed: of its data; weight,
    normalisation: of the attention loss; rank, alpha: of its LoRA.

    Maps as they are begin at one in the number of tokens, where their gradient is too small to be learned
    from in so few steps; scaled to their largest value they are learned in 300.
    """

    name: str = "theatre-reach"
    clips: int = 1290
    steps: int = 1600
    batch: int = 8
    rate: float = 2e-3
    rank: int = 16
    alpha: float = 16.0
    weight: float = 0.1
    normalisation: Literal["joint", "text", "max"] = "max"
    data_seed: int = TARGET.data_seed + 1
    seed: int = 0


REACH = ReachRecipe()
