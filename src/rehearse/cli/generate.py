"""``rehearse generate``: a prompt or a shot becomes a clip."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rehearse.cli.failures import BadWord, Failure
from rehearse.cli.words import epilog, size_of, steps_of

if TYPE_CHECKING:
    from rehearse.cli.progress import Pace
    from rehearse.shot import Shot
    from rehearse.takes import Clip

EPILOG = epilog("""
[bold]Boxes[/bold]

--box "red ball @ 0: .1,.4,.3,.6; 1: .7,.4,.9,.6"

The words before the @ are words of the prompt. Behind it, keyframes: a time, a colon, and a box as
left,top,right,bottom. All are fractions: time 0 is the first frame and 1 the last; position 0,0 is the top
left of the frame and 1,1 its bottom right. Between keyframes the box moves.

--box "ball @ ease-in-out leaves-frame 0: -.3,.4,-.1,.6; 1: .4,.4,.6,.6"

Before the first time may stand how it moves (linear, ease-in, ease-out, ease-in-out, hold) and that it may
leave the frame. "ball#2" is the second ball that the prompt mentions.

[bold]Tracks of other tools[/bold]

--point 'red ball @ size=832x480 [{"x": 120, "y": 300}, {"x": 600, "y": 300}]'

A JSON list of positions, one a frame, or a .json file with one, in place of the keyframes; boxes are lists
of four numbers. size= says the frame that pixels are of; left out, they are of the clip of --size.

[bold]Examples[/bold]

rehearse generate "a red ball moves right over the meadow" -o ball.gif

rehearse generate "a red ball and a blue car over the meadow"
--box "red ball @ 0: .1,.1,.4,.4; 1: .6,.1,.9,.4" --box "blue car @ 0: .6,.6,.9,.9"
--overlay --sheet sheet.png

rehearse generate "a red ball over the meadow" --image ball.png --edit "a blue star @ .1,.4,.4,.7"
--drag ".25,.55 > .75,.4" --loop   [dim]a picture, changed, then moved there and back[/dim]

rehearse generate shot.json --seed 8 --steps 12   [dim]a shot file, with another seed and fewer steps[/dim]

