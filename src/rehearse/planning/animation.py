"""How a resolved shot moves a picture: the condition and the blend of a model that starts from one.

The intermediate picture (:mod:`rehearse.pictures`) is the shared interface of person and model. With the
drags at each frame's time it is what every frame shows: the edited side of equation 4. Before the drags it is
the original side, which is predicted only where the shot's blend gives it weight.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.models.affinity import affinity
from rehearse.models.model import VideoModel
from rehearse.pictures import Intermediate, given_picture, make_intermediate
from rehearse.pictures.passed_over import say_what_pictures_pass_over
from rehearse.resolve import DragBlend, ResolvedShot
from rehearse.resolve.instructions.pictures import Picture
from rehearse.sampling.blend_weights import blend_weights
from rehearse.shot.easing import there_and_back
from rehearse.shot.grid import pool

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, slots=True)
class Pin:
    """What is pinned.

    latents: of the picture before the drags, ``[1, channels, 1, h, w]``. share: how much of each latent cell
    is pinned, in [0, 1], ``[1, 1, 1, h, w]``.
    """

    latents: Tensor
    share: Tensor


@dataclass(frozen=True, eq=False, slots=True)
class Animation:
    """What a shot's pictures become for the model.

    condition: of the plan's own (edited) side, see ``PictureConditioning.condition``. picture: what the clip
    shows in each frame, before the model moves it, uint8 ``[1 or frames, height, width, 3]``. original: of
    the side without drags; None where the shot drags nothing, or asks for no blend. before: the picture of
    that side, uint8 ``[1, height, width, 3]``. weights: of equation 4, with it, ``[1, 1, frames, h, w]``.
    pin: what holds still as the picture shows it; None where nothing is pinned.
    """

    condition: Tensor
    picture: NDArray[np.uint8]
    original: Tensor | None = None
    before: NDArray[np.uint8] | None = None
    weights: Tensor | None = None
    pin: Pin | None = None

    @staticmethod
    def latents_of(model: VideoModel, pictures: NDArray[np.uint8]) -> Tensor:
        """Pictures uint8 ``[n, H, W, 3]`` as a clip's latents, ``[1, channels, n, h, w]``."""
        return model.encode_pictures(pictures).transpose(0, 1).unsqueeze(0)


def animate(resolved: ResolvedShot, model: VideoModel) -> Animation:
    """Make the intermediate picture of a shot and what the model needs of it.

    Under drags each frame has a picture of its own and is that picture: its affinity is that of a still clip,
    whatever the magnitude, which is left to the original side. What no drag touches then stays as the picture
    shows it, unless a blend is asked for. Where named subjects' paths lead, the words move, and neither
    holds.

    Raises ShotError, before any picture is drawn where it can.
    """
    ask, motion, frames = resolved.picture, resolved.motion, resolved.frames
    assert ask is not None
    assert motion is not None
    pictures = model.pictures
    assert pictures is not None
    grid = model.latent_shape(frames, resolved.height, resolved.width)[1:]
    weights = _weights(resolved, grid) if ask.drags else None

    def near_at(amount: float) -> tuple[float, ...]:
        return affinity(
            frames,
            amount,
            loop=motion.loop,
            restyle=motion.restyle,
            time=motion.time,
            lists=pictures.affinity_lists,
        )

    near = near_at(motion.amount)
    # A model that only starts from its picture may have no image model to make one with.
    given = given_picture(ask) if pictures.shows == "start" else None
    if given is not None:
        return Animation(pictures.condition(given[None], near), given[None])
    painter = pictures.picture_model()
    # The prompt is the clip's too, where the motion has no text, and what is cut of it is said already.
    say_what_pictures_pass_over(ask, painter, words=resolved.words.field != "prompt")
    picture = make_intermediate(ask, painter)
    pin = _pin(ask, picture.original, model, *grid[1:])
    if pin is not None:
        _say_what_is_held(ask, pin)
    if not ask.drags:
        return Animation(pictures.condition(picture.original[None], near), picture.original[None], pin=pin)
    moved = _there_and_back(picture, frames) if motion.loop else picture.over_time(frames)
    original = None if weights is None else pictures.condition(picture.original[None], near)
    led = torch.from_numpy(resolved.led(*grid[1:]))
    if weights is None and not motion.restyle:
        # What the frames show counts too: a morph also goes through what lies between its ends.
        changed = (moved != picture.original).any(axis=(0, 3)).astype(np.float32)
        touched = np.maximum(picture.touched, changed)
        pin = _with_the_rest(pin, picture.original, touched, led, model)
    still, moving = (torch.tensor(each).view(-1, 1, 1) for each in (near_at(0.0), near))
    return Animation(
        pictures.condition(moved, torch.where(led, moving, still)),
        moved,
        original,
        None if original is None else picture.original[None],
        weights,
        pin,
    )


def _weights(resolved: ResolvedShot, grid: tuple[int, int, int]) -> Tensor | None:
    """w of equation 4 under drags; None where the shot asks for no blend."""
    if not isinstance(resolved.blend, DragBlend):
        return None
    return blend_weights(resolved.blend.settings, grid, resolved.height, resolved.width)


def _there_and_back(picture: Intermediate, frames: int) -> NDArray[np.uint8]:
    """The drags of a clip that loops: by its middle they have gone their way, by its end they are back."""
    places, at = there_and_back(frames)
    return picture.over_time(places)[at]


def _pin(ask: Picture, picture: NDArray[np.uint8], model: VideoModel, rows: int, columns: int) -> Pin | None:
    """The pin of a shot's paths at rest; None where nothing rests."""
    from rehearse.pictures.region import find_region

    region = np.zeros(picture.shape[:2], dtype=np.float32)
    for one in ask.pins:
        held = find_region(picture, [one.point]) if one.region is None else one.region
        np.maximum(region, held, out=region)
    if not region.any():
        return None
    share = torch.from_numpy(pool(region, rows, columns)).clamp(0, 1)
    return Pin(model.encode_pictures(picture[None])[:, :, None], share[None, None, None])


def _with_the_rest(
    pin: Pin | None,
    picture: NDArray[np.uint8],
    touched: NDArray[np.float32],
    led: Tensor,
    model: VideoModel,
) -> Pin:
    """A pin that also holds all that no drag touches (``[H, W]`` in [0, 1]) on its way, and no named path
    leads through (``led``)."""
    free = torch.from_numpy(pool((touched > 0).astype(np.float32), *led.shape)) > 0
    rest = (~(free | led)).float()[None, None, None]
    if pin is not None:
        return Pin(pin.latents, torch.maximum(pin.share, rest))
    return Pin(model.encode_pictures(picture[None])[:, :, None], rest)


def _say_what_is_held(ask: Picture, pin: Pin) -> None:
    """A drag whose handle is pinned moves nothing there: the pin comes last."""
    share = pin.share[0, 0, 0]
    rows, columns = share.shape
    for drag in ask.drags:
        for x, y in (move.handle for move in drag.drag.moves):
            if share[min(int(y * rows), rows - 1), min(int(x * columns), columns - 1)] > 0.5:
                _LOG.warning(
                    "%s drags what a path at rest pins, at (%g, %g): there it stays as it is; "
                    "move one of them, or give the path a smaller box or radius",
                    *(drag.field, x, y),
                )
