"""The theatre's own recipes at a size that a test can afford on any CPU."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rehearse.theatre import recipes
from rehearse.training import theatre


@pytest.fixture
def small_theatre(monkeypatch: pytest.MonkeyPatch) -> None:
    """Narrow UNets in place of the shipped ones, and two samples a step: what is trained, in which order, and
    what is exported stay as they are."""
    channels = (32, 32, 64)
    monkeypatch.setitem(recipes.IMAGE_UNET, "block_out_channels", channels)
    monkeypatch.setitem(recipes.IMAGE_UNET, "attention_head_dim", (1, 1, 2))
    monkeypatch.setitem(recipes.VIDEO_UNET, "block_out_channels", channels)
    monkeypatch.setitem(recipes.MOTION_ADAPTER, "block_out_channels", channels)
    monkeypatch.setitem(recipes.MOTION_ADAPTER, "motion_num_attention_heads", (1, 1, 2))
    for name, recipe in theatre.RECIPES.items():
        monkeypatch.setitem(theatre.RECIPES, name, replace(recipe, batch=2))
