"""How a shot moves a picture: the condition and the blend of a model that starts from one.

The intermediate picture (:mod:`rehearse.pictures`) is the shared interface of person and model. With the
drags at each frame's time it is what every frame shows: the edited side of equation 4. Before the drags it is
the original side, which is predicted only where the shot's blend gives it weight.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.models.closeness import closeness
from rehearse.models.model import VideoModel
from rehearse.models.vocabulary import say_foreign_syntax, say_what_is_cut
from rehearse.pictures import Intermediate, given_picture, make_intermediate
from rehearse.sampling.blend_weights import blend_weights
from rehearse.shot import (
    BlendSettings,
    Box,
    BoxKeyframe,
    BoxPath,
    BoxTrajectory,
    ContentInstruction,
    DragMove,
    DragTrajectory,
    ImageInstruction,
    Mask,
    MotionInstruction,
    PointPath,
    PointTrajectory,
    Shot,
    ShotError,
)
from rehearse.shot.easing import Easing, frame_times, there_and_back
from rehearse.shot.grid import pool

_LOG = logging.getLogger(__name__)

# How far, in fractions of the frame, a drag may stray from the path it stands for before it is said.
_STRAYS = 0.02


@dataclass(frozen=True, eq=False, slots=True)
class Animation:
    """What a shot's pictures become for the model.

    condition: of the plan's own (edited) side, see ``VideoModel.condition``. picture: what the clip shows in
    each frame, before the model moves it, uint8 ``[1 or frames, height, width, 3]``. original: of the
    side without drags; None where the shot drags nothing, or asks for no blend. before: the picture of that
    side, uint8 ``[1, height, width, 3]``. weights: of equation 4, with it, ``[1, 1, frames, h, w]``. pin:
    what holds still as the picture shows it; None where nothing is pinned.
    """

    condition: Tensor
    picture: NDArray[np.uint8]
    original: Tensor | None = None
    before: NDArray[np.uint8] | None = None
    weights: Tensor | None = None
    pin: Pin | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Pin:
    """What is pinned.

    latents: of the picture before the drags, ``[1, channels, 1, h, w]``. share: how much of each latent cell
    is pinned, in [0, 1], ``[1, 1, 1, h, w]``.
    """

    latents: Tensor
    share: Tensor


def with_drags(shot: Shot, width: int, height: int) -> Shot:
    """The shot as :mod:`rehearse.pictures` takes it: each path without words is a drag of what it starts
    on, in its place of the list, and the picture stands at the start, whenever the clip shows it.

    A box path drags what its first box holds, by the box's centre, or where the box changes its size by two
    of its corners, drawn in by a quarter. A point path drags what is under its first point: within its
    radius, or what the picture shows there. A drag goes along the keyframes' places at even speed, from the
    first keyframe's time to the last's. A path at rest is no drag but a pin (:func:`pins_of`) and stays as it
    is. width, height: of the frame in pixels.

    Raises ShotError: a path that leaves the frame.
    """
    changed = [
        _for_pictures(instruction, f"instructions[{index}].path", width, height)
        for index, instruction in enumerate(shot.instructions)
    ]
    return shot if changed == list(shot.instructions) else shot.with_(instructions=tuple(changed))


def _for_pictures(instruction: Any, field: str, width: int, height: int) -> Any:
    if isinstance(instruction, BoxTrajectory | PointTrajectory) and instruction.phrase is None:
        return _drag(instruction, field, width, height) or instruction
    if isinstance(instruction, ImageInstruction) and instruction.time:
        return ImageInstruction(**{**instruction.given(), "time": 0.0})
    return instruction


@contextmanager
def named_as_paths(shot: Shot) -> Iterator[None]:
    """Around the making of a shot's picture: what is wrong with the drag that a path without words stands
    for is told in the path's own fields."""
    try:
        yield
    except ShotError as error:
        found = re.fullmatch(r"instructions\[(\d+)\]\.(region|moves\[\d+\]\.(?:handle|target))", error.field)
        one: Any = shot.instructions[int(found[1])] if found else None
        if found is None or isinstance(one, DragTrajectory) or not hasattr(one, "path"):
            raise
        what, field = error.reason.partition(";")[0], f"instructions[{found[1]}].path"
        if found[2] == "region":
            raise ShotError(f"{what}; keep one of them", field=field) from None
        last = len(one.path.keyframes) - 1
        at = f"{field}.keyframes[{last if found[2].endswith('target') else 0}]"
        raise ShotError(f"{what}; keep it nearer to the middle of the picture", field=at) from None


def drags_of(shot: Shot) -> tuple[DragTrajectory, ...]:
    """The shot's drags, in its order."""
    return tuple(one for one in shot.instructions if isinstance(one, DragTrajectory))


