"""``rehearse train target``, ``lora`` and ``motion``: adapters for real models, from one's own clips."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from rehearse.cli.failures import BadWord, Failure, Paused
from rehearse.cli.options import spread
from rehearse.cli.words import epilog, size_of

if TYPE_CHECKING:
    from rehearse.training.own.rows import Kind
    from rehearse.training.own.settings import Precision

_PATIENCE = 15.0
"""Seconds."""

_EPILOG = """
[bold]The data[/bold]: JSON lines, paths relative to the file

{"video": "7.mp4", "mask": "7.png", "caption": "a man lifts the red cup", "target": "red cup"}

[bold]Examples[/bold]

rehearse mask 7.mp4 --point .62,.4 -o 7.png   [dim]a mask of the first frame, by SAM 2[/dim]

rehearse train target data.jsonl --base zai-org/CogVideoX-5b-I2V --validate   [dim]check every row first[/dim]

rehearse train target data.jsonl --base zai-org/CogVideoX-5b-I2V --out runs/cups

accelerate launch --num_processes 4 -m rehearse train target data.jsonl --base MODEL --out runs/cups

rehearse generate shot.json --model runs/cups   [dim]the run's folder is a model[/dim]
"""
TARGET_EPILOG = epilog(_EPILOG)
LORA_EPILOG = epilog("""
[bold]Examples[/bold]

rehearse train lora data.jsonl --base zai-org/CogVideoX-5b-I2V --out runs/ink

rehearse generate shot.json --model runs/ink
""")
MOTION_EPILOG = epilog("""
[bold]Examples[/bold]

rehearse train motion data.jsonl --base Lykon/dreamshaper-8 --out runs/waves --size 512x512 --frames 16

