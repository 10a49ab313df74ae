"""The diagnostic of mask normalization: how far masking moves a site's statistics, before and after it.

distance(y, u) = sum_c (mu_y - mu_u)^2 + (sigma_y - sigma_u)^2     (docs/methods.md, section 3.5)

with the statistics that mask normalization works on, averaged over samples and frames. Measuring costs an
unmasked output at every site, so a probe is given only where the numbers are wanted.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from rehearse.controls.mask_normalization import moments
from rehearse.sites import SiteKind


@dataclass(frozen=True, slots=True)
class Shift:
    """One measurement. step: denoising step; site, kind: where; before, after: distance to the unmasked
    output's statistics without and with mask normalization (equal where none acts), 0 or more."""

    step: int
    site: str
    kind: SiteKind
    before: float
    after: float


@dataclass(slots=True)
class ShiftProbe:
    """Collects a :class:`Shift` per masked site and step while a take runs. It only watches: a take with and
    a take without a probe are the same. Not safe to share between takes that run at the same time."""

    shifts: list[Shift] = field(default_factory=list)

    def record(
        self, step: int, site: str, kind: SiteKind, masked: Tensor, normalized: Tensor, unmasked: Tensor
    ) -> None:
        """Measure outputs ``[sets, tokens, channels]`` and keep the result."""
        before = statistics_distance(masked, unmasked)
        after = before if normalized is masked else statistics_distance(normalized, unmasked)
        self.shifts.append(Shift(step, site, kind, before, after))


def statistics_distance(y: Tensor, u: Tensor) -> float:
    """sum_c (mu_y - mu_u)^2 + (sigma_y - sigma_u)^2 of ``[sets, tokens, channels]``, averaged over sets."""
    with torch.autocast(y.device.type, enabled=False):
        mean_y, std_y = moments(y.detach())
        mean_u, std_u = moments(u.detach())
        squares = (mean_y - mean_u).square() + (std_y - std_u).square()
        return float(squares.sum(dim=(1, 2)).mean())
