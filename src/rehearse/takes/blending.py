"""How a fork's blend becomes a plan: its parent is the original side, its own shot the edited one.

A shot's ``control.blend`` says how the two mix (:func:`mixes_with_parent` where it means the parent). Forks
nest: the original side is the parent *as it was going on*, with its own blend where it had one, so that a
weight of 1 is always the parent's own continuation. A computed chain of n blended forks costs n + 1
predictions a step; a kept original costs none, however it came about.
"""

from __future__ import annotations

from dataclasses import replace

from rehearse.animating import drags_anything
from rehearse.models.model import VideoModel
from rehearse.pictures.drawn_mask import masks_over_frame
from rehearse.planning import plan
from rehearse.sampling.blend import Blend, Kept, KeptX0, Side
from rehearse.sampling.blend_weights import BLEND_DEFAULTS, blend_weights
from rehearse.sampling.original import Original
from rehearse.sampling.plan import Plan
from rehearse.shot import Shot


def mixes_with_parent(shot: Shot) -> bool:
    """Whether a fork under this shot blends with its parent. Where the shot drags something, the blend is
    between the picture before the drag and after it, which planning sees to: a shot means the same in a fork
    as in a take of its own, and the picture before the drag is no take's."""
    return shot.control.blend is not None and not drags_anything(shot)


def keeps_original(shot: Shot) -> bool:
    """Whether the shot's blend takes what the parent predicted, rather than predicting it anew."""
    said = shot.control.blend.original if shot.control.blend else None
    return (said or BLEND_DEFAULTS.original) == "kept"


def unmixed(shot: Shot, model: VideoModel) -> Plan:
    """The plan of a shot alone, whatever it says of a blend with a parent."""
    return plan(shot.with_control(blend=None) if mixes_with_parent(shot) else shot, model)


def plan_of(shot: Shot, model: VideoModel, original: Original | None) -> Plan:
    """The plan of a take that is mixed with an original; None: of one that is not.

    Raises ShotError where the shot or the original's does not suit the model.
    """
    return plan(shot, model) if original is None else mixed(unmixed(shot, model), shot, model, original)


def mixed(own: Plan, shot: Shot, model: VideoModel, original: Original) -> Plan:
    """A shot's own plan under a blend with an original, by the shot's blend settings."""
    settings = masks_over_frame(shot, own.width, own.height).control.blend
    assert settings is not None
    _, *grid = model.latent_shape(own.frames, own.height, own.width)
    side: Side | KeptX0
    if original.kept is not None:
        side = Kept(original.kept)
    else:
        side = plan_of(Shot.model_validate_json(original.shot), model, original.original).side
    weights = blend_weights(settings, (grid[0], grid[1], grid[2]), own.height, own.width)
    return replace(own, blend=Blend(side, weights))
