"""What a drag costs: the elastic warp, its parts, and one step of the optimised drag at theatre size.

    python benchmarks/drag.py [--repeats 9] [--clock wall|cpu] [--json out]

One thread. A drawn disc of a third of the frame's width is dragged by one and by three handles. Beside the
milliseconds stands the ratio to blurring the same picture on the same machine (three passes of Pillow's
GaussianBlur of 4 pixels), which travels between machines better than milliseconds do. The optimising step is
one forward and backward pass through ``theatre-image``'s architecture with random weights, to the features of
its last two up blocks, which supervision and tracking share; its ratio is to one plain denoising step. The
aim is at most 77 ms for a warp at 512.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from torch import Tensor

from rehearse.pictures.prefill import prefill
from rehearse.pictures.region import find_region
from rehearse.pictures.warp import Drag, Move, cut, warp_picture
from rehearse.theatre.recipes import IMAGE_UNET, LATENT_CHANNELS, TEXT_WIDTH
from rehearse.theatre.tokenizer import MAX_TOKENS

AIM_MS = 77.0
CLOCK = "wall"
ONE: list[Move] = [((0.4, 0.5), (0.6, 0.45))]
THREE: list[Move] = [
    ((0.3, 0.5), (0.3, 0.5)),
    ((0.5, 0.5), (0.6, 0.45)),
    ((0.4, 0.4), (0.45, 0.3)),
]


@dataclass(frozen=True, slots=True)
class Result:
    """What was timed, at which side in pixels, the median in ms, and its ratio to the yardstick."""

    what: str
    size: int
    ms: float
    ratio: float


def _now() -> float:
    return time.process_time() if CLOCK == "cpu" else time.perf_counter()


def median_ms(work: Callable[[], object], repeats: int) -> float:
    """Median time of one call in milliseconds, after one call that does not count."""
    work()
    times = []
    for _ in range(repeats):
        start = _now()
        work()
        times.append(1e3 * (_now() - start))
    return statistics.median(times)


def scene(size: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A disc on a ramp, and the region it covers."""
    y, x = np.mgrid[:size, :size] / size
    disc = np.hypot(x - 0.4, y - 0.5) < 1 / 6
    picture = np.stack([100 + 80 * x, 120 + 60 * y, 160 + 0 * x], axis=-1)
    picture[disc] = (210, 50, 60)
    return picture.astype(np.uint8), disc


def warps(size: int, repeats: int) -> list[Result]:
    """The elastic drag and its parts at one size."""
    picture, region = scene(size)
    image = Image.fromarray(picture)

    def yardstick() -> None:
        blurred = image.copy()
        for _ in range(3):
            blurred = blurred.filter(ImageFilter.GaussianBlur(4))

    unit = median_ms(yardstick, repeats)
    prepared = cut(picture, [Drag(THREE, region)])
    works: dict[str, Callable[[], object]] = {
        "warp, one handle": lambda: warp_picture(picture, ONE, region),
        "warp, three handles": lambda: warp_picture(picture, THREE, region),
        "warp, region found": lambda: warp_picture(picture, THREE),
        "lay a cut region again": lambda: prepared.lay([THREE]),
        "find the region": lambda: find_region(picture, [(0.4, 0.5)]),
        "prefill": lambda: prefill(picture, region),
    }
    timed = {what: median_ms(work, repeats) for what, work in works.items()}
    return [Result(what, size, ms, ms / unit) for what, ms in timed.items()]


def optimising(repeats: int) -> Result:
    """One optimising step, against one plain denoising step."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    torch.manual_seed(0)
    unet = UNet2DConditionModel(**IMAGE_UNET).eval().requires_grad_(False)
    latents = torch.randn(1, LATENT_CHANNELS, 16, 16)
    text, timestep = torch.randn(1, MAX_TOKENS, TEXT_WIDTH), torch.tensor(500)
    kept: list[Tensor] = []
    for block in unet.up_blocks[-2:]:
        block.register_forward_hook(lambda _module, _args, output: kept.append(output))

    @torch.no_grad()
    def plain() -> None:
        unet(latents, timestep, encoder_hidden_states=text)

    def step() -> None:
        kept.clear()
        asked = latents.clone().requires_grad_(True)
        unet(asked, timestep, encoder_hidden_states=text)
        both = torch.stack([features.diff(dim=-1).abs().mean() for features in kept])
        torch.autograd.grad(both.sum(), asked)

    unit = median_ms(plain, repeats)
    ms = median_ms(step, repeats)
    return Result("optimising step", 128, ms, ms / unit)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9, help="timed calls of each, at least 1")
    parser.add_argument("--json", type=Path, help="write the results there")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="cpu: on a busy machine")
    args = parser.parse_args()
    global CLOCK
    CLOCK = args.clock
    if args.repeats < 1:
        parser.error(f"--repeats {args.repeats} measures nothing; give at least 1")
    torch.set_num_threads(1)
    results = [result for size in (128, 256, 512) for result in warps(size, args.repeats)]
    results.append(optimising(args.repeats))
    print(f"{'what':<24} {'size':>5} {'ms':>8} {'ratio':>7}")
    for one in results:
        judged = one.size == 512 and one.what.startswith("warp")
        verdict = ("ok" if one.ms <= AIM_MS else "over the aim") if judged else ""
        print(f"{one.what:<24} {one.size:>5} {one.ms:>8.1f} {one.ratio:>7.2f} {verdict}")
    if args.json:
        told = {"threads": 1, "clock": CLOCK, "aim_ms": AIM_MS, "results": [asdict(one) for one in results]}
        args.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
