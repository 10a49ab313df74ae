"""The ONE place where a shot becomes a model call and a list of controls.

Everything that can be wrong is found here, before any work: what the model cannot act on is refused by name.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from rehearse.animating import Animation, animate, box_path_of, drags_of, motion_of
from rehearse.controls.attention_mask import AttentionMask
from rehearse.controls.control import Control
from rehearse.controls.frame_alignment import (
    FOLDER,
    FrameAlignment,
    FrameAlignmentError,
    load_frame_alignment,
)
from rehearse.controls.initial_noise import TrajectoryNoise
from rehearse.controls.mask_normalization import MaskNormalization
from rehearse.controls.subject import Subject
from rehearse.controls.temporal_prior import CleanPrior, NoisePrior
from rehearse.models.errors import ModelError
from rehearse.models.model import Tokens, VideoModel
from rehearse.models.vocabulary import refuse_unknown_words
from rehearse.sampling.blend import Blend, Side
from rehearse.sampling.plan import Plan
from rehearse.shot import (
    BoxTrajectory,
    ControlSettings,
    ImageInstruction,
    PointTrajectory,
    Shot,
    ShotError,
    find_phrase,
    steps_of,
)
from rehearse.sites import SiteKind, SitePart

__all__ = ["DEFAULTS", "ControlDefaults", "Plan", "ability", "plan"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ControlDefaults:
    """What a shot's control settings are where it leaves them out.

    The fields are those of ``rehearse.shot.ControlSettings`` (steps as counts or fractions of all steps);
    ``mask_parts`` says which parts of a denoiser are masked (Peekaboo: mid and up). motion: magnitude in
    [0, 1] (moderate). drag_release: the part of a drag's way over which the clip lets go of the original
    picture where it is dragged (equation 4). point_radius: of a subject that follows a point, as a fraction
    of the frame's shorter side.
    """

    frozen_steps: int | float = 0.33
    mask_sites: frozenset[SiteKind] = frozenset({"cross", "spatial", "temporal"})
    mask_parts: frozenset[SitePart] = frozenset({"mid", "up"})
    normalization: Literal["none", "global", "regional"] = "global"
    normalization_strength: float = 1.0
    normalization_sites: frozenset[SiteKind] = frozenset({"cross", "spatial", "temporal"})
    temporal_prior: Literal["none", "noise", "x0"] = "noise"
    temporal_prior_strength: float = 0.8
    temporal_prior_steps: int | float = 0.33
    initial_noise: Literal["random", "freetraj"] = "random"
    motion: float = 0.5
    drag_release: float = 0.25
    point_radius: float = 0.15


DEFAULTS = ControlDefaults()
"""The only place where the methods' defaults are set."""


def ability(instruction: object) -> str:
    """What a model must be able to do to follow an instruction: its kind, and for trajectories the form."""
    kind = str(getattr(instruction, "kind", type(instruction).__name__))
    form = getattr(instruction, "form", None)
    return f"{kind}.{form}" if form else kind


def plan(shot: Shot, model: VideoModel) -> Plan:
    """Validate a shot against a model and turn it into one model call.

    For a model that starts from a picture, the prompt is the picture's and the motion instruction's text the
    clip's (the prompt where it has none); the intermediate picture is made here, last, and kept for the next
    plan that needs the same. Drags blend the prediction under the original picture with that under the
    dragged one (equation 4); ``control.blend`` decides the weights. Paths that name words mask attention, on
    every model; others drag what the picture shows there (:func:`rehearse.animating.with_drags`).

    Raises ShotError, naming the field, the value and the remedy: an instruction or setting the model cannot
    act on, more frames than it takes, a size that is no multiple, an unknown word of a closed vocabulary, a
    phrase beyond the token limit, a scheduler that cannot sample the model, a picture that cannot be used.
    """
    _refuse_what_it_cannot(shot, model)
    own = model.defaults
    frames, width, height = _size(shot, model)
    steps, scheduler = shot.steps or own.steps, shot.scheduler or own.scheduler
    _try_scheduler(model, scheduler, steps)
    negative = shot.negative_prompt or ""
    for field, text in (("prompt", shot.prompt), ("negative_prompt", negative)):
        refuse_unknown_words(field, text, model)
    read = _text(shot)
    refuse_unknown_words(read.field, read.words, model)
    subjects = _subjects(shot, read, model, width, height)
    embeddings = model.encode(read.words, negative)
    controls = tuple(_controls(shot.control, subjects, steps))
    guidance = own.guidance if shot.guidance is None else shot.guidance
    animation = _animation(shot, model, frames, width, height)
    if shot.control.frame_alignment and animation is not None:
        controls += (_alignment(model, animation),)
    return Plan(
        frames=frames,
        width=width,
        height=height,
        fps=shot.fps or own.fps,
        steps=steps,
        guidance=guidance,
        scheduler=scheduler,
        seed=shot.seed,
        text=embeddings,
        subjects=subjects,
        controls=controls,
        condition=None if animation is None else animation.condition,
        blend=_blend(animation, embeddings, controls, guidance),
    )


