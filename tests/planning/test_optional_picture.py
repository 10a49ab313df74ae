"""A model that may start from a picture and need not: Wan 2.2 TI2V's kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from toy_models import save_toy_wan

from rehearse.models import load_model
from rehearse.models.model import VideoModel
from rehearse.planning import plan
from rehearse.sampling.loop import Loop
from rehearse.shot import Box, Shot, ShotError

PICTURE = (np.indices((32, 32)).sum(0)[..., None] * np.array([2, 3, 1])).astype(np.uint8)
PATH = [(0, Box(0.1, 0.3, 0.4, 0.7)), (1, Box(0.6, 0.3, 0.9, 0.7))]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[VideoModel, VideoModel]:
    root = tmp_path_factory.mktemp("wan")
    both, words = save_toy_wan(root / "both"), save_toy_wan(root / "words", pictures=False)
    return load_model(str(both), precision="float32"), load_model(str(words), precision="float32")


def shot_of() -> Shot:
    return Shot("a red ball over snow", frames=5, width=32, height=32, steps=3, seed=2)


def test_the_same_model_makes_clips_of_words_and_of_pictures(models: tuple[VideoModel, VideoModel]) -> None:
    model, _ = models
    assert plan(shot_of(), model).condition is None
    made = plan(shot_of().image(PICTURE), model)
    assert made.condition is not None and made.pictures is not None
    assert model.pictures is not None
    assert torch.equal(made.condition, model.pictures.condition(PICTURE[None], (1.0,) * 5))
    loop = Loop(model, made)
    end = list(loop.run(loop.start()))[-1]
    known = model.known(made.condition)
    assert known is not None and end.x0 is not None
    assert torch.equal(end.x0[:, :, :1], known[0][:, :, :1])
    assert loop.decode(end).shape == (1, 5, 32, 32, 3)


def test_boxes_act_beside_a_picture(models: tuple[VideoModel, VideoModel]) -> None:
    model, _ = models
    shot = shot_of().image(PICTURE)
    free, led = plan(shot, model), plan(shot.follow("red ball", PATH), model)
    assert {control.name for control in led.controls} == {"attention mask", "clean prior"}
    ends = [Loop(model, made).step(Loop(model, made).start()).x0 for made in (free, led)]
    assert ends[0] is not None and ends[1] is not None
    assert torch.equal(ends[0][:, :, :1], ends[1][:, :, :1]) and not torch.equal(ends[0], ends[1])


def test_what_it_does_with_no_picture_is_refused(
    models: tuple[VideoModel, VideoModel], tmp_path: Path
) -> None:
    model, words = models
    for shot, one, field in (
        (shot_of().image(PICTURE, strength=0.5), model, "instructions[0].strength"),
        (shot_of().image(PICTURE, time=0.5), model, "instructions[0].time"),
        (shot_of().image(PICTURE).drag((0.2, 0.5), (0.6, 0.5)), model, "instructions[1]"),
        (shot_of().follow(None, PATH), model, "instructions[0].phrase"),
        (shot_of().image(PICTURE), words, "instructions[0]"),
    ):
        with pytest.raises(ShotError) as caught:
            plan(shot, one)
        assert caught.value.field == field
