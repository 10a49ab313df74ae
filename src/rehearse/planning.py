"""The ONE place where a shot becomes a model call and a list of controls.

Everything that can be wrong is found here, before any work: what the model cannot act on is refused by name.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rehearse.controls.attention_mask import AttentionMask
from rehearse.controls.control import Control
from rehearse.controls.initial_noise import TrajectoryNoise
from rehearse.controls.mask_normalization import MaskNormalization
from rehearse.controls.subject import Subject
from rehearse.controls.temporal_prior import CleanPrior, NoisePrior
from rehearse.models.errors import ModelError
from rehearse.models.model import Tokens, VideoModel
from rehearse.models.vocabulary import nearest_words, unknown_words
from rehearse.sampling.plan import Plan
from rehearse.shot import BoxTrajectory, ControlSettings, Shot, ShotError, find_phrase, steps_of
from rehearse.sites import SiteKind, SitePart

__all__ = ["DEFAULTS", "ControlDefaults", "Plan", "ability", "plan"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ControlDefaults:
    """What a shot's control settings are where it leaves them out.

    The fields are those of ``rehearse.shot.ControlSettings`` (steps as counts or fractions of all steps);
    ``mask_parts`` says which parts of a denoiser are masked (Peekaboo: mid and up).
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


DEFAULTS = ControlDefaults()
"""The only place where the methods' defaults are set."""


def ability(instruction: object) -> str:
    """What a model must be able to do to follow an instruction: its kind, and for trajectories the form."""
    kind = str(getattr(instruction, "kind", type(instruction).__name__))
    form = getattr(instruction, "form", None)
    return f"{kind}.{form}" if form else kind


def plan(shot: Shot, model: VideoModel) -> Plan:
    """Validate a shot against a model and turn it into one model call.

    Raises ShotError, naming the field, the value and the remedy: an instruction or setting the model cannot
    act on, more frames than it takes, a size that is no multiple, an unknown word of a closed vocabulary, a
    phrase beyond the token limit, a scheduler that cannot sample the model.
    """
    _refuse_what_it_cannot(shot, model)
    own = model.defaults
    frames, width, height = _size(shot, model)
    steps, scheduler = shot.steps or own.steps, shot.scheduler or own.scheduler
    _try_scheduler(model, scheduler, steps)
    negative = shot.negative_prompt or ""
    for field, text in (("prompt", shot.prompt), ("negative_prompt", negative)):
        _refuse_unknown_words(field, text, model)
    subjects = _subjects(shot, model)
    return Plan(
        frames=frames,
        width=width,
        height=height,
        fps=shot.fps or own.fps,
        steps=steps,
        guidance=own.guidance if shot.guidance is None else shot.guidance,
        scheduler=scheduler,
        seed=shot.seed,
        text=model.encode(shot.prompt, negative),
        subjects=subjects,
        controls=tuple(_controls(shot.control, subjects, steps)),
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
        if isinstance(instruction, BoxTrajectory) and instruction.phrase is None:
            raise ShotError(
                f"model {model.identity!r} starts from no picture, so the subject must be named; "
                "give the words of the prompt that name it",
                field=f"instructions[{index}].phrase",
            )
    # A null setting is planning's to decide; one that is given must not be passed over in silence.
    if shot.control.blend is not None:
        raise ShotError(
            f"model {model.identity!r} cannot blend predictions; remove it", field="control.blend"
        )
    if shot.control.frame_alignment:
        raise ShotError(
            f"model {model.identity!r} has no frame alignment layer; remove it",
            field="control.frame_alignment",
        )


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


def _refuse_unknown_words(field: str, text: str, model: VideoModel) -> None:
    vocabulary = model.limits.vocabulary
    if vocabulary is None:
        return
    unknown = unknown_words(text, vocabulary)
    if not unknown:
        return
    parts = []
    for word in unknown:
        near = " or ".join(f'"{known}"' for known in nearest_words(word, vocabulary))
        parts.append(f'"{word}" (nearest: {near})' if near else f'"{word}"')
    verb = "is a word" if len(unknown) == 1 else "are words"
    raise ShotError(
        f"{', '.join(parts)} {verb} that {model.identity!r} does not know; it knows: "
        + " ".join(sorted(vocabulary)),
        field=field,
    )


def _subjects(shot: Shot, model: VideoModel) -> tuple[Subject, ...]:
    trajectories = [
        (index, instruction)
        for index, instruction in enumerate(shot.instructions)
        if isinstance(instruction, BoxTrajectory) and instruction.phrase is not None
    ]
    tokens = model.tokenize(shot.prompt)
    if tokens.cut is not None:
        _LOG.warning(
            "the prompt is longer than the %d tokens %r reads; it does not see: %r",
            model.limits.max_tokens,
            model.identity,
            shot.prompt[tokens.cut :],
        )
    return tuple(
        Subject(
            phrase=str(trajectory.phrase),
            tokens=_tokens_of(trajectory, f"instructions[{index}].phrase", shot.prompt, tokens, model),
            path=trajectory.path,
            depth=len(trajectories) - 1 - place,  # later subjects are in front
        )
        for place, (index, trajectory) in enumerate(trajectories)
    )


def _tokens_of(
    trajectory: BoxTrajectory, field: str, prompt: str, tokens: Tokens, model: VideoModel
) -> tuple[int, ...]:
    start, end = find_phrase(prompt, str(trajectory.phrase), trajectory.occurrence)
    indices = tokens.within(start, end)
    if tokens.cut is not None and end > tokens.cut:
        raise ShotError(
            f"{model.identity!r} reads only {model.limits.max_tokens} tokens of the prompt and these words "
            "come later; shorten the prompt or name the subject earlier",
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
