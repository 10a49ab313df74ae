"""CogVideoX: stock pipelines and our loop agree; sizes, positions, text, pictures, guidance, sites."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.schedulers.scheduling_dpm_cogvideox import CogVideoXDPMScheduler
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from toy_models import T5_TOKENS, save_toy_cogvideox, toy_cogvideox

from rehearse.models import ModelError, load_model, t5_text
from rehearse.models.cogvideox import CogVideoX
from rehearse.models.cogvideox_positions import crop_region, rotary_positions
from rehearse.models.registry import find_model
from rehearse.sampling.loop import Loop
from rehearse.sampling.plan import Plan
from rehearse.sampling.snapshot import Snapshot
from rehearse.sites import AttentionCall, Site

PROMPT, NEGATIVE = "a red ball moves right", "blue"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Toy folders, each kind saved once."""
    root, made = tmp_path_factory.mktemp("cogvideox"), dict[str, Path]()

    def folder(**kind: Any) -> Path:
        key = json.dumps(kind, sort_keys=True)
        if key not in made:
            made[key] = save_toy_cogvideox(root / f"toy-{len(made)}", **kind)
        return made[key]

    return folder


def load(folder: Path) -> CogVideoX:
    model = load_model(str(folder), precision="float32")
    assert isinstance(model, CogVideoX)
    return model


