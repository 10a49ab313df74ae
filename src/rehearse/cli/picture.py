"""``rehearse picture``: what a clip would start from."""

from __future__ import annotations

from pathlib import Path

import typer

from rehearse.cli.words import epilog, size_of

EPILOG = epilog("""
[bold]Examples[/bold]

rehearse picture shot.json -o picture.png   [dim]its image, edits and drags, in a second or two[/dim]

rehearse picture shot.json --overlay   [dim]and the instructions drawn on it[/dim]

rehearse picture "a red ball over the meadow" --model theatre-image --seed 3
""")


def picture(
    source: str = typer.Argument(
        ..., metavar="SHOT_OR_PROMPT",
        help="A shot file (.json); a clip, for the shot inside it; or a prompt.",
    ),
    output: Path | None = typer.Option(
        None, "--output", "-o", metavar="PNG",
        help="The picture. Left out: a .png here, named after the prompt.",
    ),
    overlay: bool = typer.Option(
        False, "--overlay",
        help="A second, larger picture too (PNG.marks.png), with the instructions drawn on it.",
    ),
    force: bool = typer.Option(False, "--force", "-f", help="Replace existing files."),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="Say nothing but errors."),
    model: str | None = typer.Option(
        None, "--model", "-m", metavar="MODEL", help="A model of the theatre, a folder, or a hub id."
    ),
    seed: int | None = typer.Option(None, "--seed", "-s", help="Decides the noise."),
    size: str | None = typer.Option(None, "--size", metavar="WxH", help="Width x height in pixels: 128x128."),
    threads: int | None = typer.Option(
        None, "--threads", min=1, help="CPU threads; left out: torch decides."
    ),
) -> None:  # fmt: skip
    """Make the picture that a clip would start from: image, edits and drags, without the video.

    The picture carries the shot that made it: rehearse shot PNG gets it back.
    """
    from rich.console import Console

    from rehearse.cli.notes import notes_to
    from rehearse.cli.outputs import as_sheet, beside, check_outputs, name_for
    from rehearse.cli.request import Request, is_file, shot_of

    width, height = size_of(size) if size is not None else (None, None)
    request = Request(fields={"model": model, "seed": seed, "width": width, "height": height})
    with notes_to(Console(stderr=True), quiet):
        shot = shot_of(source, request)
    target = as_sheet(output or name_for(shot.prompt, ".png"), "--output")
    marked = beside(target, "marks") if overlay else None
    outputs = [path for path in (target, marked) if path is not None]
    check_outputs(outputs, force, inputs=[Path(source)] if is_file(source) else [])

    from rich.console import Console

    from rehearse.cli.running import at_work

    with at_work(Console(stderr=True), shot.model, threads, quiet) as watching:
        import numpy as np

        from rehearse.api import picture as run

        made = np.array(run(shot, on_step=watching.step))

    from rehearse.media import write_still
    from rehearse.pictures.marks import draw_marks
    from rehearse.resolve.instructions.pictures import picture_of

    write_still(target, made, shot)
    if marked is not None:
        ask = picture_of(shot, made.shape[1], made.shape[0], paths_drag=False)
        write_still(marked, draw_marks(made, ask), shot)
    if not quiet:
        typer.echo(
            f"{made.shape[1]}x{made.shape[0]}, seed {shot.seed}, in {watching.pace.total_seconds:.1f} s",
            err=True,
        )
        for path in outputs:
            typer.echo(str(path))
