"""Training a CogVideoX image-to-video model: with masks and the attention loss, or a plain LoRA without."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rehearse.home import at_home
from rehearse.models.cogvideox_positions import rotary_positions
from rehearse.models.folder import ModelFolder
from rehearse.models.target_adapter import save_target_adapter
from rehearse.models.target_conditioning import TRIGGERS, grow_for_masks, mask_channels
from rehearse.shot.grid import pool
from rehearse.training.own.attention_column import Reach, Watch, WatchedTransformer
from rehearse.training.own.base import Base, alphabars
from rehearse.training.own.blocks import BlockChoice
from rehearse.training.own.errors import TrainingError
from rehearse.training.own.forward_process import noised
from rehearse.training.own.losses import (
    clean_of,
    column_error,
    inside_outside,
    normalised,
    over_present,
    reconstruction,
)
from rehearse.training.own.precision import FORMATS
from rehearse.training.own.run_facts import facts_of
from rehearse.training.own.samples import Draw, Sample, Samples
from rehearse.training.own.settings import ColumnRecipe, LoraRecipe, Recipe, Running
from rehearse.training.own.sharded import whole
from rehearse.training.own.task import Figures, looking

_OFS = 2.0
"""The one value of CogVideoX 1.5's extra embedding that it was trained with."""
_MEASURED_ROWS, _MEASURED_TIMES = 8, (0.3, 0.5, 0.7)


