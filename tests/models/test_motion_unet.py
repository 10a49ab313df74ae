"""Image models with motion modules: stock pipelines and ours agree; pictures, sites, bases, LoRAs."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from test_attention_sites import Watcher
from toy_models import save_toy_model, save_toy_motion_model, toy_adapter, toy_unet

from rehearse import Box, Shot
from rehearse.models import ModelError, load_model, registry
from rehearse.models.affinity import affinity
from rehearse.models.image import ImageModel
from rehearse.models.model import VideoModel
from rehearse.models.motion_unet import MotionUNetModel, with_motion
from rehearse.models.registry import find_model
from rehearse.planning import plan
from rehearse.sampling.loop import Loop
from rehearse.sampling.plan import Plan

PROMPT, NEGATIVE = "a red ball moves right", "blue"


def sharp_encoder(folder: Path) -> None:
    """Leave the autoencoder's posterior no variance, so that a sample of it is its mode."""
    from diffusers import AutoencoderKL

    vae: Any = AutoencoderKL.from_pretrained(folder / "vae")
    with torch.no_grad():
        vae.quant_conv.weight[4:] = 0
        vae.quant_conv.bias[4:] = -60
    vae.save_pretrained(folder / "vae", safe_serialization=True)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an image model, ``image``, and what stands on it: ``pia`` and ``animatediff``."""
    root = tmp_path_factory.mktemp("motion")
    base = save_toy_model(root / "image", kind="image", settings={"defaults": {"frames": 1}})
    sharp_encoder(base)
    save_toy_motion_model(root / "pia", base)
    save_toy_motion_model(root / "animatediff", base, pictures=False)
    return root


@pytest.fixture(scope="module")
def pia(root: Path) -> MotionUNetModel:
    model = load_model(str(root / "pia"), precision="float32")
    assert isinstance(model, MotionUNetModel)
    return model


@pytest.fixture(scope="module")
def animatediff(root: Path) -> MotionUNetModel:
    model = load_model(str(root / "animatediff"), precision="float32")
    assert isinstance(model, MotionUNetModel)
    return model


def picture(seed: int = 0, height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    """A smooth picture, uint8 ``[1, height, width, 3]``."""
    coarse = torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(seed))
    smooth = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bicubic").clamp(0, 1)
    made: NDArray[np.uint8] = (smooth * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    return made


def sampled(model: VideoModel, guidance: float, condition: torch.Tensor | None, **changed: Any) -> Any:
    """Our loop's first and last state."""
    fields: dict[str, Any] = {
        "frames": 5, "width": 64, "height": 48, "fps": 8, "steps": 4, "guidance": guidance,
        "scheduler": "ddim", "seed": 3, "text": model.encode(PROMPT, NEGATIVE), "condition": condition,
    }  # fmt: skip
    loop = Loop(model, Plan(**{**fields, **changed}))
    start = loop.start()
    return start, list(loop.run(start))[-1]


def stock(pipeline: Any, guidance: float, **more: Any) -> torch.Tensor:
    """What a stock pipeline makes of the seed that ours has."""
    pipeline.set_progress_bar_config(disable=True)
    made: torch.Tensor = pipeline(
        prompt=PROMPT, negative_prompt=NEGATIVE, height=48, width=64, num_frames=5, num_inference_steps=4,
        guidance_scale=guidance, generator=torch.Generator().manual_seed(3), output_type="latent", **more,
    ).frames  # fmt: skip
    return made


def components(root: Path, name: str) -> dict[str, Any]:
    from diffusers import DDIMScheduler, MotionAdapter, StableDiffusionPipeline

    base = StableDiffusionPipeline.from_pretrained(root / "image", use_safetensors=True)
    kept = ("vae", "text_encoder", "tokenizer", "unet")
    return {part: getattr(base, part) for part in kept} | {
        "motion_adapter": MotionAdapter.from_pretrained(root / name / "motion_adapter"),
        "scheduler": DDIMScheduler.from_pretrained(root / "image" / "scheduler"),
    }


