"""The optimised drag: the image model itself moves what is under the handles (DragDiffusion's scheme).

1. The picture is encoded and inverted, step by step, to latents ``z0`` in the middle of the schedule. Each
   step of the inversion solves for the noisier latents from which one DDIM step leads back (a few fixed-point
   rounds).
2. Up to ``steps`` times: *motion supervision* moves the latents z so that the features a little nearer the
   target become what the features at the handle are,
   ``sum_i sum_(q in square(h_i, r1)) |F(z)[q + d_i] - stop(F(z)[q])|_1`` with d_i the unit step from handle
   to target, plus ``mask_weight * sum |z - z0|`` outside what may change; one step of Adam. *Point tracking*
   then finds each handle again: the place in ``square(h_i, r2)`` whose features are nearest to those at the
   first handle in the first latents.
3. The dragged latents are denoised beside the kept latents of the inversion. In the self-attentions of the
   last two up blocks that have any, the dragged picture asks the original's keys and values, so it keeps the
   original's look.
4. The decoded picture replaces the original within a feathered region: where the thing was, and where an
   elastic drag would put it (:mod:`~rehearse.pictures.warp`). Outside it every pixel is the original's.

F is the output of the last up block but one (the third of Stable Diffusion's four), enlarged bilinearly to
the *point grid*: half the picture's size. Radii, distances and the halt (every point within 2) count in cells
of that grid, in which a cell is a quarter of a latent's side for codecs of 8 pixels a latent. The mask term
holds the latents themselves; the paper holds them one denoising step later, which costs the rest of the
denoiser. There is no fine-tuning of the model on the picture (the paper's LoRA): it takes longer than the
drag, and a session would wait for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate, scaled_dot_product_attention

from rehearse.models.image import ImageModel
from rehearse.pictures.region import find_region, grow
from rehearse.pictures.warp import Move, Region, check_moves, check_region, opacity_of, warp_picture
from rehearse.prediction import Prediction
from rehearse.sampling.schedulers import levels
from rehearse.shot.errors import ShotError
from rehearse.sites import AttentionCall, Site

MOST_STEPS = 80
ARRIVED = 2.0
"""Cells of the point grid within which a point counts as arrived."""
_SHARING_BLOCKS = 2
_INVERSION_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Pull:
    """How an optimised drag pulls.

    r1, r2: half sides, in cells of the point grid, of the squares that are supervised and searched. rate:
    Adam's learning rate. mask_weight: weight of the latents outside what may change. schedule: steps of the
    whole DDIM schedule. depth: share of it, from its clean end, that is inverted.
    """

    r1: int = 1
    r2: int = 3
    rate: float = 0.01
    mask_weight: float = 0.1
    schedule: int = 50
    depth: float = 0.7


@dataclass(frozen=True, eq=False, slots=True)
class Pulled:
    """One step of the optimisation, done.

    step: counted from 1. points: where the handles are, (x, y) in fractions. distances: from their targets,
    in cells of the point grid. loss: motion supervision and mask term before the step.
    """

    step: int
    points: tuple[tuple[float, float], ...]
    distances: tuple[float, ...]
    loss: float


@dataclass(frozen=True, eq=False, slots=True)
class Optimised:
    """The result of an optimised drag.

    picture: uint8 ``[H, W, 3]``. points: where the handles came to, (x, y) in fractions. steps_taken: of the
    optimisation. distances: from the targets at the end, in cells of the point grid (half the picture's
    size). changed: float32 ``[H, W]``: 0 where the picture is the original's bit for bit. trace: every step.
    """

    picture: NDArray[np.uint8]
    points: tuple[tuple[float, float], ...]
    steps_taken: int
    distances: tuple[float, ...]
    changed: NDArray[np.float32]
    trace: tuple[Pulled, ...]


class DragCancelled(Exception):
    """The drag was called off; the picture it was asked for is untouched."""


def optimise_drag(
    picture: NDArray[np.uint8],
    moves: Sequence[Move],
    region: Region | None,
    picture_model: ImageModel,
    prompt: str,
    *,
    steps: int = MOST_STEPS,
    on_step: Callable[[Pulled], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    pull: Pull | None = None,
) -> Optimised:
    """Drag a region by optimising the image model's latents.

    picture: uint8 ``[H, W, 3]``, sides multiples of the model's cell. moves, region: as for
    :func:`~rehearse.pictures.warp.warp_picture`. prompt: what the picture shows. steps: most steps of the
    optimisation, 1 to 80. on_step: told after each. cancel: asked before every use of the model.

    Raises:
        ShotError: as :func:`~rehearse.pictures.warp.warp_picture`; a picture of a size the model does not
        take;
            steps out of range.
        DragCancelled: ``cancel`` said so.
    """
    pull = pull or Pull()
    height, width = picture.shape[:2]
    _check_size(height, width, picture_model, steps)
    check_moves(moves)
    handles = [handle for handle, _ in moves]
    marked = find_region(picture, handles) if region is None else region
    check_region(marked, handles, height, width)
    landed = warp_picture(picture, moves, marked).moved
    changeable = (opacity_of(marked) > 0) | (landed > 0)

    journey = _invert(picture, picture_model, prompt, pull, cancel)
    grid = (max(1, height // 2), max(1, width // 2))
    tracker = _Tracker(picture_model, journey, grid, pull)
    start, goal = (_on_grid([move[end] for move in moves], grid) for end in (0, 1))
    latents, points, trace = tracker.drag(start, goal, ~changeable, steps, on_step, cancel)

    made = _denoise(latents, journey, picture_model, cancel)
    changed = _feathered(changeable, picture_model.limits.size_multiple)
    blended = picture + changed[..., None] * (made.astype(np.float32) - picture)
    result = picture.copy()
    touched = changed > 0
    result[touched] = np.rint(blended[touched]).astype(np.uint8)
    distances = tuple((goal - points).norm(dim=1).tolist())
    return Optimised(result, _in_fractions(points, grid), len(trace), distances, changed, trace)


def _check_size(height: int, width: int, model: ImageModel, steps: int) -> None:
    unit = model.limits.size_multiple
    if height % unit or width % unit:
        raise ShotError(
            f"model {model.identity!r} takes sides that are multiples of {unit} pixels; resize the picture",
            field="picture",
            value=f"{width} x {height}",
        )
    if not 1 <= steps <= MOST_STEPS:
        raise ShotError(f"it must be from 1 to {MOST_STEPS}", field="steps", value=steps)


@dataclass(frozen=True, eq=False, slots=True)
class _Journey:
    """An inverted picture: the latents at each step's start, noisy ones first, and what lies between.

    latents: ``[1, C, 1, h, w]`` each, one more than there are steps: the last is the clean picture.
    timesteps: one a step. levels: signal and noise level of each of the latents. text:
    ``[1, tokens, width]``.
    """

    latents: tuple[Tensor, ...]
    timesteps: tuple[Tensor, ...]
    levels: tuple[tuple[float, float], ...]
    text: Tensor


def _invert(
    picture: NDArray[np.uint8],
    model: ImageModel,
    prompt: str,
    pull: Pull,
    cancel: Callable[[], bool] | None,
) -> _Journey:
    """From the picture to the middle of the schedule, each step the inverse of a DDIM step."""
    # One step of Euler along a flow is the same step as DDIM's.
    flow = model.prediction_type == "flow_prediction"
    scheduler = model.make_scheduler("euler" if flow else "ddim")
    scheduler.set_timesteps(pull.schedule)
    first = min(pull.schedule - 1, round(pull.schedule * (1 - pull.depth)))
    numbers = range(first, pull.schedule)
    timesteps = tuple(scheduler.timesteps[i] for i in numbers)
    known = (*(levels(scheduler, i) for i in numbers), (1.0, 0.0))
    text = model.encode(prompt)[1:]
    clean = model.encode_pictures(picture[None])[:, :, None]
    path = [clean]
    for k in reversed(range(len(timesteps))):
        alpha, sigma = known[k]
        less_noisy, (alpha_after, sigma_after) = path[-1], known[k + 1]
        noisier = less_noisy
        for _ in range(_INVERSION_ROUNDS):
            _stop_if(cancel)
            output = model.denoise(noisier, timesteps[k], text)
            seen = Prediction.from_output(output, noisier, alpha, sigma, model.prediction_type)
            # The same noise, and the clean latents that the less noisy ones then hold.
            x0 = (less_noisy - sigma_after * seen.noise) / alpha_after
            noisier = alpha * x0 + sigma * seen.noise
        path.append(noisier)
    return _Journey(tuple(reversed(path)), timesteps, known, text)


@dataclass(slots=True)
class _SharedLook:
    """Lets the second clip of a batch ask the first one's keys and values, at some self-attentions."""

    sites: frozenset[str]
    asked: int = field(default=0)

    def wants(self, site: Site) -> bool:
        return site.name in self.sites

    def __call__(self, call: AttentionCall) -> Tensor:
        self.asked += 1
        key, value = (own[:1].expand_as(own) for own in (call.key, call.value))
        return call.project(scaled_dot_product_attention(call.query, key, value, scale=call.scale))


