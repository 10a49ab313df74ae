"""Masks beside the latents and the word in the prompt: what training starts from, and what is refused."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from toy_models import toy_cogvideox, toy_unet

from rehearse.models import ModelError
from rehearse.models.cogvideox_positions import rotary_positions
from rehearse.models.target_conditioning import (
    grow_for_masks,
    mask_channels,
    mask_count,
    trigger_spans,
    with_trigger,
)
from rehearse.shot import ShotError


def predicted(transformer: Any, latents: Tensor) -> Tensor:
    torch.manual_seed(5)
    text = torch.randn(2, 14, 16)
    ofs = None if transformer.ofs_embedding is None else torch.full((1,), 2.0)
    with torch.no_grad():
        output: Tensor = transformer(
            hidden_states=latents,
            encoder_hidden_states=text,
            timestep=torch.tensor([500, 500]),
            ofs=ofs,
            image_rotary_emb=rotary_positions(transformer, *latents.shape[1:2], *latents.shape[3:]),
            return_dict=False,
        )[0]
    return output


@pytest.mark.parametrize("pairs", [False, True], ids=["1.0", "1.5"])
@pytest.mark.parametrize("masks", [1, 2])
def test_before_training_a_grown_transformer_answers_bit_for_bit_as_before(pairs: bool, masks: int) -> None:
    torch.manual_seed(0)
    transformer = toy_cogvideox(pairs=pairs).eval()
    latents = torch.randn(2, 4, 8, 10, 6)
    before = predicted(transformer, latents)
    assert mask_count(transformer) == 0
    grow_for_masks(transformer, masks)
    assert mask_count(transformer) == masks and transformer.config.in_channels == 8 + masks
    marks = torch.rand(2, 4, masks, 10, 6)
    assert torch.equal(predicted(transformer, torch.cat([latents, marks], dim=2)), before)
    weight = transformer.patch_embed.proj.weight
    with torch.no_grad():
        weight[:, weight.shape[1] * 8 // (8 + masks) :] = 0.3
    assert not torch.equal(predicted(transformer, torch.cat([latents, marks], dim=2)), before)


@pytest.mark.parametrize("pairs", [False, True], ids=["1.0", "1.5"])
def test_the_new_weights_learn_and_the_saved_model_is_a_stock_one(pairs: bool, tmp_path: Any) -> None:
    from diffusers import CogVideoXTransformer3DModel

    torch.manual_seed(0)
    transformer = toy_cogvideox(pairs=pairs).eval()
    transformer.requires_grad_(False)
    transformer.patch_embed.proj.weight.requires_grad_(True)
    grow_for_masks(transformer)
    proj = transformer.patch_embed.proj
    assert proj.weight.requires_grad and not proj.bias.requires_grad
    latents = torch.cat([torch.randn(2, 4, 8, 8, 8), torch.rand(2, 4, 1, 8, 8)], dim=2)
    with torch.enable_grad():
        proj.weight.grad = None
        text, ofs = torch.randn(2, 14, 16), torch.full((1,), 2.0) if pairs else None
        transformer(
            hidden_states=latents, encoder_hidden_states=text, timestep=torch.tensor([5, 5]), ofs=ofs,
            image_rotary_emb=rotary_positions(transformer, 4, 8, 8), return_dict=False,
        )[0].square().mean().backward()  # fmt: skip
    assert proj.weight.grad[:, proj.first :].abs().max() > 0
    with torch.no_grad():
        proj.weight.sub_(proj.weight.grad)
    transformer.save_pretrained(tmp_path, safe_serialization=True)
    again = CogVideoXTransformer3DModel.from_pretrained(tmp_path).eval()
    assert mask_count(again) == 1
    torch.testing.assert_close(predicted(again, latents), predicted(transformer, latents))


def test_what_cannot_grow_is_refused() -> None:
    with pytest.raises(ModelError, match="grows a CogVideoXTransformer3DModel, and this is a UNet3D"):
        grow_for_masks(toy_unet())
    with pytest.raises(ModelError, match=r"takes 4 channels where an image-to-video model .* takes 8"):
        grow_for_masks(toy_cogvideox(pictures=False))
    grown = toy_cogvideox()
    with pytest.raises(ModelError, match="1 or 2 masks, not 3"):
        grow_for_masks(grown, 3)
    grow_for_masks(grown)
    with pytest.raises(ModelError, match="was grown before: it takes 1 mask channels beside 8"):
        grow_for_masks(grown)


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 40), width=st.integers(1, 40), rows=st.integers(1, 9), columns=st.integers(1, 9),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_masks_keep_their_area_and_stand_in_the_first_latent_frame(
    height: int, width: int, rows: int, columns: int, seed: int
) -> None:
    mask = torch.from_numpy(np.random.default_rng(seed).random((2, height, width), dtype=np.float32))
    mask[:, 0, 0] = 0.5
    channels = mask_channels(mask, 3, rows, columns)
    assert channels.shape == (2, 3, rows, columns) and not channels[:, 1:].any()
    torch.testing.assert_close(channels[:, 0].mean(dim=(1, 2)), mask.mean(dim=(1, 2)), atol=1e-4, rtol=1e-4)


def test_a_target_thinner_than_a_cell_is_not_lost() -> None:
    mask = torch.zeros(1, 48, 64)
    mask[0, 9:39, 21] = 1
    channels = mask_channels(mask, 2, 6, 8)
    # Nearest sampling, at the cells' corners or centres, would find none of it.
    assert not mask[0, ::8, ::8].any() and not mask[0, 4::8, 4::8].any()
    assert channels[0, 0].sum() == pytest.approx(30 / 64) and (channels[0, 0, :, 2] > 0).sum() == 4


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        (torch.zeros(1, 8, 8), "mask: the mask is empty"),
        (torch.ones(1, 8, 8), "mask: the mask marks the whole frame"),
        (torch.full((1, 8, 8), 255.0), r"mask: its values must lie in \[0, 1\]; divide"),
        (torch.full((1, 8, 8), torch.nan), r"mask: its values must lie"),
        (torch.zeros(8, 8), r"mask: masks are \[n, height, width\], and these are \[8, 8\]"),
        (torch.cat([torch.eye(8)[None], torch.zeros(1, 8, 8)]), "mask: the mask is empty"),
    ],
)
def test_masks_that_mark_nothing_or_everything_are_refused(mask: Tensor, said: str) -> None:
    with pytest.raises(ShotError, match=said):
        mask_channels(mask, 2, 4, 4)


@pytest.mark.parametrize(
    ("prompt", "phrase", "expected"),
    [
        ("a frog reaches the red ball", "the red ball", "a frog reaches the target red ball"),
        ("a frog reaches the red ball", "Red ball", "a frog reaches the target red ball"),
        ("ball", "ball", "target ball"),
        ("a frog reaches the Target  ball", "ball", "a frog reaches the Target  ball"),
        ("a frog reaches the target ball", "target ball", "a frog reaches the target ball"),
        ("targets near a ball", "ball", "targets near a target ball"),
    ],
)
def test_the_word_goes_before_the_noun_phrase_once(prompt: str, phrase: str, expected: str) -> None:
    made, (start, end) = with_trigger(prompt, phrase)
    assert made == expected and made[start:end].lower() == "target"
    assert len(trigger_spans(made, "target")) == 1
    assert with_trigger(made, phrase) == (made, (start, end))


def test_another_word_and_one_of_several_mentions() -> None:
    assert with_trigger("a ball and a ball", "ball", "[TGT]", occurrence=2)[0] == "a ball and a [TGT] ball"
    made, (start, end) = with_trigger("a [TGT] ball", "ball", "[TGT]")
    assert made[start:end] == "[TGT]"


@pytest.mark.parametrize(
    ("prompt", "phrase", "said"),
    [
        ("a frog reaches the ball", "cup", 'phrase is "cup": these words are not in the prompt'),
        ("a ball and a ball", "ball", 'phrase is "ball": the prompt has it 2 times'),
        (
            "a target and a ball",
            "ball",
            'must stand just before it, and stands in "target and a"; name these',
        ),
        ("a target cup, a target car, a ball", "ball", 'stands in "target cup a" and "target car a"'),
        ("the target and the target", "target", "the prompt has it 2 times; say which with an occurrence"),
    ],
)
def test_a_phrase_or_word_that_is_not_there_once_is_refused(prompt: str, phrase: str, said: str) -> None:
    with pytest.raises(ShotError, match=re.escape(said)) as caught:
        with_trigger(prompt, phrase)
    assert caught.value.field == "phrase" and "\n" not in str(caught.value)
