"""What the blend of equation 4 costs: one denoising step with it against the same step without.

    python benchmarks/blend.py [--model NAME] [--threads N] [--pairs 10] [--clock wall|cpu] [--json out]

Arms: ``computed`` (both sides predicted, one after the other), ``batched`` (both in one call of twice the
batch: what the loop does not do, to see whether it should), ``kept`` (the original's predictions taken over)
and ``w = 0`` (a blend without weight, which must cost nothing). Without --model the denoiser is
``theatre-video``'s architecture with random weights. Each arm's step is timed in turn with the plain step, in
changing order, from the same state; the ratio of each pair is what counts. The aims: at most 2.1 computed,
about 1 kept. On a machine that does other work too, give --clock cpu.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rehearse.models.model import VideoModel
from rehearse.models.precision import choose_precision
from rehearse.sampling.blend import Blend, Kept, Side
from rehearse.sampling.loop import Loop
from rehearse.sampling.plan import Plan
from rehearse.sampling.state import State

STEPS = 24
AIM = 2.1


@dataclass(frozen=True, slots=True)
class Result:
    """One arm. plain_ms, with_ms: medians; ratio: median of the pairs' ratios, with their quartiles."""

    arm: str
    plain_ms: float
    with_ms: float
    ratio: float
    lower: float
    upper: float
    pairs: int


class Batched(Loop):
    """The loop with both sides of a blend in one call, as two clips: only what the timing needs."""

    @torch.no_grad()
    def step(self, state: State) -> State:
        blend = self.plan.blend
        assert blend is not None and isinstance(blend.original, Side)
        text = torch.stack([self.plan.text, blend.original.text], dim=1)
        latents = torch.cat([state.latents] * 4)
        scheduler = state.scheduler.restore()
        timestep = scheduler.timesteps[state.step]
        empty, full = self.model.denoise(latents, timestep, text, condition=self.plan.condition).chunk(2)
        both: Tensor = empty + self.plan.guidance * (full - empty)
        mixed = torch.lerp(both[:1], both[1:], blend.weights)
        stepped = scheduler.step(mixed, timestep, state.latents, return_dict=False)[0]
        return replace(state, step=state.step + 1, latents=stepped, scheduler=state.scheduler)


def arms(model: VideoModel, plan: Plan, state: State) -> dict[str, Loop]:
    """What is timed: the loop of each arm."""
    x0 = Loop(model, plan).step(state).x0
    assert x0 is not None
    half = torch.full((1, 1, 1, 1, 1), 0.5)
    other = replace(plan.side, text=plan.text.flip(-1))
    computed = replace(plan, blend=Blend(other, half))
    return {
        "computed": Loop(model, computed),
        "batched": Batched(model, computed),
        "kept": Loop(model, replace(plan, blend=Blend(Kept({state.step: x0}), half))),
        "w = 0": Loop(model, replace(plan, blend=Blend(other, torch.zeros_like(half)))),
    }


def measure(plain: Loop, with_blend: Loop, state: State, arm: str, pairs: int, clock: str) -> Result:
    """Time one arm against the plain step."""
    now: Callable[[], float] = time.process_time if clock == "cpu" else time.perf_counter
    loops = (plain, with_blend)
    for loop in loops:
        loop.step(state)
    times: tuple[list[float], list[float]] = ([], [])
    for pair in range(pairs):
        for which in (0, 1) if pair % 2 == 0 else (1, 0):
            start = now()
            loops[which].step(state)
            times[which].append(1e3 * (now() - start))
    ratios = [b / a for a, b in zip(*times, strict=True)]
    lower, _, upper = statistics.quantiles(ratios, n=4)
    medians = [statistics.median(of) for of in times]
    return Result(arm, medians[0], medians[1], statistics.median(ratios), lower, upper, pairs)


def shown(model: VideoModel, size: dict[str, int]) -> Tensor | None:
    """What a model that starts from a picture is shown: a grey one, which it moves as much as it likes."""
    if model.pictures is None or not model.pictures.required:
        return None
    picture = np.full((1, size["height"], size["width"], 3), 127, np.uint8)
    return model.pictures.condition(picture, [0.5] * size["frames"])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", help="a model to load; default: theatre-video's size, random weights")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--pairs", type=int, default=10, help="pairs of steps per arm, at least 2")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--json", type=Path, help="write the results there")
    args = parser.parse_args()
    if args.pairs < 2:
        parser.error(f"--pairs {args.pairs} is too few for a spread; give at least 2")
    torch.set_num_threads(args.threads)
    model: VideoModel
    if args.model:
        from rehearse.models import load_model

        model = load_model(args.model)
        own = model.defaults
        size: dict[str, Any] = {"frames": own.frames, "width": own.width, "height": own.height}
    else:
        sys.path.insert(0, str(Path(__file__).resolve().parent))
        from step_overhead import RandomTheatre

        model, size = (
            RandomTheatre(choose_precision("cpu", None)),
            {"frames": 16, "width": 128, "height": 128},
        )
    plan = Plan(
        **size, fps=8, steps=STEPS, guidance=5.0, scheduler="ddim", seed=0, text=model.encode(""),
        condition=shown(model, size),
    )  # fmt: skip
    plain = Loop(model, plan)
    state = plain.start()
    print(f"{model.identity}, {args.threads} thread(s), {args.clock} time")
    print(f"{'arm':<10} {'plain ms':>9} {'with ms':>9} {'ratio':>7} {'quartiles':>15}")
    results = []
    for arm, loop in arms(model, plan, state).items():
        result = measure(plain, loop, state, arm, args.pairs, args.clock)
        results.append(result)
        spread = f"{result.lower:.3f} - {result.upper:.3f}"
        verdict = "" if arm != "computed" else "ok" if result.ratio <= AIM else "over the aim"
        print(
            f"{arm:<10} {result.plain_ms:>9.1f} {result.with_ms:>9.1f} {result.ratio:>7.3f} "
            f"{spread:>15} {verdict}",
            flush=True,
        )
    if args.json:
        setting = {"model": model.identity, "threads": args.threads, "clock": args.clock, "aim": AIM}
        told = json.dumps({**setting, "results": [asdict(result) for result in results]}, indent=2)
        args.json.write_text(told + "\n")


if __name__ == "__main__":
    main()
