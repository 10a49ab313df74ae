"""``rehearse evaluate animate``: what each instruction does to image-to-video."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from rehearse.cli.evaluate.options import RESULTS, Out, Processes, Seed, Steps, Work, names
from rehearse.cli.evaluate.telling import command, say, told
from rehearse.cli.evaluate.tools import animation_tools
from rehearse.cli.evaluate.work_folder import alone_in
from rehearse.cli.words import epilog

EPILOG = epilog("""
[bold]Arms[/bold]

base; words, content, words:second, content:second, content:paint (a wish: said, or edited in);
magnitude:small, :moderate, :large; loop; drag, drag:optimise; path; content+blend:0.25; content+fork:0.5;
align:on, align:off; and what they join to, such as content+magnitude:large+drag

[bold]Examples[/bold]

rehearse evaluate animate --cases 6 --arms content,drag   [dim]a first look[/dim]

rehearse evaluate animate --processes 2   [dim]the whole; stop and continue at will[/dim]
""")


def animate(
    cases: Annotated[int, typer.Option(min=1, help="Cases in each arm, three prompts a picture.")] = 105,
    arms: Annotated[str | None, typer.Option(help="Arms, with commas between (default: all).")] = None,
    steps: Steps = None,
    seed: Seed = 0,
    processes: Processes = 1,
    model: Annotated[
        str, typer.Option(help="An image-to-video model that knows the theatre's words.")
    ] = "theatre-animate",
    work: Work = Path("runs/evaluate/animate"),
    out: Out = RESULTS,
) -> None:
    """Measure what image, content, motion and trajectory instructions do to image-to-video.

    Every arm animates the same held-out pictures from the same noise; the judge says how well the clips agree
    with what was wished for (image and text alignment), how much they move, whether a dragged puppet arrives
    and what an edit did outside of its region. Writes animate.md and .json (paired intervals, the aims and
    whether they hold) and a sheet an arm. Every clip is kept as it is made: stop with Ctrl-C, call again to
    go on.
    """
    from rehearse.evaluation.animate.arms import STANDARD
    from rehearse.evaluation.animate.report import write_animate_report
    from rehearse.evaluation.animate.study import AnimateProtocol, run_animate
    from rehearse.evaluation.kit.engine import model_fingerprint, pictures_fingerprint
    from rehearse.evaluation.kit.judging import load_embedding_bench

    named = STANDARD if arms is None else names(arms)
    protocol = AnimateProtocol(model=model, cases=cases, arms=named, seed=seed, steps=steps)
    protocol.parsed_arms()
    mark, region_mark = model_fingerprint(model), pictures_fingerprint(model)
    bench = load_embedding_bench()
    make_tools, marks = partial(animation_tools, model), (mark, region_mark, bench.fingerprint)
    with alone_in(work):
        found, store = run_animate(protocol, work, make_tools, bench.judge, marks, processes, say)
    about = {
        "model_sha256": mark,
        "drawing_in_regions_sha256": region_mark,
        "judge_and_space_sha256": bench.fingerprint,
    }
    told(write_animate_report(found, store, out, command(), about))
