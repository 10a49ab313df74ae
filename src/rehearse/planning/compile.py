"""From a resolved shot and a loaded model to one model call and a list of controls.

What only the model itself can say is found here: tokens, pictures, a schedule that cannot sample it.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from importlib import import_module

import torch

from rehearse.controls.control import Control
from rehearse.controls.frame_alignment import FrameAlignment
from rehearse.controls.keep_outside import KeepOutside
from rehearse.controls.mark import Mark
from rehearse.controls.material import Material
from rehearse.controls.subject import Subject
from rehearse.models.card_of import card_of
from rehearse.models.errors import ModelError
from rehearse.models.model import Tokens, VideoModel
from rehearse.models.reading import say_what_is_cut
from rehearse.planning.animation import Animation, animate
from rehearse.resolve import ResolvedShot, refuse_alone, resolve
from rehearse.sampling.blend import Blend, Side
from rehearse.sampling.plan import Plan
from rehearse.shot import Shot, ShotError
from rehearse.shot.methods import METHODS, AttentionMasking

_LOG = logging.getLogger(__name__)


def plan(shot: Shot, model: VideoModel) -> Plan:
    """The model call of a shot that starts a take of its own: :func:`rehearse.resolve.resolve`, then
    :func:`compile`. Raises ShotError."""
    resolved = resolve(shot, card_of(model))
    refuse_alone(resolved)
    return compile(resolved, model)


def compile(resolved: ResolvedShot, model: VideoModel) -> Plan:
    """One model call for a resolved shot.

    The intermediate picture is made here, last. Under drags each frame starts from its own picture, and a
    blend mixes in the prediction under the picture before them (equation 4); a blend with a parent take is
    not this plan's (:mod:`rehearse.takes.blending`). A target's mask goes beside the latents in both guidance
    branches. The controls are those of :data:`rehearse.shot.methods.METHODS`, in its order, and last the pin:
    what is pinned stays to the bit, whatever the others do.

    Raises ShotError: a phrase beyond the token limit or without tokens, a scheduler that cannot sample the
    model, a picture that cannot be made.
    """
    _try_scheduler(model, resolved.scheduler, resolved.steps)
    words = resolved.words
    tokens = model.tokenize(words.text)
    for note in resolved.notes:
        _LOG.warning("%s", note)
    say_what_is_cut(words.spoken, words.text, model)
    say_what_is_cut("the negative prompt", words.negative, model)
    marks = _marks(resolved, tokens, model)
    subjects = _subjects(resolved, tokens, model)
    text = model.encode(words.text, words.negative)
    animation = _animation(resolved, model)
    if animation is not None:
        animation = _with_masks(animation, resolved, model)
    material = Material(
        resolved=resolved,
        subjects=subjects,
        marks=marks,
        begins=(0,) if tokens.spans and tokens.spans[0] is None else (),
        beside=model.beside,
        picture=None if animation is None else lambda: animation.latents_of(model, animation.picture),
    )
    controls: list[Control] = []
    for kind in METHODS:
        controls += getattr(_home_of(kind.__module__), "build", _nothing)(material)
    if animation is not None and animation.pin is not None:
        controls.append(KeepOutside(animation.pin.latents, 1 - animation.pin.share, name="pin"))
    return Plan(
        frames=resolved.frames,
        width=resolved.width,
        height=resolved.height,
        fps=resolved.fps,
        steps=resolved.steps,
        guidance=resolved.guidance,
        scheduler=resolved.scheduler,
        seed=resolved.seed,
        text=text,
        subjects=subjects,
        controls=tuple(controls),
        condition=None if animation is None else animation.condition,
        blend=_blend(model, animation, text, tuple(controls), resolved.guidance),
        pictures=None if animation is None else animation.picture,
    )


def _home_of(module: str) -> object:
    """The control of a method: the file of the same name."""
    return import_module(f"rehearse.controls.{module.rpartition('.')[2]}")


def _nothing(material: Material) -> tuple[Control, ...]:
    """Of a method that is a part of another's control."""
    return ()


