"""Train ``theatre-wan`` on encoded stills, then on encoded clips: text to clip and picture to clip in one.

A still is a clip of one latent frame, so one transformer learns from both: what the world looks like from
stills, at a ninth of the tokens, then how it moves. Half of the clips have their first latent frame given,
clean and at time 0, as Wan 2.2's TI2V models have it; the other half are made from the text alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rehearse.models.wan_whole_clips import encode
from rehearse.theatre.data import HELD_OUT, Clips, rng_of
from rehearse.theatre.judge import to_input
from rehearse.theatre.recipes import (
    WAN,
    WAN_CODEC,
    WAN_FRAMES,
    WAN_LATENTS,
    WAN_SHIFT,
    WAN_TEXT_ENCODER,
    WAN_TRANSFORMER,
    Recipe,
)
from rehearse.theatre.tokenizer import MAX_TOKENS
from rehearse.theatre.wan_tokenizer import wan_tokenizer
from rehearse.theatre.world import caption, render, sample_scene
from rehearse.training.clip_batches import BARE, bare_caption_of
from rehearse.training.fit import Fit, Options, load_averaged, single_threaded_processes
from rehearse.training.flow import TIMES, noisy, random_times, sample
from rehearse.training.theatre_image import SHEET_PROMPTS as STILL_PROMPTS
from rehearse.training.theatre_video import SHEET_PROMPTS as CLIP_PROMPTS
from rehearse.training.wan_head import WanHead
from rehearse.training.wan_latents import decoded

PICTURES = 0.5
"""Share of clips whose first latent frame is given."""
SHEET_STEPS, SHEET_GUIDANCE, SHEET_PICTURES = 16, 4.0, 2


class TextAndWan(nn.Module):
    """The transformer with its text encoder, which learn together, and the head of the helper tasks."""

    def __init__(self, vocabulary: int) -> None:
        from diffusers import WanTransformer3DModel
        from transformers import UMT5Config, UMT5EncoderModel

        super().__init__()
        self.transformer: Any = WanTransformer3DModel(**WAN_TRANSFORMER)
        self.text: Any = UMT5EncoderModel(UMT5Config(vocab_size=vocabulary, **WAN_TEXT_ENCODER))
        self.head = WanHead(self.transformer)
        # The prediction begins as zero, and every block at its own table of scales: the stock class leaves
        # both random, as its weights come from files.
        for layer in (self.transformer.proj_out, self.transformer.condition_embedder.time_proj):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def encode(self, tokenizer: Any, captions: list[str]) -> Tensor:
        """Text ``[n, MAX_TOKENS, width]``, with zeros for padding, as the pipelines have it."""
        read = tokenizer(
            captions, padding="max_length", truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
        )
        device = self.transformer.proj_out.weight.device
        ids, mask = read.input_ids.to(device), read.attention_mask.to(device)
        hidden: Tensor = self.text(ids, attention_mask=mask).last_hidden_state
        return hidden.where(mask.bool()[..., None], 0.0)

    def flow(self, latents: Tensor, times: Tensor, text: Tensor, known: Tensor | None = None) -> Tensor:
        """The predicted flow of noisy latents ``[n, C, F, h, w]`` at times ``[n]`` in [0, 1].

        known: of which clips the first latent frame is given, bool ``[n]``; that frame has the time 0.
        """
        timesteps = times * TIMES
        if known is not None:
            _, high, wide = WAN_TRANSFORMER["patch_size"]
            frames, tokens = latents.shape[2], latents.shape[3] * latents.shape[4] // (high * wide)
            each = timesteps.view(-1, 1, 1).expand(-1, frames, tokens).clone()
            each[known, 0] = 0.0
            timesteps = each.flatten(1)
        output: Tensor = self.transformer(
            hidden_states=latents, timestep=timesteps, encoder_hidden_states=text, return_dict=False
        )[0]
        return output


def train(
    options: Options,
    clips: Clips,
    codec: Any,
    moments: tuple[Tensor, Tensor],
    recipe: Recipe = WAN,
    begins: Path | None = None,
) -> Fit:
    """Train on encoded stills or clips; the result is in ``options.folder``.

    codec: of :func:`rehearse.training.wan_latents.finished_codec`, for sheets. moments: mean and deviation of
    each latent channel. begins: the run whose weights it begins with.
    """
    single_threaded_processes()
    torch.manual_seed(recipe.seed)
    tokenizer = wan_tokenizer()
    model = TextAndWan(len(tokenizer))
    if begins is not None:
        load_averaged(model, begins)
    fit = Fit(recipe, model, options)
    module: Any = fit.module
    module.train()
    share = max(recipe.batch // fit.accelerator.num_processes, 1)
    mean, std = (moment.view(-1, 1, 1, 1) for moment in moments)
    moving = clips.latents.shape[1] > 1

    def loss(step: int, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        chosen = np.sort(rng.choice(len(clips), share, replace=False))
        latents = torch.from_numpy(clips.latents[chosen]).float().transpose(1, 2)
        clean = ((latents - mean) / std).to(fit.device)
        subjects = torch.from_numpy(clips.subjects[chosen]).float().unsqueeze(1).to(fit.device) / 255
        parts = torch.from_numpy(clips.parts[chosen]).to(fit.device)
        captions = [_said(clips.rows[int(i)], recipe, moving, rng) for i in chosen]
        times = random_times(rng, share, WAN_SHIFT).to(fit.device)
        seen, target = noisy(clean, times)
        known = None
        error_of = torch.ones_like(subjects)
        if moving:
            known = torch.from_numpy(rng.random(share) < PICTURES).to(fit.device)
            seen[known, :, 0] = clean[known, :, 0]
            error_of[known, :, 0] = 0.0
        output = module.flow(seen, times, module.encode(tokenizer, captions), known).float()
        error = (output - target).square()
        weight = ((1 + recipe.weight_at(step, fit.steps) * subjects) * error_of).expand_as(error)
        named, come = module.head.loss(parts)
        value = (error * weight).sum() / weight.sum()
        plain = (error * error_of).sum() / error_of.expand_as(error).sum()
        figures = {"plain": plain, "parts": named, "ways": come}
        helped = recipe.parts_weight * (named + come)
        return value + helped, {name: float(figure.detach()) for name, figure in figures.items()}

    def sheet(path: Path) -> None:
        with torch.no_grad(), fit.autocast():
            _sheet(module, tokenizer, codec, moments, moving, fit.device, path)

    fit.run(loss, sheet)
    return fit


def _said(row: dict[str, Any], recipe: Recipe, moving: bool, rng: np.random.Generator) -> str:
    """The caption, or none, or of some clips one without motions."""
    if rng.random() < recipe.text_dropout:
        return ""
    return bare_caption_of(row) if moving and rng.random() < BARE else str(row["caption"])


def _sheet(
    module: Any,
    tokenizer: Any,
    codec: Any,
    moments: tuple[Tensor, Tensor],
    moving: bool,
    device: torch.device,
    path: Path,
) -> None:
    """Stills of twelve prompts; or a row a clip, of six prompts and of held-out first frames."""
    from PIL import Image

    prompts = list(CLIP_PROMPTS if moving else STILL_PROMPTS)
    frames = (WAN_FRAMES - 1) // WAN_CODEC["scale_factor_temporal"] + 1 if moving else 1
    first: Tensor | None = None
    if moving:
        scenes = [sample_scene(rng_of(WAN.data_seed, HELD_OUT + index)) for index in range(SHEET_PICTURES)]
        prompts += [caption(scene) for scene in scenes]
        mean, std = (moment.view(-1, 1, 1, 1) for moment in moments)
        given = to_input(np.stack([render(scene, 2).frames[0] for scene in scenes])).unsqueeze(2).to(device)
        first = (encode(codec, given).float() - mean.to(device)) / std.to(device)
    count = len(prompts)
    known = torch.arange(count, device=device) >= count - (SHEET_PICTURES if moving else 0)
    text = module.encode(tokenizer, ["", *prompts])
    both = torch.cat([text[:1].expand(count, -1, -1), text[1:]])

    def flow(latents: Tensor, time: float) -> tuple[Tensor, Tensor]:
        if first is not None:
            latents = latents.clone()
            latents[known, :, :1] = first
        times = torch.full((2 * count,), time, device=device)
        empty, full = module.flow(torch.cat([latents] * 2), times, both, torch.cat([known] * 2)).chunk(2)
        return empty, full

    shape = (count, WAN_LATENTS, frames, 16, 16)
    latents = sample(flow, shape, SHEET_STEPS, SHEET_GUIDANCE, WAN_SHIFT, 0, device)
    if first is not None:
        latents[known, :, :1] = first
    shown: NDArray[np.uint8] = decoded(codec, latents, *moments)
    strips = [np.concatenate(list(clip[::2]), 1) for clip in shown]
    rows = strips if moving else [np.concatenate(strips[at : at + 6], 1) for at in range(0, count, 6)]
    Image.fromarray(np.concatenate(rows, 0)).save(path)
