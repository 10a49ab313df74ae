"""``rehearse evaluate shift``: how far masking moves the statistics of attention."""

from __future__ import annotations

from typing import Annotated

import typer

from rehearse.cli.evaluate.options import RESULTS, Out, Prompts, Seed, Steps, VideoModelName, steps_list
from rehearse.cli.evaluate.telling import command, say, told


def shift(
    cases: Annotated[int, typer.Option(min=1, help="Cases run for each variant of normalization.")] = 4,
    frozen: Annotated[
        str, typer.Option(help="Masked steps, a fraction or a count; only these run.")
    ] = "0.67",
    steps: Steps = None,
    seed: Seed = 0,
    prompts: Prompts = "bare",
    model: VideoModelName = "theatre-video",
    out: Out = RESULTS,
) -> None:
    """Measure how far masking moves the statistics of attention, before and after mask normalization.

    Runs the frozen steps of a few cases and writes shift.md and .json: for every masked site the distance
    between masked and unmasked output, without and with each variant.
    """
    from rehearse.evaluation.kit.engine import model_fingerprint
    from rehearse.evaluation.shift import ShiftOptions, measure_shift, run_on_model, write_shift_report

    options = ShiftOptions(model, cases, steps_list(frozen)[0], steps, seed, prompts)
    about = {"model_sha256": model_fingerprint(model)}
    sites = measure_shift(options, run_on_model(model), say)
    told(write_shift_report(sites, options, out, command(), about))
