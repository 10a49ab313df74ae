"""From a request to its clip and the picture it starts from, through the public API."""

from __future__ import annotations

from rehearse.evaluation.animate.arms import Request
from rehearse.evaluation.animate.measure import Animator, Made, Pixels
from rehearse.models.model import VideoModel
from rehearse.shot import ImageInstruction, Shot, steps_of


def load_animator(model: str) -> Animator:
    """A model as an animator: takes and their forks as a person runs them. Raises ModelError."""
    from rehearse.models import load_model
    from rehearse.takes import Take

    loaded = load_model(model)

    def animator(request: Request) -> Made:
        if request.parent is None:
            take = Take.start(request.shot, loaded, keep=0)
        else:
            # The run that is branched off from goes as far as the branch only.
            parent = Take.start(request.parent, loaded)
            at = steps_of(request.at, parent.steps) if request.at else 0
            for _ in parent.play(until=at):
                pass
            take = parent.fork(at, request.shot)
        before, after = pictures(request.shot, loaded)
        return Made(take.finish().clip.frames, before, after)

    return animator


def pictures(shot: Shot, model: VideoModel) -> tuple[Pixels | None, Pixels | None]:
    """The picture a clip starts from, before and after its edits and before any drag; None where the model
    starts from no picture, or the shot gives none."""
    given = any(isinstance(instruction, ImageInstruction) for instruction in shot.instructions)
    if not given or model.pictures is None:
        return None, None
    from rehearse.pictures import make_intermediate
    from rehearse.resolve.instructions.pictures import picture_of

    width, height = shot.width or model.defaults.width, shot.height or model.defaults.height
    undragged = shot.without("trajectory")
    painter = model.pictures.picture_model()
    after = make_intermediate(picture_of(undragged, width, height), painter).original
    bare = picture_of(undragged.without("content"), width, height)
    return make_intermediate(bare, painter).original, after
