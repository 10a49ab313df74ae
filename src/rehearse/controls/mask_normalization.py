"""Mask normalization: give a masked attention output the statistics of the unmasked one.

Masking shifts the distribution of attention outputs away from what the next layers were trained on (IVG-DA,
"internal covariate shift"). With a the masked and u the unmasked output after the output projection
(docs/methods.md, section 3.1):

    MN-A (global):   y = mu_u + sigma_u (a - mu_a) / (sigma_a + eps sigma_u)
    MN-B (regional): the same inside each region R of {foreground, background}, its statistics shrunk towards
                     the global ones by 32 / (n_R + 32)
    strength:        out = a + alpha (y - a)

Statistics are per sample, per frame and per channel over the tokens of a frame; at temporal sites per sample
and channel over positions and frames. All of it is computed in fp32 and rounded once, at the end: in half
precision mu_u and sigma_u mu_a / sigma_a may be thousands of times as large as their difference.

Where the masked output is constant but for the rounding of its own dtype, its deviations say nothing and y is
mu_u: with r the rounding of a number of that size, sigma_u counts by the factor (sigma_a / r)^2 - 1, held
between 0 and 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from rehearse.shot.methods import Normalizing
from rehearse.sites import SiteKind

if TYPE_CHECKING:
    from rehearse.resolve import ResolvedShot

Variant = Literal["global", "regional"]

# fp32 working copies are made for at most this many numbers at a time (16 MB).
_CHUNK = 1 << 22

# Tokens of evidence a region needs before its own statistics weigh as much as the global ones.
_SHRINKAGE = 32.0


def normalization_of(resolved: ResolvedShot) -> MaskNormalization | None:
    """The normalization of a shot's masks; None where there is none."""
    said = resolved.method(Normalizing)
    if said.normalization == "none":
        return None
    sites = frozenset[SiteKind](said.normalization_sites)
    return MaskNormalization(
        variant=said.normalization,
        strength=said.normalization_strength,
        # The output of joint attention cannot be told apart by blocks: any kind chosen means all of it.
        sites=frozenset[SiteKind]({"joint"}) if resolved.card.is_joint and sites else sites,
    )


@dataclass(frozen=True, slots=True)
class MaskNormalization:
    """How masked outputs are brought back to the unmasked outputs' statistics.

    variant: "global" (MN-A) or "regional" (MN-B). strength: alpha in [0, 1], 0 for none.
    sites: kinds of site it acts on. eps: what is added to the masked output's standard deviation, as a part
        of the unmasked one's, above 0.
    """

    variant: Variant = "global"
    strength: float = 1.0
    sites: frozenset[SiteKind] = frozenset({"cross", "spatial", "temporal", "joint"})
    eps: float = 1e-5

    def __post_init__(self) -> None:
        if self.variant not in ("global", "regional"):
            raise ValueError(
                f"mask normalization variant: {self.variant!r} is unknown; use 'global' or 'regional'"
            )
        if not 0.0 <= self.strength <= 1.0:
            raise ValueError(
                f"mask normalization strength: {self.strength} is outside [0, 1]; use 0 for none, 1 for full"
            )
        if not self.eps > 0.0:
            raise ValueError(f"mask normalization eps: {self.eps} must be above 0; 1e-5 is usual")

    def __call__(self, masked: Tensor, unmasked: Tensor, regions: Regions) -> Tensor:
        """Normalize.

        masked, unmasked: ``[sets, tokens, channels]``, one set per thing that has statistics of its own.
        regions: foreground and background of these tokens.
        Returns ``[sets, tokens, channels]`` in the dtype of ``masked``.
        """
        if self.strength == 0.0:
            return masked
        # Under autocast the products below would fall to half precision.
        with torch.autocast(masked.device.type, enabled=False):
            if self.variant == "global":
                parts = zip(_parts(masked), _parts(unmasked), strict=True)
                return _joined([self._global(a, u) for a, u in parts])
            (mean, std), whole = _regional_moments(masked, regions), _regional_moments(unmasked, regions)
            scale, offset = self._affine((mean, std), whole, masked.dtype)
            out = _mapped(masked, mean[:, :1], scale[:, :1], offset[:, :1])
            # The foreground is small: do its tokens again under its own map.
            sets, tokens = regions.sets, regions.tokens
            own = masked.flatten(0, 1)[tokens][:, None]
            fore = _mapped(own, *(x[:, 1][sets][:, None] for x in (mean, scale, offset)))
            return out.flatten(0, 1).index_copy_(0, tokens, fore[:, 0]).view_as(out)

    def _global(self, masked: Tensor, unmasked: Tensor) -> Tensor:
        """MN-A of a piece that is small enough to be widened."""
        mean, deviation = _centred(masked)
        statistics = mean, deviation.square().mean(dim=1, keepdim=True).sqrt_()
        scale, offset = self._affine(statistics, moments(unmasked), masked.dtype)
        if not deviation.requires_grad:  # a working copy: large temporaries cost more than the arithmetic
            return deviation.mul_(scale).add_(offset).to(masked.dtype)
        return torch.addcmul(offset, deviation, scale).to(masked.dtype)

    def _affine(
        self, masked: tuple[Tensor, Tensor], unmasked: tuple[Tensor, Tensor], dtype: torch.dtype
    ) -> tuple[Tensor, Tensor]:
        """Scale of the deviations from the masked output's mean, and what is added to them.

        dtype: in which the masked output was computed.
        """
        (mean_a, std_a), (mean_u, std_u) = masked, unmasked
        resolution = torch.finfo(dtype)
        # What sums in the statistics' own format round away counts too, where the output has that format.
        unit = max(0.5 * resolution.eps, 4.0 * torch.finfo(std_a.dtype).eps)
        rounding = unit * (mean_a.abs() + std_a).clamp_(min=resolution.tiny)
        told = ((std_a / rounding).square() - 1.0).clamp_(0.0, 1.0)
        gain = told * std_u / (std_a + self.eps * std_u).clamp_(min=torch.finfo(std_a.dtype).tiny)
        return 1.0 + self.strength * (gain - 1.0), torch.lerp(mean_a, mean_u, self.strength)


