"""Train ``theatre-video``, inflated from ``theatre-image``: text to a clip of the world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from torch import Tensor, nn

from rehearse.theatre.codec import PatchBasis
from rehearse.theatre.data import Clips, make_clips
from rehearse.theatre.recipes import LATENT_CHANNELS, TEXT_WIDTH, VIDEO, VIDEO_UNET, Recipe
from rehearse.training.clip_batches import draw_clips, halved, mirror_matrix
from rehearse.training.diffusion import Schedule, weighted_error
from rehearse.training.fit import Fit, Options, plain_attention, single_threaded_processes
from rehearse.training.inflate import inflate, louder_words
from rehearse.training.motion_tasks import motion_tasks
from rehearse.training.motion_words import MotionWords
from rehearse.training.part_head import PartHead
from rehearse.training.theatre_image import TextAndImage, token_ids
from rehearse.training.way_head import WayHead

SHEET_PROMPTS = (
    "a red ball moves right over the meadow", "a blue fish moves left over the sea",
    "a yellow car moves right in the city", "a white rocket moves up at night",
    "a purple balloon bounces in the snow", "a green bird arcs right in the desert",
)  # fmt: skip


class TextAndVideo(nn.Module):
    """The video denoiser with its text encoder, and the heads of its helper tasks."""

    def __init__(self, text: nn.Module) -> None:
        from diffusers import UNet3DConditionModel

        super().__init__()
        self.unet = UNet3DConditionModel(**VIDEO_UNET)
        self.text = text
        self.parts = PartHead(self.unet, moving=True)
        self.ways = WayHead(self.unet)
        self.words = MotionWords(TEXT_WIDTH)


def _reads_words(name: str) -> bool:
    """Whether a parameter of TextAndVideo belongs to the text encoder, a head, or cross-attention's keys."""
    return (
        name.startswith(("text.", "parts.", "ways.", "words."))
        or ".attn2.to_k." in name
        or ".attn2.to_v." in name
    )


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


def train(
    options: Options, clips_folder: Path, basis_path: Path, image_run: Path, recipe: Recipe = VIDEO
) -> Fit:
    """Train on encoded clips; the result is in ``options.folder``."""
    from PIL import Image
    from transformers import CLIPTokenizer

    single_threaded_processes()
    torch.manual_seed(recipe.seed)
    tokenizer = CLIPTokenizer.from_pretrained(str(image_run / "tokenizer"))
    basis = PatchBasis.load(basis_path)
    clips = Clips.open(clips_folder)
    image_model: Any = load_image_model(image_run, len(tokenizer))
    model: Any = TextAndVideo(image_model.text)
    model.parts.inherit(image_model.parts)
    new = {f"unet.{name}" for name in inflate(image_model.unet, model.unet)}
    louder_words(model.text)
    plain_attention(model.unet)
    # Stills never say how a thing moves: what reads the words learns at the pace of what is new.
    fast = [p for name, p in model.named_parameters() if name in new or _reads_words(name)]
    known = [p for name, p in model.named_parameters() if not (name in new or _reads_words(name))]
    fit = Fit(recipe, model, options, [{"params": fast, "rate": 1.0}, {"params": known, "rate": 0.3}])
    module: Any = fit.module
    schedule = Schedule(fit.device)
    share = max(recipe.batch // fit.accelerator.num_processes, 1)
    mirror = mirror_matrix(basis)

    def loss(step: int, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        batch = draw_clips(clips, share, recipe, mirror, halved(step, fit.steps), rng)
        clean = batch.clean.to(fit.device)
        steps = torch.from_numpy(recipe.timesteps(rng, share)).to(fit.device)
        noisy, target = schedule.noisy(clean, steps)
        text = module.text(token_ids(tokenizer, batch.captions).to(fit.device)).last_hidden_state
        output = module.unet(noisy, steps, text).sample
        value, plain = weighted_error(
            output, target, batch.subjects.unsqueeze(1).to(fit.device), recipe.weight_at(step, fit.steps)
        )
        helped, figures = motion_tasks(module, batch, clips, tokenizer, rng)
        return value + recipe.parts_weight * helped, {"plain": float(plain.detach()), **figures}

    def sheet(path: Path) -> None:
        with torch.no_grad(), fit.autocast():
            count = len(SHEET_PROMPTS)
            ids = token_ids(tokenizer, ["", *SHEET_PROMPTS]).to(fit.device)
            text = module.text(ids).last_hidden_state
            both = torch.cat([text[:1].expand(count, -1, -1), text[1:]])

            def denoise(latents: Tensor, timestep: Tensor) -> tuple[Tensor, Tensor]:
                empty, full = module.unet(torch.cat([latents, latents]), timestep, both).sample.chunk(2)
                return empty, full

            latents = schedule.sample(denoise, (count, LATENT_CHANNELS, 16, 16, 16), 12, 5.0, seed=0)
        flat = latents.permute(0, 2, 1, 3, 4)[:, ::3].reshape(-1, LATENT_CHANNELS, 16, 16)
        pictures = ((basis.decode(flat).clamp(-1, 1) + 1) * 127.5).byte().permute(0, 2, 3, 1).cpu().numpy()
        strips = pictures.reshape(count, -1, *pictures.shape[1:])
        Image.fromarray(np.concatenate([np.concatenate(list(strip), 1) for strip in strips], 0)).save(path)

    fit.run(loss, sheet)
    return fit
