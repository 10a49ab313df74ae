"""The intermediate picture x~ = P_img(x, y) of InteractiveVideo (section 3.1), and x~' after the drags.

It is the interface between a person and the video model: image and content instructions make it, drags
change it, and what the video model starts from is this picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehearse.models.model import VideoModel
from rehearse.pictures.cache import SHARED, PictureCache
from rehearse.pictures.drags import FILL_STRENGTH, Dragging, drag_picture, fill_key, split
from rehearse.pictures.frame import cover_frame
from rehearse.pictures.redraw import ImagePipeline, OnStep, Progress
from rehearse.pictures.stages import Stage, load_picture, stages_of
from rehearse.resolve.instructions.pictures import Picture
from rehearse.sampling.loop import Cancel
from rehearse.shot import ShotError
from rehearse.shot.feather import Weights

_MOST_OPTIMISED = 80


@dataclass(frozen=True, eq=False)
class Intermediate:
    """What the video model starts from.

    original: uint8 ``[H, W, 3]`` after image and content instructions, before any drag (x~).
    edited: the same after the end of all drags (x~'); the original where there is none.
    touched: float32 ``[H, W]`` in [0, 1]: what warped drags sweep on their way, and where optimised ones
    begin and end, with a soft edge; zeros without drags.
    """

    original: NDArray[np.uint8]
    edited: NDArray[np.uint8]
    touched: Weights
    dragging: Dragging

    def over_time(self, frames: int) -> NDArray[np.uint8]:
        """The picture at the time of each frame, by each drag's start, end and easing.

        frames: evenly spaced over the clip. Returns uint8 ``[frames, H, W, 3]``: before the first drag begins
        the original, after the last has arrived ``edited``, bit for bit.
        """
        return self.dragging.over_time(frames)


def make_intermediate(
    ask: Picture,
    picture_model: VideoModel,
    *,
    on_step: OnStep | None = None,
    cancel: Cancel | None = None,
    cache: PictureCache | None = None,
) -> Intermediate:
    """Make the intermediate picture that a shot asks for (:func:`rehearse.resolve.resolve_picture`).

    First comes the picture: that of the earliest image instruction, covering the frame and cropped about its
    centre (at a strength below 1 it passes through image-to-image), or one drawn from the prompt. Then the
    content instructions change it in the shot's order, then all drags. Pictures at later times are the video
    model's.

    picture_model: a text-to-image model; in regions the one draws that it names for that. on_step: told after
    each denoising step. cancel: asked before each. cache: of the stages' pictures, None for the one all
    share.

    Raises:
        ShotError: naming the instruction's field: a picture that cannot be used, a drag that cannot be made,
            a word the model does not know, a size it does not take.
        ModelError: the model that is named to draw in regions will not do.
        Cancelled, DragCancelled: called off; finished stages stay in the cache.
    """
    _refuse_bad_size(picture_model, ask.width, ask.height)
    cache = SHARED if cache is None else cache
    pipeline = ImagePipeline(picture_model, ask.width, ask.height)
    stages = stages_of(ask, pipeline)
    progress = Progress(on_step, cancel)
    plain, optimised = split(ask.drags)

    newest = next((i for i in range(len(stages) - 1, -1, -1) if stages[i].key in cache), -1)
    progress.steps = sum(stage.steps for stage in stages[newest + 1 :]) + _MOST_OPTIMISED * len(optimised)
    if plain and fill_key(stages[-1].key, plain, ask, pipeline) not in cache:
        progress.steps += pipeline.steps_for(FILL_STRENGTH, in_region=True)

    original = _original(stages, newest, cache, progress)
    dragging = drag_picture(original, stages[-1].key, ask, pipeline, cache, progress)
    return Intermediate(original, dragging.edited, dragging.touched, dragging)


def given_picture(ask: Picture) -> NDArray[np.uint8] | None:
    """The picture of a shot that gives one as it is, uint8 ``[H, W, 3]``: what :func:`make_intermediate`
    makes of it, where no image model has anything to draw. None for any other.

    Raises ShotError, naming the instruction's field, for a picture that cannot be used.
    """
    if not ask.is_given or ask.start is None:
        return None
    return cover_frame(load_picture(ask.start), ask.width, ask.height)


def _original(stages: list[Stage], newest: int, cache: PictureCache, progress: Progress) -> NDArray[np.uint8]:
    picture = cache.get(stages[newest].key) if newest >= 0 else None
    # Another thread may have pushed it out of the cache between looking and taking.
    rest = stages[newest + 1 :] if picture is not None else stages
    for stage in rest:
        picture = cache.put(stage.key, stage.work(picture, progress))
    assert picture is not None
    return picture


def _refuse_bad_size(model: VideoModel, width: int, height: int) -> None:
    unit = model.limits.size_multiple
    for field, pixels in (("width", width), ("height", height)):
        if pixels % unit or pixels < unit:
            low = max(unit, pixels // unit * unit)
            raise ShotError(
                f"model {model.identity!r}, which draws the picture, needs a multiple of {unit}, "
                f"such as {low} or {low + unit}",
                field=field,
                value=pixels,
            )
