"""``rehearse mask``: which thing is meant, from a point on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rehearse.cli.failures import BadWord
from rehearse.cli.words import epilog

EPILOG = epilog("""
[bold]Examples[/bold]

rehearse mask clip.mp4 --point .62,.4 -o cup.png   [dim]what lies there, white on black[/dim]

rehearse mask clip.mp4 --point .62,.4 --not .5,.7 --overlay   [dim]without the table[/dim]

rehearse mask clip.mp4 --point .62,.4 --model models/sam2.1-hiera-tiny   [dim]weights in a folder[/dim]
""")


def mask(
    source: Annotated[
        Path, typer.Argument(metavar="CLIP", help="A clip or a picture; its first frame is read.")
    ],
    point: Annotated[
        list[str] | None,
        typer.Option("--point", "-p", metavar="X,Y",
                     help="A place on the thing, in parts of width and height: .62,.4. Repeat it."),
    ] = None,
    away: Annotated[
        list[str] | None, typer.Option("--not", metavar="X,Y", help="A place not on it. Repeat it.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PNG", help="Left out: CLIP.mask.png.")
    ] = None,
    model: Annotated[
        str, typer.Option("--model", "-m", help="SAM 2: a folder or a hub id; safetensors only.")
    ] = "facebook/sam2.1-hiera-small",
    overlay: Annotated[
        bool, typer.Option("--overlay", help="PNG.marked.png too: the frame, marked.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace existing files.")] = False,
) -> None:  # fmt: skip
    """Draw the mask of one thing in a clip's first frame, by SAM 2, for rehearse train target.

    The mask is a picture of the clip's size, white where the thing is. Point at the middle of what you mean;
    where the mask takes in too much, say with --not what does not belong.
    """
    from rehearse.cli.outputs import beside, check_outputs

    on = [_point("--point", text) for text in point or []]
    off = [_point("--not", text) for text in away or []]
    if not on:
        raise BadWord("there is no --point: say where the thing is, such as --point .62,.4")
    target = output or source.with_name(f"{source.stem}.mask.png")
    if target.suffix.lower() != ".png":
        raise BadWord(f"--output is {target}: a mask is a png; end its name in .png")
    shown = beside(target, "marked") if overlay else None
    outputs = [path for path in (target, shown) if path is not None]
    check_outputs(outputs, force, inputs=[source])

    import numpy as np
    from PIL import Image

    from rehearse.media import MediaError, read_clip, write_picture
    from rehearse.shot.file_names import existing
    from rehearse.training.own.segment import load_segmenter, segment
    from rehearse.training.own.sheet import marked

    try:
        clip = read_clip(existing(source), 1)
    except MediaError as error:
        raise MediaError(f"cannot read {source}: {error}") from error
    for note in clip.notes:
        typer.echo(f"note: {source}: {note}", err=True)
    frame = clip.frames[0]
    found, sure = segment(load_segmenter(model), frame, on, off)
    write_picture(target, Image.fromarray(found))
    if shown is not None:
        write_picture(shown, Image.fromarray(marked(frame, (found[None] / 255).astype(np.float32))))
    typer.echo(f"{(found > 0).mean():.1%} of the frame, sureness {sure:.2f}", err=True)
    for path in outputs:
        typer.echo(str(path))


def _point(option: str, text: str) -> tuple[float, float]:
    remedy = "write X,Y in parts of width and height, each from 0 to 1, such as .62,.4"
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError as error:
        raise BadWord(f'{option} is "{text}": {remedy}') from error
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise BadWord(f'{option} is "{text}": it lies outside of the frame; {remedy}')
    return x, y
