"""The training loop of all tasks, on Accelerate: CPU, one GPU, or several through ``accelerate launch``.

One step is one batch of the recipe, whatever number of processes and accumulated parts share it. What a step
does follows from the recipe's seed and the step's number alone, so a run that was stopped and continued is,
on the same machine, bit for bit the run that never stopped.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rehearse.training.target.checkpoint import TrainingState, keeping_checkpoints, load_state, save_state
from rehearse.training.target.errors import TrainingError
from rehearse.training.target.held_out import held_out_figures
from rehearse.training.target.metrics import Metrics
from rehearse.training.target.samples import draws
from rehearse.training.target.settings import Recipe, Running
from rehearse.training.target.sharded import as_part, whole
from rehearse.training.target.task import Task

_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


class Stopped(KeyboardInterrupt):
    """Ctrl-C at a step's end, after a checkpoint."""


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
        ``running.out``."""
        main = bool(self.accelerator.is_main_process)
        if not main:
            self._steps(None)
            return
        with Metrics(self.folder, self.running.steps, self.step, self.running.tensorboard) as metrics:
            self._steps(metrics)

    def _steps(self, metrics: Metrics | None) -> None:
        sums: dict[str, list[Tensor]] = {}
        began, first, logged = time.monotonic(), self.step, time.monotonic()
        with self._interruptible() as interrupted:
            while self.step < self.running.steps:
                for name, value in self._one().items():
                    sums.setdefault(name, []).append(value)
                self.step += 1
                last = self.step == self.running.steps
                if metrics is not None:
                    metrics.advance(self.step)
                due = self.step % self.running.log_every == 0
                saving = last or self.step % self.running.save_every == 0 or interrupted.is_set()
                if due or saving:
                    # Before every checkpoint: one that holds NaN is worth nothing.
                    figures = self._means(sums)
                    now = time.monotonic()
                    figures["seconds_a_step"] = (now - logged) / max(len(sums["loss"]), 1)
                    left = (self.running.steps - self.step) * (now - began) / (self.step - first)
                    if metrics is not None and (due or last):
                        with keeping_checkpoints(self.folder, "metrics.jsonl"):
                            metrics.log(self.step, figures, left)
                    if due or last:
                        sums, logged = {}, now
                if saving:
                    self._save()
                if interrupted.is_set() and not last:
                    raise Stopped
                every = self.running.sheet_every
                shown = every and (last or self.step % every == 0)
                if shown and (metrics is not None or self.sharded):
                    sheet = self.folder / f"sheet-{self.step:06d}.png"
                    with self.averaged(), keeping_checkpoints(self.folder, sheet.name):
                        self.task.sheet(None if metrics is None else sheet)
                        with self.accelerator.autocast():
                            judged = held_out_figures(self.task, self.recipe.seed)
                        if metrics is not None and judged:
                            metrics.judged(self.step, judged)
                    logged = time.monotonic()
                if shown:
                    self.accelerator.wait_for_everyone()
        if metrics is not None or self.sharded:
            with self.averaged(), keeping_checkpoints(self.folder, "what was trained"):
                written = self.task.export(self.folder, self.step, write=metrics is not None)
            if metrics is not None:
                metrics.say(f"wrote {written}")
        self.accelerator.wait_for_everyone()

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
        self.accelerator.clip_grad_norm_(list(self.named.values()), self.recipe.clip)
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
        if not all(value == value and abs(value) != float("inf") for value in means):
            raise TrainingError(
                f"the loss is no number any more at step {self.step}; the last checkpoint is from before: "
                "start again with a lower --rate, or with --precision bf16 or no"
            )
        return {"loss": figures.pop("loss"), **figures}

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The module with averaged weights, for what is shown and exported; ready to look, not to learn."""
        parameters = list(self.named.values())
        if self.average is not None:
            self.average.store(parameters)
            self.average.copy_to(parameters)
        self.task.module.eval()
        try:
            yield
        finally:
            self.task.module.train()
            if self.average is not None:
                self.average.restore(parameters)

    @contextmanager
    def _interruptible(self) -> Iterator[threading.Event]:
        """Ctrl-C waits for the end of a step, where it is this process alone that trains; a second one does
        not wait."""
        asked = threading.Event()
        if self.accelerator.num_processes > 1 or threading.current_thread() is not threading.main_thread():
            yield asked
            return
        before = signal.getsignal(signal.SIGINT)

        def ask(number: int, frame: Any) -> None:
            asked.set()
            signal.signal(signal.SIGINT, before)

        signal.signal(signal.SIGINT, ask)
        try:
            yield asked
        finally:
            signal.signal(signal.SIGINT, before)

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
        ) from None
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
