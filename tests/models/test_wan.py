"""Wan: stock pipelines and our loop agree; text, pictures, sizes, sites, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from toy_models import T5_TOKENS, save_toy_wan

from rehearse.controls.attention_mask import AttentionMask
from rehearse.controls.control import Moment
from rehearse.controls.subject import Subject
from rehearse.models import ModelError, load_model, wan_codec
from rehearse.models.joint_attention import JointStage
from rehearse.models.precision import Precision
from rehearse.models.wan import Wan
from rehearse.models.wan_attention import install_wan
from rehearse.sampling.loop import Loop
from rehearse.sampling.plan import Plan
from rehearse.shot import Box, BoxPath
from rehearse.sites import AttentionCall, Grid, Site

PROMPT, NEGATIVE = "a red ball moves right", "blue"
NOW = Moment(step=0, steps=5, timestep=999.0)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Toy folders, each kind saved once."""
    root, made = tmp_path_factory.mktemp("wan"), dict[str, Path]()

    def folder(**kind: Any) -> Path:
        key = json.dumps(kind, sort_keys=True)
        if key not in made:
            made[key] = save_toy_wan(root / f"toy-{len(made)}", **kind)
        return made[key]

    return folder


def load(folder: Path) -> Wan:
    model = load_model(str(folder), precision="float32")
    assert isinstance(model, Wan)
    return model


def picture(height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def a_plan(model: Wan, scheduler: str, guidance: float, shown: NDArray[np.uint8] | None = None) -> Plan:
    condition = None if shown is None else model.pictures.condition(shown[None], [1.0] * 9)
    return Plan(
        frames=9, width=64, height=48, fps=8, steps=5, guidance=guidance, scheduler=scheduler, seed=3,
        text=model.encode(PROMPT, NEGATIVE), condition=condition,
    )  # fmt: skip


@pytest.mark.parametrize("guidance", [1.0, 3.0])
@pytest.mark.parametrize("scheduler", ["unipc", "euler"])
@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ({"pictures": False}, False),
        ({"pictures": True}, False),
        ({"pictures": True}, True),
        ({"pictures": True, "halvings": (True, False)}, True),
    ],
)
def test_the_same_latents_as_the_stock_pipelines(
    folders: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    kind: dict[str, Any],
    shown: bool,
    scheduler: str,
    guidance: float,
) -> None:
    """From the same seed, step by step, in float32 within 1e-4; a known frame is held where stock puts it
    back before each step and at the end."""
    from diffusers import WanImageToVideoPipeline, WanPipeline
    from diffusers.pipelines.wan import pipeline_wan, pipeline_wan_i2v

    for module in (pipeline_wan, pipeline_wan_i2v):  # it would mend text by a library that need not be there
        monkeypatch.setattr(module, "prompt_clean", str)
    folder = folders(scheduler=scheduler, **kind)
    model = load(folder)
    loop = Loop(model, a_plan(model, scheduler, guidance, picture() if shown else None))
    states = list(loop.run(loop.start()))
    pipeline = (WanImageToVideoPipeline if shown else WanPipeline).from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    seen: list[Tensor] = []

    def watch(_: Any, step: int, timestep: Any, kept: dict[str, Any]) -> dict[str, Any]:
        seen.append(kept["latents"].clone())
        return kept

    asked: dict[str, Any] = {"image": Image.fromarray(picture())} if shown else {}
    asked |= {
        "prompt": PROMPT, "negative_prompt": NEGATIVE, "height": 48, "width": 64, "num_frames": 9,
        "num_inference_steps": 5, "guidance_scale": guidance, "max_sequence_length": T5_TOKENS,
        "callback_on_step_end": watch,
    }  # fmt: skip
    stock = pipeline(**asked, generator=torch.Generator().manual_seed(3), output_type="latent").frames
    first = 1 if shown else 0
    for ours_then, stock_then in zip(states, seen, strict=True):
        torch.testing.assert_close(
            ours_then.latents[:, :, first:], stock_then[:, :, first:], atol=1e-4, rtol=1e-4
        )
    assert states[-1].latents.std() > 0.2
    torch.testing.assert_close(states[-1].latents, stock, atol=1e-4, rtol=1e-4)
    frames = pipeline(**asked, generator=torch.Generator().manual_seed(3), output_type="np").frames[0]
    ours = loop.decode(states[-1])[0]
    assert ours.shape == frames.shape == (9, 48, 64, 3)
    assert np.abs(ours / 255.0 - frames).max() < 0.01


