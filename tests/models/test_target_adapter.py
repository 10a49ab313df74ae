"""Target adapters: one file and the authors' two, on their base, beside LoRAs, and refused elsewhere."""

from __future__ import annotations

import copy
import json
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from toy_models import save_toy_cogvideox, save_toy_model, toy_cogvideox
from typer.testing import CliRunner

from rehearse.cli.app import app
from rehearse.models import ModelError, load_model
from rehearse.models.cogvideox import CogVideoX
from rehearse.models.target_adapter import (
    TargetAdapter,
    apply_target_adapter,
    check_base,
    load_target_adapter,
    save_target_adapter,
)
from rehearse.models.target_conditioning import grow_for_masks, mask_count

LAYERS = ("to_q", "to_k", "to_v", "to_out.0")
FACTS = {"masks": 1, "alpha": 2.0, "base_fingerprint": "f" * 64, "trigger": "target", "steps": 20}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_toy_cogvideox(tmp_path_factory.mktemp("target") / "base", vae="tiny")


def trained(masks: int = 1, rank: int = 4, alpha: float = 2.0, **kind: Any) -> tuple[Any, dict[str, Tensor]]:
    """A transformer grown and "trained" with PEFT, and the state PEFT gives of its LoRA."""
    from peft import LoraConfig, get_peft_model_state_dict

    torch.manual_seed(7)
    transformer = toy_cogvideox(**kind)
    grow_for_masks(transformer, masks)
    transformer.add_adapter(LoraConfig(r=rank, lora_alpha=alpha, target_modules=list(LAYERS)))
    with torch.no_grad():
        for name, parameter in transformer.named_parameters():
            if "lora_B" in name or name == "patch_embed.proj.weight":
                parameter.normal_(0, 0.3)
    return transformer, get_peft_model_state_dict(transformer)


def answer(transformer: Any, masks: int = 1) -> Tensor:
    from rehearse.models.cogvideox_positions import rotary_positions

    torch.manual_seed(1)
    with torch.no_grad():
        output: Tensor = transformer.eval()(
            hidden_states=torch.randn(1, 3, 8 + masks, 8, 8),
            encoder_hidden_states=torch.randn(1, 14, 16),
            timestep=torch.tensor([300]),
            image_rotary_emb=rotary_positions(transformer, 3, 8, 8),
            return_dict=False,
        )[0]
    return output


def a_file(path: Path, **facts: Any) -> Path:
    transformer, lora = trained()
    save_target_adapter(path, lora, transformer.patch_embed.proj.state_dict(), FACTS | facts)
    return path


def composed(folder: Path, base: Path, adapter: Any = "reach.safetensors", **said: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "rehearse.json").write_text(json.dumps({"base": str(base), "target_adapter": adapter, **said}))
    return folder


@pytest.mark.parametrize("merged", [True, False])
@pytest.mark.parametrize("masks", [1, 2])
def test_saved_loaded_and_applied_it_is_the_trained_transformer(
    tmp_path: Path, masks: int, merged: bool
) -> None:
    transformer, lora = trained(masks)
    path = tmp_path / "reach.safetensors"
    save_target_adapter(path, lora, transformer.patch_embed.proj.state_dict(), FACTS | {"masks": masks})
    assert [file.name for file in tmp_path.iterdir()] == ["reach.safetensors"]
    adapter = load_target_adapter(path)
    assert (adapter.rank, adapter.alpha, adapter.masks, adapter.trigger) == (4, 2.0, masks, "target")
    assert adapter.base_fingerprint == "f" * 64 and adapter.facts["steps"] == 20
    torch.manual_seed(7)
    fresh = toy_cogvideox()
    apply_target_adapter(fresh, adapter, merged=merged)
    assert mask_count(fresh) == masks
    torch.testing.assert_close(answer(fresh, masks), answer(transformer, masks), atol=1e-5, rtol=1e-4)
    assert hasattr(fresh, "peft_config") is not merged


