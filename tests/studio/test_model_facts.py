"""A card as the API tells it is the card again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from toy_models import save_toy_model, save_toy_motion_model

from rehearse.models import load_model
from rehearse.models.card_of import card_of
from rehearse.models.model import VideoModel
from rehearse.studio.model_facts import card_of_facts, facts_of
from rehearse.studio.views import ModelView


@pytest.fixture(scope="module")
def motion_model(tmp_path_factory: pytest.TempPathFactory) -> VideoModel:
    root = tmp_path_factory.mktemp("animate")
    base = save_toy_model(root / "image", kind="image", settings={"defaults": {"frames": 1}})
    return load_model(str(save_toy_motion_model(root / "animate", base)), precision="float32")


def test_a_card_goes_round(video_model: VideoModel, motion_model: VideoModel) -> None:
    for model in (video_model, motion_model):
        card = card_of(model)
        facts = facts_of(card.identity, card)
        assert ModelView(**facts).name == card.identity
        told = card_of_facts(facts)
        assert told == replace(
            card, defaults=replace(card.defaults, frozen_steps=None), triggers=told.triggers
        )
        assert dict(told.triggers) == dict(card.triggers)


def test_what_an_older_worker_told_is_read(motion_model: VideoModel) -> None:
    facts = facts_of("m", card_of(motion_model))
    old = {
        name: value
        for name, value in facts.items()
        if name not in ("site_kinds", "triggers", "shows_picture")
    }
    assert card_of_facts(old).shows_picture == card_of(motion_model).shows_picture
