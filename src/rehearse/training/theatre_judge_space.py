"""Train the towers that embed frames, clips and captions in one space, on top of a judge that stays as it
is.

What the judge sees of rendered clips is computed once; the towers then learn by contrast which caption
belongs to which clip and which still caption to which frame, against captions in which one thing is wrong.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

from rehearse.theatre.data import HELD_OUT, rng_of
from rehearse.theatre.judge import Judge
from rehearse.theatre.judge_space import (
    FILE,
    TIMES,
    Sights,
    SpaceError,
    SpaceNetwork,
    fingerprint,
    see,
    word_ids,
)
from rehearse.theatre.recipes import Recipe
from rehearse.theatre.world import Scene, render, sample_scene
from rehearse.theatre.world.vocabulary import (
    BACKDROP_PHRASES,
    BACKDROPS,
    COLOURS,
    MOTIONS,
    PUPPETS,
    article,
    join_phrases,
)
from rehearse.training.fit import Fit, Options, single_threaded_processes

SPACE = Recipe(
    "theatre-judge-space", steps=2400, batch=64, rate=2e-3, samples=4096, average=0.995, data_seed=5
)
CHUNK = 256
HARD = 4
"""Captions in which one thing is wrong that are set beside each right one in training."""
CANDIDATES = 32
SUBJECT_MIX = (0.5, 0.35, 0.15)
"""More scenes of several subjects than the world has by itself: that is where it matters whose is whose."""

_MIRRORED = {"moves right": "moves left", "arcs right": "arcs left"}
_REVERSED = {**_MIRRORED, "moves up": "moves down", "grows": "shrinks"}


def _both_ways(pairs: dict[str, str]) -> dict[str, str]:
    return pairs | {second: first for first, second in pairs.items()}


MIRRORED, REVERSED = _both_ways(_MIRRORED), _both_ways(_REVERSED)
# Measures of a sight (see Sights) that change sign where left and right are exchanged: x, xy, xxx, xyy.
_ODD = (2, 5, 7, 9)


@dataclass(frozen=True)
class Plot:
    """What a caption says. actors: (kind, colour, motion) of each; the order carries no meaning."""

    actors: tuple[tuple[str, str, str], ...]
    backdrop: str

    @classmethod
    def of(cls, scene: Scene) -> Plot:
        """What a scene shows."""
        return cls(tuple((a.kind, a.colour, a.motion) for a in scene.actors), scene.backdrop)

    def said(self, still: bool, order: NDArray[np.int64] | None = None) -> str:
        """The caption, as the world words it; still: without motions."""
        parts = []
        for index in range(len(self.actors)) if order is None else order:
            kind, colour, motion = self.actors[index]
            parts.append(f"{article(colour)} {colour} {kind}" + ("" if still else f" {motion}"))
        return f"{join_phrases(parts)} {BACKDROP_PHRASES[self.backdrop]}"

    def key(self, still: bool) -> str:
        """Equal for plots whose captions mean the same."""
        return " ".join(sorted(" ".join(actor[: 2 if still else 3]) for actor in self.actors)) + self.backdrop

    def moved(self, words: dict[str, str]) -> Plot:
        """With other motions."""
        actors = tuple((kind, colour, words.get(motion, motion)) for kind, colour, motion in self.actors)
        return Plot(actors, self.backdrop)

    def spoilt(self, rng: np.random.Generator, still: bool) -> Plot:
        """With one thing wrong: a colour, a kind, a motion or the backdrop, or two actors' traded."""
        while True:
            wrong = self._spoilt(rng, int(rng.integers(3 if still else 5)))
            if wrong.key(still) != self.key(still):
                return wrong

    def _spoilt(self, rng: np.random.Generator, what: int) -> Plot:
        if what == 2:
            return Plot(self.actors, str(rng.choice(BACKDROPS)))
        # Motions are what only a clip can show: they are wrong twice as often.
        field, values = ((1, COLOURS), (0, PUPPETS), (), (2, MOTIONS), (2, MOTIONS))[what] or (0, PUPPETS)
        actors = [list(actor) for actor in self.actors]
        first, *others = rng.permutation(len(actors))
        if others and rng.random() < 0.5:
            actors[first][field], actors[others[0]][field] = actors[others[0]][field], actors[first][field]
        elif field == 2 and actors[first][2] in REVERSED and rng.random() < 0.5:
            actors[first][2] = REVERSED[actors[first][2]]
        else:
            actors[first][field] = str(rng.choice(values))
        return Plot(tuple((kind, colour, motion) for kind, colour, motion in actors), self.backdrop)


