"""Ctrl-C under several processes: all stop at one step, behind a checkpoint."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from toy_cogvideox import save_base, save_rows

from rehearse.cli import run
from rehearse.training.own.checkpoint import checkpoints


@pytest.mark.slow
def test_two_processes_stop_behind_a_checkpoint(tmp_path: Path) -> None:
    base, data, out = save_base(tmp_path / "base"), save_rows(tmp_path / "data"), tmp_path / "out"
    words = [
        *("train", "lora", str(data), "--base", str(base), "--out", str(out), "--batch", "2", "--cpu"),
        *("--rank", "2", "--alpha", "1", "--save-every", "1000000", "--sheet-every", "0"),
    ]
    launch = [*("-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "-m", "rehearse")]
    with (tmp_path / "told").open("w") as told:
        process = subprocess.Popen(
            [sys.executable, *launch, *words, "--steps", "1000000"],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stderr=told,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        try:
            while not (out / "metrics.jsonl").exists() and process.poll() is None:
                time.sleep(0.05)
            assert not checkpoints(out)
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
            process.wait(timeout=300)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    said = (tmp_path / "told").read_text()
    (last,) = checkpoints(out)
    assert f"stopped after a checkpoint in {out}; call the same again" in said, said[-3000:]
    reached = int(last.stem.rpartition("-")[2])
    assert run([*words, "--steps", str(reached + 1)]) == 0
