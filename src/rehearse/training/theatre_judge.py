"""Train the judge on stills of the world: segmentation by kind and colour, and the backdrop."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from rehearse.theatre.data import Stills
from rehearse.theatre.judge import JudgeNetwork, to_input
from rehearse.theatre.recipes import JUDGE, Recipe
from rehearse.theatre.world.vocabulary import BACKDROPS, COLOURS, PUPPETS
from rehearse.training.fit import Fit, Options, single_threaded_processes


def train(options: Options, data: Path, recipe: Recipe = JUDGE) -> Fit:
    """Train on the stills in ``data``; the result is in ``options.folder``."""
    single_threaded_processes()
    torch.manual_seed(recipe.seed)
    stills = Stills.open(data)
    fit = Fit(recipe, JudgeNetwork(), options)
    share = recipe.batch // fit.accelerator.num_processes

    def loss(step: int, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        chosen = np.sort(rng.choice(len(stills), share, replace=False))
        pictures = to_input(stills.frames[chosen]).to(fit.device)
        owners = torch.from_numpy(stills.masks[chosen][:, 1::2, 1::2].astype(np.int64))
        kinds, colours = torch.zeros(share, 4, dtype=torch.int64), torch.zeros(share, 4, dtype=torch.int64)
        for at, index in enumerate(chosen):
            row = stills.rows[int(index)]
            for actor, (kind, colour) in enumerate(zip(row["kinds"], row["colours"], strict=True)):
                kinds[at, actor + 1], colours[at, actor + 1] = kind + 1, colour
        flat = owners.reshape(share, -1)
        kind_map = kinds.gather(1, flat).view_as(owners).to(fit.device)
        colour_map = colours.gather(1, flat).view_as(owners).to(fit.device)
        backdrops = torch.tensor([int(stills.rows[int(i)]["backdrop"]) for i in chosen]).to(fit.device)
        pictures = _soften(pictures, rng)
        if rng.random() < 0.5:
            pictures, kind_map, colour_map = pictures.flip(3), kind_map.flip(2), colour_map.flip(2)
        kind_logits, colour_logits, backdrop_logits, _ = fit.module(pictures)
        inside = (kind_map > 0).float()
        kind_error = F.cross_entropy(kind_logits.float(), kind_map, reduction="none")
        # Nine pixels in ten are backdrop: puppets get a mean of their own, or kinds are learned last.
        kind_loss = kind_error.mean() + 0.5 * (kind_error * inside).sum() / inside.sum().clamp(min=1)
        colour_error = F.cross_entropy(colour_logits.float(), colour_map, reduction="none")
        colour_loss = (colour_error * inside).sum() / inside.sum().clamp(min=1)
        backdrop_loss = F.cross_entropy(backdrop_logits.float(), backdrops)
        right = (kind_logits.argmax(1) == kind_map)[kind_map > 0].float().mean()
        total = kind_loss + 0.3 * colour_loss + 0.1 * backdrop_loss
        return total, {
            "kind": float(kind_loss.detach()),
            "colour": float(colour_loss.detach()),
            "pixels_right": float(right),
        }

    fit.run(loss)
    if fit.main:
        with fit.averaged():
            export(fit.module, options.folder)
    return fit


def _soften(pictures: Tensor, rng: np.random.Generator) -> Tensor:
    """Blur, noise and brightness as a decoder may leave them, so that the judge looks at shape and colour and
    not at the sharpness of an edge."""
    kind = rng.random()
    if kind < 0.35:
        size = int(rng.choice([48, 64, 80]))
        small = F.interpolate(pictures, size=(size, size), mode="area")
        pictures = F.interpolate(small, size=pictures.shape[-2:], mode="bilinear")
    if rng.random() < 0.5:
        pictures = pictures + torch.randn_like(pictures) * float(rng.uniform(0, 0.08))
    return (pictures * float(rng.uniform(0.9, 1.1)) + float(rng.uniform(-0.08, 0.08))).clamp(-1, 1)


def export(network: torch.nn.Module, folder: Path) -> None:
    """Write ``model.safetensors`` (fp16) and ``config.json``."""
    state = {name: value.half().contiguous().cpu() for name, value in network.state_dict().items()}
    save_file(state, str(folder / "model.safetensors"))
    config = {"puppets": list(PUPPETS), "colours": list(COLOURS), "backdrops": list(BACKDROPS)}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
