"""Train equation 5's frame alignment layer for a frozen image-to-video model, on clips of the theatre.

The model predicts clean latents of noised clips as the loop sees them: under guidance, from the clip's first
frame as the picture. The layer learns to bring them nearer to the true clip.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.controls.frame_alignment import FrameAlignmentLayer, save_frame_alignment
from rehearse.models.affinity import affinity
from rehearse.models.errors import ModelError
from rehearse.models.model import VideoModel
from rehearse.models.registry import find_model, load_model
from rehearse.prediction import Prediction
from rehearse.sampling.guidance import guided
from rehearse.theatre.data import Clips, make_clips
from rehearse.theatre.recipes import ALIGNMENT, Recipe
from rehearse.training.fit import Fit, Options, single_threaded_processes

_TRAINED_FOR = "trained-for.txt"


class AlignmentError(ValueError):
    """There is no model to train a layer for, or the run belongs to another. ``str(error)`` is a sentence."""


def train_for(folder: Path, options: Options, recipe: Recipe = ALIGNMENT, workers: int | None = None) -> Fit:
    """Train the layer of the model in ``folder`` on clips of the theatre, rendered and encoded for it.

    Clips and layer lie in ``options.folder``. workers: processes that render; None takes one a core.
    Raises AlignmentError where that folder holds a run for other weights, ModelError where the model cannot
    be loaded.
    """
    mark, kept = _mark(folder), options.folder / _TRAINED_FOR
    if kept.exists() and kept.read_text().strip() != mark:
        raise AlignmentError(
            f"{options.folder} holds a layer for other weights than those in {folder}; remove it, and the "
            "layer is trained again from nothing"
        )
    model = load_model(str(folder), device=options.device or "auto")

    def encode(pictures: NDArray[np.uint8]) -> NDArray[np.float16]:
        parts = [model.encode_pictures(pictures[at : at + 64]) for at in range(0, len(pictures), 64)]
        encoded: NDArray[np.float16] = torch.cat(parts).half().numpy()
        return encoded

    options.folder.mkdir(parents=True, exist_ok=True)
    kept.write_text(mark + "\n")

    def tell(done: int) -> None:
        print(f"clips: {done} of {recipe.samples} rendered and encoded", file=sys.stderr)

    clips = make_clips(
        options.folder / "clips",
        recipe.samples,
        recipe.data_seed,
        encode,
        workers or os.cpu_count() or 1,
        progress=tell,
    )
    return train(options, model, clips, recipe)


def _mark(folder: Path) -> str:
    """Sha256 over the weights that the layer follows on: not over the layer, which lies beside them."""
    model, digest = find_model(str(folder)), hashlib.sha256()
    for component in ("unet", "motion_adapter", "text_encoder", "vae"):
        for file in model.weights(component):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def train(options: Options, model: VideoModel, clips: Clips, recipe: Recipe = ALIGNMENT) -> Fit:
    """Train the layer of ``model`` on ``clips``; it is saved as ``frame_alignment/`` in ``options.folder``.

    model: starts from a picture and stays as it is. clips: encoded with the model's own autoencoder.
    Logged beside the loss (mean squared error of the aligned x0): ``unaligned``, the same without the layer.
    Raises ModelError where the model starts from no picture.
    """
    single_threaded_processes()
    torch.manual_seed(recipe.seed)
    pictures = model.pictures
    if pictures is None:
        raise ModelError(f"model {model.identity!r} starts from no picture; choose one that does")
    scheduler = model.make_scheduler("ddim")
    signal: Tensor = scheduler.alphas_cumprod
    channels = model.latent_shape(1, model.defaults.height, model.defaults.width)[0]
    fit = Fit(recipe, FrameAlignmentLayer(channels), options)
    share = max(1, recipe.batch // fit.accelerator.num_processes)
    guidance = model.defaults.guidance

    def sees(clean: Tensor, caption: str, timestep: int, amount: float) -> tuple[Tensor, Tensor, float]:
        """What the model takes a noised clip for, the picture's latents, and the noise level."""
        alpha, sigma = float(signal[timestep].sqrt()), float((1 - signal[timestep]).sqrt())
        noisy = alpha * clean + sigma * torch.randn_like(clean)
        picture = clean[:, :, :1]
        near = affinity(clean.shape[2], amount, lists=pictures.affinity_lists)
        condition = pictures.condition(model.decode(picture)[0], near)
        text = model.encode(caption)
        empty, full = model.denoise(
            torch.cat([noisy, noisy]), torch.tensor(timestep), text, None, condition
        ).chunk(2)
        output = guided(model, empty, full, guidance, condition)
        seen = Prediction.from_output(output, noisy, alpha, sigma, model.prediction_type)
        return seen.x0, picture, sigma

    def loss(step: int, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        chosen = np.sort(rng.choice(len(clips), share, replace=False))
        steps = recipe.timesteps(rng, share)
        amounts = rng.random(share)
        aligned, plain = [], []
        for index, timestep, amount in zip(chosen, steps, amounts, strict=True):
            latents = torch.from_numpy(np.asarray(clips.latents[index], dtype=np.float32))
            clean = latents.transpose(0, 1)[None]
            with torch.no_grad():
                x0, picture, sigma = sees(
                    clean, str(clips.rows[int(index)]["caption"]), int(timestep), float(amount)
                )
            x0, picture, clean = (part.to(fit.device) for part in (x0, picture, clean))
            change = fit.module(x0, picture, sigma).float()
            aligned.append((x0 + change - clean).square().mean())
            plain.append((x0 - clean).square().mean())
        return torch.stack(aligned).mean(), {"unaligned": float(torch.stack(plain).mean())}

    fit.run(loss)
    if fit.main:
        with fit.averaged():
            assert isinstance(fit.module, FrameAlignmentLayer)
            save_frame_alignment(fit.module, options.folder)
    return fit
