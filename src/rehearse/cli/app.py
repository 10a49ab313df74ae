"""The commands of ``rehearse``."""

from __future__ import annotations

import typer

from rehearse.cli import evaluate, generate, mask, models, picture, shot, studio, take, takes, theatre, train
from rehearse.cli.words import epilog

_EPILOG = epilog("""
[bold]Begin here[/bold]

rehearse generate "a red ball moves right over the meadow" -o ball.mp4

rehearse generate "a red ball over the meadow" --box "red ball @ 0: .1,.4,.3,.6; 1: .7,.4,.9,.6" --overlay

rehearse shot ball.mp4   [dim]the shot that made a clip, as JSON[/dim]

Every command explains itself: rehearse generate --help
""")

app = typer.Typer(
    name="rehearse",
    help="A director's desk for video diffusion: from words and paths to a clip.",
    epilog=_EPILOG,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from rehearse import __version__

        typer.echo(f"rehearse {__version__}")
        raise typer.Exit


@app.callback()
def _rehearse(
    version: bool = typer.Option(
        False, "--version", "-V", help="Tell the version and leave.", callback=_version, is_eager=True
    ),
) -> None:
    pass


app.command("generate", epilog=generate.EPILOG)(generate.generate)
app.command("picture", epilog=picture.EPILOG)(picture.picture)
app.command("mask", epilog=mask.EPILOG)(mask.mask)
app.command("shot", epilog=shot.EPILOG)(shot.shot)
app.add_typer(models.app, name="models")
app.command("studio", epilog=studio.EPILOG)(studio.studio)
app.add_typer(take.app, name="take")
app.add_typer(takes.app, name="takes")
app.add_typer(theatre.app, name="theatre")
# Rooms still empty are not shown.
for name, room in (("train", train.app), ("evaluate", evaluate.app)):
    if room.registered_commands:
        app.add_typer(room, name=name)