def sharing_sites(sites: Sequence[Site]) -> frozenset[str]:
    """Names of the spatial self-attentions in the last two up blocks that have any."""
    own = [site for site in sites if site.kind == "spatial" and site.part == "up"]
    blocks = sorted({int(site.name.split(".")[1]) for site in own})[-_SHARING_BLOCKS:]
    return frozenset(site.name for site in own if int(site.name.split(".")[1]) in blocks)


def _denoise(
    latents: Tensor, journey: _Journey, model: ImageModel, cancel: Callable[[], bool] | None
) -> NDArray[np.uint8]:
    """The dragged latents made clean beside the original's way, uint8 ``[H, W, 3]``."""
    look = _SharedLook(sharing_sites(model.sites))
    for k, timestep in enumerate(journey.timesteps):
        _stop_if(cancel)
        alpha, sigma = journey.levels[k]
        pair = torch.cat([journey.latents[k], latents])
        output = model.denoise(pair, timestep, journey.text, look)[1:]
        seen = Prediction.from_output(output, latents, alpha, sigma, model.prediction_type)
        alpha_after, sigma_after = journey.levels[k + 1]
        latents = alpha_after * seen.x0 + sigma_after * seen.noise
    made: NDArray[np.uint8] = model.decode(latents)[0, 0]
    return made


