"""The training loop that all theatre recipes share: resumable, logged, averaged, on any device.

Runs on whatever Accelerate finds: one process, several CPU processes (``torchrun``), or GPUs. A run
folder holds ``state.safetensors`` (weights, optimiser moments, average), ``log.jsonl`` and sample sheets.
Every batch depends on the seed, the step and the process rank alone, so a resumed run continues as if
it had not stopped. The number format is the hardware's choice (``models/precision.py``); each line of the log
says which it was.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from rehearse.models.precision import choose_precision
from rehearse.theatre.recipes import Recipe

Loss = Callable[[int, np.random.Generator], tuple[Tensor, dict[str, float]]]


@dataclass
class Options:
    """How a run behaves on this machine (none of it changes the result of the recipe but ``steps``).

    folder: the run's folder. steps: overrides the recipe's. log_every, save_every: in steps.
    save_seconds: after that long a checkpoint is written whatever the step. sheet_seconds: time between
    sample sheets; 0 for none. device: None picks a GPU where there is one. until: when, by
    ``time.monotonic()``, it has to be done: the steps are cut to what the pace of the first ones allows.
    """

    folder: Path
    steps: int | None = None
    log_every: int = 25
    save_every: int = 250
    save_seconds: float = 240.0
    sheet_seconds: float = 240.0
    device: str | None = None
    until: float | None = None


@contextmanager
def cheap_attention(device: torch.device) -> Iterator[None]:
    """On CPUs the backward pass of fused bf16 attention is the slowest part of a UNet; plain matrix
    products are about twice as fast there."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    if device.type != "cpu":
        yield
        return
    with sdpa_kernel(SDPBackend.MATH):
        yield


def plain_attention(unet: Any) -> None:
    """Attention as two matrix products and a softmax: small maps train fastest so on CPUs."""
    from diffusers.models.attention_processor import AttnProcessor

    unet.set_attn_processor(AttnProcessor())


def no_dropout(module: nn.Module) -> None:
    """Small models on endless data underfit; dropout only costs."""
    for child in module.modules():
        if isinstance(child, nn.Dropout):
            child.p = 0.0


_WARM, _PACED = 3, 15
"""Steps of a call that count for no pace, and that the pace is taken after."""


def rate_at(step: int, recipe: Recipe, steps: int) -> float:
    """Factor on the peak learning rate: linear warm-up, then half a cosine to zero."""
    if step < recipe.warmup:
        return (step + 1) / recipe.warmup
    return 0.5 * (1 + math.cos(math.pi * min((step - recipe.warmup) / max(steps - recipe.warmup, 1), 1.0)))


