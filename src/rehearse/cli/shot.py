"""``rehearse shot``: the shot of a clip or of a shot file."""

from __future__ import annotations

from pathlib import Path

import typer

from rehearse.cli.words import epilog

EPILOG = epilog("""
[bold]Examples[/bold]

rehearse shot ball.mp4   [dim]print the shot that made this clip[/dim]

rehearse shot ball.mp4 -o ball.json   [dim]write it, its pictures beside it[/dim]

rehearse shot ball.json --sheet paths.png   [dim]check a shot and draw what it asks for[/dim]
""")

_FRAMES = 16
_SIDE = 128
_CELLS = 4


def shot(
    file: Path = typer.Argument(
        ..., metavar="FILE", help="A clip that rehearse wrote, or a shot file (.json)."
    ),
    output: Path | None = typer.Option(
        None, "--output", "-o", metavar="JSON", help="Write the shot to a file and its pictures beside it."
    ),
    sheet: Path | None = typer.Option(
        None, "--sheet", metavar="PNG", help="Draw its paths on an empty stage, ruled in tenths of the frame."
    ),
    force: bool = typer.Option(False, "--force", "-f", help="Replace existing files."),
) -> None:
    """Get the shot out of a clip, or check a shot file; print it as JSON."""
    from rehearse.cli.failures import BadWord
    from rehearse.cli.outputs import as_sheet, check_outputs
    from rehearse.cli.request import read
    from rehearse.media import Row, draw_paths, traces_of, write_sheet

    found = read(file)
    outputs = [path for path in (output, as_sheet(sheet) if sheet else None) if path is not None]
    if output is not None and output.suffix.lower() != ".json":
        raise BadWord(f"--output is {output}: a shot is a document; end its name in .json")
    check_outputs(outputs, force, inputs=[file])
    if sheet is not None:
        frames = found.frames or _FRAMES
        traces = traces_of(found, frames)
        if not traces:
            raise BadWord(f"{file} asks for no path, so there is none to draw; leave --sheet out")
        stage = draw_paths(traces, found.width or _SIDE, found.height or _SIDE, frames)
        write_sheet(sheet, [Row(stage, found.prompt)], every=max(1, -(-(frames - 1) // (_CELLS - 1))))
    if output is not None:
        found.save(output)
    for path in outputs:
        typer.echo(str(path))
    if not outputs:
        typer.echo(found.to_json(), nl=False)
