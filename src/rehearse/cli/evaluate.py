"""``rehearse evaluate ...``: a command for each study in ``rehearse.evaluation``.

A command imports its study in its body, so that help stays fast; commands added here appear by themselves.
"""

from __future__ import annotations

import os
import shlex
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rehearse.cli.failures import BadWord
from rehearse.cli.words import epilog, steps_of

if TYPE_CHECKING:
    from rehearse.evaluation.measure import Tools

app = typer.Typer(help="Measure models and methods, and write tables and sheets.", no_args_is_help=True)

_TRAJECTORY = epilog("""
[bold]Arms[/bold]

base; mask; mask+mn-a (global), mask+mn-b (regional); mask+freetraj; mask+tid-a (noise), mask+tid-b (x0); and
any combination of one of each. Options follow a colon:
mask:sites=cross/spatial+mn-b:strength=.5+tid-a:steps=.5

[bold]Examples[/bold]

rehearse evaluate trajectory --cases 20 --sweep none   [dim]a first look, about half an hour on two
cores[/dim]

rehearse evaluate trajectory --processes 2   [dim]the whole; stop and continue at will[/dim]

rehearse evaluate trajectory --arms mask,mask+tid-a:strength=.5,mask+tid-a:strength=1 --sweep none
""")
_THEATRE = epilog("""
[bold]Examples[/bold]

rehearse evaluate theatre --images 0 --videos 0   [dim]the judge alone, seconds[/dim]

rehearse evaluate theatre --images 64 --videos 16   [dim]a first look[/dim]
""")

Work = Annotated[
    Path, typer.Option(help="Folder of finished clips; a run that is called again continues there.")
]
Out = Annotated[Path, typer.Option(help="Folder of the report.")]
Steps = Annotated[int | None, typer.Option(min=1, help="Denoising steps (default: the model's).")]
Processes = Annotated[
    int, typer.Option(min=1, help="Processes that make clips, one thread each where there are several.")
]
Seed = Annotated[int, typer.Option(min=0, help="Decides the cases and their noise.")]
Prompts = Annotated[
    Literal["bare", "still"],
    typer.Option(help='"bare": "a red ball over the meadow"; "still": "a red ball stands still ...".'),
]


@app.command("trajectory", epilog=_TRAJECTORY)
def trajectory(
    cases: Annotated[int, typer.Option(min=2, help="Prompt-and-path cases in each arm.")] = 200,
    arms: Annotated[str | None, typer.Option(help="Arms, with commas between (default: all seven).")] = None,
    frozen: Annotated[
        str,
        typer.Option(help="Numbers of masked steps, fractions or counts; methods are chosen at the first."),
    ] = "0.33,0.1,0.2,0.5",
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
    seed: Seed = 0,
    processes: Processes = 1,
    prompts: Prompts = "bare",
    reference: Annotated[
        int, typer.Option(min=2, help="Rendered clips that FID and KID compare with.")
    ] = 512,
    model: Annotated[
        str, typer.Option(help="A video model that knows the theatre's words.")
    ] = "theatre-video",
    work: Work = Path("runs/evaluate/trajectory"),
    out: Out = Path("docs/results"),
) -> None:
    """Compare the methods that make subjects follow paths, and choose among them.

    Every arm makes the same cases (a prompt that names no motion, paths that no prompt describes) from the
    same noise; the judge finds the subjects. Then the best mask normalization and the best temporal
    denoising, by the rule of the methods, run together and at every number of frozen steps. Writes
    trajectory.md and .json (control, quality, motion, paired intervals, the aims and whether they hold), the
    curve and sheets of successes and failures. Every clip is kept as it is made: stop with Ctrl-C, call
    again to go on.
    """
    from rehearse.evaluation.ablation import Ablation, Protocol
    from rehearse.evaluation.arms import STANDARD
    from rehearse.evaluation.engine import model_fingerprint
    from rehearse.evaluation.judging import load_bench
    from rehearse.evaluation.reference import reference_clips
    from rehearse.evaluation.trajectory_report import write_trajectory_report

    protocol = Protocol(
        model=model,
        cases=cases,
        frozen=_steps_list(frozen),
        arms=STANDARD if arms is None else tuple(arm.strip() for arm in arms.split(",") if arm.strip()),
        sweep=sweep,
        sweep_cases=sweep_cases,
        seed=seed,
        steps=steps,
        wording=prompts,
    )
    protocol.parsed_arms()
    mark = model_fingerprint(model)
    bench = load_bench()
    rendered = reference_clips(bench, reference, work, _say)
    ablation = Ablation(
        protocol, work, partial(_tools, model), rendered, (mark, bench.fingerprint), processes, _say
    )
    about = {"model_sha256": mark, "judge_sha256": bench.fingerprint, "reference": reference}
    _told(write_trajectory_report(ablation.run(), ablation.store, out, _command(), about))


