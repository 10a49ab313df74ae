"""Checkpoints in diffusers' layout: stock pipeline and ours agree; limits, encoding, decoding."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from toy_models import MAX_TOKENS, save_toy_model

from rehearse.models import ModelError, load_model, precision
from rehearse.models.folder import ModelFolder
from rehearse.models.latent_rgb import fit_by_decoding, fit_latent_rgb
from rehearse.models.model import VideoModel
from rehearse.models.precision import choose_precision
from rehearse.models.text import vocabulary_of
from rehearse.sampling.loop import Loop
from rehearse.sampling.plan import Plan


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("guidance", [1.0, 5.0])
def test_the_same_latents_as_the_stock_text_to_video_pipeline(
    prediction_folders: dict[str, Path], prediction: str, guidance: float
) -> None:
    from diffusers import TextToVideoSDPipeline

    folder = prediction_folders[prediction]
    pipeline = TextToVideoSDPipeline.from_pretrained(folder, use_safetensors=True)
    pipeline.set_progress_bar_config(disable=True)
    model = load_model(str(folder), precision="float32")
    plan = Plan(
        frames=4, width=64, height=48, fps=8, steps=5, guidance=guidance, scheduler="ddim", seed=3,
        text=model.encode("a red ball moves right", "blue"),
    )  # fmt: skip
    loop = Loop(model, plan)
    state = loop.start()
    stock = pipeline(
        "a red ball moves right", negative_prompt="blue", height=48, width=64, num_frames=4,
        num_inference_steps=5, guidance_scale=guidance, generator=torch.Generator().manual_seed(3),
        output_type="latent",
    ).frames  # fmt: skip
    state = list(loop.run(state))[-1]
    torch.testing.assert_close(state.latents, stock, atol=1e-4, rtol=1e-4)
    frames = pipeline.video_processor.postprocess_video(
        pipeline.decode_latents(stock).detach(), output_type="np"
    )[0]
    assert np.abs(loop.decode(state)[0] / 255.0 - frames).max() < 0.01


def test_the_same_latents_as_the_stock_text_to_image_pipeline(
    image_folder: Path, image_model: VideoModel
) -> None:
    from diffusers import DiffusionPipeline

    pipeline = DiffusionPipeline.from_pretrained(image_folder, use_safetensors=True)
    pipeline.set_progress_bar_config(disable=True)
    plan = Plan(
        frames=1, width=64, height=64, fps=1, steps=4, guidance=4.0, scheduler="ddim", seed=3,
        text=image_model.encode("the blue star", ""),
    )  # fmt: skip
    loop = Loop(image_model, plan)
    state = loop.start()
    stock = pipeline(
        "the blue star", height=64, width=64, num_inference_steps=4, guidance_scale=4.0,
        generator=torch.Generator().manual_seed(3), output_type="latent",
    ).images  # fmt: skip
    state = list(loop.run(state))[-1]
    torch.testing.assert_close(state.latents[:, :, 0], stock, atol=1e-4, rtol=1e-4)
    assert loop.decode(state).shape == (1, 1, 64, 64, 3)


def test_sharded_weights_load(tmp_path: Path, video_model: VideoModel) -> None:
    folder = save_toy_model(tmp_path / "sharded", shard="40KB")
    assert len(list((folder / "unet").glob("*.safetensors"))) > 2
    model = load_model(str(folder), precision="float32")
    latents = torch.randn(1, 4, 2, 8, 8)
    text = model.encode("a red ball")[1:]
    time = torch.tensor(200)
    torch.testing.assert_close(model.denoise(latents, time, text), video_model.denoise(latents, time, text))


def test_bf16_is_near_float32_and_repeats_itself(video_folder: Path, video_model: VideoModel) -> None:
    half = load_model(str(video_folder), precision="bfloat16")
    latents, text = torch.randn(2, 4, 3, 8, 8), half.encode("a red ball", "")
    exact = video_model.denoise(latents, torch.tensor(400), text)
    near = half.denoise(latents, torch.tensor(400), text)
    assert near.dtype == torch.float32
    assert 0 < (near - exact).abs().max() < 0.1 * exact.std()
    assert torch.equal(near, half.denoise(latents, torch.tensor(400), text))


def test_the_choice_of_precision_is_said_once_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    chosen = choose_precision("cpu")
    assert chosen.dtype in (torch.bfloat16, torch.float32)
    assert (
        len(caplog.messages) == 1 and "cpu" in caplog.text and str(chosen.dtype).split(".")[1] in caplog.text
    )


@pytest.mark.parametrize(
    ("name", "value", "bf16"),
    [
        *(
            ("DNNL_MAX_CPU_ISA", isa, False)
            for isa in ("AVX2", "AVX512_CORE", "AVX512_CORE_VNNI", "avx2_vnni")
        ),
        ("ONEDNN_MAX_CPU_ISA", "AVX512_CORE", False),
        ("ATEN_CPU_CAPABILITY", "avx2", False),
        ("ATEN_CPU_CAPABILITY", "default", False),
        *(("DNNL_MAX_CPU_ISA", isa, True) for isa in ("AVX512_CORE_BF16", "AVX512_CORE_AMX", "DEFAULT")),
        ("ATEN_CPU_CAPABILITY", "avx512", True),
    ],
)
def test_limits_set_for_torch_are_kept_to(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, bf16: bool
) -> None:
    for limit in ("DNNL_MAX_CPU_ISA", "ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY", "REHEARSE_PRECISION"):
        monkeypatch.delenv(limit, raising=False)
    monkeypatch.setattr(precision, "_cpu_bf16_unit", lambda: "avx512_bf16")
    assert choose_precision("cpu").dtype is torch.bfloat16
    monkeypatch.setenv(name, value)
    assert choose_precision("cpu").dtype is (torch.bfloat16 if bf16 else torch.float32)


def test_a_format_is_chosen_from_outside_unless_one_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHEARSE_PRECISION", "bfloat16")
    assert choose_precision("cpu").dtype is torch.bfloat16
    assert "REHEARSE_PRECISION" in str(choose_precision("cpu"))
    assert choose_precision("cpu", "float32").dtype is torch.float32
    monkeypatch.setenv("REHEARSE_PRECISION", "float32")
    assert choose_precision("cpu").dtype is torch.float32
    monkeypatch.setenv("REHEARSE_PRECISION", "fp8")
    with pytest.raises(ModelError, match=r"REHEARSE_PRECISION is 'fp8' .*; set it to float32 or bfloat16"):
        choose_precision("cpu")


def test_tokens_know_their_characters(video_model: VideoModel) -> None:
    prompt = "a  RED ball, over zq"
    tokens = video_model.tokenize(prompt)
    words = [prompt[slice(*span)] for span in tokens.spans if span]
    assert words == ["a", "RED", "ball", ",", "over", "z", "q"]
    assert len(tokens.ids) == len(tokens.spans) == MAX_TOKENS and tokens.cut is None
    assert [prompt[slice(*tokens.spans[i])] for i in tokens.within(3, 11)] == ["RED", "ball"]
    assert len(tokens.within(18, 20)) == 2  # one word of two tokens
    assert tokens.within(1, 3) == ()


def test_a_prompt_over_the_limit_says_where_it_is_cut(video_model: VideoModel) -> None:
    prompt = "a red ball moves right over the meadow and the blue star"
    tokens = video_model.tokenize(prompt)
    assert tokens.cut is not None and prompt[tokens.cut :] == "blue star"
    assert len(tokens.ids) == MAX_TOKENS and tokens.spans[-1] is None


def test_encoding_puts_the_negative_prompt_first(video_model: VideoModel) -> None:
    text = video_model.encode("a red ball", "blue")
    assert text.shape == (2, MAX_TOKENS, 16)
    assert torch.equal(text[0], video_model.encode("blue")[1])
    assert torch.equal(video_model.encode("a red ball")[0], video_model.encode("")[1])


def test_defaults_come_from_the_folder_the_config_and_what_is_published(
    tmp_path: Path, video_model: VideoModel, image_model: VideoModel
) -> None:
    assert (video_model.defaults.frames, video_model.defaults.width, video_model.limits.max_frames) == (
        4,
        64,
        None,
    )
    assert (image_model.defaults.frames, image_model.limits.max_frames) == (4, 1)
    folder = save_toy_model(
        tmp_path / "zeroscope_v2_576w", settings={"max_frames": 30, "defaults": {"fps": 7.5}}
    )
    model = load_model(str(folder))
    assert (model.defaults.frames, model.defaults.width, model.defaults.height) == (24, 576, 320)
    assert (model.defaults.fps, model.defaults.guidance, model.limits.max_frames) == (7.5, 9.0, 30)


def test_sizes_and_latents(video_model: VideoModel) -> None:
    assert video_model.limits.size_multiple == 8
    assert video_model.latent_shape(24, 320, 576) == (4, 24, 40, 72)
    assert video_model.decode(torch.randn(2, 4, 3, 5, 6)).shape == (2, 3, 40, 48, 3)


@pytest.mark.parametrize("settings", [{"defaults": {"step": 3}}, {"defaults": {"steps": "many"}}])
def test_wrong_settings_are_refused_by_name(tmp_path: Path, settings: dict[str, object]) -> None:
    folder = save_toy_model(tmp_path / "wrong", settings=settings)
    with pytest.raises(ModelError, match=r"rehearse\.json.*defaults\.step"):
        load_model(str(folder))


def test_previews_use_the_fit_that_lies_beside_the_model(tmp_path: Path) -> None:
    folder = save_toy_model(tmp_path / "toy")
    matrix = [[0.1, 0, 0], [0, 0.2, 0], [0, 0, 0], [0, 0, 0]]
    (folder / "latent_rgb.json").write_text(json.dumps({"matrix": matrix, "bias": [0.5, 0.5, 0.25]}))
    latents = torch.zeros(1, 4, 2, 3, 5)
    latents[:, 0] = 1.0
    latents[:, 1, 1] = 9.0
    frames = load_model(str(folder)).preview(latents)
    assert frames.shape == (1, 2, 3, 5, 3) and frames.dtype == np.uint8
    assert frames[0, 0, 0, 0].tolist() == [153, 128, 64] and frames[0, 1, 0, 0].tolist() == [153, 255, 64]


def test_a_malformed_fit_is_refused(tmp_path: Path) -> None:
    folder = save_toy_model(tmp_path / "toy")
    (folder / "latent_rgb.json").write_text(json.dumps({"matrix": [[1, 2, 3]], "bias": [0, 0, 0]}))
    with pytest.raises(ModelError, match=r"latent_rgb\.json needs a matrix of 4 rows"):
        load_model(str(folder))


def test_without_one_a_map_is_fitted_and_said(video_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    model = load_model(str(video_folder), device="cpu")
    latents = torch.randn(1, 4, 2, 4, 4)
    assert np.array_equal(model.preview(latents), model.preview(latents))
    assert caplog.text.count("fitted to decoded random latents") == 1


def test_a_linear_decoder_is_recovered_exactly() -> None:
    torch.manual_seed(0)
    matrix, bias = torch.randn(4, 3) * 0.1, torch.tensor([0.2, 0.5, 0.7])

    def decode(latents: torch.Tensor) -> torch.Tensor:
        rgb = torch.einsum("nchw,cd->ndhw", latents, matrix) + bias[:, None, None]
        return torch.nn.functional.interpolate(rgb, scale_factor=8, mode="nearest")

    fitted = fit_by_decoding(decode, channels=4, factor=8)
    torch.testing.assert_close(fitted.matrix, matrix, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(fitted.bias, bias, atol=1e-5, rtol=1e-4)
    latents = torch.randn(20, 4, 6, 5)
    torch.testing.assert_close(fit_latent_rgb(latents, decode(latents)).matrix, matrix, atol=1e-5, rtol=1e-4)


def test_a_vocabulary_is_read_as_words(tmp_path: Path) -> None:
    (tmp_path / "vocabulary.json").write_text(json.dumps(["red", "Ball", "moves right", ","]))
    assert vocabulary_of(ModelFolder(tmp_path, "x")) == {"red", "ball", "moves", "right"}
    (tmp_path / "vocabulary.json").write_text('{"red": 1}')
    with pytest.raises(ModelError, match=r"vocabulary\.json must hold a list of words"):
        vocabulary_of(ModelFolder(tmp_path, "x"))


def test_importing_the_package_and_listing_models_imports_no_torch() -> None:
    code = (
        "import sys, rehearse as rh; rh.list_models(); rh.Shot('a red ball'); rh.Box; rh.PointPath; "
        "assert 'torch' not in sys.modules and 'diffusers' not in sys.modules; assert 'generate' in dir(rh)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_flow_model_is_sampled_by_euler_unless_told(prediction_folders: dict[str, Path]) -> None:
    assert load_model(str(prediction_folders["flow_prediction"])).defaults.scheduler == "euler"
    assert load_model(str(prediction_folders["v_prediction"])).defaults.scheduler == "ddim"
