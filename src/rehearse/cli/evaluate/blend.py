"""``rehearse evaluate blend``: what a blend loses that takes its parent's predictions over."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rehearse.cli.evaluate.options import RESULTS, Out, Seed, Steps, VideoModelName, Work, names, numbers
from rehearse.cli.evaluate.telling import command, say, told
from rehearse.cli.evaluate.work_folder import alone_in


def blend(
    cases: Annotated[int, typer.Option(min=1, help="Takes that are run and forked.")] = 8,
    edits: Annotated[
        str, typer.Option(help="What is changed on the way: path, place, colour, with commas between.")
    ] = "path,place",
    weights: Annotated[
        str, typer.Option(help="How much of the original is kept, with commas between; 1: all.")
    ] = ".25,.5,.75",
    at: Annotated[
        int | None, typer.Option(min=0, help="Fork after so many steps (default: a quarter of them).")
    ] = None,
    steps: Steps = None,
    seed: Seed = 0,
    model: VideoModelName = "theatre-video",
    work: Work = Path("runs/evaluate/blend"),
    out: Out = RESULTS,
) -> None:
    """Measure what a blend loses that takes its parent's predictions over instead of making them anew.

    What it saves is measured by benchmarks/blend.py. Writes blend-kept.md, .json and a sheet. What is
    finished is kept: stop with Ctrl-C, call again to go on.
    """
    from rehearse.evaluation.blend import MixOptions, measure_mixes, write_mix_report
    from rehearse.evaluation.kit.judging import load_bench
    from rehearse.models import load_model

    words = tuple(dict.fromkeys(names(edits)))
    options = MixOptions(model, cases, words, numbers("--weights", weights), at, steps, seed)
    bench, loaded = load_bench(), load_model(model)
    with alone_in(work):
        mixes = measure_mixes(options, loaded, bench, work, say)
    about = {"model_sha256": loaded.fingerprint, "judge_sha256": bench.fingerprint}
    told(write_mix_report(mixes, options, out, command(), about))