@pytest.mark.parametrize(("guidance", "scale"), [(1.0, 0), (5.0, 0), (5.0, 2)])
def test_the_same_latents_as_the_stock_pia_pipeline(
    root: Path, pia: MotionUNetModel, guidance: float, scale: int
) -> None:
    from diffusers import PIAPipeline
    from diffusers.pipelines.deprecated.pia.pipeline_pia import prepare_mask_coef_by_statistics
    from PIL import Image

    near = prepare_mask_coef_by_statistics(5, 0, scale)
    _, end = sampled(pia, guidance, pia.pictures.condition(picture(), near))
    pipeline = PIAPipeline(**components(root, "pia"))
    image = Image.fromarray(picture()[0])
    made = stock(pipeline, guidance, image=image, motion_scale=scale)
    torch.testing.assert_close(end.latents, made, atol=1e-4, rtol=1e-4)
    # The picture is felt, or the comparison would say little.
    other = sampled(pia, guidance, pia.pictures.condition(picture(1), near))[1]
    assert (other.latents - end.latents).abs().max() > 1e-2


def test_linear_betas_stand_for_the_published_sampler(root: Path, tmp_path: Path) -> None:
    """PIA's scheduler is DDIM(beta_schedule="linear", steps_offset=1, clip_sample=False), and by that class's
    own default the last step ends at alpha 1; Stable Diffusion's file says otherwise of it."""
    from diffusers import DDIMScheduler, PIAPipeline
    from diffusers.pipelines.deprecated.pia.pipeline_pia import prepare_mask_coef_by_statistics
    from PIL import Image

    image = shutil.copytree(root / "image", tmp_path / "image")
    config = image / "scheduler" / "scheduler_config.json"
    stable_diffusion = {"set_alpha_to_one": False, "skip_prk_steps": True, "_class_name": "PNDMScheduler"}
    config.write_text(json.dumps(json.loads(config.read_text()) | stable_diffusion))
    plain = load_model(str(save_toy_motion_model(tmp_path / "plain", image)), precision="float32")
    assert plain.make_scheduler("ddim").config.set_alpha_to_one is False
    said = {"beta_schedule": "linear", "set_alpha_to_one": False}
    kept = load_model(
        str(save_toy_motion_model(tmp_path / "kept", image, scheduler=said)), precision="float32"
    )
    assert kept.make_scheduler("ddim").config.set_alpha_to_one is False

    folder = save_toy_motion_model(tmp_path / "pia", image, scheduler={"beta_schedule": "linear"})
    model = load_model(str(folder), precision="float32")
    near = prepare_mask_coef_by_statistics(5, 0, 1)
    _, end = sampled(model, 5.0, model.pictures.condition(picture(), near))
    published = DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="linear", steps_offset=1, clip_sample=False
    )
    pipeline = PIAPipeline(**components(root, "pia") | {"scheduler": published})
    made = stock(pipeline, 5.0, image=Image.fromarray(picture()[0]), motion_scale=1)
    torch.testing.assert_close(end.latents, made, atol=1e-4, rtol=1e-4)
    other = sampled(kept, 5.0, kept.pictures.condition(picture(), near))[1]
    assert (other.latents - made).abs().max() > 1e-3


@pytest.mark.parametrize("guidance", [1.0, 5.0])
def test_the_same_latents_as_the_stock_animatediff_pipeline(
    root: Path, animatediff: MotionUNetModel, guidance: float
) -> None:
    from diffusers import AnimateDiffPipeline

    _, end = sampled(animatediff, guidance, None)
    made = stock(AnimateDiffPipeline(**components(root, "animatediff")), guidance)
    torch.testing.assert_close(end.latents, made, atol=1e-4, rtol=1e-4)


def test_a_whole_motion_unet_saved_by_a_stock_pipeline_is_the_same_model(
    root: Path, tmp_path: Path, animatediff: MotionUNetModel
) -> None:
    from diffusers import AnimateDiffPipeline

    AnimateDiffPipeline(**components(root, "animatediff")).save_pretrained(tmp_path / "whole")
    whole = load_model(str(tmp_path / "whole"), precision="float32")
    assert isinstance(whole, MotionUNetModel) and whole.pictures is None
    latents, text = torch.randn(2, 4, 3, 6, 8), whole.encode(PROMPT, "")
    ours = animatediff.denoise(latents, torch.tensor(300), text)
    torch.testing.assert_close(whole.denoise(latents, torch.tensor(300), text), ours)


