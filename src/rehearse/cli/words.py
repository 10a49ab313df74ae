"""How the command line spells things: options that are read by hand."""

from __future__ import annotations

from rehearse.cli.failures import BadWord


def epilog(text: str) -> str:
    """Text below a command's help: paragraphs parted by empty lines, each on one line, for typer to wrap."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def size_of(text: str) -> tuple[int, int]:
    """Width and height in pixels from ``128x128``. Raises BadWord."""
    width, cross, height = text.lower().replace("×", "x").partition("x")
    if not (cross and width.strip().isdecimal() and height.strip().isdecimal()):
        raise BadWord(f'--size is "{text}": write width x height in pixels, such as 128x128')
    return int(width), int(height)


def steps_of(option: str, text: str) -> int | float:
    """A number of steps from ``4``, or a fraction of all steps from ``0.1`` or ``10%``. Raises BadWord."""
    word = text.strip()
    try:
        if word.endswith("%"):
            return float(word[:-1]) / 100
        return int(word) if word.isdecimal() else float(word)
    except ValueError as error:
        raise BadWord(
            f'{option} is "{text}": give a number of steps (4) or a part of all (0.1 or 10%)'
        ) from error
