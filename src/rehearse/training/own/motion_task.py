"""Training a motion adapter of PIA's kind for any Stable Diffusion checkpoint (PIA, section 3.2).

Motion modules go between the layers of the image model, and its input layer also reads the latents of a
picture and the affinity of each frame to it. The image model's own weights stay as they are: the adapter is
what is trained and what is written, and the folder that holds it is a model for ``--model``.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rehearse.models.affinity import affinity
from rehearse.models.motion_unet import with_motion
from rehearse.training.inflate import silent_adapter
from rehearse.training.own.base import Base, alphabars
from rehearse.training.own.errors import TrainingError
from rehearse.training.own.forward_process import noised
from rehearse.training.own.partly_trained import PartlyTrained
from rehearse.training.own.precision import FORMATS
from rehearse.training.own.run_facts import facts_of
from rehearse.training.own.samples import Draw, Sample, Samples
from rehearse.training.own.settings import Recipe, Running
from rehearse.training.own.sharded import whole
from rehearse.training.own.target_task import reachable, write_json
from rehearse.training.own.task import Figures
from rehearse.training.picture_condition import distance, draw_condition

_HEADS, _POSITIONS = 8, 32
"""The published motion modules': attention heads, and frames that they tell apart."""
_UNIT_CLIPS = 256
_AMOUNT = 0.5


class MotionDenoiser(nn.Module):
    """A UNetMotionModel on latents ``[batch, channels, frames, h, w]`` and one text a clip."""

    def __init__(self, unet: Any) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, latents: Tensor, timesteps: Tensor, text: Tensor) -> Tensor:
        """The prediction ``[batch, C, frames, h, w]``. text: ``[batch, tokens, width]``."""
        every = text.repeat_interleave(latents.shape[2], dim=0)
        output: Tensor = self.unet(latents, timesteps, encoder_hidden_states=every, return_dict=False)[0]
        return output


