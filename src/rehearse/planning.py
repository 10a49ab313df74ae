"""The ONE place where a shot becomes a model call and a list of controls.

Everything that can be wrong is found here, before any work: what the model cannot act on is refused by name.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.animating import Animation, animate, box_path_of, drags_anything, led_back, motion_of
from rehearse.controls.attention_mask import AttentionMask
from rehearse.controls.control import Control
from rehearse.controls.frame_alignment import (
    FOLDER,
    FrameAlignment,
    FrameAlignmentError,
    load_frame_alignment,
)
from rehearse.controls.initial_noise import TrajectoryNoise
from rehearse.controls.keep_outside import KeepOutside
from rehearse.controls.mask_normalization import MaskNormalization
from rehearse.controls.subject import Subject
from rehearse.controls.target_attention import Mark, TargetAttention
from rehearse.controls.temporal_prior import CleanPrior, NoisePrior
from rehearse.controls.token_groups import JOINT_BLOCKS
from rehearse.models.errors import ModelError
from rehearse.models.model import Tokens, VideoModel
from rehearse.models.target_conditioning import trigger_spans, with_trigger
from rehearse.models.vocabulary import refuse_unknown_words, say_foreign_syntax, say_what_is_cut
from rehearse.pictures.drawn_mask import masks_over_frame
from rehearse.sampling.blend import Blend, Side
from rehearse.sampling.plan import Plan
from rehearse.shot import (
    SITE_KINDS,
    BoxPath,
    BoxTrajectory,
    ControlSettings,
    ImageInstruction,
    PointTrajectory,
    Shot,
    ShotError,
    TargetInstruction,
    find_phrase,
    steps_of,
)
from rehearse.shot.needs import LATER, UNNAMED, ability
from rehearse.sites import SiteKind, SitePart

__all__ = ["DEFAULTS", "ControlDefaults", "Plan", "abilities", "ability", "plan"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ControlDefaults:
    """What a shot's control settings are where it leaves them out.

    The fields are those of ``rehearse.shot.ControlSettings`` (steps as counts or fractions of all steps).
    ``frozen_steps``: where the model's own defaults are silent; Peekaboo freezes 2 to 4 steps of 40;
    ``mask_parts`` says which parts of a UNet are masked (Peekaboo: mid and up; a transformer's blocks always
    are). At joint attention ``mask_sites`` are the blocks of its matrix. motion: magnitude in
    [0, 1] (moderate). point_radius: of a subject that follows a point, as a fraction of the frame's shorter
    side.
    """

    frozen_steps: int | float = 0.1
    mask_sites: frozenset[SiteKind] = frozenset({"cross"})
    mask_parts: frozenset[SitePart] = frozenset({"down", "mid", "up"})
    mask_inset: float = 0.5
    normalization: Literal["none", "global", "regional"] = "global"
    normalization_strength: float = 1.0
    normalization_sites: frozenset[SiteKind] = frozenset({"cross", "spatial", "temporal"})
    temporal_prior: Literal["none", "noise", "x0"] = "x0"
    temporal_prior_strength: float = 0.8
    temporal_prior_steps: int | float = 0.5
    initial_noise: Literal["random", "freetraj"] = "random"
    target_attention: float = 0.0
    target_attention_steps: int | float = 0.5
    motion: float = 0.5
    point_radius: float = 0.15


DEFAULTS = ControlDefaults()
"""The only place where the methods' defaults are set."""

RELEASED = ControlDefaults(
    mask_sites=frozenset(SITE_KINDS), mask_parts=frozenset({"mid", "up"}), mask_inset=0.0
)
"""Those of masks as Peekaboo's released code has them."""

_OF_A_PICTURE = frozenset({"image", "content", "motion", "trajectory.drag"})
"""Abilities that image-to-video models have."""


def abilities(model: VideoModel) -> frozenset[str]:
    """Everything a model can do for a shot: the instructions it acts on, and what :func:`rehearse.shot.needs`
    asks of some of them besides. The one table; the studio and the command line say what stands in it."""
    found = set(model.acts_on)
    if _reads_places(model):
        found.add(UNNAMED)
    if "image" in found and model.shows_picture == "any":
        found.add(LATER)
    if _has_joint_attention(model):
        found.add("target_attention")
    if _aligns_frames(model):
        found.add("frame_alignment")
    return frozenset(found)


