"""``theatre-reach``: trained by the trainer that people use, exported small, served on its base."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from rehearse.models import load_model
from rehearse.models.target_adapter import load_target_adapter
from rehearse.theatre import recipes
from rehearse.theatre.target_data import target_clip
from rehearse.theatre.target_tokenizer import target_tokenizer
from rehearse.training import export, theatre_target
from rehearse.training.theatre import train
from rehearse.training.theatre_target import TextAndTarget


@pytest.mark.slow
def test_it_is_trained_and_ships(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"num_attention_heads": 2, "attention_head_dim": 32, "num_layers": 2, "time_embed_dim": 32}
    monkeypatch.setattr(theatre_target, "TARGET_TRANSFORMER", recipes.TARGET_TRANSFORMER | small)
    torch.manual_seed(0)
    runs, weights = tmp_path / "runs", tmp_path / "weights"
    module: Any = TextAndTarget(len(target_tokenizer()))
    tensors = {f"average.{key}": p.detach().contiguous() for key, p in module.named_parameters()}
    (runs / "theatre-target").mkdir(parents=True)
    save_file(tensors, runs / "theatre-target" / "state.safetensors", metadata={"step": "1"})
    export.export_target(runs, weights)

    train("theatre-reach", runs, steps=2, samples=4, device="cpu", weights=weights)

    folder = weights / "theatre-reach"
    assert {value.dtype for value in load_file(folder / "adapter.safetensors").values()} == {torch.float16}
    adapter = load_target_adapter(folder / "adapter.safetensors")
    assert (adapter.masks, adapter.rank, adapter.facts["base"]) == (1, 16, "theatre-target")
    card = (folder / "README.md").read_text()
    assert "rehearse train theatre-reach" in card and "4 clips" in card and "2 steps of batch 8" in card
    assert "loss" in card.split("held-out rows at the end")[1].splitlines()[0]
    # It lies beside its base and names it.
    model: Any = load_model(str(folder), device="cpu", precision="float32")
    assert "target" in model.acts_on
    clip = target_clip(5, 0)
    condition = model.pictures.condition(clip.frames[:1], [1.0] * 8)
    assert model.targets.with_masks(condition, {"target": torch.from_numpy(clip.mask).float()}).shape[1] > 8