@pytest.mark.parametrize("channels", [4, 8])
def test_a_base_keeps_its_input_layer_and_the_adapter_brings_the_rest(channels: int) -> None:
    from diffusers import UNet2DConditionModel

    torch.manual_seed(0)
    toy = toy_unet("image")
    image = UNet2DConditionModel(**{**toy.config, "in_channels": channels, "out_channels": channels})
    adapter = toy_adapter(True, latents=channels)
    joined = with_motion(image, adapter)
    assert torch.equal(joined.conv_in.weight[:, :channels], image.conv_in.weight)
    assert torch.equal(joined.conv_in.weight[:, channels:], adapter.conv_in.weight[:, channels:])
    assert torch.equal(joined.conv_in.bias, image.conv_in.bias)
    assert image.conv_in.weight.shape[1] == channels and adapter.conv_in.weight.shape[1] == 1 + 2 * channels


def test_every_attention_is_a_site_and_motion_modules_are_temporal(pia: MotionUNetModel) -> None:
    modules = [n for n, m in pia.denoiser.named_modules() if hasattr(m, "to_q")]
    assert [site.name for site in pia.sites] == modules
    kinds = [site.kind for site in pia.sites]
    motion = sum("motion_modules" in name for name in modules)
    assert motion > 0 and kinds.count("temporal") == motion
    assert kinds.count("spatial") == kinds.count("cross") == (len(modules) - motion) / 2
    assert {site.part for site in pia.sites if site.kind == "temporal"} == {"down", "mid", "up"}


