"""The theatre's image-to-video model: where it begins, what it is shown, and that it trains and ships."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

import rehearse as rh
from rehearse.models import load_model
from rehearse.models.image import ImageModel
from rehearse.models.motion_unet import MotionUNetModel, with_motion
from rehearse.theatre.data import make_stills
from rehearse.theatre.recipes import LATENT_CHANNELS, MOTION_ADAPTER, VAE
from rehearse.theatre.tokenizer import write_tokenizer
from rehearse.training import theatre_animate, theatre_vae
from rehearse.training.inflate import silent_adapter
from rehearse.training.theatre import train
from rehearse.training.theatre_animate import TextAndAnimation, adapter_of
from rehearse.training.theatre_image import TextAndImage


@pytest.fixture(scope="module")
def image() -> TextAndImage:
    torch.manual_seed(0)
    return TextAndImage(120).eval()


def test_it_begins_as_the_image_model_on_each_frame_whatever_it_is_shown(image: TextAndImage) -> None:
    model = TextAndAnimation(image).eval()
    latents, shown = (
        torch.randn(1, LATENT_CHANNELS, 3, 16, 16),
        torch.randn(1, 1 + LATENT_CHANNELS, 3, 16, 16),
    )
    text, step = torch.randn(1, 5, 128), torch.tensor([700])
    with torch.no_grad():
        clip = model.unet(torch.cat([latents, shown], 1), step, text.expand(3, -1, -1)).sample
        frames = [image.unet(latents[:, :, k], step, text).sample for k in range(3)]
    assert torch.allclose(clip, torch.stack(frames, 2), atol=1e-4)


def test_only_the_new_and_the_words_learn(image: TextAndImage) -> None:
    before = {name: value.clone() for name, value in image.unet.state_dict().items()}
    model: Any = TextAndAnimation(image)
    groups = model.groups()
    for group in groups:
        group.pop("rate")
    optimizer = torch.optim.AdamW(groups, lr=1e-2, weight_decay=0.5)
    learning = {
        name for name, p in model.named_parameters() if any(p is q for g in groups for q in g["params"])
    }
    assert learning == {name for name, p in model.named_parameters() if p.requires_grad}
    for _ in range(2):
        text = model.text(torch.randint(0, 120, (1, 5))).last_hidden_state
        noisy = torch.randn(1, 1 + 2 * LATENT_CHANNELS, 2, 8, 8)
        model.unet(noisy, torch.tensor([300]), text.repeat_interleave(2, 0)).sample.square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
    after = model.unet.state_dict()
    for name, value in before.items():
        kept = after[name][:, :LATENT_CHANNELS] if name == "conv_in.weight" else after[name]
        assert torch.equal(kept, value), name
    assert after["conv_in.weight"][:, LATENT_CHANNELS:].abs().max() > 0
    assert after["up_blocks.2.motion_modules.0.proj_out.weight"].abs().max() > 0


def test_the_adapter_and_the_base_make_the_model_again(image: TextAndImage) -> None:
    model = TextAndAnimation(image)
    with torch.no_grad():
        for name, p in model.unet.named_parameters():
            if "motion_modules" in name:
                p.add_(torch.randn_like(p))
        model.unet.conv_in.weight[:, LATENT_CHANNELS:] += 1
    again = with_motion(image.unet, adapter_of(model.unet))
    for name, value in model.unet.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name


def test_a_silent_adapter_adds_nothing() -> None:
    adapter: nn.Module = silent_adapter(MOTION_ADAPTER)
    silent = [m for name, m in adapter.named_modules() if name.endswith("proj_out")]
    assert silent and not any(p.any() for m in silent for p in m.parameters())


def save_run(folder: Path, module: nn.Module) -> None:
    """A run of no steps, as ``Fit`` leaves it, as far as others read it."""
    folder.mkdir(parents=True)
    tensors = {f"average.{name}": p.detach().contiguous() for name, p in module.named_parameters()}
    save_file(tensors, folder / "state.safetensors", metadata={"step": "1"})


@pytest.mark.slow
def test_two_steps_of_training_export_a_working_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_theatre: None
) -> None:
    from diffusers import AutoencoderTiny
    from transformers import CLIPTokenizer

    monkeypatch.setattr(theatre_animate, "SHEET_CLIPS", 1)
    monkeypatch.setattr(theatre_animate, "SHEET_STEPS", 2)
    torch.manual_seed(0)
    runs, weights = tmp_path / "runs", tmp_path / "weights"
    make_stills(runs / "data" / "stills", 64, 1, workers=1)
    theatre_vae.fit_basis(runs / "data" / "stills", runs / "basis.safetensors")
    write_tokenizer(runs / "theatre-image" / "tokenizer")
    words = len(CLIPTokenizer.from_pretrained(str(runs / "theatre-image" / "tokenizer")))
    image = TextAndImage(words)
    (runs / "theatre-image" / "tokenizer").rename(tmp_path / "tokenizer")
    (runs / "theatre-image").rmdir()
    save_run(runs / "theatre-image", image)
    (tmp_path / "tokenizer").rename(runs / "theatre-image" / "tokenizer")
    save_run(runs / "theatre-vae", AutoencoderTiny(**VAE))

    train("theatre-animate", runs, steps=2, samples=16, device="cpu", weights=weights)

    run, folder = runs / "theatre-animate", weights / "theatre-animate"
    assert (run / "sheet-000002.png").stat().st_size > 1000
    assert (runs / "theatre-animate-picture" / "state.safetensors").exists()
    first = runs / "theatre-animate-motion" / "state.safetensors"
    with safe_open(str(first), framework="pt") as state:
        kept = state.get_tensor("average.unet.mid_block.resnets.0.conv1.weight")
    assert torch.equal(kept, image.unet.mid_block.resnets[0].conv1.weight)
    with safe_open(str(run / "state.safetensors"), framework="pt") as state:
        assert state.metadata()["step"] == "2"
        layer = "average.unet.mid_block.resnets.0.conv1.parametrizations.weight"
        kept, up = (state.get_tensor(f"{layer}.{part}") for part in ("original", "0.up"))
    assert torch.equal(kept, image.unet.mid_block.resnets[0].conv1.weight) and up.any()
    assert sorted(path.name for path in folder.iterdir()) == [
        *("README.md", "motion_adapter", "rehearse.json", "spatial.safetensors", "text_encoder"),
        "vocabulary.json",
    ]
    said = json.loads((folder / "rehearse.json").read_text())
    assert said["loras"] == [{"file": "spatial.safetensors", "scale": 1.0, "pictures": False}]
    assert said["base"] == "theatre-image" and said["max_frames"] == 24 and said["defaults"]["frames"] == 16
    card = (folder / "README.md").read_text()
    assert "rehearse train theatre-animate" in card and "2 steps of batch 8" in card
    for file in weights.rglob("*.safetensors"):
        assert file.stat().st_size <= 16 * 2**20
        with safe_open(str(file), framework="pt") as tensors:
            assert {tensors.get_slice(name).get_dtype() for name in tensors.keys()} <= {"F16", "I64"}  # noqa: SIM118

    model = load_model(str(folder), device="cpu")
    assert isinstance(model, MotionUNetModel) and model.pictures is not None
    pictures = model.pictures.picture_model()
    assert isinstance(pictures, ImageModel)
    # The LoRA is the clip's: the image model beside it draws as it always did.
    theirs = pictures.denoiser.mid_block.resnets[0].conv1.weight
    assert torch.allclose(theirs.float(), kept, atol=1e-3)
    assert not torch.equal(model.denoiser.mid_block.resnets[0].conv1.weight, theirs)
    assert model.pictures.affinity_lists is not None and model.pictures.affinity_lists["large"] == (1.0, 0.3)
    shot = rh.Shot("a red ball moves right over the meadow", steps=2, frames=4).image(
        np.full((128, 128, 3), 90, np.uint8)
    )
    clip = rh.Take.start(shot, model).finish().clip
    assert clip.frames.shape == (4, 128, 128, 3)