def test_columns_of_the_masks_alone_are_a_projection_too(tmp_path: Path) -> None:
    transformer, lora = trained()
    whole = transformer.patch_embed.proj.weight
    with torch.no_grad():
        torch.manual_seed(7)
        whole[:, :8] = toy_cogvideox().patch_embed.proj.weight
    save_target_adapter(tmp_path / "a.safetensors", lora, {"weight": whole[:, 8:]}, FACTS)
    torch.manual_seed(7)
    fresh = toy_cogvideox()
    apply_target_adapter(fresh, load_target_adapter(tmp_path / "a.safetensors"))
    torch.testing.assert_close(answer(fresh), answer(transformer), atol=1e-5, rtol=1e-4)


def test_a_stock_pipeline_reads_the_lora_of_the_file_at_its_scale(tmp_path: Path) -> None:
    from diffusers.loaders.lora_pipeline import CogVideoXLoraLoaderMixin as Loader

    path = a_file(tmp_path / "reach.safetensors")

    class Stock(Loader):  # type: ignore[misc]
        def __init__(self, transformer: Any) -> None:
            self.transformer = transformer
            self.components = {"transformer": transformer}
            self.hf_device_map = None

    stock = Stock(toy_cogvideox())
    stock.load_lora_weights(str(path))
    layer = stock.transformer.transformer_blocks[0].attn1.to_q
    assert layer.scaling == {"default_0": 2.0 / 4}
    _, lora = trained()
    torch.testing.assert_close(
        layer.lora_B["default_0"].weight, lora["transformer_blocks.0.attn1.to_q.lora_B.weight"]
    )


def as_published(folder: Path, names: str = "{}", **header: str) -> tuple[Path, Any, dict[str, Tensor]]:
    """The authors' two files, a LoRA without alpha and the projection's state alone, both safetensors."""
    transformer, lora = trained()
    folder.mkdir()
    state = {f"transformer.{name}": x.contiguous() for name, x in lora.items()}
    save_file(state, folder / "pytorch_lora_weights.safetensors", header or None)
    projection = {names.format(n): x for n, x in transformer.patch_embed.proj.state_dict().items()}
    save_file(projection, folder / "patch_embed_conv2d.safetensors")
    return folder, transformer, state


@pytest.mark.parametrize("names", ["{}", "proj.{}", "transformer.patch_embed.proj.{}"])
def test_the_authors_two_files_in_a_folder_are_run_as_they_run_them(tmp_path: Path, names: str) -> None:
    folder, transformer, state = as_published(tmp_path / "tavid", names)
    adapter = load_target_adapter(folder)
    assert (adapter.rank, adapter.alpha, adapter.masks, adapter.base_fingerprint) == (4, 4.0, 1, None)
    torch.manual_seed(7)
    fresh, stock = toy_cogvideox(), copy.deepcopy(transformer)
    apply_target_adapter(fresh, adapter)
    # Their inference: the projection's state loaded, the LoRA by diffusers, which takes alpha = rank.
    stock.delete_adapters("default")
    stock.load_lora_adapter(state, prefix="transformer")
    torch.testing.assert_close(answer(fresh), answer(stock), atol=1e-5, rtol=1e-4)
    assert (answer(fresh) - answer(transformer)).abs().max() > 1e-2  # half of that scale is another answer


def test_an_alpha_that_they_state_is_the_one_used(tmp_path: Path) -> None:
    said = json.dumps({"transformer.r": 4, "transformer.lora_alpha": 2})
    assert load_target_adapter(as_published(tmp_path / "a", lora_adapter_metadata=said)[0]).alpha == 2.0
    folder, _, state = as_published(tmp_path / "b")
    alphas = {f"{name.partition('.lora_')[0]}.alpha": torch.tensor(3.0) for name in state}
    save_file(state | alphas, folder / "pytorch_lora_weights.safetensors")
    assert load_target_adapter(folder).alpha == 3.0
    (folder / "adapter_config.json").write_text('{"r": 4, "lora_alpha": 8}', encoding="utf-16")
    save_file(state, folder / "pytorch_lora_weights.safetensors")
    assert load_target_adapter(folder).alpha == 8.0
    (folder / "adapter_config.json").write_text("[]")
    with pytest.raises(ModelError, match=r"an adapter_config\.json beside it that holds no settings"):
        load_target_adapter(folder)


