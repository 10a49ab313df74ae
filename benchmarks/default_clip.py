"""How long a person waits for the default clip, from calling Python to a file on the disk.

    python benchmarks/default_clip.py [--threads N] [--runs 5] [--json out]

Each run is a process of its own: start (imports), load (the model from its folder), run (the model's own
number of steps, guidance on, one subject on a path, decoded) and save (.mp4). The aims on 2 cores are 10 s
for the clip (run and save) and 3 s for loading; the whole is told beside them. Times are of this machine;
compare them only with others of the same one.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PARTS = ("start", "load", "run", "save", "whole")
CLIP_AIM, LOAD_AIM = 10.0, 3.0  # seconds

CHILD = """
import json, sys, time
began = float(sys.argv[1])
marks = [time.time()]
import torch
torch.set_num_threads(int(sys.argv[2]))
import rehearse as rh
shot = rh.Shot("a red ball over the meadow", model=sys.argv[3], seed=7)
path = [(0, rh.Box(0.1, 0.4, 0.4, 0.7)), (0.5, rh.Box(0.35, 0.1, 0.65, 0.4)), (1, rh.Box(0.6, 0.4, 0.9, 0.7))]
shot = shot.follow("red ball", path)
load, generate = rh.load_model, rh.generate
marks[0] = time.time()
model = load(shot.model)
marks.append(time.time())
clip = generate(shot, model=model)
marks.append(time.time())
clip.save(sys.argv[4])
marks.append(time.time())
print(json.dumps([b - a for a, b in zip([began, *marks], marks)] + [marks[-1] - began]))
"""


def once(model: str, threads: int, folder: Path, number: int) -> dict[str, float]:
    """Seconds of each part of one run in a fresh process."""
    words = [str(time.time()), str(threads), model, str(folder / f"{number}.mp4")]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *words], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return dict(zip(PARTS, json.loads(done.stdout), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--runs", type=int, default=5, help="processes, one after the other; at least 2")
    parser.add_argument("--model", default="theatre-video")
    parser.add_argument("--json", type=Path, help="write the results there")
    args = parser.parse_args()
    if args.runs < 2:
        parser.error(f"--runs {args.runs} is too few for a spread; give at least 2")
    with tempfile.TemporaryDirectory() as folder:
        runs = [once(args.model, args.threads, Path(folder), number) for number in range(args.runs)]
    print(f"{args.model}, {args.threads} thread(s), {args.runs} runs; seconds")
    print(f"{'part':<8} {'least':>7} {'median':>7} {'most':>7}")
    for part in PARTS:
        seen = [run[part] for run in runs]
        print(f"{part:<8} {min(seen):>7.2f} {statistics.median(seen):>7.2f} {max(seen):>7.2f}")
    held = {
        "clip": statistics.median(run["run"] + run["save"] for run in runs) <= CLIP_AIM,
        "load": statistics.median(run["load"] for run in runs) <= LOAD_AIM,
    }
    aims = f"clip in {CLIP_AIM:g} s: {_word(held['clip'])}; loading in {LOAD_AIM:g} s: {_word(held['load'])}"
    print(f"aims on 2 cores, by the median: {aims}")
    if args.json:
        setting = {
            "model": args.model,
            "threads": args.threads,
            "aims": {"clip": CLIP_AIM, "load": LOAD_AIM},
        }
        args.json.write_text(json.dumps({**setting, "runs": runs}, indent=2) + "\n")


def _word(held: bool) -> str:
    return "ok" if held else "missed"


if __name__ == "__main__":
    main()