def _reads_places(model: VideoModel) -> bool:
    """Whether a path without words means what its picture shows there."""
    return model.starts_from_picture and "trajectory.drag" in model.acts_on


def _aligns_frames(model: VideoModel) -> bool:
    return model.starts_from_picture and model.beside(FOLDER) is not None


def plan(shot: Shot, model: VideoModel) -> Plan:
    """Validate a shot against a model and turn it into one model call.

    For a model that starts from a picture, the prompt is the picture's and the motion instruction's text the
    clip's (the prompt where it has none); the intermediate picture is made here, last, and kept for the next
    plan that needs the same. Under drags each frame starts from its own picture; with ``control.blend`` the
    prediction under the picture before them is mixed in (equation 4). Paths that name words mask attention,
    on every model, and lead back where the clip loops; others drag what the picture shows there
    (:func:`rehearse.animating.with_drags`), or pin it where they stand still
    (:func:`rehearse.animating.pins_of`). A target instruction puts its mask beside the latents in both
    guidance branches and its trigger word before the phrase, in what the model reads; without training it can
    steer attention (``control.target_attention``).

    Raises ShotError, naming the field, the value and the remedy: an instruction or setting the model cannot
    act on, more frames than it takes, a size that is no multiple, an unknown word of a closed vocabulary, a
    phrase beyond the token limit, a scheduler that cannot sample the model, a picture that cannot be used.
    """
    _refuse_what_it_cannot(shot, model)
    own = model.defaults
    frames, width, height = _size(shot, model)
    shot = masks_over_frame(shot, width, height)
    steps, scheduler = shot.steps or own.steps, shot.scheduler or own.scheduler
    _try_scheduler(model, scheduler, steps)
    negative = shot.negative_prompt or ""
    for field, text in (("prompt", shot.prompt), ("negative_prompt", negative)):
        refuse_unknown_words(field, text, model)
    read = _text(shot, model)
    refuse_unknown_words(read.field, read.asked, model)
    tokens = model.tokenize(read.words)
    what = "the prompt" if read.field == "prompt" else "the motion's text"
    say_what_is_cut(what, read.words, model)
    say_what_is_cut("the negative prompt", negative, model)
    say_foreign_syntax(what, read.asked)
    say_foreign_syntax("the negative prompt", negative)
    targets = _targets(shot, read, tokens, model, width, height)
    subjects = _subjects(shot, read, tokens, model, frames, width, height)
    if not subjects:
        _say_what_acts_on_no_subject(shot.control)
    embeddings = model.encode(read.words, negative)
    controls = tuple(_controls(shot.control, subjects, targets, tokens, model, steps))
    guidance = own.guidance if shot.guidance is None else shot.guidance
    if negative and guidance == 1:
        _LOG.warning(
            "the negative prompt is not used at guidance 1, where only the prompt counts; raise guidance, "
            "or leave it out"
        )
    paths = tuple(subject.path for subject in subjects)
    animation = _animation(shot, model, frames, width, height, paths)
    if animation is not None:
        animation = _marked(animation, targets, model)
    if shot.control.frame_alignment and animation is not None:
        controls += (_alignment(model, animation.picture),)
    if animation is not None and animation.pin is not None:
        # Last: what is pinned stays to the bit, whatever the others do.
        controls += (KeepOutside(animation.pin.latents, 1 - animation.pin.share, name="pin"),)
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
        blend=_blend(model, animation, embeddings, controls, guidance),
        picture=None if animation is None else hashlib.sha256(animation.picture.tobytes()).hexdigest(),
    )


def _another(needed: str) -> str:
    """A model that can act on what another cannot."""
    return "another model, such as theatre-animate" if needed in _OF_A_PICTURE else "another model"


