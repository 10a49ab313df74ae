"""The optimised drag on a toy image model with random weights: real diffusers classes, few steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from rehearse.models import load_model
from rehearse.models.image import ImageModel
from rehearse.pictures.drag_inversion import Journey, SharedLook, invert, sharing_sites, step_back
from rehearse.pictures.drag_optimise import (
    ARRIVED,
    DragCancelled,
    Pull,
    Pulled,
    _spread,
    optimise_drag,
)
from rehearse.pictures.drag_supervision import RegionSupervision
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
    assert made.steps_taken == 4 or max(made.distances) <= ARRIVED
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


class Seen(RegionSupervision):
    """Given features ``[2, width, 32, 32]``: of the original and of what is behind."""

    def __init__(self, model: ImageModel, journey: Journey, region: NDArray[np.bool_], both: Tensor) -> None:
        self.both = both
        everything = np.ones_like(region)
        super().__init__(model, journey, region.astype(np.float32), region, everything, Pull().reach)

    def features(self, latents: Tensor) -> Tensor:
        return self.both


def on_grid(*places: tuple[float, float]) -> Tensor:
    return torch.tensor(places, dtype=torch.float32)


def flat_thing(left: int, right: int) -> Tensor:
    """A thing of one feature on a backdrop of another, from column ``left`` to ``right`` of 32."""
    drawn = torch.zeros(1, 3, 32, 32)
    drawn[:, 1] = 0.2
    drawn[:, :, 10:22, left:right] = torch.tensor([1.0, -0.5, 0.3])[:, None, None]
    return drawn


@pytest.fixture(scope="module")
def journey(model: ImageModel, picture: NDArray[np.uint8]) -> Journey:
    behind = picture.copy()
    behind[18:46, 14:38] = 95
    return invert(np.stack([picture, behind]), model, "a red ball", QUICK.schedule, QUICK.depth)


@pytest.fixture(scope="module")
def flat(model: ImageModel, journey: Journey, region: NDArray[np.bool_]) -> Seen:
    return Seen(model, journey, region, torch.cat([flat_thing(8, 18), flat_thing(0, 0)]))


def test_pulling_lowers_the_loss(
    model: ImageModel, journey: Journey, picture: NDArray[np.uint8], region: NDArray[np.bool_]
) -> None:
    opacity = region.astype(np.float32)
    seen = RegionSupervision(model, journey, opacity, region, np.ones_like(region), Pull().reach)
    start = on_grid((12.3, 15.5))
    wanted = seen.wanted(start, start + on_grid((4, 0)))
    latents = journey.latents[0][:1].clone().requires_grad_(True)
    adam = torch.optim.Adam([latents], lr=Pull().rate)
    losses = []
    for _ in range(20):
        loss = seen.loss(seen.features(seen.held(latents, wanted.free)), wanted)
        losses.append(float(loss.detach()))
        adam.zero_grad()
        loss.backward()
        adam.step()
    assert losses[-1] < 0.9 * losses[0], losses


def test_a_flat_thing_is_tracked_as_a_whole(flat: Seen) -> None:
    """Inside one colour every place has the handle's feature; only the outline tells what moved."""
    start = on_grid((12.0, 15.0))
    for way in (0, 2, 3):
        found = flat.track(flat_thing(8 + way, 18 + way), start, start, start)
        assert torch.equal(found, start + on_grid((way, 0)))


def test_a_thing_that_only_grows_towards_its_target_has_not_arrived(flat: Seen) -> None:
    start, goal = on_grid((12.0, 15.0)), on_grid((18.0, 15.0))
    points = start
    for reach in range(1, 7):
        points = flat.track(flat_thing(8, 18 + reach), start, points, points)
    assert float((goal - points).norm()) > ARRIVED


def test_what_appears_at_its_way_point_is_found_there(flat: Seen) -> None:
    start, pulled = on_grid((12.0, 15.0)), on_grid((20.0, 15.0))
    assert torch.equal(flat.track(flat_thing(16, 26), start, start, pulled), pulled)


def test_each_of_several_handles_finds_its_own_part(flat: Seen) -> None:
    start = on_grid((10.0, 12.0), (15.0, 19.0))
    found = flat.track(flat_thing(10, 20), start, start, start)
    assert torch.equal(found, start + on_grid((2, 0), (2, 0)))


def test_wanted_is_the_whole_thing_carried_on_and_what_is_behind_it(flat: Seen) -> None:
    """The trailing side is asked for too: an unmoved or a stretched thing is far from what is wanted."""
    start = on_grid((12.0, 15.0))
    wanted = flat.wanted(start, start + on_grid((6, 0)))
    moved, unmoved, stretched = (
        float(flat.loss(flat_thing(*ends), wanted)) for ends in ((14, 24), (8, 18), (8, 24))
    )
    assert moved < 1e-5
    assert stretched > 0.005 and unmoved > 5 * stretched
    assert float(wanted.weights.sum()) == pytest.approx(1, abs=1e-4)


