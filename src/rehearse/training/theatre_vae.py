"""Teach a tiny autoencoder the theatre's latent space: the encoder to compute the patch components, the
decoder to make sharp paper out of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from rehearse.theatre.codec import PatchBasis
from rehearse.theatre.data import Stills, draw_stills
from rehearse.theatre.judge import to_input
from rehearse.theatre.recipes import CODEC, IMAGE, VAE, Recipe
from rehearse.training.fit import Fit, Options, single_threaded_processes

CROP = 64
FIT_STILLS = 4096


def fit_basis(data: Path, path: Path, recipe: Recipe = IMAGE) -> PatchBasis:
    """Fit the patch components on evenly spaced stills, once; later calls read the file.

    data: folder of the stills. Where there are none, those that are looked at are drawn, of the set that
    ``recipe`` names: the same components, without a set that a model of clips has no other use for.
    """
    if path.exists():
        return PatchBasis.load(path)
    there = Stills.open(data) if (data / "rows.jsonl").exists() else None
    count = recipe.samples if there is None else len(there)
    chosen = np.linspace(0, count - 1, min(FIT_STILLS, count)).astype(int)
    if there is None:
        frames, masks = draw_stills(recipe.data_seed, chosen.tolist())
    else:
        frames, masks = there.frames[chosen], there.masks[chosen]
    basis = PatchBasis.fit(frames, masks, int(VAE["latent_channels"]))
    path.parent.mkdir(parents=True, exist_ok=True)
    basis.save(path)
    return basis


def train(options: Options, data: Path, basis_path: Path, recipe: Recipe = CODEC) -> Fit:
    """Train on the stills in ``data``; the result is in ``options.folder``."""
    from diffusers import AutoencoderTiny
    from PIL import Image

    single_threaded_processes()
    torch.manual_seed(recipe.seed)
    stills, basis = Stills.open(data), fit_basis(data, basis_path)
    fit = Fit(recipe, AutoencoderTiny(**VAE), options)
    module: Any = fit.module
    factor = float(VAE["scaling_factor"])
    share = recipe.batch // fit.accelerator.num_processes

    def loss(step: int, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        chosen = np.sort(rng.choice(len(stills), share, replace=False))
        # Crops around a puppet where there is one: backdrops are easy, puppets are what matters.
        frames, masks = [], []
        for index in chosen:
            owner = stills.masks[int(index)]
            rows, columns = np.nonzero(owner)
            pick = int(rng.integers(len(rows))) if len(rows) and rng.random() < 0.8 else -1
            y, x = (rows[pick], columns[pick]) if pick >= 0 else rng.integers(0, owner.shape[0], 2)
            top = int(np.clip(y - CROP // 2 + rng.integers(-16, 17), 0, owner.shape[0] - CROP)) // 8 * 8
            left = int(np.clip(x - CROP // 2 + rng.integers(-16, 17), 0, owner.shape[1] - CROP)) // 8 * 8
            frames.append(stills.frames[int(index), top : top + CROP, left : left + CROP])
            masks.append(owner[top : top + CROP, left : left + CROP] > 0)
        raw = torch.from_numpy(np.stack(frames))
        pictures = to_input(raw).to(fit.device)
        subject = torch.from_numpy(np.stack(masks)).float().unsqueeze(1).to(fit.device)
        latents = basis.encode(raw).to(fit.device)
        # Generated latents are never quite on the manifold: the decoder must forgive a little.
        noisy = latents + torch.randn_like(latents) * float(rng.uniform(0, 0.15))
        decoded = module.decode(noisy / factor).sample.float()
        error = (decoded - pictures).abs()
        across = (decoded.diff(dim=3) - pictures.diff(dim=3)).abs()
        down = (decoded.diff(dim=2) - pictures.diff(dim=2)).abs()
        weight = 1 + recipe.weight_at(step, fit.steps) * subject
        picture_loss = (error * weight).sum() / weight.expand_as(error).sum()
        edge_loss = 0.5 * (across.mean() + down.mean())
        encoded = module.encode(pictures).latents.float() * factor
        latent_loss = F.smooth_l1_loss(encoded, latents)
        psnr = -10 * torch.log10(((decoded - pictures) / 2).square().mean())
        figures = {"picture": picture_loss, "edges": edge_loss, "latents": latent_loss, "psnr": psnr}
        return picture_loss + edge_loss + latent_loss, {k: float(v.detach()) for k, v in figures.items()}

    def sheet(path: Path) -> None:
        frames = np.array(stills.frames[:8])
        with torch.no_grad():
            rebuilt = module.decode(basis.encode(torch.from_numpy(frames)).to(fit.device) / factor).sample
            around = module.decode(module.encode(to_input(frames).to(fit.device)).latents).sample
        rows = [frames]
        for pictures in (rebuilt, around):
            rows.append(((pictures.clamp(-1, 1) + 1) * 127.5).byte().permute(0, 2, 3, 1).cpu().numpy())
        Image.fromarray(np.concatenate([np.concatenate(list(row), 1) for row in rows], 0)).save(path)

    fit.run(loss, sheet)
    return fit
