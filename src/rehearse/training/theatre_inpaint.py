"""Train ``theatre-inpaint``: what lies in a region of a still, from words and from all that lies around it.

As Stable Diffusion's inpainting models have it, the input layer of ``theatre-image`` reads, beside the noisy
latents, the region and the latents of the picture with the region blanked. The input layer and a LoRA of the
other weights are what a folder holds. Puppets weigh no more than the rest: here it is known where one goes,
and a denoiser that fears to miss it draws it too large for its region.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rehearse.models.image import widened
from rehearse.theatre.codec import PatchBasis
from rehearse.theatre.data import CELL, SIZE, Stills
from rehearse.theatre.recipes import INPAINT, LATENT_CHANNELS, Recipe
from rehearse.theatre.world.vocabulary import BACKDROPS, COLOURS, PUPPETS, bare_caption
from rehearse.training.diffusion import Schedule, weighted_error
from rehearse.training.fit import Fit, Options, plain_attention, single_threaded_processes
from rehearse.training.low_rank import add_low_rank
from rehearse.training.theatre_image import TextAndImage, token_ids
from rehearse.training.theatre_video import load_image_model

ROUND_A_PUPPET = 0.65
"""Share of the regions that lie round a puppet; the others lie anywhere."""
NAMED_ALONE = 0.6
"""Share of the prompts that name the puppet in the region and no other thing."""
MARGIN = 0.12
"""How far, in fractions of the frame, a region's sides lie beyond the puppet's at most."""
INSIDE = 9.0
"""What an error inside the region weighs more: what is outside is laid over again."""


class InpaintingImage(nn.Module):
    """The image model that also reads a region and what is around it; begins as the image model."""

    def __init__(self, image: TextAndImage, rank: int) -> None:
        super().__init__()
        self.unet: Any = widened(image.unet)
        self.text = image.text.requires_grad_(False)
        self.unet.requires_grad_(False)
        add_low_rank(self.unet, rank, lambda name: name != "conv_in")
        self.unet.conv_in.weight.requires_grad_(True)

    def groups(self) -> list[dict[str, Any]]:
        """What is trained, for AdamW. The input layer does not decay: it holds the image model's own."""
        fresh = [
            p for name, p in self.unet.named_parameters() if "parametrizations" in name and p.requires_grad
        ]
        entrance = [self.unet.conv_in.weight]
        return [{"params": fresh, "rate": 1.0}, {"params": entrance, "rate": 0.3, "weight_decay": 0.0}]


def draw_region(owners: NDArray[np.uint8], rng: np.random.Generator) -> tuple[NDArray[np.bool_], int | None]:
    """A region of a still and the puppet it lies round, None where it lies anywhere.

    owners: ``[SIZE, SIZE]``, which puppet each pixel shows, counted from 1. Returns whether each cell of
    the latents is in the region, ``[SIZE / CELL, SIZE / CELL]``: all that a box or an ellipse touches.
    """
    shown = np.unique(owners)
    shown = shown[shown > 0]
    puppet = None
    if len(shown) and rng.random() < ROUND_A_PUPPET:
        puppet = int(rng.choice(shown)) - 1
        rows, columns = np.nonzero(owners == puppet + 1)
        sides = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], dtype=float)
        sides += rng.uniform(0, MARGIN * SIZE, 4) * (-1, -1, 1, 1)
    else:
        size = rng.uniform(0.1, 0.6, 2) * SIZE
        corner = rng.uniform(-0.3 * size, SIZE - 0.7 * size)
        sides = np.concatenate([corner, corner + size])
    middle, half = (sides[:2] + sides[2:]) / 2, (sides[2:] - sides[:2]) / 2
    # An ellipse that holds all of the box round it is larger by the root of two.
    round_one = puppet is None and rng.random() < 0.4
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    across, down = (x - middle[0]) / half[0], (y - middle[1]) / half[1]
    inside = across**2 + down**2 <= 1 if round_one else np.maximum(np.abs(across), np.abs(down)) <= 1
    cells = SIZE // CELL
    touched: NDArray[np.bool_] = inside.reshape(cells, CELL, cells, CELL).any(axis=(1, 3))
    return touched, puppet


def caption_of(row: dict[str, Any], puppet: int | None, rng: np.random.Generator) -> str:
    """The prompt of a region: who is in it, or the whole still's caption."""
    if puppet is None or rng.random() >= NAMED_ALONE:
        return str(row["caption"])
    one = PUPPETS[row["kinds"][puppet]], COLOURS[row["colours"][puppet]]
    return bare_caption([one], BACKDROPS[row["backdrop"]])


