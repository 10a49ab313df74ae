"""From a shot and a model's card to a shot with nothing left open. No torch, no weights."""

from __future__ import annotations

from collections.abc import Iterable

from rehearse.cards import ModelCard
from rehearse.resolve.abilities import ALIGNED, LATER, OF_A_PICTURE, STEERED, UNNAMED, needs, spoken
from rehearse.resolve.instructions.blends import DragBlend, ForkBlend, blend_of, feathers_nothing
from rehearse.resolve.instructions.marks import marks_of
from rehearse.resolve.instructions.masks import masks_over_frame
from rehearse.resolve.instructions.motions import is_not_seen, motion_of, moves_nothing
from rehearse.resolve.instructions.paths import led_path
from rehearse.resolve.instructions.pictures import Picture, picture_of, starts_from
from rehearse.resolve.instructions.words import Words, words_of
from rehearse.resolve.resolved import ResolvedShot, SubjectPath
from rehearse.resolve.vocabulary import foreign_syntax, refuse_unknown_words
from rehearse.shot import (
    BoxTrajectory,
    ControlSettings,
    ImageInstruction,
    PointTrajectory,
    Shot,
    ShotError,
    TargetInstruction,
)
from rehearse.shot.methods import METHODS


def resolve(shot: Shot, card: ModelCard) -> ResolvedShot:
    """Validate a shot against a model's card and fill in everything it leaves open.

    For a model that starts from a picture, the prompt is the picture's and the motion instruction's text the
    clip's (the prompt where it has none). Paths that name words lead subjects, on every model, and back where
    the clip loops; others drag what the picture shows there, or pin it where they stand still. A target
    instruction puts its trigger word before its phrase, in what the model reads.

    Raises ShotError, naming the field, the value and the remedy: an instruction or setting the model cannot
    act on, more frames than it takes, a size that is no multiple, an unknown word of a closed vocabulary, a
    phrase that the text lacks, a mask or a path that cannot be used.
    """
    _refuse_what_it_cannot(shot, card)
    own = card.defaults
    frames, width, height = _size(shot, card)
    placed = masks_over_frame(shot, width, height)
    negative = shot.negative_prompt or ""
    for field, text in (("prompt", shot.prompt), ("negative_prompt", negative)):
        refuse_unknown_words(field, text, card)
    words, notes = words_of(placed, card)
    refuse_unknown_words(words.field, words.asked, card)
    notes += foreign_syntax(words.spoken, words.asked)
    notes += foreign_syntax("the negative prompt", negative)
    marks = marks_of(placed, words, width, height)
    subjects = _subjects(placed, card, words, frames, width, height)
    if not subjects:
        notes += _acts_on_no_subject(shot.control)
    guidance = own.guidance if shot.guidance is None else shot.guidance
    if negative and guidance == 1:
        notes.append(
            "the negative prompt is not used at guidance 1, where only the prompt counts; raise guidance, "
            "or leave it out"
        )
    blend = blend_of(placed)
    notes += feathers_nothing(shot)
    picture: Picture | None = None
    if card.needs_picture or (card.shows_picture is not None and starts_from(placed)):
        picture = picture_of(placed, width, height)
        _refuse_what_is_not_drawn(picture, card)
        notes += picture.notes
        if picture.drags:
            if blend is None and not subjects:
                notes += moves_nothing(placed)
            notes += is_not_seen(frames, loop=motion_of(placed).loop)
    return ResolvedShot(
        shot=shot,
        card=card,
        frames=frames,
        width=width,
        height=height,
        fps=shot.fps or own.fps,
        steps=shot.steps or own.steps,
        guidance=guidance,
        scheduler=shot.scheduler or own.scheduler,
        seed=shot.seed,
        words=words,
        subjects=subjects,
        marks=marks,
        motion=None if picture is None else motion_of(placed),
        picture=picture,
        methods=tuple(kind.chosen(shot.control, card.of_methods) for kind in METHODS),
        blend=blend,
        notes=tuple(notes),
    )


def resolve_picture(shot: Shot, card: ModelCard) -> Picture:
    """What a shot says of its picture, at the size of a clip by a model or of the image model itself. Where
    that starts from no picture, paths without words say nothing of one.

    Raises ShotError, naming the instruction's field.
    """
    own = card.defaults
    width, height = shot.width or own.width, shot.height or own.height
    return picture_of(shot, width, height, paths_drag=card.needs_picture)


def refuse_alone(resolved: ResolvedShot) -> None:
    """Raise ShotError where a shot's blend means a parent take, and it starts a take of its own."""
    if isinstance(resolved.blend, ForkBlend):
        raise ShotError(
            "it mixes a fork with its parent, or what is dragged with the picture before; this shot drags "
            "nothing and starts a take of its own, so remove it",
            field="control.blend",
        )


