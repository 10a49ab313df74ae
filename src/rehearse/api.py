"""The short way: a shot in, a clip out."""

from __future__ import annotations

from rehearse.models.model import VideoModel
from rehearse.shot import Shot
from rehearse.takes import Clip, Take
from rehearse.takes.take import OnStep


def generate(shot: Shot | str, *, model: VideoModel | None = None, on_step: OnStep | None = None) -> Clip:
    """Run a whole shot.

    shot: a Shot, or a prompt alone. model: a loaded model; None loads ``shot.model``.
    on_step: called after every step with a StepEvent (``.step``, ``.steps``, ``.preview``,
    ``.take.cancel()``). Raises ShotError, ModelError; Cancelled after a cancel.
    """
    shot = Shot(shot) if isinstance(shot, str) else shot
    # Nobody can fork from here, so no step is kept.
    return Take.start(shot, model, keep=0).finish(on_step).clip
