"""``rehearse train target``, ``lora`` and ``motion``: adapters for real models, from one's own clips."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rehearse.cli.failures import BadWord, Failure, Paused
from rehearse.cli.words import epilog, size_of

if TYPE_CHECKING:
    from rehearse.training.target.rows import Kind

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

_Data = Annotated[
    Path, typer.Argument(metavar="DATA.JSONL", help="Clips and captions, a JSON object on each line.")
]
_Base = Annotated[
    str | None,
    typer.Option("--base", "-b", metavar="MODEL", help="What is trained on: a folder, a name, a hub id."),
]
_Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="DIR", help="Folder of the run; a run that is there is continued."),
]
_Validate = Annotated[
    bool, typer.Option("--validate", help="Check every row, tell what is wrong, train nothing.")
]
_Steps = Annotated[int, typer.Option(min=1, help="Optimiser steps in all. More later: the run goes on.")]
_Batch = Annotated[int, typer.Option(min=1, help="Clips a step, over all processes and accumulated parts.")]
_Accumulate = Annotated[
    int,
    typer.Option(min=1, help="Parts that a process cuts its share of a batch into: less memory, same steps."),
]
_Rate = Annotated[float, typer.Option(help="Learning rate of AdamW.")]
_Frames = Annotated[
    int | None, typer.Option(min=1, help="Frames of a clip, from its first on (default: the base's).")
]
_Size = Annotated[
    str | None, typer.Option(metavar="WxH", help="Width x height in pixels (default: the base's).")
]
_Every = Annotated[int, typer.Option(min=1, help="Take every n-th frame of a clip.")]
_Dropout = Annotated[float, typer.Option(help="Share of clips shown without their text, for guidance.")]
_Ema = Annotated[
    float, typer.Option(help="Decay of averaged weights, which are exported then: 0.999. 0: none.")
]
_Seed = Annotated[int, typer.Option(min=0, help="Decides order, noise and blocks: same seed, same run.")]
_Precision = Annotated[
    str, typer.Option(help="auto (bf16 on GPUs that have it, else no), no (float32), bf16, fp16.")
]
_Checkpointing = Annotated[
    bool | None,
    typer.Option(
        "--recompute/--keep", help="Recompute blocks in the backward pass: less memory (default on GPUs)."
    ),
]
_Save = Annotated[int, typer.Option(min=1, help="Steps between checkpoints.")]
_Sheets = Annotated[int, typer.Option(min=0, help="Steps between sheets of validation clips; 0: none.")]
_Cache = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Encoded clips and text (default: .rehearse beside the data)."),
]
_Board = Annotated[
    bool, typer.Option("--tensorboard", help="Figures for TensorBoard too, beside metrics.jsonl.")
]
_Cpu = Annotated[bool, typer.Option("--cpu", help="Keep off a GPU that is there.")]
_Rank = Annotated[int, typer.Option(min=1, help="Rank of the LoRA.")]
_Alpha = Annotated[float, typer.Option(help="The LoRA counts alpha / rank.")]
_Modules = Annotated[str, typer.Option(help="Layers of each block that get a LoRA, parted by commas.")]


def target(
    data: _Data,
    base: _Base = None,
    out: _Out = None,
    validate: _Validate = False,
    steps: _Steps = 2000,
    batch: _Batch = 4,
    accumulate: _Accumulate = 1,
    rate: _Rate = 1e-4,
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
    rank: _Rank = 128,
    alpha: _Alpha = 64.0,
    modules: _Modules = "to_q,to_k,to_v,to_out.0",
    frames: _Frames = None,
    size: _Size = None,
    every: _Every = 1,
    text_dropout: _Dropout = 0.1,
    ema: _Ema = 0.0,
    seed: _Seed = 0,
    precision: _Precision = "auto",
    recompute: _Checkpointing = None,
    save_every: _Save = 250,
    sheet_every: _Sheets = 500,
    cache: _Cache = None,
    tensorboard: _Board = False,
    cpu: _Cpu = False,
) -> None:  # fmt: skip
    """Teach a CogVideoX image-to-video model to act on the one thing that is marked.

    Trains a LoRA and the widened input layer, so that a mask in the first frame and the word "target" before
    the noun mean one thing among several alike. Writes DIR/adapter.safetensors, checkpoints, metrics.jsonl
    and sheets of what it makes. Stop it with Ctrl-C and call it again: it continues, bit for bit.
    """
    recipe = _recipe(batch, rate, text_dropout, ema, seed, precision, cpu)
    column = {
        "weight": attention_weight, "direction": _one_of("--direction", direction, "v2t", "t2v"),
        "normalisation": _one_of("--normalise", normalise, "joint", "text", "max"),
        "blocks": blocks, "draw": draw,
    }  # fmt: skip
    running = _running(steps, accumulate, recompute, save_every, sheet_every, tensorboard, cpu)
    _go("target", validate, _data(data, frames, size, every, cache), base, out, recipe, running,
        _lora(rank, alpha, modules), column)  # fmt: skip


def lora(
    data: _Data,
    base: _Base = None,
    out: _Out = None,
    validate: _Validate = False,
    steps: _Steps = 2000,
    batch: _Batch = 4,
    accumulate: _Accumulate = 1,
    rate: _Rate = 1e-4,
    rank: _Rank = 128,
    alpha: _Alpha = 64.0,
    modules: _Modules = "to_q,to_k,to_v,to_out.0",
    frames: _Frames = None,
    size: _Size = None,
    every: _Every = 1,
    text_dropout: _Dropout = 0.1,
    ema: _Ema = 0.0,
    seed: _Seed = 0,
    precision: _Precision = "auto",
    recompute: _Checkpointing = None,
    save_every: _Save = 250,
    sheet_every: _Sheets = 500,
    cache: _Cache = None,
    tensorboard: _Board = False,
    cpu: _Cpu = False,
) -> None:
    """Train a plain LoRA for a CogVideoX image-to-video model, from clips and captions.

    Writes DIR/pytorch_lora_weights.safetensors, which diffusers' load_lora_weights reads too.
    """
    recipe = _recipe(batch, rate, text_dropout, ema, seed, precision, cpu)
    running = _running(steps, accumulate, recompute, save_every, sheet_every, tensorboard, cpu)
    clips = _data(data, frames, size, every, cache)
    _go("lora", validate, clips, base, out, recipe, running, _lora(rank, alpha, modules))


def motion(
    data: _Data,
    base: _Base = None,
    out: _Out = None,
    validate: _Validate = False,
    steps: _Steps = 10_000,
    batch: _Batch = 8,
    accumulate: _Accumulate = 1,
    rate: _Rate = 1e-4,
    frames: _Frames = None,
    size: _Size = None,
    every: _Every = 1,
    text_dropout: _Dropout = 0.1,
    ema: _Ema = 0.0,
    seed: _Seed = 0,
    precision: _Precision = "auto",
    recompute: _Checkpointing = None,
    save_every: _Save = 250,
    sheet_every: _Sheets = 500,
    cache: _Cache = None,
    tensorboard: _Board = False,
    cpu: _Cpu = False,
) -> None:
    """Train a motion adapter of PIA's kind for any Stable Diffusion checkpoint: a picture to a clip.

    The checkpoint itself stays as it is. Writes DIR/motion_adapter; DIR is a model that starts from a
    picture.
    """
    recipe = _recipe(batch, rate, text_dropout, ema, seed, precision, cpu)
    running = _running(steps, accumulate, recompute, save_every, sheet_every, tensorboard, cpu)
    _go("motion", validate, _data(data, frames, size, every, cache), base, out, recipe, running)


def _one_of(option: str, word: str, *known: str) -> str:
    if word not in known:
        raise BadWord(f'{option} is "{word}": give {", ".join(known[:-1])} or {known[-1]}')
    return word


def _data(path: Path, frames: int | None, size: str | None, every: int, cache: Path | None) -> dict[str, Any]:
    wanted = size_of(size) if size is not None else None
    return {"path": path, "frames": frames, "size": wanted, "every": every, "cache": cache}


def _lora(rank: int, alpha: float, modules: str) -> dict[str, Any]:
    names = tuple(name.strip() for name in modules.split(",") if name.strip())
    if not names:
        raise BadWord(f'--modules is "{modules}": name layers, such as to_q,to_k,to_v,to_out.0')
    return {"rank": rank, "alpha": alpha, "modules": names}


def _recipe(
    batch: int, rate: float, text_dropout: float, ema: float, seed: int, precision: str, cpu: bool
) -> dict[str, Any]:
    _one_of("--precision", precision, "auto", "no", "bf16", "fp16")
    said = {"batch": batch, "rate": rate, "text_dropout": text_dropout, "ema": ema, "seed": seed}
    return {**said, "precision": precision, "cpu": cpu}


def _running(
    steps: int,
    accumulate: int,
    recompute: bool | None,
    save_every: int,
    sheet_every: int,
    board: bool,
    cpu: bool,
) -> dict[str, Any]:
    return {
        "steps": steps, "accumulate": accumulate, "checkpointing": recompute, "save_every": save_every,
        "sheet_every": sheet_every, "tensorboard": board, "cpu": cpu,
    }  # fmt: skip


def _go(
    kind: Kind,
    validate: bool,
    data: dict[str, Any],
    base: str | None,
    out: Path | None,
    recipe: dict[str, Any],
    running: dict[str, Any],
    lora: dict[str, Any] | None = None,
    column: dict[str, Any] | None = None,
) -> None:
    from rich.console import Console

    from rehearse.cli.notes import notes_to
    from rehearse.training.target.run import Data, train
    from rehearse.training.target.run import validate as check
    from rehearse.training.target.settings import ColumnRecipe, LoraRecipe, Recipe, Running

    clips = Data(**data)
    with notes_to(Console(stderr=True), quiet=False):
        if validate:
            rows, problems = check(clips, kind, base)
            for problem in problems:
                typer.echo(str(problem))
            if problems:
                told = "1 thing is" if len(problems) == 1 else f"{len(problems)} things are"
                raise BadWord(f"{told} to be mended in {clips.path}")
            without = "" if base else "; with --base their length and size are checked for that model too"
            typer.echo(f"{rows} rows are good{without}")
            return
        if base is None or out is None:
            what = "--base, the model to train on" if base is None else "--out, a folder for the run"
            raise BadWord(f"there is no {what}; rehearse train {kind} --help explains")
        import torch

        on_gpu = torch.cuda.is_available() and not recipe["cpu"]
        if recipe["precision"] == "auto":
            recipe["precision"] = "bf16" if on_gpu and torch.cuda.is_bf16_supported() else "no"
        if running["checkpointing"] is None:
            running["checkpointing"] = on_gpu
        recipe.pop("cpu")
        from rehearse.training.target.loop import Stopped

        try:
            train(
                kind,
                clips,
                base,
                Recipe(**recipe),
                Running(out=out, **running),
                None if lora is None else LoraRecipe(**lora),
                None if column is None else ColumnRecipe(**column),
            )
        except Stopped:
            raise Paused(f"stopped after a checkpoint in {out}; call the same again to go on") from None
        except torch.OutOfMemoryError:
            raise Failure(
                "the memory does not suffice; use --recompute, more --accumulate, or fewer frames"
            ) from None
    typer.echo(str(out))
