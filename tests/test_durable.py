"""Files written whole or not at all: how a disk without room is known."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
import torch

from rehearse.durable import is_full_disk, write_durably
from rehearse.sampling.checkpoint import Checkpoint, CheckpointError, save_checkpoint
from rehearse.sampling.snapshot import Snapshot
from rehearse.sampling.state import State
from rehearse.schedulers import make_scheduler


def _chained(code: int) -> BaseException:
    try:
        try:
            raise OSError(code, "nichts mehr frei")
        except OSError as error:
            raise ValueError("cannot write it") from error
    except ValueError as error:
        return error


def test_a_full_disk_is_known_by_its_number() -> None:
    assert is_full_disk(OSError(errno.ENOSPC, "nichts mehr frei"))
    assert is_full_disk(OSError(errno.EDQUOT, "Quota"))
    assert not is_full_disk(OSError(errno.EIO, "no space left on this sentence"))
    assert not is_full_disk(ValueError("no space left on device"))


def test_the_cause_of_an_error_counts_too() -> None:
    assert is_full_disk(_chained(errno.ENOSPC))
    assert not is_full_disk(_chained(errno.EACCES))


def test_a_checkpoint_that_finds_no_room_tells_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "nichts mehr frei")

    scheduler = make_scheduler("ddim", {})
    scheduler.set_timesteps(2)
    state = State(
        step=0,
        latents=torch.zeros(1, 1, 1, 2, 2),
        scheduler=Snapshot.capture(scheduler),
        generator=torch.Generator().get_state(),
    )
    checkpoint = Checkpoint(state, shot="{}", model="toy", fingerprint="0" * 64)
    file = tmp_path / "checkpoint.safetensors"
    write_durably(file, b"what was there")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(CheckpointError) as caught:
            save_checkpoint(checkpoint, file)
    assert is_full_disk(caught.value)
    assert file.read_bytes() == b"what was there"
