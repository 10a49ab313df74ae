"""Options that several commands of ``rehearse evaluate`` take, and lists written with commas."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from rehearse.cli.failures import BadWord
from rehearse.cli.words import steps_of

Work = Annotated[
    Path, typer.Option(help="Folder of finished clips; a run that is called again continues there.")
]
Out = Annotated[Path, typer.Option(help="Folder of the report.")]
VideoModelName = Annotated[str, typer.Option(help="A video model that knows the theatre's words.")]
Steps = Annotated[int | None, typer.Option(min=1, help="Denoising steps (default: the model's).")]
Scheduler = Annotated[str | None, typer.Option(help="ddim, dpm++, unipc or euler (default: the model's).")]
Processes = Annotated[
    int, typer.Option(min=1, help="Processes that make clips, one thread each where there are several.")
]
Seed = Annotated[int, typer.Option(min=0, help="Decides the cases and their noise.")]
Prompts = Annotated[
    Literal["bare", "still"],
    typer.Option(help='"bare": "a red ball over the meadow"; "still": "a red ball stands still ...".'),
]
RESULTS = Path("docs/results")


def steps_list(text: str) -> tuple[float | int, ...]:
    """Numbers of steps: ``0.33,10%`` are parts of all, ``4`` a count."""
    numbers: list[float | int] = []
    for word in text.split(","):
        number = steps_of("--frozen", word)
        if not (0 < number < 1 or (isinstance(number, int) and 1 <= number <= 1000)):
            raise BadWord(
                f"--frozen: {word.strip()} is neither a part between 0 and 1 nor a count up to 1000"
            )
        numbers.append(number)
    return tuple(dict.fromkeys(numbers))


def numbers(option: str, text: str) -> tuple[float, ...]:
    """Numbers with commas between."""
    try:
        return tuple(dict.fromkeys(float(word) for word in names(text)))
    except ValueError as error:
        raise BadWord(f"{option}: {text!r} is no list of numbers; write for example .25,.5,.75") from error


def counts(option: str, text: str) -> tuple[int, ...]:
    """Whole numbers with commas between."""
    try:
        return tuple(dict.fromkeys(int(word) for word in names(text)))
    except ValueError as error:
        raise BadWord(f"{option}: {text!r} is no list of steps; write for example 50,100,200") from error


def names(text: str) -> tuple[str, ...]:
    """Names with commas between."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