class TargetTask:
    """Target conditioning, or a plain LoRA where ``column`` is None.

    The loss is ``L_rec + weight * E||A - M||^2`` over the blocks drawn for the step. The column and the mask
    are compared at first-latent-frame tokens.
    """

    def __init__(
        self,
        base: Base,
        samples: Samples,
        recipe: Recipe,
        lora: LoraRecipe,
        column: ColumnRecipe | None,
        running: Running,
        device: torch.device,
        held_out: Samples | None = None,
    ) -> None:
        self.held_out = held_out
        self.base, self.samples, self.recipe, self.column = base, samples, recipe, column
        self.lora, self.running, self.device = lora, running, device
        self.masks = samples.masks if column is not None else 0
        transformer: Any = base.load_transformer()
        if recipe.precision != "no":
            transformer.to(FORMATS[recipe.precision])
        self._patch, self._patch_t = int(base.config["patch_size"]), int(base.config.get("patch_size_t") or 1)
        if self.masks:
            grow_for_masks(transformer, self.masks)
        _add_lora(transformer, lora, recipe.seed)
        if self.masks:
            for parameter in transformer.patch_embed.proj.parameters():
                parameter.data = parameter.data.float()
                parameter.requires_grad_(True)
        self.module: nn.Module = WatchedTransformer(transformer.to(device))
        self._watched: WatchedTransformer = self.module
        if running.checkpointing:
            self._watched.checkpoint_gradients()
        self._alphabars = alphabars(base.scheduler)
        self._prediction = str(base.scheduler.config.prediction_type)
        self._rotary: dict[tuple[int, int, int], Any] = {}
        self.choice = None if column is None else BlockChoice.read(column.blocks, base.blocks, column.draw)
        self.candidates: tuple[int, ...] = ()
        self.facts = facts_of(base, samples, recipe, lora, column)

    @property
    def transformer(self) -> Any:
        """The stock transformer inside."""
        return self._watched.transformer

    def groups(self) -> list[dict[str, Any]]:
        named = [(name, p) for name, p in self.module.named_parameters() if p.requires_grad]
        # No decay of the projection: most of it is the base's.
        plain = [p for name, p in named if "patch_embed" in name and "lora_" not in name]
        adapted = [p for name, p in named if "lora_" in name]
        groups: list[dict[str, Any]] = [{"params": adapted, "weight_decay": self.recipe.weight_decay}]
        return groups + ([{"params": plain, "weight_decay": 0.0}] if plain else [])

    def choose_blocks(self, told: Callable[[str], None]) -> dict[str, Any]:
        """Choose the candidates, by measuring the untrained model where asked to; what to keep of it."""
        if self.choice is None:
            return {}
        scores = None
        if self.choice.way == "measured":
            told("measuring which blocks' attention matches the masks")
            scores = self.measure()
        self.candidates = self.choice.candidates(self.base.blocks, self.recipe.seed, scores)
        return {"candidates": list(self.candidates), "scores": scores and [round(x, 4) for x in scores]}

    @torch.no_grad()
    def measure(self) -> list[float]:
        """For each block, how well its maps match the masks: the mean over rows, noise levels and roles of
        ``log(mean attention to the phrase inside / outside)``. Deterministic; the first rows are taken."""
        with looking(self.module):
            return self._measured()

    def _measured(self) -> list[float]:
        rows = list(range(min(_MEASURED_ROWS, len(self.samples))))
        total = torch.zeros(self.base.blocks)
        for row in rows:
            sample = self.samples.sample(row)
            for time in _MEASURED_TIMES:
                # The trigger is new to the base: what it knows is the words behind it.
                step, every = round(time * (len(self._alphabars) - 1)), range(self.base.blocks)
                columns, masks = self._maps(sample, step, every, sample.phrases)
                inside, outside = inside_outside(columns, masks)
                ratio = (inside.clamp(min=1e-12) / outside.clamp(min=1e-12)).log().cpu()
                present = (sample.phrases.sum(dim=-1) > 0).float()[None]
                total += over_present(ratio, present).mean(dim=1)
        return [float(score) for score in total / (len(rows) * len(_MEASURED_TIMES))]

    def loss(
        self, module: nn.Module, batch: Sequence[Draw], step: int | None, rows: Samples | None = None
    ) -> tuple[Tensor, Figures]:
        samples = [(rows or self.samples).sample(draw.row) for draw in batch]
        clean = torch.stack([self._padded(sample.latents) for sample in samples])
        dropout = 0.0 if step is None else self.recipe.text_dropout
        state = noised(clean, batch, self._alphabars, dropout, self.device)
        empty = self.samples.empty_text
        shown = [s.text if keep else empty for s, keep in zip(samples, state.text.tolist(), strict=True)]
        beside = torch.stack([self._beside(sample) for sample in samples]).to(self.device)
        watch, masks, present = self._watch(samples, state.text, step)
        output, columns = module(
            *self._inputs(state.noisy, beside, torch.stack(shown), state.timesteps), watch
        )
        prediction = clean_of(output.float(), state.noisy, state.alphabar, self._prediction)
        rebuilt = reconstruction(prediction, state.clean, state.alphabar).mean()
        if columns is None or self.column is None:
            return rebuilt, {"reconstruction": rebuilt.detach()}
        error = column_error(normalised(columns, self.column.normalisation), masks, present)
        # Clips without text have no word to look at: the figures are means over those that have.
        share = present.mean()
        looked = {"attention": torch.stack([error.detach(), present.amax(dim=-1).mean()])}
        for name, part in zip(("inside", "outside"), inside_outside(columns.detach(), masks), strict=True):
            looked[name] = torch.stack([(part * present).mean(), share])
        return rebuilt + self.column.weight * error, {"reconstruction": rebuilt.detach(), **looked}

    def _watch(
        self, samples: Sequence[Sample], text: Tensor, step: int | None
    ) -> tuple[Watch | None, Tensor, Tensor]:
        """What to read at this step, the masks over first-frame tokens, and which words are in the
        prompts."""
        words = torch.stack([sample.words for sample in samples]).to(self.device)
        words = words * text.view(-1, 1, 1)
        masks = torch.stack([self._token_masks(sample) for sample in samples]).to(self.device)
        present = (words.sum(dim=-1) > 0).float()
        # Without a weight the maps are only looked at, and only where they are logged.
        if self.choice is None or self.column is None:
            return None, masks, present
        if step is None:
            return self._request(words, frozenset(self.candidates)), masks, present
        if self.column.weight == 0 and (step + 1) % self.running.log_every:
            return None, masks, present
        blocks = self.choice.at(step, self.recipe.seed, self.candidates)
        return self._request(words, blocks), masks, present

    def _request(self, words: Tensor, blocks: frozenset[int]) -> Watch:
        assert self.column is not None
        reach: Reach = "text" if self.column.normalisation == "text" else "joint"
        height, width = self._grid
        return Watch(words, blocks, height * width, self.column.direction, reach)

    @property
    def _grid(self) -> tuple[int, int]:
        """Tokens of one frame: height, width."""
        cell = self.base.codec_factor * self._patch
        return self.samples.shape.height // cell, self.samples.shape.width // cell

    def _token_masks(self, sample: Sample) -> Tensor:
        """``[roles, tokens of the first frame]``, the marked part of each token's area."""
        pooled = [pool(mask.numpy(), *self._grid) for mask in sample.masks]
        tokens = self._grid[0] * self._grid[1]
        return torch.from_numpy(np.stack(pooled)).flatten(1) if pooled else torch.zeros(0, tokens)

    def _padded(self, latents: Tensor) -> Tensor:
        """1.5 patches frames in pairs: what a pair lacks is the first frame again, in front."""
        lacking = -latents.shape[0] % self._patch_t
        return torch.cat([latents[:1].expand(lacking, -1, -1, -1), latents]) if lacking else latents

    def _beside(self, sample: Sample) -> Tensor:
        """Channels beside the noisy latents, ``[F, C + masks, h, w]``: picture and masks in frame 0."""
        frames = sample.latents.shape[0] + -sample.latents.shape[0] % self._patch_t
        channels, height, width = sample.picture.shape
        beside = torch.zeros(frames, channels + self.masks, height, width)
        beside[0, :channels] = sample.picture
        for index, mask in enumerate(sample.masks[: self.masks]):
            if bool(mask.any()):  # an actor's may be missing
                beside[:, channels + index] = mask_channels(mask[None], frames, height, width)[0]
        return beside

    def _inputs(self, noisy: Tensor, beside: Tensor, text: Tensor, timesteps: Tensor) -> tuple[Any, ...]:
        """Arguments of :class:`WatchedTransformer`, in the number format of its weights."""
        kind = FORMATS[self.recipe.precision]
        latents = torch.cat([noisy, beside], dim=2).to(kind)
        size = (noisy.shape[1], noisy.shape[3], noisy.shape[4])
        if size not in self._rotary:
            self._rotary[size] = rotary_positions(self.transformer, *size, device=self.device)
        ofs = None
        if self.base.config.get("ofs_embed_dim") is not None:
            ofs = torch.full((1,), _OFS, device=self.device, dtype=kind)
        return latents, timesteps.to(self.device), text.to(self.device, kind), self._rotary[size], ofs

    @torch.no_grad()
    def _maps(
        self, sample: Sample, timestep: int, blocks: Sequence[int], words: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Columns of one clip at one noise level, ``[blocks, 1, roles, tokens]``, and its masks. words: which
        tokens are looked at, as in a Sample."""
        clean = self._padded(sample.latents)[None]
        noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(timestep))
        signal = self._alphabars[timestep]
        noisy = (signal.sqrt() * clean + (1 - signal).sqrt() * noise).to(self.device)
        beside, text = self._beside(sample)[None].to(self.device), sample.text[None]
        watch = self._request(words[None].to(self.device), frozenset(blocks))
        inputs = self._inputs(noisy, beside, text, torch.tensor([timestep]))
        with self._autocast():
            _, columns = self._watched(*inputs, watch)
        assert columns is not None
        return columns, self._token_masks(sample)[None].to(self.device)

    def _autocast(self) -> Any:
        kind = FORMATS[self.recipe.precision]
        return torch.autocast(self.device.type, kind, enabled=kind != torch.float32)

    @torch.no_grad()
    def make(
        self, sample: Sample, steps: int, guidance: float, seed: int = 0
    ) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """A clip of a row's first frame, caption and masks, uint8 ``[F, H, W, 3]``; DDIM."""
        scheduler = self.base.scheduler
        clean = self._padded(sample.latents)[None]
        latents = torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed)).to(self.device)
        # Picture and masks go to both branches.
        beside = self._beside(sample)[None].to(self.device).expand(2, -1, -1, -1, -1)
        text = torch.stack([self.samples.empty_text, sample.text])
        scheduler.set_timesteps(steps)
        for timestep in scheduler.timesteps:
            inputs = self._inputs(latents.expand(2, -1, -1, -1, -1), beside, text, timestep.expand(2))
            with self._autocast():
                output, _ = self._watched(*inputs)
            empty, full = output.float().chunk(2)
            latents = scheduler.step(empty + guidance * (full - empty), timestep, latents, return_dict=False)[
                0
            ]
        return self.base.decode(latents.float().cpu())[0]

    def sheet(self, path: Path | None) -> None:
        """Some rows: the first frame with its masks, the mean attention map over it, and a clip made now."""
        from rehearse.training.own.sheet import SheetRow, write_training_sheet

        rows, samples = [], self.held_out or self.samples
        middle = len(self._alphabars) // 2
        guidance = self.base.guidance if self.running.guidance is None else self.running.guidance
        for row in range(min(self.running.sheet_rows, len(samples))):
            sample, heat = samples.sample(row), None
            if self.candidates and sample.masks.shape[0]:
                columns, _ = self._maps(sample, middle, self.candidates, sample.words)
                heat = columns.mean(dim=0)[0].reshape(-1, *self._grid).cpu().numpy()
            made = self.make(sample, self.running.sheet_steps, guidance)
            rows.append(
                SheetRow(samples.prompt(row), samples.frames(row)[0], sample.masks.numpy(), heat, made)
            )
        if path is not None:
            write_training_sheet(path, rows)

    def export(self, folder: Path, step: int, write: bool = True) -> Path:
        from peft import get_peft_model_state_dict

        state = {
            name: whole(x).float().cpu() for name, x in get_peft_model_state_dict(self.transformer).items()
        }
        proj = self.transformer.patch_embed.proj
        projection = {name: whole(x).float() for name, x in proj.named_parameters() if "lora_" not in name}
        said: dict[str, Any] = {"base": reachable(self.base.folder), "defaults": self.samples.made_like}
        if self.column is None:
            path = folder / "pytorch_lora_weights.safetensors"
            if write:
                _save_lora(path, state, self.lora)
            said["loras"] = [{"file": path.name, "scale": 1.0}]
        else:
            path = folder / "adapter.safetensors"
            # Of the data, its key says what is needed of its shape.
            told = {
                **{name: fact for name, fact in self.facts.items() if name not in self.samples.shape.facts},
                "modules": list(self.lora.modules),
                "base": self.base.folder.identity,
                "trigger": TRIGGERS["target"],
                "steps": step,
                "blocks_read": list(self.candidates),
            }
            if write:
                save_target_adapter(path, state, projection, told)
            said["target_adapter"] = path.name
        if write:
            write_json(folder / "rehearse.json", said)
        return path