def test_a_picture_is_known_from_the_first_step_on(folders: Callable[..., Path]) -> None:
    model = load(folders())
    loop = Loop(model, a_plan(model, "unipc", 3.0, picture()))
    given = model.encode_pictures(picture()[None])
    for state in loop.run(loop.start()):
        assert state.x0 is not None
        torch.testing.assert_close(state.x0[:, :, 0], given, atol=1e-5, rtol=1e-5)


def test_text_is_zero_behind_the_prompt_and_what_stands_there_is_not_seen(
    folders: Callable[..., Path],
) -> None:
    model = load(folders())
    text, tokens = model.encode(PROMPT, NEGATIVE), model.tokenize(PROMPT)
    assert text.shape == (2, T5_TOKENS, 16)
    read = sum(span is not None for span in tokens.spans) + 1  # and the end mark
    assert not text[1, read:].any() and text[1, :read].any(-1).all()
    start = PROMPT.index("ball")
    assert tokens.within(start, start + 4) == (2,)


def test_clips_come_in_fours_and_sizes_in_patches(folders: Callable[..., Path]) -> None:
    for halvings, latent_frames in (((True, True), 3), ((True, False), 5), ((False, False), 9)):
        model = load(folders(halvings=halvings))
        assert model.latent_shape(9, 48, 64) == (4, latent_frames, 6, 8)
        assert [n for n in range(1, 14) if model.limits.takes_frames(n)] == [1, 5, 9, 13]
        assert model.limits.size_multiple == 16
        latents = model.encode_clip(np.stack([picture()] * 9))
        assert latents.shape == (4, latent_frames, 6, 8)
        assert model.decode(latents[None]).shape == (1, 9, 48, 64, 3)
        assert model.preview(latents[None]).shape == (1, 9, 6, 8, 3)


