"""The drags of a shot on its intermediate picture: where they end, and every frame on the way.

Warped drags are cut out of the picture together and laid down for each frame. What they bare at the moment
they bare most is drawn anew by regional image-to-image, from the smooth guess behind them, and stands behind
the regions in all frames. It is drawn without words: the shot's prompt names what was dragged away, and under
it the theatre's image model put a second one in its place. Optimised drags come after, one on the other; on
the way there the picture is a morph: the dragged original going forward fades into the optimised result
going backward.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rehearse.pictures.cache import PictureCache, key_of
from rehearse.pictures.redraw import ImagePipeline, Progress, Words
from rehearse.pictures.stages import seed_of
from rehearse.pictures.warp import Cut, Drag, Move, Warped, cut, cut_out
from rehearse.resolve.instructions.drags import DragAsk, DragFault
from rehearse.resolve.instructions.pictures import Picture
from rehearse.shot import DragTrajectory, ShotError
from rehearse.shot.easing import frame_times
from rehearse.shot.feather import Weights, feathered, lay_over, spread
from rehearse.shot.image_ref import DIGEST_IMAGES

FILL_STRENGTH = 0.5
"""How far a bared area may depart from the smooth guess it starts from."""
FEATHER = 0.04
"""Width of the soft edge of what was bared and of what is swept, in fractions of the frame's shorter side."""
_LOG = logging.getLogger(__name__)

_MOMENTS = 17
# Noise of the fill's own, away from the stages' whose number edits change.
_FILL_STAGE = 1 << 20

Pixels = NDArray[np.uint8]


def split(drags: Sequence[DragAsk]) -> tuple[list[DragAsk], list[DragAsk]]:
    """Warped drags and optimised ones, each in the shot's order."""
    return (
        [one for one in drags if one.drag.method != "optimise"],
        [one for one in drags if one.drag.method == "optimise"],
    )


def as_warp(one: DragAsk) -> Drag:
    """A drag as the warp takes it, from its handles to its targets."""
    return Drag([(move.handle, move.target) for move in one.drag.moves], one.region, one.halo)


@dataclass(frozen=True, eq=False, slots=True)
class Dragging:
    """All drags of a shot on one picture.

    original, edited: uint8 ``[H, W, 3]``, before any drag and after the end of all. warped: what is laid
    down, with its drags, or None. optimised: in order, each with its morph. touched: see ``Intermediate``.
    """

    original: Pixels
    edited: Pixels
    warped: tuple[Cut, tuple[DragTrajectory, ...]] | None
    optimised: tuple[Morph, ...]
    touched: Weights

    def over_time(self, frames: int) -> NDArray[np.uint8]:
        """The picture at the time of each of evenly spaced frames, uint8 ``[frames, H, W, 3]``."""
        return np.stack([self._at(t, frames) for t in range(frames)])

    def _at(self, t: int, frames: int) -> Pixels:
        laid, drags = self.warped or (None, ())
        gone = [drag.progress(frames)[t] for drag in (*drags, *(morph.drag for morph in self.optimised))]
        # The ends are known to the bit; laying down would round soft edges once more.
        if all(share == 0 for share in gone):
            return self.original
        if all(share == 1 for share in gone):
            return self.edited
        picture = self.original
        if laid is not None:
            picture = laid.lay([moves_to(drag, drag.resample(frames)[t]) for drag in drags]).picture
        for morph, share in zip(self.optimised, gone[len(drags) :], strict=True):
            picture = morph.at(picture, morph.drag.resample(frames)[t], share)
        return picture


