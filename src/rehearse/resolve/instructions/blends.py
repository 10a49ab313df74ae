"""What ``control.blend`` means: a mix with a parent take, or with the picture before the drags."""

from __future__ import annotations

from dataclasses import dataclass

from rehearse.resolve.instructions.paths import is_at_rest
from rehearse.shot import BlendSettings, BoxTrajectory, DragTrajectory, PointTrajectory, Shot


@dataclass(frozen=True, slots=True)
class ForkBlend:
    """A fork is mixed with the take it leaves. settings: with nothing open."""

    settings: BlendSettings

    @property
    def keeps_original(self) -> bool:
        """Whether it takes what the parent predicted, rather than predicting it anew."""
        return self.settings.original == "kept"


@dataclass(frozen=True, slots=True)
class DragBlend:
    """What is dragged is mixed with the picture before the drags, in a fork as in a take of its own: no take
    has predicted that picture. settings: with nothing open."""

    settings: BlendSettings


def blend_of(shot: Shot) -> ForkBlend | DragBlend | None:
    """The meaning of a shot's blend; None where it asks for none."""
    said = shot.control.blend
    if said is None:
        return None
    return DragBlend(said.filled()) if _drags_anything(shot) else ForkBlend(said.filled())


def feathers_nothing(shot: Shot) -> list[str]:
    """Sentences on a soft edge of a blend that has no region."""
    said = shot.control.blend
    if said is None or not said.feather or said.region is not None:
        return []
    return [
        f"control.blend.feather is {said.feather:g}: it softens the edge of a region, and the blend has "
        "none; give one, or leave it out"
    ]


def _drags_anything(shot: Shot) -> bool:
    """Whether the shot drags something: by a drag, or by a path without words that does not stand still."""
    return any(
        isinstance(one, DragTrajectory)
        or (isinstance(one, BoxTrajectory | PointTrajectory) and one.phrase is None and not is_at_rest(one))
        for one in shot.instructions
    )