@pytest.mark.parametrize(("clips", "frames", "height", "width"), [(1, 4, 8, 8), (2, 3, 6, 10)])
def test_calls_are_in_the_canonical_layout(
    pia: MotionUNetModel, clips: int, frames: int, height: int, width: int
) -> None:
    condition = pia.pictures.condition(picture(0, height * 8, width * 8), affinity(frames, 0.5))
    latents = torch.randn(2 * clips, 4, frames, height, width)
    watcher = Watcher("plain")
    text = pia.encode(PROMPT, "")
    watched = pia.denoise(latents, torch.tensor(400), text, watcher, condition)
    torch.testing.assert_close(
        watched, pia.denoise(latents, torch.tensor(400), text, None, condition), atol=1e-5, rtol=1e-5
    )
    assert set(watcher.calls) == {site.name for site in pia.sites}
    for call in watcher.calls.values():
        grid, batch = call.grid, 2 * clips
        assert (call.branches, call.clips, grid.frames) == (2, clips, frames)
        # The toy's grids: as it comes in, and halved below.
        assert (grid.height, grid.width) in {(height, width), (height // 2, width // 2)}
        temporal = call.site.kind == "temporal"
        assert call.query.shape[:2] == (batch * (grid.area if temporal else frames), call.site.heads)
        queries = frames if temporal else grid.area
        keys = pia.limits.max_tokens if call.site.kind == "cross" else queries
        assert (call.query.shape[2], call.key.shape[2]) == (queries, keys)


def test_temporal_rows_are_positions_and_queries_are_frames(pia: MotionUNetModel) -> None:
    """Queries computed by hand from what enters the motion module, at each (branch, clip, frame, y, x)."""
    clips, frames, height, width = 2, 3, 6, 8
    condition = pia.pictures.condition(picture(), affinity(frames, 0.5))
    name = "down_blocks.0.motion_modules.0"
    module, entered = pia.denoiser.get_submodule(name), []
    hook = module.register_forward_pre_hook(lambda module, args: entered.append(args[0]))
    watcher = Watcher()
    latents = torch.randn(2 * clips, 4, frames, height, width)
    pia.denoise(latents, torch.tensor(400), pia.encode(PROMPT, ""), watcher, condition)
    hook.remove()
    x = entered[0].unflatten(0, (2 * clips, frames)).transpose(1, 2)
    with torch.no_grad():
        block = module.transformer_blocks[0]
        tokens = module.proj_in(module.norm(x).permute(0, 3, 4, 2, 1).flatten(0, 2))
        expected = block.attn1.to_q(block.pos_embed(block.norm1(tokens)))
    got = watcher.calls[f"{name}.transformer_blocks.0.attn1"].query.transpose(1, 2).flatten(2)
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-4)


def test_the_condition_is_affinity_and_the_picture_s_latents(pia: MotionUNetModel) -> None:
    near = (1.0, 0.75, 0.5)
    one = pia.pictures.condition(picture(), near)
    assert one.shape == (1, 5, 3, 6, 8) and one.dtype == torch.float32
    assert [frame.unique().tolist() for frame in one[0, 0]] == [[1.0], [0.75], [0.5]]
    latents = pia.encode_pictures(picture())
    assert torch.equal(one[0, 1:], latents[0, :, None].expand(-1, 3, -1, -1))
    each = np.concatenate([picture(), picture(1), picture(2)])
    assert torch.allclose(
        pia.pictures.condition(each, near)[0, 1:, 2], pia.encode_pictures(picture(2))[0], atol=1e-5
    )
    with pytest.raises(ValueError, match="2 pictures do not fit 3 frames"):
        pia.pictures.condition(each[:2], near)


def test_picture_guidance_leaves_the_unconditional_branch_without_picture(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "copy")
    folder = tmp_path / "copy" / "pia"
    said = json.loads((folder / "rehearse.json").read_text())
    (folder / "rehearse.json").write_text(json.dumps({**said, "picture_guidance": True}))
    model = load_model(str(folder), precision="float32")
    condition = model.pictures.condition(picture(), (1.0, 0.5))
    assert condition.shape[0] == 2 and not condition[0].any() and condition[1, 0, 1].unique() == 0.5
    end = sampled(model, 4.0, condition, frames=2)[1]
    same = sampled(model, 4.0, condition[1:], frames=2)[1]
    assert (end.latents - same.latents).abs().max() > 1e-3


def test_encoding_pictures_repeats_itself_and_undoes_decoding_s_scale(pia: MotionUNetModel) -> None:
    found = pia.encode_pictures(picture())
    assert found.shape == (1, 4, 6, 8) and found.dtype == torch.float32
    assert torch.equal(found, pia.encode_pictures(picture()))
    vae: Any = pia._codec.vae
    values = torch.from_numpy(picture()).permute(0, 3, 1, 2) / 127.5 - 1
    expected = vae.encode(values).latent_dist.mode() * vae.config.scaling_factor
    torch.testing.assert_close(found, expected)


def test_the_picture_model_is_the_base(root: Path, pia: MotionUNetModel) -> None:
    made = pia.pictures.picture_model()
    assert isinstance(made, ImageModel) and made is pia.pictures.picture_model()
    assert (made.identity, made.fingerprint) == ("image", find_model(str(root / "image")).fingerprint())


def test_text_alone_is_what_animatediff_starts_from(
    animatediff: MotionUNetModel, pia: MotionUNetModel
) -> None:
    assert animatediff.pictures is None and animatediff.acts_on == {
        "trajectory.box",
        "trajectory.point",
    }
    assert pia.pictures is not None and {"image", "content", "motion", "trajectory.drag"} < pia.acts_on
    with pytest.raises(ModelError, match="give it a condition"):
        pia.denoise(torch.randn(1, 4, 2, 6, 8), torch.tensor(10), pia.encode(PROMPT)[1:])


def test_defaults_limits_and_names(pia: MotionUNetModel) -> None:
    assert (pia.defaults.frames, pia.defaults.steps, pia.defaults.width) == (5, 4, 64)
    assert (pia.limits.max_frames, pia.family) == (24, "motion_unet")


def test_an_embedded_model_may_stand_on_another(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "EMBEDDED", root)
    listed = {entry.name: entry for entry in registry.list_models()}
    assert {name: entry.family for name, entry in listed.items()} == {
        "animatediff": "motion_unet",
        "image": "image",
        "pia": "motion_unet",
    }
    assert 1000 < listed["pia"].size < listed["image"].size
    model = load_model("pia")
    assert model.identity == "pia" and model.pictures.picture_model().identity == "image"


def test_settings_are_laid_over_the_base_s_schedule(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "image", tmp_path / "image")
    folder = save_toy_motion_model(
        tmp_path / "pia", tmp_path / "image", scheduler={"beta_schedule": "linear"}, max_frames=9
    )
    model = load_model(str(folder))
    assert model.make_scheduler("ddim").config.beta_schedule == "linear" and model.limits.max_frames == 9
    assert load_model(str(tmp_path / "image")).make_scheduler("ddim").config.beta_schedule == "scaled_linear"


def test_the_fingerprint_follows_base_adapter_and_what_is_laid_over(root: Path, tmp_path: Path) -> None:
    def fingerprint() -> str:
        return find_model(str(tmp_path / "all" / "pia")).fingerprint()

    shutil.copytree(root, tmp_path / "all")
    seen = [fingerprint()]
    assert seen[0] == find_model(str(root / "pia")).fingerprint()
    said = tmp_path / "all" / "pia" / "rehearse.json"
    content = json.loads(said.read_text())
    said.write_text(json.dumps({**content, "defaults": {"steps": 9}}))
    assert fingerprint() == seen[0]
    said.write_text(json.dumps({**content, "scheduler": {"beta_schedule": "linear"}}))
    seen.append(fingerprint())
    for place in ("image/unet", "pia/motion_adapter"):
        file = next((tmp_path / "all" / place).glob("*.safetensors"))
        changed = bytearray(file.read_bytes())
        changed[-1] ^= 1
        file.write_bytes(bytes(changed))
        seen.append(fingerprint())
    assert len(set(seen)) == 4


def save_lora(file: Path, unet: Any, targets: Sequence[str], text_encoder: Any = None) -> None:
    """A LoRA of rank 2 with weights one can feel, as diffusers writes it."""
    from diffusers import StableDiffusionPipeline
    from peft import LoraConfig, get_peft_model_state_dict
    from peft.tuners.lora import LoraLayer

    def added(module: Any, names: Sequence[str]) -> dict[str, torch.Tensor]:
        module.add_adapter(LoraConfig(r=2, lora_alpha=2, target_modules=list(names)))
        with torch.no_grad():
            for layer in module.modules():
                if isinstance(layer, LoraLayer):
                    for part in layer.lora_B.values():
                        part.weight.normal_(0, 0.5)
        found: dict[str, torch.Tensor] = get_peft_model_state_dict(module)
        return found

    StableDiffusionPipeline.save_lora_weights(
        file.parent,
        unet_lora_layers=added(unet, targets),
        text_encoder_lora_layers=None if text_encoder is None else added(text_encoder, ["q_proj", "v_proj"]),
        weight_name=file.name,
        safe_serialization=True,
    )


def test_a_lora_changes_both_the_clip_and_its_picture(root: Path, tmp_path: Path) -> None:
    from diffusers import StableDiffusionPipeline

    torch.manual_seed(1)
    shutil.copytree(root / "image", tmp_path / "image")
    folder = save_toy_motion_model(
        tmp_path / "pia", tmp_path / "image", loras=[{"file": "ink.safetensors", "scale": 0.5}]
    )
    pipeline: Any = StableDiffusionPipeline.from_pretrained(root / "image")
    save_lora(folder / "ink.safetensors", pipeline.unet, ["to_q", "to_v"], pipeline.text_encoder)
    model = load_model(str(folder), precision="float32")
    made = model.pictures.picture_model()
    plain: Any = StableDiffusionPipeline.from_pretrained(root / "image")
    plain.load_lora_weights(folder / "ink.safetensors", adapter_name="ink")
    plain.set_adapters("ink", 0.5)
    text = plain.encode_prompt(PROMPT, "cpu", 1, False)[0]
    torch.testing.assert_close(made.encode(PROMPT)[1:], text, atol=1e-5, rtol=1e-5)
    latents = torch.randn(1, 4, 6, 8)
    with torch.no_grad():
        expected = plain.unet(latents, torch.tensor(400), text)[0]
    ours = made.denoise(latents[:, :, None], torch.tensor(400), text)[:, :, 0]
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-4)
    assert torch.equal(
        model.denoiser.mid_block.attentions[0].transformer_blocks[0].attn1.to_q.weight,  # type: ignore[attr-defined]
        made.denoiser.mid_block.attentions[0].transformer_blocks[0].attn1.to_q.weight,  # type: ignore[attr-defined]
    )
    without = save_toy_motion_model(tmp_path / "plain", tmp_path / "image")
    assert find_model(str(without)).fingerprint() != model.fingerprint
    assert len(model.sites) == len(load_model(str(without)).sites)


