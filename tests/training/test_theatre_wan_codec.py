"""The theatre's Wan codec: whole clips at once as in chunks, stills first, what it learns on and from."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from toy_models import toy_wan_vae

from rehearse.models.wan_whole_clips import decode, encode, whole_clips
from rehearse.theatre import recipes
from rehearse.theatre.data import SIZE, Stills, make_stills
from rehearse.training import theatre, theatre_wan_codec
from rehearse.training.codec_batches import CROP, WHOLE_EVERY, CodecBatch, of_clips, of_stills
from rehearse.training.critic import PatchCritic, adversarial
from rehearse.training.theatre_wan_codec import measure
from rehearse.training.wan_in_time import begin_in_time


def of_2_1() -> Any:
    """An AutoencoderKLWan of 2.1's kind: no patches, and blocks whose shortcuts are plain."""
    from diffusers import AutoencoderKLWan

    return AutoencoderKLWan(
        base_dim=8, z_dim=4, dim_mult=[1, 2, 2, 2], num_res_blocks=1, attn_scales=[],
        temperal_downsample=[False, True, True],
    )  # fmt: skip


HALVINGS = [(True, False), (True, True), (False, True), (False, False)]


@pytest.mark.parametrize("made", [of_2_1, *(partial(toy_wan_vae, halvings) for halvings in HALVINGS)])
def test_a_clip_in_one_pass_is_what_the_class_makes_of_its_chunks(made: Callable[[], Any]) -> None:
    torch.manual_seed(0)
    codec, clips = made(), torch.rand(2, 3, 9, 32, 48) * 2 - 1
    with torch.no_grad():
        latents = codec.encode(clips).latent_dist.mode()
        shown = codec.decode(latents).sample
        whole_clips(codec)
        torch.testing.assert_close(encode(codec, clips), latents, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(decode(codec, latents).clamp(-1, 1), shown, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(encode(codec, clips[:, :, :1]), latents[:, :, :1], atol=1e-5, rtol=1e-5)
        # And the class goes on as it was.
        torch.testing.assert_close(codec.encode(clips).latent_dist.mode(), latents)
        torch.testing.assert_close(codec.decode(latents).sample, shown)


def test_a_codec_of_stills_begins_with_frames_that_know_nothing_of_each_other() -> None:
    torch.manual_seed(0)
    codec = whole_clips(toy_wan_vae((True, False)))
    clips = torch.rand(1, 3, 9, 32, 32) * 2 - 1
    other = clips.clone()
    other[:, :, :7] = 0.0
    with torch.no_grad():
        still = encode(codec, clips[:, :, :1])
        begin_in_time(codec)
        torch.testing.assert_close(encode(codec, clips)[:, :, :1], still, atol=1e-5, rtol=1e-5)
        # The last latent frame holds the last two frames.
        torch.testing.assert_close(encode(codec, clips)[:, :, 4], encode(codec, other)[:, :, 4])
        latents = torch.randn(1, 4, 5, 4, 4)
        changed = latents.clone()
        changed[:, :, :4] = 0.0
        torch.testing.assert_close(decode(codec, latents)[:, :, 7:], decode(codec, changed)[:, :, 7:])
        assert decode(codec, latents).shape == (1, 3, 9, 32, 32)


def test_the_adversary_and_the_maker_learn_each_from_its_own_loss() -> None:
    torch.manual_seed(0)
    critic, made = PatchCritic(8), torch.rand(2, 3, 32, 32, requires_grad=True)
    told, fooled = adversarial(critic, torch.rand(2, 3, 32, 32), made)
    told.backward()
    assert made.grad is None
    of_critic = [p.grad.clone() for p in critic.parameters() if p.grad is not None]
    fooled.backward()
    assert made.grad is not None and made.grad.abs().sum() > 0
    after = [p.grad for p in critic.parameters() if p.grad is not None]
    assert all(torch.equal(a, b) for a, b in zip(of_critic, after, strict=True)) and of_critic


@pytest.fixture(scope="module")
def stills(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "data" / "stills"
    make_stills(folder, 8, recipes.WAN_CODEC_STILLS.data_seed, workers=1)
    return folder


def test_batches_are_crops_with_puppets_and_now_and_then_whole_frames(stills: Path) -> None:
    opened = Stills.open(stills)
    crops = of_stills(opened, 8, 0, np.random.default_rng(0))
    assert crops.pictures.shape == (8, 3, 1, CROP, CROP) and crops.subjects.shape == (8, 1, 1, CROP, CROP)
    assert crops.pictures.abs().max() <= 1 and crops.subjects.mean() > 0.02
    whole = of_stills(opened, 8, WHOLE_EVERY - 1, np.random.default_rng(0))
    assert whole.pictures.shape == (2, 3, 1, SIZE, SIZE)
    again = of_stills(opened, 8, 0, np.random.default_rng(0))
    assert torch.equal(again.pictures, crops.pictures) and torch.equal(again.subjects, crops.subjects)
    moving = of_clips(2, 4, 17, 9, 2, 0, np.random.default_rng(0))
    assert moving.pictures.shape == (2, 3, 9, CROP, CROP)
    assert (moving.pictures.diff(dim=2).abs() > 0.05).any()
    assert of_clips(2, 4, 17, 9, 2, WHOLE_EVERY - 1, np.random.default_rng(0)).pictures.shape == (
        1, 3, 3, SIZE, SIZE,
    )  # fmt: skip


def test_the_measures_are_those_of_known_errors() -> None:
    pictures = torch.zeros(1, 3, 1, 8, 8)
    pictures[..., ::2] = 0.5
    subjects = torch.zeros(1, 1, 1, 8, 8)
    subjects[..., :4] = 1
    made: Tensor = pictures * 0.8
    figures = measure(CodecBatch(pictures, subjects), made)
    # Half of the pixels are off by .05 of the range of 1.
    assert figures["psnr"] == pytest.approx(-10 * np.log10(0.05**2 / 2), abs=1e-3)
    assert figures["puppets"] == pytest.approx(figures["psnr"], abs=1e-3)
    assert figures["edge_energy"] == pytest.approx(0.8, abs=1e-4)


def test_it_trains_on_stills_and_then_on_clips(
    stills: Path, monkeypatch: pytest.MonkeyPatch, small_theatre: None
) -> None:
    small: dict[str, Any] = {"base_dim": 8, "decoder_base_dim": 8}
    for name, value in small.items():
        monkeypatch.setitem(recipes.WAN_CODEC, name, value)
    monkeypatch.setattr(theatre_wan_codec, "HELD_OUT_STILLS", 2)
    monkeypatch.setattr(theatre_wan_codec, "HELD_OUT_CLIPS", 1)
    name = recipes.WAN_CODEC_CLIPS.name
    monkeypatch.setitem(theatre.RECIPES, name, replace(theatre.RECIPES[name], batch=1))
    runs = stills.parent.parent
    theatre.train(name, runs, steps=4, samples=8, device="cpu", sheet_seconds=0)
    for run, last in ((recipes.WAN_CODEC_STILLS.name, "sheet-000004.png"), (name, "sheet-000004.png")):
        assert (runs / run / last).is_file()
        figures = json.loads((runs / run / "held_out.jsonl").read_text().splitlines()[-1])
        assert figures["step"] == 4 and figures["psnr"] > 3
    before = (runs / name / "state.safetensors").read_bytes()
    theatre.train(name, runs, steps=4, samples=8, device="cpu", sheet_seconds=0)
    assert (runs / name / "state.safetensors").read_bytes() == before
