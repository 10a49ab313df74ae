"""What an instruction needs of a model, and what of it a model can do: the one table of both.

An ability is named by the instruction's kind, for trajectories by the form too: "image",
"trajectory.box". What some instructions need besides has names of its own.
"""

from __future__ import annotations

from collections.abc import Collection

UNNAMED = "trajectory.unnamed"
"""The ability to follow a path that names no words: it moves what the picture shows there."""
LATER = "image.later"
"""The ability to show a picture at another time than the start."""
STEERED = "target_attention"
"""The ability to have its attention to a target raised."""
ALIGNED = "frame_alignment"
"""The ability to align frames with the picture it starts from."""

OF_A_PICTURE = frozenset({"image", "content", "motion", "trajectory.drag"})
"""Abilities that image-to-video models have."""

_FOLLOWS = (
    ("trajectory.box", "boxes"),
    ("trajectory.point", "points"),
    ("trajectory.drag", "drags"),
    ("target", "a marked target"),
    ("target.source", "a marked actor"),
)
_PICTURE = (("image", "from a picture"), ("content", "paint and edits"), ("motion", "motion in words"))


def ability(instruction: object) -> str:
    """The ability to follow an instruction: its kind, for trajectories the form, and for a target that acts,
    instead of being acted upon, that it is the source."""
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


def all_abilities(
    acts_on: Collection[str], *, shows_picture: str | None, joint: bool, aligns: bool
) -> frozenset[str]:
    """Everything a model can do for a shot.

    acts_on: the instructions it follows. shows_picture, joint: see :class:`rehearse.cards.ModelCard`.
    aligns: whether a layer of equation 5 was trained for it.
    """
    found = set(acts_on)
    if shows_picture is not None and "trajectory.drag" in found:
        found.add(UNNAMED)
    if shows_picture == "any" and "image" in found:
        found.add(LATER)
    if joint:
        found.add(STEERED)
    if shows_picture is not None and aligns:
        found.add(ALIGNED)
    return frozenset(found)


def spoken(name: str) -> str:
    """An ability's instruction as a sentence calls it: "box trajectory"."""
    kind, _, form = name.partition(".")
    return f"{form} {kind}" if form else kind


def says(abilities: Collection[str], max_frames: int | None) -> str:
    """Such as "text to video, from a picture, paint and edits; follows boxes, points, drags".

    abilities: as :func:`all_abilities` has them. max_frames: 1 makes it an image model.
    """
    makes = ["text to picture" if max_frames == 1 else "text to video"]
    makes += [words for ability, words in _PICTURE if ability in abilities]
    follows = [words for ability, words in _FOLLOWS if ability in abilities]
    return ", ".join(makes) + (f"; follows {', '.join(follows)}" if follows else "")
