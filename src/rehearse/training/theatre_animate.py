"""Train ``theatre-animate``: a picture of the world to a clip, on top of ``theatre-image``.

As PIA does it (section 3.2): motion modules between the layers of the image UNet, and an input layer that
reads, beside the noisy latents, the latents of a picture and the affinity of each frame to it. The spatial
weights stay those of ``theatre-image``: one layer is all that reads the picture, and here that kept it too
loosely. So a second stage goes on with a LoRA of the spatial weights as well, and with affinities that say
how fast a clip is (:mod:`rehearse.training.magnitudes`); a third shows slow clips beside the world's own, and
asks how far a puppet is from where the first frame has it; a fourth no longer weighs puppets up. An
adapter and that LoRA are what a folder holds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor, nn

from rehearse.models.affinity import affinity
from rehearse.models.motion_unet import with_motion
from rehearse.theatre.codec import PatchBasis
from rehearse.theatre.data import Clips
from rehearse.theatre.recipes import (
    ANIMATE,
    ANIMATE_LISTS,
    LATENT_CHANNELS,
    MOTION_ADAPTER,
    TEXT_WIDTH,
    Recipe,
)
from rehearse.training.clip_batches import draw_clips, halved, mirror_matrix
from rehearse.training.diffusion import Schedule, weighted_error
from rehearse.training.fit import Fit, Options, load_averaged, plain_attention, single_threaded_processes
from rehearse.training.inflate import louder_words, silent_adapter
from rehearse.training.low_rank import add_low_rank
from rehearse.training.magnitudes import Magnitudes
from rehearse.training.motion_tasks import motion_tasks
from rehearse.training.motion_words import MotionWords
from rehearse.training.part_head import PartHead
from rehearse.training.picture_condition import distance, draw_condition
from rehearse.training.theatre_image import TextAndImage, token_ids
from rehearse.training.theatre_video import load_image_model
from rehearse.training.way_head import WayHead

SHEET_CLIPS, SHEET_STEPS = 6, 12


class TextAndAnimation(nn.Module):
    """The denoiser with motion modules, its text encoder, and the heads of its helper tasks.

    It begins as the image model on every frame, whatever picture it is shown.
    """

    def __init__(self, image: TextAndImage) -> None:
        super().__init__()
        self.unet: Any = with_motion(image.unet, silent_adapter(MOTION_ADAPTER))
        self.text = image.text
        louder_words(self.text)
        self.parts = PartHead(self.unet, moving=True)
        self.parts.inherit(image.parts)
        self.ways = WayHead(self.unet)
        self.words = MotionWords(TEXT_WIDTH)
        for name, parameter in self.unet.named_parameters():
            parameter.requires_grad_("motion_modules" in name or name == "conv_in.weight")
        # Of the input layer, what reads the latents is the image model's and stays.
        self.unet.conv_in.weight.register_hook(_beside_latents)

    def free_spatial(self, rank: int) -> None:
        """Let the spatial weights change, by a LoRA."""
        add_low_rank(self.unet, rank, is_spatial)

    def groups(self) -> list[dict[str, Any]]:
        """What is trained, for AdamW."""
        named = [(name, p) for name, p in self.named_parameters() if p.requires_grad]
        # Stills never say how a thing moves: the text encoder learns at the pace of the motion modules.
        learning = ("text.", "parts.", "ways.", "words.")
        fresh = [
            p
            for name, p in named
            if "motion_modules" in name or "parametrizations" in name or name.startswith(learning)
        ]
        # No decay: it would shrink the image model's part of the layer as well.
        entrance = [p for name, p in named if name == "unet.conv_in.weight"]
        return [
            {"params": fresh, "rate": 1.0},
            {"params": entrance, "rate": 1.0, "weight_decay": 0.0},
        ]


def _beside_latents(gradient: Tensor) -> Tensor:
    kept = gradient.clone()
    kept[:, :LATENT_CHANNELS] = 0
    return kept


def is_spatial(name: str) -> bool:
    """Whether a layer of a UNetMotionModel is the image model's, but for the input layer: the adapter has
    that."""
    return "motion_modules" not in name and name != "conv_in"


def adapter_of(unet: Any) -> Any:
    """The motion modules and the input layer of a UNetMotionModel as a MotionAdapter."""
    from diffusers import MotionAdapter

    adapter: Any = MotionAdapter(**MOTION_ADAPTER)
    weights = unet.state_dict()
    adapter.load_state_dict({name: weights[name] for name in adapter.state_dict()})
    return adapter


def farthest(clips: Clips, count: int = 512) -> float:
    """How far a frame gets from the first, in latents: the 95th percentile over the first clips.

    It is the unit of affinity: what is called large motion is large in this world.
    """
    latents = torch.from_numpy(np.array(clips.latents[:count])).float()
    away = distance(latents, latents[:, :1])
    return max(float(torch.quantile(away[:, 1:].flatten(), 0.95)), 1e-6)


def _begin(model: TextAndAnimation, run: Path, recipe: Recipe) -> None:
    with safe_open(str(run / "state.safetensors"), framework="pt") as file:
        had = any("parametrizations" in name for name in file.keys())  # noqa: SIM118 (safe_open is no mapping)
    if had:
        model.free_spatial(recipe.rank)
    load_averaged(model, run)
    if recipe.rank and not had:
        model.free_spatial(recipe.rank)
    if recipe.slow:
        model.ways.origin = "first"


def train(
    options: Options, clips_folder: Path, basis_path: Path, image_run: Path, recipe: Recipe = ANIMATE
) -> Fit:
    """Train a stage on encoded clips; the result is in ``options.folder``. The run that a recipe begins with
    lies beside that folder."""
    from PIL import Image
    from transformers import CLIPTokenizer

    single_threaded_processes()
    torch.manual_seed(recipe.seed)
    tokenizer = CLIPTokenizer.from_pretrained(str(image_run / "tokenizer"))
    basis, clips = PatchBasis.load(basis_path), Clips.open(clips_folder)
    model = TextAndAnimation(load_image_model(image_run, len(tokenizer)))
    if recipe.begins:
        _begin(model, options.folder.parent / recipe.begins, recipe)
    plain_attention(model.unet)
    fit = Fit(recipe, model, options, model.groups())
    module: Any = fit.module
    module.train()
    schedule, mirror = Schedule(fit.device), mirror_matrix(basis)
    magnitudes, unit = (Magnitudes(clips), 0.0) if recipe.rank else (None, farthest(clips))
    share = max(recipe.batch // fit.accelerator.num_processes, 1)

    def predict(noisy: Tensor, condition: Tensor, steps: Tensor, text: Tensor) -> Tensor:
        """text: ``[n, tokens, width]``; this UNet wants it once per frame."""
        every = text.repeat_interleave(noisy.shape[2], dim=0)
        output: Tensor = module.unet(torch.cat([noisy, condition], dim=1), steps, every).sample
        return output

    def loss(step: int, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        batch = draw_clips(clips, share, recipe, mirror, halved(step, fit.steps), rng)
        if magnitudes is None:
            condition = draw_condition(batch.clean, unit, rng)
        else:
            batch, condition = magnitudes.shown(batch, rng)
        condition = condition.to(fit.device)
        steps = torch.from_numpy(recipe.timesteps(rng, share)).to(fit.device)
        noisy, target = schedule.noisy(batch.clean.to(fit.device), steps)
        text = module.text(token_ids(tokenizer, batch.captions).to(fit.device)).last_hidden_state
        value, plain = weighted_error(
            predict(noisy, condition, steps, text),
            target,
            batch.subjects.unsqueeze(1).to(fit.device),
            recipe.weight_at(step, fit.steps),
        )
        helped, figures = motion_tasks(module, batch, clips, tokenizer, rng)
        return value + recipe.parts_weight * helped, {"plain": float(plain.detach()), **figures}

    def sheet(path: Path) -> None:
        """A row a clip: the picture it was given, then every third frame of what was made of it."""
        count = min(SHEET_CLIPS, len(clips))
        first = torch.from_numpy(np.array(clips.latents[:count, :1])).float()
        frames = clips.latents.shape[1]
        near = torch.tensor(affinity(frames, 0.5, lists=ANIMATE_LISTS if recipe.rank else None)).view(
            1, frames, 1, 1, 1
        )
        shape = (count, frames, 1, *first.shape[-2:])
        condition = torch.cat([near.expand(shape), first.expand(-1, frames, -1, -1, -1)], dim=2)
        condition = condition.transpose(1, 2).to(fit.device)
        captions = [str(row["caption"]) for row in clips.rows[:count]]
        with torch.no_grad(), fit.autocast():
            ids = token_ids(tokenizer, ["", *captions]).to(fit.device)
            text = module.text(ids).last_hidden_state
            both = torch.cat([text[:1].expand(count, -1, -1), text[1:]])

            def denoise(latents: Tensor, timestep: Tensor) -> tuple[Tensor, Tensor]:
                twice = torch.cat([latents, latents]), torch.cat([condition, condition])
                empty, full = predict(*twice, timestep, both).chunk(2)
                return empty, full

            size = (count, LATENT_CHANNELS, frames, *first.shape[-2:])
            latents = schedule.sample(denoise, size, SHEET_STEPS, 5.0, seed=0)
        rows = torch.cat([first, latents.transpose(1, 2)[:, ::3].cpu().float()], dim=1)
        flat = rows.flatten(0, 1)
        pictures = ((basis.decode(flat).clamp(-1, 1) + 1) * 127.5).byte().permute(0, 2, 3, 1).numpy()
        strips = pictures.reshape(count, -1, *pictures.shape[1:])
        Image.fromarray(np.concatenate([np.concatenate(list(strip), 1) for strip in strips], 0)).save(path)

    fit.run(loss, sheet)
    return fit
