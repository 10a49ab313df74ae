"""What a command of ``rehearse evaluate`` says: progress, the files it wrote, and how it was called."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import typer


def command() -> str:
    """The command line as a person writes it."""
    return shlex.join(["rehearse", *sys.argv[1:]])


def say(line: str) -> None:
    """Print one line of progress to stderr."""
    typer.echo(line, err=True)


def told(files: list[Path]) -> None:
    """Print the paths of written files to stdout, one a line."""
    for file in files:
        typer.echo(os.fspath(file))
