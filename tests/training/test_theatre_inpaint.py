"""The theatre's inpainting model: which regions it is shown, where it begins, that it trains and ships."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from rehearse.models import load_model
from rehearse.models.image import ImageModel
from rehearse.theatre.data import CELL, SIZE, make_stills
from rehearse.theatre.recipes import LATENT_CHANNELS, VAE
from rehearse.theatre.tokenizer import write_tokenizer
from rehearse.training import theatre_vae
from rehearse.training.theatre import train
from rehearse.training.theatre_image import TextAndImage
from rehearse.training.theatre_inpaint import InpaintingImage, caption_of, draw_region

CELLS = SIZE // CELL


@given(
    box=st.tuples(*(st.integers(0, SIZE - 2) for _ in range(2)), *(st.integers(2, 60) for _ in range(2))),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_region_round_a_puppet_holds_all_of_it(box: tuple[int, int, int, int], seed: int) -> None:
    x, y, width, height = box
    owners = np.zeros((SIZE, SIZE), np.uint8)
    owners[y : y + height, x : x + width] = 2
    region, puppet = draw_region(owners, np.random.default_rng(seed))
    assert region.shape == (CELLS, CELLS) and region.any()
    assert puppet in (None, 1)
    if puppet == 1:
        shown = (owners > 0).reshape(CELLS, CELL, CELLS, CELL).any(axis=(1, 3))
        assert region[shown].all()


def test_a_region_may_lie_anywhere_and_an_empty_still_has_no_puppet_in_it() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_region(np.zeros((SIZE, SIZE), np.uint8), rng) for _ in range(50)]
    assert all(puppet is None for _, puppet in drawn)
    assert len({region.tobytes() for region, _ in drawn}) > 40


def test_the_prompt_names_the_puppet_of_the_region_or_the_whole_still() -> None:
    row = {
        "caption": "a red ball and a blue car in the snow",
        "kinds": [0, 1],
        "colours": [0, 4],
        "backdrop": 4,
    }
    rng = np.random.default_rng(1)
    assert {caption_of(row, None, rng) for _ in range(20)} == {row["caption"]}
    assert {caption_of(row, 1, rng) for _ in range(40)} == {row["caption"], "a blue car in the snow"}


def test_it_begins_as_the_image_model_and_leaves_its_weights_and_words_alone() -> None:
    torch.manual_seed(0)
    image = TextAndImage(120).eval()
    noisy, shown = torch.randn(2, LATENT_CHANNELS, 16, 16), torch.randn(2, 1 + LATENT_CHANNELS, 16, 16)
    text, step = torch.randn(2, 5, 128), torch.tensor([300, 800])
    with torch.no_grad():
        expected = image.unet(noisy, step, text).sample
    model: Any = InpaintingImage(image, rank=4).eval()
    with torch.no_grad():
        assert torch.allclose(
            model.unet(torch.cat([noisy, shown], 1), step, text).sample, expected, atol=1e-4
        )
    learning = {name for name, p in model.named_parameters() if p.requires_grad}
    assert learning and all(name == "unet.conv_in.weight" or "parametrizations" in name for name in learning)
    trained = [p for group in model.groups() for p in group["params"]]
    assert len(trained) == len(learning)


def save_run(folder: Path, module: nn.Module) -> None:
    """A run of no steps, as ``Fit`` leaves it, as far as others read it."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"average.{name}": p.detach().contiguous() for name, p in module.named_parameters()}
    save_file(tensors, folder / "state.safetensors", metadata={"step": "1"})


@pytest.mark.slow
def test_two_steps_of_training_export_a_model_that_draws_in_regions(
    tmp_path: Path, small_theatre: None
) -> None:
    from diffusers import AutoencoderTiny
    from transformers import CLIPTokenizer

    torch.manual_seed(0)
    runs, weights = tmp_path / "runs", tmp_path / "weights"
    stills = runs / "data" / "stills"
    make_stills(stills, 64, 1, workers=1)
    theatre_vae.fit_basis(stills, runs / "basis.safetensors")
    write_tokenizer(runs / "theatre-image" / "tokenizer")
    words = len(CLIPTokenizer.from_pretrained(str(runs / "theatre-image" / "tokenizer")))
    save_run(runs / "theatre-image", TextAndImage(words))
    save_run(runs / "theatre-vae", AutoencoderTiny(**VAE))

    train("theatre-inpaint", runs, steps=2, samples=64, device="cpu", weights=weights)

    assert (runs / "theatre-inpaint" / "sheet-000002.png").stat().st_size > 1000
    folder = weights / "theatre-inpaint"
    assert sorted(path.name for path in folder.iterdir()) == [
        *("README.md", "conv_in.safetensors", "rehearse.json", "spatial.safetensors"),
    ]
    assert json.loads((folder / "rehearse.json").read_text())["base"] == "theatre-image"
    assert (
        json.loads((weights / "theatre-image" / "rehearse.json").read_text())["inpainting"]
        == "theatre-inpaint"
    )
    card = (folder / "README.md").read_text()
    assert "rehearse train theatre-inpaint" in card and "2 steps of batch 32" in card
    model = load_model(str(weights / "theatre-image"), device="cpu")
    partner = model.inpainting_model()
    assert isinstance(partner, ImageModel) and partner.inpainting is not None
    assert partner.fingerprint == load_model(str(folder), device="cpu").fingerprint
