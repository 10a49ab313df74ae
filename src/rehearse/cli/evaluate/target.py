"""``rehearse evaluate target``: is the marked thing touched, among several that are alike?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from rehearse.cli.evaluate.options import RESULTS, Out, Processes, Seed, Steps, Work, counts, names
from rehearse.cli.evaluate.telling import command, say, told
from rehearse.cli.evaluate.work_folder import alone_in
from rehearse.cli.words import epilog

EPILOG = epilog("""
[bold]Arms[/bold]

base; modulation, modulation:2 (attention raised without training); data (a LoRA without masks); target:0.1
and any other weight of the attention loss, with +t2v, +blocks:random, +blocks:every-third, +blocks:all

[bold]Examples[/bold]

rehearse evaluate target --cases 300 --arms base   [dim]the gate alone: does the base touch anything?[/dim]

rehearse evaluate target --arms data,target:0,target:0.1 --seeds 1 --train-steps 500   [dim]a first look[/dim]

rehearse evaluate target --train-steps 200 --measure-at 50,100,150   [dim]who learns sooner[/dim]

rehearse evaluate target --processes 2   [dim]the whole; stop and continue at will[/dim]
""")


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
    out: Out = RESULTS,
) -> None:
    """Measure whether the marked thing is touched, among several that are alike.

    First the gate: without a mask the base must touch some prop in 80 % of the clips, or the rest says
    nothing. Then every arm makes the same cases from the same noise: without a mask, with attention
    modulated, trained on clips alone, and trained with masks and the attention loss (its weight, direction
    and blocks). Writes target.md and .json (right and wrong contact against chance, masks swapped, attention,
    paired intervals over cases and training seeds, the paper's findings and whether they hold here) and
    sheets. Trainings and clips are kept as they are made: stop with Ctrl-C, call again to go on.
    """
    from rehearse.evaluation.kit.engine import model_fingerprint
    from rehearse.evaluation.target.arms import STANDARD
    from rehearse.evaluation.target.contact import DETECTOR
    from rehearse.evaluation.target.engine import load_target_tools
    from rehearse.evaluation.target.protocol import SWAPPED, TargetProtocol
    from rehearse.evaluation.target.report import write_target_report
    from rehearse.evaluation.target.study import TargetWork, run_target
    from rehearse.evaluation.target.training import TrainingSettings, load_trainer, refuse_untrainable
    from rehearse.models.precision import choose_precision

    protocol = TargetProtocol(
        model=model,
        cases=cases,
        arms=STANDARD if arms is None else names(arms),
        swapped=SWAPPED if swap_arms is None else names(swap_arms),
        swaps=swap_cases,
        looks=attention_cases,
        seeds=seeds,
        stages=() if measure_at is None else counts("--measure-at", measure_at),
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
    doing = TargetWork(load_target_tools, load_trainer, marks, processes, say)
    with alone_in(work):
        found, store = run_target(protocol, work, doing)
    told(write_target_report(found, store, out, command(), about))
