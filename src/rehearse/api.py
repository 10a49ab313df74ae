"""The short way: a shot in, a clip or a picture out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehearse.models.model import VideoModel
from rehearse.shot import Shot
from rehearse.takes import Clip, Take
from rehearse.takes.take import OnStep

if TYPE_CHECKING:
    from PIL.Image import Image

    from rehearse.pictures.redraw import OnStep as OnPictureStep


def generate(shot: Shot | str, *, model: VideoModel | None = None, on_step: OnStep | None = None) -> Clip:
    """Run a whole shot.

    shot: a Shot, or a prompt alone. model: a loaded model; None loads ``shot.model``.
    on_step: called after every step with a StepEvent (``.step``, ``.steps``, ``.preview``,
    ``.take.cancel()``). Raises ShotError, ModelError; Cancelled after a cancel.
    """
    shot = Shot(shot) if isinstance(shot, str) else shot
    # Nobody can fork from here, so no step is kept.
    return Take.start(shot, model, keep=0).finish(on_step).clip


def picture(
    shot: Shot | str, *, model: VideoModel | None = None, on_step: OnPictureStep | None = None
) -> Image:
    """The intermediate picture of a shot: what its image, content and drag instructions make, as a clip would
    start from it and its drags would end. 8-bit RGB, of the clip's size.

    shot: a Shot, or a prompt alone. model: a loaded model, as for :func:`generate`, or the image model
    itself; None loads ``shot.model``. Where that starts from no picture, the theatre's image model draws.
    on_step: called after every step with a PictureStep (``.stage``, ``.step``, ``.steps``, ``.preview``).
    Raises ShotError, ModelError.
    """
    from PIL.Image import fromarray

    from rehearse.models import load_model
    from rehearse.models.card_of import card_of
    from rehearse.pictures import make_intermediate
    from rehearse.pictures.passed_over import say_what_pictures_pass_over
    from rehearse.resolve import resolve_picture

    shot = Shot(shot) if isinstance(shot, str) else shot
    model = load_model(shot.model) if model is None else model
    ask = resolve_picture(shot, card_of(model))
    painter = model
    if model.pictures is not None and model.pictures.required:
        painter = model.pictures.picture_model()
    elif model.limits.max_frames != 1:
        painter = load_model("theatre-image")
    say_what_pictures_pass_over(ask, painter, words=True)
    return fromarray(make_intermediate(ask, painter, on_step=on_step).edited)
