"""A process to be killed: saves two versions of a checkpoint over each other. usage: kill_worker.py PATH"""

from __future__ import annotations

import sys
from dataclasses import replace

import torch

from rehearse.sampling.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

path = sys.argv[1]
first = load_checkpoint(path)
versions = [
    Checkpoint(
        replace(first.state, step=step, latents=torch.full((1, 4, 16, 64, 64), float(step))),
        first.shot, first.model, first.fingerprint,
    )
    for step in (1, 2)
]  # fmt: skip
print("ready", flush=True)
while True:
    for version in versions:
        save_checkpoint(version, path)
