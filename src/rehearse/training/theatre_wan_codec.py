"""Train the theatre's Wan codec: on stills first, then on clips. It learns its latents; nothing is fitted.

The decoder meets latents with noise on them, so that it draws a right picture from latents that are nearly
right. Their moments are held at zero and one while it learns, and measured at the end. A linear map from the
latents to what the judge sees in the picture is learned beside: latents that say what stands where are
denoised sooner. In the last part of a run an adversary adds what an average of right pictures lacks: crisp
edges.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rehearse.models.wan_whole_clips import decode, encode, whole_clips
from rehearse.theatre.data import HELD_OUT, Stills, draw_stills, rng_of
from rehearse.theatre.judge import WIDTHS, Judge, JudgeNetwork, to_input
from rehearse.theatre.recipes import (
    WAN_CODEC,
    WAN_CODEC_CLIPS,
    WAN_CODEC_STILLS,
    WAN_FRAMES,
    WAN_LATENTS,
    Recipe,
)
from rehearse.theatre.world import render, sample_scene
from rehearse.training.codec_batches import CodecBatch, of_clips, of_stills
from rehearse.training.critic import PatchCritic, adversarial
from rehearse.training.fit import Fit, Options, load_averaged, single_threaded_processes
from rehearse.training.wan_in_time import begin_in_time

NOISE = 0.3
"""Largest deviation of the noise on the latents the decoder meets."""
CLIP_LENGTH = 9
ADVERSARY_FROM = 0.6
"""Share of a run after which the adversary speaks."""
ADVERSARY_WEIGHT = 0.01
SEEN_WEIGHT = 0.2
FEATURES_WEIGHT = 0.1
MOMENTS_WEIGHT = 0.1
HELD_OUT_STILLS, HELD_OUT_CLIPS = 24, 3


class CodecInTraining(nn.Module):
    """The codec, and what helps it learn and does not ship: the adversary, the map to the judge's eyes."""

    def __init__(self) -> None:
        from diffusers import AutoencoderKLWan

        super().__init__()
        self.codec = whole_clips(AutoencoderKLWan(**WAN_CODEC))
        self.critic = PatchCritic()
        self.seen = nn.Conv2d(WAN_LATENTS, WIDTHS[2], 1)


def train_stills(options: Options, data: Path, recipe: Recipe = WAN_CODEC_STILLS) -> Fit:
    """Train on the stills in ``data``; the result is in ``options.folder``."""
    stills = Stills.open(data)

    def batch(step: int, count: int, rng: np.random.Generator) -> CodecBatch:
        return of_stills(stills, count, step, rng)

    return _train(options, CodecInTraining, batch, recipe)


def train_clips(options: Options, stills_run: Path, recipe: Recipe = WAN_CODEC_CLIPS) -> Fit:
    """Go on with the run of the stills on clips, which are rendered as they are needed."""

    def begun() -> CodecInTraining:
        module = CodecInTraining()
        load_averaged(module, stills_run)
        begin_in_time(module.codec)
        return module

    def batch(step: int, count: int, rng: np.random.Generator) -> CodecBatch:
        return of_clips(recipe.data_seed, recipe.samples, WAN_FRAMES, CLIP_LENGTH, count, step, rng)

    return _train(options, begun, batch, recipe)