def _refuse_what_it_cannot(shot: Shot, model: VideoModel) -> None:
    steered = bool(shot.control.target_attention) and _has_joint_attention(model)
    for index, instruction in enumerate(shot.instructions):
        needed = ability(instruction)
        if needed not in model.acts_on and not (steered and isinstance(instruction, TargetInstruction)):
            can = ", ".join(sorted(_spoken(name) for name in model.acts_on)) or "none"
            raise ShotError(
                f"model {model.identity!r} cannot act on {_spoken(needed)} instructions (it can on: {can}); "
                f"remove it or choose {_another(needed)}",
                field=f"instructions[{index}]",
            )
        if (
            isinstance(instruction, BoxTrajectory | PointTrajectory)
            and instruction.phrase is None
            and not _reads_places(model)
        ):
            why = "drags nothing in its picture" if model.starts_from_picture else "starts from no picture"
            raise ShotError(
                f"model {model.identity!r} {why}, so the subject must be named; "
                "give the words of the prompt that name it",
                field=f"instructions[{index}].phrase",
            )
        if isinstance(instruction, ImageInstruction) and instruction.time and model.shows_picture == "start":
            raise ShotError(
                f"model {model.identity!r} shows its picture in the first frame; leave the time out",
                field=f"instructions[{index}].time",
                value=instruction.time,
            )
    pictures = [i for i, one in enumerate(shot.instructions) if isinstance(one, ImageInstruction)]
    if len(pictures) > 1:
        raise ShotError(
            f"model {model.identity!r} animates one picture, and instructions[{pictures[0]}] gives one "
            "already; keep one of them",
            field=f"instructions[{pictures[1]}]",
        )
    # A null setting is planning's to decide; one that is given must not be passed over in silence.
    blend, drags = shot.control.blend, drags_anything(shot)
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
    if shot.control.target_attention:
        _refuse_steering_nothing(shot, model)
    if shot.control.mask_variant == "released" and _has_joint_attention(model):
        raise ShotError(
            f"model {model.identity!r} has attention over prompt and video together, and Peekaboo's code is "
            "written for UNets; say paper or leave it out",
            field="control.mask_variant",
            value="released",
        )
    if shot.control.frame_alignment and not _aligns_frames(model):
        raise ShotError(
            f"model {model.identity!r} has no frame alignment layer; remove it",
            field="control.frame_alignment",
        )


def _refuse_steering_nothing(shot: Shot, model: VideoModel) -> None:
    if not _has_joint_attention(model):
        raise ShotError(
            f"model {model.identity!r} has no attention over prompt and video together to steer; remove it",
            field="control.target_attention",
        )
    if not any(isinstance(one, TargetInstruction) for one in shot.instructions):
        raise ShotError(
            "it steers attention to a target, and the shot marks none; mark one or remove it",
            field="control.target_attention",
        )


_OF_SUBJECTS: dict[str, object] = {
    "frozen_steps": 0,
    "mask_sites": (),
    "mask_parts": (),
    "mask_inset": None,
    "mask_variant": "paper",
    "normalization": "none",
    "normalization_strength": 0,
    "normalization_sites": (),
    "temporal_prior": "none",
    "temporal_prior_strength": 0,
    "temporal_prior_steps": 0,
    "initial_noise": "random",
}
"""Settings of what acts on named subjects, and the value of each that asks for nothing."""


def _say_what_acts_on_no_subject(said: ControlSettings) -> None:
    asked = {name: getattr(said, name) for name in _OF_SUBJECTS}
    idle = [name for name, value in asked.items() if value is not None and value != _OF_SUBJECTS[name]]
    if idle:
        _LOG.warning(
            "%s: set for subjects that paths name, and the shot names none; give a path words of the prompt, "
            "or leave %s out",
            *(", ".join(f"control.{name}" for name in idle), "them" if len(idle) > 1 else "it"),
        )


def _has_joint_attention(model: VideoModel) -> bool:
    return any(site.kind == "joint" for site in model.sites)


def _spoken(name: str) -> str:
    kind, _, form = name.partition(".")
    return f"{form} {kind}" if form else kind


def _size(shot: Shot, model: VideoModel) -> tuple[int, int, int]:
    own, limits = model.defaults, model.limits
    frames = shot.frames or own.frames
    width, height = shot.width or own.width, shot.height or own.height
    _refuse_other_than_fixed(frames, width, height, model)
    if not limits.takes_frames(frames):
        near = limits.nearest_frames(frames)
        if limits.max_frames is not None and frames > limits.max_frames:
            # The most that it takes may be no count that it makes.
            why = f"takes at most {near[-1]} frames; ask for fewer"
        else:
            made = " or ".join(map(str, near))
            why = f"makes 1 frame and a multiple of {limits.frame_step} more, such as {made}"
        if shot.frames is None:
            why += ', or set "defaults" in its rehearse.json to what it makes'
        raise ShotError(f"model {model.identity!r} {why}", field="frames", value=frames)
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