def test_a_large_clip_goes_through_in_chunks_and_comes_to_the_same(
    folders: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(folders(halvings=(True, False)))
    clip = np.stack([np.roll(picture(), 3 * n, axis=1) for n in range(9)])
    latents = model.encode_clip(clip)
    shown = model.decode(latents[None])
    monkeypatch.setattr(wan_codec, "_PIXELS_AT_ONCE", 0)
    torch.testing.assert_close(model.encode_clip(clip), latents, atol=1e-4, rtol=1e-4)
    assert np.abs(model.decode(latents[None]).astype(int) - shown).max() <= 1


def published(**changes: Any) -> Any:
    """The transformer of 2.1 T2V 1.3B on the meta device."""
    from diffusers import WanTransformer3DModel

    said: dict[str, Any] = {
        "num_attention_heads": 12, "attention_head_dim": 128, "in_channels": 16, "out_channels": 16,
        "text_dim": 4096, "freq_dim": 256, "ffn_dim": 8960, "num_layers": 30,
    }  # fmt: skip
    with torch.device("meta"):
        return WanTransformer3DModel(**said | changes)


@pytest.mark.parametrize(
    ("changes", "latents", "tokens"),
    [
        ({}, (16, 21, 60, 104), 21 * 30 * 52),
        (
            {"num_attention_heads": 24, "in_channels": 48, "out_channels": 48, "ffn_dim": 14336},
            (48, 31, 44, 80),
            31 * 22 * 40,
        ),
    ],
)
def test_published_sizes_hand_over_every_attention(
    changes: dict[str, Any], latents: tuple[int, int, int, int], tokens: int
) -> None:
    """1.3B at 81 frames of 832x480, TI2V-5B at 121 of 1280x704."""
    transformer, stage = published(**changes), JointStage()
    sites = install_wan(transformer.blocks, stage)
    assert [site.kind for site in sites] == ["video", "cross"] * 30
    heads = transformer.config.num_attention_heads
    frames, height, width = latents[1], latents[2] // 2, latents[3] // 2
    calls: list[AttentionCall] = []

    class Watch:
        def wants(self, site: Site) -> bool:
            return True

        def __call__(self, call: AttentionCall) -> Tensor:
            calls.append(call)
            return call.plain()

    stage.attend, stage.branches, stage.grid = Watch(), 2, Grid(frames, height, width)
    with torch.device("meta"), torch.no_grad():
        made = transformer(
            torch.empty(2, *latents), torch.empty(2, tokens), torch.empty(2, 512, 4096), return_dict=False
        )[0]
    assert made.shape == (2, *latents)
    assert len(calls) == 60 and calls[0].grid == Grid(frames, height, width)
    assert calls[0].query.shape == calls[0].key.shape == (2, heads, tokens, 128)
    assert calls[1].query.shape == (2 * frames, heads, height * width, 128)
    assert calls[1].key.shape == (2 * frames, heads, 512, 128)


@pytest.mark.parametrize(
    ("said", "cells", "clip", "latents"),
    [
        ({}, (8, 16), (81, 480, 832), (16, 21, 60, 104)),
        (
            {
                "base_dim": 160, "decoder_base_dim": 256, "z_dim": 48, "is_residual": True, "patch_size": 2,
                "in_channels": 12, "out_channels": 12, "scale_factor_spatial": 16, "latents_mean": [0.0] * 48,
                "latents_std": [1.0] * 48, "temperal_downsample": [False, True, True],
            },
            (16, 48), (121, 704, 1280), (48, 31, 44, 80),
        ),
    ],
)  # fmt: skip
def test_published_codecs_make_latents_of_the_sizes_that_are_told(
    said: dict[str, Any], cells: tuple[int, int], clip: tuple[int, int, int], latents: tuple[int, ...]
) -> None:
    """2.1's, and that of 2.2 TI2V: sizes as told, and as clips of a few cells come out of one pass."""
    from diffusers import AutoencoderKLWan

    with torch.device("meta"):
        vae = AutoencoderKLWan(**said)
    codec = wan_codec.WanCodec(vae, None, Precision(torch.device("cpu"), torch.float32))
    assert (codec.factor, codec.channels) == cells and codec.frame_ratio == codec.frame_step == 4
    frames, height, width = clip
    assert (codec.channels, (frames - 1) // 4 + 1, height // codec.factor, width // codec.factor) == latents
    small = torch.empty(1, 3, 9, 4 * codec.factor, 6 * codec.factor, device="meta")
    with torch.no_grad():
        encoded = wan_codec.encode(vae, small)
        assert encoded.shape == (1, codec.channels, 3, 4, 6)
        assert wan_codec.decode(vae, encoded).shape == small.shape


def a_subject() -> Subject:
    path = BoxPath([(0, Box(0.0, 0.0, 0.5, 0.5)), (1, Box(0.5, 0.5, 1.0, 1.0))])
    return Subject(phrase="red ball", tokens=(1, 2), path=path)


@pytest.mark.parametrize("sites", [{"cross"}, {"spatial"}, {"spatial", "temporal"}, {"cross", "temporal"}])
def test_masks_act_on_both_attentions_and_keep_what_is_outside_from_what_is_inside(
    folders: Callable[..., Path], sites: set[Any]
) -> None:
    model = load(folders())
    text, latents = model.encode(PROMPT, NEGATIVE), torch.randn(2, 4, 3, 6, 8)
    plain = model.denoise(latents, torch.tensor(500), text)
    control = AttentionMask(
        (a_subject(),), frozen_steps=1, sites=frozenset(sites), parts=frozenset({"body"}), blocked=()
    )
    wanted = {site.kind for site in model.sites if control.wants(site, NOW)}
    assert wanted == ({"cross"} & sites) | ({"video"} if sites - {"cross"} else set())

    class Acting:
        def wants(self, site: Site) -> bool:
            return control.wants(site, NOW)

        def __call__(self, call: AttentionCall) -> Tensor | None:
            return control.attend(call, NOW)

    masked = model.denoise(latents, torch.tensor(500), text, Acting())
    assert masked.shape == plain.shape and torch.isfinite(masked).all()
    assert (masked - plain).abs().max() > 1e-3
    torch.testing.assert_close(model.denoise(latents, torch.tensor(500), text), plain)


@pytest.mark.parametrize(
    ("place", "said", "reason"),
    [
        ("model_index.json", {"transformer_2": ["diffusers", "WanTransformer3DModel"]}, "two transformers"),
        ("transformer/config.json", {"added_kv_proj_dim": 32, "image_dim": 16}, "image encoder"),
        ("vae/config.json", {"latents_mean": [0.0]}, "latents_mean"),
    ],
)
def test_what_is_not_served_is_refused_by_name(
    tmp_path: Path, place: str, said: dict[str, Any], reason: str
) -> None:
    folder = save_toy_wan(tmp_path / "toy")
    file = folder / place
    file.write_text(json.dumps(json.loads(file.read_text()) | said))
    with pytest.raises(ModelError, match=reason):
        load_model(str(folder), precision="float32")


def test_a_model_without_pictures_takes_no_condition(folders: Callable[..., Path]) -> None:
    model = load(folders(pictures=False))
    assert model.pictures is None
