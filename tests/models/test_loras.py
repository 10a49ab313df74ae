"""LoRAs in every form and naming that is read: merged by formula, as peft merges them, or refused by name."""

from __future__ import annotations

import copy
import json
import logging
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from toy_models import save_toy_cogvideox, save_toy_model, toy_adapter, toy_cogvideox, toy_unet

from rehearse.models import ModelError, load_model
from rehearse.models.folder import Lora, ModelFolder
from rehearse.models.lora import add_loras
from rehearse.models.motion_unet import with_motion

Tensors = dict[str, torch.Tensor]

LINEAR = "mid_block.attentions.0.transformer_blocks.0.attn2.to_k"  # [16, 16]
OUT = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0"  # [8, 8]
NARROW = "up_blocks.1.attentions.0.transformer_blocks.0.attn2.to_v"  # [8, 16]
CONV = "mid_block.resnets.0.conv1"  # [16, 16, 3, 3]
POINT = "mid_block.attentions.0.proj_in"  # [16, 16, 1, 1]
NORM = "mid_block.resnets.0.norm1"  # [16]
WORDS = "text_model.encoder.layers.0.self_attn.q_proj"  # [16, 16]
SCALE = 0.7


@pytest.fixture(scope="module")
def parts() -> tuple[Any, Any]:
    """An image UNet and a CLIP text encoder."""
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(5)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    return toy_unet("image"), CLIPTextModel(CLIPTextConfig(vocab_size=99, projection_dim=16, **sizes))  # type: ignore[arg-type]


def weight_of(module: Any, layer: str, name: str = "weight") -> torch.Tensor:
    """A layer's weight, whether or not CLIP has its ``text_model`` level."""
    state = module.state_dict()
    found: torch.Tensor = state.get(
        f"{layer}.{name}", state.get(f"{layer.removeprefix('text_model.')}.{name}")
    )
    return found.clone()


def merged(
    folder: Path,
    tensors: Tensors,
    parts: tuple[Any, ...],
    scale: float = SCALE,
    header: dict[str, str] | None = None,
) -> tuple[Any, ...]:
    """Copies of the parts with a file of these tensors merged."""
    save_file({n: x.contiguous() for n, x in tensors.items()}, folder / "l.safetensors", header)
    copies = copy.deepcopy(parts)
    add_loras(ModelFolder(folder, "toy", loras=(Lora(folder / "l.safetensors", scale),)), *copies)
    return copies


def refusal(
    folder: Path, tensors: Tensors, parts: tuple[Any, ...], header: dict[str, str] | None = None
) -> str:
    with pytest.raises(ModelError) as caught:
        merged(folder, tensors, parts, header=header)
    said = str(caught.value)
    assert said.startswith("model 'toy': the LoRA l.safetensors ") and "\n" not in said
    return said


def rand(*shape: int) -> torch.Tensor:
    return torch.randn(*shape) / 2


# Namings: how a file calls a layer of the denoiser, and of CLIP.


def kohya(prefix: str) -> Callable[[str], str]:
    return lambda layer: prefix + layer.replace(".", "_")


def under(prefix: str) -> Callable[[str], str]:
    return lambda layer: prefix + layer


def of_processor(layer: str) -> str:
    """As diffusers' attention processors were once saved."""
    block, _, last = layer.removesuffix(".0").rpartition(".")
    return f"unet.{block}.processor.{last}_lora"


DENOISER = {
    "diffusers": under("unet."),
    "diffusers' processors": of_processor,
    "PEFT": under("base_model.model."),
    "PEFT in diffusers": under("base_model.model.unet."),
    "kohya": kohya("lora_unet_"),
    "kohya of a nameless root": kohya("lora_unet__"),
    "LyCORIS": kohya("lycoris_"),
    "no prefix": under(""),
    "ComfyUI": under("diffusion_model."),
}
TEXT = {
    "diffusers": under("text_encoder."),
    "kohya": kohya("lora_te_"),
    "kohya's first of two": kohya("lora_te1_"),
    "ComfyUI": under("text_encoders.clip_l.transformer."),
    "no prefix": under(""),
    "without CLIP's level": lambda layer: "lora_te_" + layer.removeprefix("text_model.").replace(".", "_"),
}
SIDES = [
    ("lora_A.weight", "lora_B.weight"),
    ("lora_down.weight", "lora_up.weight"),
    ("lora.down.weight", "lora.up.weight"),
    ("lora_A.default.weight", "lora_B.default.weight"),
    ("lora_A", "lora_B"),
]