def pins_of(shot: Shot) -> tuple[BoxTrajectory | PointTrajectory, ...]:
    """The shot's paths without words that stand still: what is there shall stay as the picture shows it."""
    paths = (one for one in shot.instructions if isinstance(one, BoxTrajectory | PointTrajectory))
    return tuple(one for one in paths if one.phrase is None and _is_at_rest(one))


def drags_anything(shot: Shot) -> bool:
    """Whether the shot drags something: by a drag, or by a path without words that does not stand still. Its
    blend, where it asks for one, is then with the picture before the drag; else it is with a parent take."""
    paths = (one for one in shot.instructions if isinstance(one, BoxTrajectory | PointTrajectory))
    return bool(drags_of(shot)) or any(one.phrase is None and not _is_at_rest(one) for one in paths)


def _is_at_rest(trajectory: BoxTrajectory | PointTrajectory) -> bool:
    path = trajectory.path
    if isinstance(path, BoxPath):
        return len({box_key.box for box_key in path.keyframes}) == 1
    return len({key.point for key in path.keyframes}) == 1


def _pin(shot: Shot, picture: NDArray[np.uint8], model: VideoModel, rows: int, columns: int) -> Pin | None:
    """The pin of a shot's paths at rest; None where nothing rests."""
    region = _at_rest(shot, picture)
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


