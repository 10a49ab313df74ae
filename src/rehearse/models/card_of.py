"""The card of a model that is loaded."""

from __future__ import annotations

from rehearse.cards import ModelCard
from rehearse.models.model import VideoModel
from rehearse.resolve.abilities import all_abilities

ALIGNMENT_FOLDER = "frame_alignment"
"""Where a model's layer of equation 5 lies, in its own folder."""


def card_of(model: VideoModel) -> ModelCard:
    """What a shot can be resolved against; see :class:`rehearse.cards.ModelCard`."""
    pictures, targets = model.pictures, model.targets
    shows = None if pictures is None else pictures.shows
    kinds = frozenset(site.kind for site in model.sites)
    return ModelCard(
        identity=model.identity,
        family=model.family,
        abilities=all_abilities(
            model.acts_on,
            shows_picture=shows,
            joint="joint" in kinds,
            aligns=model.beside(ALIGNMENT_FOLDER) is not None,
        ),
        defaults=model.defaults,
        limits=model.limits,
        site_kinds=kinds,
        shows_picture=shows,
        needs_picture=pictures is not None and pictures.required,
        triggers={} if targets is None else targets.triggers,
    )
