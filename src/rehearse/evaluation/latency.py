"""How long a person waits: the latency table of InteractiveVideo on this device, and what a session adds.

image        an image instruction (image-to-image at half strength) to the intermediate picture
content      a regional edit to the intermediate picture, the picture below it already made
motion       changed words and magnitude to the finished clip (the paper's "motion" is one run of the model)
drag warp    one elastic drag of the picture, in pixels, nothing redrawn: what follows the mouse
drag         one drag to the intermediate picture, what it bares redrawn
drag step    one step of the optimised drag: motion supervision and point tracking
preview      a fork in the middle of a run under another motion, to its first preview
edit preview the same under a regional edit: the picture is redrawn first
full clip    a shot with picture and words, from the first step to pixels

Everything is timed through the functions that a take uses, after one warm-up; no cache outlives a repeat.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from rehearse.evaluation.animate.cases import Animation, animation_cases, grown
from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.kit.intervals import LEVEL, REPLICATES, Interval
from rehearse.evaluation.kit.progress import Say
from rehearse.evaluation.kit.report import as_json, markdown_table, write_json, write_text
from rehearse.models.errors import ModelError
from rehearse.models.model import VideoModel
from rehearse.shot import Mask, Shot, ShotError

PUBLISHED = {"image": 0.01934, "content": 0.03147, "motion": 12.22, "drag step": 0.07735}
"""Seconds that the paper gives (RTX 4090, 512 x 512, 16 frames), by the operation that comes nearest."""
AIMS = {"drag warp": 0.077, "content": 1.5, "edit preview": 1.0}
"""Seconds that the theatre shall need at most, on two CPU cores."""
_DRAG_STEPS = 4


@dataclass(frozen=True)
class LatencyOptions:
    """What is timed. repeats: of each operation, after one that does not count. width, height, frames, steps:
    None for the model's defaults."""

    model: str = "theatre-animate"
    repeats: int = 7
    width: int | None = None
    height: int | None = None
    frames: int | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        if self.repeats < 1:
            raise EvaluationError(f"repeats: {self.repeats} is below 1; 7 give an interval")


Operation = Callable[[], list[float]]
"""Does a thing once and says how many seconds it took; several numbers where it consists of equal steps."""


