"""``rehearse evaluate theatre``: the theatre's models against their gates."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from rehearse.cli.evaluate.options import RESULTS, Out, Processes, Seed, Steps, Work
from rehearse.cli.evaluate.telling import command, say, told
from rehearse.cli.evaluate.tools import animation_tools, clip_tools
from rehearse.cli.evaluate.work_folder import alone_in
from rehearse.cli.words import epilog

EPILOG = epilog("""
[bold]Examples[/bold]

rehearse evaluate theatre --images 0 --videos 0   [dim]the judge alone, seconds[/dim]

rehearse evaluate theatre --images 64 --videos 16   [dim]a first look[/dim]
""")


def theatre(
    images: Annotated[int, typer.Option(min=0, help="Prompts for the image model; 0: leave out.")] = 256,
    videos: Annotated[int, typer.Option(min=0, help="Prompts for the video model; 0: leave out.")] = 256,
    animations: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Pictures with prompts for the image-to-video model, four clips each; 0: leave out "
            "(default: 256 where it is installed).",
        ),
    ] = None,
    shapes: Annotated[
        int, typer.Option(min=0, help="Of the videos, how many are looked at for shape; 0: leave out.")
    ] = 64,
    renders: Annotated[int, typer.Option(min=0, help="Held-out renders for the judge; 0: leave out.")] = 512,
    steps: Steps = None,
    seed: Seed = 0,
    processes: Processes = 1,
    image_model: Annotated[str, typer.Option(help="The image model.")] = "theatre-image",
    video_model: Annotated[str, typer.Option(help="The video model.")] = "theatre-video",
    animate_model: Annotated[str, typer.Option(help="The image-to-video model.")] = "theatre-animate",
    work: Work = Path("runs/evaluate/theatre"),
    out: Out = RESULTS,
) -> None:
    """Hold the theatre's models against their gates.

    Is the subject of the right kind and colour (images 90 %, videos 85 %)? Does it move the prompted way (80
    % of the videos that name a direction)? Are its puppets in shape (median IoU with the true silhouette .85
    for every kind), steady, drawn once and crisp, and does the codec hold them (PSNR 28 dB, 24 on puppets)?
    Does image-to-video keep its picture (90 %), move as told (75 %), more at a larger magnitude, and close
    its loops? And can the judge that says so be believed (held-out renders: kind and colour 98 %, mask IoU
    .85)? Writes theatre.md and .json with Wilson intervals, and sheets. Every clip is kept as it is made:
    stop with Ctrl-C, call again to go on.
    """
    from rehearse.evaluation.kit.engine import load_codec, model_fingerprint
    from rehearse.evaluation.kit.judging import load_bench
    from rehearse.evaluation.theatre.gates import GateOptions, run_gates
    from rehearse.evaluation.theatre.prompts import trained_captions
    from rehearse.evaluation.theatre.report import write_gate_report
    from rehearse.theatre.recipes import VIDEO

    if animations is None:
        animations = _where_installed(animate_model, 256)
    options = GateOptions(
        images,
        videos,
        renders,
        steps,
        seed,
        image_model,
        video_model,
        min(shapes, videos),
        animations,
        animate_model,
    )
    counts = ((image_model, images), (video_model, videos), (animate_model, animations))
    wanted = [name for name, count in counts if count]
    fingerprints = {name: model_fingerprint(name) for name in wanted}
    bench = load_bench()
    marks = {name: (mark, bench.fingerprint) for name, mark in fingerprints.items()}
    with alone_in(work):
        findings, store = run_gates(
            options,
            work,
            lambda name: partial(clip_tools, name),
            bench.judge,
            marks.__getitem__,
            trained_captions(VIDEO.data_seed, VIDEO.samples) if videos else frozenset(),
            processes,
            say,
            lambda name: partial(animation_tools, name),
            load_codec,
        )
    about = {"sha256": fingerprints, "judge_sha256": bench.fingerprint}
    told(write_gate_report(findings, store, out, command(), about))


def _where_installed(model: str, count: int) -> int:
    """The count where the model is there, else 0, and it is said."""
    from rehearse.models.errors import ModelError
    from rehearse.models.registry import find_model

    try:
        find_model(model)
    except ModelError:
        say(f"{model} is not installed: its gates are left out (--animations asks for them)")
        return 0
    return count
