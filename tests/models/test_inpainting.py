"""Image models that read a region: Stable Diffusion's inpainting layout, and a partner for edits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from toy_models import save_toy_model, save_toy_motion_model

from rehearse.models import ModelError, load_model
from rehearse.models.image import ImageModel, widened
from rehearse.pictures import make_intermediate
from rehearse.pictures.cache import PictureCache
from rehearse.resolve.instructions.pictures import picture_of
from rehearse.shot import Box, Shot

PICTURE = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
DEFAULTS = {"frames": 1, "width": 64, "height": 64, "steps": 4, "guidance": 3.0}


def save_inpainting(root: Path, name: str = "paint", seed: int = 5) -> Path:
    """A folder that stands on ``root/image`` with an input layer of its own."""
    folder = root / name
    folder.mkdir()
    torch.manual_seed(seed)
    save_file({"weight": torch.randn(8, 9, 3, 3)}, folder / "conv_in.safetensors")
    (folder / "rehearse.json").write_text(json.dumps({"base": "image", "defaults": DEFAULTS}))
    return folder


def say(folder: Path, **said: Any) -> None:
    before = json.loads((folder / "rehearse.json").read_text())
    (folder / "rehearse.json").write_text(json.dumps({**before, **said}))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    save_toy_model(tmp_path / "image", kind="image", settings={"defaults": DEFAULTS})
    save_inpainting(tmp_path)
    return tmp_path


def loaded(folder: Path) -> ImageModel:
    model = load_model(str(folder), device="cpu", precision="float32")
    assert isinstance(model, ImageModel)
    return model


def test_it_reads_latents_region_and_blanked_picture_as_stable_diffusion_does(root: Path) -> None:
    model = loaded(root / "paint")
    assert model.inpainting is not None and model.latent_shape(1, 64, 64) == (4, 1, 8, 8)
    inside = torch.zeros(8, 8)
    inside[2:5, 3:6] = 1
    condition = model.inpainting.condition(PICTURE, inside)
    assert condition.shape == (1, 5, 1, 8, 8) and torch.equal(condition[0, 0, 0], inside)
    blanked = PICTURE.copy()
    blanked[16:40, 24:48] = 127
    assert torch.equal(condition[:, 1:, 0], model.encode_pictures(blanked[None]))
    latents, text = torch.randn(1, 4, 1, 8, 8), model.encode("a red ball")[1:]
    out = model.denoise(latents, torch.tensor(500), text, condition=condition)
    with torch.no_grad():
        seen = torch.cat([latents, condition], dim=1)[:, :, 0]
        expected = model.denoiser(seen, torch.tensor(500), encoder_hidden_states=text).sample
    assert torch.allclose(out[:, :, 0], expected, atol=1e-5)


def test_a_whole_checkpoint_s_own_unet_is_known_by_its_channels(root: Path, tmp_path: Path) -> None:
    from diffusers import UNet2DConditionModel

    whole = save_toy_model(tmp_path / "whole", kind="image", settings={"defaults": DEFAULTS})
    unet = widened(UNet2DConditionModel.from_pretrained(whole / "unet"))
    unet.save_pretrained(whole / "unet", safe_serialization=True)
    model = loaded(whole)
    assert model.inpainting is not None and model.inpainting_model() is model
    # Without a picture everything is to be drawn: text to image. This input layer reads the latents alone.
    plain = loaded(root / "image")
    latents, text = torch.randn(1, 4, 1, 8, 8), model.encode("a red ball")[1:]
    given = latents, torch.tensor(500), text
    assert torch.allclose(model.denoise(*given), plain.denoise(*given), atol=1e-5)


def test_edits_are_drawn_by_the_model_that_is_named_for_them(root: Path) -> None:
    shot = Shot("a red ball", seed=2).image(PICTURE).edit("a blue star", Box(0.25, 0.25, 0.75, 0.75))

    def edited() -> tuple[np.ndarray, str]:
        model = loaded(root / "image")
        made = make_intermediate(picture_of(shot, 64, 64), model, cache=PictureCache()).original
        assert (made[:12] == PICTURE[:12]).all() and (made[20:40, 20:40] != PICTURE[20:40, 20:40]).any()
        return made, model.fingerprint

    plain, before = edited()
    say(root / "image", inpainting="paint")
    assert loaded(root / "image").inpainting_model() is loaded(root / "image").inpainting_model()
    partner, after = edited()
    assert (plain != partner).any() and before == after  # the image model itself is the same
    # Trained anew, it draws anew, though the model that names it stays loaded.
    save_file({"weight": torch.zeros(8, 9, 3, 3)}, root / "paint" / "conv_in.safetensors")
    again, _ = edited()
    assert (again != partner).any()


def test_an_edit_s_latents_are_those_of_the_model_that_draws_it(root: Path) -> None:
    from toy_models import toy_vae

    say(root / "image", inpainting="paint")
    torch.manual_seed(9)
    toy_vae().save_pretrained(root / "paint" / "vae", safe_serialization=True)
    model = loaded(root / "image")
    partner = model.inpainting_model()
    assert partner is not None
    taken: list[str] = []
    for each in (model, partner):
        real = each.encode_pictures
        each.encode_pictures = (  # type: ignore[method-assign]
            lambda pictures, real=real, each=each: taken.append(each.identity) or real(pictures)
        )
    shot = Shot("a red ball", seed=2).image(PICTURE).edit("a blue star", Box(0.25, 0.25, 0.75, 0.75))
    make_intermediate(picture_of(shot, 64, 64), model, cache=PictureCache())
    assert set(taken) == {partner.identity}


def test_a_partner_is_named_as_a_base_is(root: Path) -> None:
    say(root / "image", inpainting="../paint")
    assert loaded(root / "image").inpainting_model() is not None
    # A style of it, somewhere else, means the partner that its base means.
    (root / "elsewhere" / "ink").mkdir(parents=True)
    said = {"base": str(root / "image"), "defaults": DEFAULTS}
    (root / "elsewhere" / "ink" / "rehearse.json").write_text(json.dumps(said))
    say(root / "image", inpainting="paint")
    assert loaded(root / "elsewhere" / "ink").inpainting_model() is not None


def test_what_stands_on_an_inpainting_model_inpaints_and_takes_no_motion(root: Path) -> None:
    (root / "style").mkdir()
    (root / "style" / "rehearse.json").write_text(json.dumps({"base": "paint", "defaults": DEFAULTS}))
    assert loaded(root / "style").inpainting is not None
    save_toy_motion_model(root / "animate", root / "paint")
    with pytest.raises(ModelError, match="a motion adapter cannot go on 'paint', which inpaints"):
        load_model(str(root / "animate"), device="cpu")


def test_an_inpainting_model_has_features_for_drags(root: Path) -> None:
    model = loaded(root / "paint")
    latents = torch.randn(1, 4, 1, 8, 8, requires_grad=True)
    found = model.features(latents, torch.tensor(300), model.encode("a red ball")[1:], 0)
    found.sum().backward()
    assert latents.grad is not None and latents.grad.abs().max() > 0


def test_a_style_reaches_the_partner_once(root: Path) -> None:
    layer = "mid_block.resnets.0.conv1"
    products = {
        f"unet.{layer}.lora_A.weight": torch.randn(2, 16, 3, 3),
        f"unet.{layer}.lora_B.weight": torch.randn(16, 2, 1, 1),
    }
    (root / "ink").mkdir()
    save_file(products, root / "ink" / "ink.safetensors")
    said = {"base": "image", "loras": [{"file": "ink.safetensors"}], "inpainting": "inkpaint"}
    (root / "ink" / "rehearse.json").write_text(json.dumps({**said, "defaults": DEFAULTS}))
    save_inpainting(root, "inkpaint")
    for base in ("image", "../ink"):
        say(root / "inkpaint", base=base)
        partner: Any = loaded(root / "ink").inpainting_model()
        style: Any = loaded(root / "ink")
        own, theirs = (each.denoiser.get_submodule(layer).weight for each in (style, partner))
        assert torch.allclose(own, theirs), base


def test_edits_of_two_models_are_kept_apart(root: Path) -> None:
    shot = Shot("a red ball", seed=2).image(PICTURE)
    shot = shot.edit("a blue star", Box(0.25, 0.25, 0.75, 0.75), strength=0.9)
    cache = PictureCache()
    plain = make_intermediate(picture_of(shot, 64, 64), loaded(root / "image"), cache=cache).original
    say(root / "image", inpainting="paint")
    assert (
        make_intermediate(picture_of(shot, 64, 64), loaded(root / "image"), cache=cache).original != plain
    ).any()


def test_a_video_model_s_pictures_are_edited_by_its_base_s_partner(root: Path) -> None:
    say(root / "image", inpainting="paint")
    model = load_model(str(save_toy_motion_model(root / "animate", root / "image")), device="cpu")
    found = model.pictures.picture_model().inpainting_model()
    assert found is not None and found.inpainting is not None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (3, "inpainting cannot be 3; name a model or a folder"),
        ("image", "'image' does not inpaint; name an image model that reads a region"),
        ("nothing-here", "there is no model 'nothing-here'"),
        ("other", "'other' has latents of another form"),
    ],
)
def test_a_partner_that_will_not_do_is_refused(root: Path, name: Any, expected: str) -> None:
    if name == "other":
        other = save_toy_model(root / "other", kind="image", settings={"defaults": DEFAULTS})
        from diffusers import AutoencoderKL, UNet2DConditionModel

        widened(UNet2DConditionModel.from_pretrained(other / "unet")).save_pretrained(other / "unet")
        small = AutoencoderKL(latent_channels=4, block_out_channels=(4,), norm_num_groups=2)
        small.save_pretrained(other / "vae", safe_serialization=True)
    say(root / "image", inpainting=name)
    with pytest.raises(ModelError) as caught:
        loaded(root / "image").inpainting_model()
    assert expected in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("tensors", "expected"),
    [
        ({"weight": torch.zeros(8, 7, 3, 3)}, r"conv_in\.safetensors does not fit its base"),
        ({"other": torch.zeros(8, 9, 3, 3)}, "it has no tensor of the name weight"),
    ],
)
def test_an_input_layer_that_does_not_fit_is_refused(
    root: Path, tensors: dict[str, torch.Tensor], expected: str
) -> None:
    save_file(tensors, root / "paint" / "conv_in.safetensors")
    with pytest.raises(ModelError, match=expected):
        loaded(root / "paint")


def test_a_cut_off_input_layer_is_refused_and_another_one_is_another_model(root: Path) -> None:
    before = loaded(root / "paint").fingerprint
    file = root / "paint" / "conv_in.safetensors"
    save_file({"weight": torch.zeros(8, 9, 3, 3)}, file)
    assert loaded(root / "paint").fingerprint != before
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(ModelError, match="is cut off or corrupt"):
        loaded(root / "paint")


def test_a_plain_model_reads_no_region(root: Path) -> None:
    model = loaded(root / "image")
    assert model.inpainting is None and model.inpainting_model() is None