def picture(height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def a_plan(model: CogVideoX, scheduler: str, guidance: float = 3.0, frames: int = 9) -> Plan:
    condition = None
    if model.pictures is not None:
        condition = model.pictures.condition(picture()[None], [1.0] * frames)
    return Plan(
        frames=frames, width=64, height=48, fps=8, steps=5, guidance=guidance, scheduler=scheduler, seed=3,
        text=model.encode(PROMPT, NEGATIVE), condition=condition,
    )  # fmt: skip


def drawn_and_dropped(encoded: Any, generator: torch.Generator) -> Tensor:
    """The mode of a picture's latents, in place of a sample, which the generator has still given."""
    encoded.latent_dist.sample(generator)
    mode: Tensor = encoded.latent_dist.mode()
    return mode


@pytest.mark.parametrize(
    ("kind", "guidance"),
    [
        ({"scheduler": "ddim"}, 3.0),
        ({"scheduler": "ddim", "settings": {"dynamic_guidance": "published"}}, 3.0),
        ({"scheduler": "dpm"}, 3.0),
        ({"scheduler": "dpm", "invert": True}, 1.0),
        ({"scheduler": "dpm", "pairs": True}, 3.0),
        ({"scheduler": "ddim", "positions": "sincos"}, 3.0),
        ({"scheduler": "dpm", "pictures": False}, 3.0),
    ],
)
def test_the_same_latents_as_the_stock_pipelines(
    folders: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, kind: dict[str, Any], guidance: float
) -> None:
    """From the same seed, step by step, in float32 within 1e-4; the picture's latents are the mode of its
    distribution in both."""
    from diffusers import DiffusionPipeline
    from diffusers.pipelines.cogvideo import pipeline_cogvideox_image2video as stock_pictures

    folder = folders(**kind)
    model = load(folder)
    loop = Loop(model, a_plan(model, "dpm++" if kind["scheduler"] == "dpm" else "ddim", guidance))
    start = loop.start()
    states = list(loop.run(start))
    state = states[-1]
    pipeline = DiffusionPipeline.from_pretrained(folder, use_safetensors=True)
    pipeline.set_progress_bar_config(disable=True)
    monkeypatch.setattr(stock_pictures, "retrieve_latents", drawn_and_dropped)
    seen: list[Tensor] = []

    def watch(_: Any, step: int, timestep: Any, kept: dict[str, Any]) -> dict[str, Any]:
        seen.append(kept["latents"].transpose(1, 2))
        return kept

    said: dict[str, Any] = {"image": Image.fromarray(picture())} if model.pictures is not None else {}
    called = pipeline(
        prompt=PROMPT, negative_prompt=NEGATIVE, height=48, width=64, num_frames=9, num_inference_steps=5,
        guidance_scale=guidance, generator=torch.Generator().manual_seed(3),
        max_sequence_length=T5_TOKENS, use_dynamic_cfg="settings" in kind, output_type="latent",
        callback_on_step_end=watch, **said,
    )  # fmt: skip
    for ours_then, stock_then in zip(states, seen, strict=True):
        torch.testing.assert_close(ours_then.latents, stock_then, atol=1e-4, rtol=1e-4)
    stock = called.frames.transpose(1, 2)
    assert state.latents.std() > 0.2
    torch.testing.assert_close(state.latents, stock, atol=1e-4, rtol=1e-4)
    drop = 1 if kind.get("pairs") else 0
    decoded = pipeline.decode_latents(stock.transpose(1, 2)[:, drop:]).detach()
    frames = pipeline.video_processor.postprocess_video(decoded, output_type="np")[0]
    ours = loop.decode(state)[0]
    assert ours.shape == (9, 48, 64, 3)
    assert np.abs(ours / 255.0 - frames).max() < 0.01


@settings(max_examples=100, deadline=None)
@given(
    grid=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    trained=st.tuples(st.integers(1, 90), st.integers(1, 90)),
)
def test_the_region_of_the_trained_grid_is_the_stock_one(
    grid: tuple[int, int], trained: tuple[int, int]
) -> None:
    from diffusers.pipelines.cogvideo.pipeline_cogvideox import get_resize_crop_region_for_grid

    assert crop_region(grid, trained) == get_resize_crop_region_for_grid(grid, trained[1], trained[0])


@pytest.mark.parametrize("pairs", [False, True])
def test_positions_beyond_the_trained_size_go_on_as_they_began(pairs: bool) -> None:
    transformer = toy_cogvideox(pairs=pairs)
    small, large = (rotary_positions(transformer, 4, *size) for size in ((8, 8), (12, 20)))
    assert small is not None and large is not None
    assert small[0].shape == ((2 if pairs else 4) * 16, 16) and large[1].shape[0] == (2 if pairs else 4) * 60
    if pairs:  # cut from one grid: the small one is the corner of the large one
        corner = large[0].view(2, 6, 10, 16)[:, :4, :4].flatten(0, 2)
        torch.testing.assert_close(corner, small[0])
    assert rotary_positions(toy_cogvideox(positions="sincos"), 4, 8, 8) is None


class Watcher:
    """Wants the sites given; notes the calls; answers None, plain, or noise in place of the output."""

    def __init__(self, answer: str = "none", only: str = "") -> None:
        self.answer, self.only = answer, only
        self.calls: dict[str, AttentionCall] = {}

    def wants(self, site: Site) -> bool:
        return self.only in site.name

    def __call__(self, call: AttentionCall) -> Tensor | None:
        self.calls[call.site.name] = call
        plain = call.plain()
        return {"none": None, "plain": plain, "zero": torch.zeros_like(plain)}[self.answer]


def denoised(model: CogVideoX, attend: Any = None, clips: int = 1) -> Tensor:
    torch.manual_seed(2)
    condition = model.pictures.condition(picture()[None], [1.0] * 9)
    latents = torch.randn(2 * clips, *model.latent_shape(9, 48, 64))
    return model.denoise(latents, torch.tensor(400), model.encode(PROMPT, NEGATIVE), attend, condition)


@pytest.mark.parametrize("pairs", [False, True])
def test_every_block_is_a_joint_site_with_the_text_first(folders: Callable[..., Path], pairs: bool) -> None:
    model = load(folders(pairs=pairs))
    assert [(site.kind, site.part, site.heads) for site in model.sites] == [("joint", "body", 2)] * 2
    plain = denoised(model, clips=2)
    watcher = Watcher("none")
    assert torch.equal(denoised(model, watcher, clips=2), plain)
    assert torch.equal(denoised(model, Watcher("plain"), clips=2), plain)
    assert set(watcher.calls) == {site.name for site in model.sites}
    for call in watcher.calls.values():
        grid = call.grid
        assert (grid.frames, grid.height, grid.width) == (2 if pairs else 3, 3, 4)
        assert (call.branches, call.clips, call.text) == (2, 2, slice(0, T5_TOKENS))
        assert call.query.shape == call.key.shape == (4, 2, T5_TOKENS + grid.frames * 12, 16)
    first = watcher.calls["transformer_blocks.0.attn1"]
    # Text keys of the first block are the same for all clips of a branch, whatever their latents.
    text = first.key[:, :, first.text]
    assert torch.equal(text[0], text[1]) and torch.equal(text[2], text[3])
    assert not torch.equal(text[0], text[2])
    for only in ("blocks.0", "blocks.1"):
        assert (denoised(model, Watcher("zero", only), clips=2) - plain).abs().max() > 1e-4
    assert torch.equal(denoised(model, clips=2), plain)


def test_video_tokens_go_frame_by_frame_row_by_row(folders: Callable[..., Path]) -> None:
    """A change of one latent cell reaches the first block's keys at its own token only."""
    model = load(folders())
    condition, text = model.pictures.condition(picture()[None], [1.0] * 9), model.encode(PROMPT)
    torch.manual_seed(0)
    latents = torch.randn(2, *model.latent_shape(9, 48, 64))
    changed = latents.clone()
    changed[:, :, 2, 3, 6] += 1  # frame 2, patch row 1, patch column 3
    keys = []
    for z in (latents, changed):
        watcher = Watcher("none", "blocks.0")
        model.denoise(z, torch.tensor(400), text, watcher, condition)
        keys.append(watcher.calls["transformer_blocks.0.attn1"].key)
    moved = (keys[0] != keys[1]).any(dim=3).any(dim=1).any(dim=0).nonzero()[:, 0].tolist()
    assert moved == [T5_TOKENS + (2 * 3 + 1) * 4 + 3]


def test_the_picture_stands_in_the_first_latent_frame_at_the_scale_the_checkpoint_wants(
    folders: Callable[..., Path],
) -> None:
    model, inverted = load(folders()), load(folders(invert=True))
    latents = model.encode_pictures(picture()[None])
    condition = model.pictures.condition(picture()[None], [1.0] * 9)
    assert condition.shape == (1, 4, 3, 6, 8) and not condition[:, :, 1:].any()
    assert torch.equal(condition[0, :, 0], latents[0])
    found = inverted.pictures.condition(picture()[None], [1.0] * 9)[0, :, 0]
    torch.testing.assert_close(found * 0.7, latents[0] / 0.7)
    clip = model.encode_clip(np.repeat(picture()[None], 9, 0))
    assert clip.shape == (4, 3, 6, 8)
    torch.testing.assert_close(clip[:, 0], latents[0], atol=1e-4, rtol=1e-3)
    with pytest.raises(ModelError, match="starts from a picture; give it a condition"):
        model.denoise(torch.zeros(1, 4, 3, 6, 8), torch.tensor(1), model.encode("")[:1])
    with pytest.raises(
        ModelError, match="names no image model to make its picture with; give the shot an image"
    ):
        model.pictures.picture_model()


def test_frame_by_frame_autoencoders_take_any_number_of_frames(folders: Callable[..., Path]) -> None:
    model = load(folders(vae="tiny", text="clip"))
    assert model.limits.frame_step == 1 and model.limits.size_multiple == 16
    assert model.latent_shape(6, 48, 64) == (4, 6, 6, 8)
    condition = model.pictures.condition(picture()[None], [1.0] * 6)
    assert condition.shape == (1, 4, 6, 6, 8)
    latents = torch.randn(1, 4, 6, 6, 8)
    assert model.decode(latents).shape == (1, 6, 48, 64, 3) and model.preview(latents).shape[1] == 6
    assert model.guidance_at(5.0, 0, 4, 999) == 5.0


def test_clips_and_previews_have_the_frames_that_were_asked_for(folders: Callable[..., Path]) -> None:
    for kind, step in (({}, 4), ({"pairs": True}, 8)):
        model = load(folders(**kind))
        assert model.limits.frame_step == step
        latents = torch.randn(1, *model.latent_shape(1 + 2 * step, 48, 64))
        assert model.decode(latents).shape == (1, 1 + 2 * step, 48, 64, 3)
        seen = model.preview(latents)
        assert seen.shape == (1, 1 + 2 * step, 6, 8, 3)
        assert np.array_equal(seen[0, 1], seen[0, 4])


def test_learned_positions_lock_the_size(folders: Callable[..., Path]) -> None:
    model = load(folders(positions="learned"))
    assert model.limits.fixed == (9, 64, 64) and load(folders()).limits.fixed is None
    assert (model.defaults.frames, model.defaults.width, model.defaults.height) == (9, 64, 64)


def test_guidance_that_moves() -> None:
    model = CogVideoX.__new__(CogVideoX)
    model._schedule = "cosine"
    scales = [model.guidance_at(6.0, step, 50, 0) for step in range(50)]
    assert (
        scales == sorted(scales)
        and scales[0] == pytest.approx(1, abs=1e-6)
        and scales[-1] == pytest.approx(7)
    )
    model._schedule = "published"
    assert model.guidance_at(6.0, 49, 50, 0.0) == pytest.approx(7)
    assert all(1 <= model.guidance_at(6.0, 0, 50, time) <= 7 for time in range(0, 1000, 19))


def test_t5_words_and_where_they_are_cut(folders: Callable[..., Path]) -> None:
    model = load(folders())
    prompt = "a red ball, over q"
    tokens = model.tokenize(prompt)
    assert [prompt[slice(*span)] for span in tokens.spans if span] == [
        "a",
        "red",
        "ball",
        ",",
        "over",
        "q",
        "q",
    ]
    assert tokens.cut is None and len(tokens.ids) == T5_TOKENS == model.limits.max_tokens
    assert tokens.within(2, 10) == (1, 2)  # there is no begin-of-text
    long = " ".join(["a red ball and"] * 4)
    cut = model.tokenize(long).cut
    assert cut is not None and long[cut:] == "red ball and"
    assert model.encode("a red ball").shape == (2, T5_TOKENS, 16)


def test_a_sentencepiece_table_is_read_as_the_hub_s_checkpoints_have_it(
    folders: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sentencepiece

    folder = Path(shutil.copytree(folders(), tmp_path / "table"))
    place = folder / "tokenizer"
    for file in place.iterdir():
        file.unlink()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a red ball moves right", "the blue star", "a red ball and a blue star"] * 5),
        model_prefix=str(place / "spiece"), vocab_size=30, pad_id=0, eos_id=1, unk_id=2, bos_id=-1,
        hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    (place / "spiece.vocab").unlink()
    model = load(folder)
    prompt = "a red ball"
    tokens = model.tokenize(prompt)
    read = "".join(prompt[slice(*span)] for span in tokens.spans if span)
    assert read == "aredball" and tokens.ids[len([s for s in tokens.spans if s])] == 1
    before = model.fingerprint
    (place / "spiece.model").write_bytes((place / "spiece.model").read_bytes() + b"\n")
    assert find_model(str(folder)).fingerprint() != before
    monkeypatch.setattr(t5_text, "find_spec", lambda name: None)
    with pytest.raises(
        ModelError, match=r"needs sentencepiece, which is not installed; pip install 'rehearse\[t5\]'"
    ):
        load_model(str(folder))


def test_what_does_not_fit_together_is_refused(tmp_path: Path) -> None:
    folder = save_toy_cogvideox(tmp_path / "toy", vae="tiny", text="clip")
    index = json.loads((folder / "model_index.json").read_text())

    def refused(said: str, **changes: Any) -> None:
        (folder / "model_index.json").write_text(json.dumps(index | changes))
        with pytest.raises(ModelError, match=said) as caught:
            load_model(str(folder))
        assert "\n" not in str(caught.value)

    refused("is of a family that is not supported", transformer=["diffusers", "LTXVideoTransformer3DModel"])
    refused("its text encoder is a BertModel; only CLIPTextModel", text_encoder=["transformers", "BertModel"])
    refused("its vae is a AutoencoderKLWan", vae=["diffusers", "AutoencoderKLWan"])
    (folder / "rehearse.json").write_text('{"dynamic_guidance": "sine"}')
    refused('dynamic_guidance cannot be \'sine\'; write "published", "cosine" or false')
    toy_cogvideox(latents=8).save_pretrained(folder / "transformer", safe_serialization=True)
    refused("its transformer takes 16 channels and gives 8, but with a vae of 4")
    toy_cogvideox(positions="sincos").save_pretrained(folder / "transformer", safe_serialization=True)
    refused("knows positions of 14 text tokens and its text encoder gives 12")


@pytest.mark.parametrize("name", ["unipc", "euler"])
def test_schedulers_that_do_not_know_the_noise_schedule_are_refused(
    folders: Callable[..., Path], name: str
) -> None:
    with pytest.raises(ModelError, match=f"{name} does not know CogVideoX's noise schedule; use ddim or dpm"):
        load(folders()).make_scheduler(name)


def test_a_state_from_before_noise_was_drawn_frame_by_frame_goes_on_as_it_began(
    folders: Callable[..., Path],
) -> None:
    """Its snapshot says nothing of the order; each of its steps draws [channels, frames] as its first did."""
    model = load(folders(scheduler="dpm", pictures=False))
    loop = Loop(model, a_plan(model, "dpm++"))
    new = loop.step(loop.start())
    values = {key: value for key, value in new.scheduler.values.items() if key != "frames_first"}
    assert len(values) == len(new.scheduler.values) - 1
    old = replace(new, scheduler=replace(new.scheduler, values=values))
    scheduler = old.scheduler.restore()
    assert not scheduler.frames_first
    output = torch.zeros_like(old.latents)
    stepped, _ = scheduler.step(
        output, scheduler.timesteps[1], old.latents, generator=torch.Generator().manual_seed(4)
    )
    stock = CogVideoXDPMScheduler.from_config(scheduler.config)
    stock.set_timesteps(5)
    last = new.scheduler.restore()
    expected, _ = stock.step(
        output, last.last_x0, stock.timesteps[1], last.last_timestep, old.latents,
        generator=torch.Generator().manual_seed(4), return_dict=False,
    )  # fmt: skip
    torch.testing.assert_close(stepped, expected)
    assert "frames_first" not in Snapshot.capture(scheduler).values, "and the state after it says nothing too"
