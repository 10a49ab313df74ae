"""theatre-wan: what it learns on, its stages, and that stock classes read what ships."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import rehearse as rh
from rehearse.theatre import recipes
from rehearse.theatre.data import encode_stills, make_clips, make_stills
from rehearse.theatre.parts import NOTHING
from rehearse.theatre.tokenizer import MAX_TOKENS
from rehearse.theatre.wan_tokenizer import wan_tokenizer
from rehearse.theatre.world.vocabulary import words
from rehearse.training import theatre, theatre_wan, theatre_wan_codec
from rehearse.training.fit import finished
from rehearse.training.flow import noisy, random_times, sample, shifted
from rehearse.training.theatre_wan import TextAndWan
from rehearse.training.wan_latents import decoded, finished_codec, moments

SMALL = {"num_attention_heads": 2, "attention_head_dim": 16, "num_layers": 3, "ffn_dim": 48, "freq_dim": 32}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, small_theatre: None) -> None:
    for name, value in SMALL.items():
        monkeypatch.setitem(recipes.WAN_TRANSFORMER, name, value)
    for name in ("base_dim", "decoder_base_dim"):
        monkeypatch.setitem(recipes.WAN_CODEC, name, 8)
    monkeypatch.setattr(theatre_wan_codec, "HELD_OUT_STILLS", 2)
    monkeypatch.setattr(theatre_wan_codec, "HELD_OUT_CLIPS", 1)
    monkeypatch.setattr(theatre_wan, "SHEET_STEPS", 2)


def test_every_word_of_the_world_is_a_token_and_padding_becomes_zeros(small: None) -> None:
    tokenizer = wan_tokenizer()
    for word in words():
        assert len(tokenizer(word, add_special_tokens=False).input_ids) == 1, word
    torch.manual_seed(0)
    model = TextAndWan(len(tokenizer)).eval()
    with torch.no_grad():
        short, long = model.encode(tokenizer, ["a red ball", "a red ball moves right over the sea"])
        alone = model.encode(tokenizer, ["a red ball"])[0]
    assert short.shape == (MAX_TOKENS, recipes.TEXT_WIDTH)
    assert short[:4].abs().sum(-1).all() and not short[4:].any() and long[8].any()
    torch.testing.assert_close(short, alone)


def test_it_begins_by_predicting_nothing_and_a_known_frame_has_the_time_nought(small: None) -> None:
    torch.manual_seed(0)
    model = TextAndWan(60).eval()
    latents, text = torch.randn(2, recipes.WAN_LATENTS, 3, 4, 4), torch.randn(2, 6, recipes.TEXT_WIDTH)
    times = torch.tensor([0.7, 0.2])
    with torch.no_grad():
        assert not model.flow(latents, times, text).any()
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, 0.1)
        plain = model.flow(latents, times, text)
        none = model.flow(latents, times, text, torch.tensor([False, False]))
        first = model.flow(latents, times, text, torch.tensor([True, False]))
        # Which tokens have the time 0 is what the stock model is told.
        told = torch.full((2, 12), 700.0)
        told[1] = 200.0
        told[0, :4] = 0.0
        stock = model.transformer(latents, told, text, return_dict=False)[0]
    torch.testing.assert_close(none, plain, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(first, stock)
    assert not torch.allclose(first[0], plain[0], atol=1e-3)
    torch.testing.assert_close(first[1], plain[1], atol=1e-5, rtol=1e-4)


def test_the_flow_leads_from_noise_to_the_clip() -> None:
    clean = torch.randn(3, 2, 1, 4, 4)
    times = torch.tensor([0.0, 0.5, 1.0])
    torch.manual_seed(1)
    seen, flow = noisy(clean, times)
    at = times.view(-1, 1, 1, 1, 1)
    torch.testing.assert_close(seen - at * flow, clean)
    drawn = random_times(np.random.default_rng(0), 1000, 3.0)
    assert drawn.min() >= 0 and drawn.max() <= 1 and drawn.median() == pytest.approx(0.75, abs=0.01)
    assert shifted(torch.tensor([0.0, 0.5, 1.0]), 3.0).tolist() == pytest.approx([0.0, 0.75, 1.0])

    def towards(latents: torch.Tensor, time_: float) -> tuple[torch.Tensor, torch.Tensor]:
        one = (latents - clean) / time_
        return one, one

    made = sample(towards, tuple(clean.shape), 5, 4.0, 3.0, 0, torch.device("cpu"))
    torch.testing.assert_close(made, clean, atol=1e-5, rtol=1e-5)


def test_latent_frames_stand_for_the_last_frame_that_they_hold(tmp_path: Path) -> None:
    def encode(frames: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        clips = frames.reshape(-1, 17, *frames.shape[1:])
        kept = clips[:, ::2, ::8, ::8].transpose(0, 1, 4, 2, 3)
        return kept.reshape(-1, *kept.shape[2:]).astype(np.float16)

    clips = make_clips(tmp_path / "two", 2, 5, encode, workers=1, length=17, stride=2)
    whole = make_clips(
        tmp_path / "one",
        2,
        5,
        lambda f: f[:, ::8, ::8].transpose(0, 3, 1, 2).astype(np.float16),
        workers=1,
        length=17,
    )
    assert clips.latents.shape == (2, 9, 3, 16, 16)
    for name in ("latents", "subjects", "parts"):
        assert np.array_equal(getattr(clips, name), getattr(whole, name)[:, ::2]), name


def test_encoded_stills_are_clips_of_one_frame_and_go_on(tmp_path: Path) -> None:
    stills = make_stills(tmp_path / "stills", 5, 1, workers=1)
    calls = []

    def encode(frames: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        calls.append(len(frames))
        return frames[:, ::8, ::8].transpose(0, 3, 1, 2).astype(np.float16)

    made = encode_stills(tmp_path / "latents", stills, encode)
    assert made.latents.shape == (5, 1, 3, 16, 16) and [row["caption"] for row in made.rows]
    assert np.array_equal(made.parts[:, 0, ..., :3], stills.parts) and not made.parts[..., 3:].any()
    assert (made.parts[..., 0] != NOTHING).any()
    assert calls == [1, 5]


def test_its_stages_follow_each_other_and_what_ships_is_read_by_stock_classes(
    tmp_path: Path, small: None, capsys: pytest.CaptureFixture[str]
) -> None:
    from diffusers import WanPipeline

    runs, weights = tmp_path / "runs", tmp_path / "weights"
    theatre.train_in(None, runs, steps=2, samples=8, device="cpu", weights=weights, sheet_seconds=0)
    stages = ("theatre-wan-codec-stills", "theatre-wan-codec", "theatre-wan-stills", "theatre-wan")
    for stage in stages:
        assert finished(runs / stage) and (runs / stage / "sheet-000002.png").is_file(), stage
    rows = [json.loads(line) for line in (runs / "data/wan-clips/rows.jsonl").read_text().splitlines()]
    assert len(rows) == 8
    before = {stage: (runs / stage / "state.safetensors").stat().st_mtime_ns for stage in stages}
    theatre.train_in(None, runs, steps=2, samples=8, device="cpu", weights=weights, sheet_seconds=0)
    assert before == {stage: (runs / stage / "state.safetensors").stat().st_mtime_ns for stage in stages}

    folder = weights / "theatre-wan"
    assert max(path.stat().st_size for path in folder.rglob("*")) < 16e6
    pipeline: Any = WanPipeline.from_pretrained(str(folder), torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    mean, std = moments(runs)
    assert pipeline.vae.config.latents_mean == pytest.approx(mean.tolist())
    assert pipeline.vae.config.latents_std == pytest.approx(std.tolist())
    made = pipeline(
        "a red ball moves right over the sea",
        height=32,
        width=32,
        num_frames=17,
        num_inference_steps=2,
        max_sequence_length=MAX_TOKENS,
        output_type="latent",
    ).frames
    assert made.shape == (1, recipes.WAN_LATENTS, 9, 4, 4)
    # The shipped codec draws what the run's codec draws, and its posterior has no width.
    codec = finished_codec(runs, "cpu")
    normalised = (made - mean.view(-1, 1, 1, 1)) / std.view(-1, 1, 1, 1)
    with torch.no_grad():
        shipped = pipeline.vae.decode(made).sample
        ours = decoded(codec, normalised, mean, std)
        width = pipeline.vae.encode(shipped).latent_dist.std.max()
    assert width < 1e-4
    shown = ((shipped[0] + 1) * 127.5).permute(1, 2, 3, 0).numpy()
    assert np.abs(shown - ours[0].astype(float)).max() < 2.0  # weights in fp16
    # And it is a model of this house.
    shot = rh.Shot("a red ball moves right over the sea", model=str(folder), width=32, height=32, steps=2)
    clip = rh.generate(shot)
    assert clip.frames.shape == (17, 32, 32, 3)


def test_minutes_cut_the_steps(tmp_path: Path, small: None) -> None:
    stills = "theatre-wan-codec-stills"
    began = time.monotonic()
    theatre.train(stills, tmp_path, samples=8, device="cpu", sheet_seconds=0, until=began + 5)
    assert finished(tmp_path / stills)
    last = json.loads((tmp_path / stills / "held_out.jsonl").read_text().splitlines()[-1])
    assert 15 < last["step"] < recipes.WAN_CODEC_STILLS.steps
