"""One command per theatre model: data, training, export. Each step is skipped where it is done already."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rehearse.models.registry import EMBEDDED
from rehearse.theatre.data import Stills, make_stills
from rehearse.theatre.recipes import (
    ALIGNMENT,
    ANIMATE,
    ANIMATE_STAGES,
    CODEC,
    IMAGE,
    INPAINT,
    JUDGE,
    REACH,
    TARGET,
    VIDEO,
    WAN,
    WAN_CODEC_CLIPS,
    WAN_CODEC_STILLS,
    WAN_STILLS,
    ReachRecipe,
    Recipe,
)
from rehearse.training import (
    export,
    frame_alignment,
    theatre_animate,
    theatre_image,
    theatre_inpaint,
    theatre_judge,
    theatre_judge_space,
    theatre_reach,
    theatre_target,
    theatre_vae,
    theatre_video,
    theatre_wan,
    theatre_wan_codec,
    wan_latents,
)
from rehearse.training.fit import Options, finished
from rehearse.training.theatre_judge_space import SPACE

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        CODEC,
        IMAGE,
        INPAINT,
        VIDEO,
        *ANIMATE_STAGES,
        ALIGNMENT,
        TARGET,
        JUDGE,
        SPACE,
        WAN_CODEC_STILLS,
        WAN_CODEC_CLIPS,
        WAN_STILLS,
        WAN,
    )
}
_OF_CLIPS = {recipe.name for recipe in (VIDEO, *ANIMATE_STAGES, TARGET, WAN_CODEC_CLIPS, WAN)}


def train(
    name: str,
    runs: Path,
    *,
    steps: int | None = None,
    samples: int | None = None,
    device: str | None = None,
    weights: Path | None = None,
    sheet_seconds: float = 240.0,
    until: float | None = None,
) -> None:
    """Train one theatre model, and what it stands on where that has not been trained.

    name: a key of RECIPES, or theatre-reach. runs: folder of data sets and run folders; a run that is there
    is continued.
    steps, samples: smaller than the recipe's for a trial. weights: where to export the model folder to;
    None leaves the run as it is. until: see :class:`rehearse.training.fit.Options`.
    """
    options = Options(
        folder=runs / name, steps=steps, device=device, sheet_seconds=sheet_seconds, until=until
    )
    if name == REACH.name:
        _train_reach(runs, options, weights, replace(REACH, clips=samples or REACH.clips))
        return
    if name not in RECIPES:
        raise ValueError(f"there is no recipe {name!r}; known: {', '.join([*RECIPES, REACH.name])}")
    recipe = RECIPES[name]
    recipe = replace(recipe, samples=samples or recipe.samples)
    if name == SPACE.name:
        theatre_judge_space.run(runs, options, recipe, weights)
        return
    if name == ALIGNMENT.name:
        folder = _animate_folder(runs, weights)
        frame_alignment.train_for(folder, options, recipe)
        if weights is not None:
            export.export_alignment(options.folder, folder)
        return
    stills, basis = runs / "data" / "stills", runs / "basis.safetensors"
    if name not in _OF_CLIPS:
        make_stills(stills, recipe.samples, recipe.data_seed, progress=_told("stills", recipe.samples))
    if name == JUDGE.name:
        theatre_judge.train(options, stills, recipe)
    elif name == CODEC.name:
        theatre_vae.train(options, stills, basis, recipe)
    elif name == IMAGE.name:
        theatre_vae.fit_basis(stills, basis)
        theatre_image.train(options, stills, basis, recipe)
    elif name == INPAINT.name:
        theatre_vae.fit_basis(stills, basis)
        if not (runs / IMAGE.name / "state.safetensors").exists():
            train(IMAGE.name, runs, device=device, sheet_seconds=sheet_seconds)
        theatre_inpaint.train(options, stills, basis, runs / IMAGE.name, recipe)
    elif name == WAN_CODEC_STILLS.name:
        theatre_wan_codec.train_stills(options, stills, recipe)
    elif name == WAN_CODEC_CLIPS.name:
        _first(WAN_CODEC_STILLS.name, runs, options, samples)
        theatre_wan_codec.train_clips(options, runs / WAN_CODEC_STILLS.name, recipe)
    elif name in (WAN_STILLS.name, WAN.name):
        _train_wan(runs, options, recipe, samples)
    elif name == TARGET.name:
        fitted = theatre_vae.fit_basis(stills, basis)
        clips = runs / "data" / "target-clips"
        told = _told("target clips", recipe.samples)
        theatre_target.prepare_clips(clips, fitted, recipe, progress=told)
        theatre_target.train(options, clips, basis, recipe)
    else:
        if not (runs / IMAGE.name / "state.safetensors").exists():
            train(IMAGE.name, runs, device=device, sheet_seconds=sheet_seconds)
        if recipe.begins and not (runs / recipe.begins / "state.safetensors").exists():
            train(
                recipe.begins,
                runs,
                steps=steps,
                samples=samples,
                device=device,
                sheet_seconds=sheet_seconds,
            )
        fitted = theatre_vae.fit_basis(stills, basis)
        clips = runs / "data" / "clips"
        theatre_video.prepare_clips(clips, fitted, recipe, progress=_told("clips", recipe.samples))
        trainer = theatre_video if name == VIDEO.name else theatre_animate
        trainer.train(options, clips, basis, runs / IMAGE.name, recipe)
    if weights is not None and name in _EXPORTS:
        if (
            name not in (JUDGE.name, TARGET.name, WAN.name)
            and not (runs / CODEC.name / "state.safetensors").exists()
        ):
            train(CODEC.name, runs, device=device, sheet_seconds=sheet_seconds)
        _EXPORTS[name](runs, weights)


def _first(name: str, runs: Path, options: Options, samples: int | None) -> None:
    """Train what another run begins with, to its last step, unless that is done."""
    if not finished(runs / name):
        train(
            name,
            runs,
            steps=options.steps,
            samples=samples,
            device=options.device,
            sheet_seconds=options.sheet_seconds,
        )


def _train_wan(runs: Path, options: Options, recipe: Recipe, samples: int | None) -> None:
    """A stage of theatre-wan, on the latents of the finished codec."""
    _first(WAN_CODEC_CLIPS.name, runs, options, samples)
    if recipe.begins:
        _first(recipe.begins, runs, options, samples)
    codec = wan_latents.finished_codec(runs, options.device)
    # The moments are those of clips, for both stages.
    clips = wan_latents.prepare(
        runs,
        replace(WAN, samples=samples or WAN.samples),
        codec,
        None,
        _told("clips", samples or WAN.samples),
    )
    moments = wan_latents.moments(runs, clips)
    if recipe.name == WAN_STILLS.name:
        stills = Stills.open(runs / "data" / "stills")
        clips = wan_latents.prepare(runs, recipe, codec, stills, _told("stills", len(stills)))
    theatre_wan.train(options, clips, codec, moments, recipe, runs / recipe.begins if recipe.begins else None)


def _train_reach(runs: Path, options: Options, weights: Path | None, recipe: ReachRecipe) -> None:
    base = theatre_reach.base_for_reach(weights)
    if base is None:
        models = options.folder / "models"
        train(TARGET.name, runs, device=options.device, weights=models)
        base = models / TARGET.name
    theatre_reach.train_reach(options, runs / "data" / "reach-clips", base, recipe)
    if weights is not None:
        theatre_reach.export_reach(options.folder, weights, recipe)


def _animate_folder(runs: Path, weights: Path | None) -> Path:
    """The ``theatre-animate`` that a frame alignment layer is trained for: the exported one, else the run's,
    exported for it, else the one that ships. AlignmentError where there is none."""
    if weights is not None and (weights / ANIMATE.name / "rehearse.json").exists():
        return weights / ANIMATE.name
    parts = (CODEC.name, IMAGE.name, ANIMATE.name)
    missing = [part for part in parts if not (runs / part / "state.safetensors").exists()]
    if not missing:
        return export.export_animate(runs, weights or runs / ALIGNMENT.name / "models")
    if weights is None and (EMBEDDED / ANIMATE.name / "rehearse.json").exists():
        return EMBEDDED / ANIMATE.name
    where = "ships with the package" if weights is None else f"lies in {weights}"
    raise frame_alignment.AlignmentError(
        f"{ALIGNMENT.name} is a layer for {ANIMATE.name}: none {where}, and {runs} has no run of "
        f"{', '.join(missing)} to make it from; call rehearse train {ANIMATE.name} --export DIR first, then "
        "this with the same --export"
    )


_EXPORTS: dict[str, Callable[[Path, Path], Path]] = {
    IMAGE.name: export.export_image,
    INPAINT.name: export.export_inpaint,
    VIDEO.name: export.export_video,
    ANIMATE.name: export.export_animate,
    TARGET.name: export.export_target,
    WAN.name: export.export_wan,
    JUDGE.name: export.export_judge,
}


def _told(what: str, total: int) -> Callable[[int], None]:
    def tell(done: int) -> None:
        print(f"{what}: {done} of {total} rendered", file=sys.stderr)

    return tell


_STAGES: dict[str, float] = {
    WAN_CODEC_STILLS.name: 2.0,
    WAN_CODEC_CLIPS.name: 2.5,
    WAN_STILLS.name: 1.5,
    WAN.name: 4.0,
}
"""What theatre-wan comes about in, and its shares of the time."""
_OTHERS: dict[str, float] = {
    JUDGE.name: 1.0,
    CODEC.name: 1.0,
    IMAGE.name: 3.0,
    INPAINT.name: 1.0,
    VIDEO.name: 2.0,
    **{stage.name: 1.5 for stage in ANIMATE_STAGES},
    TARGET.name: 2.0,
}
"""The models beside it, each behind those that it begins with."""


def train_in(
    minutes: float | None,
    runs: Path,
    *,
    everything: bool = False,
    steps: int | None = None,
    samples: int | None = None,
    device: str | None = None,
    weights: Path | None = None,
    sheet_seconds: float = 240.0,
) -> None:
    """Train theatre-wan with its codec, and with ``everything`` the theatre's others, in so many minutes.

    A stage that is done is passed over, one that was stopped goes on; the rest share the time that is left,
    rendering and encoding included. minutes: None takes the recipes' own steps.
    """
    end = None if minutes is None else time.monotonic() + 60 * minutes
    shares = _STAGES | (_OTHERS if everything else {})
    left = {name: share for name, share in shares.items() if not finished(runs / name)}
    for name in shares:
        if name in left:
            rest = sum(left.values())
            until = None
            if end is not None:
                until = time.monotonic() + max(end - time.monotonic(), 0.0) * left[name] / rest
            train(
                name,
                runs,
                steps=steps,
                samples=samples,
                device=device,
                sheet_seconds=sheet_seconds,
                until=until,
            )
            del left[name]
        if weights is not None and name in _EXPORTS:
            _EXPORTS[name](runs, weights)
