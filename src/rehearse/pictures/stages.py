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

from rehearse.models.vocabulary import refuse_unknown_words
from rehearse.pictures.cache import key_of
from rehearse.pictures.feather import feathered, grown
from rehearse.pictures.frame import cover_frame
from rehearse.pictures.redraw import ImagePipeline, Progress, Words
from rehearse.shot import ContentInstruction, ImageInstruction, Shot, ShotError
from rehearse.shot.image_ref import DIGEST_IMAGES
from rehearse.shot.stroke import lay, paint

FEATHER = 0.04
"""Width of a region's soft edge where an instruction is silent, as a fraction of the frame's shorter side."""
ROUND_STROKES = 0.12
"""How far round strokes with a prompt of their own the picture may change, as a fraction of the frame's
shorter side."""
STRENGTH = 0.6
"""How far paint, or a prompt for the whole picture, departs from what is there."""
STRENGTH_IN_REGION = 0.9
"""How far a prompt departs in a region without paint: there, something else is asked for. An inpainting model
sees what is around it and needs nothing of what was there: with one it is 1."""

# Paint that covers less of a pixel changes no colour of 256.
_LEAST_SEEN = 0.5 / 255

Picture = NDArray[np.uint8]


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
    work: Callable[[Picture | None, Progress], Picture]


def stages_of(shot: Shot, pipeline: ImagePipeline) -> list[Stage]:
    """The stages of a shot. All that can be wrong with its image and content instructions is found here. Its
    masks lie over the frame (:func:`~rehearse.pictures.drawn_mask.masks_over_frame`).

    Raises ShotError, naming the instruction's field.
    """
    stages = [_start(shot, pipeline)]
    for index, instruction in enumerate(shot.instructions):
        if isinstance(instruction, ContentInstruction):
            stages.append(_content(shot, index, instruction, pipeline, len(stages), stages[-1].key))
    return stages


def words_for(shot: Shot, stage: int, pipeline: ImagePipeline) -> Words:
    """The shot's own prompt, under the noise of a stage. Raises ShotError for unknown words."""
    for field, text in (("prompt", shot.prompt), ("negative_prompt", shot.negative_prompt or "")):
        refuse_unknown_words(field, text, pipeline.model)
    return Words(shot.prompt, shot.negative_prompt or "", seed_of(shot, stage))


def seed_of(shot: Shot, stage: int) -> int:
    """Noise of its own for each stage: an edit under the noise that made the picture would draw it again."""
    if stage == 0:
        return shot.seed
    return int(np.random.SeedSequence([shot.seed, stage]).generate_state(1, np.uint64)[0] >> 1)


def _start(shot: Shot, pipeline: ImagePipeline) -> Stage:
    drawn_by = pipeline.drawn_by()
    given = first_picture(shot)
    strength = 0.0 if given is None or given[1].strength is None else 1 - given[1].strength
    if given is None or strength == 1:
        words = words_for(shot, 0, pipeline)
        key = key_of(words=[words.prompt, words.negative_prompt, words.seed], drawn_by=drawn_by)
        return Stage(
            "prompt", key, pipeline.steps, lambda _, said: pipeline.from_words(words, "prompt", said)
        )

    index, instruction = given
    name = f"instructions[{index}]"
    picture = cover_frame(load_picture(instruction, name), pipeline.width, pipeline.height)
    key = key_of(image=instruction.image.digest(), size=drawn_by["size"])
    if not strength:
        return Stage(name, key, 0, lambda *_: picture)
    words = words_for(shot, 0, pipeline)
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


def first_picture(shot: Shot) -> tuple[int, ImageInstruction] | None:
    """The earliest image instruction and its place in the list; None where there is none."""
    pictures = [
        (index, instruction)
        for index, instruction in enumerate(shot.instructions)
        if isinstance(instruction, ImageInstruction)
    ]
    return min(pictures, key=lambda each: each[1].time, default=None)


def load_picture(instruction: ImageInstruction, name: str) -> Image.Image:
    """An instruction's picture. name: of its field, for the ShotError where it cannot be read."""
    try:
        return instruction.image.load()
    except ShotError as error:
        raise ShotError(error.reason, field=f"{name}.image") from None


def _round_the_strokes(
    instruction: ContentInstruction, name: str, height: int, width: int
) -> NDArray[np.float32]:
    """Where strokes with a prompt may change the picture, ``[height, width]``.

    Raises ShotError, as an empty mask does, where they leave no mark: they say nowhere, and the prompt is not
    one for the whole picture.
    """
    laid = np.zeros((height, width), dtype=np.float32)
    lay(laid, instruction.strokes)
    if laid.max() < _LEAST_SEEN:
        raise ShotError(
            "nothing of them is left to be seen in the frame; paint inside it without erasing all again, or "
            "leave the edit out",
            field=f"{name}.strokes",
        )
    return grown((laid > 0).astype(np.float32), ROUND_STROKES * min(height, width))


def _content(
    shot: Shot,
    index: int,
    instruction: ContentInstruction,
    pipeline: ImagePipeline,
    place: int,
    before: str,
) -> Stage:
    name = f"instructions[{index}]"
    words = _words_of(shot, instruction, name, place, pipeline)
    width, height = pipeline.width, pipeline.height
    region, mask = None, None
    if instruction.mask is not None:
        try:
            mask = instruction.mask.clear_raster(height, width)
        except ShotError as error:
            raise error.within(f"{name}.mask") from None
    elif instruction.strokes and instruction.prompt is not None:
        # "A boat" says what the strokes shall be, not the picture.
        mask = _round_the_strokes(instruction, name, height, width)
    if mask is not None:
        feather = FEATHER if instruction.feather is None else instruction.feather
        region = feathered(mask, feather * min(width, height))
    if region is not None:
        refuse_unknown_words(f"{name}.prompt", words.prompt, pipeline.model_in_regions)
    strength = instruction.strength
    if strength is None:
        strength = _own_strength(pipeline, bool(instruction.strokes), region is not None)

    def work(below: Picture | None, said: Progress) -> Picture:
        assert below is not None
        painted = below
        if instruction.strokes:
            painted = np.asarray(paint(Image.fromarray(below), instruction.strokes))
        if region is not None:
            # The model shall not take up paint that lies beyond the region.
            painted = np.where(region[..., None] > 0, painted, below)
        return pipeline.from_picture(painted, words, strength, name, said, region, below)

    document = instruction.model_dump(mode="json", exclude_none=True, context=DIGEST_IMAGES)
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
    return 1.0 if pipeline.model_in_regions.inpaints else STRENGTH_IN_REGION


def _words_of(
    shot: Shot, instruction: ContentInstruction, name: str, place: int, pipeline: ImagePipeline
) -> Words:
    own = words_for(shot, place, pipeline) if instruction.prompt is None else None
    prompt, negative = instruction.prompt, instruction.negative_prompt
    for field, text in (("prompt", prompt), ("negative_prompt", negative)):
        refuse_unknown_words(f"{name}.{field}", text or "", pipeline.model)
    fallback = shot.negative_prompt or ""
    return Words(
        prompt=own.prompt if own is not None else str(prompt),
        negative_prompt=fallback if negative is None else negative,
        seed=seed_of(shot, place),
    )
