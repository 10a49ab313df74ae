"""``rehearse train ...``: a command for each trainer in ``rehearse.training``.

A command imports its trainer in its body, so that help stays fast; commands added here appear by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from rehearse.cli import train_own

app = typer.Typer(
    help="Train adapters from your own clips (target, lora, motion), or the theatre's models again.",
    no_args_is_help=True,
)
app.command("target", epilog=train_own.TARGET_EPILOG)(train_own.target)
app.command("lora", epilog=train_own.LORA_EPILOG)(train_own.lora)
app.command("motion", epilog=train_own.MOTION_EPILOG)(train_own.motion)

_THEATRE = {
    "theatre-vae": "the autoencoder: patches of 8 x 8 pixels to 8 numbers and back to sharp paper",
    "theatre-image": "text to a still, together with the text encoder",
    "theatre-inpaint": "what lies in a region of a still, on theatre-image: for edits and paint",
    "theatre-video": "text to a clip, inflated from theatre-image (trains that first where it is missing)",
    "theatre-animate": "a picture to a clip, in four stages on theatre-image (trains first what is missing)",
    "theatre-alignment": "equation 5's layer for theatre-animate, which must be trained or exported before",
    "theatre-target": "a first frame to a clip in which an actor reaches a prop: the base of target masks",
    "theatre-reach": "the adapter under which theatre-target's actor reaches the prop that is marked",
    "theatre-wan-codec-stills": "the first stage of theatre-wan-codec: stills, in large batches",
    "theatre-wan-codec": "the autoencoder of theatre-wan, on clips (trains its stage on stills first)",
    "theatre-wan-stills": "the first stage of theatre-wan: stills, as clips of one latent frame",
    "theatre-wan": "text, or a picture and text, to a clip, as Wan has it (trains first what is missing)",
    "theatre-judge": "the judge that evaluation asks: segmentation, backdrops, features",
    "theatre-judge-space": "what embeds frames, clips and captions, beside the judge it is trained on",
}


def _command(name: str, what: str) -> Callable[..., None]:
    def run(
        runs: Annotated[
            Path, typer.Option(help="Folder of data sets and runs; what is there already is continued.")
        ] = Path("runs"),
        steps: Annotated[int | None, typer.Option(min=1, help="Fewer steps than the recipe's.")] = None,
        samples: Annotated[
            int | None, typer.Option(min=64, help="Fewer rendered samples than the recipe's.")
        ] = None,
        export: Annotated[
            Path | None, typer.Option(help="Write the finished model folder in here (default: do not).")
        ] = None,
        device: Annotated[
            str | None, typer.Option(help='"cpu" keeps off a GPU that is there (default: use it).')
        ] = None,
        sheets: Annotated[float, typer.Option(min=0, help="Seconds between sample sheets; 0: none.")] = 240.0,
    ) -> None:
        from rehearse.training.theatre import train

        train(name, runs, steps=steps, samples=samples, device=device, weights=export, sheet_seconds=sheets)

    run.__doc__ = f"""Train {name}: {what}.

    Renders its data, trains, logs to RUNS/{name}/log.jsonl and draws sample sheets there as it goes. Stop it
    with Ctrl-C and call it again: it continues at its last checkpoint. Several CPU processes or GPUs:
    torchrun --nproc_per_node 2 -m rehearse train {name}
    """
    return run


for _name, _what in _THEATRE.items():
    app.command(_name)(_command(_name, _what))


def theatre(
    runs: Annotated[
        Path, typer.Option(help="Folder of data sets and runs; what is there already is continued.")
    ] = Path("runs"),
    everything: Annotated[
        bool,
        typer.Option("--all", help="The theatre's other models too (default: theatre-wan)."),
    ] = False,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0.1, help="Time for what is not done yet; steps are cut to it (default: all steps)."
        ),
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Fewer steps than the recipes'.")] = None,
    samples: Annotated[
        int | None, typer.Option(min=64, help="Fewer rendered samples than the recipes'.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(help="Write the finished model folders in here (default: do not).")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help='"cpu" keeps off a GPU that is there (default: use it).')
    ] = None,
    sheets: Annotated[float, typer.Option(min=0, help="Seconds between sample sheets; 0: none.")] = 240.0,
) -> None:
    """Train theatre-wan with its codec, stage by stage, in the time there is.

    Stop it with Ctrl-C and call it again: stages that are done are passed over, one that was stopped goes on
    at its last checkpoint. Weights are written in files of at most 15 MB.
    """
    from rehearse.training.theatre import train_in

    train_in(
        minutes,
        runs,
        everything=everything,
        steps=steps,
        samples=samples,
        device=device,
        weights=export,
        sheet_seconds=sheets,
    )


app.command("theatre")(theatre)
