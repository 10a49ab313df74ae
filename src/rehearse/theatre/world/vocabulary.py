"""The closed vocabulary of the paper theatre, and the captions built from it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .scene import Actor, Scene

PUPPETS: tuple[str, ...] = (
    "ball", "car", "balloon", "star", "fish", "bird", "rocket",
    "boat", "butterfly", "house", "tree", "cat", "umbrella", "train",
)  # fmt: skip
COLOURS: tuple[str, ...] = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white")
BACKDROPS: tuple[str, ...] = ("meadow", "city", "sea", "desert", "snow", "night", "forest")
MOTIONS: tuple[str, ...] = (
    "moves right", "moves left", "moves up", "moves down", "arcs right", "arcs left",
    "bounces", "grows", "shrinks", "stands still", "turns",
)  # fmt: skip
VERBS: dict[str, str] = {"hand": "reaches for", "crane": "lowers to", "frog": "hops to"}
"""What actors of the target scene do, by actor."""
CUSTOM = "custom"
"""Motion name of an actor on a hand-made path: it has no caption, only a still caption."""

BACKDROP_PHRASES: dict[str, str] = {
    "meadow": "over the meadow",
    "city": "in the city",
    "sea": "over the sea",
    "desert": "in the desert",
    "snow": "in the snow",
    "night": "at night",
    "forest": "in the forest",
}
EXTRA_WORDS: tuple[str, ...] = (
    "up", "down", "left", "right", "the", "a", "an", "and", "over", "in", "at",
    "moves", "arcs", "bounces", "grows", "shrinks", "stands", "still", "turns",
)  # fmt: skip


def article(word: str) -> str:
    """``"an"`` before a vowel, otherwise ``"a"``."""
    return "an" if word[:1] in "aeiou" else "a"


def noun_phrase(actor: Actor) -> str:
    """The actor with its article, e.g. ``"an orange ball"``."""
    return f"{article(actor.colour)} {actor.colour} {actor.kind}"


def join_phrases(parts: list[str]) -> str:
    """Join one to three phrases with commas and a closing ``and`` (no comma before it)."""
    if len(parts) < 2:
        return "".join(parts)
    return ", ".join(parts[:-1]) + " and " + parts[-1]


def caption(scene: Scene) -> str:
    """The scene's caption with motions; raises ValueError where an actor is on a custom path."""
    parts = []
    for actor in scene.actors:
        if actor.motion not in MOTIONS:
            raise ValueError(f"motion {actor.motion!r} has no caption; use still_caption instead")
        parts.append(f"{noun_phrase(actor)} {actor.motion}")
    return f"{join_phrases(parts)} {BACKDROP_PHRASES[scene.backdrop]}".strip()


def still_caption(scene: Scene) -> str:
    """The scene's caption without motions, e.g. ``"a red ball over the meadow"``."""
    return bare_caption([(actor.kind, actor.colour) for actor in scene.actors], scene.backdrop)


def bare_caption(puppets: Sequence[tuple[str, str]], backdrop: str) -> str:
    """The caption without motions of (kind, colour) pairs before a backdrop."""
    parts = [f"{article(colour)} {colour} {kind}" for kind, colour in puppets]
    return f"{join_phrases(parts)} {BACKDROP_PHRASES[backdrop]}".strip()


def word_groups(vocabulary: Collection[str]) -> list[dict[str, Any]]:
    """A theatre model's words by kind, to be looked through: ``name`` and ``words`` of each, things first.

    vocabulary: the words a model knows; of a kind those are given all of whose parts it knows. What is of no
    kind stands under "Other words"; of a vocabulary that is not the theatre's that is all of it.
    """
    kinds: dict[str, tuple[str, ...]] = {
        "Things": (*PUPPETS, *VERBS),
        "Colours": COLOURS,
        "Motions": (*MOTIONS, *VERBS.values()),
        "Places": tuple(BACKDROP_PHRASES.values()),
    }
    known = set(vocabulary)
    groups = [
        {"name": name, "words": [word for word in words if known.issuperset(word.split())]}
        for name, words in kinds.items()
    ]
    told = {part for group in groups for word in group["words"] for part in word.split()}
    groups.append({"name": "Other words", "words": sorted(known - told)})
    return [group for group in groups if group["words"]]


@lru_cache(maxsize=1)
def words() -> tuple[str, ...]:
    """Every word a caption can contain, sorted."""
    found = set(PUPPETS) | set(COLOURS) | set(EXTRA_WORDS)
    for phrase in (*MOTIONS, *BACKDROP_PHRASES.values()):
        found.update(phrase.split())
    return tuple(sorted(found))
