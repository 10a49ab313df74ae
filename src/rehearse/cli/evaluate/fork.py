"""``rehearse evaluate fork``: how far an edit still reaches on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rehearse.cli.evaluate.options import RESULTS, Out, Seed, Steps, VideoModelName, Work, names
from rehearse.cli.evaluate.telling import command, say, told
from rehearse.cli.evaluate.work_folder import alone_in


def fork(
    cases: Annotated[int, typer.Option(min=1, help="Takes that are run and forked.")] = 8,
    edits: Annotated[
        str, typer.Option(help="What is changed on the way: path, place, colour, with commas between.")
    ] = "path,place,colour",
    every: Annotated[int, typer.Option(min=1, help="Fork after every n-th step.")] = 2,
    steps: Steps = None,
    seed: Seed = 0,
    model: VideoModelName = "theatre-video",
    work: Work = Path("runs/evaluate/fork"),
    out: Out = RESULTS,
) -> None:
    """Measure how far an edit still reaches when a take is forked after k steps.

    Compares each fork with its parent and with the clip made under the edited shot from scratch. Writes
    fork.md, .json and the curve. What is finished is kept: stop with Ctrl-C, call again to go on.
    """
    from rehearse.evaluation.fork import ReachOptions, measure_reach, write_reach_report
    from rehearse.models import load_model

    words = tuple(dict.fromkeys(names(edits)))
    options = ReachOptions(model, cases, words, steps, every, seed)
    loaded = load_model(model)
    with alone_in(work):
        curves = measure_reach(options, loaded, work, say)
    told(write_reach_report(curves, options, out, command(), {"model_sha256": loaded.fingerprint}))
