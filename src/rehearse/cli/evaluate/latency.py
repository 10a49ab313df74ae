"""``rehearse evaluate latency``: how long a person waits for each kind of instruction."""

from __future__ import annotations

from typing import Annotated

import typer

from rehearse.cli.evaluate.options import RESULTS, Out, Steps
from rehearse.cli.evaluate.telling import command, say, told


def latency(
    repeats: Annotated[int, typer.Option(min=1, help="Times each operation is done, after a warm-up.")] = 7,
    width: Annotated[int | None, typer.Option(min=8, help="Pixels (default: the model's).")] = None,
    height: Annotated[int | None, typer.Option(min=8, help="Pixels (default: the model's).")] = None,
    frames: Annotated[int | None, typer.Option(min=1, help="Of the clip (default: the model's).")] = None,
    steps: Steps = None,
    model: Annotated[str, typer.Option(help="An image-to-video model.")] = "theatre-animate",
    out: Out = RESULTS,
) -> None:
    """Measure how long a person waits for each kind of instruction, on this device.

    Image and content instruction to the intermediate picture, drag warp and drag step, the first preview
    after a fork, the full clip. Writes latency.md and .json: medians with intervals, the device named, the
    published numbers beside them. The paper's sizes: --width 512 --height 512 --frames 16 on a GPU.
    """
    from rehearse.evaluation.latency import LatencyOptions, measure_latency, write_latency_report
    from rehearse.models import load_model

    options = LatencyOptions(model, repeats, width, height, frames, steps)
    loaded = load_model(model)
    timings = measure_latency(options, loaded, say)
    told(write_latency_report(timings, options, loaded, out, command()))
