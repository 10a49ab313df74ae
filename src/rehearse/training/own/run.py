"""``rehearse train target``, ``lora`` and ``motion``, from settings to a finished run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from rehearse.models.folder import ModelFolder
from rehearse.models.precision import Precision as Placed
from rehearse.training.own.accelerating import accelerating
from rehearse.training.own.base import Base
from rehearse.training.own.blocks import BlockChoice
from rehearse.training.own.board import refuse_without_tensorboard
from rehearse.training.own.cache import Cache
from rehearse.training.own.check import check_rows
from rehearse.training.own.checkpoint import TrainingState, refuse_other_runs
from rehearse.training.own.clips import Shape
from rehearse.training.own.errors import TrainingError
from rehearse.training.own.loop import Loop, resumed, share_of
from rehearse.training.own.metrics import say
from rehearse.training.own.precision import FORMATS
from rehearse.training.own.rows import Kind, Problem, Row, read_rows
from rehearse.training.own.run_facts import facts_of
from rehearse.training.own.run_folder import held
from rehearse.training.own.samples import Samples
from rehearse.training.own.settings import ColumnRecipe, LoraRecipe, Recipe, Running
from rehearse.training.own.task import Task


@dataclass(frozen=True, slots=True)
class Data:
    """What is trained on: the JSONL file, length and size to read clips at (None: the base's own), and where
    encoded clips are kept (None: ``.rehearse`` beside the file). validation: a JSONL file of rows that are
    shown and judged as training goes on, and never trained on."""

    path: Path
    frames: int | None = None
    size: tuple[int, int] | None = None
    every: int = 1
    cache: Path | None = None
    validation: Path | None = None


def validate(data: Data, kind: Kind, base_name: str | None) -> tuple[int, list[Problem]]:
    """How many rows there are, and everything that is wrong with them. Trains and encodes nothing.

    The rows of ``data.validation`` count as well, behind the others; what is wrong with them names their
    file. base_name: None checks all but the prompts' length, and takes --frames and --size as given.
    """
    base = shape = None
    roles = 0
    if base_name is not None:
        base = Base.open(base_name, kind, Placed(torch.device("cpu"), torch.float32))
        shape = base.shape(data.frames, data.size, data.every)
    count, found = 0, []
    for path in (data.path, *([] if data.validation is None else [data.validation])):
        rows, problems = read_rows(path, kind)
        roles = roles or max((len(row.masks) for row in rows), default=0)
        if base is None or shape is None:
            unsized = Shape(data.frames or 1, *(data.size or (64, 64)), data.every)
            problems += check_rows(rows, unsized, kind, cut=data.size is not None)
        else:
            problems += _checked(rows, base, shape, kind, roles)
        count += len(rows)
        held_out = None if path is data.path else path
        found += [replace(problem, file=held_out) for problem in _ordered(problems)]
    return count, found


def _checked(rows: list[Row], base: Base, shape: Shape, kind: Kind, roles: int = 2) -> list[Problem]:
    words = base.words
    return check_rows(
        rows,
        shape,
        kind,
        words.tokenize,
        words.max_tokens,
        base.vocabulary,
        fixed=base.fixed_length,
        roles=roles,
    )


def _ordered(problems: list[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: problem.row)


def train(
    kind: Kind,
    data: Data,
    base_name: str,
    recipe: Recipe,
    running: Running,
    lora: LoraRecipe | None = None,
    column: ColumnRecipe | None = None,
) -> Task:
    """Train, or continue the run in ``running.out`` to its last step.

    kind: "target" takes ``lora`` and ``column``, "lora" takes ``lora``, "motion" neither. Raises
    TrainingError, ModelError: before any training for what is wrong with data, base or settings.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not torch.cuda.is_available():
        torch.set_num_threads(1)  # processes that share a machine's cores stall each other otherwise
    on_cpu = running.cpu or not torch.cuda.is_available()
    if recipe.precision == "fp16" and on_cpu:
        raise TrainingError("--precision is fp16: a CPU does not train in it; use bf16 or no")
    with accelerating(recipe.precision, on_cpu) as accelerator:
        return _trained(kind, data, base_name, recipe, running, lora, column, accelerator)


def _trained(
    kind: Kind,
    data: Data,
    base_name: str,
    recipe: Recipe,
    running: Running,
    lora: LoraRecipe | None,
    column: ColumnRecipe | None,
    accelerator: Any,
) -> Task:
    main = bool(accelerator.is_main_process)
    share_of(recipe.batch, accelerator.num_processes, running.accumulate)
    if running.tensorboard:
        refuse_without_tensorboard()
    placed = Placed(accelerator.device, FORMATS[recipe.precision])
    base = Base.open(base_name, kind, placed)
    shape = base.shape(data.frames, data.size, data.every)
    if kind == "target" and column is not None:
        BlockChoice.read(column.blocks, base.blocks, column.draw)
    rows, problems = read_rows(data.path, kind)
    problems = _ordered(problems + _checked(rows, base, shape, kind))
    _refuse(data.path, problems)
    shown: list[Row] = []
    if data.validation is not None:
        shown, problems = read_rows(data.validation, kind)
        roles = max(len(row.masks) for row in rows)
        _refuse(data.validation, _ordered(problems + _checked(shown, base, shape, kind, roles)))
    if main:
        _tell_of_rows(rows, shown, base)
    with held(running.out, *_places(base.folder)) if main else nullcontext():
        samples = Samples(rows, base, shape, Cache(data.cache or data.path.parent / ".rehearse"), kind)
        lora = None if kind == "motion" else lora or LoraRecipe()
        column = column if kind == "target" else None
        # Before the hours that encoding may take.
        refuse_other_runs(running.out, facts_of(base, samples, recipe, lora, column))
        if main:
            clips = f"{len(rows)} clips of {shape.frames} frames at {shape.width}x{shape.height}"
            say(f"{clips}, trained on {placed}")
        held_out = Samples(shown, base, shape, samples.cache, kind, samples.masks) if shown else None
        for some in (samples, held_out):
            if some is not None:
                some.encode(accelerator.process_index, accelerator.num_processes, _encoding if main else None)
        accelerator.wait_for_everyone()
        base.release()
        task, extra, saved = _prepared(
            kind, base, samples, held_out, recipe, running, lora, column, accelerator
        )
        Loop(task, len(rows), recipe, running, accelerator, saved, extra).run()
    return task


def _places(folder: ModelFolder) -> Iterator[Path]:
    """Where a model lies, and the models that it borrows of."""
    yield folder.path
    if folder.base is not None:
        yield from _places(folder.base)


def _prepared(
    kind: Kind,
    base: Base,
    samples: Samples,
    held_out: Samples | None,
    recipe: Recipe,
    running: Running,
    lora: LoraRecipe | None,
    column: ColumnRecipe | None,
    accelerator: Any,
) -> tuple[Task, dict[str, Any], Any]:
    from accelerate.utils import broadcast_object_list

    if kind == "motion":
        from rehearse.training.own.motion_task import MotionTask

        motion = MotionTask(base, samples, recipe, running, accelerator.device, held_out)
        saved = resumed(running.out, motion.facts)
        _tell_of(saved, running, accelerator)
        return motion, {}, saved
    from rehearse.training.own.target_task import TargetTask

    task = TargetTask(
        base,
        samples,
        recipe,
        lora or LoraRecipe(),
        column,
        running,
        accelerator.device,
        held_out,
    )
    saved = resumed(running.out, task.facts)
    _tell_of(saved, running, accelerator)
    if saved is not None:
        extra = {key: value for key, value in saved.extra.items() if key in ("candidates", "scores")}
    else:
        chosen = [task.choose_blocks(say) if accelerator.is_main_process else {}]
        # One process measures: the last bit of a float must not part the processes' minds.
        extra = broadcast_object_list(chosen)[0] if accelerator.num_processes > 1 else chosen[0]
    task.candidates = tuple(extra.get("candidates", ()))
    if task.candidates and accelerator.is_main_process:
        say(f"the attention loss reads blocks {', '.join(map(str, task.candidates))}")
    return task, extra, saved


def _refuse(path: Path, problems: list[Problem]) -> None:
    """Raise TrainingError with the first of them."""
    if problems:
        more = f" ({len(problems) - 1} more: --validate tells all)" if len(problems) > 1 else ""
        raise TrainingError(f"{path}: {problems[0]}{more}")


def _tell_of_rows(rows: Sequence[Row], shown: Sequence[Row], base: Base) -> None:
    """What is no fault of a row, and still not what is thought of."""
    cut = sum(base.tokenize(row.said.caption).cut is not None for row in (*rows, *shown))
    if cut:
        say(
            f"{cut} of {len(rows) + len(shown)} captions are longer than the base reads: of these the first "
            f"{base.words.max_tokens} tokens are learned"
        )
    known = {row.video.resolve() for row in rows}
    both = sum(row.video.resolve() in known for row in shown)
    if both:
        say(
            f"{both} of {len(shown)} rows of --validation have clips that are trained on as well: what is "
            "judged on them says nothing of others"
        )


def _tell_of(saved: TrainingState | None, running: Running, accelerator: Any) -> None:
    """Where a run goes on."""
    if saved is None or not accelerator.is_main_process:
        return
    if saved.step < running.steps:
        say(f"continues at step {saved.step} of {running.steps}")
    else:
        say(f"the run is at step {saved.step} already; more --steps than that train on")


def _encoding(done: int, of: int) -> None:
    if done == of or done % max(1, of // 10) == 0:
        say(f"encoded {done} of {of}")