@dataclass(frozen=True, eq=False, slots=True)
class Morph:
    """An optimised drag between its ends.

    drag: its way and timing. region: float or bool ``[H, W]``, what is dragged. halo: of it. landed: its cut
    from the optimised picture, handles at the targets. area: ``[H, W]`` in [0, 1], where the two pictures may
    differ.
    """

    drag: DragTrajectory
    region: Weights
    halo: bool | None
    landed: Cut
    area: Weights

    def at(self, picture: Pixels, place: NDArray[np.float64], gone: float) -> Pixels:
        """The morph over a picture.

        place: of the handles, ``[moves, 2]``. gone: the part of the way that is behind them, in [0, 1].
        """
        # Handles that pass one point on their way end apart: the moves were looked at as a whole.
        forward = cut_out(picture, [self.region], [self.halo])
        ahead = forward.lay([moves_to(self.drag, place)]).picture
        back = [
            (move.target, (float(x), float(y))) for move, (x, y) in zip(self.drag.moves, place, strict=True)
        ]
        behind = self.landed.lay([back]).picture
        return lay_over(ahead, behind, self.area * np.float32(gone))


def drag_picture(
    original: Pixels,
    before: str,
    ask: Picture,
    pipeline: ImagePipeline,
    cache: PictureCache,
    progress: Progress,
) -> Dragging:
    """Bring a shot's drags about.

    before: key of the original. ask: what it was made of, and its drags.

    Raises:
        ShotError: two drags on one region, a region that leaves the frame; the field is the shot's.
        Cancelled, DragCancelled: called off.
    """
    plain, optimise = split(ask.drags)
    height, width = original.shape[:2]
    touched = np.zeros((height, width), dtype=np.float32)
    if not plain and not optimise:
        return Dragging(original, original, None, (), touched)
    everything = [*plain, *optimise]
    with _named(everything):
        # All of them at once first: a drag of a region that another pulls is found before any work.
        cut(original, [as_warp(one) for one in everything])

    picture, warped = original, None
    if plain:
        warp = tuple(one.drag for one in plain)
        with _named(plain):
            laid = cut(original, [as_warp(one) for one in plain])
            moments = _moments(laid, warp, [drag.resample(_MOMENTS) for drag in warp])
            # Behind a single drag stands the same whenever it goes (:func:`fill_key`).
            timed = len(warp) > 1 or np.array_equal(warp[0].progress(_MOMENTS), frame_times(_MOMENTS))
            gone = moments if timed else _moments(laid, warp, [evenly(warp[0], _MOMENTS)])
        barest = max(reversed(gone), key=lambda moment: int(moment.exposed.sum()))
        if barest.exposed.any():
            region = feathered(barest.exposed.astype(np.float32), FEATHER * min(height, width))
            key = fill_key(before, plain, ask, pipeline)
            plate = cache.get(key)
            if plate is None:
                drawn = pipeline.from_picture(
                    barest.picture, _wordless(ask), FILL_STRENGTH, plain[-1].field,
                    progress, region, laid.plate,
                )  # fmt: skip
                plate = cache.put(key, drawn)
            laid = replace(laid, plate=plate)
        warped = (laid, warp)
        picture = laid.lay([as_warp(one).moves for one in plain]).picture
        for moment in moments:
            np.maximum(touched, moment.moved, out=touched)
            np.maximum(touched, moment.exposed, out=touched)
        for opacity in laid.opacity:
            np.maximum(touched, opacity, out=touched)

    morphs: list[Morph] = []
    for one in optimise:
        with _named([one]):
            picture, morph = _optimised(picture, before, one, ask, pipeline, cache, progress)
        morphs.append(morph)
        np.maximum(touched, morph.area, out=touched)
    return Dragging(original, picture, warped, tuple(morphs), spread(touched, FEATHER * min(height, width)))


def _moments(laid: Cut, drags: Sequence[DragTrajectory], ways: Sequence[NDArray[np.float64]]) -> list[Warped]:
    """The drags laid down at each moment of their ways, ``[moments, moves, 2]`` each."""
    return [
        laid.lay([moves_to(drag, place) for drag, place in zip(drags, places, strict=True)])
        for places in zip(*ways, strict=True)
    ]


