"""Temporal intrinsic denoising (TID): a prior on the latents, at each step, that the subject's box holds one
and the same thing while it moves (IVG-DA; the formulas are ours: docs/methods.md, sections 3.2
and 3.3).

The random starting noise does not know the trajectory. Two priors bring it in:

- TID-A, :class:`NoisePrior`: inside the moving box the predicted noise shares a part between frames;
- TID-B, :class:`CleanPrior`: inside the moving box the predicted clean latents share their coarse content.

Both act with a weight g that falls linearly from ``strength`` at step 0 to 0 at step ``steps``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rehearse.controls.box_patch import BoxPatch, box_patches
from rehearse.controls.control import Control, Moment
from rehearse.controls.subject import Subject
from rehearse.prediction import Prediction
from rehearse.shot.fields import steps_of
from rehearse.shot.methods import TemporalPrior
from rehearse.sites import Grid

if TYPE_CHECKING:
    from rehearse.controls.material import Material

_TINY = 1e-12


def build(material: Material) -> Iterator[NoisePrior | CleanPrior]:
    """The prior along the paths of a shot's subjects."""
    said = material.resolved.method(TemporalPrior)
    count = steps_of(said.temporal_prior_steps, material.resolved.steps)
    strength = said.temporal_prior_strength
    if material.subjects and said.temporal_prior != "none" and count and strength:
        kind = NoisePrior if said.temporal_prior == "noise" else CleanPrior
        yield kind(material.subjects, steps=count, strength=strength)


@dataclass(frozen=True)
class NoisePrior(Control):
    """TID-A. Per subject, with c the frames' noise in the box, averaged along the trajectory and brought back
    to unit power:

        noise' = k (sqrt(1 - g^2) noise + g c)        in the box,

    where k restores the power in the box (c is made of the noise, so the two terms are not independent);
    then each channel gets its mean and standard deviation over the clip back. The clean latents stay, the
    noisy ones move. Before the first step the starting noise is treated alike: shared noise inside the
    moving box.

    subjects: whose boxes share noise. steps: the first steps it acts in, 0 or more. strength: g at step 0,
    in [0, 1].
    """

    subjects: tuple[Subject, ...]
    steps: int
    strength: float

    name = "noise prior"

    def __post_init__(self) -> None:
        _check("noise prior", self.steps, self.strength)

    def prepare(self, latents: Tensor, generator: torch.Generator) -> Tensor:
        return self._share(latents, _weight(self.strength, self.steps, 0))

    def predict(self, prediction: Prediction, moment: Moment) -> Prediction:
        g = _weight(self.strength, self.steps, moment.step)
        return prediction.with_noise(self._share(prediction.noise, g)) if g > 0.0 else prediction

    def _share(self, noise: Tensor, g: float) -> Tensor:
        """``noise`` ``[batch, channels, frames, h, w]`` with a share g common to the frames of a box."""
        if g == 0.0:
            return noise
        patches = _patches(self.subjects, noise)
        if not patches:
            return noise
        wide = _wide(noise)
        flat = wide.flatten(2)
        shared = flat.clone()
        own = (1.0 - g * g) ** 0.5
        for patch in patches:
            common = _unit_average(patch, patch.gather(wide))
            before = flat[:, :, patch.cells]
            mixed = own * before + g * common[:, :, patch.patch_cells]
            # Over all channels at once: a channel's own mean and power in the box are part of what is shared.
            power, mixed_power = (x.square().mean(dim=(1, 2), keepdim=True) for x in (before, mixed))
            shared[:, :, patch.cells] = mixed * torch.sqrt(power / (mixed_power + _TINY))
        return _with_moments_of(flat, shared).unflatten(2, noise.shape[2:]).to(noise.dtype)


