"""Attention sites: the seam between models and controls.

A *site* is one attention call inside a denoiser. A model family describes its sites and hands every
call to an :class:`Attend` hook in one canonical layout; a control sees that layout and nothing of the
family. So a control is written once and works on every family, and a family is added without touching
a control.

Canonical layout of a call, by kind (``branches`` are the guidance branches: unconditional first, then
conditional; ``clips`` the clips of a batch):

======== ================================== ================================ =============
kind     batch axis is                      queries are                      keys are
======== ================================== ================================ =============
spatial  branches x clips x frames          height x width of one frame      the same
cross    branches x clips x frames          height x width of one frame      prompt tokens
temporal branches x clips x height x width  frames at one position           the same
video    branches x clips                   frames x height x width          the same
joint    branches x clips                   text, frames x height x width    the same
======== ================================== ================================ =============

A ``video`` site is what spatial and temporal sites are together: a control that acts on those acts on it, in
the blocks of its matrix that lie within a frame (spatial) and between frames (temporal).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

SiteKind = Literal["spatial", "temporal", "cross", "video", "joint"]
SitePart = Literal["down", "mid", "up", "body"]


@dataclass(frozen=True, slots=True)
class Site:
    """One attention call in a denoiser.

    name: dotted module path inside the denoiser (unique).
    kind: what attends to what, see the module docstring.
    part: where in the denoiser: a UNet's down, mid or up path; ``body`` for a transformer's blocks.
    heads: number of attention heads.
    second: whether it is the second attention among the same tokens in its block (a UNet's temporal blocks
        have two).
    """

    name: str
    kind: SiteKind
    part: SitePart
    heads: int
    second: bool = False


def chosen(kind: SiteKind, kinds: frozenset[SiteKind]) -> bool:
    """Whether a site of this kind is among the kinds chosen: a video site also where either of those is that
    it stands for."""
    return kind in kinds or (kind == "video" and not kinds.isdisjoint({"spatial", "temporal"}))


@dataclass(frozen=True, slots=True)
class Grid:
    """Token grid of a site: frames x height x width, in tokens."""

    frames: int
    height: int
    width: int

    @property
    def area(self) -> int:
        """Tokens in one frame."""
        return self.height * self.width


@dataclass(slots=True)
class AttentionCall:
    """One attention call, ready to be computed.

    query: ``[batch, heads, queries, head_dim]``; key and value: ``[batch, heads, keys, head_dim]``.
    project: merges heads and applies the site's output projection:
        ``[batch, heads, queries, head_dim] -> [batch, queries, channels]``. It is affine per token.
    scale: factor on ``query @ key^T`` (None: ``head_dim ** -0.5``).
    text: at joint sites, the slice of the sequence that holds the prompt's tokens; elsewhere None.
    blank: at temporal sites, query, key and value, each ``[1, heads, frames, head_dim]``, as they were if
        every token had been 0 before the block's normalization; None where the model cannot tell.
    """

    site: Site
    grid: Grid
    query: Tensor
    key: Tensor
    value: Tensor
    project: Callable[[Tensor], Tensor]
    branches: int
    clips: int
    scale: float | None = None
    text: slice | None = None
    blank: Callable[[], tuple[Tensor, Tensor, Tensor]] | None = None

    def plain(self) -> Tensor:
        """The unmasked output ``[batch, queries, channels]``, after the output projection."""
        return self.project(
            torch.nn.functional.scaled_dot_product_attention(
                self.query, self.key, self.value, scale=self.scale
            )
        )


class Attend(Protocol):
    """What a model calls at each of its sites while a prediction runs."""

    def __call__(self, call: AttentionCall) -> Tensor | None:
        """Return the site's output after the output projection and before the residual,
        ``[batch, queries, channels]``, or None for plain attention."""
        ...

    def wants(self, site: Site) -> bool:
        """Whether this site must be handed over at all (False keeps the model's own fast path)."""
        ...