rehearse generate ball.gif --guidance 9 -o again.gif   [dim]the shot inside a clip, changed[/dim]
""")

_SHOT, _CLIP, _MODEL, _PATHS, _METHOD = "Shot", "Output", "Model and sampling", "Paths", "Methods"
_PICTURE = "Picture, motion and target"


def generate(
    source: str = typer.Argument(
        ..., metavar="SHOT_OR_PROMPT",
        help="A prompt; or a shot file (.json); or a clip, for the shot inside it.",
    ),
    output: Path | None = typer.Option(
        None, "--output", "-o", metavar="CLIP", rich_help_panel=_CLIP,
        help="The clip: .mp4, .webm, .gif or .apng; .png for one frame as it is, several side by side. "
        "Left out: an .mp4 here, named after the prompt.",
    ),
    sheet: Path | None = typer.Option(
        None, "--sheet", metavar="PNG", rich_help_panel=_CLIP, help="A contact sheet of the frames too."
    ),
    overlay: bool = typer.Option(
        False, "--overlay", rich_help_panel=_CLIP,
        help="A second, larger clip too (CLIP.paths.mp4), with the paths drawn on the frames; they are "
        "added to the sheet.",
    ),
    take: Path | None = typer.Option(
        None, "--take", metavar="DIR", rich_help_panel=_CLIP,
        help="Run in a folder of its own: every step is on the disk, Ctrl-C pauses, and rehearse take "
        "resumes it or forks it later.",
    ),
    keep: int = typer.Option(
        1, "--keep", min=0, metavar="N", rich_help_panel=_CLIP,
        help="With --take: keep the checkpoint of every n-th step; 0 keeps the last only.",
    ),
    force: bool = typer.Option(False, "--force", "-f", rich_help_panel=_CLIP, help="Replace existing files."),
    quiet: bool = typer.Option(False, "--quiet", "-q", rich_help_panel=_CLIP, help="Say nothing but errors."),
    box: list[str] = typer.Option(
        [], "--box", metavar="PATH", rich_help_panel=_PATHS,
        help='A subject stays in a moving box, "red ball @ 0: .1,.4,.3,.6; 1: .7,.4,.9,.6"; see below. '
        "Repeatable.",
    ),
    point: list[str] = typer.Option(
        [], "--point", metavar="PATH", rich_help_panel=_PATHS,
        help='A subject follows a point, "red ball @ 0: .1,.4; 1: .7,.5". Repeatable.',
    ),
    easing: str | None = typer.Option(
        None, "--easing", metavar="WORD", rich_help_panel=_PATHS,
        help="How the paths given here move: linear, ease-in, ease-out, ease-in-out, hold.",
    ),
    image: Path | None = typer.Option(
        None, "--image", "-i", metavar="PICTURE", rich_help_panel=_PICTURE,
        help="The picture that the clip starts from.",
    ),
    edit: list[str] = typer.Option(
        [], "--edit", metavar="WORDS", rich_help_panel=_PICTURE,
        help='The picture is made anew under other words before it moves: "a blue ball @ .1,.4,.3,.6" in a '
        'box alone, "... @ mask.png" where a picture is white, without an @ everywhere. Repeatable.',
    ),
    motion: str | None = typer.Option(
        None, "--motion", metavar="TEXT", rich_help_panel=_PICTURE,
        help="What moves and how; left out: the prompt says it.",
    ),
    magnitude: str | None = typer.Option(
        None, "--magnitude", metavar="N", rich_help_panel=_PICTURE,
        help="How much moves: small, moderate, large, or a number from 0 to 1.",
    ),
    loop: bool = typer.Option(
        False, "--loop", rich_help_panel=_PICTURE,
        help="The last frame leads back to the first, and so do paths and drags.",
    ),
    drag: list[str] = typer.Option(
        [], "--drag", metavar="WAY", rich_help_panel=_PATHS,
        help='What is at the first point of the picture is dragged to the last: ".2,.5 > .7,.4", points to '
        'pass between them; "@ mask.png" or "@ .1,.4,.3,.6" says what moves along. Repeatable.',
    ),
    acted_upon: list[str] = typer.Option(
        [], "--target", metavar="MARK", rich_help_panel=_PICTURE,
        help='The one thing that words of the prompt mean: "red ball @ mask.png" (white marks it), or '
        '"red ball @ .1,.4,.3,.6", a box. For models with a target adapter.',
    ),
    acting: list[str] = typer.Option(
        [], "--source", metavar="MARK", rich_help_panel=_PICTURE,
        help="Likewise the one that acts, for models that were trained with both.",
    ),
    target_attention: float | None = typer.Option(
        None, "--target-attention", metavar="N", rich_help_panel=_PICTURE,
        help="Steers attention to the target without any training: how far, 0 (not at all) upwards.",
    ),
    model: str | None = typer.Option(
        None, "--model", "-m", rich_help_panel=_MODEL, metavar="MODEL",
        help="A model of the theatre (see rehearse models), a folder, or a hub id. Left out: theatre-video, "
        "with --image theatre-animate.",
    ),
    seed: int | None = typer.Option(None, "--seed", "-s", rich_help_panel=_MODEL, help="Decides the noise."),
    steps: int | None = typer.Option(None, "--steps", rich_help_panel=_MODEL, help="Denoising steps."),
    guidance: float | None = typer.Option(
        None, "--guidance", "-g", rich_help_panel=_MODEL, help="Scale of classifier-free guidance; 1 is none."
    ),
    scheduler: str | None = typer.Option(
        None, "--scheduler", metavar="NAME", rich_help_panel=_MODEL, help="ddim, dpm++, unipc or euler."
    ),
    frames: int | None = typer.Option(None, "--frames", rich_help_panel=_MODEL, help="Length of the clip."),
    fps: float | None = typer.Option(None, "--fps", rich_help_panel=_MODEL, help="Frames per second."),
    size: str | None = typer.Option(
        None, "--size", metavar="WxH", rich_help_panel=_MODEL, help="Width x height in pixels: 128x128."
    ),
    negative: str | None = typer.Option(
        None, "--negative", metavar="TEXT", rich_help_panel=_MODEL, help="What the clip shall not show."
    ),
    threads: int | None = typer.Option(
        None, "--threads", min=1, rich_help_panel=_MODEL, help="CPU threads; left out: torch decides."
    ),
    frozen_steps: str | None = typer.Option(
        None, "--frozen-steps", metavar="N", rich_help_panel=_METHOD,
        help="First steps in which attention is masked by the boxes: a number (4) or a part of all "
        "(0.1, 10%). More: closer to the boxes, at a cost in quality.",
    ),
    normalization: str | None = typer.Option(
        None, "--normalization", metavar="WORD", rich_help_panel=_METHOD,
        help="Of masked attention: none, global or regional.",
    ),
    normalization_strength: float | None = typer.Option(
        None, "--normalization-strength", rich_help_panel=_METHOD, help="0 (none) to 1 (full)."
    ),
    temporal_prior: str | None = typer.Option(
        None, "--temporal-prior", metavar="WORD", rich_help_panel=_METHOD,
        help="What frames share along a path: none, noise or x0.",
    ),
    temporal_prior_strength: float | None = typer.Option(
        None, "--temporal-prior-strength", rich_help_panel=_METHOD, help="0 (none) to 1 (full)."
    ),
    temporal_prior_steps: str | None = typer.Option(
        None, "--temporal-prior-steps", metavar="N", rich_help_panel=_METHOD,
        help="First steps in which it acts: a number or a part of all.",
    ),
    initial_noise: str | None = typer.Option(
        None, "--initial-noise", metavar="WORD", rich_help_panel=_METHOD,
        help="random, or freetraj: noise that carries the paths.",
    ),
) -> None:  # fmt: skip
    """Make a clip from a prompt or a shot.

    The clip's file carries the shot that made it: rehearse shot CLIP gets it back. What a fork was blended
    with is no part of it, and left out.
    """
    from rich.console import Console

    from rehearse.cli.notes import notes_to
    from rehearse.cli.outputs import as_sheet, beside, check_outputs, name_for
    from rehearse.cli.request import Request, is_file, shot_of
    from rehearse.media import clip_format

    width, height = size_of(size) if size is not None else (None, None)
    request = Request(
        fields={
            "model": model or _model_for(source, image), "seed": seed,
            "steps": steps, "guidance": guidance, "scheduler": scheduler,
            "frames": frames, "fps": fps, "width": width, "height": height, "negative_prompt": negative,
        },
        control={
            "frozen_steps": None if frozen_steps is None else steps_of("--frozen-steps", frozen_steps),
            "normalization": normalization,
            "normalization_strength": normalization_strength,
            "temporal_prior": temporal_prior,
            "temporal_prior_strength": temporal_prior_strength,
            "temporal_prior_steps": None
            if temporal_prior_steps is None
            else steps_of("--temporal-prior-steps", temporal_prior_steps),
            "initial_noise": initial_noise,
            "target_attention": target_attention,
        },
        boxes=box, points=point, easing=easing, image=image, edits=edit, drags=drag,
        motion={"text": motion, "magnitude": magnitude, "loop": loop or None},
        target=_once("--target", acted_upon), source=_once("--source", acting),
    )  # fmt: skip
    with notes_to(Console(stderr=True), quiet):
        asked = shot_of(source, request)
    shot = _alone(asked, source, quiet)
    if take is None and keep != 1:
        raise BadWord(f"--keep is {keep}: without --take nothing is kept; give --take DIR, or leave it out")
    target = output or name_for(shot.prompt)
    clip_format(target)
    drawn = beside(target, "paths") if overlay else None
    outputs = [path for path in (target, drawn, as_sheet(sheet) if sheet else None) if path is not None]
    check_outputs(outputs, force, inputs=[Path(source)] if is_file(source) else [])
    clip, pace = _run(shot, threads, quiet) if take is None else _run_in(take, keep, shot, threads, quiet)
    try:
        _write(clip, target, drawn, sheet)
    except (ValueError, OSError) as error:
        raise Failure(str(error)) from error
    _report(clip, pace, outputs, quiet)


def _model_for(source: str, image: Path | None) -> str | None:
    """The theatre's model for a prompt with a picture; None for the shot's own, which a file says."""
    from rehearse.cli.request import is_file

    return "theatre-animate" if image is not None and not is_file(source) else None


def _alone(shot: Shot, source: str, quiet: bool) -> Shot:
    """The shot as a take of its own can run it: what was blended with a parent take has none here."""
    if shot.control.blend is None:
        return shot
    from rehearse.resolve.branching import mixes_with_parent

    if not mixes_with_parent(shot):
        return shot
    if not quiet:
        typer.echo(
            f"note: the blend in {source} is with the take it branched off, and is left out; rehearse take "
            "fork blends",
            err=True,
        )
    return shot.with_control(blend=None)


def _once(option: str, marks: list[str]) -> str | None:
    """The mark, None for none. Raises BadWord for several: silence about all but the last would mislead."""
    if len(marks) > 1:
        raise BadWord(f"{option} is given {len(marks)} times: a clip has one; make a clip for each")
    return marks[0] if marks else None


def _run(shot: Shot, threads: int | None, quiet: bool) -> tuple[Clip, Pace]:
    from rich.console import Console

    from rehearse.cli.running import at_work

    with at_work(Console(stderr=True), shot.model, threads, quiet) as watching:
        from rehearse.api import generate as run

        clip = run(shot, on_step=watching.step)
    return clip, watching.pace


def _run_in(place: Path, keep: int, shot: Shot, threads: int | None, quiet: bool) -> tuple[Clip, Pace]:
    """Likewise, in a folder that outlives this process."""
    from rich.console import Console

    from rehearse.cli.running import run_in_folder
    from rehearse.takes import Take
    from rehearse.takes.folder import TakeFolder

    folder = TakeFolder.create(place, keep=keep)
    take, pace = run_in_folder(
        Console(stderr=True),
        folder,
        lambda: Take.start(shot, keep=0, recorder=folder),
        model=shot.model,
        threads=threads,
        quiet=quiet,
    )
    return take.clip, pace


def _write(clip: Clip, target: Path, drawn: Path | None, sheet: Path | None) -> None:
    from rehearse.media import Row, draw_overlay, traces_of, write_clip, write_sheet

    write_clip(target, clip.frames, clip.fps, clip.shot)
    rows = [Row(clip.frames, clip.shot.prompt)]
    if drawn is not None:
        with_paths = draw_overlay(clip.frames, traces_of(clip.shot, len(clip.frames)))
        write_clip(drawn, with_paths, clip.fps, clip.shot)
        rows.append(Row(with_paths, "as asked for"))
    if sheet is not None:
        write_sheet(sheet, rows)


def _report(clip: Clip, pace: Pace, outputs: list[Path], quiet: bool) -> None:
    if quiet:
        return
    count, height, width, _ = clip.frames.shape
    typer.echo(
        f"{count} frames of {width}x{height} at {clip.fps:g} a second, seed {clip.shot.seed}, "
        f"in {pace.total_seconds:.1f} s ({pace.step_seconds:.2f} s a step)",
        err=True,
    )
    for path in outputs:
        typer.echo(str(path))
