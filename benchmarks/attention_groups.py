"""Masked attention by token groups against a dense mask and against no mask: forward time and peak memory.

    python benchmarks/attention_groups.py [--size theatre|zeroscope|all] [--threads N] [--dtype bfloat16]

Each variant runs in a process of its own, so that its peak resident memory is its own; a variant's memory is
the peak less what the process held before it made its inputs, so it includes these. One clip in both guidance
branches at theatre size, one branch at Zeroscope size; one subject in a box of a quarter of the frame's width
that crosses it.

Variants: ``none`` plain attention; ``dense`` a dense additive mask; ``groups`` by token groups. Then masked
and unmasked output together, as mask normalization needs them: ``both-twice`` runs attention twice (plain and
dense mask), ``both-groups`` runs it by groups. On a machine that does other work too, give --clock cpu: it
counts the process's own processor time, over all threads.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Case:
    """One site. branches: guidance branches in the batch; keys: prompt tokens of a cross site, else 0."""

    size: str
    branches: int
    frames: int
    height: int
    width: int
    heads: int
    head_dim: int
    keys: int = 0

    @property
    def label(self) -> str:
        kind = f"cross {self.keys}" if self.keys else "spatial"
        return f"{self.size} {kind} {self.frames}x{self.height}x{self.width} h{self.heads}x{self.head_dim}"


CASES = (
    Case("theatre", 2, 16, 16, 16, 2, 32),
    Case("theatre", 2, 16, 8, 8, 4, 32),
    Case("theatre", 2, 16, 16, 16, 2, 32, keys=32),
    Case("zeroscope", 1, 24, 40, 72, 5, 64),
    Case("zeroscope", 1, 24, 20, 36, 10, 64),
    Case("zeroscope", 1, 24, 10, 18, 20, 64),
    Case("zeroscope", 1, 24, 40, 72, 5, 64, keys=77),
)
VARIANTS = ("none", "dense", "groups", "both-twice", "both-groups")


@dataclass(frozen=True, slots=True)
class Result:
    """Median and range of the forward time in ms, and peak memory, inputs included, in MiB."""

    case: str
    variant: str
    median_ms: float
    fastest_ms: float
    slowest_ms: float
    runs: int
    peak_mib: float


def variant_call(case: Case, variant: str, dtype_name: str) -> Callable[[], object]:
    """What one run of a variant does, its indices and masks made beforehand as in a take."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    from rehearse.controls.grouped_attention import attend_by_groups
    from rehearse.controls.subject import Subject
    from rehearse.controls.token_groups import cross_groups, cross_mask, spatial_groups, spatial_mask
    from rehearse.shot import Box, BoxPath
    from rehearse.sites import AttentionCall, Grid, Site

    dtype = getattr(torch, dtype_name)
    generator = torch.Generator().manual_seed(0)
    batch, area = case.branches * case.frames, case.height * case.width

    def tokens(count: int) -> torch.Tensor:
        shape = (batch, count, case.heads, case.head_dim)
        return torch.randn(shape, generator=generator).to(dtype).transpose(1, 2)

    query, key, value = tokens(area), tokens(case.keys or area), tokens(case.keys or area)
    grid = Grid(case.frames, case.height, case.width)
    path = BoxPath([(0, Box(0.05, 0.3, 0.3, 0.65)), (1, Box(0.7, 0.4, 0.95, 0.75))])
    subjects = (Subject("red ball", (2, 3), path),)
    device = query.device
    call = AttentionCall(
        site=Site("benchmark", "cross" if case.keys else "spatial", "up", case.heads),
        grid=grid,
        query=query,
        key=key,
        value=value,
        project=lambda heads: heads,
        branches=case.branches,
        clips=1,
    )

    def plain() -> torch.Tensor:
        return scaled_dot_product_attention(query, key, value)

    if variant == "none":
        return plain
    if variant in ("dense", "both-twice"):
        mask = (
            cross_mask(subjects, grid, case.keys, (0,), case.branches, device, dtype)
            if case.keys
            else spatial_mask(subjects, grid, case.branches, device, dtype)
        )

        def dense() -> torch.Tensor:
            return scaled_dot_product_attention(query, key, value, attn_mask=mask)

        return dense if variant == "dense" else lambda: (plain(), dense())
    grouping = (
        cross_groups(subjects, grid, case.keys, (0,), case.branches, device)
        if case.keys
        else spatial_groups(subjects, grid, case.branches, device)
    )
    return lambda: attend_by_groups(call, grouping, unmasked=variant == "both-groups")


def measure(case: Case, variant: str, dtype: str, threads: int, seconds: float, clock: str) -> Result:
    """Run one variant in this process."""
    import torch

    torch.set_num_threads(threads)
    now = time.process_time if clock == "cpu" else time.perf_counter
    with torch.inference_mode():
        before = _peak_mib()
        run = variant_call(case, variant, dtype)
        run()
        times: list[float] = []
        stop = time.perf_counter() + seconds
        while len(times) < 3 or time.perf_counter() < stop:
            start = now()
            run()
            times.append(1e3 * (now() - start))
    return Result(
        case.label,
        variant,
        statistics.median(times),
        min(times),
        max(times),
        len(times),
        _peak_mib() - before,
    )


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _in_own_process(index: int, variant: str, args: argparse.Namespace) -> Result:
    command = [sys.executable, str(Path(__file__)), "--one", str(index), variant, "--dtype", args.dtype]
    command += ["--threads", str(args.threads), "--seconds", str(args.seconds), "--clock", args.clock]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Result(**json.loads(done.stdout))


def _row(result: Result, base: Result) -> str:
    return (
        f"{result.case:<38} {result.variant:<12} {result.median_ms:>9.2f} "
        f"{result.fastest_ms:>9.2f} {result.slowest_ms:>9.2f} {result.median_ms / base.median_ms:>7.2f}x "
        f"{result.peak_mib:>9.0f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", choices=("theatre", "zeroscope", "all"), default="all")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seconds", type=float, default=2.0, help="time to measure each variant for")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--json", type=Path, help="write the results there")
    parser.add_argument("--one", nargs=2, metavar=("CASE", "VARIANT"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        case = CASES[int(args.one[0])]
        told = measure(case, args.one[1], args.dtype, args.threads, args.seconds, args.clock)
        print(json.dumps(asdict(told)))
        return
    print(f"{args.dtype}, {args.threads} thread(s), {args.clock} time")
    print(
        f"{'site':<38} {'variant':<12} {'median ms':>9} {'fastest':>9} {'slowest':>9} {'':>8} {'peak MiB':>9}"
    )
    results: list[Result] = []
    for index, case in enumerate(CASES):
        if args.size not in ("all", case.size):
            continue
        base: Result | None = None
        for variant in VARIANTS:
            result = _in_own_process(index, variant, args)
            base = base or result
            results.append(result)
            print(_row(result, base), flush=True)
    if args.json:
        setting = {"dtype": args.dtype, "threads": args.threads, "clock": args.clock}
        rows = [asdict(result) for result in results]
        args.json.write_text(json.dumps({**setting, "results": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
