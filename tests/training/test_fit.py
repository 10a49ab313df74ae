"""The training loop: a resumed run is the run that was never stopped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rehearse.theatre.recipes import Recipe
from rehearse.training.fit import Fit, Options, rate_at

RECIPE = Recipe("toy", steps=12, batch=4, rate=1e-2, samples=0, warmup=3)


def _fit(folder: Path, stop: int | None = None) -> Fit:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.SiLU(), nn.Linear(8, 1))
    fit = Fit(RECIPE, module, Options(folder, log_every=2, save_every=1, sheet_seconds=0, device="cpu"))

    def loss(step: int, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        if stop is not None and step == stop:
            raise KeyboardInterrupt
        x = torch.from_numpy(rng.standard_normal((4, 3))).float()
        error = (fit.module(x).float() - x.sum(1, keepdim=True) + 0.01 * torch.randn(4, 1)).square().mean()
        return error, {"twice": 2 * float(error.detach())}

    try:
        fit.run(loss)
    except KeyboardInterrupt:
        assert stop is not None
    return fit


def test_a_resumed_run_is_the_run_that_was_never_stopped(tmp_path: Path) -> None:
    whole = _fit(tmp_path / "whole")
    _fit(tmp_path / "cut", stop=7)
    cut = _fit(tmp_path / "cut")
    assert cut.step == whole.step == 12
    for name, value in whole.average.items():
        assert torch.equal(value, cut.average[name]), name
    for mine, other in zip(whole.module.parameters(), cut.module.parameters(), strict=True):
        assert torch.equal(mine, other)


def test_the_log_says_what_happened_and_dropout_is_off(tmp_path: Path) -> None:
    fit = _fit(tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [2, 4, 6, 8, 10, 12]
    assert all(abs(row["twice"] - 2 * row["loss"]) < 1e-4 for row in rows)
    assert all(m.p == 0 for m in fit.module.modules() if isinstance(m, nn.Dropout))


@pytest.mark.parametrize("asked", ["float32", "bfloat16"])
def test_it_trains_in_the_format_of_the_hardware_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], asked: str
) -> None:
    monkeypatch.setenv("REHEARSE_PRECISION", asked)
    seen = []
    fit = _fit(tmp_path, stop=3)
    with fit.autocast():
        seen.append(fit.module(torch.zeros(1, 3)).dtype)
    assert seen == [getattr(torch, asked)]
    assert f"toy: trains on cpu in {asked}: REHEARSE_PRECISION says so" in capsys.readouterr().err
    assert json.loads((tmp_path / "log.jsonl").read_text().splitlines()[0])["precision"] == asked


def test_averaged_weights_are_lent_and_given_back(tmp_path: Path) -> None:
    fit = _fit(tmp_path)
    live = [p.detach().clone() for p in fit.module.parameters()]
    with fit.averaged():
        assert any(not torch.equal(p, q) for p, q in zip(fit.module.parameters(), live, strict=True))
    assert all(torch.equal(p, q) for p, q in zip(fit.module.parameters(), live, strict=True))


def test_the_rate_warms_up_and_falls_to_zero() -> None:
    rates = [rate_at(step, RECIPE, 12) for step in range(12)]
    assert rates[:3] == sorted(rates[:3])
    assert rates[2] == rates[3] == 1.0
    assert rates[3:] == sorted(rates[3:], reverse=True)
    assert rates[-1] < 0.1
