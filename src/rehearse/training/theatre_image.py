"""Train ``theatre-image`` and the theatre's text encoder from nothing: text to a still of the world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rehearse.theatre.codec import PatchBasis
from rehearse.theatre.data import Stills, coverage
from rehearse.theatre.recipes import IMAGE, IMAGE_UNET, LATENT_CHANNELS, TEXT_ENCODER, Recipe
from rehearse.theatre.tokenizer import MAX_TOKENS, write_tokenizer
from rehearse.training.diffusion import Schedule, weighted_error
from rehearse.training.fit import Fit, Options, plain_attention, single_threaded_processes
from rehearse.training.part_head import PartHead

SHEET_PROMPTS = (
    "a red ball over the meadow", "a blue fish over the sea", "a white cat in the forest",
    "a yellow car in the city", "an orange rocket at night", "a purple balloon in the snow",
    "a green train in the desert", "a pink butterfly over the meadow",
    "a red umbrella and a blue star in the snow", "a white boat over the sea",
    "a green tree in the desert", "a yellow house at night",
)  # fmt: skip


class TextAndImage(nn.Module):
    """The two parts that learn together."""

    def __init__(self, vocabulary: int) -> None:
        from diffusers import UNet2DConditionModel
        from transformers import CLIPTextConfig, CLIPTextModel

        super().__init__()
        self.unet = UNet2DConditionModel(**IMAGE_UNET)
        self.text = CLIPTextModel(CLIPTextConfig(vocab_size=vocabulary, **TEXT_ENCODER))
        self.parts = PartHead(self.unet)


def token_ids(tokenizer: Any, captions: list[str]) -> Tensor:
    """Padded token ids ``[n, MAX_TOKENS]``."""
    ids: Tensor = tokenizer(
        captions, padding="max_length", truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
    ).input_ids
    return ids


def train(options: Options, data: Path, basis_path: Path, recipe: Recipe = IMAGE) -> Fit:
    """Train on the stills in ``data``; the result is in ``options.folder``."""
    from PIL import Image
    from transformers import CLIPTokenizer

    single_threaded_processes()
    torch.manual_seed(recipe.seed)
    write_tokenizer(options.folder / "tokenizer")
    tokenizer = CLIPTokenizer.from_pretrained(str(options.folder / "tokenizer"))
    stills, basis = Stills.open(data), PatchBasis.load(basis_path)
    fit = Fit(recipe, TextAndImage(len(tokenizer)), options)
    module: Any = fit.module
    plain_attention(module.unet)
    schedule = Schedule(fit.device)
    share = recipe.batch // fit.accelerator.num_processes

    def loss(step: int, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        chosen = np.sort(rng.choice(len(stills), share, replace=False))
        pictures = torch.from_numpy(stills.frames[chosen])
        subjects = torch.from_numpy(coverage(stills.masks[chosen])).float() / 255
        # Every puppet also exists mirrored, so a mirrored still is a still of the same world.
        mirrored = torch.from_numpy(rng.random(share) < 0.5)
        parts = torch.from_numpy(stills.parts[chosen])
        parts = torch.where(mirrored.view(-1, 1, 1, 1), parts.flip(2), parts).to(fit.device)
        pictures = torch.where(mirrored.view(-1, 1, 1, 1), pictures.flip(2), pictures)
        subjects = torch.where(mirrored.view(-1, 1, 1), subjects.flip(2), subjects).unsqueeze(1)
        captions = [
            "" if rng.random() < recipe.text_dropout else str(stills.rows[int(i)]["caption"]) for i in chosen
        ]
        clean = basis.encode(pictures).to(fit.device)
        steps = torch.from_numpy(recipe.timesteps(rng, share)).to(fit.device)
        noisy, target = schedule.noisy(clean, steps)
        text = module.text(token_ids(tokenizer, captions).to(fit.device)).last_hidden_state
        output = module.unet(noisy, steps, text).sample
        value, plain = weighted_error(
            output, target, subjects.to(fit.device), recipe.weight_at(step, fit.steps)
        )
        named = module.parts.loss(parts)
        figures = {"plain": float(plain.detach()), "parts": float(named.detach())}
        return value + recipe.parts_weight * named, figures

    def sheet(path: Path) -> None:
        with torch.no_grad(), fit.autocast():
            prompts = ["", *SHEET_PROMPTS]
            text = module.text(token_ids(tokenizer, prompts).to(fit.device)).last_hidden_state
            count = len(SHEET_PROMPTS)
            both = torch.cat([text[:1].expand(count, -1, -1), text[1:]])

            def denoise(latents: Tensor, timestep: Tensor) -> tuple[Tensor, Tensor]:
                empty, full = module.unet(torch.cat([latents, latents]), timestep, both).sample.chunk(2)
                return empty, full

            latents = schedule.sample(denoise, (count, LATENT_CHANNELS, 16, 16), 24, 5.0, seed=0)
        pictures = ((basis.decode(latents).clamp(-1, 1) + 1) * 127.5).byte().permute(0, 2, 3, 1).cpu().numpy()
        rows = [np.concatenate(list(pictures[k : k + 6]), 1) for k in range(0, count, 6)]
        Image.fromarray(np.concatenate(rows, 0)).save(path)

    fit.run(loss, sheet)
    return fit