@pytest.mark.parametrize(
    ("naming", "sides"),
    # Processors were saved in one way alone.
    [(naming, sides) for naming in DENOISER for sides in (SIDES[2:3] if "processors" in naming else SIDES)],
)
def test_every_naming_of_a_denoiser_s_layers(
    tmp_path: Path, parts: tuple[Any, Any], naming: str, sides: tuple[str, str]
) -> None:
    torch.manual_seed(0)
    file: Tensors = {}
    due: Tensors = {}
    for layer, alpha in ((LINEAR, 1.0), (OUT, 6.0), (NARROW, None)):
        out, wide = weight_of(parts[0], layer).shape
        down, up = rand(3, wide), rand(out, 3)
        name, dot = DENOISER[naming](layer), "."
        if naming == "diffusers' processors":
            name, dot = name.removesuffix("lora"), ""
        file |= {f"{name}{dot}{sides[0]}": down, f"{name}{dot}{sides[1]}": up}
        if alpha is not None:
            file[f"{name.removesuffix('_')}.alpha"] = torch.tensor(alpha)
        due[layer] = SCALE * (alpha or 3.0) / 3 * sum(up[:, r, None] * down[None, r] for r in range(3))
    unet, words = merged(tmp_path, file, parts)
    for layer, change in due.items():
        torch.testing.assert_close(weight_of(unet, layer), weight_of(parts[0], layer) + change)
    changed = [n for n, x in unet.state_dict().items() if not torch.equal(x, parts[0].state_dict()[n])]
    assert sorted(changed) == sorted(f"{layer}.weight" for layer in due)
    assert all(torch.equal(x, parts[1].state_dict()[n]) for n, x in words.state_dict().items())


@pytest.mark.parametrize("naming", TEXT)
def test_every_naming_of_clip_s_layers(tmp_path: Path, parts: tuple[Any, Any], naming: str) -> None:
    torch.manual_seed(0)
    down, up, name = rand(4, 16), rand(16, 4), TEXT[naming](WORDS)
    file = {
        f"{name}.lora_down.weight": down,
        f"{name}.lora_up.weight": up,
        f"{name}.alpha": torch.tensor(2.0),
    }
    words = merged(tmp_path, file, parts)[1]
    torch.testing.assert_close(weight_of(words, WORDS), weight_of(parts[1], WORDS) + SCALE / 2 * up @ down)


@pytest.mark.parametrize(
    "name",
    [
        "text_model.encoder.layers.0.self_attn.to_q_lora",
        "text_model.encoder.layers.0.self_attn.q_proj.lora_linear_layer",
    ],
)
def test_older_names_of_clip_s_layers(tmp_path: Path, parts: tuple[Any, Any], name: str) -> None:
    torch.manual_seed(0)
    down, up = rand(4, 16), rand(16, 4)
    file = {f"text_encoder.{name}.down.weight": down, f"text_encoder.{name}.up.weight": up}
    words = merged(tmp_path, file, parts)[1]
    torch.testing.assert_close(weight_of(words, WORDS), weight_of(parts[1], WORDS) + SCALE * up @ down)


@pytest.mark.parametrize(
    ("original", "layer"),
    [
        ("input_blocks.1.1.norm", "down_blocks.0.attentions.0.norm"),
        ("input_blocks.2.0.op", "down_blocks.0.downsamplers.0.conv"),
        ("input_blocks.3.0.in_layers.2", "down_blocks.1.resnets.0.conv1"),
        ("middle_block.1.proj_in", POINT),
        ("middle_block.2.emb_layers.1", "mid_block.resnets.1.time_emb_proj"),
        ("output_blocks.1.1.conv", "up_blocks.0.upsamplers.0.conv"),
        ("output_blocks.3.1.proj_out", "up_blocks.1.attentions.1.proj_out"),
        ("out.2", "conv_out"),
    ],
)  # fmt: skip
def test_stable_diffusion_s_own_names(
    tmp_path: Path, parts: tuple[Any, Any], original: str, layer: str
) -> None:
    torch.manual_seed(0)
    before = weight_of(parts[0], layer)
    change = rand(*before.shape)
    for name in (f"diffusion_model.{original}", f"lora_unet_{original.replace('.', '_')}"):
        unet = merged(tmp_path, {f"{name}.diff": change}, parts)[0]
        torch.testing.assert_close(weight_of(unet, layer), before + SCALE * change)


def test_those_names_are_the_ones_that_diffusers_converts_to(parts: tuple[Any, Any]) -> None:
    """Stable Diffusion's own layout, three blocks and two layers in each, by diffusers' own converter."""
    from diffusers import UNet2DConditionModel
    from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint

    from rehearse.models.lora_names import Part, find_layer

    unet = UNet2DConditionModel(
        block_out_channels=(8, 16, 16), layers_per_block=2, norm_num_groups=4, cross_attention_dim=16,
        attention_head_dim=2, down_block_types=("CrossAttnDownBlock2D",) * 2 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 2,
    )  # fmt: skip
    part = Part("denoiser", unet)
    originals = {n for name, (layer, _) in part.layers.items() if (n := name) != layer.replace(".", "_")}
    assert originals
    names = {f"input_blocks.{i}.{j}" for i in range(9) for j in range(2)}
    names |= {f"output_blocks.{i}.{j}" for i in range(9) for j in range(3)} | {
        f"middle_block.{j}" for j in range(3)
    }
    inside = [
        "0.op",
        "conv",
        "in_layers.0",
        "in_layers.2",
        "emb_layers.1",
        "out_layers.3",
        "skip_connection",
        "proj_in",
    ]
    inside += ["transformer_blocks.0.attn1.to_q", "op"]
    found = 0
    for block in sorted(names):
        for end in inside:
            layer = find_layer(f"diffusion_model.{block}.{end}", [part])
            if layer is None:
                continue
            state = {f"model.diffusion_model.{block}.{end}.weight": torch.zeros(1)}
            whole = _whole_ldm_state(part) | state
            state = {name: torch.zeros(1) for name in whole}
            state[f"model.diffusion_model.{block}.{end}.weight"] = torch.ones(1)
            made = convert_ldm_unet_checkpoint(state, dict(unet.config))
            assert [name for name, value in made.items() if value.any()] == [f"{layer[1]}.weight"]
            found += 1
    assert found > 60