def _try_scheduler(model: VideoModel, name: str, steps: int) -> None:
    try:
        scheduler = model.make_scheduler(name)
    except ModelError as error:
        raise ShotError(str(error), field="scheduler", value=name) from error
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


def _subjects(resolved: ResolvedShot, tokens: Tokens, model: VideoModel) -> tuple[Subject, ...]:
    masking = resolved.method(AttentionMasking)
    released = masking.mask_variant == "released"
    found = []
    for one in resolved.subjects:
        named = _tokens_of(one.span, f"{one.field}.phrase", one.phrase, tokens, model)
        if released:
            # The released code looks the phrase's ids up: the same words elsewhere in the prompt count too.
            ids = {tokens.ids[index] for index in named}
            pairs = enumerate(zip(tokens.ids, tokens.spans, strict=True))
            named = tuple(index for index, (id_, span) in pairs if span is not None and id_ in ids)
        grid = model.latent_shape(resolved.frames, resolved.height, resolved.width)
        found.append(
            Subject(
                phrase=one.phrase,
                tokens=named,
                path=one.path,
                depth=one.depth,
                inset=masking.mask_inset,
                corners_of=grid[2:] if released else None,
            )
        )
    return tuple(found)


def _marks(resolved: ResolvedShot, tokens: Tokens, model: VideoModel) -> tuple[Mark, ...]:
    found = []
    for one in resolved.marks:
        field = f"{one.field}.phrase"
        named = _tokens_of(one.span, field, one.phrase, tokens, model)
        if one.trigger is not None:
            own = tokens.within(*one.trigger)
            if not own:
                raise ShotError(
                    f"{model.identity!r} reads only {model.limits.max_tokens} tokens of the text, and the "
                    "word that marks it comes later; shorten the text or name it earlier",
                    field=field,
                    value=one.phrase,
                )
            named = tuple(dict.fromkeys((*own, *named)))
        found.append(Mark(named, torch.from_numpy(one.mask)))
    return tuple(found)


def _tokens_of(
    span: tuple[int, int], field: str, phrase: str, tokens: Tokens, model: VideoModel
) -> tuple[int, ...]:
    indices = tokens.within(*span)
    if tokens.cut is not None and span[1] > tokens.cut:
        raise ShotError(
            f"{model.identity!r} reads only {model.limits.max_tokens} tokens of the text and these words "
            "come later; shorten the text or name the subject earlier",
            field=field,
            value=phrase,
        )
    if not indices:
        raise ShotError(
            f"{model.identity!r} has no token for these words; use others", field=field, value=phrase
        )
    return indices


def _animation(resolved: ResolvedShot, model: VideoModel) -> Animation | None:
    if resolved.picture is None:
        return None
    try:
        return animate(resolved, model)
    except ModelError as error:
        raise ShotError(str(error), field="model", value=resolved.model) from error


def _with_masks(animation: Animation, resolved: ResolvedShot, model: VideoModel) -> Animation:
    """The animation with the targets' masks in its conditions."""
    targets = model.targets
    for one in resolved.marks:
        if one.trigger is None or targets is None:
            continue
        masks = {one.role: torch.from_numpy(one.mask)}
        try:
            animation = replace(
                animation,
                condition=targets.with_masks(animation.condition, masks),
                original=None
                if animation.original is None
                else targets.with_masks(animation.original, masks),
            )
        except ShotError as error:
            raise ShotError(error.reason, field=f"{one.field}.mask") from error
    return animation


def _blend(
    model: VideoModel,
    animation: Animation | None,
    text: torch.Tensor,
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
        replace(control, picture=animation.latents_of(model, before))
        if isinstance(control, FrameAlignment)
        else control
        for control in controls
    )
    return Blend(Side(text, animation.original, its, guidance=guidance), animation.weights)
