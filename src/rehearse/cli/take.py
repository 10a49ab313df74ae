"""``rehearse take ...``: a take's folder, shown, paused, resumed and forked."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rehearse.cli.failures import BadWord, Failure
from rehearse.cli.running import go_on
from rehearse.cli.words import epilog, steps_of

if TYPE_CHECKING:
    from rehearse.cli.progress import Pace
    from rehearse.shot import Shot
    from rehearse.takes import Take
    from rehearse.takes.folder import TakeFolder

_EPILOG = epilog("""
[bold]Examples[/bold]

rehearse generate "a red ball over the meadow" --take ball.take   [dim]runs in a folder; Ctrl-C pauses[/dim]

rehearse take show ball.take --sheet ball.png

rehearse take resume ball.take

rehearse take fork ball.take --at 8 --prompt "a red ball over the snow" --take snow.take -o snow.mp4
""")
_FORK = epilog("""
[bold]The blend[/bold]

With --blend every step after the fork mixes what the old and the new instructions say: 1 keeps the old (the
parent's, its own blend included), 0 follows the new. --blend .5 is the same everywhere. --blend "0: 1; 1: 0"
begins as the old clip and ends as the new one (time 0 is the first frame, 1 the last). --blend-box keeps
everything outside a box as it was.
--blend-from kept takes what the parent predicted instead of predicting it again: half the time, and a
stronger pull to the old clip (take about half the weight); the parent must be finished with every step kept.

A fork of a blended fork is blended only where --blend or a --shot file says so; --blend none takes a file's
blend out. Where the shot drags something, by a drag or a path without words, its blend is with the picture
before the drag and no matter of the parent: there --blend is refused, and a --shot file says it.

[bold]Examples[/bold]

rehearse take fork ball.take --at 8 --shot changed.json --take late.take -o late.mp4

rehearse take fork ball.take --at 4 --box "red ball @ 0: .1,.1,.4,.4; 1: .6,.6,.9,.9" --take arc.take

rehearse take fork ball.take --at 4 --prompt "a red ball over the snow" --blend "0: 1; 1: 0" --take snow.take
""")

app = typer.Typer(
    help="A take in a folder: look at it, pause it, go on with it, branch off it.",
    epilog=_EPILOG,
    no_args_is_help=True,
)

Dir = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a take.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="CLIP", help="The finished clip here too; it is clip.mp4 in the folder."
    ),
]
Force = Annotated[bool, typer.Option("--force", "-f", help="Replace an existing file.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
Threads = Annotated[int | None, typer.Option("--threads", min=1, help="CPU threads; torch decides.")]
_CHANGE, _BLEND = "What changes", "Blend"


@app.command("show")
def show(
    folder: Dir,
    sheet: Annotated[
        Path | None,
        typer.Option("--sheet", metavar="PNG", help="A contact sheet: how the clip formed, and the clip."),
    ] = None,
    force: Force = False,
) -> None:
    """Say what a take is, how far it has come and which steps it keeps to fork from."""
    from rehearse.cli.outputs import as_sheet, check_outputs
    from rehearse.takes.folder import TakeFolder

    opened = TakeFolder.open(folder)
    if sheet is not None:
        _refuse_inside(sheet, "--sheet", [folder])
        check_outputs([as_sheet(sheet)], force)
    for line in _lines(opened):
        typer.echo(line)
    if sheet is not None:
        _write_sheet(opened, sheet)
        typer.echo(str(sheet))


@app.command("pause")
def pause(folder: Dir) -> None:
    """Ask the process that runs a take to stop after the step it is in, and wait until it has."""
    from rehearse.takes.folder import TakeFolder

    opened = TakeFolder.open(folder)
    if opened.finished:
        typer.echo(f"{folder} is finished; there is nothing to pause")
    elif opened.pause():
        typer.echo(f"paused at step {opened.step} of {opened.card.steps}; {go_on(folder)}")
    else:
        typer.echo(f"nothing runs in {folder}{_left(opened)}; {_where(opened)}; {go_on(folder)}")


@app.command("resume")
def resume(
    folder: Dir,
    until: Annotated[int | None, typer.Option("--until", metavar="K", help="Only up to this step.")] = None,
    output: Output = None,
    force: Force = False,
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Go on with a take from the last step on the disk, bit for bit as if it had never stopped."""
    from rehearse.takes.folder import TakeFolder

    opened = TakeFolder.open(folder)
    _check_output(output, force, folder)
    steps = opened.card.steps
    if until is not None and not 0 <= until <= steps:
        raise BadWord(f"--until is {until}: the take has {steps} steps; give a step from 0 to {steps}")
    if until is not None and until < opened.step:
        raise BadWord(
            f"--until is {until}: the take stands at step {opened.step} already; fork it to go back: "
            f"rehearse take fork {shlex.quote(str(folder))} --at {until} --take NEW"
        )
    if until is not None and until < steps and output is not None:
        raise BadWord(
            f"--output is {output}: with --until {until} the take does not come to its end, and only then "
            "there is a clip; leave one of them out"
        )
    if opened.finished and opened.clip_path.exists() and output is None:
        typer.echo(f"{folder} is finished", err=True)
        typer.echo(str(opened.clip_path))
        return
    _run(opened, opened.take, opened.card.model, until, output, threads, quiet)


@app.command("fork", epilog=_FORK)
def fork(
    folder: Dir,
    at: Annotated[int, typer.Option("--at", metavar="K", help="The step to branch off after; 0: anew.")],
    take: Annotated[Path, typer.Option("--take", metavar="NEWDIR", help="The new take's folder.")],
    output: Output = None,
    keep: Annotated[
        int, typer.Option("--keep", min=0, help="Keep the checkpoint of every n-th step; 0: the last only.")
    ] = 1,
    shot: Annotated[
        Path | None,
        typer.Option("--shot", metavar="FILE", rich_help_panel=_CHANGE,
                     help="The changed shot, a .json or a clip; left out: the parent's own."),
    ] = None,
    prompt: Annotated[
        str | None, typer.Option("--prompt", rich_help_panel=_CHANGE, help="What it shows.")
    ] = None,
    negative: Annotated[
        str | None, typer.Option("--negative", rich_help_panel=_CHANGE, help="What it shall not show.")
    ] = None,
    guidance: Annotated[
        float | None, typer.Option("--guidance", "-g", rich_help_panel=_CHANGE, help="1 is none.")
    ] = None,
    box: Annotated[
        list[str] | None,
        typer.Option("--box", metavar="PATH", rich_help_panel=_CHANGE,
                     help='"red ball @ 0: .1,.4,.3,.6; 1: .7,.4,.9,.6". Repeatable.'),
    ] = None,
    point: Annotated[
        list[str] | None,
        typer.Option("--point", metavar="PATH", rich_help_panel=_CHANGE,
                     help='"red ball @ 0: .1,.4; 1: .7,.5". Repeatable.'),
    ] = None,
    easing: Annotated[
        str | None, typer.Option("--easing", metavar="WORD", rich_help_panel=_CHANGE, help="How paths move.")
    ] = None,
    frozen_steps: Annotated[
        str | None,
        typer.Option("--frozen-steps", metavar="N", rich_help_panel=_CHANGE,
                     help="First steps of the whole take with masked attention: 4, 0.1 or 10%."),
    ] = None,
    blend: Annotated[
        str | None,
        typer.Option("--blend", metavar="W", rich_help_panel=_BLEND,
                     help='Share of the old: a number, or "0: 1; 1: 0" over the clip; or none. See below.'),
    ] = None,
    blend_box: Annotated[
        str | None,
        typer.Option("--blend-box", metavar="BOX", rich_help_panel=_BLEND,
                     help="left,top,right,bottom: where the new acts; outside the old stays."),
    ] = None,
    feather: Annotated[
        float | None,
        typer.Option("--feather", rich_help_panel=_BLEND,
                     help="Width of the box's soft edge, a fraction of the shorter side."),
    ] = None,
    blend_from: Annotated[
        Literal["computed", "kept"] | None,
        typer.Option("--blend-from", rich_help_panel=_BLEND,
                     help="Predict the old anew, or take what the parent predicted."),
    ] = None,
    force: Force = False,
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """Branch off a take after a step, under a changed shot; only the steps that remain are computed.

    The parent may be finished, paused or running; it stays as it is. Size, length, seed, steps, scheduler and
    model stay the parent's, but for --at 0 without a blend. At the last step nothing can change any more.
    """
    from rich.console import Console

    from rehearse.cli.notes import notes_to
    from rehearse.cli.request import Request, laid_over, read
    from rehearse.takes.folder import TakeFolder

    parent = TakeFolder.open(folder)
    steps = tuple(sorted({0, *parent.steps()}))
    if at not in steps:
        raise BadWord(
            f"--at is {at}: the take in {folder} has {parent.card.steps} steps and keeps {_ranges(steps)}; "
            "give one of these"
        )
    new = TakeFolder.create(take, keep=keep)
    _check_output(output, force, folder, take)
    request = Request(
        fields={"prompt": prompt, "negative_prompt": negative, "guidance": guidance},
        control={
            "frozen_steps": None if frozen_steps is None else steps_of("--frozen-steps", frozen_steps),
            "blend": _blend(blend, blend_box, feather, blend_from),
        },
        boxes=box or (), points=point or (), easing=easing,
    )  # fmt: skip
    with notes_to(Console(stderr=True), quiet):
        size = (parent.card.width, parent.card.height)
        changed = laid_over(parent.shot if shot is None else read(shot), request, size)
    word = "--blend" if blend is not None else "--blend-box" if blend_box is not None else None
    changed = _meant(changed, parent, word, blend == "none", own=shot is None, quiet=quiet)
    _run(
        new,
        lambda: parent.take().fork(at, changed, recorder=new),
        changed.model,
        None,
        output,
        threads,
        quiet,
    )


def _meant(shot: Shot, parent: TakeFolder, word: str | None, none: bool, *, own: bool, quiet: bool) -> Shot:
    """The shot with the blend that was meant. word: the option that said one, or none of it; None for
    silence. own: whether what was not said is the parent's. Raises BadWord."""
    before = parent.shot
    if none:
        return shot.with_control(blend=None)
    if shot.control.blend is None:
        return shot
    from rehearse.resolve.branching import mixes_with_parent

    if word is not None and not mixes_with_parent(shot):
        raise BadWord(
            f"{word} mixes a fork with its parent, and this shot drags something, which a blend mixes with "
            "the picture before the drag; leave it out, or give a shot that has that blend with --shot"
        )
    if word is None and own and shot != before and mixes_with_parent(before):
        if not quiet:
            typer.echo(
                f"note: {parent.path} is blended with its own parent, and this fork is not; --blend mixes it "
                f"with {parent.path}",
                err=True,
            )
        return shot.with_control(blend=None)
    return shot


def _blend(
    weight: str | None, box: str | None, feather: float | None, original: str | None
) -> dict[str, Any] | None:
    """Blend settings as a document; None where no word of a blend was said, or none is wanted."""
    if weight == "none":
        for option, value in (("--blend-box", box), ("--feather", feather), ("--blend-from", original)):
            if value is not None:
                raise BadWord(f"{option} is for a blend, and --blend is none; leave one of them out")
        return None
    if feather is not None and box is None:
        raise BadWord("--feather is the width of a box's soft edge; give --blend-box too, or leave it out")
    if weight is None and box is None:
        if original is not None:
            raise BadWord("--blend-from is for a blend; give --blend or --blend-box too, or leave it out")
        return None
    said: dict[str, Any] = {"feather": feather, "original": original}
    if weight is not None and ":" in weight:
        said["over_time"] = [_keyframe(part, weight) for part in weight.split(";") if part.strip()]
    elif weight is not None:
        said["weight"] = _number("--blend", weight, weight)
    if box is not None:
        sides = [_number("--blend-box", word, box) for word in box.split(",")]
        if len(sides) != 4:
            raise BadWord(f'--blend-box is "{box}": give left,top,right,bottom, such as .1,.4,.3,.6')
        said["region"] = {"box": sides}
    return {name: value for name, value in said.items() if value is not None}


def _keyframe(part: str, whole: str) -> dict[str, float]:
    time, _, weight = part.partition(":")
    return {"time": _number("--blend", time, whole), "weight": _number("--blend", weight, whole)}


_FORMS = {"--blend": 'a number such as .5, "0: 1; 1: 0", or none', "--blend-box": "such as .1,.4,.3,.6"}


def _number(option: str, word: str, whole: str) -> float:
    try:
        return float(word)
    except ValueError as error:
        raise BadWord(
            f'{option} is "{whole}" and holds "{word.strip()}", which is no number; give {_FORMS[option]}'
        ) from error


def _check_output(output: Path | None, force: bool, *folders: Path) -> None:
    if output is not None:
        from rehearse.cli.outputs import check_outputs
        from rehearse.media import clip_format

        clip_format(output)
        _refuse_inside(output, "--output", folders)
        check_outputs([output], force)


def _refuse_inside(path: Path, option: str, folders: Sequence[Path]) -> None:
    """Raise BadWord where a file would lie among those of a take, which --force must not replace."""
    for folder in folders:
        if path.resolve().is_relative_to(folder.resolve()):
            raise BadWord(f"{option} is {path}: that is inside the take's folder; choose a place beside it")


def _run(
    folder: TakeFolder,
    make: Callable[[], Take],
    model: str,
    until: int | None,
    output: Path | None,
    threads: int | None,
    quiet: bool,
) -> None:
    from rich.console import Console

    from rehearse.cli.running import run_in_folder

    take, pace = run_in_folder(
        Console(stderr=True), folder, make, model=model, until=until, threads=threads, quiet=quiet
    )
    if not take.finished:
        if not quiet:
            typer.echo(f"step {take.step} of {take.steps}; {go_on(folder.path)}", err=True)
        return
    files = [folder.clip_path]
    if output is not None:
        try:
            take.clip.save(output)
        except (ValueError, OSError) as error:
            raise Failure(str(error)) from error
        files.append(output)
    if not quiet:
        _report(take, pace)
        for path in files:
            typer.echo(str(path))


def _report(take: Take, pace: Pace) -> None:
    plan = take.plan
    paid = f"{pace.steps} of {take.steps} steps" if pace.steps < take.steps else f"{take.steps} steps"
    typer.echo(
        f"{plan.frames} frames of {plan.width}x{plan.height}, {paid} in {pace.total_seconds:.1f} s "
        f"({pace.step_seconds:.2f} s a step)",
        err=True,
    )


def _lines(folder: TakeFolder) -> list[str]:
    card, shot = folder.card, folder.shot
    lines = [
        f"take {card.id[:8]} by {card.model}",
        f'  "{shot.prompt}"',
        f"  {card.frames} frames of {card.width}x{card.height}, seed {shot.seed}",
    ]
    if card.parent is not None:
        mixed = f", blended with it ({card.blend})" if card.blend else ""
        lines.append(f"  branched off {card.parent[:8]} after step {card.branch_step}{mixed}")
    runs = folder.runs()
    now = "running now" if runs else "finished" if folder.finished else f"paused{_left(folder)}"
    lines.append(f"  {_where(folder)}, {now}")
    lines.append(f"  can be forked at {_ranges(tuple(sorted({0, *folder.steps()})))}")
    if folder.clip_path.exists():
        lines.append(f"  {folder.clip_path}")
    elif not runs:
        lines.append(f"  {go_on(folder.path)}")
    return lines


def _where(folder: TakeFolder) -> str:
    return f"it stands at step {folder.step} of {folder.card.steps}"


def _left(folder: TakeFolder) -> str:
    return "" if folder.left_by is None else f" (process {folder.left_by}, which ran it, is gone)"


def _ranges(steps: tuple[int, ...]) -> str:
    """``0-4, 8, 12``."""
    parts: list[list[int]] = []
    for step in steps:
        if parts and step == parts[-1][-1] + 1:
            parts[-1].append(step)
        else:
            parts.append([step])
    return ", ".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)


_MOST_ROWS = 6


def _write_sheet(folder: TakeFolder, path: Path) -> None:
    from rehearse.media import MediaError, Row, read_frames, write_sheet

    seen = [step for step in range(1, folder.card.steps + 1) if folder.preview(step) is not None]
    count = min(len(seen), _MOST_ROWS)
    shown = [seen[round(i * (len(seen) - 1) / max(1, count - 1))] for i in range(count)]
    rows = []
    for step in shown:
        frames = folder.preview(step)
        assert frames is not None
        rows.append(Row(frames, f"step {step} of {folder.card.steps}, as the model saw it"))
    if folder.clip_path.exists():
        try:
            rows.append(Row(read_frames(folder.clip_path), folder.shot.prompt))
        except MediaError as error:
            again = f"remove {folder.clip_path} and resume the take: its clip is written again"
            raise Failure(f"{str(error).rstrip('.')}; {again}") from error
    if not rows:
        raise Failure(f"nothing of {folder.path} can be shown yet; resume it first")
    write_sheet(path, rows)