def _refuse_what_it_cannot(shot: Shot, model: VideoModel) -> None:
    for index, instruction in enumerate(shot.instructions):
        needed = ability(instruction)
        if needed not in model.acts_on:
            can = ", ".join(sorted(_spoken(name) for name in model.acts_on)) or "none"
            raise ShotError(
                f"model {model.identity!r} cannot act on {_spoken(needed)} instructions (it can on: {can}); "
                "remove it or choose another model",
                field=f"instructions[{index}]",
            )
        if (
            isinstance(instruction, BoxTrajectory | PointTrajectory)
            and instruction.phrase is None
            and not model.starts_from_picture
        ):
            raise ShotError(
                f"model {model.identity!r} starts from no picture, so the subject must be named; "
                "give the words of the prompt that name it",
                field=f"instructions[{index}].phrase",
            )
    pictures = [i for i, one in enumerate(shot.instructions) if isinstance(one, ImageInstruction)]
    if len(pictures) > 1:
        raise ShotError(
            f"model {model.identity!r} animates one picture, and instructions[{pictures[0]}] gives one "
            "already; keep one of them",
            field=f"instructions[{pictures[1]}]",
        )
    # A null setting is planning's to decide; one that is given must not be passed over in silence.
    blend, drags = shot.control.blend, _drags_anything(shot, model)
    if blend is not None and not drags:
        raise ShotError(
            "it mixes a fork with its parent, or what is dragged with the picture before; this shot drags "
            "nothing and starts a take of its own, so remove it",
            field="control.blend",
        )
    if blend is not None and blend.original == "kept":
        raise ShotError(
            "under a drag the original is the picture before it, which no take has predicted; leave it out "
            "or say computed",
            field="control.blend.original",
            value=blend.original,
        )
    if shot.control.frame_alignment and (not model.starts_from_picture or model.beside(FOLDER) is None):
        raise ShotError(
            f"model {model.identity!r} has no frame alignment layer; remove it",
            field="control.frame_alignment",
        )


def _drags_anything(shot: Shot, model: VideoModel) -> bool:
    paths = (one for one in shot.instructions if isinstance(one, BoxTrajectory | PointTrajectory))
    return bool(drags_of(shot)) or (model.starts_from_picture and any(one.phrase is None for one in paths))


def _spoken(name: str) -> str:
    kind, _, form = name.partition(".")
    return f"{form} {kind}" if form else kind