def _refuse_other_than_fixed(frames: int, width: int, height: int, model: VideoModel) -> None:
    if model.limits.fixed is None:
        return
    asked = {"frames": frames, "width": width, "height": height}
    for (field, value), only in zip(asked.items(), model.limits.fixed, strict=True):
        if value != only:
            raise ShotError(
                f"model {model.identity!r} has learned its positions, and takes {only} alone",
                field=field,
                value=value,
            )


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
    """What the video model reads: the words, and the shot's field they stand in.

    asked: the words as the shot has them, without the trigger words of its targets. triggers: by the index
    of their instruction, where each begins in ``asked``, and the word; with ``new`` where it was put in.
    """

    words: str
    field: str
    asked: str
    triggers: dict[int, _Trigger]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where ``[start, end)`` of the asked words stands in those that are read."""
        new = [(one.at, len(one.word) + 1) for one in self.triggers.values() if one.new]
        before = sum(length for at, length in new if at <= start)
        inside = sum(length for at, length in new if start < at < end)
        return start + before, end + before + inside

    def trigger_span(self, index: int) -> tuple[int, int] | None:
        """Where the trigger word of an instruction stands in the words that are read; None for none."""
        found = self.triggers.get(index)
        if found is None:
            return None
        start = self.span(found.at, found.at)[0] - (len(found.word) + 1 if found.new else 0)
        return start, start + len(found.word)


@dataclass(frozen=True, slots=True)
class _Trigger:
    at: int
    word: str
    new: bool


def _text(shot: Shot, model: VideoModel) -> _Text:
    motion = motion_of(shot)
    if motion is None or motion.text is None:
        asked, field = shot.prompt, "prompt"
    else:
        asked, field = motion.text, f"instructions[{shot.instructions.index(motion)}].text"
    triggers: dict[int, _Trigger] = {}
    for index, target in enumerate(shot.instructions):
        if not isinstance(target, TargetInstruction) or ability(target) not in model.acts_on:
            continue
        word, place = model.triggers[target.role], f"instructions[{index}].phrase"
        known = model.limits.vocabulary
        if known is not None and word.lower() not in known:
            raise ShotError(
                f"model {model.identity!r} takes masks, but its vocabulary lacks the word {word!r} that "
                "marks them in the prompt; add it to vocabulary.json if it was trained with it",
                field=f"instructions[{index}]",
            )
        try:
            occurrence = target.occurrence if field == "prompt" else None
            marked, (start, _) = with_trigger(asked, target.phrase, word, occurrence)
        except ShotError as error:
            raise ShotError(error.reason, field=place, value=target.phrase) from None
        if (mentions := len(trigger_spans(marked, word))) > 1:
            _LOG.warning(
                'the word "%s" stands %d times in the text; the one that names "%s" marks the %s',
                word, mentions, target.phrase, target.role,
            )  # fmt: skip
        if any(one.at == start for one in triggers.values()):
            raise ShotError(
                "target and source are named by the same words; name them apart",
                field=place,
                value=target.phrase,
            )
        triggers[index] = _Trigger(start, word, marked != asked)
    words = asked
    for one in sorted(triggers.values(), key=lambda one: -one.at):
        words = f"{words[: one.at]}{one.word} {words[one.at :]}" if one.new else words
    return _Text(words, field, asked, triggers)


@dataclass(frozen=True, eq=False, slots=True)
class _Target:
    """A target instruction, read. conditions: whether its mask goes beside the latents."""

    index: int
    role: str
    tokens: tuple[int, ...]
    mask: Tensor
    conditions: bool


def _targets(
    shot: Shot, text: _Text, tokens: Tokens, model: VideoModel, width: int, height: int
) -> tuple[_Target, ...]:
    """The shot's targets, their words in the encoded prompt and their masks in the frame's pixels."""
    found = []
    for index, target in enumerate(shot.instructions):
        if not isinstance(target, TargetInstruction):
            continue
        field = f"instructions[{index}]"
        named = _tokens_of(target, f"{field}.phrase", text, tokens, model)
        trigger = text.trigger_span(index)
        if trigger is not None:
            own = tokens.within(*trigger)
            if not own:
                raise ShotError(
                    f"{model.identity!r} reads only {model.limits.max_tokens} tokens of the text, and the "
                    "word that marks it comes later; shorten the text or name it earlier",
                    field=f"{field}.phrase",
                    value=target.phrase,
                )
            named = tuple(dict.fromkeys((*own, *named)))
        try:
            mask = torch.from_numpy(target.mask.clear_raster(height, width))
        except ShotError as error:
            raise error.within(f"{field}.mask") from None
        found.append(_Target(index, target.role, named, mask, trigger is not None))
    return tuple(found)


def _marked(animation: Animation, targets: tuple[_Target, ...], model: VideoModel) -> Animation:
    """The animation with the targets' masks in its conditions."""
    for target in targets:
        if not target.conditions:
            continue
        masks = {target.role: target.mask}
        try:
            animation = replace(
                animation,
                condition=model.with_masks(animation.condition, masks),
                original=None if animation.original is None else model.with_masks(animation.original, masks),
            )
        except ShotError as error:
            raise ShotError(error.reason, field=f"instructions[{target.index}].mask") from None
    return animation