def train(options: Options, data: Path, basis_path: Path, image_run: Path, recipe: Recipe = INPAINT) -> Fit:
    """Train on the stills in ``data``, on top of the run of ``theatre-image``; the result is in
    ``options.folder``."""
    from PIL import Image
    from transformers import CLIPTokenizer

    single_threaded_processes()
    torch.manual_seed(recipe.seed)
    tokenizer = CLIPTokenizer.from_pretrained(str(image_run / "tokenizer"))
    stills, basis = Stills.open(data), PatchBasis.load(basis_path)
    model = InpaintingImage(load_image_model(image_run, len(tokenizer)), recipe.rank)
    plain_attention(model.unet)
    fit = Fit(recipe, model, options, model.groups())
    module: Any = fit.module
    schedule = Schedule(fit.device)
    share = max(recipe.batch // fit.accelerator.num_processes, 1)
    blank = basis.encode(torch.full((1, SIZE, SIZE, 3), 127, dtype=torch.uint8))

    def shown(clean: Tensor, regions: Tensor) -> Tensor:
        """The region and the blanked latents, ``[n, 1 + C, h, w]``."""
        return torch.cat([regions, torch.where(regions > 0, blank, clean)], dim=1)

    def batch(rng: np.random.Generator, count: int) -> tuple[Tensor, Tensor, list[str]]:
        chosen = np.sort(rng.choice(len(stills), count, replace=False))
        pictures, drawn = torch.from_numpy(stills.frames[chosen]), []
        captions = []
        for at, index in enumerate(chosen):
            region, puppet = draw_region(stills.masks[index], rng)
            drawn.append(region)
            captions.append(caption_of(stills.rows[int(index)], puppet, rng))
            if rng.random() < 0.5:  # every puppet also exists mirrored
                pictures[at] = pictures[at].flip(1)
                drawn[-1] = region[:, ::-1]
        regions = torch.from_numpy(np.stack(drawn)).float().unsqueeze(1)
        return basis.encode(pictures), regions, captions

    def loss(step: int, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        clean, regions, captions = batch(rng, share)
        condition = shown(clean, regions).to(fit.device)
        clean, regions = clean.to(fit.device), regions.to(fit.device)
        captions = ["" if rng.random() < recipe.text_dropout else caption for caption in captions]
        steps = torch.from_numpy(recipe.timesteps(rng, share)).to(fit.device)
        noisy, target = schedule.noisy(clean, steps)
        with torch.no_grad():
            text = module.text(token_ids(tokenizer, captions).to(fit.device)).last_hidden_state
        output = module.unet(torch.cat([noisy, condition], dim=1), steps, text).sample
        value, plain = weighted_error(output, target, regions, INSIDE)
        return value, {"plain": float(plain.detach())}

    def sheet(path: Path) -> None:
        """Pairs: a still with its region blanked, and what was drawn there."""
        clean, regions, captions = batch(np.random.default_rng(7), 24)
        condition = shown(clean, regions).to(fit.device)
        with torch.no_grad(), fit.autocast():
            ids = token_ids(tokenizer, ["", *captions]).to(fit.device)
            text = module.text(ids).last_hidden_state
            both = torch.cat([text[:1].expand(len(captions), -1, -1), text[1:]])

            def denoise(latents: Tensor, timestep: Tensor) -> tuple[Tensor, Tensor]:
                one = torch.cat([latents, condition], dim=1)
                empty, full = module.unet(torch.cat([one, one]), timestep, both).sample.chunk(2)
                return empty, full

            size = (len(captions), LATENT_CHANNELS, *clean.shape[-2:])
            made = schedule.sample(denoise, size, 24, 5.0, seed=0).cpu()
        made = torch.where(regions > 0, made.float(), clean)
        before = torch.where(regions > 0, blank, clean)
        flat = torch.stack([before, made], dim=1).flatten(0, 1)
        pictures = ((basis.decode(flat).clamp(-1, 1) + 1) * 127.5).byte().permute(0, 2, 3, 1).numpy()
        Image.fromarray(
            np.concatenate([np.concatenate(list(pictures[k : k + 12]), 1) for k in range(0, 48, 12)], 0)
        ).save(path)

    fit.run(loss, sheet)
    return fit