def _train(
    options: Options,
    begin: Callable[[], CodecInTraining],
    draw: Callable[[int, int, np.random.Generator], CodecBatch],
    recipe: Recipe,
) -> Fit:
    single_threaded_processes()
    torch.manual_seed(recipe.seed)
    fit = Fit(recipe, begin(), options)
    module: Any = fit.module
    judge = Judge.load().network.requires_grad_(False).to(fit.device)
    share = max(recipe.batch // fit.accelerator.num_processes, 1)

    def loss(step: int, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        drawn = draw(step, share, rng)
        pictures, subjects = drawn.pictures.to(fit.device), drawn.subjects.to(fit.device)
        latents = encode(module.codec, pictures).float()
        noisy = latents + torch.randn_like(latents) * float(rng.uniform(0, NOISE))
        decoded = decode(module.codec, noisy).float()
        value, figures = _likeness(decoded, pictures, 1 + recipe.weight_at(step, fit.steps) * subjects)
        real, made = pictures.transpose(1, 2).flatten(0, 1), decoded.transpose(1, 2).flatten(0, 1)
        with torch.no_grad():
            wanted = _features(judge, real)
        features = torch.stack(
            [
                (a.float() - b.float()).abs().mean()
                for a, b in zip(_features(judge, made), wanted, strict=True)
            ]
        ).mean()
        moments = _moments(latents)
        # The judge sees frames; a latent stands for the last of those it holds.
        frames = wanted[-1].unflatten(0, (len(pictures), -1))[:, :: WAN_CODEC["scale_factor_temporal"]]
        told = module.seen(latents.transpose(1, 2).flatten(0, 1)).float()
        seen = F.smooth_l1_loss(told, frames.flatten(0, 1).float())
        value = value + FEATURES_WEIGHT * features + MOMENTS_WEIGHT * moments + SEEN_WEIGHT * seen
        figures |= {"features": features, "moments": moments, "seen": seen}
        if step >= ADVERSARY_FROM * fit.steps:
            told_apart, fooled = adversarial(module.critic, real, made)
            value = value + told_apart + ADVERSARY_WEIGHT * fooled
            figures |= {"told_apart": told_apart, "fooled": fooled}
        return value, {name: float(figure.detach()) for name, figure in figures.items()}

    def sheet(path: Path) -> None:
        _sheet(module.codec, fit, path, moving=recipe.name == WAN_CODEC_CLIPS.name)

    fit.run(loss, sheet)
    return fit


def _likeness(decoded: Tensor, pictures: Tensor, weight: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """The error of pixels and of edges, in both directions and in time."""
    error = (decoded - pictures).abs()
    pixels = (error * weight).sum() / weight.expand_as(error).sum()
    edges = sum(
        ((decoded.diff(dim=axis) - pictures.diff(dim=axis)).abs()).mean()
        for axis in (2, 3, 4)
        if pictures.shape[axis] > 1
    )
    psnr = -10 * torch.log10(((decoded - pictures) / 2).square().mean())
    return pixels + 0.5 * edges, {"pixels": pixels, "edges": torch.as_tensor(edges), "psnr": psnr}


def _features(judge: JudgeNetwork, pictures: Tensor) -> list[Tensor]:
    first = judge.stem(pictures)
    second = judge.down1(first)
    return [first, second, judge.down2(second)]


def _moments(latents: Tensor) -> Tensor:
    """How far the mean and deviation of each channel of a batch are from 0 and 1."""
    axes = (0, 2, 3, 4)
    return (latents.std(axes) - 1).square().mean() + latents.mean(axes).square().mean()


def held_out(moving: bool, seed: int = WAN_CODEC_STILLS.data_seed) -> CodecBatch:
    """Renders that no run has seen: stills, or clips of 17 frames."""
    if not moving:
        frames, owners = draw_stills(seed, range(HELD_OUT, HELD_OUT + HELD_OUT_STILLS))
        return CodecBatch(to_input(frames).unsqueeze(2), torch.from_numpy(owners > 0).float()[:, None, None])
    clips = [
        render(sample_scene(rng_of(seed, HELD_OUT + index)), WAN_FRAMES) for index in range(HELD_OUT_CLIPS)
    ]
    return CodecBatch(
        torch.stack([to_input(clip.frames).transpose(0, 1) for clip in clips]),
        torch.stack([torch.from_numpy(clip.masks > 0).float()[None] for clip in clips]),
    )


def measure(batch: CodecBatch, decoded: Tensor) -> dict[str, float]:
    """PSNR in dB over all pixels and over puppets, and edge energy as a share of that of the renders."""
    pictures, made = batch.pictures, decoded.clamp(-1, 1)
    squares = ((made - pictures) / 2).square()
    on_puppets = (squares * batch.subjects).sum() / batch.subjects.sum() / pictures.shape[1]
    return {
        "psnr": float(-10 * squares.mean().log10()),
        "puppets": float(-10 * on_puppets.log10()),
        "edge_energy": edge_energy(made) / edge_energy(pictures),
    }


def edge_energy(clips: Tensor) -> float:
    """Mean difference of neighbouring pixels of clips [N, 3, F, H, W]."""
    return float(clips.diff(dim=3).abs().mean() + clips.diff(dim=4).abs().mean())


def _sheet(codec: Any, fit: Fit, path: Path, moving: bool) -> None:
    """Renders, decodes of them, and decodes of latents with noise; the figures go to ``held_out.jsonl``."""
    from PIL import Image

    batch = held_out(moving)
    rows, decodes = [batch.pictures], []
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad(), fit.autocast():
        for pictures in batch.pictures.split(1 if moving else 8):
            latents = encode(codec, pictures.to(fit.device)).float()
            noise = torch.randn(latents.shape, generator=generator).to(fit.device)
            decodes.append(
                (decode(codec, latents).float().cpu(), decode(codec, latents + NOISE * noise).float().cpu())
            )
    rows += [torch.cat(column) for column in zip(*decodes, strict=True)]
    figures = {"step": fit.step, **{name: round(value, 3) for name, value in measure(batch, rows[1]).items()}}
    with (path.parent / "held_out.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(figures) + "\n")
    # Stills side by side; of a clip, every other frame.
    shown = (
        [row[clip, :, ::2] for clip in range(len(batch.pictures)) for row in rows]
        if moving
        else [row[:10, :, 0].transpose(0, 1) for row in rows]
    )
    strips = [((strip.clamp(-1, 1) + 1) * 127.5).byte().permute(1, 2, 3, 0).numpy() for strip in shown]
    Image.fromarray(np.concatenate([np.concatenate(list(strip), 1) for strip in strips], 0)).save(path)