def test_a_motion_lora_changes_the_clip_alone(root: Path, tmp_path: Path, pia: MotionUNetModel) -> None:
    torch.manual_seed(1)
    shutil.copytree(root, tmp_path / "all")
    folder = tmp_path / "all" / "pia"
    said = json.loads((folder / "rehearse.json").read_text())
    (folder / "rehearse.json").write_text(json.dumps({**said, "loras": [{"file": "pan.safetensors"}]}))
    unet = with_motion(toy_unet("image"), toy_adapter(True))
    targets = [n for n, m in unet.named_modules() if "motion_modules" in n and n.endswith("to_v")]
    save_lora(folder / "pan.safetensors", unet, targets)
    model = load_model(str(folder), precision="float32")
    assert isinstance(model, MotionUNetModel)
    for name, value in pia.denoiser.state_dict().items():
        changed = "motion_modules" in name and name.endswith("to_v.weight")
        assert torch.equal(value, model.denoiser.state_dict()[name]) != changed, name
    model.pictures.picture_model()


def test_a_plain_lora_needs_no_peft_and_is_merged_as_peft_would(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from diffusers import StableDiffusionPipeline

    torch.manual_seed(1)
    shutil.copytree(root / "image", tmp_path / "image")
    listed = [{"file": "plain.safetensors", "scale": 0.5}]
    folder = save_toy_motion_model(tmp_path / "pia", tmp_path / "image", loras=listed)
    stock: Any = StableDiffusionPipeline.from_pretrained(root / "image")
    layers = ("mid_block.resnets.0.conv1", "mid_block.attentions.0.transformer_blocks.0.attn1.to_q")
    changes = {}
    for layer in layers:
        weight = stock.unet.get_submodule(layer).weight
        changes[f"unet.{layer}.lora_A.weight"] = torch.randn(2, *weight.shape[1:])
        changes[f"unet.{layer}.lora_B.weight"] = torch.randn(weight.shape[0], 2, *[1] * (weight.ndim - 2))
    save_file(changes, folder / "plain.safetensors")
    stock.load_lora_weights(folder / "plain.safetensors", adapter_name="plain")
    stock.fuse_lora(lora_scale=0.5)

    with monkeypatch.context() as without:
        without.setitem(sys.modules, "peft", None)
        model = load_model(str(folder), precision="float32")
        model.pictures.picture_model()
    for layer in layers:
        merged = stock.unet.get_submodule(layer)
        expected = getattr(merged, "base_layer", merged).weight
        for ours in (model.denoiser, model.pictures.picture_model().denoiser):  # type: ignore[attr-defined]
            torch.testing.assert_close(ours.get_submodule(layer).weight, expected, atol=1e-5, rtol=1e-5)

    with_pictures = model.fingerprint
    said = json.loads((folder / "rehearse.json").read_text())
    said["loras"][0]["pictures"] = False
    (folder / "rehearse.json").write_text(json.dumps(said))
    model = load_model(str(folder), precision="float32")
    assert model.fingerprint != with_pictures
    drawn = model.pictures.picture_model().denoiser.get_submodule(layers[0])  # type: ignore[attr-defined]
    bare: Any = StableDiffusionPipeline.from_pretrained(root / "image")
    assert torch.equal(drawn.weight, bare.unet.get_submodule(layers[0]).weight)
    assert not torch.equal(model.denoiser.get_submodule(layers[0]).weight, drawn.weight)  # type: ignore[attr-defined]


def test_a_plain_lora_of_another_model_is_refused(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "all")
    folder = tmp_path / "all" / "pia"
    said = {"base": "image", "loras": [{"file": "big.safetensors"}]}
    (folder / "rehearse.json").write_text(json.dumps(said))
    for layer, expected in (
        ("mid_block.resnets.0.conv1", "does not fit this model"),
        ("nowhere", "holds nothing"),
    ):
        low = {
            f"unet.{layer}.lora_A.weight": torch.zeros(2, 7),
            f"unet.{layer}.lora_B.weight": torch.zeros(5, 2),
        }
        save_file(low, folder / "big.safetensors")
        with pytest.raises(ModelError, match=rf"the LoRA big\.safetensors {expected}"):
            load_model(str(folder))


def test_a_model_may_say_the_affinities_it_was_trained_on(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "all")
    folder = tmp_path / "all" / "pia"
    own = {"small": [1, 0.8], "moderate": [1, 0.6], "large": [1, 0.4]}
    plain = load_model(str(folder))
    fingerprint = plain.fingerprint
    assert plain.pictures.affinity_lists is None
    (folder / "rehearse.json").write_text(json.dumps({"base": "image", "closeness": own}))
    model = load_model(str(folder))
    assert model.pictures.affinity_lists == {name: tuple(values) for name, values in own.items()}
    assert model.fingerprint != fingerprint
    shot = Shot(PROMPT, frames=3, steps=1).image(np.full((48, 64, 3), 90, np.uint8)).motion(magnitude="large")
    made = plan(shot.with_(width=64, height=48), model)
    assert made.condition is not None
    assert made.condition[-1, 0, :, 0, 0].tolist() == pytest.approx([1.0, 0.7, 0.4])


def test_guidance_may_rise_from_the_picture_s_frame(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "all")
    folder = tmp_path / "all" / "pia"
    own = {"small": [1, 0.9], "moderate": [1, 0.6], "large": [1, 0.4]}
    shot = Shot(PROMPT, frames=3, steps=1, seed=4).image(np.full((48, 64, 3), 90, np.uint8))

    def first_step(guidance: float, **said: Any) -> torch.Tensor:
        (folder / "rehearse.json").write_text(json.dumps({"base": "image", "closeness": own, **said}))
        model = load_model(str(folder))
        loop = Loop(model, plan(shot.with_(guidance=guidance), model))
        x0 = loop.step(loop.start()).x0
        assert x0 is not None
        return x0

    bare, all_of_it, rising = first_step(1), first_step(4), first_step(4, guidance_ramp=0.3)
    moved = all_of_it - bare
    far = moved.abs().amax()
    # Closeness 1, 0.8 and 0.6: none, two thirds and all of the guidance.
    for frame, share in enumerate((0, 2 / 3, 1)):
        assert (rising - bare - share * moved)[:, :, frame].abs().amax() < 0.02 * far


def test_what_no_guidance_reaches_is_predicted_once(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(root, tmp_path / "all")
    folder = tmp_path / "all" / "pia"
    (folder / "rehearse.json").write_text(json.dumps({"base": "image", "guidance_ramp": 0.1}))
    model = load_model(str(folder))
    assert isinstance(model, MotionUNetModel)
    sizes: list[int] = []
    real = model.denoise

    def counted(latents: torch.Tensor, *given: Any) -> torch.Tensor:
        sizes.append(latents.shape[0])
        return real(latents, *given)

    monkeypatch.setattr(model, "denoise", counted)
    shot = Shot(PROMPT, frames=3, steps=1, seed=4).image(np.full((48, 64, 3), 90, np.uint8))
    for each, branches in (
        (shot.drag((0.2, 0.5), (0.7, 0.5), region=Box(0, 0, 0.5, 1)), 1),
        (shot, 2),
        (shot.with_(guidance=1), 1),
    ):
        sizes.clear()
        loop = Loop(model, plan(each.with_(width=64, height=48), model))
        loop.step(loop.start())
        assert sizes == [branches]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"base": "nothing-here"}, "there is no model 'nothing-here'"),
        ({"base": 3}, "base cannot be 3; name a model"),
        ({"base": "../pia"}, "base is this folder itself"),
        ({"base": "other"}, "'other' has a motion adapter already; name an image model"),
        ({"motion_adapter": 3}, "motion_adapter cannot be 3"),
        ({"motion_adapter": "../image"}, "has no config.json"),
        ({"loras": "ink.safetensors"}, "loras must be a list; write"),
        ({"loras": [{"file": "ink.bin"}]}, "loras[0].file 'ink.bin' is not safetensors; convert it"),
        ({"loras": [{"file": "ink.safetensors"}]}, "there is no 'ink.safetensors'; copy it into the folder"),
        ({"loras": [{"file": "a.safetensors", "weight": 1}]}, "loras[0] cannot be"),
        ({"loras": [{"file": "a.safetensors", "scale": "x"}]}, "loras[0].scale cannot be 'x'; give a number"),
        ({"loras": [{"file": "a.safetensors", "pictures": 1}]}, "loras[0].pictures cannot be 1; write true"),
        ({"closeness": {"small": [1, 0.5]}}, "closeness cannot be {'small': [1, 0.5]}; give a list for each"),
        ({"closeness": {"small": [1, 2], "moderate": [1, 0], "large": [1, 0]}}, "in [0, 1] that never rise"),
        ({"guidance_ramp": 0}, "guidance_ramp cannot be 0; give a number above 0, up to 1"),
        ({"guidance_ramp": True}, "guidance_ramp cannot be True"),
        ({"scheduler": "ddim"}, "scheduler must be an object of scheduler settings"),
    ],
)
def test_a_wrong_composition_is_refused_by_name(
    root: Path, tmp_path: Path, said: dict[str, Any], expected: str
) -> None:
    shutil.copytree(root, tmp_path / "all")
    save_toy_motion_model(tmp_path / "all" / "other", tmp_path / "all" / "image")
    folder = tmp_path / "all" / "pia"
    (folder / "rehearse.json").write_text(json.dumps({"base": "image", **said}))
    with pytest.raises(ModelError) as caught:
        load_model(str(folder))
    assert expected in str(caught.value) and "\n" not in str(caught.value)