def _subjects(
    shot: Shot, text: _Text, tokens: Tokens, model: VideoModel, frames: int, width: int, height: int
) -> tuple[Subject, ...]:
    trajectories = [
        (index, instruction)
        for index, instruction in enumerate(shot.instructions)
        if isinstance(instruction, BoxTrajectory | PointTrajectory) and instruction.phrase is not None
    ]
    motion = motion_of(shot)
    said, released = shot.control, shot.control.mask_variant == "released"
    own = RELEASED if released else DEFAULTS

    def path_of(trajectory: BoxTrajectory | PointTrajectory) -> BoxPath:
        path = (
            trajectory.path
            if isinstance(trajectory, BoxTrajectory)
            else box_path_of(trajectory.path, DEFAULTS.point_radius, width, height)
        )
        # The frames near both ends of a loop are those that stay near to the picture.
        looped = model.starts_from_picture and motion is not None and motion.loop
        return led_back(path, frames) if looped else path

    def words_of(trajectory: BoxTrajectory | PointTrajectory, field: str) -> tuple[int, ...]:
        named = _tokens_of(trajectory, field, text, tokens, model)
        if not released:
            return named
        # The released code looks the phrase's ids up: the same words elsewhere in the prompt count too.
        ids = {tokens.ids[index] for index in named}
        pairs = enumerate(zip(tokens.ids, tokens.spans, strict=True))
        return tuple(index for index, (one, span) in pairs if span is not None and one in ids)

    return tuple(
        Subject(
            phrase=str(trajectory.phrase),
            tokens=words_of(trajectory, f"instructions[{index}].phrase"),
            path=path_of(trajectory),
            depth=len(trajectories) - 1 - place,  # later subjects are in front
            inset=own.mask_inset if said.mask_inset is None else said.mask_inset,
            corners_of=model.latent_shape(frames, height, width)[2:] if released else None,
        )
        for place, (index, trajectory) in enumerate(trajectories)
    )


def _animation(
    shot: Shot, model: VideoModel, frames: int, width: int, height: int, paths: tuple[BoxPath, ...]
) -> Animation | None:
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
            paths=paths,
        )
    except ModelError as error:
        raise ShotError(str(error), field="model", value=shot.model) from None


def _alignment(model: VideoModel, pictures: NDArray[np.uint8]) -> FrameAlignment:
    """Equation 5 with the layer that was trained for the model. pictures: uint8
    ``[1 or frames, height, width, 3]``."""
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
    return FrameAlignment(layer, _as_clip(model, pictures))


def _as_clip(model: VideoModel, pictures: NDArray[np.uint8]) -> Tensor:
    """Latents ``[1, channels, pictures, h, w]``."""
    latents = model.encode_pictures(pictures)  # [pictures, channels, h, w]
    return latents.transpose(0, 1).unsqueeze(0)


def _blend(
    model: VideoModel,
    animation: Animation | None,
    text: Tensor,
    controls: tuple[Control, ...],
    guidance: float,
) -> Blend | None:
    """Equation 4 under drags: the same words and controls, on the picture before the drags."""
    if animation is None or animation.before is None:
        return None
    assert animation.original is not None
    assert animation.weights is not None
    before = animation.before
    its = tuple(
        # Equation 5 draws each side to the picture that it shows.
        replace(control, picture=_as_clip(model, before)) if isinstance(control, FrameAlignment) else control
        for control in controls
    )
    return Blend(Side(text, animation.original, its, guidance=guidance), animation.weights)