@dataclass(frozen=True, eq=False, slots=True)
class Regions:
    """Background and foreground of a site's tokens, as the statistics of MN-B need them.

    weights: fp32 ``[sets, 2, tokens]``, each region's tokens with equal weights that sum to 1, background
        first; 0 where a region is empty. shrinkage: fp32 ``[sets, 2, 1]``, 32 / (n_R + 32).
    tokens: int64 ``[n]``, positions of the foreground in the flattened ``[sets * tokens]``; sets: their sets.
    """

    weights: Tensor
    shrinkage: Tensor
    tokens: Tensor
    sets: Tensor

    @classmethod
    def of(cls, inside: Tensor) -> Regions:
        """From the foreground, bool ``[sets, tokens]``."""
        members = torch.stack([~inside, inside], dim=1).float()
        counts = members.sum(dim=2, keepdim=True)
        sets, tokens = inside.nonzero(as_tuple=True)
        return cls(
            weights=members / counts.clamp(min=1.0),
            shrinkage=_SHRINKAGE / (counts + _SHRINKAGE),
            tokens=sets * inside.shape[1] + tokens,
            sets=sets,
        )


def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and (population) standard deviation over tokens of ``[sets, tokens, channels]``, in fp32: two
    ``[sets, 1, channels]``. Call it outside autocast, which would take products to half precision."""
    means, stds = [], []
    for part in _parts(x):
        mean, deviation = _centred(part)
        means.append(mean)
        stds.append(_square(deviation).mean(dim=1, keepdim=True).sqrt_())
    return _joined(means), _joined(stds)


def _regional_moments(x: Tensor, regions: Regions) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation per region ``[sets, 2, channels]``, shrunk towards the global ones."""
    means, stds = [], []
    pieces = zip(_parts(x), _parts(x, regions.weights), _parts(x, regions.shrinkage), strict=True)
    for part, share, shrinkage in pieces:
        mean, deviation = _centred(part)
        weights, pull = share.to(mean.dtype), shrinkage.to(mean.dtype)
        shift = weights @ deviation
        squares = _square(deviation)
        std = (weights @ squares - shift * shift).clamp_(min=0.0).sqrt_()
        whole = squares.mean(dim=1, keepdim=True).sqrt_()
        means.append(mean + (1.0 - pull) * shift)
        stds.append(torch.lerp(std, whole.expand_as(std), pull.expand_as(std)))
    return _joined(means), _joined(stds)


def _parts(x: Tensor, along: Tensor | None = None) -> tuple[Tensor, ...]:
    """``x``, or what goes ``along`` with it, in pieces small enough to be widened."""
    sets = max(1, _CHUNK // (x.shape[1] * x.shape[2]))
    return (x if along is None else along).split(sets)


def _joined(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _centred(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean over tokens and the deviations from it, both in fp32 (fp64 stays fp64)."""
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    mean = wide.mean(dim=1, keepdim=True)
    # A widened copy is ours to overwrite: large temporaries cost more than the arithmetic.
    return mean, wide - mean if wide is x or wide.requires_grad else wide.sub_(mean)


def _mapped(x: Tensor, centre: Tensor, scale: Tensor, offset: Tensor) -> Tensor:
    """``(x - centre) scale + offset`` per set and channel, in fp32, in the dtype of ``x``."""
    pieces = zip(_parts(x), *(_parts(x, along) for along in (centre, scale, offset)), strict=True)
    return _joined(
        [torch.addcmul(off, part.to(mid.dtype) - mid, by).to(x.dtype) for part, mid, by, off in pieces]
    )


def _square(x: Tensor) -> Tensor:
    return x.square() if x.requires_grad else x.square_()