@pytest.mark.parametrize("naming", ["transformer.{}", "diffusion_model.{}", "lora_unet_{}"])
def test_layers_of_several_alphas_and_ranks_in_any_naming(tmp_path: Path, naming: str) -> None:
    folder = as_published(tmp_path / "a")[0]
    torch.manual_seed(7)
    plain = toy_cogvideox()
    file: dict[str, Tensor] = {}
    due: dict[str, Tensor] = {}
    for index, (rank, alpha) in enumerate(((4, 2.0), (2, None))):
        layer = f"transformer_blocks.{index}.attn1.to_q"
        down, up = torch.randn(rank, 32) / 8, torch.randn(32, rank) / 8
        name = naming.format(layer.replace(".", "_") if naming.endswith("_{}") else layer)
        file |= {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}
        if alpha is not None:
            file[f"{name}.alpha"] = torch.tensor(alpha)
        due[layer] = plain.get_submodule(layer).weight + (alpha or rank) / rank * up @ down
    save_file(file, folder / "pytorch_lora_weights.safetensors")
    adapter = load_target_adapter(folder)
    for merged in (True, False):
        transformer = copy.deepcopy(plain)
        apply_target_adapter(transformer, adapter, merged=merged)
        for layer, weight in due.items():
            found = transformer.get_submodule(layer)
            changed = found.weight if merged else found.weight + found.get_delta_weight("target")
            torch.testing.assert_close(changed, weight)


