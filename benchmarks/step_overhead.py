"""What controls cost: one denoising step with them against the same step without, side by side in one run.

    python benchmarks/step_overhead.py [--threads N] [--pairs 20] [--clock wall|cpu] [--json out]

The model is ``theatre-video``'s architecture with random weights (the time does not depend on them): 16
frames of 128x128, guidance on. Each arm's step is timed in turn with the plain step, in changing order, from
the same state at step 0, where every control acts; the ratio of each pair is what counts. The aim is at most
1.10 for all controls together. On a machine that does other work too, give --clock cpu: it counts the
process's own processor time, over all threads.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.controls import (
    AttentionMask,
    CleanPrior,
    Control,
    MaskNormalization,
    NoisePrior,
    Subject,
    TrajectoryNoise,
)
from rehearse.models.attention import Stage, install, spread_text
from rehearse.models.model import Tokens, VideoModel
from rehearse.models.precision import Precision, PrecisionName, choose_precision
from rehearse.sampling.loop import Loop
from rehearse.sampling.plan import Plan
from rehearse.schedulers import make_scheduler
from rehearse.shot import Box, BoxPath
from rehearse.shot.methods import AttentionMasking
from rehearse.sites import Attend
from rehearse.theatre.recipes import LATENT_CHANNELS, SCHEDULER, TEXT_WIDTH, VIDEO_UNET
from rehearse.theatre.tokenizer import MAX_TOKENS

STEPS = 24
TARGET = 1.10


class RandomTheatre(VideoModel):
    """``theatre-video``'s denoiser with random weights; it neither reads text nor decodes."""

    identity = "theatre-video (random weights)"
    family = "unet3d"
    prediction_type = "v_prediction"
    fingerprint = ""

    def __init__(self, precision: Precision) -> None:
        from diffusers.models.unets.unet_3d_condition import UNet3DConditionModel

        torch.manual_seed(0)
        self.precision = precision
        self.denoiser = UNet3DConditionModel(**VIDEO_UNET).eval()
        precision.prepare(self.denoiser)
        self.stage = Stage()
        self.sites = install(self.denoiser, self.stage)

    def make_scheduler(self, name: str) -> Any:
        return make_scheduler(name, SCHEDULER)

    def tokenize(self, prompt: str) -> Tokens:
        raise NotImplementedError("this model is only timed")

    def encode(self, prompt: str, negative_prompt: str = "") -> Tensor:
        return torch.randn(2, MAX_TOKENS, TEXT_WIDTH, generator=torch.Generator().manual_seed(1))

    def encode_pictures(self, pictures: NDArray[np.uint8]) -> Tensor:
        raise NotImplementedError("this model is only timed")

    def latent_shape(self, frames: int, height: int, width: int) -> tuple[int, int, int, int]:
        return LATENT_CHANNELS, frames, height // 8, width // 8

    @torch.no_grad()
    def denoise(
        self,
        latents: Tensor,
        timestep: Tensor,
        text: Tensor,
        attend: Attend | None = None,
        condition: Tensor | None = None,
    ) -> Tensor:
        spread, branches, clips = spread_text(text, latents.shape[0])
        stage = self.stage
        stage.attend, stage.branches, stage.clips, stage.frames = attend, branches, clips, latents.shape[2]
        with self.precision.scope():
            output: Tensor = self.denoiser(latents, timestep, spread, return_dict=False)[0]
        stage.attend = None
        return output.float()

    def decode(self, latents: Tensor) -> NDArray[np.uint8]:
        raise NotImplementedError("this model is only timed")

    def preview(self, latents: Tensor) -> NDArray[np.uint8]:
        raise NotImplementedError("this model is only timed")


@dataclass(frozen=True, slots=True)
class Result:
    """One arm. plain_ms, with_ms: medians; ratio: median of the pairs' ratios, with their quartiles."""

    arm: str
    subjects: int
    plain_ms: float
    with_ms: float
    ratio: float
    lower: float
    upper: float
    pairs: int