def _refuse_what_it_cannot(shot: Shot, card: ModelCard) -> None:
    steered = bool(shot.control.target_attention) and STEERED in card.abilities
    for index, instruction in enumerate(shot.instructions):
        needed, *besides = needs(instruction)
        if needed not in card.abilities and not (steered and isinstance(instruction, TargetInstruction)):
            can = ", ".join(sorted(spoken(name) for name in _acts_on(card))) or "none"
            raise ShotError(
                f"model {card.identity!r} cannot act on {spoken(needed)} instructions (it can on: {can}); "
                f"remove it or choose {_another(needed)}",
                field=f"instructions[{index}]",
            )
        if UNNAMED in besides and UNNAMED not in card.abilities:
            why = "starts from no picture" if card.shows_picture is None else "drags nothing in its picture"
            raise ShotError(
                f"model {card.identity!r} {why}, so the subject must be named; "
                "give the words of the prompt that name it",
                field=f"instructions[{index}].phrase",
            )
        if LATER in besides and card.shows_picture == "start":
            raise ShotError(
                f"model {card.identity!r} shows its picture in the first frame; leave the time out",
                field=f"instructions[{index}].time",
                value=getattr(instruction, "time", None),
            )
    pictures = [i for i, one in enumerate(shot.instructions) if isinstance(one, ImageInstruction)]
    if len(pictures) > 1:
        raise ShotError(
            f"model {card.identity!r} animates one picture, and instructions[{pictures[0]}] gives one "
            "already; keep one of them",
            field=f"instructions[{pictures[1]}]",
        )
    said = shot.control
    if isinstance(blend_of(shot), DragBlend) and said.blend is not None and said.blend.original == "kept":
        raise ShotError(
            "under a drag the original is the picture before it, which no take has predicted; leave it out "
            "or say computed",
            field="control.blend.original",
            value="kept",
        )
    if said.target_attention:
        _refuse_steering_nothing(shot, card)
    if said.mask_variant == "released" and not card.site_kinds.isdisjoint({"joint", "video"}):
        over = "prompt and video together" if card.is_joint else "all frames at once"
        raise ShotError(
            f"model {card.identity!r} has attention over {over}, and Peekaboo's code is "
            "written for UNets; say paper or leave it out",
            field="control.mask_variant",
            value="released",
        )
    if said.frame_alignment and ALIGNED not in card.abilities:
        raise ShotError(
            f"model {card.identity!r} has no frame alignment layer; remove it",
            field="control.frame_alignment",
        )


def _refuse_what_is_not_drawn(picture: Picture, card: ModelCard) -> None:
    """A model that may do without a picture has no image model to change one with."""
    start = picture.start
    if not card.needs_picture and start is not None and start.strength != 1:
        raise ShotError(
            f"model {card.identity!r} starts from the picture as it is; leave the strength out",
            field=f"{start.field}.strength",
            value=start.strength,
        )


def _acts_on(card: ModelCard) -> Iterable[str]:
    return card.abilities - {UNNAMED, LATER, STEERED, ALIGNED}


def _another(needed: str) -> str:
    """A model that can act on what another cannot."""
    return "another model, such as theatre-animate" if needed in OF_A_PICTURE else "another model"


def _refuse_steering_nothing(shot: Shot, card: ModelCard) -> None:
    if STEERED not in card.abilities:
        raise ShotError(
            f"model {card.identity!r} has no attention over prompt and video together to steer; remove it",
            field="control.target_attention",
        )
    if not any(isinstance(one, TargetInstruction) for one in shot.instructions):
        raise ShotError(
            "it steers attention to a target, and the shot marks none; mark one or remove it",
            field="control.target_attention",
        )


def _size(shot: Shot, card: ModelCard) -> tuple[int, int, int]:
    own, limits = card.defaults, card.limits
    frames = shot.frames or own.frames
    width, height = shot.width or own.width, shot.height or own.height
    if limits.fixed is not None:
        asked = {"frames": frames, "width": width, "height": height}
        for (field, value), only in zip(asked.items(), limits.fixed, strict=True):
            if value != only:
                raise ShotError(
                    f"model {card.identity!r} has learned its positions, and takes {only} alone",
                    field=field,
                    value=value,
                )
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
        raise ShotError(f"model {card.identity!r} {why}", field="frames", value=frames)
    unit = limits.size_multiple
    for field, pixels in (("width", width), ("height", height)):
        if pixels % unit:
            low = max(unit, pixels // unit * unit)
            raise ShotError(
                f"model {card.identity!r} needs a multiple of {unit}, such as {low} or {low + unit}",
                field=field,
                value=pixels,
            )
    return frames, width, height


def _subjects(
    shot: Shot, card: ModelCard, words: Words, frames: int, width: int, height: int
) -> tuple[SubjectPath, ...]:
    named = [
        (f"instructions[{index}]", one)
        for index, one in enumerate(shot.instructions)
        if isinstance(one, BoxTrajectory | PointTrajectory) and one.phrase is not None
    ]
    loop = card.needs_picture and motion_of(shot).loop
    return tuple(
        SubjectPath(
            field=field,
            phrase=str(one.phrase),
            span=words.span(one, f"{field}.phrase"),
            path=led_path(one, frames, width, height, loop=loop),
            depth=len(named) - 1 - place,  # later subjects are in front
        )
        for place, (field, one) in enumerate(named)
    )


def _acts_on_no_subject(said: ControlSettings) -> list[str]:
    idle = [name for kind in METHODS if kind.of_subjects for name in kind.asked(said)]
    if not idle:
        return []
    ordered = [name for name in type(said).model_fields if name in idle]
    listed = ", ".join(f"control.{name}" for name in ordered)
    return [
        f"{listed}: set for subjects that paths name, and the shot names none; give a path words of the "
        f"prompt, or leave {'them' if len(idle) > 1 else 'it'} out"
    ]
