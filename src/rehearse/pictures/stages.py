"""From a shot to the stages of its intermediate picture, each with its key, cost and work.

The order is: the picture the clip starts from (given, or drawn from the prompt), then the content
instructions as the shot lists them. A picture given after an edit is still what the edit is laid on: who
chooses another picture does not lose the paint.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rehearse.pictures.cache import key_of
from rehearse.pictures.frame import cover_frame
from rehearse.pictures.redraw import ImagePipeline, Progress, Words
from rehearse.resolve.instructions.pictures import Edit, Picture, StartPicture
from rehearse.resolve.vocabulary import refuse_unknown_words
from rehearse.shot import ShotError
from rehearse.shot.feather import feathered
from rehearse.shot.image_ref import DIGEST_IMAGES
from rehearse.shot.instructions.content import STRENGTH, STRENGTH_IN_REGION
from rehearse.shot.stroke import paint

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False, slots=True)
class Stage:
    """One step from picture to picture.

    name: what messages call it, the field of its instruction. key: of its result, see
    :mod:`~rehearse.pictures.cache`. steps: denoising steps it takes. work: from the picture before it (None
    for the first).
    """

    name: str
    key: str
    steps: int
    work: Callable[[Pixels | None, Progress], Pixels]


def stages_of(ask: Picture, pipeline: ImagePipeline) -> list[Stage]:
    """The stages of a picture. All that can be wrong with its start and its edits is found here.

    Raises ShotError, naming the instruction's field.
    """
    stages = [_start(ask, pipeline)]
    for edit in ask.edits:
        stages.append(_edited(ask, edit, pipeline, len(stages), stages[-1].key))
    return stages


def words_for(ask: Picture, stage: int, pipeline: ImagePipeline) -> Words:
    """The shot's own prompt, under the noise of a stage. Raises ShotError for unknown words."""
    for field, text in (("prompt", ask.prompt), ("negative_prompt", ask.negative_prompt)):
        refuse_unknown_words(field, text, pipeline.model)
    return Words(ask.prompt, ask.negative_prompt, seed_of(ask, stage))


def seed_of(ask: Picture, stage: int) -> int:
    """Noise of its own for each stage: an edit under the noise that made the picture would draw it again."""
    if stage == 0:
        return ask.seed
    return int(np.random.SeedSequence([ask.seed, stage]).generate_state(1, np.uint64)[0] >> 1)


def _start(ask: Picture, pipeline: ImagePipeline) -> Stage:
    drawn_by = pipeline.drawn_by()
    given = ask.start
    strength = 1.0 if given is None else 1 - given.strength
    if given is None or strength == 1:
        words = words_for(ask, 0, pipeline)
        key = key_of(words=[words.prompt, words.negative_prompt, words.seed], drawn_by=drawn_by)
        return Stage(
            "prompt", key, pipeline.steps, lambda _, said: pipeline.from_words(words, "prompt", said)
        )

    name = given.field
    picture = cover_frame(load_picture(given), pipeline.width, pipeline.height)
    key = key_of(image=given.image.digest(), size=drawn_by["size"])
    if not strength:
        return Stage(name, key, 0, lambda *_: picture)
    words = words_for(ask, 0, pipeline)
    key = key_of(
        before=key,
        strength=strength,
        words=[words.prompt, words.negative_prompt, words.seed],
        drawn_by=drawn_by,
    )
    return Stage(
        name,
        key,
        pipeline.steps_for(strength),
        lambda _, said: pipeline.from_picture(picture, words, strength, name, said),
    )


def load_picture(given: StartPicture) -> Image.Image:
    """A picture that is given. Raises ShotError, naming its field, where it cannot be read."""
    try:
        return given.image.load()
    except ShotError as error:
        raise ShotError(error.reason, field=f"{given.field}.image") from error


def _edited(ask: Picture, edit: Edit, pipeline: ImagePipeline, place: int, before: str) -> Stage:
    name, asked = edit.field, edit.asked
    words = _words_of(ask, edit, place, pipeline)
    region = None if edit.region is None else feathered(edit.region, edit.feather)
    if region is not None:
        refuse_unknown_words(f"{name}.prompt", words.prompt, pipeline.model_in_regions)
    strength = edit.strength
    if strength is None:
        strength = _own_strength(pipeline, bool(asked.strokes), region is not None)

    def work(below: Pixels | None, said: Progress) -> Pixels:
        assert below is not None
        painted = below
        if asked.strokes:
            painted = np.asarray(paint(Image.fromarray(below), asked.strokes))
        if region is not None:
            # The model shall not take up paint that lies beyond the region.
            painted = np.where(region[..., None] > 0, painted, below)
        return pipeline.from_picture(painted, words, strength, name, said, region, below)

    document = asked.model_dump(mode="json", exclude_none=True, context=DIGEST_IMAGES)
    key = key_of(
        before=before,
        instruction=document,
        words=[words.prompt, words.negative_prompt, words.seed],
        strength=strength,
        drawn_by=pipeline.drawn_by(region is not None),
    )
    return Stage(name, key, pipeline.steps_for(strength, region is not None), work)


def _own_strength(pipeline: ImagePipeline, painted: bool, in_region: bool) -> float:
    if painted or not in_region:
        return STRENGTH
    return STRENGTH_IN_REGION if pipeline.model_in_regions.inpainting is None else 1.0


def _words_of(ask: Picture, edit: Edit, place: int, pipeline: ImagePipeline) -> Words:
    asked = edit.asked
    own = words_for(ask, place, pipeline) if asked.prompt is None else None
    prompt, negative = asked.prompt, asked.negative_prompt
    for field, text in (("prompt", prompt), ("negative_prompt", negative)):
        refuse_unknown_words(f"{edit.field}.{field}", text or "", pipeline.model)
    return Words(
        prompt=own.prompt if own is not None else str(prompt),
        negative_prompt=ask.negative_prompt if negative is None else negative,
        seed=seed_of(ask, place),
    )