@dataclass(frozen=True)
class CleanPrior(Control):
    """TID-B. Per subject, with m the frames' predicted clean latents in the box averaged along the trajectory
    and L a Gaussian low-pass filter inside the box:

        x0' = x0 + g L(m - x0)        in the box.

    With a filter, only coarse content is pulled together and what differs between frames in detail (a wing
    that flaps) stays; without one, frames share all the box holds while g is large, and part again as it
    falls. The noisy latents stay, the noise takes up the difference.

    subjects: whose boxes share content. steps: the first steps it acts in, 0 or more. strength: g at step 0,
    in [0, 1]. smoothing: standard deviation of L as a fraction of the box's height and width; 0: no filter.
    """

    subjects: tuple[Subject, ...]
    steps: int
    strength: float
    smoothing: float = 0.0

    name = "clean prior"

    def __post_init__(self) -> None:
        _check("clean prior", self.steps, self.strength)
        if not self.smoothing >= 0.0:
            raise ValueError(f"clean prior smoothing: {self.smoothing} is below 0; use 0 for no filter")

    def predict(self, prediction: Prediction, moment: Moment) -> Prediction:
        g = _weight(self.strength, self.steps, moment.step)
        x0 = _wide(prediction.x0)
        patches = _patches(self.subjects, x0) if g > 0.0 else ()
        if not patches:
            return prediction
        flat = x0.flatten(2).clone()
        for patch in patches:
            aligned = patch.gather(x0)
            lacking = (patch.average(aligned)[:, :, None] - aligned) * patch.seen
            pull = self._smoothed(lacking, patch) if self.smoothing > 0.0 else lacking
            frame = patch.cells // (x0.shape[3] * x0.shape[4])
            flat[:, :, patch.cells] += g * pull[:, :, frame, patch.patch_cells]
        return prediction.with_x0(flat.unflatten(2, x0.shape[2:]).to(prediction.x0.dtype))

    def _smoothed(self, lacking: Tensor, patch: BoxPatch) -> Tensor:
        """L of what each frame's patch lacks, ``[batch, channels, frames, cells]``."""
        filter_y = _low_pass(patch.height, self.smoothing, lacking.device, lacking.dtype)
        filter_x = _low_pass(patch.width, self.smoothing, lacking.device, lacking.dtype)
        # Dividing by the filtered visibility keeps cells beyond the frame's edge out of the average.
        unfolded = (patch.height, patch.width)
        both = (lacking, patch.seen.to(lacking.dtype))
        with torch.autocast(lacking.device.type, enabled=False):
            low, seen = (filter_y @ x.unflatten(-1, unfolded) @ filter_x.T for x in both)
        return (low / seen.clamp(min=_TINY)).flatten(-2)


def _check(name: str, steps: int, strength: float) -> None:
    if steps < 0:
        raise ValueError(f"{name} steps: {steps} is below 0; use 0 for none")
    if not 0.0 <= strength <= 1.0:
        raise ValueError(f"{name} strength: {strength} is outside [0, 1]; use 0 for none, 1 for most")


def _weight(strength: float, steps: int, step: int) -> float:
    """g at a step: from ``strength`` at step 0 linearly to 0 at step ``steps``."""
    return strength * max(0.0, 1.0 - step / steps) if steps > 0 else 0.0


def _wide(x: Tensor) -> Tensor:
    """At least fp32: in half precision sums over a box lose what frames share."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _patches(subjects: tuple[Subject, ...], latents: Tensor) -> tuple[BoxPatch, ...]:
    if not subjects:
        return ()
    found = box_patches(subjects, Grid(*latents.shape[2:]), latents.device)
    return tuple(patch for patch in found if patch is not None)


def _unit_average(patch: BoxPatch, aligned: Tensor) -> Tensor:
    """Mean over frames of aligned noise ``[batch, channels, frames, cells]``, each cell at unit power.

    With variance v and correlation r between frames, a mean over n of them has power v (1 + (n - 1) r) / n:
    v / n for fresh noise, v for noise that is shared already. r is measured over the whole patch and all
    channels, since a box may be a single cell, and n differs between cells where the box leaves the frame.
    """
    n = patch.seen.sum(dim=0).to(aligned.dtype)
    total = aligned.sum(dim=2)
    squares = aligned.square().sum(dim=(1, 2, 3))
    channels = aligned.shape[1]
    variance = squares / (channels * n.sum()) + _TINY
    products = total.square().sum(dim=(1, 2)) - squares
    pairs = channels * (n * (n - 1.0)).sum().clamp(min=1.0)
    correlation = (products / (variance * pairs)).clamp(0.0, 1.0)
    power = (1.0 + (n - 1.0).clamp(min=0.0) * correlation[:, None]) * variance[:, None]
    # (total / n) over the root of (power / n).
    return total * torch.rsqrt(power * n.clamp(min=1.0))[:, None]


def _with_moments_of(reference: Tensor, x: Tensor) -> Tensor:
    """``x`` ``[batch, channels, n]`` with the mean and standard deviation per channel of ``reference``.

    A channel that is constant but for rounding gets the mean alone: a gain would amplify what is no signal.
    """
    std_x, mean_x = torch.std_mean(x, dim=2, keepdim=True, correction=0)
    std, mean = torch.std_mean(reference, dim=2, keepdim=True, correction=0)
    rounding = torch.finfo(x.dtype).eps * mean_x.abs() + _TINY
    gain = torch.where(std_x > rounding, std / std_x.clamp(min=_TINY), 0.0)
    return torch.addcmul(mean, x - mean_x, gain)


@lru_cache(maxsize=64)
def _low_pass(length: int, smoothing: float, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Gaussian weights ``[length, length]`` between cells; the caller normalises by what is visible."""
    with torch.inference_mode(False):
        at = torch.arange(length, dtype=torch.float64)
        spread = smoothing * length
        weights = torch.exp(-0.5 * ((at[:, None] - at) / spread).square())
        return weights.to(device=device, dtype=dtype)
