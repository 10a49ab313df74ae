"""The theatre's gates: do the models show what they are told, and can the judge be believed?

images      the subject of the right kind and colour is found                                   >= 90 %
videos      it is found in more than half of the frames                                          >= 85 %
direction   its track goes the prompted way (clips whose prompt names a direction)               >= 80 %
animations  theatre-animate keeps its picture, moves as told, by as much, and loops  (`animate_gates`)
shapes      of the first clips: shape, steadiness, one puppet once, crispness, the codec      (`shapes`)
judge       on held-out renders: kind and colour of a puppet >= 98 % each, mask IoU >= .85

Prompts hold one subject each. Everything is kept as it is made, so a run can be stopped and continued.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehearse.evaluation.animate.gates import Animated, run_animate_gates
from rehearse.evaluation.animate.measure import AnimateTools
from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.kit.gate import Gate, by, share_gate
from rehearse.evaluation.kit.intervals import Interval
from rehearse.evaluation.kit.judging import Judge
from rehearse.evaluation.kit.measure import Task, Tools, boxes_of, key_of
from rehearse.evaluation.kit.motion import heading, moves_as_prompted, subject_motion
from rehearse.evaluation.kit.progress import Progress, Say
from rehearse.evaluation.kit.store import Store
from rehearse.evaluation.theatre.prompts import GatePrompt, gate_prompts, held_out_scene
from rehearse.evaluation.theatre.shapes import RoundTrip, codec_gates, shape_gates
from rehearse.shot import Shot
from rehearse.theatre.world import COLOURS, PUPPETS, render_frame

IMAGES, VIDEOS, DIRECTION, KIND, COLOUR, MASK = 0.90, 0.85, 0.80, 0.98, 0.98, 0.85
CODEC_CLIPS = 16
VISIBLE = 96
"""Pixels (at 128 x 128) that a puppet must show to be asked about: twice what the judge calls a find."""
_RENDER_SEED = 11


@dataclass(frozen=True)
class GateOptions:
    """How many of each: 0 leaves a gate out. steps: denoising steps (None: the model's default)."""

    images: int = 256
    videos: int = 256
    renders: int = 512
    steps: int | None = None
    seed: int = 0
    image_model: str = "theatre-image"
    video_model: str = "theatre-video"
    shapes: int = 0
    animations: int = 0
    animate_model: str = "theatre-animate"

    def __post_init__(self) -> None:
        for name in ("images", "videos", "renders", "shapes", "animations"):
            if getattr(self, name) < 0:
                raise EvaluationError(f"{name}: {getattr(self, name)} is below 0; use 0 to leave them out")


@dataclass(frozen=True)
class Found:
    """One prompt's clip as it was judged. right: of the right kind and colour; moved: as prompted (None: no
    direction named)."""

    prompt: GatePrompt
    key: str
    right: bool
    moved: bool | None
    motion: float


def gate_tasks(
    prompts: Sequence[GatePrompt],
    model: str,
    still: bool,
    steps: int | None,
    *fingerprints: str,
    shapes: int = 0,
) -> list[Task]:
    """The clips (or stills) of the prompts; of the first ``shapes`` of them shapes are looked at too."""
    tasks = []
    for prompt in prompts:
        looked = prompt.index < shapes
        marks = (*fingerprints, "shapes") if looked else fingerprints
        text = prompt.still if still else prompt.caption
        shot = Shot(text, model=model, seed=prompt.seed, steps=steps, frames=1 if still else None)
        tasks.append(Task(key_of(shot, *marks), shot, ((prompt.kind, prompt.colour),), looked))
    return tasks


def judge_prompts(prompts: Sequence[GatePrompt], tasks: Sequence[Task], store: Store) -> list[Found]:
    """Read the stored clips of the prompts."""
    found = []
    for prompt, task in zip(prompts, tasks, strict=True):
        boxes = boxes_of(store.journal[task.key])[0]
        right = bool((~np.isnan(boxes[:, 0])).mean() > 0.5)
        moved = moves_as_prompted(boxes, prompt.motion)
        found.append(Found(prompt, task.key, right, moved, subject_motion(boxes)))
    return found


def image_gates(found: Sequence[Found]) -> list[Gate]:
    """The gate on stills, with shares by kind and colour."""
    return [
        share_gate("images: right kind and colour", IMAGES, [f.right for f in found], **_breakdown(found))
    ]


def video_gates(found: Sequence[Found]) -> list[Gate]:
    """The gates on clips: what they show and where it goes."""
    directed = [f for f in found if heading(f.prompt.motion) is not None]
    gates = [
        share_gate("videos: right kind and colour", VIDEOS, [f.right for f in found], **_breakdown(found))
    ]
    if directed:
        motions = by(directed, lambda f: f.prompt.motion, lambda f: bool(f.moved))
        name = "videos: motion in the prompted direction"
        right = _share([bool(f.moved) for f in directed if f.right])
        hits = [bool(f.moved) for f in directed]
        gates.append(share_gate(name, DIRECTION, hits, by_motion=motions, when_found=right))
    return gates


def _breakdown(found: Sequence[Found]) -> dict[str, Any]:
    return {
        "by_kind": by(found, lambda f: f.prompt.kind, lambda f: f.right),
        "by_colour": by(found, lambda f: f.prompt.colour, lambda f: f.right),
        "by_backdrop": by(found, lambda f: f.prompt.backdrop, lambda f: f.right),
    }


def _share(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits) if hits else float("nan")


@dataclass
class _JudgeCounts:
    kinds: list[bool] = field(default_factory=list)
    colours: list[bool] = field(default_factory=list)
    boxes: list[float] = field(default_factory=list)
    mask_iou: list[float] = field(default_factory=list)
    absent: list[bool] = field(default_factory=list)


def judge_gates(judge: Judge, renders: int, say: Say, size: int = 128) -> list[Gate]:
    """The judge on held-out stills of one to three subjects.

    A puppet's kind and colour as the judge reads them: the commonest label on its own visible pixels, the
    backdrop counting as wrong. Mask IoU: all puppets of a still together, averaged over stills. Beside the
    gates: IoU of the box it finds for a puppet with that of its visible pixels, and how often it finds a
    puppet that is not there (right kind with a wrong colour, right colour with a wrong kind)."""
    counts = _JudgeCounts()
    progress = Progress(say, "held-out renders", renders)
    for index in range(renders):
        _judge_render(judge, index, size, counts)
        progress.tick()
    spread = np.std(counts.mask_iou) / np.sqrt(max(1, len(counts.mask_iou)))
    iou = float(np.mean(counts.mask_iou))
    return [
        share_gate("judge: kind of a puppet", KIND, counts.kinds),
        share_gate("judge: colour of a puppet", COLOUR, counts.colours),
        Gate(
            "judge: mask IoU",
            MASK,
            Interval(iou, float(iou - 1.96 * spread), float(iou + 1.96 * spread)),
            len(counts.mask_iou),
            {
                "box_iou": float(np.mean(counts.boxes)),
                "finds_what_is_absent": _share(counts.absent),
                "asked_for_absent": len(counts.absent),
            },
        ),
    ]


def _judge_render(judge: Judge, index: int, size: int, counts: _JudgeCounts) -> None:
    scene, rng = held_out_scene(_RENDER_SEED, index)
    still = render_frame(scene, float(rng.random()), size)
    frames = still.frame[None]
    seen = judge.segment(frames)
    kind, colour = seen.kind[0], seen.colour[0]
    truth, guess = still.masks > 0, kind > 0
    joined = (truth | guess).sum()
    counts.mask_iou.append(float((truth & guess).sum() / joined) if joined else 1.0)
    for number, actor in enumerate(scene.actors):
        mine = still.masks == number + 1
        if mine.sum() < VISIBLE * size * size / (128 * 128):
            continue
        counts.kinds.append(_commonest(kind[mine]) == PUPPETS.index(actor.kind) + 1)
        counts.colours.append(_commonest(colour[mine]) == COLOURS.index(actor.colour) + 1)
        box = judge.detect(frames, actor.kind, actor.colour)[0][0]
        counts.boxes.append(_box_iou(box, mine))
        present = {(a.kind, a.colour) for a in scene.actors}
        other_kind, other_colour = (str(rng.choice(names)) for names in (PUPPETS, COLOURS))
        for pair in ((other_kind, actor.colour), (actor.kind, other_colour)):
            if pair not in present:
                counts.absent.append(not np.isnan(judge.detect(frames, *pair)[0][0, 0]))


def _commonest(labels: NDArray[np.int64]) -> int:
    return int(np.bincount(labels).argmax())


def _box_iou(box: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    from rehearse.evaluation.kit.trajectory_metrics import frame_iou

    ys, xs = np.nonzero(mask)
    height, width = mask.shape
    truth = np.array([xs.min() / width, ys.min() / height, (xs.max() + 1) / width, (ys.max() + 1) / height])
    return float(frame_iou(truth, box))


@dataclass(frozen=True)
class GateFindings:
    """What came out: the gates, and the judged prompts behind them."""

    options: GateOptions
    gates: tuple[Gate, ...]
    images: tuple[Found, ...]
    videos: tuple[Found, ...]
    unseen: int
    animations: tuple[Animated, ...] = ()


def run_gates(
    options: GateOptions,
    folder: Path,
    make_tools: Callable[[str], Callable[[], Tools]],
    judge: Judge,
    fingerprints: Callable[[str], Sequence[str]],
    trained: frozenset[str] = frozenset(),
    processes: int = 1,
    say: Say = print,
    make_animate_tools: Callable[[str], Callable[[], AnimateTools]] | None = None,
    make_codec: Callable[[str], tuple[RoundTrip, int]] | None = None,
) -> tuple[GateFindings, Store]:
    """Run the gates. make_tools: for a model's name what makes a process's tools; fingerprints: for a model's
    name those that decide which stored clips still hold. trained: captions the video model was trained on.
    make_animate_tools: as make_tools, for animations. make_codec: for a model's name its codec, there and
    back, and the frames of its clips; None leaves its gates out."""
    store = Store(folder)
    gates: list[Gate] = []
    judged: dict[str, tuple[Found, ...]] = {"images": (), "videos": ()}
    if options.renders:
        gates += judge_gates(judge, options.renders, say)
    for what, count, model in (
        ("images", options.images, options.image_model),
        ("videos", options.videos, options.video_model),
    ):
        if not count:
            continue
        prompts = gate_prompts(count, options.seed, trained)
        still = what == "images"
        shapes = 0 if still else options.shapes
        tasks = gate_tasks(prompts, model, still, options.steps, *fingerprints(model), shapes=shapes)
        store.complete(tasks, make_tools(model), processes, say, what)
        judged[what] = tuple(judge_prompts(prompts, tasks, store))
        gates += image_gates(judged[what]) if still else video_gates(judged[what])
        if shapes:
            looks = [store.journal[task.key]["look_at_shapes"] for task in tasks[:shapes]]
            gates += shape_gates(prompts[:shapes], looks)
    animated: tuple[Animated, ...] = ()
    if options.shapes and make_codec is not None:
        round_trip, frames = make_codec(options.video_model)
        gates += codec_gates(round_trip, min(options.shapes, CODEC_CLIPS), frames)
    if options.animations:
        if make_animate_tools is None:
            raise EvaluationError("animations: nothing was given that makes them; use 0 to leave them out")
        more, animated = run_animate_gates(
            options.animations,
            store,
            make_animate_tools(options.animate_model),
            options.animate_model,
            fingerprints(options.animate_model),
            seed=options.seed,
            steps=options.steps,
            processes=processes,
            say=say,
        )
        gates += more
    unseen = sum(found.prompt.caption not in trained for found in judged["videos"])
    findings = GateFindings(options, tuple(gates), judged["images"], judged["videos"], unseen, animated)
    return findings, store
