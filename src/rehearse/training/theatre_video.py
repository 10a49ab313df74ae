"""Train ``theatre-video``, inflated from ``theatre-image``: text to a clip of the world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from torch import Tensor

from rehearse.theatre.codec import PatchBasis
from rehearse.theatre.data import Clips, make_clips
from rehearse.theatre.recipes import LATENT_CHANNELS, VIDEO, VIDEO_UNET, Recipe
from rehearse.theatre.world.vocabulary import BACKDROPS, COLOURS, PUPPETS, bare_caption
from rehearse.training.diffusion import Schedule, weighted_error
from rehearse.training.fit import Fit, Options, single_threaded_processes
from rehearse.training.inflate import inflate
from rehearse.training.theatre_image import TextAndImage, token_ids

SHEET_PROMPTS = (
    "a red ball moves right over the meadow", "a blue fish moves left over the sea",
    "a yellow car moves right in the city", "a white rocket moves up at night",
    "a purple balloon bounces in the snow", "a green bird arcs right in the desert",
)  # fmt: skip
BARE = 0.3
"""Share of clips whose caption leaves the motion out: where a path says the motion, the prompt need not."""
SWAPPED = {"left": "right", "right": "left"}


def load_image_model(folder: Path, vocabulary: int) -> TextAndImage:
    """The averaged weights of a ``theatre-image`` run."""
    model = TextAndImage(vocabulary)
    with safe_open(str(folder / "state.safetensors"), framework="pt") as file, torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(file.get_tensor(f"average.{name}"))
    return model.eval()


def prepare_clips(folder: Path, basis: PatchBasis, recipe: Recipe, **options: Any) -> Clips:
    """Render and encode the clips of the recipe (continued where it stopped)."""

    def encode(pictures: NDArray[np.uint8]) -> NDArray[np.float16]:
        encoded: NDArray[np.float16] = basis.encode(torch.from_numpy(pictures)).half().numpy()
        return encoded

    return make_clips(folder, recipe.samples, recipe.data_seed, encode, **options)


def mirrored_caption(caption: str) -> str:
    """The caption of the mirrored clip."""
    return " ".join(SWAPPED.get(word, word) for word in caption.split(" "))


def bare_caption_of(row: dict[str, Any]) -> str:
    """The caption without motions of a row of labels."""
    puppets = [(PUPPETS[k], COLOURS[c]) for k, c in zip(row["kinds"], row["colours"], strict=True)]
    return bare_caption(puppets, BACKDROPS[row["backdrop"]])


def mirror_matrix(basis: PatchBasis) -> Tensor:
    """``[C, C]``: what mirroring a picture does to the latents of a patch (the patches also swap places).

    The components are whitened projections, so the best linear answer is decode, mirror, encode."""
    patches = basis.decode_matrix.reshape(-1, 8, 8, 3).flip(2).reshape(basis.channels, -1)
    return patches @ basis.encode_matrix


def train(
    options: Options, clips_folder: Path, basis_path: Path, image_run: Path, recipe: Recipe = VIDEO
) -> Fit:
    """Train on encoded clips; the result is in ``options.folder``."""
    from diffusers import UNet3DConditionModel
    from PIL import Image
    from transformers import CLIPTokenizer

    single_threaded_processes()
    torch.manual_seed(recipe.seed)
    tokenizer = CLIPTokenizer.from_pretrained(str(image_run / "tokenizer"))
    basis = PatchBasis.load(basis_path)
    clips = Clips.open(clips_folder)
    image_model: Any = load_image_model(image_run, len(tokenizer))
    unet = UNet3DConditionModel(**VIDEO_UNET)
    new = set(inflate(image_model.unet, unet))
    temporal = [p for name, p in unet.named_parameters() if name in new]
    spatial = [p for name, p in unet.named_parameters() if name not in new]
    groups = [{"params": temporal, "rate": 1.0}, {"params": spatial, "rate": 0.3}]
    fit = Fit(recipe, unet, options, groups)
    module: Any = fit.module
    text_model = image_model.text.to(fit.device)
    schedule = Schedule(fit.device)
    share = max(recipe.batch // fit.accelerator.num_processes, 1)
    mirror = mirror_matrix(basis)

    def loss(step: int, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        chosen = np.sort(rng.choice(len(clips), share, replace=False))
        clean = torch.from_numpy(clips.latents[chosen]).float()  # [n, F, C, h, w]
        subjects = torch.from_numpy(clips.subjects[chosen]).float() / 255
        captions = [str(clips.rows[int(i)]["caption"]) for i in chosen]
        for k in range(share):
            if rng.random() < 0.5:
                clean[k] = torch.einsum("fchw,cd->fdhw", clean[k].flip(3), mirror)
                subjects[k] = subjects[k].flip(2)
                captions[k] = mirrored_caption(captions[k])
            if rng.random() < BARE:
                captions[k] = bare_caption_of(clips.rows[int(chosen[k])])
            if rng.random() < recipe.text_dropout:
                captions[k] = ""
        if rng.random() < halved(step, fit.steps):
            # Every other frame: half the cost, and the same directions to learn.
            clean, subjects = clean[:, ::2], subjects[:, ::2]
        clean = clean.permute(0, 2, 1, 3, 4).to(fit.device)
        steps = torch.from_numpy(recipe.timesteps(rng, share)).to(fit.device)
        noisy, target = schedule.noisy(clean, steps)
        with torch.no_grad():
            text = text_model(token_ids(tokenizer, captions).to(fit.device)).last_hidden_state
        output = module(noisy, steps, text).sample
        value, plain = weighted_error(
            output, target, subjects.unsqueeze(1).to(fit.device), recipe.weight_at(step, fit.steps)
        )
        return value, {"plain": float(plain.detach())}

    def sheet(path: Path) -> None:
        with torch.no_grad(), fit.autocast():
            count = len(SHEET_PROMPTS)
            text = text_model(token_ids(tokenizer, ["", *SHEET_PROMPTS]).to(fit.device)).last_hidden_state
            both = torch.cat([text[:1].expand(count, -1, -1), text[1:]])

            def denoise(latents: Tensor, timestep: Tensor) -> tuple[Tensor, Tensor]:
                empty, full = module(torch.cat([latents, latents]), timestep, both).sample.chunk(2)
                return empty, full

            latents = schedule.sample(denoise, (count, LATENT_CHANNELS, 16, 16, 16), 12, 5.0, seed=0)
        flat = latents.permute(0, 2, 1, 3, 4)[:, ::3].reshape(-1, LATENT_CHANNELS, 16, 16)
        pictures = ((basis.decode(flat).clamp(-1, 1) + 1) * 127.5).byte().permute(0, 2, 3, 1).cpu().numpy()
        strips = pictures.reshape(count, -1, *pictures.shape[1:])
        Image.fromarray(np.concatenate([np.concatenate(list(strip), 1) for strip in strips], 0)).save(path)

    fit.run(loss, sheet)
    return fit


def halved(step: int, steps: int) -> float:
    """Share of batches at every other frame: all in the first three fifths of the steps, then none."""
    return 1.0 if step < 0.6 * steps else 0.0