def _at_rest(shot: Shot, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a shot's paths at rest hold, ``[H, W]`` in [0, 1]: each its box, what lies within its radius, or,
    of a point without one, what the picture shows there."""
    from rehearse.pictures.region import find_region

    height, width = picture.shape[:2]
    region = np.zeros((height, width), dtype=np.float32)
    for one in pins_of(shot):
        if isinstance(one, BoxTrajectory):
            box = one.path.keyframes[0].box.clipped()
            mask = None if box is None else Mask(box=box)
        else:
            mask = _disc(one.path, width, height)
            if mask is None:
                np.maximum(region, find_region(picture, [one.path.keyframes[0].point]), out=region)
        if mask is not None:
            np.maximum(region, mask.raster(height, width), out=region)
    return region


def animate(
    shot: Shot,
    model: VideoModel,
    *,
    frames: int,
    width: int,
    height: int,
    amount: float,
    paths: Sequence[BoxPath] = (),
) -> Animation:
    """Make the intermediate picture of a shot and what the model needs of it.

    amount: of motion, where the shot says none. Under drags each frame has a picture of its own and is that
    picture: its affinity is that of a still clip, whatever the magnitude, which is left to the original side.
    What no drag touches then stays as the picture shows it, unless a blend is asked for. paths: of
    named subjects, which the words move; where they lead, neither holds.

    Raises ShotError, before any picture is drawn where it can.
    """
    ready = with_drags(shot, width, height)
    drags, grid = drags_of(ready), model.latent_shape(frames, height, width)[1:]
    weights = _weights(shot.control.blend, grid, height, width) if drags else None
    motion = motion_of(shot) or MotionInstruction()
    shown = next((one for one in shot.instructions if isinstance(one, ImageInstruction)), None)

    def near_at(amount: float) -> tuple[float, ...]:
        return closeness(
            frames,
            amount,
            loop=motion.loop,
            restyle=motion.restyle,
            time=0.0 if shown is None else shown.time,
            lists=model.closeness_lists,
        )

    near = near_at(amount if motion.amount is None else motion.amount)
    # A model that only starts from its picture may have no image model to make one with.
    given = given_picture(ready, width, height) if model.shows_picture == "start" else None
    if given is not None:
        return Animation(model.condition(given[None], near), given[None])
    painter = model.picture_model()
    # The prompt is the clip's too, where the motion has no text, and what is cut of it is said already.
    say_what_pictures_pass_over(shot, painter, words=motion.text is not None)
    with named_as_paths(shot):
        picture = make_intermediate(ready, painter, width, height)
    pin = _pin(shot, picture.original, model, *grid[1:])
    if pin is not None:
        _say_what_is_held(ready, pin)
    if not drags:
        return Animation(model.condition(picture.original[None], near), picture.original[None], pin=pin)
    moved = _there_and_back(picture, frames) if motion.loop else picture.over_time(frames)
    original = None if weights is None else model.condition(picture.original[None], near)
    led = _led(paths, frames, *grid[1:])
    if weights is None and not motion.restyle:
        # What the frames show counts too: a morph also goes through what lies between its ends.
        changed = (moved != picture.original).any(axis=(0, 3)).astype(np.float32)
        touched = np.maximum(picture.touched, changed)
        pin = _with_the_rest(pin, picture.original, touched, led, model)
    if weights is None and not paths:
        _say_what_moves_nothing(motion)
    _say_what_is_not_seen(frames, motion)
    still, moving = (torch.tensor(each).view(-1, 1, 1) for each in (near_at(0.0), near))
    return Animation(
        model.condition(moved, torch.where(led, moving, still)),
        moved,
        original,
        None if original is None else picture.original[None],
        weights,
        pin,
    )


def _say_what_moves_nothing(motion: MotionInstruction) -> None:
    """Under drags alone, each frame is its picture."""
    # Where the style may go, the text says to which.
    said = {"magnitude": motion.amount, "text": None if motion.restyle else motion.text}
    idle = [name for name, value in said.items() if value is not None]
    if idle:
        _LOG.warning(
            "the motion's %s nothing here: the clip stands still but for what is dragged; name "
            "a subject with a path, or mix in the undragged clip with control.blend",
            f"{' and '.join(idle)} {'move' if len(idle) > 1 else 'moves'}",
        )


def _say_what_is_not_seen(frames: int, motion: MotionInstruction) -> None:
    """A drag in a clip too short for its way."""
    if frames < 2 or (motion.loop and frames < 3):
        _LOG.warning(
            "what is dragged cannot be seen: a clip of %d frame%s%s shows only where it begins; ask for more "
            "frames",
            *(frames, "s" if frames > 1 else "", " that loops" if motion.loop else ""),
        )


def say_what_pictures_pass_over(shot: Shot, painter: VideoModel, *, words: bool) -> None:
    """Warn of what a shot says for its picture and the model that draws it cannot heed: words beyond what it
    reads, a soft edge where there is no edge.

    words: whether the shot's own prompts are looked at too, where the picture is drawn from them.
    """
    edits = [
        (f"instructions[{index}]", one)
        for index, one in enumerate(shot.instructions)
        if isinstance(one, ContentInstruction)
    ]
    shown = next((one for one in shot.instructions if isinstance(one, ImageInstruction)), None)
    drawn = shown is None or shown.strength not in (None, 1)
    if words and (drawn or any(edit.prompt is None for _, edit in edits)):
        say_what_is_cut("the prompt", shot.prompt, painter)
        say_what_is_cut("the negative prompt", shot.negative_prompt or "", painter)
        say_foreign_syntax("the prompt", shot.prompt)
    for field, edit in edits:
        in_region = edit.mask is not None or bool(edit.strokes and edit.prompt is not None)
        reads = (painter.inpainting_model() or painter) if in_region else painter
        say_what_is_cut(f"{field}.prompt", edit.prompt or "", reads)
        say_what_is_cut(f"{field}.negative_prompt", edit.negative_prompt or "", reads)
        say_foreign_syntax(f"{field}.prompt", edit.prompt or "")
        say_foreign_syntax(f"{field}.negative_prompt", edit.negative_prompt or "")
        if edit.feather and not in_region:
            _LOG.warning(
                "%s.feather is %g: it softens the edge of a mask, and the edit has none; give one, or leave "
                "it out",
                *(field, edit.feather),
            )


def _led(paths: Sequence[BoxPath], frames: int, rows: int, columns: int) -> Tensor:
    """The latent cells that some path's boxes touch at any time, bool ``[h, w]``."""
    led = torch.zeros(rows, columns, dtype=torch.bool)
    for path in paths:
        for x0, y0, x1, y1 in path.resample(frames).clip(0, 1) * (columns, rows, columns, rows):
            led[int(y0) : math.ceil(y1), int(x0) : math.ceil(x1)] = True
    return led


def _there_and_back(picture: Intermediate, frames: int) -> NDArray[np.uint8]:
    """The drags of a clip that loops: by its middle they have gone their way, by its end they are back."""
    places, at = there_and_back(frames)
    return picture.over_time(places)[at]


def led_back(path: BoxPath, frames: int) -> BoxPath:
    """A path as a clip that loops goes it: there by the middle, as drags are, and back by the end. One that
    ends where it began leads back by itself and stays as it is."""
    if path.closes:
        return path
    places, at = there_and_back(frames)
    keyframes = [
        # Between two thin boxes rounding may fall just under Box's least thickness.
        BoxKeyframe(float(time), Box.model_construct(x0=x0, y0=y0, x1=x1, y1=y1))
        for time, (x0, y0, x1, y1) in zip(
            frame_times(frames), path.resample(places)[at].tolist(), strict=True
        )
    ]
    return BoxPath(keyframes, leaves_frame=True)


def _say_what_is_held(ready: Shot, pin: Pin) -> None:
    """A drag whose handle is pinned moves nothing there: the pin comes last."""
    share = pin.share[0, 0, 0]
    rows, columns = share.shape
    for index, drag in enumerate(ready.instructions):
        if not isinstance(drag, DragTrajectory):
            continue
        for x, y in (move.handle for move in drag.moves):
            if share[min(int(y * rows), rows - 1), min(int(x * columns), columns - 1)] > 0.5:
                _LOG.warning(
                    "instructions[%d] drags what a path at rest pins, at (%g, %g): there it stays as it is; "
                    "move one of them, or give the path a smaller box or radius",
                    *(index, x, y),
                )


def _weights(
    said: BlendSettings | None, grid: tuple[int, int, int], height: int, width: int
) -> Tensor | None:
    """w of equation 4 under drags; None where the shot asks for no blend."""
    return None if said is None else blend_weights(said, grid, height, width)


def motion_of(shot: Shot) -> MotionInstruction | None:
    """The shot's motion instruction, of which it has at most one."""
    return next((one for one in shot.instructions if isinstance(one, MotionInstruction)), None)


def box_path_of(path: PointPath, radius: float, width: int, height: int) -> BoxPath:
    """A path of boxes around a moving point.

    radius: half the boxes' sides, where the path has none of its own, as a fraction of the frame's shorter
    side. width, height: of the frame in pixels. The boxes may reach beyond the frame.
    """
    reach = (radius if path.radius is None else path.radius) * min(width, height)
    half = (reach / width, reach / height)
    return BoxPath(
        [BoxKeyframe(key.time, _around(key.point, half), key.easing) for key in path.keyframes],
        easing=path.easing,
        leaves_frame=True,
    )


def _around(point: tuple[float, float], half: tuple[float, float]) -> Box:
    (x, y), (dx, dy) = point, half
    return Box(x - dx, y - dy, x + dx, y + dy)


def _drag(
    trajectory: BoxTrajectory | PointTrajectory, field: str, width: int, height: int
) -> DragTrajectory | None:
    """The drag that a path without words stands for; None where it stands still."""
    path: Any = trajectory.path
    if isinstance(path, BoxPath):
        boxes = [key.box for key in path.keyframes]
        sizes = {(round(box.x1 - box.x0, 6), round(box.y1 - box.y0, 6)) for box in boxes}
        places = [(0.5, 0.5)] if len(sizes) == 1 else [(0.25, 0.25), (0.75, 0.75)]
        ways = [[_in_box(box, at) for box in boxes] for at in places]
        held = boxes[0].clipped()
        region = None if held is None else Mask(box=held)
    else:
        ways = [[key.point for key in path.keyframes]]
        region = _disc(path, width, height)
    for way in ways:
        for index, (x, y) in enumerate(way):
            if not (0 <= x <= 1 and 0 <= y <= 1):
                raise ShotError(
                    "it leads what is dragged out of the frame; keep its middle inside, or name the subject "
                    "with words of the prompt",
                    field=f"{field}.keyframes[{index}]",
                )
    if _is_at_rest(trajectory):
        return None
    times = [key.time for key in path.keyframes]
    single: Easing = (path.keyframes[0].easing or path.easing) if len(times) == 2 else "linear"
    drag = DragTrajectory(
        # A corner that stays where it is holds on by a way of no length.
        moves=tuple(DragMove(way[0], way[-1], via=tuple(way[1:-1]) or _still(way)) for way in ways),
        region=region,
        start=times[0],
        end=times[-1],
        easing=single,
    )
    _say_where_it_strays(path, drag, field)
    return drag


def _in_box(box: Box, at: tuple[float, float]) -> tuple[float, float]:
    return box.x0 + at[0] * (box.x1 - box.x0), box.y0 + at[1] * (box.y1 - box.y0)


def _still(way: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    return (way[0],) if way[0] == way[-1] else ()


def _disc(path: PointPath, width: int, height: int) -> Mask | None:
    """What lies within the path's radius of its first point, as a polygon; None where it has no radius."""
    if path.radius is None:
        return None
    x, y = path.keyframes[0].point
    reach = path.radius * min(width, height)
    turns = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    corners = np.stack([x + reach / width * np.cos(turns), y + reach / height * np.sin(turns)], axis=1)
    corners = np.clip(corners, 0, 1)
    return Mask(polygon=[(float(u), float(v)) for u, v in corners])


def _say_where_it_strays(path: Any, drag: DragTrajectory, field: str) -> None:
    asked = path.resample(64)
    if isinstance(path, BoxPath):
        asked = (asked[:, :2] + asked[:, 2:]) / 2
    strays = float(np.abs(drag.resample(64).mean(axis=1) - asked).max())
    if strays > _STRAYS:
        _LOG.warning(
            "%s: what is dragged goes along it at even speed, and so is up to %.0f %% of the frame away from "
            "where the keyframes' times put it",
            field,
            100 * strays,
        )