def _add_lora(transformer: Any, lora: LoraRecipe, seed: int) -> None:
    from peft import LoraConfig

    layers = [name for name, _ in transformer.named_modules()]
    for module in lora.modules:
        # PEFT asks only that some of them are there: a slip in one would be trained without it.
        if not any(name == module or name.endswith(f".{module}") for name in layers):
            raise _no_such_layers(lora, f"none is called {module}")
    torch.manual_seed(seed)
    config = LoraConfig(
        r=lora.rank, lora_alpha=lora.alpha, target_modules=list(lora.modules), init_lora_weights=True
    )
    try:
        transformer.add_adapter(config)
    except ValueError as error:
        raise _no_such_layers(lora, "some are no linear layers, but hold them") from error
    if any(name.startswith("patch_embed.proj.lora_") for name, _ in transformer.named_parameters()):
        raise TrainingError(
            f"--modules is {','.join(lora.modules)}: that takes in patch_embed.proj, the input layer, which "
            "takes no LoRA; name the others further, such as net.0.proj"
        )
    for name, parameter in transformer.named_parameters():
        if "lora_" in name:
            parameter.data = parameter.data.float()


def _no_such_layers(lora: LoraRecipe, why: str) -> TrainingError:
    return TrainingError(
        f"--modules is {','.join(lora.modules)}: the transformer has no such linear layers ({why}); the "
        "usual ones are to_q,to_k,to_v,to_out.0"
    )


def _save_lora(path: Path, state: dict[str, Tensor], lora: LoraRecipe) -> None:
    """A LoRA under diffusers' names, with its rank and alpha where diffusers looks for them."""
    from safetensors.torch import save_file

    from rehearse.media import replacing

    config = {
        "transformer.r": lora.rank,
        "transformer.lora_alpha": lora.alpha,
        "transformer.target_modules": list(lora.modules),
        "transformer.peft_type": "LORA",
    }
    header = {"format": "pt", "lora_adapter_metadata": json.dumps(config, sort_keys=True)}
    with replacing(path) as part:
        save_file({f"transformer.{name}": x.contiguous() for name, x in state.items()}, part, metadata=header)


def reachable(base: ModelFolder) -> str:
    """How a rehearse.json elsewhere names a base: a folder by its full path, others as they were named, also
    where a folder of that name happens to lie here."""
    named = at_home(base.identity)
    return str(named.resolve()) if named.resolve() == base.path.resolve() else base.identity


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file whole or not at all."""
    from rehearse.media import replacing

    with replacing(path) as part:
        part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