def test_what_is_there_twice_is_refused_with_both_files(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, _, state = as_published(tmp_path / "a")
    name, layer = next(iter(state)), "transformer.transformer_blocks.0.attn1.to_q"
    other = folder / "checkpoint-200.safetensors"
    save_file({name: state[name]}, other)
    with pytest.raises(ModelError, match=r"in two files, checkpoint-200\.safetensors and pytorch_lora"):
        load_target_adapter(folder)
    save_file({name.removeprefix("transformer."): state[name]}, other)
    with pytest.raises(ModelError, match="gives the same twice"):
        load_target_adapter(folder)
    save_file({f"{layer}.alpha": torch.zeros(0)}, other)
    with pytest.raises(ModelError, match=r"holds 0 numbers as .*to_q.alpha, where one is due"):
        load_target_adapter(folder)
    save_file({f"{n.partition('.lora_')[0]}.alpha": torch.tensor(0) for n in state}, other)
    assert load_target_adapter(folder).alpha == 0 and "the alpha of its LoRA is 0" in caplog.text


def test_their_pth_is_refused_with_the_command_that_converts_it(tmp_path: Path, base: Path) -> None:
    folder, transformer, _ = as_published(tmp_path / "tavid file")
    whole = load_target_adapter(folder)
    (folder / "patch_embed_conv2d.safetensors").unlink()
    pickle = folder / "patch_embed_conv2d.pth"
    torch.save(transformer.patch_embed.proj.state_dict(), pickle)
    command = f"rehearse models convert '{pickle}'"
    with pytest.raises(
        ModelError, match="has no patch projection in safetensors; convert patch_embed"
    ) as found:
        load_target_adapter(folder)
    assert str(found.value).endswith(command)
    assert "convert it (rehearse models convert" in refused(
        composed(tmp_path / "m", base, _copied(pickle, tmp_path / "m"))
    )
    made = CliRunner().invoke(app, shlex.split(command)[1:])
    assert made.exit_code == 0 and made.output.strip() == str(folder / "patch_embed_conv2d.safetensors")
    again = load_target_adapter(folder)
    assert again.alpha == whole.alpha and all(
        torch.equal(x, again.projection[n]) for n, x in whole.projection.items()
    )


def _copied(file: Path, folder: Path) -> str:
    folder.mkdir()
    return Path(shutil.copy(file, folder)).name


def test_what_an_adapter_s_files_hold_besides_is_named(tmp_path: Path) -> None:
    folder, _, state = as_published(tmp_path / "tavid")
    file = folder / "pytorch_lora_weights.safetensors"
    layer = "transformer.transformer_blocks.0.attn1.to_q"
    for change, said in (
        (
            {f"{layer}.lora_magnitude_vector": torch.ones(32)},
            r"none of an adapter's \(transformer\.transformer_bl",
        ),
        ({"strange": torch.ones(3)}, r"none of an adapter's \(strange\); give a LoRA and a patch projection"),
        (
            {f"{layer}.lora_A.weight": torch.full((4, 32), torch.nan)},
            r"holds NaN \(transformer\.transformer_blocks",
        ),
    ):
        save_file(state | change, file)
        with pytest.raises(ModelError, match=said):
            load_target_adapter(folder)


def test_merging_needs_no_peft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = load_target_adapter(a_file(tmp_path / "reach.safetensors"))
    monkeypatch.setitem(sys.modules, "peft", None)
    apply_target_adapter(toy_cogvideox(), adapter)


def test_a_folder_of_a_base_and_an_adapter_is_a_model(tmp_path: Path, base: Path) -> None:
    plain = load_model(str(base), precision="float32")
    folder = composed(tmp_path / "reach", base)
    a_file(folder / "reach.safetensors", base_fingerprint=plain.fingerprint, trigger="mark")
    model = load_model(str(folder), precision="float32")
    assert isinstance(model, CogVideoX) and model.masks == 1
    assert model.targets is not None and model.targets.triggers == {"target": "mark"}
    assert "target" in model.acts_on and "target.source" not in model.acts_on
    assert "target" not in plain.acts_on and plain.targets is None
    assert model.fingerprint != plain.fingerprint
    assert model.defaults == plain.defaults  # what the base's folder says holds on
    half = composed(tmp_path / "half", base, {"file": "reach.safetensors", "scale": 0.5})
    shutil.copy(folder / "reach.safetensors", half / "reach.safetensors")
    weaker = load_model(str(half), precision="float32")
    name = "transformer_blocks.0.attn1.to_q"
    weights = [m.denoiser.get_submodule(name).weight for m in (plain, weaker, model)]  # type: ignore[attr-defined]
    torch.testing.assert_close(weights[1] - weights[0], (weights[2] - weights[0]) / 2, atol=1e-6, rtol=1e-4)
    assert weaker.fingerprint != model.fingerprint


def test_a_lora_goes_beside_it(tmp_path: Path, base: Path) -> None:
    folder = composed(tmp_path / "reach", base, loras=[{"file": "ink.safetensors", "scale": 1.0}])
    a_file(folder / "reach.safetensors", base_fingerprint=load_model(str(base)).fingerprint)
    torch.manual_seed(3)
    down, up = torch.randn(2, 32), torch.randn(32, 2)
    name = "transformer_blocks.1.attn1.to_v"
    ink = {f"transformer.{name}.lora_A.weight": down, f"transformer.{name}.lora_B.weight": up}
    save_file(ink, folder / "ink.safetensors")
    beside = load_model(str(folder), precision="float32")
    alone = composed(tmp_path / "alone", base)
    shutil.copy(folder / "reach.safetensors", alone / "reach.safetensors")
    without = load_model(str(alone), precision="float32")
    changed = [m.denoiser.get_submodule(name).weight for m in (without, beside)]  # type: ignore[attr-defined]
    torch.testing.assert_close(changed[1] - changed[0], up @ down, atol=1e-5, rtol=1e-4)
    ink = {name.replace("transformer_blocks.1.attn1.to_v", "nowhere"): x for name, x in ink.items()}
    save_file(ink, folder / "ink.safetensors")
    with pytest.raises(ModelError, match=r"the LoRA ink\.safetensors holds nothing for this model"):
        load_model(str(folder))


def refused(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load_model(str(folder))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_adapter_of_another_base_is_refused(tmp_path: Path, base: Path) -> None:
    folder = composed(tmp_path / "reach", base)
    a_file(folder / "reach.safetensors")
    assert "was trained on another base (ffffffffffff, and this is" in refused(folder)
    transformer, lora = trained(latents=8)
    wide = tmp_path / "wide.safetensors"
    save_target_adapter(wide, lora, transformer.patch_embed.proj.state_dict(), FACTS)
    fresh = toy_cogvideox()
    with pytest.raises(ModelError, match=r"of another base: its projection is \[32, 17, 2, 2\]"):
        apply_target_adapter(fresh, load_target_adapter(wide))
    assert fresh.config.in_channels == 8  # nothing was changed
    transformer, lora = trained()
    name = "transformer_blocks.0.attn1.to_q.lora_A.weight"
    for change, said in (
        ({name: torch.zeros(4, 48)}, r"to_q.lora_A.weight is \[4, 48\], and the layer is \[32, 32\]"),
        (
            {f"transformer_blocks.9.attn1.to_q.lora_{s}.weight": torch.zeros(4, 4) for s in "AB"},
            "is not there",
        ),
    ):
        adapter = TargetAdapter(lora | change, transformer.patch_embed.proj.state_dict(), FACTS)
        with pytest.raises(ModelError, match=said):
            apply_target_adapter(toy_cogvideox(), adapter)
    check_base(TargetAdapter(lora, {}, {"alpha": 1.0}), "a" * 64)  # a file that names no base fits any


def test_a_base_that_is_no_cogvideox_is_refused(tmp_path: Path) -> None:
    other = save_toy_model(tmp_path / "unet", vae="tiny")
    folder = composed(tmp_path / "reach", other)
    a_file(folder / "reach.safetensors")
    assert "a target adapter goes on a CogVideoX image-to-video model, and its base is a UNet3D" in refused(
        folder
    )
    with pytest.raises(ModelError, match="is for CogVideoX, and this base is a Linear"):
        apply_target_adapter(torch.nn.Linear(2, 2), load_target_adapter(folder / "reach.safetensors"))
    text_only = save_toy_cogvideox(tmp_path / "text", vae="tiny", pictures=False)
    fingerprint = load_model(str(text_only)).fingerprint
    folder = composed(tmp_path / "words", text_only)
    a_file(folder / "reach.safetensors", base_fingerprint=fingerprint)
    assert "of another base: its projection is" in refused(folder)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (3, "target_adapter cannot be 3; write"),
        ("gone.safetensors", "target_adapter: there is no 'gone.safetensors'; copy it"),
        ({"file": "reach.safetensors", "scale": "x"}, "target_adapter.scale cannot be 'x'"),
        ("pickle.pt", "target_adapter 'pickle.pt' is not safetensors; convert it (rehearse models convert"),
        ("empty", "target adapter 'empty' has no safetensors file in it"),
    ],
)
def test_a_wrong_composition_is_refused_by_name(tmp_path: Path, base: Path, said: Any, expected: str) -> None:
    folder = composed(tmp_path / "reach", base, said)
    a_file(folder / "reach.safetensors")
    (folder / "pickle.pt").write_bytes(b"x")
    (folder / "empty").mkdir()
    assert expected in refused(folder)


