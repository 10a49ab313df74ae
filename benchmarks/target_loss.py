"""What the attention loss costs a training step: plain LoRA, LoRA and the exact column, LoRA and the full
map.

    python benchmarks/target_loss.py [--tokens N | --tokens 17776] [--blocks N] [--steps N] [--device cuda]

Three variants run side by side in one run, a process each so that its peak memory is its own: ``plain`` is a
LoRA step; ``column`` adds the exact-column loss of ``training/own/attention_column.py``; ``full`` computes
the whole attention map of the blocks it reads, as a straightforward implementation does, and takes its
column. All three are real CogVideoX blocks with random weights, a LoRA, gradient checkpointing and an AdamW
step.

--tokens is text and video tokens together; 17776 has CogVideoX-5B's own widths (48 heads of 64, 226 text
tokens, 13 frames of 30 x 45 tokens) and as many blocks as --blocks says. The share of blocks that the loss
reads is the paper's, 7 of 42, and one at least. Where the full map of 17776 tokens does not fit into the
machine, its row says so, with the bytes that the map alone would take. On a machine that does other work,
--clock cpu counts the process's own processor time.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FULL = 17776
VARIANTS = ("plain", "column", "full")


@dataclass(frozen=True, slots=True)
class Size:
    """Sizes of a model and its clip, in tokens. height, width: of a frame."""

    heads: int
    head_width: int
    text: int
    frames: int
    height: int
    width: int
    text_width: int
    rank: int

    @property
    def tokens(self) -> int:
        return self.text + self.frames * self.height * self.width


def size_of(tokens: int) -> Size:
    """CogVideoX-5B's at its own number of tokens; else four heads of 64 on a clip of about that many."""
    if tokens == FULL:
        return Size(48, 64, 226, 13, 30, 45, 4096, 128)
    side = max(2, round(math.sqrt((tokens - 32) / 13)))
    return Size(4, 64, 32, 13, side, side, 64, 16)


def transformer(size: Size, blocks: int) -> Any:
    from diffusers import CogVideoXTransformer3DModel

    return CogVideoXTransformer3DModel(
        num_attention_heads=size.heads,
        attention_head_dim=size.head_width,
        in_channels=33,
        out_channels=16,
        text_embed_dim=size.text_width,
        num_layers=blocks,
        sample_width=2 * size.width,
        sample_height=2 * size.height,
        sample_frames=4 * size.frames - 3,
        max_text_seq_length=size.text,
        use_rotary_positional_embeddings=True,
    )


def full_map(query: Any, key: Any, words: Any, reach: str = "joint") -> Any:
    """The column taken from a map of every query with every key: what the exact column replaces."""
    import torch

    attention = (query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5).softmax(dim=-1)
    return (
        torch.einsum("bhqt,brt->brq", attention[..., : words.shape[-1]], words.to(attention.dtype))
        / query.shape[1]
    )


