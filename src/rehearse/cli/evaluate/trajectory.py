"""``rehearse evaluate trajectory``: what each method does to path, picture and motion."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from rehearse.cli.evaluate.options import (
    RESULTS,
    Out,
    Processes,
    Prompts,
    Scheduler,
    Seed,
    Steps,
    VideoModelName,
    Work,
    names,
    steps_list,
)
from rehearse.cli.evaluate.telling import command, say, told
from rehearse.cli.evaluate.tools import clip_tools
from rehearse.cli.evaluate.work_folder import alone_in
from rehearse.cli.words import epilog

EPILOG = epilog("""
[bold]Arms[/bold]

base; peekaboo (by its paper), peekaboo-released (as its code has it), mask (ours); mask+mn-a (global),
mask+mn-b (regional); mask+freetraj; mask+tid-a (noise), mask+tid-b (x0); and any combination of one of each.
Options follow a colon:
mask:sites=cross/spatial+mn-b:strength=.5+tid-a:steps=.5

[bold]Examples[/bold]

rehearse evaluate trajectory --cases 20 --sweep none   [dim]a first look, about half an hour on two
cores[/dim]

rehearse evaluate trajectory --processes 2   [dim]the whole; stop and continue at will[/dim]

rehearse evaluate trajectory --scheduler dpm++ --steps 12   [dim]the whole at half the cost[/dim]

rehearse evaluate trajectory --clips-only --arms base,mask   [dim]two arms now; the same without --arms and
--clips-only makes the others and the report over all[/dim]

rehearse evaluate trajectory --arms mask,mask+tid-a:strength=.5,mask+tid-a:strength=1 --sweep none
""")


def trajectory(
    cases: Annotated[int, typer.Option(min=2, help="Prompt-and-path cases in each arm.")] = 200,
    arms: Annotated[str | None, typer.Option(help="Arms, with commas between (default: all eight).")] = None,
    frozen: Annotated[
        str,
        typer.Option(help="Numbers of masked steps, fractions or counts; methods are chosen at the first."),
    ] = "0.67,0.1,0.2,0.33,0.5",
    sweep: Annotated[
        Literal["chosen", "all", "none"],
        typer.Option(
            help="What also runs at the other numbers: masks alone and the winners, all arms, none."
        ),
    ] = "chosen",
    sweep_cases: Annotated[
        int | None, typer.Option(min=2, help="Fewer cases at the other numbers (default: all).")
    ] = None,
    steps: Steps = None,
    scheduler: Scheduler = None,
    clips_only: Annotated[
        bool,
        typer.Option(
            "--clips-only",
            help="Make the clips of these arms and stop: others can follow, the report comes last.",
        ),
    ] = False,
    seed: Seed = 0,
    processes: Processes = 1,
    prompts: Prompts = "bare",
    reference: Annotated[
        int, typer.Option(min=2, help="Rendered clips that FID and KID compare with.")
    ] = 512,
    model: VideoModelName = "theatre-video",
    work: Work = Path("runs/evaluate/trajectory"),
    out: Out = RESULTS,
) -> None:
    """Compare the methods that make subjects follow paths, and choose among them.

    Every arm makes the same cases (a prompt that names no motion, paths that no prompt describes) from the
    same noise; the judge finds the subjects. Then the best mask normalization and the best temporal
    denoising, by the rule of the methods, run together and at every number of frozen steps. Writes
    trajectory.md and .json (control, quality, motion, paired intervals, the aims and whether they hold), the
    curve and sheets of successes and failures. Every clip is kept as it is made: stop with Ctrl-C, call
    again to go on.
    """
    from rehearse.evaluation.kit.engine import model_defaults, model_fingerprint
    from rehearse.evaluation.kit.judging import load_bench
    from rehearse.evaluation.theatre.reference import reference_clips
    from rehearse.evaluation.trajectory.ablation import Ablation, Protocol
    from rehearse.evaluation.trajectory.arms import STANDARD
    from rehearse.evaluation.trajectory.report import write_trajectory_report

    protocol = Protocol(
        model=model,
        cases=cases,
        frozen=steps_list(frozen),
        arms=STANDARD if arms is None else names(arms),
        sweep=sweep,
        sweep_cases=sweep_cases,
        seed=seed,
        steps=steps,
        scheduler=scheduler,
        wording=prompts,
    )
    protocol.parsed_arms()
    mark = model_fingerprint(model)
    bench = load_bench()
    with alone_in(work):
        rendered = reference_clips(bench, reference, work, say)
        ablation = Ablation(
            protocol, work, partial(clip_tools, model), rendered, (mark, bench.fingerprint), processes, say
        )
        if clips_only:
            ablation.make()
            return
        found = ablation.run()
    about = {
        "model_sha256": mark,
        "judge_sha256": bench.fingerprint,
        "reference": reference,
        "model_defaults": model_defaults(model),
    }
    told(write_trajectory_report(found, ablation.store, out, command(), about))