def test_an_adapter_beside_checkpoints_is_the_adapter(tmp_path: Path) -> None:
    path = a_file(tmp_path / "adapter.safetensors")
    torn = {f"trained.transformer.{name}": x.contiguous() for name, x in trained()[1].items()}
    save_file(torn, tmp_path / "checkpoint-000002.safetensors", metadata={"step": "2"})
    found, alone = load_target_adapter(tmp_path), load_target_adapter(path)
    assert found.lora.keys() == alone.lora.keys() and found.facts == alone.facts
    a_file(tmp_path / "later.safetensors")
    with pytest.raises(
        ModelError, match=r"several adapters in it: adapter\.safetensors and later\.safetensors"
    ):
        load_target_adapter(tmp_path)


def test_a_base_that_is_gone_or_stands_on_itself_is_told_of_the_file_that_names_it(
    tmp_path: Path, base: Path
) -> None:
    folder = composed(tmp_path / "reach", tmp_path / "gone")
    file = a_file(folder / "reach.safetensors")
    assert refused(folder).startswith(f"model {str(folder)!r}: rehearse.json: base: there is no model")
    above = composed(tmp_path / "above", folder)
    shutil.copy(file, above / "reach.safetensors")
    assert refused(above).startswith(f"model {str(folder)!r}: rehearse.json: base: there is no model")
    composed(folder, above)
    assert "in the end; name a whole model" in refused(folder)
    with pytest.raises(ModelError, match="is a file; give the folder it lies in"):
        load_model(str(file))


