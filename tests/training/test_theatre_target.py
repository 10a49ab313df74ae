"""The base of target conditioning: what it is shown, that it trains, resumes and ships."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

import rehearse as rh
from rehearse.models import load_model
from rehearse.models.cogvideox import CogVideoX
from rehearse.theatre import recipes
from rehearse.theatre.codec import PatchBasis
from rehearse.theatre.data import make_stills
from rehearse.theatre.parts import NOTHING
from rehearse.theatre.recipes import LATENT_CHANNELS, TARGET
from rehearse.theatre.target_data import target_clip
from rehearse.theatre.target_tokenizer import TARGET_TOKENS, target_tokenizer
from rehearse.training import theatre_target, theatre_vae
from rehearse.training.clip_batches import mirror_matrix
from rehearse.training.fit import Options
from rehearse.training.plain_joint_attention import plain_joint_attention
from rehearse.training.theatre import train
from rehearse.training.theatre_target import TextAndTarget, draw_batch, prepare_clips, token_ids

SMALL = {"num_attention_heads": 2, "attention_head_dim": 32, "num_layers": 2, "time_embed_dim": 32}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theatre_target, "TARGET_TRANSFORMER", recipes.TARGET_TRANSFORMER | SMALL)
    monkeypatch.setattr(theatre_target, "SHEET_CLIPS", 2)
    monkeypatch.setattr(theatre_target, "SHEET_STEPS", 2)


def loud(module: nn.Module) -> None:
    """Weights by which everything counts: a new model is silent."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, 0.05)


def some_input(frames: int) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(2)
    return (
        torch.randn(2, LATENT_CHANNELS, frames, 16, 16),
        torch.randn(2, LATENT_CHANNELS, 16, 16),
        torch.tensor([700, 20]),
        torch.randn(2, TARGET_TOKENS, recipes.TEXT_WIDTH),
    )


def test_the_real_model_has_the_size_it_should() -> None:
    model = TextAndTarget(len(target_tokenizer()))
    weights = sum(p.numel() for p in model.transformer.parameters())
    assert 5e6 < weights < 7e6  # at most 13 MB in fp16: all weights of the package share 96 MB
    assert model.transformer.config.in_channels == 2 * LATENT_CHANNELS


def test_it_begins_by_predicting_nothing_and_plain_attention_changes_nothing(small: None) -> None:
    model = TextAndTarget(60).eval()
    with torch.no_grad():
        assert not model.predict(*some_input(4)).any()
        loud(model.transformer)
        stock = model.predict(*some_input(4), stride=2)
        plain_joint_attention(model.transformer)
        plain = model.predict(*some_input(4), stride=2)
    assert stock.std() > 1e-3
    assert torch.allclose(stock, plain, atol=1e-4 * float(stock.std()))


def test_a_strided_clip_keeps_its_own_positions(small: None) -> None:
    model = TextAndTarget(60).eval()
    loud(model.transformer)
    with torch.no_grad():
        dense, strided = model.predict(*some_input(4)), model.predict(*some_input(4), stride=2)
    assert not torch.allclose(dense, strided, atol=1e-3 * float(dense.std()))


def test_the_first_frame_counts_in_every_frame(small: None) -> None:
    model = TextAndTarget(60).eval()
    loud(model.transformer)
    noisy, first, steps, text = some_input(3)
    with torch.no_grad():
        change = model.predict(noisy, first, steps, text) - model.predict(noisy, first + 1, steps, text)
    assert (change.abs().amax(dim=(0, 1, 3, 4)) > 0).all()


def basis_of(folder: Path) -> PatchBasis:
    make_stills(folder / "stills", 24, 1, workers=1)
    return theatre_vae.fit_basis(folder / "stills", folder / "basis.safetensors")


def test_the_components_need_no_set_of_stills(tmp_path: Path) -> None:
    fitted = basis_of(tmp_path)
    recipe = replace(TARGET, samples=24, data_seed=1)
    drawn = theatre_vae.fit_basis(tmp_path / "none", tmp_path / "drawn.safetensors", recipe)
    assert torch.equal(drawn.encode_matrix, fitted.encode_matrix) and torch.equal(drawn.mean, fitted.mean)
    assert not (tmp_path / "none").exists()