def evenly(drag: DragTrajectory, moments: int) -> NDArray[np.float64]:
    """A drag's way without its timing, from end to end at even speed, ``[moments, moves, 2]``."""
    return np.stack([move.along(frame_times(moments)) for move in drag.moves], axis=1)


def fill_key(before: str, plain: Sequence[DragAsk], ask: Picture, pipeline: ImagePipeline) -> str:
    """Key of what stands behind the warped drags."""
    # A single drag's barest moment is looked for on its way alone; with several, timing makes the moments.
    timing = {"start", "end", "easing"} if len(plain) == 1 else set()
    return key_of(
        before=before,
        drags=[
            one.drag.model_dump(mode="json", exclude=timing, context=DIGEST_IMAGES) for one in plain
        ],
        seed=_wordless(ask).seed,
        drawn_by=pipeline.drawn_by(in_region=True),
        what="fill",
    )  # fmt: skip


def _wordless(ask: Picture) -> Words:
    return Words("", "", seed_of(ask, _FILL_STAGE), guidance=1.0)


def moves_to(drag: DragTrajectory, place: NDArray[np.float64]) -> list[Move]:
    """A drag's moves with its handles at ``place`` ``[moves, 2]``."""
    return [(move.handle, (float(x), float(y))) for move, (x, y) in zip(drag.moves, place, strict=True)]


def _optimised(
    picture: Pixels,
    before: str,
    one: DragAsk,
    ask: Picture,
    pipeline: ImagePipeline,
    cache: PictureCache,
    progress: Progress,
) -> tuple[Pixels, Morph]:
    from rehearse.models.image import ImageModel
    from rehearse.pictures.drag_optimise import ARRIVED, MOST_STEPS, optimise_drag
    from rehearse.pictures.region import find_region

    model, drag, name = pipeline.model, one.drag, one.field
    if not isinstance(model, ImageModel):
        raise ShotError(
            f"model {model.identity!r} has no features to optimise on; let the drag be a warp",
            field="method",
            value="optimise",
        )
    height, width = picture.shape[:2]
    moves = as_warp(one).moves
    handles = [handle for handle, _ in moves]
    region = find_region(picture, handles).astype(np.float32) if one.region is None else one.region
    document = drag.model_dump(mode="json", exclude={"start", "end", "easing"}, context=DIGEST_IMAGES)
    key = key_of(
        before=before, picture=key_of(bytes=picture.tobytes().hex()), drag=document, prompt=ask.prompt,
        model=model.fingerprint,
    )  # fmt: skip
    edited = cache.get(key)
    if edited is None:
        result = optimise_drag(
            picture, moves, region, model, ask.prompt,
            on_step=lambda _: progress.tell(name, lambda: picture[None]), cancel=progress.called_off,
            halo=one.halo,
        )  # fmt: skip
        spent = (result.steps_taken, MOST_STEPS, result.evaluations)
        if result.pixels_short <= 2 * ARRIVED:
            _LOG.info("%s: the drag arrived after %d of %d steps, %d uses of the model", name, *spent)
        else:
            _LOG.warning(
                "%s: the drag ended %.0f pixels short of its target after %d of %d steps, %d uses of the "
                "model; drag less far, mark the thing more closely, or let the drag be a warp",
                name, result.pixels_short, *spent,
            )  # fmt: skip
        edited = cache.put(key, result.picture)
    landing = cut_out(picture, [region], [one.halo]).lay([moves])
    area = spread(
        np.maximum(region, np.maximum(landing.moved, (edited != picture).any(axis=2).astype(np.float32))),
        FEATHER * min(height, width),
    )
    return edited, Morph(drag, region, one.halo, cut_out(edited, [landing.moved], [False]), area)


@contextmanager
def _named(drags: Sequence[DragAsk]) -> Iterator[None]:
    """Faults that the warp finds are told in the fields that the shot has."""
    try:
        yield
    except DragFault as fault:
        raise drags[fault.drag].told(fault, drags) from fault