_Named = BoxTrajectory | PointTrajectory | TargetInstruction


def _span(named: _Named, field: str, text: _Text) -> tuple[int, int]:
    """Where the text that the model reads names what an instruction speaks of."""
    phrase = str(named.phrase)
    if text.field == "prompt":
        return text.span(*find_phrase(text.asked, phrase, named.occurrence))
    try:
        return text.span(*find_phrase(text.asked, phrase, None))
    except ShotError:
        raise ShotError(
            f"the motion's text ({text.asked!r}) is what the model reads, and it must name the subject once, "
            "in these words; add them there, or leave the text out so that the prompt is read",
            field=field,
            value=phrase,
        ) from None


def _tokens_of(named: _Named, field: str, text: _Text, tokens: Tokens, model: VideoModel) -> tuple[int, ...]:
    start, end = _span(named, field, text)
    indices = tokens.within(start, end)
    if tokens.cut is not None and end > tokens.cut:
        raise ShotError(
            f"{model.identity!r} reads only {model.limits.max_tokens} tokens of the text and these words "
            "come later; shorten the text or name the subject earlier",
            field=field,
            value=named.phrase,
        )
    if not indices:
        raise ShotError(
            f"{model.identity!r} has no token for these words; use others",
            field=field,
            value=named.phrase,
        )
    return indices


def _controls(
    said: ControlSettings,
    subjects: tuple[Subject, ...],
    targets: tuple[_Target, ...],
    tokens: Tokens,
    model: VideoModel,
    steps: int,
) -> Iterator[Control]:
    """The controls that bring the instructions about, with DEFAULTS where the settings are silent."""
    if subjects:
        yield from _trajectory_controls(said, subjects, tokens, model, steps)
    strength = DEFAULTS.target_attention if said.target_attention is None else said.target_attention
    if targets and strength:
        first = said.target_attention_steps
        count = steps_of(DEFAULTS.target_attention_steps if first is None else first, steps)
        yield TargetAttention(tuple(Mark(one.tokens, one.mask) for one in targets), strength, count)


def _trajectory_controls(
    said: ControlSettings, subjects: tuple[Subject, ...], tokens: Tokens, model: VideoModel, steps: int
) -> Iterator[Control]:
    initial = said.initial_noise or DEFAULTS.initial_noise
    if initial == "freetraj":
        yield TrajectoryNoise(subjects)
    known = (said.frozen_steps, model.defaults.frozen_steps, DEFAULTS.frozen_steps)
    frozen = steps_of(next(number for number in known if number is not None), steps)
    own = RELEASED if said.mask_variant == "released" else DEFAULTS
    sites = own.mask_sites if said.mask_sites is None else frozenset[SiteKind](said.mask_sites)
    parts = own.mask_parts if said.mask_parts is None else said.mask_parts
    joint = _has_joint_attention(model)
    if frozen and sites:
        yield AttentionMask(
            subjects,
            frozen_steps=frozen,
            # Joint attention is one site of all kinds: the kinds chosen are the blocks of its matrix.
            sites=frozenset[SiteKind]({"joint"}) if joint else sites,
            joint_blocks=sites if joint else JOINT_BLOCKS,
            parts=frozenset[SitePart](parts) | {"body"},
            variant=said.mask_variant or "paper",
            normalization=_normalization(said, joint),
            # Of begin-of-text: an encoder whose first token stands for words has none.
            blocked=(0,) if tokens.spans and tokens.spans[0] is None else (),
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


def _normalization(said: ControlSettings, joint: bool) -> MaskNormalization | None:
    variant = said.normalization or DEFAULTS.normalization
    if variant == "none":
        return None
    strength, chosen = said.normalization_strength, said.normalization_sites
    sites = DEFAULTS.normalization_sites if chosen is None else frozenset[SiteKind](chosen)
    return MaskNormalization(
        variant=variant,
        strength=DEFAULTS.normalization_strength if strength is None else strength,
        # The output of joint attention cannot be told apart by blocks: any kind chosen means all of it.
        sites=frozenset[SiteKind]({"joint"}) if joint and sites else sites,
    )