rehearse generate shot.json --model runs/waves   [dim]a shot with an image instruction[/dim]
""")

_Steps = Annotated[int, typer.Option(min=1, help="Optimiser steps in all. More later: the run goes on.")]
_Batch = Annotated[int, typer.Option(min=1, help="Clips a step, over all processes and accumulated parts.")]


@dataclass(frozen=True, slots=True)
class Work:
    """What is trained, on what, for how long."""

    data: Annotated[
        Path, typer.Argument(metavar="DATA.JSONL", help="Clips and captions, a JSON object on each line.")
    ]
    base: Annotated[
        str | None,
        typer.Option("--base", "-b", metavar="MODEL", help="What is trained on: a folder, a name, a hub id."),
    ] = None
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="DIR", help="Folder of the run; a run that is there is continued."
        ),
    ] = None
    validate: Annotated[
        bool,
        typer.Option(
            "--validate",
            help="Check every row, those of --validation too, tell what is wrong, train nothing.",
        ),
    ] = False
    steps: _Steps = 2000
    batch: _Batch = 4
    accumulate: Annotated[
        int,
        typer.Option(
            min=1, help="Parts that a process cuts its share of a batch into: less memory, same steps."
        ),
    ] = 1
    rate: Annotated[
        float, typer.Option(help="Learning rate of AdamW, reached after 50 steps and constant from there.")
    ] = 1e-4


@dataclass(frozen=True, slots=True)
class MotionWork(Work):
    """Motion modules start from nothing: more of it."""

    steps: _Steps = 10_000
    batch: _Batch = 8


@dataclass(frozen=True, slots=True)
class LoraShape:
    """How large the LoRA is, and where."""

    rank: Annotated[int, typer.Option(min=1, help="Rank of the LoRA.")] = 128
    alpha: Annotated[
        float | None, typer.Option(help="The LoRA counts alpha / rank (default: half the rank).")
    ] = None
    modules: Annotated[str, typer.Option(help="Layers of each block that get a LoRA, parted by commas.")] = (
        "to_q,to_k,to_v,to_out.0"
    )


@dataclass(frozen=True, slots=True)
class Manner:
    """How clips are read and how the run goes."""

    frames: Annotated[
        int | None,
        typer.Option(
            min=1, help="Frames of a clip, from its first on (default: the base's; of a motion adapter 16)."
        ),
    ] = None
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Width x height in pixels (default: the base's).")
    ] = None
    every: Annotated[int, typer.Option(min=1, help="Take every n-th frame of a clip.")] = 1
    text_dropout: Annotated[
        float, typer.Option(help="Share of clips shown without their text, for guidance.")
    ] = 0.1
    ema: Annotated[
        float, typer.Option(help="Decay of averaged weights, which are exported then: 0.999. 0: none.")
    ] = 0.0
    seed: Annotated[
        int, typer.Option(min=0, help="Decides order, noise and blocks: same seed, same run.")
    ] = 0
    precision: Annotated[
        str,
        typer.Option(help="auto (bf16 where the hardware has it, else no), no (float32), bf16, fp16."),
    ] = "auto"
    recompute: Annotated[
        bool | None,
        typer.Option(
            "--recompute/--keep", help="Recompute blocks in the backward pass: less memory (default on GPUs)."
        ),
    ] = None
    save_every: Annotated[int, typer.Option(min=1, help="Steps between checkpoints.")] = 250
    sheet_every: Annotated[
        int,
        typer.Option(min=0, help="Steps between sheets of clips made, and figures of --validation; 0: none."),
    ] = 500
    validation: Annotated[
        Path | None,
        typer.Option(
            metavar="JSONL",
            help="Rows that are shown and judged on the way and not trained on (default: "
            "the first rows of the data are shown).",
        ),
    ] = None
    cache: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Encoded clips and text (default: .rehearse beside the data)."),
    ] = None
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Figures for TensorBoard too, beside metrics.jsonl.")
    ] = False
    cpu: Annotated[bool, typer.Option("--cpu", help="Keep off a GPU that is there.")] = False


@spread
def target(
    work: Work,
    attention_weight: Annotated[
        float, typer.Option(help="Weight of the attention loss (the paper's lambda); 0: none.")
    ] = 0.1,
    direction: Annotated[
        str, typer.Option(help="v2t: how video looks at the word; t2v: how the word looks at the video.")
    ] = "v2t",
    normalise: Annotated[
        str, typer.Option(help="Scale of the maps: joint (as they are), text (softmax over text alone), max.")
    ] = "joint",
    blocks: Annotated[
        str,
        typer.Option(help="Blocks the loss reads: measured[:N], every-third, all, random[:N], 5-11,20."),
    ] = "measured",
    draw: Annotated[
        int | None, typer.Option(min=0, help="How many of these at each step, at random; 0: all.")
    ] = None,
    *,
    shape: LoraShape,
    manner: Manner,
) -> None:
    """Teach a CogVideoX image-to-video model to act on the one thing that is marked.

    Trains a LoRA and the widened input layer, so that a mask in the first frame and the word "target" before
    the noun mean one thing among several alike. Writes DIR/adapter.safetensors, checkpoints, metrics.jsonl
    and sheets of what it makes. Stop it with Ctrl-C and call it again: it continues, on a CPU bit for bit.
    """
    column = {
        "weight": attention_weight, "direction": _one_of("--direction", direction, "v2t", "t2v"),
        "normalisation": _one_of("--normalise", normalise, "joint", "text", "max"),
        "blocks": blocks, "draw": draw,
    }  # fmt: skip
    _train("target", work, manner, shape, column)


@spread
def lora(work: Work, shape: LoraShape, manner: Manner) -> None:
    """Train a plain LoRA for a CogVideoX image-to-video model, from clips and captions.

    Writes DIR/pytorch_lora_weights.safetensors, which diffusers' load_lora_weights reads too.
    """
    _train("lora", work, manner, shape)


@spread
def motion(work: MotionWork, manner: Manner) -> None:
    """Train a motion adapter of PIA's kind for any Stable Diffusion checkpoint: a picture to a clip.

    The checkpoint itself stays as it is. Writes DIR/motion_adapter; DIR is a model that starts from a
    picture.
    """
    _train("motion", work, manner)


def _one_of(option: str, word: str, *known: str) -> str:
    if word not in known:
        raise BadWord(f'{option} is "{word}": give {", ".join(known[:-1])} or {known[-1]}')
    return word


def _layers(modules: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in modules.split(",") if name.strip())
    if not names:
        raise BadWord(f'--modules is "{modules}": name layers, such as to_q,to_k,to_v,to_out.0')
    return names


@contextmanager
def _after_the_first(beside: bool) -> Iterator[None]:
    """What is wrong is wrong for all processes: the first tells it, and its launcher ends the others, who
    speak up only where they are still there."""
    try:
        yield
    except (KeyboardInterrupt, Paused) as error:
        if beside:
            raise SystemExit(130) from error
        raise
    except Exception:
        if beside:
            time.sleep(_PATIENCE)
        raise


def _train(
    kind: Kind,
    work: Work,
    manner: Manner,
    shape: LoraShape | None = None,
    column: dict[str, Any] | None = None,
) -> None:
    precision = _one_of("--precision", manner.precision, "auto", "no", "bf16", "fp16")
    size = size_of(manner.size) if manner.size is not None else None
    layers = None if shape is None else _layers(shape.modules)
    from rich.console import Console

    from rehearse.cli.notes import notes_to
    from rehearse.training.own.run import Data, train
    from rehearse.training.own.run import validate as check
    from rehearse.training.own.settings import ColumnRecipe, LoraRecipe, Recipe, Running

    clips = Data(work.data, manner.frames, size, manner.every, manner.cache, manner.validation)
    beside = int(os.environ.get("RANK", "0")) > 0
    with notes_to(Console(stderr=True), quiet=beside), _after_the_first(beside):
        if work.validate:
            rows, problems = check(clips, kind, work.base)
            for problem in problems:
                typer.echo(str(problem))
            if problems:
                told = "1 thing is" if len(problems) == 1 else f"{len(problems)} things are"
                files = dict.fromkeys(str(problem.file or clips.path) for problem in problems)
                raise BadWord(f"{told} to be mended in {' and '.join(files)}")
            without = (
                "" if work.base else "; with --base their length and size are checked for that model too"
            )
            typer.echo(f"{rows} {'row is' if rows == 1 else 'rows are'} good{without}")
            return
        if work.base is None or work.out is None:
            what = "--base, the model to train on" if work.base is None else "--out, a folder for the run"
            raise BadWord(f"there is no {what}; rehearse train {kind} --help explains")
        import torch

        on_gpu = torch.cuda.is_available() and not manner.cpu
        from rehearse.training.own.interruption import Stopped
        from rehearse.training.own.precision import precision_for

        if precision == "auto":
            precision = precision_for(work.out, not on_gpu)

        recipe = Recipe(
            batch=work.batch, rate=work.rate, text_dropout=manner.text_dropout, ema=manner.ema,
            seed=manner.seed, precision=cast("Precision", precision),
        )  # fmt: skip
        running = Running(
            out=work.out, steps=work.steps, accumulate=work.accumulate,
            checkpointing=on_gpu if manner.recompute is None else manner.recompute,
            save_every=manner.save_every, sheet_every=manner.sheet_every,
            tensorboard=manner.tensorboard, cpu=manner.cpu,
        )  # fmt: skip
        try:
            train(
                kind,
                clips,
                work.base,
                recipe,
                running,
                None if shape is None or layers is None else LoraRecipe.of(shape.rank, shape.alpha, layers),
                None if column is None else ColumnRecipe(**column),
            )
        except Stopped as error:
            raise Paused(f"stopped after a checkpoint in {work.out}; call the same again to go on") from error
        except torch.OutOfMemoryError as error:
            raise Failure(
                "the memory does not suffice; use --recompute, more --accumulate, or fewer frames"
            ) from error
    if not beside:
        typer.echo(str(work.out))