def test_an_adapter_or_lora_of_another_model_is_refused(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "all")
    folder = tmp_path / "all" / "pia"
    toy_adapter(True, latents=5).save_pretrained(folder / "motion_adapter")
    with pytest.raises(ModelError, match="conv_in takes 11 channels where 9 are due"):
        load_model(str(folder))
    toy_adapter(True, channels=(16, 16)).save_pretrained(folder / "motion_adapter")
    with pytest.raises(ModelError, match="motion adapter does not fit its unet"):
        load_model(str(folder))
    toy_adapter(True).save_pretrained(folder / "motion_adapter")
    (folder / "motion_adapter" / "diffusion_pytorch_model.safetensors").write_bytes(b"\x80\x02}q\x00.")
    with pytest.raises(
        ModelError, match=r"motion_adapter/diffusion_pytorch_model\.safetensors is not a safet"
    ):
        load_model(str(folder))


def test_a_lora_of_another_model_is_refused(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "all")
    folder = tmp_path / "all" / "pia"
    said = {"base": "image", "loras": [{"file": "big.safetensors"}]}
    (folder / "rehearse.json").write_text(json.dumps(said))
    save_lora(folder / "big.safetensors", toy_unet("image", channels=(12, 24)), ["to_q"])
    with pytest.raises(ModelError, match=r"the LoRA big\.safetensors does not fit this model"):
        load_model(str(folder))
    save_file({"unet.somewhere.else.lora_A.weight": torch.zeros(2, 8)}, folder / "big.safetensors")
    with pytest.raises(
        ModelError, match=r"big\.safetensors is cut short: unet\.somewhere\.else lacks its up"
    ):
        load_model(str(folder))