def test_a_file_that_is_no_adapter_is_refused(tmp_path: Path) -> None:
    path = a_file(tmp_path / "reach.safetensors")
    tensors = load_file(path)
    with safe_open(path, framework="pt") as opened:
        header = opened.metadata()

    def says(change: dict[str, Any], header: dict[str, str], expected: str) -> None:
        kept = {n: x for n, x in (tensors | change).items() if x is not None}
        save_file(kept, tmp_path / "b.safetensors", metadata=header)
        with pytest.raises(ModelError, match=expected) as caught:
            load_target_adapter(tmp_path / "b.safetensors")
        assert "\n" not in str(caught.value)

    says({"lora_projection.weight": None}, header, "has no patch projection; it is a LoRA alone")
    says({"transformer.transformer_blocks.0.attn1.to_q.lora_B.weight": None}, header, "lacks one of its two")
    says({}, header | {"rehearse_target": "{"}, "its header is not readable JSON")
    facts = json.loads(header["rehearse_target"])
    for change, expected in (
        ({"family": "wan"}, "is for the family 'wan'"),
        ({"masks": 3}, "says masks 3"),
        ({"alpha": "much"}, "says alpha 'much'"),
        ({"trigger": ""}, "says trigger ''"),
        ({"trigger": 7}, "says trigger 7, which is no word"),
    ):
        says({}, header | {"rehearse_target": json.dumps(facts | change)}, expected)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ModelError, match="is cut off or corrupt"):
        load_target_adapter(path)
    with pytest.raises(ModelError, match="there is no such file or folder"):
        load_target_adapter(tmp_path / "gone.safetensors")


def test_saving_needs_the_facts_and_leaves_nothing_behind(tmp_path: Path) -> None:
    transformer, lora = trained()
    projection = transformer.patch_embed.proj.state_dict()
    for lacking in ("masks", "alpha", "base_fingerprint"):
        facts = {name: value for name, value in FACTS.items() if name != lacking}
        with pytest.raises(ModelError, match=f"its facts lack {lacking}"):
            save_target_adapter(tmp_path / "a.safetensors", lora, projection, facts)
    with pytest.raises(ModelError, match="has no patch projection"):
        save_target_adapter(tmp_path / "a.safetensors", lora, {}, FACTS)
    assert not list(tmp_path.iterdir())
    save_target_adapter(tmp_path / "a.safetensors", {}, projection, FACTS)
    assert np.isclose(load_target_adapter(tmp_path / "a.safetensors").alpha, 2.0)