def test_latents_are_held_wherever_the_region_is_not(
    flat: Seen, journey: Journey, region: NDArray[np.bool_]
) -> None:
    start = on_grid((12.0, 15.0))
    free = flat.wanted(start, start + on_grid((12, 0))).free
    assert free.shape == (1, 1, 1, 8, 8) and 0 < float(free.mean()) < 0.5
    held = flat.held(torch.full_like(journey.latents[0][:1], 7.0), free)[0, :, 0]
    original, behind = journey.latents[0][:, :, 0]
    open_ = free[0, 0, 0] > 0
    assert (held[:, open_] == 7).all()
    # Column 1 was never the region's; in columns 2 to 4 it was, and has left what it does not reach any more.
    assert torch.equal(held[:, :, :1], original[:, :, :1])
    assert not open_[3:5, 2].any()
    assert torch.allclose(held[:, 3:5, 2], behind[:, 3:5, 2], atol=1e-6)


def test_steps_thin_out_and_none_is_lost() -> None:
    for steps in (1, 7, 80):
        due = _spread(steps, 35, 0.5)
        each = np.diff([0, *due])
        assert due[-1] == steps and due[18] == steps and len(due) == 35
        assert steps < 80 or (each[0] == each.max() and each[:6].sum() > steps / 2)
    assert _spread(80, 35, 0) == [80] * 35


def test_two_handles_and_a_part_of_the_thing(model: ImageModel, picture: NDArray[np.uint8]) -> None:
    part = np.zeros((64, 64), dtype=bool)
    part[18:32, 14:38] = True
    pinned = [((0.3, 0.4), (0.3, 0.4)), ((0.5, 0.4), (0.5, 0.2))]
    made = optimise_drag(picture, pinned, part, model, "a red ball", steps=3, pull=QUICK)
    outside = made.changed == 0
    assert len(made.points) == 2 and outside[50:].all()
    assert np.array_equal(made.picture[outside], picture[outside])
    assert all(np.isfinite(step.loss) for step in made.trace)


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
    journey = invert(picture[None], model, "a red ball", 20, QUICK.depth)
    look = SharedLook(sharing_sites(model.sites))
    latents = journey.latents[0]
    for k in range(len(journey.timesteps)):
        latents = step_back(latents, k, journey, model, look)
    assert look.asked > 0
    again = model.decode(latents)[0, 0]
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


@pytest.mark.parametrize("after", [0, 3, 12, 15, 17, 22])
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


def test_it_ends_where_all_points_are_within_two_pixels(
    model: ImageModel, picture: NDArray[np.uint8], region: NDArray[np.bool_], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The points are found where this test says; the second one is the last to come."""
    moves = [((0.3, 0.4), (0.55, 0.4)), ((0.35, 0.6), (0.6, 0.6))]
    lacking = [(6.0, 8.0), (1.0, 7.0), (0.5, 1.01), (1.0, 1.0), (0.0, 0.0)]
    told = iter(lacking)

    def found(self: RegionSupervision, seen: Tensor, start: Tensor, points: Tensor, pulled: Tensor) -> Tensor:
        goal = on_grid(*((x * 32 - 0.5, y * 32 - 0.5) for _, (x, y) in moves))
        return goal - torch.tensor(next(told))[:, None] * torch.tensor([1.0, 0.0])

    monkeypatch.setattr(RegionSupervision, "track", found)
    seen: list[Pulled] = []
    made = optimise_drag(
        picture, moves, region, model, "a red ball", steps=20, on_step=seen.append, pull=QUICK
    )
    assert made.steps_taken == len(seen) == 4, "the step that found both within 2 pixels was the last"
    assert made.distances == pytest.approx((1.0, 1.0), abs=1e-4) and made.pixels_short <= 2.001
    told = iter([(0.5, 0.5)] * 20)
    never = optimise_drag(
        picture, moves, region, model, "a red ball", steps=6, pull=replace(QUICK, arrived=-1.0)
    )
    assert never.steps_taken == 6 and never.pixels_short < 2


def test_uses_of_the_model_are_counted(
    model: ImageModel, picture: NDArray[np.uint8], region: NDArray[np.bool_]
) -> None:
    passes: list[object] = []
    hook = model.denoiser.register_forward_pre_hook(lambda *_: passes.append(None))
    few, more = (
        optimise_drag(
            picture, MOVES, region, model, "a red ball", steps=steps, pull=replace(QUICK, arrived=-1.0)
        )
        for steps in (1, 3)
    )
    hook.remove()
    assert few.evaluations + more.evaluations == len(passes)
    assert more.evaluations >= few.evaluations + 2