class Fit:
    """A run of one recipe over one module."""

    def __init__(
        self,
        recipe: Recipe,
        module: nn.Module,
        options: Options,
        groups: list[dict[str, Any]] | None = None,
    ) -> None:
        """groups: AdamW parameter groups with ``params`` and ``rate`` (a factor on the recipe's rate)."""
        from accelerate import Accelerator

        cpu = options.device == "cpu" or not torch.cuda.is_available()
        self.accelerator = Accelerator(cpu=cpu, mixed_precision="no")
        self.device: torch.device = self.accelerator.device
        self.precision = choose_precision(str(self.device), use=f"{recipe.name}: training")
        self.recipe, self.options = recipe, options
        self.steps = options.steps or recipe.steps
        self.module = module.to(self.device)
        no_dropout(self.module)
        trained = groups or [{"params": [p for p in module.parameters() if p.requires_grad], "rate": 1.0}]
        self.factors = [group.pop("rate") for group in trained]
        self.optimizer = torch.optim.AdamW(
            trained, lr=recipe.rate, weight_decay=recipe.weight_decay, betas=(0.9, 0.99)
        )
        self.average = {name: p.detach().clone() for name, p in self.module.named_parameters()}
        self.step = 0
        self.folder = options.folder
        if self.main:
            print(f"{recipe.name}: trains on {self.precision}", file=sys.stderr)
            self.folder.mkdir(parents=True, exist_ok=True)
        self._resume()

    @property
    def main(self) -> bool:
        """Whether this process writes files."""
        return bool(self.accelerator.is_main_process)

    def autocast(self) -> Any:
        """The context of a forward pass: bf16 where the hardware multiplies in it, else float32."""
        return self.precision.scope()

    def run(self, loss: Loss, sheet: Callable[[Path], None] | None = None) -> None:
        """Train to the last step. ``loss(step, rng)`` gives the mean loss of this process's share of a batch
        and figures to log; ``sheet(path)`` draws samples of the averaged weights."""
        # Gradients are averaged by hand, once a step: no wrapper changes the modules' names, and a process
        # that shares its core with something else costs one wait a step instead of one a layer.
        world, rank = self.accelerator.num_processes, self.accelerator.process_index
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        last_log = last_sheet = last_save = time.monotonic()
        first_step, count = self.step, 0
        sums: dict[str, float] = {}
        began = warm = time.monotonic()
        while self.step < self.steps:
            factor = rate_at(self.step, self.recipe, self.steps)
            for group, own in zip(self.optimizer.param_groups, self.factors, strict=True):
                group["lr"] = self.recipe.rate * factor * own
            rng = np.random.default_rng([self.recipe.seed, self.step, rank])
            torch.manual_seed(int(rng.integers(2**62)))
            with self.autocast(), cheap_attention(self.device):
                value, figures = loss(self.step, rng)
            value.backward()
            if world > 1:
                flat = torch.cat([p.grad.reshape(-1) for p in parameters if p.grad is not None])
                flat = self.accelerator.reduce(flat, reduction="mean")
                at = 0
                for p in parameters:
                    if p.grad is not None:
                        p.grad.copy_(flat[at : at + p.grad.numel()].view_as(p.grad))
                        at += p.grad.numel()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            self.step += 1
            decay = min(self.recipe.average, (1 + self.step) / (10 + self.step))
            live = [p.detach() for p in self.module.parameters()]
            torch._foreach_lerp_(list(self.average.values()), live, 1 - decay)
            if self.step - first_step == _PACED and self.options.until is not None:
                pace = (time.monotonic() - warm) / (_PACED - _WARM)
                left_steps = int((self.options.until - time.monotonic()) / pace)
                self.steps = min(self.steps, self.step + max(left_steps, 1))
            elif self.step - first_step == _WARM:
                warm = time.monotonic()
            for name, figure in {"loss": float(value.detach()), **figures}.items():
                sums[name] = sums.get(name, 0.0) + figure
            count += 1
            if self.main and self.step % self.options.log_every == 0:
                now = time.monotonic()
                row: dict[str, Any] = {
                    "step": self.step,
                    **{name: round(total / count, 5) for name, total in sums.items()},
                }
                row["seconds_a_step"] = round((now - last_log) / count, 3)
                row["precision"] = str(self.precision.dtype).removeprefix("torch.")
                left = (self.steps - self.step) * (now - began) / (self.step - first_step)
                with (self.folder / "log.jsonl").open("a", encoding="utf-8") as log:
                    log.write(json.dumps(row) + "\n")
                told = "  ".join(f"{name} {figure}" for name, figure in row.items())
                print(
                    f"{self.recipe.name}: {told}  of {self.steps}, {left / 60:.0f} min left", file=sys.stderr
                )
                last_log, sums, count = now, {}, 0
            late = time.monotonic() - last_save > self.options.save_seconds
            if self.main and (late or self.step % self.options.save_every == 0 or self.step == self.steps):
                self._save()
                last_save = time.monotonic()
            due = self.options.sheet_seconds and time.monotonic() - last_sheet > self.options.sheet_seconds
            if sheet is not None and self.main and (due or self.step == self.steps):
                with self.averaged():
                    sheet(self.folder / f"sheet-{self.step:06d}.png")
                last_sheet = time.monotonic()

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The module with its averaged weights, for samples and export."""
        live = {name: p.detach().clone() for name, p in self.module.named_parameters()}
        self._load_parameters(self.average)
        self.module.eval()
        try:
            yield
        finally:
            self._load_parameters(live)
            self.module.train()

    def _load_parameters(self, values: dict[str, Tensor]) -> None:
        with torch.no_grad():
            for name, p in self.module.named_parameters():
                p.copy_(values[name])

    def _save(self) -> None:
        tensors = {f"live.{name}": p.detach() for name, p in self.module.named_parameters()}
        tensors |= {f"average.{name}": value for name, value in self.average.items()}
        names: dict[Tensor, str] = {p: name for name, p in self.module.named_parameters()}
        for p, moments in self.optimizer.state.items():
            for key in ("exp_avg", "exp_avg_sq", "step"):
                tensors[f"{key}.{names[p]}"] = moments[key]
        written = self.folder / "state.partial"
        save_file(
            {name: value.contiguous().cpu() for name, value in tensors.items()},
            str(written),
            metadata={"step": str(self.step), "recipe": self.recipe.name, "steps": str(self.steps)},
        )
        written.replace(self.folder / "state.safetensors")

    def _resume(self) -> None:
        path = self.folder / "state.safetensors"
        if not path.exists():
            return
        with safe_open(str(path), framework="pt", device="cpu") as file:
            self.step = int(file.metadata()["step"])
            with torch.no_grad():
                for name, p in self.module.named_parameters():
                    p.copy_(file.get_tensor(f"live.{name}"))
                    self.average[name] = file.get_tensor(f"average.{name}").to(self.device)
                    if f"exp_avg.{name}" in file.keys():  # noqa: SIM118 (safe_open is no mapping)
                        self.optimizer.state[p] = {
                            "step": file.get_tensor(f"step.{name}"),
                            "exp_avg": file.get_tensor(f"exp_avg.{name}").to(self.device),
                            "exp_avg_sq": file.get_tensor(f"exp_avg_sq.{name}").to(self.device),
                        }
        if self.main:
            print(f"{self.recipe.name}: continues at step {self.step} of {self.steps}", file=sys.stderr)


def load_averaged(module: nn.Module, run: Path) -> int:
    """Load the averaged weights of a run into a module of the same shape; returns the run's steps."""
    with safe_open(str(run / "state.safetensors"), framework="pt") as file, torch.no_grad():
        for name, p in module.named_parameters():
            p.copy_(file.get_tensor(f"average.{name}"))
        return int(file.metadata()["step"])


def finished(run: Path) -> bool:
    """Whether a run has come to the last step that it was called with."""
    path = run / "state.safetensors"
    if not path.exists():
        return False
    with safe_open(str(path), framework="pt") as file:
        said = file.metadata()
    # Runs of before this was said are taken for whole.
    return int(said["step"]) >= int(said.get("steps", said["step"]))


def single_threaded_processes() -> None:
    """One thread a process where several share a machine: their barriers stall each other otherwise."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        torch.set_num_threads(1)
