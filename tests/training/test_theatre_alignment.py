"""Equation 5's layer by its command: trained for a model, found beside its weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from toy_models import save_toy_model, save_toy_motion_model

import rehearse as rh
from rehearse.controls.frame_alignment import FOLDER, load_frame_alignment
from rehearse.models import load_model
from rehearse.models.registry import EMBEDDED
from rehearse.training import theatre
from rehearse.training.frame_alignment import AlignmentError
from rehearse.training.theatre import RECIPES, train


def toy_weights(folder: Path, seed: int = 0) -> Path:
    """An export folder with a toy ``theatre-animate`` and its base."""
    base = save_toy_model(folder / "theatre-image", kind="image", settings={"defaults": {"frames": 1}})
    save_toy_motion_model(folder / "theatre-animate", base, seed=seed)
    return folder


def test_its_command_trains_it_and_the_model_finds_it(tmp_path: Path) -> None:
    runs, weights = tmp_path / "runs", toy_weights(tmp_path / "weights")
    (weights / "theatre-animate" / "README.md").write_text("# theatre-animate\n")
    options = {"steps": 2, "samples": 4, "device": "cpu", "weights": weights}
    for _ in range(2):
        train("theatre-alignment", runs, **options)  # the second time it is done already
    folder = weights / "theatre-animate"
    card = (folder / "README.md").read_text()
    assert card.startswith("# theatre-animate\n") and card.count("## Frame alignment") == 1
    layer = load_frame_alignment(folder)
    assert layer is not None and layer.conv.weight.abs().max() > 0

    model = load_model(str(folder), device="cpu")
    assert model.beside(FOLDER) == folder / FOLDER
    picture = np.full((64, 64, 3), 90, np.uint8)
    shot = rh.Shot("a red ball", steps=2, frames=3, width=64, height=64).image(picture)
    on = rh.Take.start(shot.with_control(frame_alignment=True), model)
    assert any(control.name == "frame alignment" for control in on.plan.controls)

    # Trained again, it is another model: the layer of the old one is not handed on.
    toy_weights(weights, seed=1)
    with pytest.raises(AlignmentError, match="other weights than those in"):
        train("theatre-alignment", runs, **options)


def test_without_a_model_it_says_what_to_call_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert RECIPES["theatre-alignment"].steps > 0
    monkeypatch.setattr(theatre, "EMBEDDED", tmp_path)
    with pytest.raises(AlignmentError, match="rehearse train theatre-animate --export DIR first"):
        train("theatre-alignment", tmp_path / "runs")
    with pytest.raises(AlignmentError, match=r"none lies in .*weights"):
        train("theatre-alignment", tmp_path / "runs", weights=EMBEDDED.parent / "no" / "weights")
    assert not (tmp_path / "runs").exists()
