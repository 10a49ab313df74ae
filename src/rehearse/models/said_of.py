"""What a model can do, in a few words for a list to choose from."""

from __future__ import annotations

from collections.abc import Collection

_FOLLOWS = (
    ("trajectory.box", "boxes"),
    ("trajectory.point", "points"),
    ("trajectory.drag", "drags"),
    ("target", "a marked target"),
    ("target.source", "a marked actor"),
)
_PICTURE = (("image", "from a picture"), ("content", "paint and edits"), ("motion", "motion in words"))


def says(abilities: Collection[str], max_frames: int | None) -> str:
    """Such as "text to video, from a picture, paint and edits; follows boxes, points, drags".

    abilities: as :func:`rehearse.planning.abilities` has them. max_frames: 1 makes it an image model.
    """
    makes = ["text to picture" if max_frames == 1 else "text to video"]
    makes += [words for ability, words in _PICTURE if ability in abilities]
    follows = [words for ability, words in _FOLLOWS if ability in abilities]
    return ", ".join(makes) + (f"; follows {', '.join(follows)}" if follows else "")