@app.command("theatre", epilog=_THEATRE)
def theatre(
    images: Annotated[int, typer.Option(min=0, help="Prompts for the image model; 0: leave out.")] = 256,
    videos: Annotated[int, typer.Option(min=0, help="Prompts for the video model; 0: leave out.")] = 256,
    renders: Annotated[int, typer.Option(min=0, help="Held-out renders for the judge; 0: leave out.")] = 512,
    steps: Steps = None,
    seed: Seed = 0,
    processes: Processes = 1,
    image_model: Annotated[str, typer.Option(help="The image model.")] = "theatre-image",
    video_model: Annotated[str, typer.Option(help="The video model.")] = "theatre-video",
    work: Work = Path("runs/evaluate/theatre"),
    out: Out = Path("docs/results"),
) -> None:
    """Hold the theatre's models against their gates.

    Is the subject of the right kind and colour (images 90 %, videos 85 %)? Does it move the prompted way (80
    % of the videos that name a direction)? And can the judge that says so be believed (held-out renders:
    kind and colour 98 %, mask IoU .85)? Writes theatre.md and .json with Wilson intervals, and sheets. Every
    clip is kept as it is made: stop with Ctrl-C, call again to go on.
    """
    from rehearse.evaluation.engine import model_fingerprint
    from rehearse.evaluation.gate_report import write_gate_report
    from rehearse.evaluation.gates import GateOptions, run_gates
    from rehearse.evaluation.judging import load_bench
    from rehearse.evaluation.prompts import trained_captions
    from rehearse.theatre.recipes import VIDEO

    options = GateOptions(images, videos, renders, steps, seed, image_model, video_model)
    wanted = [name for name, count in ((image_model, images), (video_model, videos)) if count]
    fingerprints = {name: model_fingerprint(name) for name in wanted}
    bench = load_bench()
    marks = {name: (mark, bench.fingerprint) for name, mark in fingerprints.items()}
    findings, store = run_gates(
        options,
        work,
        lambda name: partial(_tools, name),
        bench.judge,
        marks.__getitem__,
        trained_captions(VIDEO.data_seed, VIDEO.samples) if videos else frozenset(),
        processes,
        _say,
    )
    about = {"sha256": fingerprints, "judge_sha256": bench.fingerprint}
    _told(write_gate_report(findings, store, out, _command(), about))


@app.command("shift")
def shift(
    cases: Annotated[int, typer.Option(min=1, help="Cases run for each variant of normalization.")] = 4,
    frozen: Annotated[
        str, typer.Option(help="Masked steps, a fraction or a count; only these run.")
    ] = "0.33",
    steps: Steps = None,
    seed: Seed = 0,
    prompts: Prompts = "bare",
    model: Annotated[
        str, typer.Option(help="A video model that knows the theatre's words.")
    ] = "theatre-video",
    out: Out = Path("docs/results"),
) -> None:
    """Measure how far masking moves the statistics of attention, before and after mask normalization.

    Runs the frozen steps of a few cases and writes shift.md and .json: for every masked site the distance
    between masked and unmasked output, without and with each variant.
    """
    from rehearse.evaluation.engine import model_fingerprint
    from rehearse.evaluation.shift import ShiftOptions, measure_shift, run_on_model, write_shift_report

    options = ShiftOptions(model, cases, _steps_list(frozen)[0], steps, seed, prompts)
    about = {"model_sha256": model_fingerprint(model)}
    sites = measure_shift(options, run_on_model(model), _say)
    _told(write_shift_report(sites, options, out, _command(), about))


def _tools(model: str) -> Tools:
    """What a process that makes clips holds."""
    from rehearse.evaluation.engine import load_engine
    from rehearse.evaluation.judging import load_bench
    from rehearse.evaluation.measure import Tools

    return Tools(load_engine(model), load_bench().judge)


def _steps_list(text: str) -> tuple[float | int, ...]:
    """Numbers of steps: ``0.33,10%`` are parts of all, ``4`` a count."""
    numbers: list[float | int] = []
    for word in text.split(","):
        number = steps_of("--frozen", word)
        if not (0 < number < 1 or (isinstance(number, int) and 1 <= number <= 1000)):
            raise BadWord(
                f"--frozen: {word.strip()} is neither a part between 0 and 1 nor a count up to 1000"
            )
        numbers.append(number)
    return tuple(dict.fromkeys(numbers))


def _command() -> str:
    """The command line as a person writes it."""
    return shlex.join(["rehearse", *sys.argv[1:]])


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _told(files: list[Path]) -> None:
    for file in files:
        typer.echo(os.fspath(file))
