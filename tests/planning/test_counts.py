"""Numbers that are asked for are met, or refused with the nearest that can be: frames, sizes, steps, rate.

Every family, from the shot to the file: the clip has the frames that were asked for, its file has them, and
so has what the file says of itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from toy_models import save_toy_cogvideox, save_toy_model, save_toy_motion_model, save_toy_wan

from rehearse import Shot, Take, load_model
from rehearse.media import read_frames, write_clip
from rehearse.media.video import read_envelope, read_shot
from rehearse.models.cogvideox import CogVideoX
from rehearse.models.model import Limits, VideoModel
from rehearse.planning import plan
from rehearse.shot import ShotError


def motion(folder: Path, pictures: bool) -> Path:
    save_toy_model(folder / "image", kind="image", settings={"defaults": {"frames": 1}})
    return save_toy_motion_model(folder / "motion", folder / "image", pictures=pictures, max_frames=9)


SAVED: dict[str, Callable[[Path], Path]] = {
    "unet3d": lambda folder: save_toy_model(folder / "m"),
    "image": lambda folder: save_toy_model(folder / "m", kind="image", vae="tiny"),
    "pia": lambda folder: motion(folder, True),
    "animatediff": lambda folder: motion(folder, False),
    "cogvideox": lambda folder: save_toy_cogvideox(folder / "m", pictures=False),
    "cogvideox of pictures": lambda folder: save_toy_cogvideox(folder / "m"),
    "cogvideox 1.5": lambda folder: save_toy_cogvideox(folder / "m", pairs=True, pictures=False),
    "cogvideox, frame by frame": lambda folder: save_toy_cogvideox(folder / "m", vae="tiny", pictures=False),
    "cogvideox, learned positions": lambda folder: save_toy_cogvideox(folder / "m", positions="learned"),
    "wan": lambda folder: save_toy_wan(folder / "m"),
    "wan, time halved once": lambda folder: save_toy_wan(folder / "m", halvings=(True, False)),
}
MET = {
    "unet3d": set(range(1, 19)),
    "image": {1},
    "pia": set(range(1, 10)),
    "animatediff": set(range(1, 10)),
    "cogvideox": {1, 5, 9, 13, 17},
    "cogvideox of pictures": {1, 5, 9, 13, 17},
    "cogvideox 1.5": {1, 9, 17},
    "cogvideox, frame by frame": set(range(1, 19)),
    "cogvideox, learned positions": {9},
    "wan": {1, 5, 9, 13, 17},
    "wan, time halved once": {1, 5, 9, 13, 17},
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], VideoModel]:
    made: dict[str, VideoModel] = {}

    def model(name: str) -> VideoModel:
        if name not in made:
            folder = SAVED[name](tmp_path_factory.mktemp("counts"))
            made[name] = load_model(str(folder), precision="float32", device="cpu")
        return made[name]

    return model


def shot_of(model: VideoModel, frames: int, width: int = 64, height: int = 64) -> Shot:
    shot = Shot(
        "a red ball", model=model.identity, frames=frames, width=width, height=height, steps=1, guidance=1
    )
    if model.pictures is not None and model.pictures.required:
        shot = shot.image(np.full((height, width, 3), 90, np.uint8))
    return shot


@pytest.mark.parametrize("name", SAVED)
def test_frames_are_met_to_the_file_or_refused_with_the_nearest(
    models: Callable[[str], VideoModel], name: str, tmp_path: Path
) -> None:
    model = models(name)
    for frames in range(1, 19):
        shot = shot_of(model, frames)
        assert model.limits.takes_frames(frames) == (frames in MET[name])
        if frames not in MET[name]:
            near = model.limits.nearest_frames(frames)
            assert near and set(near) <= MET[name] | {21, 25}
            with pytest.raises(ShotError) as refused:
                plan(shot, model)
            assert refused.value.field == "frames" and refused.value.value == frames
            assert any(str(one) in str(refused.value) for one in near)
            continue
        if frames > 5 and frames not in {9, 13}:
            plan(shot, model)
            continue
        take = Take.start(shot, model)
        event = list(take.play())[-1]
        assert len(event.preview) == len(take.clip.frames) == take.plan.frames == frames
        take.clip.save(tmp_path / "clip.mp4")
        assert len(read_frames(tmp_path / "clip.mp4")) == frames
        assert read_envelope(tmp_path / "clip.mp4").frames == frames
        assert read_shot(tmp_path / "clip.mp4").frames == frames


@pytest.mark.parametrize("name", SAVED)
def test_sizes_are_met_or_refused_with_the_nearest(models: Callable[[str], VideoModel], name: str) -> None:
    model = models(name)
    unit, frames = model.limits.size_multiple, min(MET[name])
    for width in range(44, 84, 4):
        shot = shot_of(model, frames, width=width)
        fixed = model.limits.fixed
        if width % unit == 0 and (fixed is None or width == fixed[1]):
            planned = plan(shot, model)
            _, _, h, w = model.latent_shape(frames, 64, width)
            assert planned.width == width and (h * 8, w * 8) == (64, width)
            continue
        with pytest.raises(ShotError) as refused:
            plan(shot, model)
        assert refused.value.field == "width"
        low = width // unit * unit
        assert (str(fixed[1]) if fixed else f"such as {low} or {low + unit}") in str(refused.value)


def test_an_even_number_of_latent_frames_shows_what_the_odd_number_before_it_shows(
    models: Callable[[str], VideoModel],
) -> None:
    """Stock makes 16 frames of 4 latent ones; here the 9 of the first 3 come first, then 4 of the last."""
    model = models("cogvideox")
    assert isinstance(model, CogVideoX)
    latents = torch.randn(1, *model.latent_shape(13, 64, 64), generator=torch.Generator().manual_seed(0))
    vae = model._codec.vae
    with torch.no_grad():
        assert vae.decode(latents / vae.config.scaling_factor).sample.shape[2] == 16
    frames = model.decode(latents)
    assert frames.shape == (1, 13, 64, 64, 3)
    assert np.array_equal(frames[:, :9], model.decode(latents[:, :, :3]))
    longer = torch.cat([latents, torch.randn(1, *latents.shape[1:])[:, :, :1]], dim=2)
    # Another fifth latent frame than the last one again touches the norms of its pair, and no more.
    apart = np.abs(frames.astype(int) - model.decode(longer)[:, :13].astype(int))
    assert apart[:, 9:].mean() < 0.5 * np.abs(np.diff(frames[:, 9:].astype(int), axis=1)).mean() + 8


def test_a_vae_that_makes_other_counts_than_it_says_is_named(tmp_path: Path) -> None:
    from rehearse.models import ModelError

    folder = save_toy_cogvideox(tmp_path / "m", pictures=False)
    model = load_model(str(folder), precision="float32", device="cpu")
    assert isinstance(model, CogVideoX)
    model._codec.frame_ratio = 8
    with pytest.raises(ModelError, match="made 9 frames where 17 are due"):
        model.decode(torch.zeros(1, *model.latent_shape(17, 64, 64)))


def test_nearest_counts_lie_within_the_limits() -> None:
    limits = Limits(max_frames=20, size_multiple=8, max_tokens=8, frame_step=8)
    assert [limits.nearest_frames(n) for n in (1, 2, 9, 12, 17, 18, 40)] == [
        (1,), (1, 9), (9,), (9, 17), (17,), (17,), (17,),
    ]  # fmt: skip
    assert not limits.takes_frames(25) and not limits.takes_frames(0)
    fixed = Limits(max_frames=None, size_multiple=8, max_tokens=8, frame_step=4, fixed=(49, 720, 480))
    assert fixed.nearest_frames(13) == (49,) and fixed.takes_frames(49) and not fixed.takes_frames(13)


@pytest.mark.parametrize(
    ("fps", "ending", "told"), [(60, "gif", True), (50, "gif", False), (60, "mp4", False)]
)
def test_a_rate_that_a_file_cannot_show_is_told(
    fps: float, ending: str, told: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "rehearse"):
        write_clip(tmp_path / f"clip.{ending}", np.zeros((3, 16, 16, 3), np.uint8), fps)
    assert any("50 frames a second at most" in message for message in caplog.messages) == told