def _whole_ldm_state(part: Any) -> Tensors:
    """Every key that diffusers' converter of such a checkpoint asks for."""
    names = {"time_embed.0", "time_embed.2", "input_blocks.0.0", "out.0", "out.2"}
    from rehearse.models.lora_names import _renamed, _stable_diffusion_names

    aliases = _stable_diffusion_names(part.module)
    for name, module in part.module.named_modules():
        if getattr(module, "weight", None) is not None:
            names.add(_renamed(name, aliases))
    return {
        f"model.diffusion_model.{name}.{end}": torch.zeros(1) for name in names for end in ("weight", "bias")
    }


# Forms: the tensors of one layer, and the weight that is due.


def plain(weight: torch.Tensor, alpha: float) -> tuple[Tensors, torch.Tensor]:
    down, up = rand(2, *weight.shape[1:]), rand(weight.shape[0], 2, *[1] * (weight.ndim - 2))
    change = sum(up[:, r].reshape(-1, *[1] * (weight.ndim - 1)) * down[r] for r in range(2))
    assert isinstance(change, torch.Tensor)
    return {"lora_down.weight": down, "lora_up.weight": up}, alpha / 2 * change


def core(weight: torch.Tensor, alpha: float) -> tuple[Tensors, torch.Tensor]:
    """LoCon with a core: three convolutions one after another are one whose kernel is due."""
    out, wide, *kernel = weight.shape
    down, mid, up = rand(2, wide, 1, 1), rand(2, 2, *kernel), rand(out, 2, 1, 1)
    conv, seen = torch.nn.functional.conv2d, torch.eye(wide * 9).view(wide * 9, wide, 3, 3)
    # The answer to every picture with one pixel set is the kernel itself.
    answers = conv(conv(conv(seen, down), mid), up).flatten(1)
    change = answers.T.reshape(out, wide, *kernel)
    return {"lora_down.weight": down, "lora_mid.weight": mid, "lora_up.weight": up}, alpha / 2 * change


def loha(weight: torch.Tensor, alpha: float) -> tuple[Tensors, torch.Tensor]:
    out, rest = weight.shape[0], math.prod(weight.shape[1:])
    made = {
        "hada_w1_a": rand(out, 2),
        "hada_w1_b": rand(2, rest),
        "hada_w2_a": rand(out, 2),
        "hada_w2_b": rand(2, rest),
    }
    first, second = made["hada_w1_a"] @ made["hada_w1_b"], made["hada_w2_a"] @ made["hada_w2_b"]
    return made, alpha / 2 * (first * second).view_as(weight)


def loha_core(weight: torch.Tensor, alpha: float) -> tuple[Tensors, torch.Tensor]:
    out, wide, *kernel = weight.shape
    made = {}
    factors = []
    for side in "12":
        t, a, b = rand(2, 2, *kernel), rand(2, out), rand(2, wide)
        made |= {f"hada_t{side}": t, f"hada_w{side}_a": a, f"hada_w{side}_b": b}
        factors.append(
            sum(t[i, j] * a[i].view(-1, 1, 1, 1) * b[j].view(1, -1, 1, 1) for i in range(2) for j in range(2))
        )
    return made, alpha / 2 * factors[0] * factors[1]


def kron(small: torch.Tensor, large: torch.Tensor) -> torch.Tensor:
    """Blocks of the large one, each times a number of the small one."""
    rows = [torch.cat([x * large for x in row], dim=1) for row in small]
    return torch.cat(rows)


