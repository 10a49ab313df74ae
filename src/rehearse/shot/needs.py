"""What an instruction needs of a model."""

from __future__ import annotations

UNNAMED = "trajectory.unnamed"
"""The ability to follow a path that names no words: it moves what the picture shows there."""
LATER = "image.later"
"""The ability to show a picture at another time than the start."""


def ability(instruction: object) -> str:
    """What a model must be able to do to follow an instruction: its kind, for trajectories the form, and for
    a target that acts, instead of being acted upon, that it is the source."""
    kind = str(getattr(instruction, "kind", type(instruction).__name__))
    form = getattr(instruction, "form", None)
    if kind == "target" and getattr(instruction, "role", None) == "source":
        form = "source"
    return f"{kind}.{form}" if form else kind


def needs(instruction: object) -> tuple[str, ...]:
    """All that a model must be able to do for an instruction: :func:`ability`, and what it asks besides."""
    needed = ability(instruction)
    if needed in ("trajectory.box", "trajectory.point") and not getattr(instruction, "phrase", None):
        return needed, UNNAMED
    if needed == "image" and getattr(instruction, "time", None):
        return needed, LATER
    return (needed,)