def _size(shot: Shot, model: VideoModel) -> tuple[int, int, int]:
    own, limits = model.defaults, model.limits
    frames = shot.frames or own.frames
    if limits.max_frames is not None and frames > limits.max_frames:
        raise ShotError(
            f"model {model.identity!r} takes at most {limits.max_frames} frames; ask for fewer",
            field="frames",
            value=frames,
        )
    width, height = shot.width or own.width, shot.height or own.height
    unit = limits.size_multiple
    for field, pixels in (("width", width), ("height", height)):
        if pixels % unit:
            low = max(unit, pixels // unit * unit)
            raise ShotError(
                f"model {model.identity!r} needs a multiple of {unit}, such as {low} or {low + unit}",
                field=field,
                value=pixels,
            )
    return frames, width, height


def _try_scheduler(model: VideoModel, name: str, steps: int) -> None:
    try:
        scheduler = model.make_scheduler(name)
    except ModelError as error:
        raise ShotError(str(error), field="scheduler", value=name) from None
    try:
        scheduler.set_timesteps(steps)
        made = len(scheduler.timesteps)
    except ValueError:
        made = 0
    if made != steps:
        most = int(scheduler.config.num_train_timesteps)
        raise ShotError(
            f"{name} cannot take that many on {model.identity!r}, whose schedule has {most}; ask for fewer",
            field="steps",
            value=steps,
        )


@dataclass(frozen=True, slots=True)
class _Text:
    """What the video model reads: the words, and the shot's field they stand in."""

    words: str
    field: str


def _text(shot: Shot) -> _Text:
    motion = motion_of(shot)
    if motion is None or motion.text is None:
        return _Text(shot.prompt, "prompt")
    return _Text(motion.text, f"instructions[{shot.instructions.index(motion)}].text")


def _subjects(shot: Shot, text: _Text, model: VideoModel, width: int, height: int) -> tuple[Subject, ...]:
    trajectories = [
        (index, instruction)
        for index, instruction in enumerate(shot.instructions)
        if isinstance(instruction, BoxTrajectory | PointTrajectory) and instruction.phrase is not None
    ]
    tokens = model.tokenize(text.words)
    if tokens.cut is not None:
        _LOG.warning(
            "the %s is longer than the %d tokens %r reads; it does not see: %r",
            "prompt" if text.field == "prompt" else "motion's text",
            model.limits.max_tokens,
            model.identity,
            text.words[tokens.cut :],
        )
    return tuple(
        Subject(
            phrase=str(trajectory.phrase),
            tokens=_tokens_of(trajectory, f"instructions[{index}].phrase", text, tokens, model),
            path=trajectory.path
            if isinstance(trajectory, BoxTrajectory)
            else box_path_of(trajectory.path, DEFAULTS.point_radius, width, height),
            depth=len(trajectories) - 1 - place,  # later subjects are in front
        )
        for place, (index, trajectory) in enumerate(trajectories)
    )


def _animation(shot: Shot, model: VideoModel, frames: int, width: int, height: int) -> Animation | None:
    if not model.starts_from_picture:
        return None
    try:
        return animate(
            shot,
            model,
            frames=frames,
            width=width,
            height=height,
            amount=DEFAULTS.motion,
            release=DEFAULTS.drag_release,
        )
    except ModelError as error:
        raise ShotError(str(error), field="model", value=shot.model) from None


def _alignment(model: VideoModel, animation: Animation) -> FrameAlignment:
    """Equation 5 with the layer that was trained for the model."""
    place = model.beside(FOLDER)
    try:
        layer = None if place is None else load_frame_alignment(place.parent)
    except FrameAlignmentError as error:
        raise ShotError(str(error), field="control.frame_alignment") from None
    if layer is None:
        raise ShotError(
            f"model {model.identity!r} has a frame alignment folder without weights; train the layer again",
            field="control.frame_alignment",
        )
    latents = model.encode_pictures(animation.picture)  # [1 or frames, channels, h, w]
    return FrameAlignment(layer, latents.transpose(0, 1).unsqueeze(0))


def _blend(
    animation: Animation | None, text: Tensor, controls: tuple[Control, ...], guidance: float
) -> Blend | None:
    """Equation 4 under drags: the same words and controls, on the picture before the drags."""
    if animation is None or animation.original is None or animation.weights is None:
        return None
    return Blend(Side(text, animation.original, controls, guidance=guidance), animation.weights)


def _span(trajectory: BoxTrajectory | PointTrajectory, field: str, text: _Text) -> tuple[int, int]:
    """Where the text that the model reads names the subject."""
    phrase = str(trajectory.phrase)
    if text.field == "prompt":
        return find_phrase(text.words, phrase, trajectory.occurrence)
    try:
        return find_phrase(text.words, phrase, None)
    except ShotError:
        raise ShotError(
            f"the motion's text ({text.words!r}) is what the model reads, and it must name the subject once, "
            "in these words; add them there, or leave the text out so that the prompt is read",
            field=field,
            value=phrase,
        ) from None


def _tokens_of(
    trajectory: BoxTrajectory | PointTrajectory, field: str, text: _Text, tokens: Tokens, model: VideoModel
) -> tuple[int, ...]:
    start, end = _span(trajectory, field, text)
    indices = tokens.within(start, end)
    if tokens.cut is not None and end > tokens.cut:
        raise ShotError(
            f"{model.identity!r} reads only {model.limits.max_tokens} tokens of the text and these words "
            "come later; shorten the text or name the subject earlier",
            field=field,
            value=trajectory.phrase,
        )
    if not indices:
        raise ShotError(
            f"{model.identity!r} has no token for these words; use others",
            field=field,
            value=trajectory.phrase,
        )
    return indices


def _controls(said: ControlSettings, subjects: tuple[Subject, ...], steps: int) -> Iterator[Control]:
    """The controls that bring the trajectories about, with DEFAULTS where the settings are silent."""
    if not subjects:
        return
    initial = said.initial_noise or DEFAULTS.initial_noise
    if initial == "freetraj":
        yield TrajectoryNoise(subjects)
    frozen = steps_of(DEFAULTS.frozen_steps if said.frozen_steps is None else said.frozen_steps, steps)
    sites = DEFAULTS.mask_sites if said.mask_sites is None else frozenset[SiteKind](said.mask_sites)
    if frozen and sites:
        yield AttentionMask(
            subjects,
            frozen_steps=frozen,
            sites=sites,
            parts=DEFAULTS.mask_parts,
            normalization=_normalization(said),
        )
    prior = said.temporal_prior or DEFAULTS.temporal_prior
    if prior == "none":
        return
    first = said.temporal_prior_steps
    count = steps_of(DEFAULTS.temporal_prior_steps if first is None else first, steps)
    strength = said.temporal_prior_strength
    strength = DEFAULTS.temporal_prior_strength if strength is None else strength
    if count and strength:
        kind = NoisePrior if prior == "noise" else CleanPrior
        yield kind(subjects, steps=count, strength=strength)


def _normalization(said: ControlSettings) -> MaskNormalization | None:
    variant = said.normalization or DEFAULTS.normalization
    if variant == "none":
        return None
    strength, sites = said.normalization_strength, said.normalization_sites
    return MaskNormalization(
        variant=variant,
        strength=DEFAULTS.normalization_strength if strength is None else strength,
        sites=DEFAULTS.normalization_sites if sites is None else frozenset[SiteKind](sites),
    )
