"""``rehearse models``: what can be given to ``--model``, and weights made fit to be."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rehearse.models import ModelEntry
    from rehearse.models.folder import ModelFolder

# Checkpoints on the hub that the families were written for, to show what else --model takes.
_ON_THE_HUB = {
    "cerspense/zeroscope_v2_576w": ("unet3d", "24 of 576x320"),
    "ali-vilab/text-to-video-ms-1.7b": ("unet3d", "16 of 256x256"),
    "THUDM/CogVideoX-5b-I2V": ("cogvideox", "49 of 720x480"),
    "Wan-AI/Wan2.1-T2V-1.3B-Diffusers": ("wan", "81 of 832x480"),
    "Wan-AI/Wan2.2-TI2V-5B-Diffusers": ("wan", "121 of 1280x704"),
}

app = typer.Typer(help="What --model takes; convert makes safetensors of other weights.")


@app.callback(invoke_without_command=True)
def models(context: typer.Context) -> None:
    """List the models that are installed or in the hub's cache, and some that --model fetches."""
    if context.invoked_subcommand is None:
        _list()


@app.command("convert")
def convert(
    file: Path = typer.Argument(..., help="A .pth, .pt, .bin or .ckpt file of weights."),
    output: Path | None = typer.Option(
        None, "--output", "-o", help="The safetensors file. Left out: the same name, beside it."
    ),
) -> None:
    """Write the weights of a pickle as safetensors, the only form that is read.

    The file is opened in a process of its own, and only tensors are taken from it.
    """
    from rehearse.models.convert import convert_weights

    made, left = convert_weights(file, output)
    typer.echo(str(made))
    if left:
        typer.echo(f"left out, as no tensors: {', '.join(left[:5])}", err=True)


def _list() -> None:
    from rich.console import Console
    from rich.table import Table

    from rehearse.models import list_models
    from rehearse.models.registry import cached_models

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("model", "family", "frames and size", "follows", "on disk"):
        # Names are for copying: they are never cut.
        table.add_column(heading, no_wrap=heading == "model")
    cached = {entry.name: entry for entry in cached_models()}
    for entry in (*list_models(), *cached.values()):
        table.add_row(
            entry.name,
            entry.family,
            _defaults(entry),
            _follows(entry.family, entry),
            f"{entry.size / 2**20:.1f} MiB",
        )
    for name, (family, size) in _ON_THE_HUB.items():
        if name not in cached:
            table.add_row(name, family, size, _follows(family), "not yet")
    Console().print(table)
    typer.echo(
        "\n--model also takes a folder in diffusers' layout, or any hub id of a family above; "
        "safetensors only."
    )


def _defaults(entry: ModelEntry) -> str:
    given: dict[str, Any] = {}
    for folder in _standing(entry):
        said = folder.optional("rehearse.json")
        given = given or (said.get("defaults", {}) if isinstance(said, dict) else {})
    if not given and entry.name in _ON_THE_HUB:
        return _ON_THE_HUB[entry.name][1]
    return "{frames} of {width}x{height}".format(**{"frames": "?", "width": "?", "height": "?", **given})


def _standing(entry: ModelEntry) -> list[ModelFolder]:
    """The model's folder, and those it stands on."""
    from rehearse.models.errors import ModelError
    from rehearse.models.folder import ModelFolder
    from rehearse.models.registry import find_model

    try:
        folders = [find_model(entry.name)]
    except ModelError:  # it is listed all the same; using it says what is wrong
        folders = [ModelFolder(entry.path, entry.name)]
    while (base := folders[-1].base) is not None:
        folders.append(base)
    return folders


def _follows(family: str, entry: ModelEntry | None = None) -> str:
    """What a family can act on besides the prompt, as its class says; of a model, with its adapter."""
    found = vars(import_module(f"rehearse.models.{family}")).values()
    kinds: frozenset[str] = next(c.acts_on for c in found if getattr(c, "family", None) == family)
    if entry is not None and any(folder.target_adapter is not None for folder in _standing(entry)):
        kinds |= {"target"}
    return ", ".join(sorted(" ".join(reversed(kind.split("."))) for kind in kinds)) or "the prompt alone"
