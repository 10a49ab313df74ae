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
    from rehearse.evaluation.animate_measure import AnimateTools
    from rehearse.evaluation.measure import Tools

app = typer.Typer(help="Measure models and methods, and write tables and sheets.", no_args_is_help=True)

_TRAJECTORY = epilog("""
[bold]Arms[/bold]

base; peekaboo (its masks), mask (ours); mask+mn-a (global), mask+mn-b (regional); mask+freetraj; mask+tid-a
(noise), mask+tid-b (x0); and any combination of one of each. Options follow a colon:
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
_THEATRE = epilog("""
[bold]Examples[/bold]

rehearse evaluate theatre --images 0 --videos 0   [dim]the judge alone, seconds[/dim]

rehearse evaluate theatre --images 64 --videos 16   [dim]a first look[/dim]
""")
_ANIMATE = epilog("""
[bold]Arms[/bold]

base; words, content, words:second, content:second, content:paint (a wish: said, or edited in);
magnitude:small, :moderate, :large; loop; drag, drag:optimise; path; content+blend:0.25; content+fork:0.5;
align:on, align:off; and what they join to, such as content+magnitude:large+drag

[bold]Examples[/bold]

rehearse evaluate animate --cases 6 --arms content,drag   [dim]a first look[/dim]

rehearse evaluate animate --processes 2   [dim]the whole; stop and continue at will[/dim]
""")

_TARGET = epilog("""
[bold]Arms[/bold]

base; modulation, modulation:2 (attention raised without training); data (a LoRA without masks); target:0.1
and any other weight of the attention loss, with +t2v, +blocks:random, +blocks:every-third, +blocks:all

[bold]Examples[/bold]

rehearse evaluate target --cases 300 --arms base   [dim]the gate alone: does the base touch anything?[/dim]

rehearse evaluate target --arms data,target:0,target:0.1 --seeds 1 --train-steps 500   [dim]a first look[/dim]

rehearse evaluate target --train-steps 200 --measure-at 50,100,150   [dim]who learns sooner[/dim]

rehearse evaluate target --processes 2   [dim]the whole; stop and continue at will[/dim]
""")

Work = Annotated[
    Path, typer.Option(help="Folder of finished clips; a run that is called again continues there.")
]
Out = Annotated[Path, typer.Option(help="Folder of the report.")]
VideoModelName = Annotated[str, typer.Option(help="A video model that knows the theatre's words.")]
Steps = Annotated[int | None, typer.Option(min=1, help="Denoising steps (default: the model's).")]
Scheduler = Annotated[str | None, typer.Option(help="ddim, dpm++, unipc or euler (default: the model's).")]
Processes = Annotated[
    int, typer.Option(min=1, help="Processes that make clips, one thread each where there are several.")
]
Seed = Annotated[int, typer.Option(min=0, help="Decides the cases and their noise.")]
Prompts = Annotated[
    Literal["bare", "still"],
    typer.Option(help='"bare": "a red ball over the meadow"; "still": "a red ball stands still ...".'),
]
_RESULTS = Path("docs/results")


@app.command("trajectory", epilog=_TRAJECTORY)
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
    out: Out = _RESULTS,
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
    from rehearse.evaluation.engine import model_defaults, model_fingerprint
    from rehearse.evaluation.judging import load_bench
    from rehearse.evaluation.reference import reference_clips
    from rehearse.evaluation.trajectory_report import write_trajectory_report

    protocol = Protocol(
        model=model,
        cases=cases,
        frozen=_steps_list(frozen),
        arms=STANDARD if arms is None else _names(arms),
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
    rendered = reference_clips(bench, reference, work, _say)
    ablation = Ablation(
        protocol, work, partial(_tools, model), rendered, (mark, bench.fingerprint), processes, _say
    )
    if clips_only:
        ablation.make()
        return
    about = {
        "model_sha256": mark,
        "judge_sha256": bench.fingerprint,
        "reference": reference,
        "model_defaults": model_defaults(model),
    }
    _told(write_trajectory_report(ablation.run(), ablation.store, out, _command(), about))


@app.command("theatre", epilog=_THEATRE)
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
    renders: Annotated[int, typer.Option(min=0, help="Held-out renders for the judge; 0: leave out.")] = 512,
    steps: Steps = None,
    seed: Seed = 0,
    processes: Processes = 1,
    image_model: Annotated[str, typer.Option(help="The image model.")] = "theatre-image",
    video_model: Annotated[str, typer.Option(help="The video model.")] = "theatre-video",
    animate_model: Annotated[str, typer.Option(help="The image-to-video model.")] = "theatre-animate",
    work: Work = Path("runs/evaluate/theatre"),
    out: Out = _RESULTS,
) -> None:
    """Hold the theatre's models against their gates.

    Is the subject of the right kind and colour (images 90 %, videos 85 %)? Does it move the prompted way (80
    % of the videos that name a direction)? Does image-to-video keep its picture (90 %), move as told (75 %),
    more at a larger magnitude, and close its loops? And can the judge that says so be believed (held-out
    renders: kind and colour 98 %, mask IoU .85)? Writes theatre.md and .json with Wilson intervals, and
    sheets. Every clip is kept as it is made: stop with Ctrl-C, call again to go on.
    """
    from rehearse.evaluation.engine import model_fingerprint
    from rehearse.evaluation.gate_report import write_gate_report
    from rehearse.evaluation.gates import GateOptions, run_gates
    from rehearse.evaluation.judging import load_bench
    from rehearse.evaluation.prompts import trained_captions
    from rehearse.theatre.recipes import VIDEO

    if animations is None:
        animations = _where_installed(animate_model, 256)
    options = GateOptions(
        images, videos, renders, steps, seed, image_model, video_model, animations, animate_model
    )
    counts = ((image_model, images), (video_model, videos), (animate_model, animations))
    wanted = [name for name, count in counts if count]
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
        lambda name: partial(_animate_tools, name),
    )
    about = {"sha256": fingerprints, "judge_sha256": bench.fingerprint}
    _told(write_gate_report(findings, store, out, _command(), about))


@app.command("shift")
def shift(
    cases: Annotated[int, typer.Option(min=1, help="Cases run for each variant of normalization.")] = 4,
    frozen: Annotated[
        str, typer.Option(help="Masked steps, a fraction or a count; only these run.")
    ] = "0.67",
    steps: Steps = None,
    seed: Seed = 0,
    prompts: Prompts = "bare",
    model: VideoModelName = "theatre-video",
    out: Out = _RESULTS,
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


@app.command("fork")
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
    out: Out = _RESULTS,
) -> None:
    """Measure how far an edit still reaches when a take is forked after k steps.

    Compares each fork with its parent and with the clip made under the edited shot from scratch. Writes
    fork.md, .json and the curve. What is finished is kept: stop with Ctrl-C, call again to go on.
    """
    from rehearse.evaluation.reach import ReachOptions, measure_reach, write_reach_report
    from rehearse.models import load_model

    words = tuple(dict.fromkeys(_names(edits)))
    options = ReachOptions(model, cases, words, steps, every, seed)
    loaded = load_model(model)
    curves = measure_reach(options, loaded, work, _say)
    _told(write_reach_report(curves, options, out, _command(), {"model_sha256": loaded.fingerprint}))


@app.command("blend")
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
    out: Out = _RESULTS,
) -> None:
    """Measure what a blend loses that takes its parent's predictions over instead of making them anew.

    What it saves is measured by benchmarks/blend.py. Writes blend-kept.md, .json and a sheet. What is
    finished is kept: stop with Ctrl-C, call again to go on.
    """
    from rehearse.evaluation.judging import load_bench
    from rehearse.evaluation.mixing import MixOptions, measure_mixes, write_mix_report
    from rehearse.models import load_model

    words = tuple(dict.fromkeys(_names(edits)))
    options = MixOptions(model, cases, words, _numbers("--weights", weights), at, steps, seed)
    bench, loaded = load_bench(), load_model(model)
    mixes = measure_mixes(options, loaded, bench, work, _say)
    about = {"model_sha256": loaded.fingerprint, "judge_sha256": bench.fingerprint}
    _told(write_mix_report(mixes, options, out, _command(), about))


@app.command("animate", epilog=_ANIMATE)
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
    out: Out = _RESULTS,
) -> None:
    """Measure what image, content, motion and trajectory instructions do to image-to-video.

    Every arm animates the same held-out pictures from the same noise; the judge says how well the clips agree
    with what was wished for (image and text alignment), how much they move, whether a dragged puppet arrives
    and what an edit did outside of its region. Writes animate.md and .json (paired intervals, the aims and
    whether they hold) and a sheet an arm. Every clip is kept as it is made: stop with Ctrl-C, call again to
    go on.
    """
    from rehearse.evaluation.animate import AnimateProtocol, run_animate
    from rehearse.evaluation.animate_arms import STANDARD
    from rehearse.evaluation.animate_report import write_animate_report
    from rehearse.evaluation.engine import model_fingerprint, pictures_fingerprint
    from rehearse.evaluation.judging import load_embedding_bench

    named = STANDARD if arms is None else _names(arms)
    protocol = AnimateProtocol(model=model, cases=cases, arms=named, seed=seed, steps=steps)
    protocol.parsed_arms()
    mark, region_mark = model_fingerprint(model), pictures_fingerprint(model)
    bench = load_embedding_bench()
    make_tools, marks = partial(_animate_tools, model), (mark, region_mark, bench.fingerprint)
    found, store = run_animate(protocol, work, make_tools, bench.judge, marks, processes, _say)
    about = {
        "model_sha256": mark,
        "drawing_in_regions_sha256": region_mark,
        "judge_and_space_sha256": bench.fingerprint,
    }
    _told(write_animate_report(found, store, out, _command(), about))


@app.command("target", epilog=_TARGET)
def target(
    cases: Annotated[int, typer.Option(min=1, help="Held-out first frames in each arm.")] = 300,
    arms: Annotated[str | None, typer.Option(help="Arms, with commas between (default: all nine).")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each trained arm.")] = 3,
    train_steps: Annotated[int, typer.Option(min=1, help="Steps of every training; none is chosen.")] = 2000,
    measure_at: Annotated[
        str | None,
        typer.Option(help="Steps, with commas between, after which trained arms are measured as well."),
    ] = None,
    train_clips: Annotated[int, typer.Option(min=1, help="Clips that all trainings share.")] = 1290,
    batch: Annotated[int, typer.Option(min=1, help="Clips a training step.")] = 4,
    rate: Annotated[float, typer.Option(help="Learning rate.")] = 1e-4,
    rank: Annotated[int, typer.Option(min=1, help="Rank of the LoRA.")] = 128,
    alpha: Annotated[
        float | None, typer.Option(help="The LoRA counts alpha / rank (default: half the rank).")
    ] = None,
    normalise: Annotated[
        Literal["joint", "text", "max"], typer.Option(help="Scale of the attention maps in the loss.")
    ] = "joint",
    precision: Annotated[
        Literal["no", "bf16"], typer.Option(help="What is trained in: no (float32) or bf16.")
    ] = "no",
    swap_cases: Annotated[
        int, typer.Option(min=0, help="First frames whose every prop is marked in turn; 0: leave out.")
    ] = 100,
    swap_arms: Annotated[
        str | None, typer.Option(help="Arms whose masks are swapped (default: target, target:0, modulation).")
    ] = None,
    attention_cases: Annotated[
        int, typer.Option(min=0, help="Clips that attention is read in; 0: leave out.")
    ] = 32,
    force: Annotated[
        bool, typer.Option("--force", help="Go on where the gate fails; the page says so.")
    ] = False,
    steps: Steps = None,
    seed: Seed = 0,
    processes: Processes = 1,
    model: Annotated[
        str, typer.Option(help="The base: an image-to-video model of the target scene.")
    ] = "theatre-target",
    work: Work = Path("runs/evaluate/target"),
    out: Out = _RESULTS,
) -> None:
    """Measure whether the marked thing is touched, among several that are alike.

    First the gate: without a mask the base must touch some prop in 80 % of the clips, or the rest says
    nothing. Then every arm makes the same cases from the same noise: without a mask, with attention
    modulated, trained on clips alone, and trained with masks and the attention loss (its weight, direction
    and blocks). Writes target.md and .json (right and wrong contact against chance, masks swapped, attention,
    paired intervals over cases and training seeds, the paper's findings and whether they hold here) and
    sheets. Trainings and clips are kept as they are made: stop with Ctrl-C, call again to go on.
    """
    from rehearse.evaluation.contact import DETECTOR
    from rehearse.evaluation.engine import model_fingerprint
    from rehearse.evaluation.target import SWAPPED, TargetProtocol, TargetWork, run_target
    from rehearse.evaluation.target_arms import STANDARD
    from rehearse.evaluation.target_engine import load_target_tools
    from rehearse.evaluation.target_report import write_target_report
    from rehearse.evaluation.target_training import TrainingSettings, load_trainer, refuse_untrainable
    from rehearse.models.precision import choose_precision

    protocol = TargetProtocol(
        model=model,
        cases=cases,
        arms=STANDARD if arms is None else _names(arms),
        swapped=SWAPPED if swap_arms is None else _names(swap_arms),
        swaps=swap_cases,
        looks=attention_cases,
        seeds=seeds,
        stages=() if measure_at is None else _counts("--measure-at", measure_at),
        seed=seed,
        steps=steps,
        training=TrainingSettings(train_clips, train_steps, batch, rate, rank, alpha, normalise, precision),
        force=force,
    )
    protocol.parsed_arms()
    protocol.swapped_arms()
    refuse_untrainable(protocol.parsed_arms(), protocol.training, model)
    placed = choose_precision()
    runs_in = f"{str(placed.dtype).removeprefix('torch.')} on {placed.device.type}"

    def marks(name: str) -> str:
        # Clips of another number format are other clips.
        return f"{model_fingerprint(name)} {runs_in}"

    about = {"model_sha256": model_fingerprint(model), "runs_in": runs_in, "detector": DETECTOR}
    doing = TargetWork(load_target_tools, load_trainer, marks, processes, _say)
    found, store = run_target(protocol, work, doing)
    _told(write_target_report(found, store, out, _command(), about))


@app.command("latency")
def latency(
    repeats: Annotated[int, typer.Option(min=1, help="Times each operation is done, after a warm-up.")] = 7,
    width: Annotated[int | None, typer.Option(min=8, help="Pixels (default: the model's).")] = None,
    height: Annotated[int | None, typer.Option(min=8, help="Pixels (default: the model's).")] = None,
    frames: Annotated[int | None, typer.Option(min=1, help="Of the clip (default: the model's).")] = None,
    steps: Steps = None,
    model: Annotated[str, typer.Option(help="An image-to-video model.")] = "theatre-animate",
    out: Out = _RESULTS,
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
    timings = measure_latency(options, loaded, _say)
    _told(write_latency_report(timings, options, loaded, out, _command()))


def _where_installed(model: str, count: int) -> int:
    """The count where the model is there, else 0, and it is said."""
    from rehearse.models.errors import ModelError
    from rehearse.models.registry import find_model

    try:
        find_model(model)
    except ModelError:
        _say(f"{model} is not installed: its gates are left out (--animations asks for them)")
        return 0
    return count


def _animate_tools(model: str) -> AnimateTools:
    """What a process that makes animations holds."""
    from rehearse.evaluation.animate_engine import load_animator
    from rehearse.evaluation.animate_measure import AnimateTools
    from rehearse.evaluation.judging import load_bench

    return AnimateTools(load_animator(model), load_bench().judge)


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


def _numbers(option: str, text: str) -> tuple[float, ...]:
    """Numbers with commas between."""
    try:
        return tuple(dict.fromkeys(float(word) for word in _names(text)))
    except ValueError:
        raise BadWord(f"{option}: {text!r} is no list of numbers; write for example .25,.5,.75") from None


def _counts(option: str, text: str) -> tuple[int, ...]:
    """Whole numbers with commas between."""
    try:
        return tuple(dict.fromkeys(int(word) for word in _names(text)))
    except ValueError:
        raise BadWord(f"{option}: {text!r} is no list of steps; write for example 50,100,200") from None


def _names(text: str) -> tuple[str, ...]:
    """Names with commas between."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _command() -> str:
    """The command line as a person writes it."""
    return shlex.join(["rehearse", *sys.argv[1:]])


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _told(files: list[Path]) -> None:
    for file in files:
        typer.echo(os.fspath(file))