def subjects(count: int) -> tuple[Subject, ...]:
    """Up to three subjects on paths of their own: one moves, one moves and grows, one leaves the frame."""
    paths = (
        BoxPath([(0, Box(0.05, 0.35, 0.3, 0.65)), (1, Box(0.7, 0.35, 0.95, 0.65))]),
        BoxPath([(0, Box(0.7, 0.05, 0.85, 0.2)), (1, Box(0.1, 0.05, 0.5, 0.45))]),
        BoxPath([(0, Box(0.4, 0.6, 0.6, 0.9)), (1, Box(0.95, 0.6, 1.15, 0.9))], leaves_frame=True),
    )
    return tuple(
        Subject(
            f"subject {index}",
            (2 + 3 * index, 3 + 3 * index),
            path,
            depth=index,
            inset=AttentionMasking().mask_inset,
        )
        for index, path in enumerate(paths[:count])
    )


def arms(who: tuple[Subject, ...]) -> dict[str, tuple[Control, ...]]:
    """What is timed, masks at planning's sites. The last two are all controls together."""
    own = AttentionMasking()
    bare = AttentionMask(who, STEPS, frozenset(own.mask_sites), frozenset(own.mask_parts))
    mn_a = replace(bare, normalization=MaskNormalization("global"))
    mn_b = replace(bare, normalization=MaskNormalization("regional"))
    tid_a, tid_b = NoisePrior(who, STEPS, strength=0.8), CleanPrior(who, STEPS, strength=0.5)
    return {
        "mask": (bare,),
        "mask + MN-A": (mn_a,),
        "mask + MN-B": (mn_b,),
        "TID-A": (tid_a,),
        "TID-B": (tid_b,),
        "all (MN-A)": (mn_a, TrajectoryNoise(who), tid_a, tid_b),
        "all (MN-B)": (mn_b, TrajectoryNoise(who), tid_a, tid_b),
    }


def measure(
    model: VideoModel, arm: str, controls: tuple[Control, ...], count: int, pairs: int, clock: str
) -> Result:
    """Time one arm against the plain step."""
    now = time.process_time if clock == "cpu" else time.perf_counter
    size: dict[str, Any] = {"frames": 16, "width": 128, "height": 128, "fps": 8, "steps": STEPS}
    size |= {"guidance": 5.0, "scheduler": "ddim", "seed": 0, "text": model.encode("")}
    loops = (Loop(model, Plan(**size)), Loop(model, Plan(**size, controls=controls)))
    state = loops[0].start()
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
    plain, with_controls = (statistics.median(of) for of in times)
    return Result(arm, count, plain, with_controls, statistics.median(ratios), lower, upper, pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--pairs", type=int, default=20, help="pairs of steps per arm, at least 2")
    parser.add_argument("--subjects", type=int, choices=(1, 2, 3), default=1)
    parser.add_argument(
        "--precision", choices=("float32", "bfloat16"), help="default: what this CPU is good at"
    )
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--arm", help="only the arms whose name holds this")
    parser.add_argument("--json", type=Path, help="write the results there")
    args = parser.parse_args()
    if args.pairs < 2:
        parser.error(f"--pairs {args.pairs} is too few for a spread; give at least 2")
    torch.set_num_threads(args.threads)
    asked: PrecisionName | None = args.precision
    precision = choose_precision("cpu", asked)
    model = RandomTheatre(precision)
    kind = str(precision.dtype).removeprefix("torch.")
    print(f"{kind}, {args.threads} thread(s), {args.clock} time, {args.subjects} subject(s)")
    print(f"{'arm':<14} {'plain ms':>9} {'with ms':>9} {'ratio':>7} {'quartiles':>15}")
    results = []
    for arm, controls in arms(subjects(args.subjects)).items():
        if args.arm and args.arm not in arm:
            continue
        result = measure(model, arm, controls, args.subjects, args.pairs, args.clock)
        results.append(result)
        spread = f"{result.lower:.3f} - {result.upper:.3f}"
        verdict = "" if not arm.startswith("all") else "ok" if result.ratio <= TARGET else "over the aim"
        print(
            f"{arm:<14} {result.plain_ms:>9.1f} {result.with_ms:>9.1f} {result.ratio:>7.3f} "
            f"{spread:>15} {verdict}",
            flush=True,
        )
    if args.json:
        setting = {"precision": kind, "threads": args.threads, "clock": args.clock, "aim": TARGET}
        told = json.dumps({**setting, "results": [asdict(result) for result in results]}, indent=2)
        args.json.write_text(told + "\n")


if __name__ == "__main__":
    main()