def scene_of(seed: int, index: int) -> Scene:
    """The scene of element ``index`` of the data set with this seed."""
    rng = rng_of(seed, index)
    return sample_scene(rng, int(rng.choice(3, p=SUBJECT_MIX)) + 1)


def make_sights(
    judge: Judge,
    folder: Path,
    count: int,
    seed: int,
    first: int = 0,
    progress: Callable[[int], None] | None = None,
) -> tuple[Sights, list[Plot]]:
    """What the judge sees of ``count`` rendered clips, and their plots; chunks that are in the folder already
    are read, not made again."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for at in range(0, count, CHUNK):
        here = range(first + at, first + min(at + CHUNK, count))
        path = folder / f"{here.start}-{here.stop}.safetensors"
        if not path.exists():
            _write_sights(judge, path, here, seed)
        parts.append(load_file(str(path)))
        if progress is not None:
            progress(at + len(here))
    joined = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    plots = [Plot.of(scene_of(seed, first + index)) for index in range(count)]
    return Sights(**{name: _wide(value) for name, value in joined.items()}), plots


def _wide(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value


@torch.inference_mode()
def _write_sights(judge: Judge, path: Path, indices: range, seed: int) -> None:
    rows = [see(judge._run(render(scene_of(seed, index), TIMES).frames), TIMES).__dict__ for index in indices]
    tensors = {name: torch.cat([row[name] for row in rows]) for name in rows[0]}
    written = path.with_suffix(".partial")
    narrow = {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}
    save_file({name: value.contiguous() for name, value in narrow.items()}, str(written))
    written.replace(path)


def judge_folder(runs: Path, weights: Path | None) -> Path:
    """The judge to build on: the one beside which the towers shall lie, else the shipped one, else that of
    the run ``theatre-judge``. SpaceError where there is none."""
    from rehearse.theatre.judge import default_folder

    beside = (
        [weights / "theatre-judge"] if weights is not None else [default_folder(), runs / "theatre-judge"]
    )
    for folder in beside:
        if (folder / "model.safetensors").exists():
            return folder
    told = " nor ".join(str(folder) for folder in beside)
    raise SpaceError(
        f"there is no judge in {told}; make it first with `rehearse train theatre-judge"
        + ("`" if weights is None else f" --export {weights}`")
    )


def run(
    runs: Path,
    options: Options,
    recipe: Recipe = SPACE,
    weights: Path | None = None,
    judge: Path | None = None,
) -> dict[str, Any]:
    """Data, training and, where ``weights`` is given, export; the figures of :func:`retrieval`.

    judge: the judge's folder (None: :func:`judge_folder`). Data and run lie in folders that name the judge's
    fingerprint, so that another judge starts anew.
    """
    folder = judge or judge_folder(runs, weights)
    mark = fingerprint(folder)
    options = replace(options, folder=options.folder / mark[:12], sheet_seconds=0.0)
    seeing = Judge.load(folder)
    data = runs / "data" / f"sights-{mark[:12]}"
    sights, plots = make_sights(
        seeing, data, recipe.samples, recipe.data_seed, progress=_told(recipe.samples)
    )
    held = make_sights(seeing, data / "held-out", CHUNK, recipe.data_seed, first=HELD_OUT)
    fit, network = train(options, sights, plots, recipe)
    with fit.averaged():
        figures = retrieval(network, *held)
        if fit.main:
            (options.folder / "retrieval.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
            print(f"{recipe.name}: {figures}", file=sys.stderr)
            if weights is not None:
                export(network, folder, mark, recipe, fit.steps, figures)
    return figures


def _told(total: int) -> Callable[[int], None]:
    return lambda done: print(f"sights: {done} of {total}", file=sys.stderr)


def train(
    options: Options, sights: Sights, plots: list[Plot], recipe: Recipe = SPACE
) -> tuple[Fit, SpaceNetwork]:
    """Train the towers on what a judge saw; the run, which is in ``options.folder``, and the towers."""
    single_threaded_processes()
    torch.manual_seed(recipe.seed)
    network = SpaceNetwork()
    flat = sights.features.flatten(0, 1)
    network.centre.copy_(flat.mean(0))
    network.spread.copy_(flat.std(0).clamp(min=1e-4))
    fit = Fit(recipe, network, options)
    share = recipe.batch // fit.accelerator.num_processes

    def loss(step: int, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        chosen = rng.choice(len(sights), min(share, len(sights)), replace=False)
        own = [plots[index] for index in chosen]
        batch = network.standardised(_pick(sights, torch.from_numpy(chosen)))
        batch, own = _recast(batch, own, rng)
        if rng.random() < 0.5:
            batch, own = _mirrored(batch), [plot.moved(MIRRORED) for plot in own]
        if rng.random() < 0.5:
            batch, own = _reversed(batch), [plot.moved(REVERSED) for plot in own]
        batch = _dirtied(batch, rng)
        early, late = (torch.from_numpy(rng.integers(TIMES, size=len(own))) for _ in range(2))
        # Towers this small gain nothing from bf16 and lose some of their fine distinctions.
        with torch.autocast(fit.device.type, enabled=False):
            near = network.sharpness.exp().clamp(max=40)
            clips = network.clips(_to(batch, fit.device))
            frames = network.frames(_to(batch.frames(early), fit.device))
            others = network.frames(_to(batch.frames(late), fit.device))
            clip_loss, right = _against(network, clips, own, rng, still=False)
            frame_loss, frames_right = _against(network, frames, own, rng, still=True)
            same = near * frames @ others.T
            target = torch.arange(len(own), device=fit.device)
            together = (F.cross_entropy(same, target) + F.cross_entropy(same.T, target)) / 2
        total = clip_loss + 0.5 * frame_loss + 0.25 * together
        return total, {
            "clips_right": right,
            "frames_right": frames_right,
            "together": float(together.detach()),
        }

    fit.run(loss)
    return fit, network


def _against(
    network: SpaceNetwork, seen: Tensor, plots: list[Plot], rng: np.random.Generator, still: bool
) -> tuple[Tensor, float]:
    """InfoNCE both ways of what was seen [n, d] and its captions, spoilt ones among them; the share of rows
    whose own caption is nearest."""
    wrong = [plot.spoilt(rng, still) for plot in plots for _ in range(HARD)]
    texts = [plot.said(still, rng.permutation(len(plot.actors))) for plot in [*plots, *wrong]]
    keys = np.array([plot.key(still) for plot in [*plots, *wrong]])
    captions = network.captions(word_ids(texts).to(seen.device))
    logits = network.sharpness.exp().clamp(max=40) * seen @ captions.T
    count = len(plots)
    # A caption that happens to mean the same is neither right nor wrong.
    alike = keys[None] == keys[:count, None]
    alike[np.arange(count), np.arange(count)] = False
    logits = logits.masked_fill(torch.from_numpy(alike).to(seen.device), -math.inf)
    target = torch.arange(count, device=seen.device)
    back = logits[:, :count].T
    loss = (F.cross_entropy(logits, target) + F.cross_entropy(back, target)) / 2
    return loss, float((logits.argmax(1) == target).float().mean())


def _pick(sights: Sights, rows: Tensor) -> Sights:
    return Sights(**{name: value[rows] for name, value in sights.__dict__.items()})


def _to(sights: Sights, device: torch.device) -> Sights:
    return Sights(**{name: value.to(device) for name, value in sights.__dict__.items()})


def _recast(
    sights: Sights, plots: list[Plot], rng: np.random.Generator, share: float = 0.5
) -> tuple[Sights, list[Plot]]:
    """Other actors in the same play: in a share of the clips all kinds and all colours are exchanged, in what
    is seen as in what is said. It never runs out of combinations, which a data set does. The judge's features
    still show the first cast, so they are left out there (standardised, they are 0)."""
    kinds, colours, features = sights.kinds.clone(), sights.colours.clone(), sights.features.clone()
    plots = list(plots)
    for row in np.flatnonzero(rng.random(len(plots)) < share):
        kind, colour = rng.permutation(len(PUPPETS)), rng.permutation(len(COLOURS))
        kinds[row] = torch.from_numpy(kind)[kinds[row]]
        colours[row] = torch.from_numpy(colour)[colours[row]]
        features[row] = 0
        actors = tuple(
            (PUPPETS[kind[PUPPETS.index(k)]], COLOURS[colour[COLOURS.index(c)]], motion)
            for k, c, motion in plots[row].actors
        )
        plots[row] = Plot(actors, plots[row].backdrop)
    return replace(sights, kinds=kinds, colours=colours, features=features), plots


def _mirrored(sights: Sights) -> Sights:
    signs = torch.ones(sights.tracks.shape[-1])
    signs[list(_ODD)] = -1
    return replace(sights, tracks=sights.tracks * signs)


def _reversed(sights: Sights) -> Sights:
    return replace(
        sights,
        tracks=sights.tracks.flip(1),
        backdrops=sights.backdrops.flip(1),
        features=sights.features.flip(1),
    )


def _dirtied(sights: Sights, rng: np.random.Generator) -> Sights:
    """Grain in features and tracks and puppets that are lost for a frame, as generated clips have them."""
    features = sights.features + torch.randn_like(sights.features) * float(rng.uniform(0, 0.6))
    seen = sights.tracks[..., :1]
    grain = torch.randn_like(sights.tracks) * float(rng.uniform(0, 0.05))
    grain[..., 0] = 0
    kept = (torch.rand_like(seen) > float(rng.uniform(0, 0.15))).to(seen)
    # The first puppet of a frame is never lost: an empty frame has no caption.
    kept[..., 0, :] = 1
    return replace(sights, tracks=(sights.tracks + grain) * seen * kept, features=features)


@torch.inference_mode()
def retrieval(network: SpaceNetwork, sights: Sights, plots: list[Plot], seed: int = 0) -> dict[str, Any]:
    """How often what was seen finds its own caption among CANDIDATES: itself, half of the others with one
    thing wrong, half of them other scenes'.

    Beside it, of clips with one subject: the motion found among all motions, by motion. Of clips with
    several: whether the caption is nearer than with two colours, or two motions, traded.
    """
    network.eval()
    device = network.centre.device
    rng = np.random.default_rng([seed, 0x5EE])
    rows = network.standardised(_to(sights, device))
    clips = network.clips(rows)
    frames = network.frames(rows.frames(torch.from_numpy(rng.integers(TIMES, size=len(plots)))))

    def nearest(seen: Tensor, texts: list[str]) -> int:
        return int((network.captions(word_ids(texts).to(device)) @ seen).argmax())

    figures: dict[str, Any] = {}
    for name, embedded, still in (("clips", clips, False), ("frames", frames, True)):
        hits = [
            nearest(embedded[index], _candidates(plots, index, rng, still)) == 0
            for index in range(len(plots))
        ]
        figures[f"{name}_right"] = round(sum(hits) / len(hits), 4)
    by_motion: dict[str, list[bool]] = {}
    traded: dict[str, list[bool]] = {"colours": [], "motions": []}
    for index, plot in enumerate(plots):
        if len(plot.actors) == 1:
            kind, colour, motion = plot.actors[0]
            texts = [Plot(((kind, colour, other),), plot.backdrop).said(False) for other in MOTIONS]
            by_motion.setdefault(motion, []).append(nearest(clips[index], texts) == MOTIONS.index(motion))
            continue
        (a, b, *rest) = plot.actors
        for what, pair in (
            ("colours", ((a[0], b[1], a[2]), (b[0], a[1], b[2]))),
            ("motions", ((a[0], a[1], b[2]), (b[0], b[1], a[2]))),
        ):
            other = Plot((*pair, *rest), plot.backdrop)
            if other.key(False) != plot.key(False):
                traded[what].append(nearest(clips[index], [plot.said(False), other.said(False)]) == 0)
    flat = [hit for hits in by_motion.values() for hit in hits]
    figures["motion_of_one"] = _share(flat)
    figures["by_motion"] = {motion: _share(by_motion[motion]) for motion in MOTIONS if motion in by_motion}
    figures["colours_traded"], figures["motions_traded"] = (
        _share(traded["colours"]),
        _share(traded["motions"]),
    )
    figures["clips"], figures["candidates"] = len(plots), CANDIDATES
    own = network.captions(word_ids([plot.said(False) for plot in plots]).to(device))
    cosines = 100 * clips @ own.T
    figures["alignment_right"] = round(float(cosines.diagonal().mean()), 2)
    figures["alignment_wrong"] = round(
        float((cosines.sum() - cosines.trace()) / (cosines.numel() - len(own))), 2
    )
    return figures


def _share(hits: list[bool]) -> float:
    return round(sum(hits) / len(hits), 4) if hits else float("nan")


def _candidates(plots: list[Plot], index: int, rng: np.random.Generator, still: bool) -> list[str]:
    """The right caption first, then wrong ones, no two of one meaning."""
    found = {plots[index].key(still): plots[index]}
    while len(found) < CANDIDATES // 2:
        wrong = plots[index].spoilt(rng, still)
        found.setdefault(wrong.key(still), wrong)
    for other in rng.permutation(len(plots)):
        if len(found) < CANDIDATES:
            found.setdefault(plots[other].key(still), plots[other])
    return [plot.said(still) for plot in found.values()]


def export(
    network: torch.nn.Module, folder: Path, judge: str, recipe: Recipe, steps: int, figures: dict[str, Any]
) -> Path:
    """Write the towers (fp16) beside their judge and say in its card how they were made; the file."""
    state = {name: value.half().contiguous().cpu() for name, value in network.state_dict().items()}
    path = folder / FILE
    written = path.with_suffix(".partial")
    save_file(state, str(written), metadata={"judge": judge, "steps": str(steps)})
    written.replace(path)
    card = folder / "README.md"
    before = card.read_text(encoding="utf-8") if card.exists() else "# theatre-judge\n"
    before = before.split(_HEADING)[0].rstrip()
    card.write_text(f"{before}\n\n{_section(recipe, judge, steps, figures)}", encoding="utf-8")
    return path


_HEADING = "## One space for frames, clips and captions"


def _section(recipe: Recipe, judge: str, steps: int, figures: dict[str, Any]) -> str:
    motions = ", ".join(f"{motion} {share:.0%}" for motion, share in figures["by_motion"].items())
    return f"""{_HEADING}

`{FILE}` holds towers that embed frames, clips and captions on top of what this judge (its weights' sha256
begins with {judge[:12]}) sees; the judge itself was not changed. Alignment is their cosine times 100.

| | |
|---|---|
| data | {recipe.samples:,} rendered clips of {TIMES} frames, data seed {recipe.data_seed} |
| training | {steps:,} steps of batch {recipe.batch}, each caption beside {HARD} with one thing wrong |
| clip finds its caption among {figures["candidates"]} | {figures["clips_right"]:.1%} of {figures["clips"]} \
held-out clips (half of the wrong captions differ in one thing) |
| frame finds its still caption among {figures["candidates"]} | {figures["frames_right"]:.1%} |
| motion of a single subject among 11 | {figures["motion_of_one"]:.1%} |
| told from two colours traded | {figures["colours_traded"]:.1%} |
| told from two motions traded | {figures["motions_traded"]:.1%} |
| mean alignment of a clip | {figures["alignment_right"]:.1f} with its own caption, \
{figures["alignment_wrong"]:.1f} with others' |
| again | `rehearse train {recipe.name} --export weights` |

By motion: {motions}.

Alignments are comparable with each other only, not with those of CLIP. A motion that is carried by fine print
alone (a ball that turns) is hard to see.
"""