def lokr(weight: torch.Tensor, alpha: float) -> tuple[Tensors, torch.Tensor]:
    """Both factors whole: there is no rank, and alpha means nothing."""
    out, wide, *kernel = weight.shape
    made = {"lokr_w1": rand(4, 2), "lokr_w2": rand(out // 4, wide // 2, *kernel)}
    return made, kron(made["lokr_w1"], made["lokr_w2"])


def lokr_factors(weight: torch.Tensor, alpha: float) -> tuple[Tensors, torch.Tensor]:
    out, rest = weight.shape[0], math.prod(weight.shape[1:])
    made = {
        "lokr_w1_a": rand(4, 2),
        "lokr_w1_b": rand(2, 2),
        "lokr_w2_a": rand(out // 4, 2),
        "lokr_w2_b": rand(2, rest // 2),
    }
    change = kron(made["lokr_w1_a"] @ made["lokr_w1_b"], made["lokr_w2_a"] @ made["lokr_w2_b"])
    return made, alpha / 2 * change.view_as(weight)


def lokr_core(weight: torch.Tensor, alpha: float) -> tuple[Tensors, torch.Tensor]:
    out, wide, *kernel = weight.shape
    t, a, b = rand(2, 2, *kernel), rand(2, out // 2), rand(2, wide // 2)
    made = {"lokr_w1": rand(2, 2), "lokr_t2": t, "lokr_w2_a": a, "lokr_w2_b": b}
    large = sum(t[i, j] * a[i].view(-1, 1, 1, 1) * b[j].view(1, -1, 1, 1) for i in range(2) for j in range(2))
    assert isinstance(large, torch.Tensor)
    return made, alpha / 2 * kron(made["lokr_w1"], large)


def differences(weight: torch.Tensor, alpha: float) -> tuple[Tensors, torch.Tensor]:
    made = rand(*weight.shape)
    return {"diff": made}, made


FORMS = [
    (plain, LINEAR), (plain, CONV), (plain, POINT), (core, CONV), (loha, LINEAR), (loha, CONV),
    (loha_core, CONV), (lokr, LINEAR), (lokr, CONV), (lokr_factors, LINEAR), (lokr_factors, CONV),
    (lokr_core, CONV), (differences, LINEAR), (differences, CONV),
]  # fmt: skip
Form = Callable[[torch.Tensor, float], tuple[Tensors, torch.Tensor]]


@pytest.mark.parametrize("magnitude", [None, "dora_scale", "dora_scale of inputs", "lora_magnitude_vector"])
@pytest.mark.parametrize(("form", "layer"), FORMS)
def test_every_form_is_merged_by_its_formula(
    tmp_path: Path, parts: tuple[Any, Any], form: Form, layer: str, magnitude: str | None
) -> None:
    if magnitude is not None and form is differences:
        return  # a difference of weights has no magnitude
    torch.manual_seed(0)
    before = weight_of(parts[0], layer)
    made, change = form(before, 3.0)
    name = "lora_unet_" + layer.replace(".", "_")
    file = {f"{name}.{part}": value for part, value in made.items()}
    if form is not differences:
        file[f"{name}.alpha"] = torch.tensor(3.0)
    due = before + SCALE * change
    if magnitude is not None:
        axis = 1 if magnitude.endswith("inputs") else 0
        lengths = torch.rand(before.shape[axis]) + 0.5
        shape = [1] * before.ndim
        shape[axis] = -1
        rows = due.transpose(0, axis)
        due = torch.stack([m * row / row.pow(2).sum().sqrt() for m, row in zip(lengths, rows, strict=True)])
        due = due.transpose(0, axis)
        # PEFT keeps a convolution's [1, out, 1, 1].
        shaped = lengths if magnitude.startswith("lora") else lengths.view(shape)
        file[f"{name}.{magnitude.partition(' ')[0]}"] = shaped
    unet = merged(tmp_path, file, parts)[0]
    torch.testing.assert_close(weight_of(unet, layer), due)


def test_biases_norms_and_flat_kernels_of_one_pixel(tmp_path: Path, parts: tuple[Any, Any]) -> None:
    torch.manual_seed(0)
    down, up, bias = rand(2, 16), rand(16, 2), rand(16)
    named = {layer: f"lora_unet_{layer.replace('.', '_')}" for layer in (POINT, NORM, CONV)}
    file = {
        f"{named[POINT]}.lora_down.weight": down, f"{named[POINT]}.lora_up.weight": up,
        f"{named[POINT]}.lora_up.bias": bias, f"{named[POINT]}.alpha": torch.tensor([4.0]),
        f"{named[NORM]}.w_norm": 1 * bias, f"{named[NORM]}.b_norm": 2 * bias,
        f"{named[CONV]}.diff_b": 3 * bias,
    }  # fmt: skip
    unet = merged(tmp_path, file, parts)[0]
    for layer, name, change in (
        (POINT, "weight", 2 * (up @ down)[..., None, None]), (POINT, "bias", 2 * bias),
        (CONV, "bias", 3 * bias),
        (NORM, "weight", bias), (NORM, "bias", 2 * bias), (CONV, "weight", torch.zeros(1)),
    ):  # fmt: skip
        due = weight_of(parts[0], layer, name) + SCALE * change
        torch.testing.assert_close(weight_of(unet, layer, name), due)


@pytest.mark.parametrize(
    ("header", "factors"),
    [
        ({"ss_network_alpha": "1.0"}, (0.5, 0.5)),
        ({"ss_network_alpha": "None"}, (1.0, 1.0)),
        ({"ss_network_alpha": "4", "ss_network_args": '{"conv_dim": "2", "conv_alpha": "1"}'}, (2.0, 0.5)),
        ({"lora_alpha": "3"}, (1.5, 1.5)),
        ({"lora_adapter_metadata": json.dumps({"unet.r": 2, "unet.lora_alpha": 5})}, (2.5, 2.5)),
        (
            {"lora_adapter_metadata": json.dumps({"unet.lora_alpha": 4, "unet.use_rslora": True})},
            (8**0.5, 8**0.5),
        ),
        (
            {
                "lora_adapter_metadata": json.dumps(
                    {"unet.lora_alpha": 4, "unet.alpha_pattern": {"attn2.to_k": 1}}
                )
            },
            (0.5, 2.0),
        ),
        ({"lora_adapter_metadata": json.dumps({"text_encoder.lora_alpha": 9})}, (1.0, 1.0)),
    ],
)
def test_alphas_in_the_header(
    tmp_path: Path, parts: tuple[Any, Any], header: dict[str, str], factors: tuple[float, float]
) -> None:
    torch.manual_seed(0)
    file, due = {}, {}
    for layer, factor in zip((LINEAR, CONV), factors, strict=True):
        before = weight_of(parts[0], layer)
        made, change = plain(before, 2.0)
        file |= {f"unet.{layer}.{part}": value for part, value in made.items()}
        due[layer] = before + SCALE * factor * change
    unet = merged(tmp_path, file, parts, header=header)[0]
    for layer, value in due.items():
        torch.testing.assert_close(weight_of(unet, layer), value)
    # A layer's own alpha comes first.
    file |= {f"unet.{layer}.alpha": torch.tensor(2.0) for layer in due}
    if "rslora" not in str(header):
        own = merged(tmp_path, file, parts, header=header)[0]
        for layer, factor in zip((LINEAR, CONV), factors, strict=True):
            before = weight_of(parts[0], layer)
            torch.testing.assert_close(weight_of(own, layer), before + (due[layer] - before) / factor)


def test_peft_s_settings_beside_a_file(
    tmp_path: Path, parts: tuple[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    torch.manual_seed(0)
    before = weight_of(parts[0], LINEAR)
    made, change = plain(before, 2.0)
    file = {f"base_model.model.{LINEAR}.{part}": value for part, value in made.items()}
    unet = merged(tmp_path, file, parts)[0]
    torch.testing.assert_close(weight_of(unet, LINEAR), before + SCALE * change)
    assert "states no alpha, which PEFT keeps in an adapter_config.json" in caplog.text
    caplog.clear()
    folder = ModelFolder(tmp_path, "toy", loras=(Lora(tmp_path / "l.safetensors", SCALE),))
    stamp = folder.stamp()
    (tmp_path / "adapter_config.json").write_text(json.dumps({"r": 2, "lora_alpha": 8}))
    unet = merged(tmp_path, file, parts)[0]
    torch.testing.assert_close(weight_of(unet, LINEAR), before + SCALE * 4 * change)
    assert not caplog.text and folder.stamp() != stamp
    # In diffusers' naming a file is one half of PEFT's pair by its own name alone.
    own = {name.replace("base_model.model.", "unet."): value for name, value in file.items()}
    unet = merged(tmp_path, own, parts)[0]
    torch.testing.assert_close(weight_of(unet, LINEAR), before + SCALE * change)
    (tmp_path / "l.safetensors").rename(tmp_path / "adapter_model.safetensors")
    unet = copy.deepcopy(parts[0])
    named = Lora(tmp_path / "adapter_model.safetensors", SCALE)
    add_loras(ModelFolder(tmp_path, "toy", loras=(named,)), unet)
    torch.testing.assert_close(weight_of(unet, LINEAR), before + SCALE * 4 * change)


@pytest.mark.filterwarnings("ignore:Adapter 'default'")  # of a bias, which has one axis
@pytest.mark.parametrize("kind", ["lora", "dora", "rslora", "loha", "lokr", "lokr_factors", "bias"])
def test_the_same_as_peft_merges(tmp_path: Path, parts: tuple[Any, Any], kind: str) -> None:
    import peft

    torch.manual_seed(0)
    targets = ["to_q", "to_out.0", "conv1", "proj_in"]
    with_bias = ["to_out.0", "conv1"]
    shape: dict[str, Any] = {"r": 2, "target_modules": with_bias if kind == "bias" else targets}
    shape["init_weights"] = False
    if kind == "loha":
        config: Any = peft.LoHaConfig(alpha=3, **shape)
    elif kind.startswith("lokr"):
        shape["r"] = 64 if kind == "lokr" else 2
        config = peft.LoKrConfig(alpha=3, decompose_both=True, **shape)
    else:
        del shape["init_weights"]
        config = peft.LoraConfig(
            lora_alpha=3, init_lora_weights=False, use_dora=kind == "dora", use_rslora=kind == "rslora",
            lora_bias=kind == "bias", **shape,
        )  # fmt: skip
    adapted: Any = peft.get_peft_model(copy.deepcopy(parts[0]), config)
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "magnitude" in name:
                parameter.mul_(torch.rand_like(parameter) + 0.5)
    adapted.save_pretrained(tmp_path)
    due = adapted.merge_and_unload().state_dict()
    state = copy.deepcopy(parts)
    add_loras(
        ModelFolder(tmp_path, "toy", loras=(Lora(tmp_path / "adapter_model.safetensors", 1.0),)), *state
    )
    changed = 0
    for name, value in state[0].state_dict().items():
        torch.testing.assert_close(value, due[name], atol=1e-5, rtol=1e-4)
        changed += not torch.equal(value, parts[0].state_dict()[name])
    assert changed >= 8


@pytest.mark.parametrize("original", [True, False])
def test_motion_loras_in_animatediff_s_own_names(
    tmp_path: Path, parts: tuple[Any, Any], original: bool, caplog: pytest.LogCaptureFixture
) -> None:
    torch.manual_seed(0)
    unet = with_motion(parts[0], toy_adapter(False))
    layers = [n for n, m in unet.named_modules() if "motion_modules" in n and hasattr(m, "to_q")]
    file, due = {}, {}
    for layer in layers:
        for end in ("to_q", "to_k", "to_v", "to_out.0"):
            width = weight_of(unet, f"{layer}.{end}").shape[0]
            down, up = rand(2, width), rand(width, 2)
            name = f"{layer}.processor.{end.removesuffix('.0')}_lora"
            if original:
                name = name.replace(".transformer_blocks", ".temporal_transformer.transformer_blocks")
                name = name.replace("attn1", "attention_blocks.0").replace("attn2", "attention_blocks.1")
                name = f"module.{name}"
            file |= {f"{name}.down.weight": down, f"{name}.up.weight": up}
            due[f"{layer}.{end}"] = SCALE * up @ down
    made = merged(tmp_path, file, (unet, parts[1]))[0]
    for layer, change in due.items():
        torch.testing.assert_close(weight_of(made, layer), weight_of(unet, layer) + change)
    # The image model beside it has no motion modules and says nothing; asked for there, it is refused.
    beside = copy.deepcopy(parts)
    lora = Lora(tmp_path / "l.safetensors", 1.0, beside=True)
    add_loras(ModelFolder(tmp_path, "toy", loras=(lora,)), *beside)
    assert all(torch.equal(x, parts[0].state_dict()[n]) for n, x in beside[0].state_dict().items())
    assert not caplog.text
    assert "for motion modules, and this model has none such" in refusal(tmp_path, file, parts)


def test_what_has_no_layer_is_named_and_the_rest_is_merged(
    tmp_path: Path, parts: tuple[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    torch.manual_seed(0)
    before = weight_of(parts[0], LINEAR)
    made, change = plain(before, 2.0)
    named = [f"lora_unet_{LINEAR.replace('.', '_')}", *(f"lora_te2_text_model_layer_{i}" for i in range(5))]
    file = {f"{name}.{part}": value for name in named for part, value in made.items()}
    unet = merged(tmp_path, {n: x.clone() for n, x in file.items()}, parts)[0]
    torch.testing.assert_close(weight_of(unet, LINEAR), before + SCALE * change)
    assert (
        "5 of its 6 layers are not in this model and are left out: lora_te2_text_model_layer_0, "
        in caplog.text
    )
    assert caplog.text.rstrip().endswith("and 2 more")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["unet.nowhere"], "it was read as LoRA in diffusers' naming (unet....), and no layer of its UNet2D"),
        (
            ["lora_te_a", "lora_unet_b"],
            "in kohya's naming (lora_te_...) and in kohya's naming (lora_unet_...)",
        ),
        (
            ["blocks.0.attn"],
            "without a prefix, and no layer of its UNet2DConditionModel or CLIPTextModel is called",
        ),
    ],
)
def test_a_file_of_which_nothing_fits_is_told_as_what_it_was_read(
    tmp_path: Path, parts: tuple[Any, Any], names: list[str], said: str
) -> None:
    file = {f"{name}.lora_{side}.weight": torch.zeros(2, 2) for name in names for side in "AB"}
    assert said in refusal(tmp_path, file, parts)
    assert f"is called {', '.join(sorted(names))}" in refusal(tmp_path, file, parts)


Q = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
_PAIR = {f"{Q}.lora_A.weight": torch.ones(2, 16), f"{Q}.lora_B.weight": torch.ones(16, 2)}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({f"{Q}.lora_A.weight": torch.full((2, 16), torch.nan)}, f"holds NaN ({Q}.lora_A.weight)"),
        ({f"{Q}.lora_B.weight": torch.full((16, 2), torch.inf)}, "holds infinite values (unet.mid_block"),
        ({f"{Q}.alpha": torch.tensor(torch.nan)}, f"holds NaN ({Q}.alpha)"),
        ({f"{Q}.lora_B.weight": torch.full((16, 2), 3e38)}, "makes infinite values of mid_block"),
        ({f"{Q}.lora_B.weight": None}, f"is cut short: {Q} lacks its up"),
        ({f"{Q}.lora_A.weight": torch.ones(2, 8)}, "does not fit this model (mid_block"),
        ({f"{Q}.lora_B.weight": torch.ones(8, 2)}, "to_q takes [16, 16], and the file has [8, 16]);"),
        ({f"{Q}.lora_B.weight": torch.ones(16, 3)}, "attn1.to_q takes [16, 16]); use one made for its base"),
        ({f"{Q}.diff_b": torch.ones(16)}, "has no bias, and the file has a change of one"),
        ({f"{Q}.dora_scale": torch.ones(9, 1)}, "takes [16, 16], and the file has [9, 1]"),
        ({f"{Q}.hada_w1_a": torch.ones(16, 2)}, f"has {Q} in two forms at once"),
        ({f"{Q}.oft_blocks": torch.ones(2, 8, 8)}, f"OFT, which is not read ({Q}.oft_blocks); LoRA,"),
        ({f"{Q}.a1.weight": torch.ones(2, 8)}, "is or has GLoRA, which is not read"),
        ({f"{Q}.weight": torch.ones(16, 16)}, "is or has whole weights, which is not read"),
        ({"bundle_emb.ink.string_to_param.*": torch.ones(1, 16)}, "a textual inversion's embedding"),
        ({f"{Q}.strange": torch.ones(2)}, "has tensors of a form that is not known, which is"),
        ({"lora_projection.weight": torch.ones(2, 2)}, 'name it as "target_adapter", not among "loras"'),
        ({f"{Q}.lora_down.weight": torch.ones(2, 16)}, f"gives {Q} twice"),
        ({f"{Q[5:]}.diff": torch.ones(16, 16)}, f"gives {Q[5:]} twice, as {Q[5:]} and as {Q}; leave one"),
        ({f"{Q}.alpha": torch.zeros(0)}, f"holds 0 numbers as {Q}.alpha, where one is due"),
        ({f"{Q}.alpha": torch.ones(2)}, f"holds 2 numbers as {Q}.alpha, where one is due"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_used_whole_is_refused_by_name(
    tmp_path: Path, parts: tuple[Any, Any], change: dict[str, torch.Tensor | None], said: str
) -> None:
    file = {name: value for name, value in (_PAIR | change).items() if value is not None}
    assert said in refusal(tmp_path, file, parts)


def test_headers_that_cannot_be_believed(tmp_path: Path, parts: tuple[Any, Any]) -> None:
    broken = {"lora_adapter_metadata": "{"}
    assert "header whose lora_adapter_metadata is not readable JSON" in refusal(
        tmp_path, _PAIR, parts, broken
    )
    dora = {"lora_adapter_metadata": '{"unet.use_dora": true}'}
    assert "says that it is DoRA and holds no magnitudes" in refusal(tmp_path, _PAIR, parts, dora)
    (tmp_path / "adapter_config.json").write_text("[")
    peft = {name.replace("unet.", "base_model.model."): value for name, value in _PAIR.items()}
    assert "adapter_config.json beside it that cannot be read (line 1" in refusal(tmp_path, peft, parts)
    other = _PAIR | {f"{Q}.lora_A.weight": torch.ones(2, 8)}
    said = refusal(tmp_path, other, parts, {"ss_base_model_version": "sdxl_base_v1-0"})
    assert said.endswith("[16, 8]); it says that it is for sdxl_base_v1-0; use one made for its base")
    nothing = {name.replace("mid_block", "nowhere"): value for name, value in _PAIR.items()}
    said = refusal(tmp_path, nothing, parts, {"modelspec.architecture": "flux-1-dev/lora"})
    assert "; it says that it is for flux-1-dev/lora; use one made for its base" in said


@pytest.mark.parametrize(
    "change",
    [
        {f"{Q}.alpha": torch.tensor(0.0)},
        {f"{Q}.lora_B.weight": torch.zeros(16, 2)},
        {f"{Q}.lora_A.weight": torch.ones(0, 16), f"{Q}.lora_B.weight": torch.ones(16, 0)},
    ],
)
def test_layers_that_change_nothing_are_told(
    tmp_path: Path, parts: tuple[Any, Any], change: Tensors, caplog: pytest.LogCaptureFixture
) -> None:
    unet = merged(tmp_path, _PAIR | change, parts)[0]
    layer = Q.removeprefix("unet.")
    assert torch.equal(weight_of(unet, layer), weight_of(parts[0], layer))
    assert f"all of its layers change nothing, as their alphas or their tensors are 0: {Q}" in caplog.text
    caplog.clear()
    made, _ = plain(weight_of(parts[0], LINEAR), 2.0)
    merged(tmp_path, _PAIR | change | {f"unet.{LINEAR}.{n}": x for n, x in made.items()}, parts)
    assert f"1 of its layers change nothing, as their alphas or their tensors are 0: {Q}" in caplog.text


def test_a_scale_of_nothing_changes_nothing_and_files_add_up(tmp_path: Path, parts: tuple[Any, Any]) -> None:
    file = _PAIR | {f"{Q}.dora_scale": torch.ones(16, 1)}
    unet = merged(tmp_path, file, parts, scale=0.0)[0]
    assert all(torch.equal(x, parts[0].state_dict()[n]) for n, x in unet.state_dict().items())
    save_file(_PAIR, tmp_path / "l.safetensors")
    twice = copy.deepcopy(parts)
    one, other = (Lora(tmp_path / "l.safetensors", scale) for scale in (0.25, 0.5))
    add_loras(ModelFolder(tmp_path, "toy", loras=(one, other)), *twice)
    layer = Q.removeprefix("unet.")
    torch.testing.assert_close(weight_of(twice[0], layer), weight_of(parts[0], layer) + 0.75 * 2)


@pytest.mark.parametrize(
    "prefix", ["", "transformer.", "base_model.model.", "diffusion_model.", "lora_unet_", "lora_transformer_"]
)
def test_every_naming_of_a_video_transformer_s_layers(tmp_path: Path, prefix: str) -> None:
    torch.manual_seed(0)
    transformer = toy_cogvideox()
    layer = "transformer_blocks.1.attn1.to_out.0"
    before = weight_of(transformer, layer)
    made, change = plain(before, 1.0)
    name = prefix + (layer.replace(".", "_") if prefix.startswith("lora") else layer)
    file = {f"{name}.{part}": value for part, value in made.items()} | {f"{name}.alpha": torch.tensor(1.0)}
    changed = merged(tmp_path, file, (transformer,))[0]
    torch.testing.assert_close(weight_of(changed, layer), before + SCALE * change)


def test_a_composed_folder_takes_both_halves_without_peft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    save_toy_model(tmp_path / "base", kind="image", vae="tiny")
    (tmp_path / "ink").mkdir()
    said = {"base": "base", "loras": [{"file": "l.safetensors", "scale": 0.5}]}
    (tmp_path / "ink" / "rehearse.json").write_text(json.dumps(said))
    names = (f"lora_unet_{LINEAR.replace('.', '_')}", f"lora_te_{WORDS.replace('.', '_')}")
    file = {
        f"{name}.{part}.weight": rand(*shape)
        for name in names
        for part, shape in (("lora_down", (2, 16)), ("lora_up", (16, 2)))
    }
    save_file(file, tmp_path / "ink" / "l.safetensors")
    monkeypatch.setitem(sys.modules, "peft", None)
    plain_model, model = (load_model(str(tmp_path / name), precision="float32") for name in ("base", "ink"))
    for name, ours, before in (
        (names[0], model.denoiser, plain_model.denoiser),  # type: ignore[attr-defined]
        (names[1], model._text.encoder, plain_model._text.encoder),  # type: ignore[attr-defined]
    ):
        layer = LINEAR if ours is model.denoiser else WORDS  # type: ignore[attr-defined]
        change = 0.5 * file[f"{name}.lora_up.weight"] @ file[f"{name}.lora_down.weight"]
        torch.testing.assert_close(weight_of(ours, layer), weight_of(before, layer) + change)
    assert (model.encode("a red ball") - plain_model.encode("a red ball")).abs().max() > 1e-3


def test_a_transformer_s_text_encoder_is_changed_too(tmp_path: Path) -> None:
    torch.manual_seed(0)
    save_toy_cogvideox(tmp_path / "base", vae="tiny")
    (tmp_path / "ink").mkdir()
    (tmp_path / "ink" / "rehearse.json").write_text(
        json.dumps({"base": "base", "loras": [{"file": "l.safetensors"}]})
    )
    layer = "encoder.block.0.layer.0.SelfAttention.q"
    down, up = rand(2, 16), rand(16, 2)
    name = f"lora_te_{layer.replace('.', '_')}"
    save_file(
        {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}, tmp_path / "ink" / "l.safetensors"
    )
    before, after = (load_model(str(tmp_path / n), precision="float32") for n in ("base", "ink"))
    ours, bare = (m._text.encoder for m in (after, before))  # type: ignore[attr-defined]
    torch.testing.assert_close(weight_of(ours, layer), weight_of(bare, layer) + up @ down)


def test_weights_of_a_model_that_are_not_finite_are_refused_by_name(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    folder = save_toy_model(tmp_path / "base", kind="image", vae="tiny")
    for component, stem in (
        ("unet", "diffusion_pytorch_model"),
        ("vae", "diffusion_pytorch_model"),
        ("text_encoder", "model"),
    ):
        file = folder / component / f"{stem}.safetensors"
        kept = file.read_bytes()
        state = load_file(file)
        name = sorted(n for n in state if n.endswith("weight"))[2]
        for value, flaw in ((torch.nan, "NaN"), (-torch.inf, "infinite values")):
            state[name].view(-1)[-1] = value
            save_file(state, file, {"format": "pt"})
            with pytest.raises(ModelError, match=rf"{component}/ holds {flaw} \(") as caught:
                load_model(str(folder))
            assert name.removeprefix("text_model.") in str(caught.value)
            assert "download it again, or use another" in str(caught.value)
        file.write_bytes(kept)
    load_model(str(folder))


def test_warnings_reach_the_house_s_log(tmp_path: Path, parts: tuple[Any, Any]) -> None:
    seen: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.getMessage())

    listener = Listener(logging.WARNING)
    logging.getLogger("rehearse").addHandler(listener)
    try:
        file = _PAIR | {name.replace("mid_block", "middle"): x.clone() for name, x in _PAIR.items()}
        merged(tmp_path, file, parts)
    finally:
        logging.getLogger("rehearse").removeHandler(listener)
    (told,) = seen
    assert told.startswith("model 'toy': the LoRA l.safetensors: 1 of its 2 layers are not in this model")


@pytest.mark.parametrize("name", ["in\\ink.safetensors", ".\\in\\INK.SAFETENSORS"])
def test_a_file_named_as_windows_writes_it_is_found(tmp_path: Path, name: str) -> None:
    plain = save_toy_model(tmp_path / "plain", kind="image")
    folder = tmp_path / "inked"
    (folder / "in").mkdir(parents=True)
    save_file(
        {f"unet.{LINEAR}.lora_A.weight": rand(2, 16), f"unet.{LINEAR}.lora_B.weight": rand(16, 2)},
        folder / "in" / name.rpartition("\\")[2],
    )
    said = {"base": str(plain), "loras": [{"file": name}]}
    (folder / "rehearse.json").write_text(json.dumps(said))
    before, after = (load_model(str(at), precision="float32").denoiser for at in (plain, folder))
    assert not torch.equal(weight_of(before, LINEAR), weight_of(after, LINEAR))
