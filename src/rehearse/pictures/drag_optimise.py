"""The optimised drag: the image model itself moves a region (DragDiffusion's scheme, for regions).

1. The picture is encoded and inverted, step by step, to latents in the middle of the schedule
   (:mod:`~rehearse.pictures.drag_inversion`); beside it the picture of what is behind the region, smoothly
   filled in.
2. Up to ``steps`` times, and no longer than until all handles are found within 2 pixels of their targets:
   each handle's *way-point* goes on toward the target, to one latent's side ahead of where the handle was
   found, and never slower than what brings it home in half the steps. *Motion
   supervision*, one step of Adam, moves the latents so that their features become what is wanted there: the
   first features, carried along by the elastic map from the handles to their way-points; what is behind
   where the region has left. *Point tracking* then finds each handle again, by the features of its part of
   the region (:mod:`~rehearse.pictures.drag_supervision`).
3. Between these steps the latents are denoised, beside the kept ones whose keys and values they ask, so the
   thing keeps its look. The steps are spread over the first half of the way back (as GoodDrag does), most of
   them at its noisy begin: there things are moved, and what less noise shows of them is put right later.
4. The decoded picture replaces the original within a feathered region: where the thing was, and where an
   elastic drag would put it (:mod:`~rehearse.pictures.warp`). Outside it every pixel is the original's.

What the region does not cover is held in all this: latents there are those of the picture behind where the
region was, and the original's elsewhere.

Where this departs from the paper. It supervises a square of half side 1 round each handle and tracks the
handle's own feature: a thing of one flat colour then stretches till its colour reaches the target, its
trailing side stays, and the points have "arrived". So the whole region is supervised and sought. Its features
are compared with the first ones, for a step's own go astray over many steps. Features are read half a picture
fine from grids a quarter as fine, so a unit step of one read cell only blurs them: the unit is a latent's
side. The paper holds what may not change by a penalty; under Adam, whose steps are as long for a small
gradient as for a large one, that leaves a jitter everywhere, so here it is put back. There is no fine-tuning
of the model on the picture (the paper's LoRA): it takes longer than the drag, and a session would wait.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.models.image import ImageModel
from rehearse.pictures.drag_inversion import (
    DragCancelled,
    SharedLook,
    invert,
    sharing_sites,
    step_back,
    stop_if,
)
from rehearse.pictures.drag_supervision import RegionSupervision
from rehearse.pictures.region import find_region
from rehearse.pictures.warp import Drag, Move, check_moves, cut
from rehearse.resolve.instructions.drags import Region, check_region
from rehearse.shot.errors import ShotError
from rehearse.shot.feather import outside

__all__ = ["ARRIVED", "MOST_STEPS", "DragCancelled", "Optimised", "Pull", "Pulled", "optimise_drag"]

MOST_STEPS = 80
ARRIVED = 1.0
"""Cells of the point grid, 2 pixels each, within which a point counts as arrived."""


@dataclass(frozen=True, slots=True)
class Pull:
    """How an optimised drag pulls.

    reach: half side, in cells of the point grid, of the squares that are searched. unit: how far ahead of a
    handle its way-point is, in latents' sides. rate: Adam's learning rate. schedule: steps of the whole DDIM
    schedule. depth: share of it, from its clean end, that is inverted. spread: share of the inverted steps
    that the optimisation's are spread over; 0: all before the first. arrived: cells of the point grid within
    which a point counts as arrived; the optimisation ends where all do, below 0 never.
    """

    reach: int = 3
    unit: float = 1.0
    rate: float = 0.05
    schedule: int = 50
    depth: float = 0.7
    spread: float = 0.5
    arrived: float = ARRIVED


@dataclass(frozen=True, eq=False, slots=True)
class Pulled:
    """One step of the optimisation, done.

    step: counted from 1. points: where the handles are, (x, y) in fractions. distances: from their targets,
    in cells of the point grid. loss: of motion supervision, before the step.
    """

    step: int
    points: tuple[tuple[float, float], ...]
    distances: tuple[float, ...]
    loss: float


@dataclass(frozen=True, eq=False, slots=True)
class Optimised:
    """The result of an optimised drag.

    picture: uint8 ``[H, W, 3]``. points: where the handles came to, (x, y) in fractions. steps_taken: of the
    optimisation, fewer than allowed where all points arrived before. evaluations: uses of the denoiser,
    for the inversion, the features and the way back. distances: from the targets at the end, in cells of the
    point grid (half the picture's size). changed: float32 ``[H, W]``: 0 where the picture is the original's
    bit for bit. trace: every step.
    """

    picture: NDArray[np.uint8]
    points: tuple[tuple[float, float], ...]
    steps_taken: int
    evaluations: int
    distances: tuple[float, ...]
    changed: NDArray[np.float32]
    trace: tuple[Pulled, ...]

    @property
    def pixels_short(self) -> float:
        """How far the point that stayed farthest behind is from its target, in pixels of the picture."""
        return 2 * max(self.distances)


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
    halo: bool | None = None,
) -> Optimised:
    """Drag a region by optimising the image model's latents.

    picture: uint8 ``[H, W, 3]``, sides multiples of the model's cell. moves, region: as for
    :func:`~rehearse.pictures.warp.warp_picture`. prompt: what the picture shows. steps: most steps of the
    optimisation, 1 to 80. on_step: told after each. cancel: asked before every use of the model. halo: see
    :class:`~rehearse.pictures.warp.Drag`.

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
    piece = cut(picture, [Drag(moves, marked, halo)])
    bare = (piece.opacity[0] > 0) | piece.halo
    changeable = bare | (piece.lay([moves]).moved > 0)

    both = np.stack([picture, piece.plate])
    uses: list[None] = []
    counter = picture_model.denoiser.register_forward_pre_hook(lambda *_: uses.append(None))
    try:
        journey = invert(both, picture_model, prompt, pull.schedule, pull.depth, cancel)
        stop_if(cancel)
        seen = RegionSupervision(picture_model, journey, piece.opacity[0], bare, changeable, pull.reach)
        start, goal = (_on_grid([move[end] for move in moves], seen.grid) for end in (0, 1))
        drag = _Dragging(seen, start, goal, steps, pull)
        made = _denoise(drag, picture_model, on_step, cancel)
    finally:
        counter.remove()
    changed = outside(changeable, picture_model.limits.size_multiple)
    blended = picture + changed[..., None] * (made.astype(np.float32) - picture)
    result = picture.copy()
    touched = changed > 0
    result[touched] = np.rint(blended[touched]).astype(np.uint8)
    distances = tuple((goal - drag.points).norm(dim=1).tolist())
    points, trace = _in_fractions(drag.points, seen.grid), tuple(drag.trace)
    return Optimised(result, points, len(trace), len(uses), distances, changed, trace)


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


class _Dragging:
    """A drag under way. Points are ``[n, 2]``, (x, y) in cells of the grid.

    latents: ``[1, C, 1, h, w]``. free: see :class:`~rehearse.pictures.drag_supervision.Wanted`.
    """

    def __init__(self, seen: RegionSupervision, start: Tensor, goal: Tensor, steps: int, pull: Pull) -> None:
        self.seen, self.start, self.goal, self.pull = seen, start, goal, pull
        self.whole = (goal - start).norm(dim=1, keepdim=True)
        self.steps = 0 if self._arrived(self.whole) else steps
        self.due = _spread(self.steps, len(seen.journey.timesteps), pull.spread)
        self.latents = seen.journey.latents[0][:1]
        self.unit = pull.unit * seen.grid[1] / self.latents.shape[-1]
        self.points, self.gone = start, torch.zeros_like(self.whole)
        self.free = seen.wanted(start, start if self.steps else goal).free
        self.trace: list[Pulled] = []
        self._moments: dict[str, Tensor] = {}

    def at(self, k: int, on_step: Callable[[Pulled], None] | None, cancel: Callable[[], bool] | None) -> None:
        """Pull as often as is due at step k of the way back, or until all points have arrived."""
        count = self.due[k] - len(self.trace)
        if not count or (self.trace and self._arrived(self.goal - self.points)):
            return
        seen = self.seen
        if k != seen.step:
            stop_if(cancel)
            seen.enter(k)
        asked = self.latents.detach().clone().requires_grad_(True)
        adam = torch.optim.Adam([asked], lr=self.pull.rate)
        if self._moments:
            adam.state[asked] = self._moments
        stop_if(cancel)
        found = seen.features(seen.held(asked, self.free))
        for _ in range(count):
            towards = self._towards()
            wanted = seen.wanted(self.start, towards)
            loss = seen.loss(found, wanted)
            adam.zero_grad()
            loss.backward()
            adam.step()
            self.free = wanted.free
            stop_if(cancel)
            found = seen.features(seen.held(asked, self.free))
            self.points = seen.track(found.detach(), self.start, self.points, towards)
            distances = tuple((self.goal - self.points).norm(dim=1).tolist())
            places = _in_fractions(self.points, seen.grid)
            self.trace.append(Pulled(len(self.trace) + 1, places, distances, float(loss.detach())))
            if on_step is not None:
                on_step(self.trace[-1])
            if self._arrived(self.goal - self.points):
                break
        self.latents, self._moments = asked.detach(), adam.state[asked]

    def _arrived(self, lacking: Tensor) -> bool:
        """Whether all points, that lack so much, are where they are to go."""
        return bool((lacking.norm(dim=1) <= self.pull.arrived).all())

    def _towards(self) -> Tensor:
        """The way-points of the next step."""
        way, whole = self.goal - self.start, self.whole.clamp(min=1e-6)
        found = ((self.points - self.start) * way).sum(dim=1, keepdim=True) / whole
        paced = self.gone + 2 * self.whole / self.steps
        self.gone = torch.maximum(found + self.unit, paced).minimum(self.whole)
        return self.start + way * (self.gone / whole)


def _denoise(
    drag: _Dragging,
    model: ImageModel,
    on_step: Callable[[Pulled], None] | None,
    cancel: Callable[[], bool] | None,
) -> NDArray[np.uint8]:
    """The way back to a clean picture, uint8 ``[H, W, 3]``, with the drag on it."""
    journey, look = drag.seen.journey, SharedLook(sharing_sites(model.sites))
    for k in range(len(journey.timesteps)):
        drag.at(k, on_step, cancel)
        stop_if(cancel)
        latents = drag.seen.held(drag.latents, drag.free, k)
        drag.latents = step_back(latents, k, journey, model, look)
    clean = drag.seen.held(drag.latents, drag.free, len(journey.timesteps))
    made: NDArray[np.uint8] = model.decode(clean)[0, 0]
    return made


def _spread(steps: int, over: int, share: float) -> list[int]:
    """How many of ``steps`` are done by each step of the way back, ``[over]``: ever fewer, none after
    ``share``."""
    last = max(1, round(share * over))
    weights = np.maximum(1 - np.arange(over) / last, 0)
    return [int(done) for done in np.floor(np.cumsum(weights / weights.sum()) * steps + 1e-6)]


def _on_grid(points: Sequence[tuple[float, float]], grid: tuple[int, int]) -> Tensor:
    places = [[x * grid[1] - 0.5, y * grid[0] - 0.5] for x, y in points]
    return torch.tensor(places, dtype=torch.float32)


def _in_fractions(points: Tensor, grid: tuple[int, int]) -> tuple[tuple[float, float], ...]:
    return tuple(((x + 0.5) / grid[1], (y + 0.5) / grid[0]) for x, y in points.tolist())
