"""A model's card as JSON: what a worker tells of a model, the store keeps and the API serves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from rehearse.cards import Defaults, Limits, ModelCard
from rehearse.resolve.abilities import LATER, says

Facts = Mapping[str, Any]
"""A model as JSON, see :class:`rehearse.studio.views.ModelView`."""

_DEFAULTS = ("frames", "width", "height", "fps", "steps", "guidance", "scheduler")


def facts_of(name: str, card: ModelCard) -> dict[str, Any]:
    """A card as JSON. name: what a shot calls the model."""
    from rehearse.theatre.world.vocabulary import word_groups

    limits = card.limits
    words = None if limits.vocabulary is None else sorted(limits.vocabulary)
    return {
        "name": name,
        "family": card.family,
        "abilities": sorted(card.abilities),
        "from_picture": card.needs_picture,
        "shows_picture": card.shows_picture,
        "site_kinds": sorted(card.site_kinds),
        "triggers": dict(card.triggers),
        "says": says(card.abilities, limits.max_frames),
        "defaults": {key: getattr(card.defaults, key) for key in _DEFAULTS},
        "limits": {
            "max_frames": limits.max_frames,
            "size_multiple": limits.size_multiple,
            "max_tokens": limits.max_tokens,
            "vocabulary": words,
            "word_groups": word_groups(words or ()),
            "frame_step": limits.frame_step,
            "fixed": None if limits.fixed is None else list(limits.fixed),
        },
    }


def card_of_facts(facts: Facts) -> ModelCard:
    """The card that was told; one of an older worker too."""
    limits, abilities = facts["limits"], frozenset(facts["abilities"])
    fixed, words = limits.get("fixed"), limits["vocabulary"]
    later: Literal["any", "start"] = "any" if LATER in abilities else "start"
    # Those of an older worker say only whether they start from one.
    shows = facts.get("shows_picture", later if facts.get("from_picture") else None)
    return ModelCard(
        identity=facts["name"],
        family=facts.get("family", ""),
        abilities=abilities,
        defaults=Defaults(**{key: facts["defaults"][key] for key in _DEFAULTS}),
        limits=Limits(
            max_frames=limits["max_frames"],
            size_multiple=limits["size_multiple"],
            max_tokens=limits["max_tokens"],
            vocabulary=None if words is None else frozenset(words),
            frame_step=limits.get("frame_step") or 1,
            fixed=None if fixed is None else (fixed[0], fixed[1], fixed[2]),
        ),
        site_kinds=frozenset(facts.get("site_kinds", ())),
        shows_picture=shows,
        needs_picture=bool(facts.get("from_picture")),
        triggers=facts.get("triggers", {}),
    )