class _Tracker:
    """Motion supervision and point tracking on one picture. Points are ``[n, 2]``, (x, y) in cells of the
    grid."""

    def __init__(self, model: ImageModel, journey: _Journey, grid: tuple[int, int], pull: Pull) -> None:
        self.model, self.pull, self.grid = model, pull, grid
        self.text, self.timestep = journey.text, journey.timesteps[0]
        self.start = journey.latents[0]
        self.block = max(0, len(model.denoiser.up_blocks) - 2)

    def features(self, latents: Tensor) -> Tensor:
        """``[1, width, *grid]``, with gradients."""
        found = self.model.features(latents, self.timestep, self.text, self.block)
        return interpolate(found, size=self.grid, mode="bilinear", align_corners=False)

    def drag(
        self,
        points: Tensor,
        goal: Tensor,
        keep: NDArray[np.bool_],
        steps: int,
        on_step: Callable[[Pulled], None] | None,
        cancel: Callable[[], bool] | None,
    ) -> tuple[Tensor, Tensor, tuple[Pulled, ...]]:
        """The dragged latents, where the points came to, and every step on the way."""
        held = self._held(keep)
        latents = self.start.clone().requires_grad_(True)
        adam = torch.optim.Adam([latents], lr=self.pull.rate)
        trace: list[Pulled] = []
        _stop_if(cancel)
        with torch.no_grad():
            sought = _sample(self.features(latents), points)
        for step in range(1, steps + 1):
            if bool(((goal - points).norm(dim=1) < ARRIVED).all()):
                break
            _stop_if(cancel)
            loss = self.loss(latents, points, goal, held)
            adam.zero_grad()
            loss.backward()
            adam.step()
            _stop_if(cancel)
            with torch.no_grad():
                points = self.track(self.features(latents), sought, points)
            distances = tuple((goal - points).norm(dim=1).tolist())
            trace.append(Pulled(step, _in_fractions(points, self.grid), distances, float(loss.detach())))
            if on_step is not None:
                on_step(trace[-1])
        return latents.detach(), points, tuple(trace)

    def loss(self, latents: Tensor, points: Tensor, goal: Tensor, held: Tensor) -> Tensor:
        """Motion supervision of the points that have not arrived, and the mask term."""
        seen = self.features(latents)
        total = self.pull.mask_weight * ((latents - self.start).abs() * held).sum()
        square = _square(self.pull.r1)
        for point, target in zip(points, goal, strict=True):
            distance = float((target - point).norm())
            if distance < ARRIVED:
                continue
            around = point + square
            here = _sample(seen, around).detach()
            there = _sample(seen, around + (target - point) / distance)
            # Summed over the square and averaged over the features' width: one learning rate fits every UNet.
            total = total + (there - here).abs().mean(dim=1).sum()
        return total

    def track(self, seen: Tensor, sought: Tensor, points: Tensor) -> Tensor:
        """Each point's place in its square whose features ``[n, width]`` are nearest to the sought ones."""
        square = _square(self.pull.r2)
        limit = torch.tensor([self.grid[1] - 1.0, self.grid[0] - 1.0])
        found = []
        for point, wanted in zip(points, sought, strict=True):
            places = torch.minimum((point + square).clamp(min=0), limit)
            apart = (_sample(seen, places) - wanted).abs().sum(dim=1)
            # Of equally good places the nearest: in a flat part a point stays where it is.
            apart = apart + 1e-6 * apart.mean() * (places - point).norm(dim=1)
            found.append(places[int(apart.argmin())])
        return torch.stack(found)

    def _held(self, keep: NDArray[np.bool_]) -> Tensor:
        share = torch.from_numpy(keep.astype(np.float32))[None, None]
        return interpolate(share, size=self.start.shape[-2:], mode="area")[:, :, None]


