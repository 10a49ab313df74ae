"""Equation 5: off it is nothing, trained it draws the prediction nearer; saved and loaded it is the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from toy_models import save_toy_model, save_toy_motion_model

from rehearse.controls.control import Moment
from rehearse.controls.frame_alignment import (
    FrameAlignment,
    FrameAlignmentError,
    FrameAlignmentLayer,
    load_frame_alignment,
    save_frame_alignment,
)
from rehearse.models import load_model
from rehearse.models.model import VideoModel
from rehearse.prediction import Prediction
from rehearse.sampling.loop import Loop
from rehearse.sampling.plan import Plan
from rehearse.theatre.data import Clips
from rehearse.theatre.recipes import ALIGNMENT
from rehearse.training.fit import Options
from rehearse.training.frame_alignment import train

NOW = Moment(step=0, steps=4, timestep=999.0)


def predicted(seed: int = 0) -> Prediction:
    generator = torch.Generator().manual_seed(seed)
    x0, noise = (torch.randn(1, 4, 3, 5, 6, generator=generator) for _ in range(2))
    return Prediction(0.6 * x0 + 0.8 * noise, x0, noise, 0.6, 0.8)


def trained(channels: int = 4) -> FrameAlignmentLayer:
    torch.manual_seed(1)
    layer = FrameAlignmentLayer(channels, groups=2)
    torch.nn.init.normal_(layer.conv.weight, std=0.1)
    return layer.eval().requires_grad_(False)


def test_untrained_it_is_the_very_same_prediction() -> None:
    seen = predicted()
    assert FrameAlignment(FrameAlignmentLayer(4), torch.zeros(1, 4, 1, 5, 6)).predict(seen, NOW) is seen
    assert FrameAlignment(trained(), torch.zeros(1, 4, 1, 5, 6), strength=0).predict(seen, NOW) is seen


def test_it_is_the_equation_frame_by_frame() -> None:
    seen, layer, picture = predicted(), trained(), torch.randn(1, 4, 1, 5, 6)
    after = FrameAlignment(layer, picture).predict(seen, NOW)
    for frame in range(3):
        apart = seen.x0[:, :, frame] - picture[:, :, 0]
        normed = torch.nn.functional.group_norm(apart, 2, layer.norm.weight, layer.norm.bias, layer.norm.eps)
        change = layer.conv(normed * normed.sigmoid())
        assert torch.allclose(after.x0[:, :, frame], seen.x0[:, :, frame] + 0.8 * change, atol=1e-5)
    assert torch.equal(after.latents, seen.latents)
    assert torch.allclose(0.6 * after.x0 + 0.8 * after.noise, seen.latents, atol=1e-5)


def test_the_frame_of_variance_explosion_is_the_same_noise_level() -> None:
    seen, control = predicted(), FrameAlignment(trained(), torch.zeros(1, 4, 1, 5, 6))
    exploded = replace(seen, latents=seen.latents / 0.6, alpha=1.0, sigma=0.8 / 0.6)
    assert torch.allclose(control.predict(seen, NOW).x0, control.predict(exploded, NOW).x0, atol=1e-5)


def test_a_picture_for_each_frame() -> None:
    seen, layer = predicted(), trained()
    pictures = torch.randn(1, 4, 3, 5, 6)
    whole = FrameAlignment(layer, pictures).predict(seen, NOW)
    last = FrameAlignment(layer, pictures[:, :, 2:]).predict(seen, NOW)
    assert torch.allclose(whole.x0[:, :, 2], last.x0[:, :, 2], atol=1e-6)
    assert (whole.x0[:, :, 0] - last.x0[:, :, 0]).abs().max() > 1e-3


def test_saved_and_loaded(tmp_path: Path) -> None:
    assert load_frame_alignment(tmp_path) is None
    layer = trained()
    place = save_frame_alignment(layer, tmp_path)
    loaded = load_frame_alignment(tmp_path)
    assert loaded is not None and loaded.settings == layer.settings and not loaded.training
    for name, value in layer.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[name])
    (place / "model.safetensors").write_bytes(b"x" * 40)
    with pytest.raises(FrameAlignmentError, match="damaged; train it again"):
        load_frame_alignment(tmp_path)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(FrameAlignmentError, match="layer of this model"):
        FrameAlignment(trained(), torch.zeros(1, 8, 1, 5, 6))
    with pytest.raises(FrameAlignmentError, match="groups must divide"):
        FrameAlignmentLayer(4, groups=3)
    with pytest.raises(ValueError, match="below 0"):
        FrameAlignment(trained(), torch.zeros(1, 4, 1, 5, 6), strength=-1)


@pytest.fixture(scope="module")
def pia(tmp_path_factory: pytest.TempPathFactory) -> VideoModel:
    root = tmp_path_factory.mktemp("alignment")
    base = save_toy_model(root / "image", kind="image", settings={"defaults": {"frames": 1}})
    return load_model(str(save_toy_motion_model(root / "pia", base)), precision="float32")


def clips(model: VideoModel, count: int = 4) -> Clips:
    pictures = np.random.default_rng(0).integers(0, 256, (count * 3, 32, 32, 3), dtype=np.uint8)
    latents = model.encode_pictures(pictures).numpy().reshape(count, 3, 4, 4, 4)
    empty = np.zeros((count, 3, 4, 4), np.uint8)
    rows = [{"caption": "a red ball"}] * count
    return Clips(latents.astype(np.float16), empty, empty.astype(np.int8)[..., None], rows)


def test_trained_on_a_model_and_acting_on_it(pia: VideoModel, tmp_path: Path) -> None:
    recipe = replace(ALIGNMENT, steps=12, batch=2, warmup=1, rate=1e-2)
    options = Options(tmp_path, log_every=1, save_every=1, sheet_seconds=0, device="cpu")
    before = [p.clone() for p in pia.denoiser.parameters()]  # type: ignore[attr-defined]
    fit = train(options, pia, clips(pia), recipe)
    assert fit.step == 12
    for p, q in zip(pia.denoiser.parameters(), before, strict=True):  # type: ignore[attr-defined]
        assert torch.equal(p, q)
    layer = load_frame_alignment(tmp_path)
    assert layer is not None and layer.conv.weight.abs().max() > 0

    picture = np.random.default_rng(1).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    plan = Plan(
        frames=3, width=32, height=32, fps=8, steps=3, guidance=3.0, scheduler="ddim", seed=0,
        text=pia.encode("a red ball"), condition=pia.pictures.condition(picture, (1.0, 0.9, 0.8)),
    )  # fmt: skip
    latents = pia.encode_pictures(picture)[:, :, None]

    def end(layer: FrameAlignmentLayer | None) -> torch.Tensor:
        controls = () if layer is None else (FrameAlignment(layer, latents),)
        loop = Loop(pia, replace(plan, controls=controls))
        *_, last = loop.run(loop.start())
        return last.latents

    assert torch.equal(end(FrameAlignmentLayer(4)), end(None))
    assert (end(layer) - end(None)).abs().max() > 1e-4


def test_training_goes_on_where_it_stopped(
    pia: VideoModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(ALIGNMENT, batch=1, warmup=1, steps=4)
    seen = clips(pia)

    def run(folder: str) -> None:
        options = Options(tmp_path / folder, log_every=1, save_every=1, sheet_seconds=0, device="cpu")
        train(options, pia, seen, recipe)

    run("whole")
    encode, calls = pia.encode, []

    def cut(*texts: str) -> torch.Tensor:
        calls.append(texts)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return encode(*texts)

    monkeypatch.setattr(pia, "encode", cut)
    with pytest.raises(KeyboardInterrupt):
        run("cut")
    assert load_frame_alignment(tmp_path / "cut") is None
    run("cut")
    assert len(calls) == 3 + 2, "two steps were done already"
    whole, again = (load_frame_alignment(tmp_path / name) for name in ("whole", "cut"))
    assert whole is not None and again is not None and whole.conv.weight.abs().max() > 0
    for p, q in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(p, q)
