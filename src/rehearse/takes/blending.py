"""How a fork's blend becomes a plan: its parent is the original side, its own shot the edited one.

A shot's blend says how the two mix (:class:`rehearse.resolve.ForkBlend`). Forks nest: the original side is
the parent *as it was going on*, with its own blend where it had one, so that a weight of 1 is always the
parent's own continuation. A computed chain of n blended forks costs n + 1 predictions a step; a kept original
costs none, however it came about.
"""

from __future__ import annotations

from dataclasses import replace

from rehearse.models.card_of import card_of
from rehearse.models.model import VideoModel
from rehearse.planning import compile, plan
from rehearse.resolve import ForkBlend, ResolvedShot, resolve
from rehearse.sampling.blend import Blend, Kept, KeptX0, Side
from rehearse.sampling.blend_weights import blend_weights
from rehearse.sampling.original import Original
from rehearse.sampling.plan import Plan
from rehearse.shot import Shot


def plan_of(shot: Shot, model: VideoModel, original: Original | None) -> Plan:
    """The plan of a take that is mixed with an original; None: of one that is not.

    Raises ShotError where the shot or the original's does not suit the model.
    """
    if original is None:
        return plan(shot, model)
    resolved = resolve(shot, card_of(model))
    return mixed(compile(resolved, model), resolved, model, original)


def mixed(own: Plan, resolved: ResolvedShot, model: VideoModel, original: Original) -> Plan:
    """A shot's own plan under its blend with an original."""
    blend = resolved.blend
    assert isinstance(blend, ForkBlend)
    _, *grid = model.latent_shape(own.frames, own.height, own.width)
    side: Side | KeptX0
    if original.kept is not None:
        side = Kept(original.kept)
    else:
        side = plan_of(Shot.model_validate_json(original.shot), model, original.original).side
    weights = blend_weights(blend.settings, (grid[0], grid[1], grid[2]), own.height, own.width)
    return replace(own, blend=Blend(side, weights))