def _square(radius: int) -> Tensor:
    side = torch.arange(-radius, radius + 1, dtype=torch.float32)
    return torch.stack(torch.meshgrid(side, side, indexing="xy"), dim=-1).reshape(-1, 2)


def _sample(features: Tensor, places: Tensor) -> Tensor:
    """Features ``[1, width, H, W]`` at places ``[n, 2]`` in cells, bilinear: ``[n, width]``."""
    height, width = features.shape[-2:]
    size = torch.tensor([width, height], dtype=torch.float32)
    where = ((2 * places + 1) / size - 1)[None, None]
    read = grid_sample(features, where, mode="bilinear", padding_mode="border", align_corners=False)
    return read[0, :, 0].T


def _on_grid(points: Sequence[tuple[float, float]], grid: tuple[int, int]) -> Tensor:
    places = [[x * grid[1] - 0.5, y * grid[0] - 0.5] for x, y in points]
    return torch.tensor(places, dtype=torch.float32)


def _in_fractions(points: Tensor, grid: tuple[int, int]) -> tuple[tuple[float, float], ...]:
    return tuple(((x + 0.5) / grid[1], (y + 0.5) / grid[0]) for x, y in points.tolist())


def _feathered(marked: NDArray[np.bool_], reach: int) -> NDArray[np.float32]:
    """1 where marked, falling to 0 over ``reach`` pixels around it."""
    result = marked.astype(np.float32)
    grown = marked
    for k in range(1, reach):
        more = grow(grown)
        result[more & ~grown] = 0.5 + 0.5 * math.cos(math.pi * k / reach)
        grown = more
    return result


def _stop_if(cancel: Callable[[], bool] | None) -> None:
    if cancel is not None and cancel():
        raise DragCancelled
