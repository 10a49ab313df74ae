"""The training loop of all tasks, on Accelerate: CPU, one GPU, or several through ``accelerate launch``.

One step is one batch of the recipe, whatever number of processes and accumulated parts share it. What a step
does follows from the recipe's seed and the step's number alone: a run that was stopped and continued takes
the clips in the same order, under the same noise, and reads the same blocks. On the same machine's CPU it is,
bit for bit, the run that never stopped; a GPU adds up in an order of its own, and the last bits differ.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rehearse.training.own.checkpoint import TrainingState, keeping_checkpoints, load_state, save_state
from rehearse.training.own.errors import TrainingError
from rehearse.training.own.held_out import held_out_figures
from rehearse.training.own.interruption import Interruption, Stopped
from rehearse.training.own.metrics import Metrics
from rehearse.training.own.samples import draws
from rehearse.training.own.settings import Recipe, Running
from rehearse.training.own.sharded import as_part, whole
from rehearse.training.own.task import Task, looking

_MOMENTS = ("step", "exp_avg", "exp_avg_sq")
_GENTLER = {
    "no": "a lower --rate",
    "bf16": "a lower --rate, or with --precision no",
    "fp16": "--precision bf16 or no, or with a lower --rate",
}
"""What to try where numbers run away, by the precision that it happened in."""


class Loop:
    """A run of one task. extra: JSON kept in every checkpoint, and given back by a resumed run."""

    def __init__(
        self,
        task: Task,
        rows: int,
        recipe: Recipe,
        running: Running,
        accelerator: Any,
        saved: TrainingState | None,
        extra: dict[str, Any],
    ) -> None:
        self.task, self.rows, self.recipe, self.running = task, rows, recipe, running
        self.accelerator, self.extra, self.folder = accelerator, extra, running.out
        self.share = share_of(recipe.batch, accelerator.num_processes, running.accumulate)
        self.step = 0
        self._norms: list[Tensor] = []
        # From the first step on, whatever loading and measuring left it in: sheets go back to it.
        task.module.train()
        optimizer = torch.optim.AdamW(task.groups(), lr=recipe.rate)
        self.module, self.optimizer = accelerator.prepare(task.module, optimizer)
        self.named: dict[str, nn.Parameter] = {
            name: p for name, p in accelerator.unwrap_model(self.module).named_parameters() if p.requires_grad
        }
        # Under FSDP every process takes part in whatever reads the weights.
        self.sharded = any(hasattr(p, "device_mesh") for p in self.named.values())
        if any("_fsdp_wrapped_module" in name or "_flat_param" in name for name in self.named):
            raise TrainingError(
                "accelerate is set to FSDP 1, which hides the names of the weights; set fsdp_version: 2"
            )
        self.average = self._averaging()
        if saved is not None:
            self._restore(saved)

    def _averaging(self) -> Any:
        if not self.recipe.ema:
            return None
        from diffusers.training_utils import EMAModel

        return EMAModel(list(self.named.values()), decay=self.recipe.ema)

    def run(self) -> None:
        """Train to the last step; checkpoints, sheets and what is exported at the end lie in
        ``running.out``. Raises Stopped after Ctrl-C, and TrainingError."""
        main = bool(self.accelerator.is_main_process)
        if not main:
            self._steps(None)
            return
        with Metrics(self.folder, self.running.steps, self.step, self.running.tensorboard) as metrics:
            self._steps(metrics)

    def _steps(self, metrics: Metrics | None) -> None:
        sums: dict[str, list[Tensor]] = {}
        if self.step:
            self._show(metrics, anew=False)
        began, first, logged = time.monotonic(), self.step, time.monotonic()
        with Interruption(self.accelerator) as interruption:
            while self.step < self.running.steps:
                for name, value in self._one().items():
                    sums.setdefault(name, []).append(value)
                self.step += 1
                last = self.step == self.running.steps
                if metrics is not None:
                    metrics.advance(self.step)
                due, stopping = self.step % self.running.log_every == 0, interruption.asked()
                saving = last or stopping or self.step % self.running.save_every == 0
                if due or saving:
                    # Before every checkpoint: one that holds NaN is worth nothing.
                    figures = self._means(sums)
                    self._refuse_no_number("gradient", [float(whole(norm)) for norm in self._norms])
                    now = time.monotonic()
                    figures["seconds_a_step"] = (now - logged) / max(len(sums["loss"]), 1)
                    left = (self.running.steps - self.step) * (now - began) / (self.step - first)
                    if metrics is not None and (due or last):
                        metrics.log(self.step, figures, left)
                    if due or last:
                        sums, logged, self._norms = {}, now, []
                if saving:
                    self._save()
                if stopping and not last:
                    # A launcher ends all of them once one has ended.
                    self.accelerator.wait_for_everyone()
                    raise Stopped
                if self._show(metrics):
                    logged = time.monotonic()
        if metrics is not None or self.sharded:
            with self.averaged(), keeping_checkpoints(self.folder, "what was trained"):
                written = self.task.export(self.folder, self.step, write=metrics is not None)
            if metrics is not None:
                metrics.say(f"wrote {written}")
        self.accelerator.wait_for_everyone()

    def _show(self, metrics: Metrics | None, anew: bool = True) -> bool:
        """Draw the sheet and judge the held-out rows, where this step is one for it; whether it is.

        anew: False draws and judges only what is not there: a run that was cut off is at this step again.
        """
        every = self.running.sheet_every
        if not every or (self.step % every and self.step != self.running.steps):
            return False
        sheet = self.folder / f"sheet-{self.step:06d}.png"
        lacks = [True, True]
        if metrics is not None and not anew:
            lacks = [not sheet.exists(), not metrics.has_judged(self.step)]
        if self.sharded and self.accelerator.num_processes > 1:
            from accelerate.utils import broadcast_object_list

            lacks = broadcast_object_list(lacks)
        draws_it, judges = lacks
        if any(lacks) and (metrics is not None or self.sharded):
            with self.averaged():
                if draws_it:
                    with keeping_checkpoints(self.folder, sheet.name):
                        self.task.sheet(None if metrics is None else sheet)
                if judges:
                    with self.accelerator.autocast():
                        judged = held_out_figures(self.task, self.recipe.seed)
                    if metrics is not None and judged:
                        metrics.judged(self.step, judged)
        self.accelerator.wait_for_everyone()
        return True

    def _one(self) -> dict[str, Tensor]:
        """One optimiser step; this process's figures, each ``[2]``: a mean sum, and what to divide it by."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.rate * min((self.step + 1) / max(self.recipe.warmup, 1), 1.0)
        # Whatever draws from the global generator draws the same whenever this step is run.
        torch.manual_seed(self.recipe.seed * 1_000_003 + self.step)
        batch = draws(self.rows, self.recipe.batch, self.recipe.seed, self.step)
        mine = batch[self.accelerator.process_index :: self.accelerator.num_processes]
        found: dict[str, list[Tensor]] = {}
        for part in range(self.running.accumulate):
            share = mine[part * self.share : (part + 1) * self.share]
            wait = part + 1 < self.running.accumulate
            # Gradients travel between processes once a step.
            with self.accelerator.no_sync(self.module) if wait else nullcontext():
                with self.accelerator.autocast():
                    value, figures = self.task.loss(self.module, share, self.step)
                self.accelerator.backward(value / self.running.accumulate)
            for name, figure in {"loss": value.detach(), **figures}.items():
                pair = figure.float() if figure.ndim else torch.stack([figure.float(), figure.new_ones(())])
                found.setdefault(name, []).append(pair)
        norm = self.accelerator.clip_grad_norm_(list(self.named.values()), self.recipe.clip)
        # The scaler of fp16 passes over a step whose gradient is no number: that is how it finds its scale.
        if norm is not None and self.accelerator.scaler is None:
            self._norms.append(torch.as_tensor(norm))
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.average is not None:
            self.average.step(list(self.named.values()))
        return {name: torch.stack(values).mean(dim=0) for name, values in found.items()}

    def _means(self, sums: dict[str, list[Tensor]]) -> dict[str, float]:
        """Means over steps and processes. Raises TrainingError where the loss is no number any more."""
        names = sorted(sums)
        local = torch.stack([torch.stack(sums[name]).mean(dim=0) for name in names])
        above, below = self.accelerator.reduce(local, reduction="mean").unbind(dim=1)
        means = (above / below.clamp(min=1e-6)).tolist()
        figures = dict(zip(names, means, strict=True))
        self._refuse_no_number("loss", means)
        return {"loss": figures.pop("loss"), **figures}

    def _refuse_no_number(self, what: str, values: list[float]) -> None:
        """Raise TrainingError where one of them is none."""
        if not all(math.isfinite(value) for value in values):
            # The folder's own run keeps its rate and its precision.
            raise TrainingError(
                f"the {what} is no number any more at step {self.step}, of which nothing is saved; begin "
                f"again in another --out with {_GENTLER[self.recipe.precision]}"
            )

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The module with averaged weights, for what is shown and exported; ready to look, not to learn."""
        parameters = list(self.named.values())
        if self.average is not None:
            self.average.store(parameters)
            self.average.copy_to(parameters)
        try:
            with looking(self.task.module):
                yield
        finally:
            if self.average is not None:
                self.average.restore(parameters)

    def _save(self) -> None:
        tensors: dict[str, Tensor] = {f"trained.{name}": whole(p) for name, p in self.named.items()}
        inner = getattr(self.optimizer, "optimizer", self.optimizer)
        for name, p in self.named.items():
            for key in _MOMENTS:
                if key in inner.state.get(p, {}):
                    tensors[f"{key}.{name}"] = whole(inner.state[p][key])
        extra = dict(self.extra)
        if self.average is not None:
            shadows = zip(self.named, self.average.shadow_params, strict=True)
            tensors |= {f"average.{name}": whole(value) for name, value in shadows}
            extra["averaged_steps"] = self.average.optimization_step
        if self.accelerator.scaler is not None:
            extra["scaler"] = self.accelerator.scaler.state_dict()
        if self.accelerator.is_main_process:
            state = TrainingState(self.step, tensors, self.task.facts, extra)
            save_state(self.folder, state, self.running.keep)

    @torch.no_grad()
    def _restore(self, saved: TrainingState) -> None:
        self.step = saved.step
        inner = getattr(self.optimizer, "optimizer", self.optimizer)
        for name, p in self.named.items():
            p.copy_(as_part(saved.tensors[f"trained.{name}"], p))
            if f"exp_avg.{name}" in saved.tensors:
                inner.state[p] = {"step": saved.tensors[f"step.{name}"].clone()} | {
                    key: as_part(saved.tensors[f"{key}.{name}"], p) for key in _MOMENTS[1:]
                }
        if self.average is not None:
            self.average.shadow_params = [
                as_part(saved.tensors[f"average.{n}"], p) for n, p in self.named.items()
            ]
            self.average.optimization_step = int(saved.extra["averaged_steps"])
        if self.accelerator.scaler is not None and "scaler" in saved.extra:
            self.accelerator.scaler.load_state_dict(saved.extra["scaler"])


def resumed(folder: Path, task_facts: dict[str, Any]) -> TrainingState | None:
    """The state to continue from. Raises TrainingError where the folder cannot hold this run."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise TrainingError(
            f"--out is {folder}: it cannot be made ({why}); name a folder to write in"
        ) from error
    return load_state(folder, task_facts)


def share_of(batch: int, processes: int, accumulate: int) -> int:
    """Clips that a process looks at together. Raises TrainingError where the batch does not part evenly."""
    parts = processes * accumulate
    if batch % parts:
        raise TrainingError(
            f"--batch is {batch}: {processes} processes and --accumulate {accumulate} part it {parts} ways; "
            f"give a multiple of {parts}, such as {-(-batch // parts) * parts}"
        )
    return batch // parts
