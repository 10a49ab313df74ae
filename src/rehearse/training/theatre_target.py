"""Train ``theatre-target`` from nothing: a first frame to a clip in which the actor reaches a prop.

The base of target conditioning: stock CogVideoX image-to-video, which never sees a mask. Which of the alike
props it goes to is its own affair; that it goes to one is what it has to learn.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rehearse.models.cogvideox_positions import rotary_positions
from rehearse.theatre.codec import PatchBasis
from rehearse.theatre.data import HELD_OUT, SIZE, Clips
from rehearse.theatre.parts import TARGET_KINDS
from rehearse.theatre.recipes import LATENT_CHANNELS, TARGET, TARGET_TEXT_ENCODER, TARGET_TRANSFORMER, Recipe
from rehearse.theatre.target_data import make_target_clips, target_clip
from rehearse.theatre.target_tokenizer import TARGET_TOKENS, target_tokenizer
from rehearse.theatre.world.target_scene import FRAMES
from rehearse.training.clip_batches import halved, mirror_matrix
from rehearse.training.diffusion import Schedule, weighted_error
from rehearse.training.fit import Fit, Options, single_threaded_processes
from rehearse.training.part_head import TokenPartHead
from rehearse.training.plain_joint_attention import plain_joint_attention

SHEET_CLIPS, SHEET_STEPS, SHEET_GUIDANCE = 9, 12, 3.0


class TextAndTarget(nn.Module):
    """The transformer with its text encoder, which learn together, and the head of the helper task."""

    def __init__(self, vocabulary: int) -> None:
        from diffusers import CogVideoXTransformer3DModel
        from transformers import T5Config, T5EncoderModel

        super().__init__()
        self.transformer: Any = CogVideoXTransformer3DModel(**TARGET_TRANSFORMER)
        self.text: Any = T5EncoderModel(T5Config(vocab_size=vocabulary, **TARGET_TEXT_ENCODER))
        self.parts = TokenPartHead(self.transformer, len(TARGET_KINDS) + 1)
        _begin_silent(self.transformer)

    def encode(self, ids: Tensor) -> Tensor:
        """Text of token ids ``[n, tokens]``, ``[n, tokens, width]``; padding is seen, as in the pipelines."""
        encoded: Tensor = self.text(ids).last_hidden_state
        return encoded

    def predict(self, noisy: Tensor, first: Tensor, steps: Tensor, text: Tensor, stride: int = 1) -> Tensor:
        """The v prediction ``[n, C, F, h, w]`` for noisy clips of that shape.

        first: clean latents of the first frames ``[n, C, h, w]``: they stand in latent frame 0, zeros behind.
        steps: ``[n]``. stride: the clips hold every stride-th frame of longer ones, at their own positions.
        """
        clips, _, frames, height, width = noisy.shape
        image = torch.zeros_like(noisy)
        image[:, :, 0] = first
        positions = rotary_positions(self.transformer, frames * stride, height, width, noisy.device)
        if positions is not None and stride > 1:
            cosines, sines = (
                p.view(frames * stride, -1, p.shape[-1])[::stride].flatten(0, 1) for p in positions
            )
            positions = cosines, sines
        output: Tensor = self.transformer(
            hidden_states=torch.cat([noisy, image], dim=1).transpose(1, 2),
            encoder_hidden_states=text,
            timestep=steps.expand(clips),
            image_rotary_emb=positions,
            return_dict=False,
        )[0]
        return output.transpose(1, 2)


def _begin_silent(transformer: Any) -> None:
    """Every block begins as the identity and the prediction as zero: the stock class leaves them random, as
    its weights come from files."""
    closed = [transformer.proj_out, transformer.norm_out.linear]
    for block in transformer.transformer_blocks:
        closed += [block.norm1.linear, block.norm2.linear]
    for layer in closed:
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)


@dataclass(frozen=True, eq=False, slots=True)
class TargetBatch:
    """Clips to learn from: clean latents ``[n, C, F, h, w]``, share of each cell that actor and props cover
    ``[n, F, h, w]``, parts int8 ``[n, F, h, w, 5]``, captions (some empty), stride of the kept frames."""

    clean: Tensor
    subjects: Tensor
    parts: Tensor
    captions: list[str]
    stride: int


def draw_batch(
    clips: Clips, count: int, recipe: Recipe, mirror: Tensor, every_other: float, rng: np.random.Generator
) -> TargetBatch:
    """A batch of different clips, half of them mirrored; arguments as of
    :func:`rehearse.training.clip_batches.draw_clips`."""
    chosen = np.sort(rng.choice(len(clips), count, replace=False))
    clean = torch.from_numpy(clips.latents[chosen]).float()  # [n, F, C, h, w]
    subjects = torch.from_numpy(clips.subjects[chosen]).float() / 255
    parts = torch.from_numpy(clips.parts[chosen])
    flipped = torch.from_numpy(rng.random(count) < 0.5)
    if flipped.any():
        # Batches are drawn inside the step's autocast; data keep their own precision.
        with torch.autocast("cpu", enabled=False):
            clean[flipped] = torch.einsum("nfchw,cd->nfdhw", clean[flipped].flip(4), mirror)
        subjects[flipped] = subjects[flipped].flip(3)
        turned = parts[flipped].flip(3)
        # What moved to the right moves to the left, and what lay right of a centre lies left of it.
        turned[..., 3] *= -1
        turned[..., 1] *= -1
        parts[flipped] = turned
    captions = [
        "" if rng.random() < recipe.text_dropout else str(clips.rows[int(i)]["caption"]) for i in chosen
    ]
    stride = 2 if rng.random() < every_other else 1
    clean, subjects, parts = clean[:, ::stride], subjects[:, ::stride], parts[:, ::stride]
    return TargetBatch(clean.permute(0, 2, 1, 3, 4), subjects, parts, captions, stride)


def prepare_clips(folder: Path, basis: PatchBasis, recipe: Recipe = TARGET, **options: Any) -> Clips:
    """Render and encode the clips of the recipe (continued where it stopped)."""

    def encode(pictures: NDArray[np.uint8]) -> NDArray[np.float16]:
        encoded: NDArray[np.float16] = basis.encode(torch.from_numpy(pictures)).half().numpy()
        return encoded

    return make_target_clips(folder, recipe.samples, recipe.data_seed, encode, **options)


def token_ids(tokenizer: Any, captions: list[str]) -> Tensor:
    """Padded token ids ``[n, TARGET_TOKENS]``."""
    ids: Tensor = tokenizer(
        captions, padding="max_length", truncation=True, max_length=TARGET_TOKENS, return_tensors="pt"
    ).input_ids
    return ids


def train(options: Options, clips_folder: Path, basis_path: Path, recipe: Recipe = TARGET) -> Fit:
    """Train on encoded clips; the result is in ``options.folder``."""
    from PIL import Image

    single_threaded_processes()
    torch.manual_seed(recipe.seed)
    tokenizer = target_tokenizer()
    basis, clips = PatchBasis.load(basis_path), Clips.open(clips_folder)
    fit = Fit(recipe, TextAndTarget(len(tokenizer)), options)
    module: Any = fit.module
    module.train()
    plain_joint_attention(module.transformer)
    schedule, mirror = Schedule(fit.device), mirror_matrix(basis)
    share = max(recipe.batch // fit.accelerator.num_processes, 1)

    def loss(step: int, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        batch = draw_batch(clips, share, recipe, mirror, halved(step, fit.steps), rng)
        clean = batch.clean.to(fit.device)
        steps = torch.from_numpy(recipe.timesteps(rng, share)).to(fit.device)
        noisy, target = schedule.noisy(clean, steps)
        text = module.encode(token_ids(tokenizer, batch.captions).to(fit.device))
        output = module.predict(noisy, clean[:, :, 0], steps, text, batch.stride)
        weight = recipe.weight_at(step, fit.steps)
        value, plain = weighted_error(output, target, batch.subjects.unsqueeze(1).to(fit.device), weight)
        named = module.parts.loss(batch.parts.to(fit.device))
        figures = {"plain": float(plain.detach()), "parts": float(named.detach())}
        return value + recipe.parts_weight * named, figures

    held_out = [target_clip(recipe.data_seed, HELD_OUT + index) for index in range(SHEET_CLIPS)]
    pictures = torch.from_numpy(np.stack([clip.frames[0] for clip in held_out]))

    def sheet(path: Path) -> None:
        """A row a clip, none of them trained on: its first frame, then every frame that was made of it."""
        count = len(held_out)
        first = basis.encode(pictures).to(fit.device)
        with torch.no_grad(), fit.autocast():
            text = module.encode(
                token_ids(tokenizer, ["", *(clip.caption for clip in held_out)]).to(fit.device)
            )
            both = torch.cat([text[:1].expand(count, -1, -1), text[1:]])

            def denoise(latents: Tensor, timestep: Tensor) -> tuple[Tensor, Tensor]:
                twice = torch.cat([latents, latents])
                steps = timestep.to(fit.device).expand(2 * count)
                empty, full = module.predict(twice, torch.cat([first, first]), steps, both).chunk(2)
                return empty, full

            size = (count, LATENT_CHANNELS, FRAMES, SIZE // 8, SIZE // 8)
            latents = schedule.sample(denoise, size, SHEET_STEPS, SHEET_GUIDANCE, seed=0)
        rows = torch.cat([first[:, None], latents.transpose(1, 2).float()], dim=1).cpu()
        drawn = (
            ((basis.decode(rows.flatten(0, 1)).clamp(-1, 1) + 1) * 127.5).byte().permute(0, 2, 3, 1).numpy()
        )
        strips = drawn.reshape(count, -1, *drawn.shape[1:])
        Image.fromarray(np.concatenate([np.concatenate(list(strip), 1) for strip in strips], 0)).save(path)

    fit.run(loss, sheet)
    return fit
