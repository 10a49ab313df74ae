"""A toy CogVideoX transformer, and clips with a marked thing in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from toy_models import MAX_TOKENS, save_toy_cogvideox

SIZE, FRAMES = 64, 5
WORDS = ["a", "the", "crane", "touches", "target", "red", "blue", "ball", "left", "right", "and"]


def toy_transformer(seed: int = 0, blocks: int = 3, **said: Any) -> Any:
    from diffusers import CogVideoXTransformer3DModel

    torch.manual_seed(seed)
    config: dict[str, Any] = {
        "num_attention_heads": 2,
        "attention_head_dim": 16,
        "in_channels": 8,
        "out_channels": 4,
        "time_embed_dim": 8,
        "text_embed_dim": 16,
        "num_layers": blocks,
        "sample_width": 4,
        "sample_height": 4,
        "sample_frames": FRAMES,
        "temporal_compression_ratio": 1,
        "max_text_seq_length": MAX_TOKENS,
        "use_rotary_positional_embeddings": True,
    }
    return CogVideoXTransformer3DModel(**{**config, **said})


def save_base(folder: Path, **said: Any) -> Path:
    """A toy image-to-video folder with the theatre's kind of VAE and text encoder."""
    return save_toy_cogvideox(folder, **{"vae": "tiny", "text": "clip", "words": WORDS, **said})


def save_rows(folder: Path, count: int = 3, frames: int = FRAMES + 1, **changes: Any) -> Path:
    """Clips of a square that moves, a mask of each, and ``data.jsonl``. changes: laid over every row."""
    from rehearse.media import write_clip

    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for index in range(count):
        rng = np.random.default_rng(index)
        clip = rng.integers(90, 110, (frames, SIZE, SIZE, 3)).astype(np.uint8)
        mask = np.zeros((SIZE, SIZE), np.uint8)
        left = 4 + 16 * (index % 3)
        for frame in range(frames):
            clip[frame, 16:40, left + frame : left + frame + 20] = (200, 40, 40)
        mask[16:40, left : left + 20] = 255
        write_clip(folder / f"{index}.mp4", clip, 8)
        Image.fromarray(mask).save(folder / f"{index}.png")
        row = {"video": f"{index}.mp4", "mask": f"{index}.png", "caption": "a crane touches the red ball"}
        lines.append(json.dumps({**row, "target": "red ball", **changes}))
    path = folder / "data.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path
