"""``rehearse train target``, ``lora``, ``motion``: the options they share reach the trainer whole."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer

from rehearse.cli import run
from rehearse.cli.options import spread

_SHARED = [
    "d.jsonl", "--base", "B", "--out", "o", "--steps", "7", "--batch", "3", "--accumulate", "2",
    "--rate", "0.01", "--frames", "9", "--size", "32x48", "--every", "2", "--text-dropout", "0.3",
    "--ema", "0.9", "--seed", "5", "--precision", "fp16", "--recompute", "--save-every", "11",
    "--sheet-every", "13", "--cache", "c", "--tensorboard", "--cpu",
]  # fmt: skip
_LORA = ["--rank", "4", "--alpha", "2", "--modules", "a, b"]
_COLUMN = [
    "--attention-weight", "0.4", "--direction", "t2v", "--normalise", "max", "--blocks", "all", "--draw", "3",
]  # fmt: skip


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    from rehearse.training.own import run as room

    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(room, "train", lambda *said: calls.append(said))
    return calls


@pytest.mark.parametrize(
    ("kind", "more"),
    [("target", [*_LORA, *_COLUMN]), ("lora", _LORA), ("motion", [])],
    ids=lambda x: str(x)[:6],
)
def test_every_option_reaches_the_trainer(kind: str, more: list[str], told: list[tuple[Any, ...]]) -> None:
    from rehearse.training.own.run import Data
    from rehearse.training.own.settings import ColumnRecipe, LoraRecipe, Recipe, Running

    assert run(["train", kind, *_SHARED, *more]) == 0
    recipe = Recipe(batch=3, rate=0.01, text_dropout=0.3, ema=0.9, seed=5, precision="fp16")
    running = Running(
        out=Path("o"), steps=7, accumulate=2, checkpointing=True, save_every=11, sheet_every=13,
        tensorboard=True, cpu=True,
    )  # fmt: skip
    clips = Data(Path("d.jsonl"), 9, (32, 48), 2, Path("c"))
    shape = None if kind == "motion" else LoraRecipe(4, 2.0, ("a", "b"))
    column = ColumnRecipe(0.4, "t2v", "max", "all", 3) if kind == "target" else None
    assert told == [(kind, clips, "B", recipe, running, shape, column)]


def test_motion_trains_longer_unless_told(told: list[tuple[Any, ...]]) -> None:
    for kind in ("lora", "motion"):
        assert run(["train", kind, "d.jsonl", "-b", "B", "-o", "o"]) == 0
    assert [(said[4].steps, said[3].batch) for said in told] == [(2000, 4), (10_000, 8)]


@dataclass(frozen=True)
class Light:
    colour: Annotated[str, typer.Argument()]
    watts: Annotated[int, typer.Option(min=1)] = 40


def test_a_dataclass_is_spread_where_it_stands() -> None:
    made: list[tuple[int, Light, bool]] = []

    def lamp(height: int, light: Light, on: bool = True) -> None:
        made.append((height, light, on))

    command = spread(lamp)
    assert list(signature(command).parameters) == ["height", "colour", "watts", "on"]
    command(height=3, colour="red", watts=60, on=False)
    assert made == [(3, Light("red", 60), False)]