def test_batches_are_clips_half_of_them_mirrored(tmp_path: Path) -> None:
    basis = basis_of(tmp_path)
    recipe = replace(TARGET, samples=4)
    clips = prepare_clips(tmp_path / "clips", basis, recipe, workers=1)
    truth = [target_clip(recipe.data_seed, i) for i in range(4)]
    mirror, mirrored = mirror_matrix(basis), 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        with torch.autocast("cpu", torch.bfloat16):  # as in a training step
            batch = draw_batch(clips, 4, recipe, mirror, 0.5, rng)
        assert batch.clean.shape == (4, LATENT_CHANNELS, 8 // batch.stride, 16, 16)
        assert batch.clean.dtype == torch.float32
        assert batch.parts.shape[:2] == batch.subjects.shape[:2] == (4, 8 // batch.stride)
        for k, clip in enumerate(truth):
            drawn = basis.decode(batch.clean[k].transpose(0, 1))
            frames = clip.frames[:: batch.stride]
            seen = [
                torch.from_numpy(p.copy()).permute(0, 3, 1, 2).float() / 127.5 - 1
                for p in (frames, frames[:, :, ::-1])
            ]
            away = [float((drawn - one).square().mean()) for one in seen]
            flipped = away[1] < away[0]
            mirrored += flipped
            assert min(away) < 0.5 * max(away)
            assert batch.captions[k] in ("", clip.caption)
            # What moves to one side in the picture moves to that side by its label.
            own = torch.from_numpy(np.array(clips.parts[k]))[:: batch.stride]
            label = own.flip(2) if flipped else own
            assert (batch.parts[k][..., 0] == label[..., 0]).all()
            sign = -1 if flipped else 1
            assert (batch.parts[k][..., 3] == sign * label[..., 3]).all()
            assert (batch.parts[k][..., 0] != NOTHING).any()
    assert 4 < mirrored < 20


@pytest.mark.slow
def test_a_run_learns_resumes_and_ships(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: None) -> None:
    torch.manual_seed(0)
    runs, weights = tmp_path / "runs", tmp_path / "weights"
    make_stills(runs / "data" / "stills", 24, 1, workers=1)

    train("theatre-target", runs, steps=3, samples=16, device="cpu", weights=weights)

    run, folder = runs / "theatre-target", weights / "theatre-target"
    assert (run / "sheet-000003.png").stat().st_size > 1000
    whole = load_file(run / "state.safetensors")
    basis, clips = runs / "basis.safetensors", runs / "data" / "target-clips"
    stopped = Options(tmp_path / "cut", steps=3, device="cpu", sheet_seconds=0, save_every=1)
    weighted, calls = theatre_target.weighted_error, []

    def stop_at_the_third(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return weighted(*given)

    recipe = replace(TARGET, samples=16)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(theatre_target, "weighted_error", stop_at_the_third)
        theatre_target.train(stopped, clips, basis, recipe)
    theatre_target.train(stopped, clips, basis, recipe)
    for name, value in load_file(tmp_path / "cut" / "state.safetensors").items():
        assert torch.equal(value, whole[name]), name

    index = json.loads((folder / "model_index.json").read_text())
    assert index["_class_name"] == "CogVideoXImageToVideoPipeline"
    assert index["transformer"] == ["diffusers", "CogVideoXTransformer3DModel"]
    card = (folder / "README.md").read_text()
    assert "rehearse train theatre-target" in card and "3 steps of batch 16" in card
    for file in folder.rglob("*.safetensors"):
        assert file.stat().st_size <= 16 * 2**20
        with safe_open(str(file), framework="pt") as kept:
            assert {kept.get_slice(name).get_dtype() for name in kept.keys()} <= {"F16", "I64"}  # noqa: SIM118

    model = load_model(str(folder), device="cpu", precision="float32")
    assert isinstance(model, CogVideoX) and model.pictures is not None
    assert model.defaults.frames == 8 and model.defaults.fps == 4
    clip = target_clip(4, 1)
    shot = rh.Shot(clip.caption, steps=2).image(clip.frames[0])
    assert rh.Take.start(shot, model).finish().clip.frames.shape == (8, 128, 128, 3)


def test_what_ships_predicts_what_was_trained(tmp_path: Path, small: None) -> None:
    """The family's own reading of latents, picture, text and positions is the trainer's."""
    from rehearse.training import export

    torch.manual_seed(0)
    runs = tmp_path / "runs"
    tokenizer = target_tokenizer()
    module = TextAndTarget(len(tokenizer)).eval()
    loud(module)
    (runs / "theatre-target").mkdir(parents=True)
    tensors = {f"average.{key}": p.detach().contiguous() for key, p in module.named_parameters()}
    save_file(tensors, runs / "theatre-target" / "state.safetensors", metadata={"step": "1"})
    make_stills(runs / "data" / "stills", 24, 1, workers=1)
    theatre_vae.fit_basis(runs / "data" / "stills", runs / "basis.safetensors")
    folder = export.export_target(runs, tmp_path / "weights")
    model: Any = load_model(str(folder), device="cpu", precision="float32")
    clip = target_clip(4, 3)
    condition = model.pictures.condition(clip.frames[:1], [1.0] * 8)
    latents, step = torch.randn(1, LATENT_CHANNELS, 8, 16, 16), torch.tensor([500])
    served = model.denoise(latents, step, model.encode(clip.caption)[1:], condition=condition)
    with torch.no_grad():
        text = module.encode(token_ids(tokenizer, [clip.caption]))
        trained = module.predict(latents, condition[:, :, 0], step, text)
    assert (served - trained).abs().max() < 0.02 * trained.std()
