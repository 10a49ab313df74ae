"""Where a resolved shot becomes one model call and a list of controls.

Everything that can be decided without the model's weights is decided before, in :mod:`rehearse.resolve`.
"""

from rehearse.planning.compile import compile, plan
from rehearse.sampling.plan import Plan

__all__ = ["Plan", "compile", "plan"]