def measure(variant: str, args: argparse.Namespace) -> dict[str, Any]:
    """Time and peak memory of training steps, in this process."""
    import torch
    from peft import LoraConfig

    from rehearse.models.cogvideox_positions import rotary_positions
    from rehearse.training.own import attention_column
    from rehearse.training.own.attention_column import Watch, WatchedTransformer
    from rehearse.training.own.losses import column_error

    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    device, size = torch.device(args.device), size_of(args.tokens)
    kind = torch.bfloat16 if args.dtype == "bfloat16" else torch.float32
    with device:
        model = transformer(size, args.blocks).to(kind).requires_grad_(False)
    model.add_adapter(
        LoraConfig(r=size.rank, lora_alpha=size.rank / 2, target_modules=["to_q", "to_k", "to_v", "to_out.0"])
    )
    if variant == "full":
        # All queries, as the map of a whole block has them; first-frame rows are taken from it.
        def whole(query: Any, key: Any, words: Any, reach: str = "joint") -> Any:
            return full_map(query, key, words)

        attention_column.video_to_text = whole
    module = WatchedTransformer(model)
    module.checkpoint_gradients()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4)
    first = size.height * size.width
    read = max(1, round(args.blocks * 7 / 42))
    latents = torch.randn(1, size.frames, 33, 2 * size.height, 2 * size.width, device=device, dtype=kind)
    text = torch.randn(1, size.text, size.text_width, device=device, dtype=kind)
    rotary = rotary_positions(model, size.frames, 2 * size.height, 2 * size.width, device=device)
    words = torch.zeros(1, 1, size.text, device=device)
    words[..., 5] = 1
    mask = (torch.rand(1, 1, first, device=device) > 0.9).float()
    queries = size.frames * first if variant == "full" else first

    def step() -> None:
        watch = (
            None
            if variant == "plain"
            else Watch(words, frozenset(range(0, args.blocks, args.blocks // read)[:read]), queries)
        )
        output, columns = module(latents, torch.tensor([500], device=device), text, rotary, watch=watch)
        loss = output.float().square().mean()
        if columns is not None:
            loss = loss + 0.1 * column_error(columns[..., :first], mask, torch.ones(1, 1, device=device))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    clock = time.process_time if args.clock == "cpu" else time.perf_counter
    on_gpu = device.type == "cuda"
    held = 0 if on_gpu else resident()
    times = []
    for _ in range(args.steps + 1):
        began = clock()
        step()
        if on_gpu:
            torch.cuda.synchronize()
        times.append(clock() - began)
    peak = (
        torch.cuda.max_memory_allocated()
        if on_gpu
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    )
    return {
        "variant": variant,
        "tokens": size.tokens,
        "blocks": args.blocks,
        "read": 0 if variant == "plain" else read,
        "seconds": statistics.median(times[1:]),
        "peak": peak,
        "before": held,
        "map": size.tokens**2 * size.heads * (2 if kind is torch.bfloat16 else 4),
    }


def resident() -> int:
    """Bytes this process has used at most until now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def map_bytes(args: argparse.Namespace) -> int:
    """Bytes of the whole attention map of one block, before its softmax is kept for the backward pass."""
    size = size_of(args.tokens)
    return size.tokens**2 * size.heads * (2 if args.dtype == "bfloat16" else 4)


def lacking(args: argparse.Namespace) -> str:
    """Why the whole map is not even tried: a machine that runs out of memory takes other work with it. Empty
    where it may fit."""
    if args.device != "cpu":
        return ""  # a GPU refuses by itself
    has = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    needed = map_bytes(args)
    if needed < has:
        return ""
    return f"does not fit: one map is {needed / 2**30:.1f} GiB, and the machine has {has / 2**30:.1f} GiB"


def table(results: list[dict[str, Any]]) -> str:
    """Rows of a Markdown table, ratios to the plain step."""
    plain = next((r for r in results if r["variant"] == "plain" and "seconds" in r), None)
    lines = [
        "| variant | blocks read | s a step | of plain | peak MiB | of plain |",
        "|---|---|---|---|---|---|",
    ]
    for r in results:
        if "seconds" not in r:
            lines.append(f"| {r['variant']} | {r['why']} | | | | |")
            continue
        slower = f"{r['seconds'] / plain['seconds']:.2f}x" if plain else ""
        larger = f"{r['peak'] / plain['peak']:.2f}x" if plain else ""
        lines.append(
            f"| {r['variant']} | {r['read']} of {r['blocks']} | {r['seconds']:.3f} | {slower} "
            f"| {r['peak'] / 2**20:.0f} | {larger} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--tokens", type=int, default=864, help=f"text and video tokens; {FULL}: CogVideoX-5B's"
    )
    parser.add_argument("--blocks", type=int, default=6)
    parser.add_argument("--steps", type=int, default=5, help="timed steps, after one that is not")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", choices=("bfloat16", "float32"), default="float32")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=VARIANTS)
    parser.add_argument("--out", type=Path, help="write figures (JSON) and table (.md beside it) here")
    parser.add_argument("--one", choices=VARIANTS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(args.one, args)))
        return
    results = []
    for variant in args.variants:
        why = lacking(args) if variant == "full" else ""
        if why:
            results.append({"variant": variant, "why": why})
            continue
        words = [word for word in sys.argv[1:] if word not in VARIANTS and word != "--variants"]
        done = subprocess.run(
            [sys.executable, __file__, *words, "--one", variant],
            capture_output=True,
            text=True,
        )
        if done.returncode == 0:
            results.append(json.loads(done.stdout.splitlines()[-1]))
        else:
            last = (done.stderr.strip().splitlines() or ["killed"])[-1][:80]
            one = f"one map is {map_bytes(args) / 2**30:.1f} GiB"
            results.append({"variant": variant, "why": f"does not fit ({last}); {one}"})
        print(f"{variant} done", file=sys.stderr)
    head = f"{size_of(args.tokens).tokens} tokens, {args.blocks} blocks, {args.dtype}, {args.device}"
    told = f"{head}\n\n{table(results)}"
    print(told)
    if args.out is not None:
        args.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        args.out.with_suffix(".md").write_text(told + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
