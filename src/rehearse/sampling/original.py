"""What a blended take is mixed with, as it travels in files: enough to mix on in another process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor


@dataclass(frozen=True, eq=False, slots=True)
class Original:
    """The original side of a take's blend; the take's own shot says the weights.

    shot: the original's shot as JSON text. kept: clean latents ``[1, channels, frames, h, w]`` that the
    original predicted, by step, where they are kept; None where it is predicted anew.
    original: what the original is itself mixed with, None for a plain one. A kept one needs none: its
    predictions are mixed already.
    """

    shot: str
    kept: Mapping[int, Tensor] | None = None
    original: Original | None = None

    def since(self, step: int) -> Original:
        """The same without what only the steps before ``step`` need."""
        return replace(
            self,
            kept=None if self.kept is None else {s: x0 for s, x0 in self.kept.items() if s >= step},
            original=None if self.original is None else self.original.since(step),
        )

    def lineage(self) -> tuple[Original, ...]:
        """This one, what it is mixed with, and so on."""
        return (self, *(self.original.lineage() if self.original else ()))
