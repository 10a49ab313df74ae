"""The command line in this process, and toy models for it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from rehearse.cli import run

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from toy_models import WORDS, save_toy_model

DEFAULTS = {"frames": 4, "steps": 3, "guidance": 3.0, "fps": 8}


@dataclass(frozen=True)
class Said:
    """What a command line said: exit code, stdout and stderr."""

    code: int
    out: str
    err: str


Rehearse = Callable[..., Said]


@pytest.fixture
def rehearse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Rehearse:
    """Run one command line in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REHEARSE_DEBUG", raising=False)
    monkeypatch.setenv("COLUMNS", "100")

    def call(*arguments: object) -> Said:
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Said(code, out, err)

    return call


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video model with a closed vocabulary that takes at most 8 frames."""
    folder = tmp_path_factory.mktemp("models") / "toy"
    return save_toy_model(folder, vocabulary=WORDS, settings={"defaults": DEFAULTS, "max_frames": 8})


@pytest.fixture(scope="session")
def slow_toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose default run takes longer than any test waits."""
    folder = tmp_path_factory.mktemp("models") / "slow"
    return save_toy_model(folder, settings={"defaults": {**DEFAULTS, "frames": 16, "steps": 900}})