@dataclass(frozen=True)
class Timing:
    """One operation: seconds of every repeat, or why it could not be timed."""

    name: str
    seconds: tuple[float, ...] = ()
    missing: str = ""

    @property
    def median(self) -> Interval:
        """With its bootstrap interval; NaN where nothing was timed."""
        if not self.seconds:
            return Interval(float("nan"), float("nan"), float("nan"))
        taken = np.array(self.seconds)
        drawn = np.random.default_rng(0).choice(taken, (REPLICATES, len(taken)))
        low, high = np.quantile(np.median(drawn, axis=1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return Interval(float(np.median(taken)), float(low), float(high))


def measure_latency(options: LatencyOptions, model: VideoModel, say: Say = print) -> list[Timing]:
    """Time every operation; one that the model cannot do is named with the reason."""
    timings = []
    for name, operation in operations(options, model).items():
        say(f"{name}: once to warm up, then {options.repeats} times")
        try:
            operation()
            seconds = [second for _ in range(options.repeats) for second in operation()]
        except (ShotError, ModelError) as error:
            timings.append(Timing(name, missing=str(error).replace("\n", " ")))
        else:
            timings.append(Timing(name, tuple(seconds)))
    return timings


def operations(options: LatencyOptions, model: VideoModel) -> dict[str, Operation]:
    """What is timed, in the order of the table."""
    return _Session(options, model).operations()


class _Session:
    """One case of the evaluation as a person works on it."""

    def __init__(self, options: LatencyOptions, model: VideoModel) -> None:
        self.model = model
        self.width = options.width or model.defaults.width
        self.height = options.height or model.defaults.height
        self.case: Animation = animation_cases(1)[0]
        size = (self.width, self.height)
        start = Image.fromarray(self.case.picture()).resize(size, Image.Resampling.LANCZOS)
        self.picture = np.asarray(start)
        shot = Shot(
            self.case.still_caption(), model=options.model, seed=self.case.seed, width=self.width,
            height=self.height, frames=options.frames, steps=options.steps,
        )  # fmt: skip
        self.shot = shot.image(start)
        self.content = self.shot.edit(self.case.edit_prompt("recolour"), grown(self.case.box))
        self.region = grown(self.case.box, 0.01)
        self._parent: Any = None

    def operations(self) -> dict[str, Operation]:
        return {
            "image": self._picture(self.shot.image(Image.fromarray(self.picture), strength=0.5)),
            "content": self._picture(self.content, made=self.shot),
            "motion": self._clip(self.shot.motion(self.case.caption(), magnitude="large")),
            "drag warp": self._warp,
            "drag": self._picture(self._dragged(), made=self.shot),
            "drag step": self._drag_steps,
            "preview": self._preview(self.shot.motion(self.case.caption(), magnitude="large")),
            "edit preview": self._preview(self.content),
            "full clip": self._clip(self.shot.motion(self.case.caption())),
        }

    def _painter(self) -> VideoModel:
        if self.model.pictures is None:
            raise ModelError(f"model {self.model.identity!r} starts from no picture; choose one that does")
        return self.model.pictures.picture_model()

    def _dragged(self) -> Shot:
        return self.shot.drag(self.case.centre, self.case.target, region=self.region)

    def _picture(self, shot: Shot, made: Shot | None = None) -> Operation:
        """The intermediate picture of a shot; that of ``made`` is there already."""

        def run() -> list[float]:
            from rehearse.pictures import PictureCache, make_intermediate
            from rehearse.resolve.instructions.pictures import picture_of

            cache, painter = PictureCache(), self._painter()
            if made is not None:
                make_intermediate(picture_of(made, self.width, self.height), painter, cache=cache)
            return _timed(
                lambda: make_intermediate(picture_of(shot, self.width, self.height), painter, cache=cache)
            )

        return run

    def _warp(self) -> list[float]:
        from rehearse.pictures.warp import warp_picture

        region = Mask.of(self.region).raster(self.height, self.width)
        return _timed(lambda: warp_picture(self.picture, [(self.case.centre, self.case.target)], region))

    def _drag_steps(self) -> list[float]:
        from rehearse.models.image import ImageModel
        from rehearse.pictures.drag_optimise import Pull, optimise_drag

        painter = self._painter()
        if not isinstance(painter, ImageModel):
            raise ModelError(f"model {painter.identity!r} has no features to drag by; choose another")
        region = Mask.of(self.region).raster(self.height, self.width)
        ends: list[float] = []
        optimise_drag(
            self.picture,
            [(self.case.centre, self.case.target)],
            region,
            painter,
            self.case.still_caption(),
            steps=_DRAG_STEPS,
            pull=Pull(arrived=-1.0),  # all steps are timed, however soon the thing is there
            on_step=lambda _: ends.append(time.perf_counter()),
        )
        return np.diff(ends).tolist()

    def _preview(self, changed: Shot) -> Operation:
        def run() -> list[float]:
            from rehearse.pictures.cache import SHARED
            from rehearse.takes import Take

            if self._parent is None:
                self._parent = Take.start(self.shot.motion(self.case.caption()), self.model)
                for _ in self._parent.play(until=max(1, self._parent.steps // 2)):
                    pass
            SHARED.clear()

            def first() -> object:
                return next(iter(self._parent.fork(shot=changed).play())).preview

            return _timed(first)

        return run

    def _clip(self, shot: Shot) -> Operation:
        def run() -> list[float]:
            from rehearse.takes import Take

            return _timed(lambda: Take.start(shot, self.model, keep=0).finish().clip.frames)

        return run


def _timed(work: Callable[[], object]) -> list[float]:
    began = time.perf_counter()
    work()
    return [time.perf_counter() - began]


def device_name() -> str:
    """What the model runs on, in words."""
    import torch

    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}"
    threads = torch.get_num_threads()
    return f"CPU ({platform.machine()}), {threads} thread{'' if threads == 1 else 's'}"


def write_latency_report(
    timings: Sequence[Timing], options: LatencyOptions, model: VideoModel, out: Path, command: str
) -> list[Path]:
    """Write ``latency.md`` and ``latency.json`` into ``out``; the files."""
    own = model.defaults
    sizes = {
        "width": options.width or own.width,
        "height": options.height or own.height,
        "frames": options.frames or own.frames,
        "steps": options.steps or own.steps,
    }
    device = device_name()
    write_json(
        out / "latency.json",
        {
            "command": command,
            "model": options.model,
            "model_sha256": model.fingerprint,
            "device": device,
            **sizes,
            "level": LEVEL,
            "operations": [
                {
                    "name": timing.name,
                    "seconds": as_json(timing.median),
                    "all": list(timing.seconds),
                    "missing": timing.missing or None,
                    "aim": AIMS.get(timing.name),
                    "published": PUBLISHED.get(timing.name),
                }
                for timing in timings
            ],
        },
    )
    rows = [
        [timing.name, _spoken(timing), _aim(timing), _seconds(PUBLISHED.get(timing.name))]
        for timing in timings
    ]
    missing = [f"- {timing.name}: {timing.missing}" for timing in timings if timing.missing]
    told = (__doc__ or "").split("\n\n")
    parts = [
        "# Latency",
        f"`{command}`",
        f"Model `{options.model}` on {device}; {sizes['width']} x {sizes['height']}, {sizes['frames']} "
        f"frames, {sizes['steps']} steps. Medians of {options.repeats} repeats, brackets: {LEVEL:.0%} "
        "bootstrap intervals of the median. Published: RTX 4090, 512 x 512, 16 frames, one iteration of the "
        "operation that comes nearest; another machine, other sizes and models.",
        markdown_table(["operation", "measured", "aim (theatre, 2 cores)", "published"], rows),
        *(["Not timed:\n\n" + "\n".join(missing)] if missing else []),
        "```\n" + told[1] + "\n```\n\n" + told[2].strip(),
    ]
    write_text(out / "latency.md", "\n\n".join(parts) + "\n")
    return [out / "latency.md", out / "latency.json"]


def _spoken(timing: Timing) -> str:
    median = timing.median
    if not timing.seconds:
        return "not timed"
    return f"{_seconds(median.value)} [{_seconds(median.low)}, {_seconds(median.high)}]"


def _aim(timing: Timing) -> str:
    aim = AIMS.get(timing.name)
    if aim is None:
        return ""
    if not timing.seconds:
        return _seconds(aim)
    return f"{_seconds(aim)}: {'holds' if timing.median.value <= aim else '**MISSED**'}"


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{1000 * seconds:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