class MotionTask:
    """A motion adapter. The loss is the plain mean squared error of what the model predicts."""

    def __init__(
        self,
        base: Base,
        samples: Samples,
        recipe: Recipe,
        running: Running,
        device: torch.device,
        held_out: Samples | None = None,
    ) -> None:
        self.held_out = held_out
        self.base, self.samples, self.recipe, self.running, self.device = (
            base,
            samples,
            recipe,
            running,
            device,
        )
        self.config = adapter_config(base.config, samples.shape.frames)
        torch.manual_seed(recipe.seed)
        unet = with_motion(base.load_unet(), silent_adapter(self.config))
        kind = FORMATS[recipe.precision]
        for name, parameter in unet.named_parameters():
            trained = "motion_modules" in name or name == "conv_in.weight"
            parameter.requires_grad_(trained)
            if not trained:
                parameter.data = parameter.data.to(kind)
        # Of the input layer, what reads the noisy latents is the image model's and stays.
        unet.conv_in = PartlyTrained(unet.conv_in, int(base.config["in_channels"]))
        if running.checkpointing:
            unet.enable_gradient_checkpointing()
        self.module: nn.Module = MotionDenoiser(unet.to(device).train())
        self.unet = unet
        self._alphabars = alphabars(base.scheduler)
        self._prediction = str(base.scheduler.config.prediction_type)
        self.unit = self._farthest()
        self.facts = facts_of(base, samples, recipe)

    def _farthest(self) -> float:
        """How far frames get from the first: the 95th percentile over the first clips, the unit of
        affinity."""
        away = []
        for row in range(min(_UNIT_CLIPS, len(self.samples))):
            latents = self.samples.sample(row).latents[None]
            away.append(distance(latents, latents[:, :1])[0, 1:])
        return max(float(torch.quantile(torch.cat(away), 0.95)), 1e-6)

    def groups(self) -> list[dict[str, Any]]:
        named = [(name, p) for name, p in self.module.named_parameters() if p.requires_grad]
        modules = [p for name, p in named if "motion_modules" in name]
        # No decay: it would shrink the image model's part of the layer as well.
        entrance = [p for name, p in named if "motion_modules" not in name]
        return [
            {"params": modules, "weight_decay": self.recipe.weight_decay},
            {"params": entrance, "weight_decay": 0.0},
        ]

    def loss(
        self, module: nn.Module, batch: Sequence[Draw], step: int | None, rows: Samples | None = None
    ) -> tuple[Tensor, Figures]:
        samples = [(rows or self.samples).sample(draw.row) for draw in batch]
        clean = torch.stack([sample.latents for sample in samples])
        conditions = [
            draw_condition(clip[None].transpose(1, 2), self.unit, np.random.default_rng([*draw.seed, 1]))
            for clip, draw in zip(clean, batch, strict=True)
        ]
        dropout = 0.0 if step is None else self.recipe.text_dropout
        state = noised(clean, batch, self._alphabars, dropout, self.device)
        empty = self.samples.empty_text
        shown = [s.text if keep else empty for s, keep in zip(samples, state.text.tolist(), strict=True)]
        latents = torch.cat([state.noisy.transpose(1, 2), torch.cat(conditions).to(self.device)], dim=1)
        output = module(latents, state.timesteps, torch.stack(shown).to(self.device)).float().transpose(1, 2)
        value = (output - self._wanted(state.clean, state.noise, state.alphabar)).square().mean()
        return value, {}

    def _wanted(self, clean: Tensor, noise: Tensor, alphabar: Tensor) -> Tensor:
        signal = alphabar.view(-1, *[1] * (clean.ndim - 1))
        if self._prediction == "v_prediction":
            return signal.sqrt() * noise - (1 - signal).sqrt() * clean
        return noise if self._prediction == "epsilon" else clean

    @torch.no_grad()
    def make(
        self, sample: Sample, steps: int, guidance: float, seed: int = 0
    ) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """A clip from a row's first frame and caption at a moderate motion, uint8 ``[F, H, W, 3]``; DDIM."""
        scheduler = self.base.scheduler
        clean = sample.latents[None].transpose(1, 2)
        frames = clean.shape[2]
        near = torch.tensor(affinity(frames, _AMOUNT)).view(1, 1, frames, 1, 1)
        near = near.expand(-1, -1, -1, *clean.shape[3:])
        beside = torch.cat([near, clean[:, :, :1].expand(-1, -1, frames, -1, -1)], dim=1)
        beside = torch.cat([torch.zeros_like(beside), beside]).to(self.device)
        text = torch.stack([self.samples.empty_text, sample.text]).to(self.device)
        latents = torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed)).to(self.device)
        scheduler.set_timesteps(steps)
        kind = FORMATS[self.recipe.precision]
        for timestep in scheduler.timesteps:
            inputs = torch.cat([latents.expand(2, -1, -1, -1, -1), beside], dim=1)
            with torch.autocast(self.device.type, kind, enabled=kind != torch.float32):
                output = self.module(inputs, timestep.expand(2).to(self.device), text)
            empty, full = output.float().chunk(2)
            guided = empty + guidance * (full - empty)
            latents = scheduler.step(guided, timestep, latents, return_dict=False)[0]
        return self.base.decode(latents.float().cpu().transpose(1, 2))[0]

    def sheet(self, path: Path | None) -> None:
        """Some rows, each as a clip made now from its first frame."""
        from rehearse.training.own.sheet import SheetRow, write_training_sheet

        rows, samples = [], self.held_out or self.samples
        guidance = self.base.guidance if self.running.guidance is None else self.running.guidance
        for row in range(min(self.running.sheet_rows, len(samples))):
            made = self.make(samples.sample(row), self.running.sheet_steps, guidance)
            none = np.zeros((0, 1, 1), np.float32)
            rows.append(SheetRow(samples.prompt(row), samples.frames(row)[0], none, None, made))
        if path is not None:
            write_training_sheet(path, rows)

    def export(self, folder: Path, step: int, write: bool = True) -> Path:
        from diffusers import MotionAdapter

        adapter: Any = MotionAdapter(**self.config)
        weights = self.unet.state_dict()
        adapter.load_state_dict({name: whole(weights[name]).float().cpu() for name in adapter.state_dict()})
        place, part = folder / "motion_adapter", folder / ".motion_adapter.part"
        if not write:
            return place
        shutil.rmtree(part, ignore_errors=True)
        try:
            adapter.save_pretrained(part, safe_serialization=True)
            shutil.rmtree(place, ignore_errors=True)
            part.replace(place)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        said = {
            "base": reachable(self.base.folder),
            "picture_guidance": True,
            "defaults": self.samples.made_like,
        }
        write_json(folder / "rehearse.json", said)
        return place


def adapter_config(unet: dict[str, Any], frames: int) -> dict[str, Any]:
    """Settings of a MotionAdapter of PIA's kind for an image UNet's settings. Raises TrainingError where its
    levels differ in depth, which motion modules cannot follow."""
    layers, widths = unet["layers_per_block"], list(unet["block_out_channels"])
    if not isinstance(layers, int):
        raise TrainingError(
            "--base has levels of different depth, which a motion adapter does not fit; use SD 1.x"
        )
    # As many heads as every width parts into.
    heads = next(n for n in range(_HEADS, 0, -1) if all(width % n == 0 for width in widths))
    return {
        "block_out_channels": widths,
        "motion_layers_per_block": layers,
        "motion_num_attention_heads": heads,
        "motion_norm_num_groups": unet.get("norm_num_groups") or 32,
        "motion_max_seq_length": max(_POSITIONS, frames),
        "use_motion_mid_block": True,
        "conv_in_channels": 1 + 2 * int(unet["in_channels"]),
    }
