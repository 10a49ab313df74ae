"""``rehearse theatre``: the world that the embedded models were trained on."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import typer

app = typer.Typer(help="The paper theatre: the world the embedded models know.", no_args_is_help=True)

_FPS = 8.0


class SceneKind(StrEnum):
    """The kinds of scene that can be drawn on a sheet."""

    PUPPETS = "puppets"
    TARGET = "target"


@app.command("sheet")
def sheet(
    output: Path = typer.Option(
        Path("theatre.png"), "--output", "-o", metavar="PNG", help="Where to draw it."
    ),
    seed: int = typer.Option(0, "--seed", "-s", min=0, help="Decides the scenes."),
    rows: int = typer.Option(10, "--rows", min=1, max=100, help="How many scenes."),
    scene: SceneKind = typer.Option(
        SceneKind.PUPPETS, "--scene", help='"target": scenes in which an actor reaches one of several props.'
    ),
    force: bool = typer.Option(False, "--force", "-f", help="Replace an existing file."),
) -> None:
    """Draw a contact sheet of the world: every puppet in every colour, and scenes with their captions."""
    from rehearse.cli.outputs import as_sheet, check_outputs

    check_outputs([as_sheet(output, "--output")], force)
    import numpy as np

    from rehearse.media import write_picture
    from rehearse.theatre.world import contact_sheet, target_sheet

    draw = target_sheet if scene is SceneKind.TARGET else contact_sheet
    write_picture(output, draw(np.random.default_rng(seed), rows=rows))
    typer.echo(str(output))


@app.command("words")
def known_words(
    sought: list[str] = typer.Argument(
        None, metavar="[WORD]...", help='Words of your own, such as "dog": what comes nearest to each.'
    ),
) -> None:
    """Say what the theatre's models understand, and how captions are made of it."""
    from rehearse.resolve.vocabulary import nearest_words, words_of
    from rehearse.theatre.world import words
    from rehearse.theatre.world.target_scene import TRIGGER, target_words
    from rehearse.theatre.world.vocabulary import word_groups

    known = set(words())
    if sought:
        for word in words_of(" ".join(sought)):
            near = ", ".join(nearest_words(word, known)) or "nothing near"
            typer.echo(f"{word}: {'known' if word in known else near}")
        return
    groups = word_groups(known)
    for group in groups:
        typer.echo(f"{group['name'].lower():<11}  {', '.join(group['words'])}")
    told = {word for group in groups for word in group["words"]}
    more = [
        word
        for group in word_groups(target_words())
        for word in group["words"]
        if word not in told and word != TRIGGER
    ]
    typer.echo(f"\ntheatre-target and theatre-reach know besides: {', '.join(more)}")
    typer.echo("\nOne to three things and a place, with motions or without:")
    typer.echo("  a red ball over the meadow")
    typer.echo("  an orange cat stands still and a blue bird arcs right in the forest")


@app.command("clip")
def clip(
    caption: str | None = typer.Argument(
        None, metavar="CAPTION", help='Such as "a red ball moves right over the meadow". Left out: any scene.'
    ),
    output: Path | None = typer.Option(
        None, "--output", "-o", metavar="CLIP", help="The clip: .mp4, .webm, .gif, .apng or .png."
    ),
    seed: int = typer.Option(0, "--seed", "-s", min=0, help="Decides what the caption leaves open."),
    frames: int = typer.Option(16, "--frames", min=1, max=1000, help="Length of the clip."),
    size: int = typer.Option(128, "--size", min=16, max=1024, help="Width and height in pixels."),
    overlay: bool = typer.Option(
        False, "--overlay", help="Draw the puppets' true boxes, on enlarged frames."
    ),
    force: bool = typer.Option(False, "--force", "-f", help="Replace an existing file."),
) -> None:
    """Render a scene of the world: what a perfect model would make. No model runs."""
    import numpy as np

    from rehearse.cli.caption import scene_of
    from rehearse.cli.outputs import check_outputs, name_for
    from rehearse.media import Trace, clip_format, draw_overlay, write_clip
    from rehearse.theatre.world import render, sample_scene

    rng = np.random.default_rng(seed)
    scene = scene_of(caption, rng) if caption is not None else sample_scene(rng)
    made = render(scene, frames=frames, size=size)
    target = output or name_for(made.caption)
    clip_format(target)
    check_outputs([target], force)
    pictures = made.frames
    if overlay:
        traces = [
            Trace(f"{actor.colour} {actor.kind}", boxes=boxes.astype(np.float64))
            for actor, boxes in zip(scene.actors, made.boxes, strict=True)
        ]
        pictures = draw_overlay(pictures, traces)
    write_clip(target, pictures, _FPS)
    typer.echo(made.caption, err=True)
    typer.echo(str(target))


@app.command("target")
def target(
    output: Path = typer.Argument(
        Path("target"), metavar="FOLDER", help="Where to write frame.png and a mask of each prop."
    ),
    seed: int = typer.Option(0, "--seed", "-s", min=0, help="Decides the scene."),
    force: bool = typer.Option(False, "--force", "-f", help="Replace existing files."),
) -> None:
    """Draw a first frame with several props that are alike, and a mask of each: which one is meant?

    Try theatre-target with them, and theatre-reach, which goes by the mask.
    """
    import numpy as np
    from PIL import Image

    from rehearse.cli.outputs import check_outputs
    from rehearse.media import write_picture
    from rehearse.theatre.world import render_target, sample_target_scene

    made = render_target(sample_target_scene(np.random.default_rng(seed)), 1)
    masks = [output / f"mask-{number}.png" for number in range(1, len(made.props) + 1)]
    frame = output / "frame.png"
    output.mkdir(parents=True, exist_ok=True)
    check_outputs([frame, *masks], force)
    write_picture(frame, Image.fromarray(made.frames[0]))
    for path, prop in zip(masks, made.props, strict=True):
        write_picture(path, Image.fromarray(prop.astype(np.uint8) * 255))
    typer.echo("\n".join(map(str, [frame, *masks])))
    typer.echo(
        f'rehearse generate "{made.caption}" --model theatre-reach --image {frame} '
        f'--target "{made.scene.phrase} @ {masks[0]}"',
        err=True,
    )
