"""The latents theatre-wan learns on: renders through the finished Wan codec, once, and their moments."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.json_text import read_json_file
from rehearse.models.precision import choose_precision
from rehearse.models.wan_whole_clips import decode, encode
from rehearse.theatre.data import Clips, Stills, encode_stills, make_clips
from rehearse.theatre.judge import to_input
from rehearse.theatre.recipes import WAN_CODEC, WAN_CODEC_CLIPS, WAN_FRAMES, Recipe
from rehearse.training.fit import load_averaged
from rehearse.training.theatre_wan_codec import CodecInTraining

STILLS, CLIPS, MOMENTS = "wan-stills", "wan-clips", "wan-moments.json"
_MEASURED = 512
"""Clips that the moments are measured on."""


def finished_codec(runs: Path, device: str | None = None) -> Any:
    """The averaged codec of the run ``theatre-wan-codec``, which takes whole clips."""
    module = CodecInTraining()
    load_averaged(module, runs / WAN_CODEC_CLIPS.name)
    return module.codec.eval().requires_grad_(False).to(_precision(device).device)


def prepare(
    runs: Path,
    recipe: Recipe,
    codec: Any,
    stills: Stills | None,
    progress: Callable[[int], None] | None = None,
) -> Clips:
    """The encoded stills, or where there are none, clips of 17 frames that are rendered for it; continued
    where it stopped."""
    data = runs / "data"
    precision = _precision(str(next(codec.parameters()).device))

    @torch.no_grad()
    def encoded(frames: NDArray[np.uint8]) -> NDArray[np.float16]:
        length = 1 if stills is not None else WAN_FRAMES
        clips = to_input(frames).unflatten(0, (-1, length)).transpose(1, 2).to(precision.device)
        found = []
        for some in clips.split(32 if length == 1 else 2):
            with precision.scope():
                found.append(encode(codec, some).float().cpu())
        latents: NDArray[np.float16] = torch.cat(found).transpose(1, 2).flatten(0, 1).half().numpy()
        return latents

    if stills is not None:
        return encode_stills(data / STILLS, stills, encoded, progress)
    return make_clips(
        data / CLIPS,
        recipe.samples,
        recipe.data_seed,
        encoded,
        workers=1,
        progress=progress,
        length=WAN_FRAMES,
        stride=WAN_CODEC["scale_factor_temporal"],
    )


def moments(runs: Path, latents: Clips | None = None) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each channel, ``[C]``: measured once, on the set that is asked for first."""
    path = runs / "data" / MOMENTS
    if not path.exists():
        assert latents is not None, f"{path} is not there, and nothing to measure it on"
        some = torch.from_numpy(np.array(latents.latents[:_MEASURED])).float().transpose(1, 2)
        told = {"mean": some.mean((0, 2, 3, 4)).tolist(), "std": some.std((0, 2, 3, 4)).tolist()}
        path.write_text(json.dumps(told) + "\n", encoding="utf-8")
    said = read_json_file(path)
    return torch.tensor(said["mean"]), torch.tensor(said["std"])


def decoded(codec: Any, latents: Tensor, mean: Tensor, std: Tensor) -> NDArray[np.uint8]:
    """Normalised latents ``[n, C, f, h, w]`` to clips uint8 ``[n, F, H, W, 3]``."""
    device = next(codec.parameters()).device
    raw = latents.float().cpu() * std.view(-1, 1, 1, 1) + mean.view(-1, 1, 1, 1)
    clips = torch.cat([decode(codec, one.to(device)).float().cpu() for one in raw.split(1)])
    shown: NDArray[np.uint8] = (
        ((clips.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 4, 1).numpy()
    )
    return shown


def _precision(device: str | None) -> Any:
    return choose_precision(device or "auto", use="encoding")
