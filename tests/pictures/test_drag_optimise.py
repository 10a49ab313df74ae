"""The optimised drag on a toy image model with random weights: real diffusers classes, few steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from rehearse.models import load_model
from rehearse.models.image import ImageModel
from rehearse.pictures.drag_optimise import (
    ARRIVED,
    DragCancelled,
    Pull,
    Pulled,
    _denoise,
    _invert,
    _on_grid,
    _Tracker,
    optimise_drag,
    sharing_sites,
)
from rehearse.shot.errors import ShotError

MOVES = [((0.4, 0.5), (0.65, 0.5))]
QUICK = Pull(schedule=6, depth=0.7, rate=0.05)


@pytest.fixture(scope="module")
def model(image_folder: Path) -> ImageModel:
    loaded = load_model(str(image_folder), precision="float32")
    assert isinstance(loaded, ImageModel)
    return loaded


@pytest.fixture(scope="module")
def picture() -> NDArray[np.uint8]:
    drawn = np.random.default_rng(0).integers(80, 110, (64, 64, 3), dtype=np.uint8)
    drawn[20:44, 16:36] = (220, 40, 60)
    drawn[28:34, 22:30] = (250, 240, 90)
    return drawn


@pytest.fixture(scope="module")
def region() -> NDArray[np.bool_]:
    marked = np.zeros((64, 64), dtype=bool)
    marked[18:46, 14:38] = True
    return marked


def test_outside_its_region_the_picture_is_untouched(
    model: ImageModel, picture: NDArray[np.uint8], region: NDArray[np.bool_]
) -> None:
    seen: list[Pulled] = []
    made = optimise_drag(
        picture, MOVES, region, model, "a red ball", steps=4, on_step=seen.append, pull=QUICK
    )
    outside = made.changed == 0
    assert 0.2 < outside.mean() < 0.9
    assert np.array_equal(made.picture[outside], picture[outside])
    assert (made.picture != picture)[~outside].any()
    assert 1 <= made.steps_taken == len(seen) == len(made.trace) <= 4
    assert made.steps_taken == 4 or max(made.distances) < ARRIVED
    assert [step.step for step in seen] == list(range(1, made.steps_taken + 1))
    assert len(made.points) == len(made.distances) == 1
    assert made.changed[region].min() == 1


def test_the_same_drag_twice_is_the_same(
    model: ImageModel, picture: NDArray[np.uint8], region: NDArray[np.bool_]
) -> None:
    one, two = (
        optimise_drag(picture, MOVES, region, model, "a red ball", steps=2, pull=QUICK) for _ in range(2)
    )
    assert np.array_equal(one.picture, two.picture) and one.points == two.points


def test_pulling_lowers_the_loss_of_a_fixed_point(model: ImageModel, picture: NDArray[np.uint8]) -> None:
    journey = _invert(picture, model, "a red ball", QUICK, None)
    tracker = _Tracker(model, journey, (32, 32), QUICK)
    start, goal = _on_grid([MOVES[0][0]], (32, 32)), _on_grid([MOVES[0][1]], (32, 32))
    held = torch.zeros(journey.latents[0].shape[-2:])[None, None, None]
    latents = tracker.start.clone().requires_grad_(True)
    adam = torch.optim.Adam([latents], lr=Pull().rate)
    losses = []
    for _ in range(8):
        loss = tracker.loss(latents, start, goal, held)
        losses.append(float(loss.detach()))
        adam.zero_grad()
        loss.backward()
        adam.step()
    assert losses[-1] < 0.85 * losses[0]


def test_tracking_finds_a_point_that_moved(model: ImageModel, picture: NDArray[np.uint8]) -> None:
    journey = _invert(picture, model, "a red ball", QUICK, None)
    tracker = _Tracker(model, journey, (32, 32), QUICK)
    features = torch.randn(1, 12, 32, 32, generator=torch.Generator().manual_seed(0))
    points = torch.tensor([[10.0, 12.0], [20.0, 8.0]])
    sought = torch.stack([features[0, :, 12, 10], features[0, :, 8, 20]])
    moved = torch.roll(features, (1, 2), dims=(2, 3))
    assert torch.equal(tracker.track(moved, sought, points), points + torch.tensor([2.0, 1.0]))
    assert torch.equal(tracker.track(features, sought, points), points)


def test_points_that_have_arrived_end_the_drag(
    model: ImageModel, picture: NDArray[np.uint8], region: NDArray[np.bool_]
) -> None:
    near = [((0.4, 0.5), (0.4 + 0.9 * ARRIVED / 32, 0.5))]
    made = optimise_drag(picture, near, region, model, "a red ball", pull=QUICK)
    assert made.steps_taken == 0 and made.distances[0] < ARRIVED


def test_undragged_latents_lead_back_to_the_picture_the_codec_knows(
    model: ImageModel, picture: NDArray[np.uint8]
) -> None:
    """With no pull the original and its double are one, and inversion is the inverse of denoising."""
    journey = _invert(picture, model, "a red ball", replace(QUICK, schedule=20), None)
    again = _denoise(journey.latents[0], journey, model, None)
    known = model.decode(model.encode_pictures(picture[None])[:, :, None])[0, 0]
    assert np.abs(again.astype(int) - known).mean() < 3


def test_shared_look_is_asked_at_the_last_self_attentions(model: ImageModel) -> None:
    names = sharing_sites(model.sites)
    assert names and all(name.startswith("up_blocks.") and name.endswith("attn1") for name in names)


def test_features_carry_gradients_and_leave_the_model_as_it_was(model: ImageModel) -> None:
    latents = torch.randn(1, 4, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    text, timestep = model.encode("a red ball")[1:], torch.tensor(400)
    before = model.denoise(latents, timestep, text)
    asked = latents.clone().requires_grad_(True)
    model.features(asked, timestep, text, 0).square().sum().backward()
    assert asked.grad is not None and float(asked.grad.abs().sum()) > 0
    assert torch.equal(model.denoise(latents, timestep, text), before)
    assert all(parameter.grad is None for parameter in model.denoiser.parameters())


@pytest.mark.parametrize("after", [0, 3, 15, 20])
def test_cancel_ends_it_without_a_picture(
    model: ImageModel, picture: NDArray[np.uint8], region: NDArray[np.bool_], after: int
) -> None:
    asked = 0
    original = picture.copy()

    def cancel() -> bool:
        nonlocal asked
        asked += 1
        return asked > after

    with pytest.raises(DragCancelled):
        optimise_drag(picture, MOVES, region, model, "a red ball", steps=4, cancel=cancel, pull=QUICK)
    assert asked == after + 1 and np.array_equal(picture, original)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"steps": 0}, "steps is 0: it must be from 1 to 80"),
        ({"steps": 81}, "steps is 81"),
        ({"picture": np.zeros((60, 64, 3), np.uint8)}, "multiples of 8"),
        ({"moves": [((0.05, 0.05), (0.5, 0.5))]}, "outside the dragged region"),
        ({"moves": [((0.4, 0.5), (2.5, 0.5))]}, "nothing of the region would be left"),
        ({"region": np.zeros((64, 64), dtype=bool)}, "empty"),
    ],
)
def test_bad_drags_are_refused_before_any_work(
    model: ImageModel,
    picture: NDArray[np.uint8],
    region: NDArray[np.bool_],
    changes: dict[str, object],
    said: str,
) -> None:
    asked = {"picture": picture, "moves": MOVES, "region": region, "steps": 2} | changes
    with pytest.raises(ShotError, match=said):
        optimise_drag(picture_model=model, prompt="a red ball", **asked)  # type: ignore[arg-type]
