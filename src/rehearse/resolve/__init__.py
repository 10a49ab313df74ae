"""Between what a person asks and what a model computes: a shot with nothing left open. No torch."""

from rehearse.resolve.instructions.blends import DragBlend, ForkBlend, blend_of
from rehearse.resolve.resolve import refuse_alone, resolve, resolve_picture
from rehearse.resolve.resolved import ResolvedShot

__all__ = [
    "DragBlend",
    "ForkBlend",
    "ResolvedShot",
    "blend_of",
    "refuse_alone",
    "resolve",
    "resolve_picture",
]
