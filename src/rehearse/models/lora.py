"""LoRAs: small trained changes of a model's weights, merged into them when the model is loaded.

Merged weights cost nothing at each step, and leave the attention modules as the controls expect them.
"""

from __future__ import annotations

import logging as standard
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from rehearse.models.errors import ModelError
from rehearse.models.first_line import first_line
from rehearse.models.folder import Lora, ModelFolder, check_safetensors

_PLAIN = re.compile(r"unet\.(.+)\.lora_[AB]\.weight")


def add_loras(folder: ModelFolder, unet: Any, text_encoder: Any) -> None:
    """Merge the folder's LoRAs into a UNet and its text encoder, in the order they are listed.

    Files in diffusers', PEFT's and kohya's naming are read, safetensors only. Layers that the model does not
    have are left out: a LoRA of motion modules changes nothing in the image model beside the video model.
    Any other file of which nothing fits is refused. A file that has nothing but plain products for the UNet
    is merged here; any other form takes peft. Raises ModelError.
    """
    for lora in folder.loras:
        products = _plain_products(folder, lora)
        if products is not None:
            _add_products(folder, lora, unet, products)
            continue
        with quietly(folder):
            _add(folder, lora, unet, text_encoder)


def _plain_products(folder: ModelFolder, lora: Lora) -> dict[str, tuple[Tensor, Tensor]] | None:
    """By layer of the UNet, ``up`` and ``down`` of a file that holds ``unet.<layer>.lora_A.weight`` (down)
    and ``lora_B.weight`` alone, no scales and no settings; None for any other file."""
    check_safetensors(lora.file, folder.identity)
    with safe_open(str(lora.file), framework="pt", device="cpu") as file:
        names = set(file.keys())
        layers = {match[1] for name in names if (match := _PLAIN.fullmatch(name))}
        whole = {f"unet.{layer}.{part}.weight" for layer in layers for part in ("lora_A", "lora_B")}
        if not names or names != whole or (file.metadata() or {}).keys() - {"format"}:
            return None
        return {
            layer: (
                file.get_tensor(f"unet.{layer}.lora_B.weight"),
                file.get_tensor(f"unet.{layer}.lora_A.weight"),
            )
            for layer in sorted(layers)
        }


def _add_products(
    folder: ModelFolder, lora: Lora, unet: Any, products: dict[str, tuple[Tensor, Tensor]]
) -> None:
    modules = dict(unet.named_modules())
    found = 0
    for layer, (up, down) in products.items():
        weight = getattr(modules.get(layer), "weight", None)
        if weight is None:
            continue
        change = up.flatten(1).float() @ down.flatten(1).float()
        if change.numel() != weight.numel() or down.shape[1:2] != weight.shape[1:2]:
            raise _refusal(
                folder,
                lora,
                f"does not fit this model ({layer} takes {list(weight.shape)}); use one made for it",
            )
        with torch.no_grad():
            weight += (lora.scale * change).view_as(weight).to(weight)
        found += 1
    if not found and not any("motion_modules" in layer for layer in products):
        raise _refusal(folder, lora, "holds nothing for this model; use one made for its base")


def add_transformer_loras(folder: ModelFolder, transformer: Any) -> None:
    """Merge the folder's LoRAs into a CogVideoX transformer, in the order they are listed.

    Files as diffusers and PEFT write them, safetensors only; with the scale in their header where they have
    one. A file of which nothing fits is refused. Raises ModelError.
    """
    with quietly(folder):
        for lora in folder.loras:
            _add_to_transformer(folder, lora, transformer)


@contextmanager
def quietly(folder: ModelFolder) -> Iterator[None]:
    """Where LoRAs are read: peft is there, or ModelError says so, and what is wrong with a file is said here,
    in one sentence, and not by diffusers."""
    if not (folder.loras or folder.target_adapter):
        yield
        return
    from diffusers.utils import logging

    try:
        import peft  # noqa: F401
    except ImportError:
        raise ModelError(
            f"model {folder.identity!r} has LoRAs, which need peft; install it: pip install 'rehearse[train]'"
        ) from None
    verbosity = logging.get_verbosity()
    logging.set_verbosity(standard.CRITICAL)
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)


def _add_to_transformer(folder: ModelFolder, lora: Lora, transformer: Any) -> None:
    from diffusers.loaders.lora_pipeline import CogVideoXLoraLoaderMixin as Loader

    check_safetensors(lora.file, folder.identity)
    try:
        state, metadata = Loader.lora_state_dict(
            str(lora.file.parent),
            weight_name=lora.file.name,
            use_safetensors=True,
            local_files_only=True,
            return_lora_metadata=True,
        )
        own = _fitting(transformer, state, "transformer")
        if own:
            transformer.load_lora_adapter(own, prefix="transformer", adapter_name="added", metadata=metadata)
            merge(transformer, lora.scale)
    except (KeyError, ValueError, RuntimeError, TypeError) as error:
        reason = first_line(error)
        raise _refusal(folder, lora, f"does not fit this model ({reason}); use one made for it") from None
    if not own:
        raise _refusal(folder, lora, "holds nothing for this model; use one made for its base")


def _add(folder: ModelFolder, lora: Lora, unet: Any, text_encoder: Any) -> None:
    from diffusers.loaders.lora_pipeline import StableDiffusionLoraLoaderMixin as Loader

    check_safetensors(lora.file, folder.identity)
    try:
        state, alphas = Loader.lora_state_dict(
            str(lora.file.parent),
            weight_name=lora.file.name,
            use_safetensors=True,
            local_files_only=True,
            unet_config=unet.config,
        )
        own = _fitting(unet, state, "unet")
        if own:
            Loader.load_lora_into_unet(own, _of(own, alphas), unet, adapter_name="added")
            merge(unet, lora.scale)
        words = _fitting(text_encoder, state, "text_encoder")
        if words:
            Loader.load_lora_into_text_encoder(
                words, _of(words, alphas), text_encoder, prefix="text_encoder", adapter_name="added"
            )
            merge(text_encoder, lora.scale)
    except (KeyError, ValueError, RuntimeError, TypeError) as error:
        reason = first_line(error)
        raise _refusal(folder, lora, f"does not fit this model ({reason}); use one made for it") from None
    if not own and not words and not any("motion_modules" in name for name in state):
        raise _refusal(folder, lora, "holds nothing for this model; use one made for its base")


def _fitting(module: Any, state: dict[str, Any], prefix: str) -> dict[str, Any]:
    """The part of a LoRA that belongs to a module and finds its layer there."""
    layers = {name for name, _ in module.named_modules()}
    return {
        name: value
        for name, value in state.items()
        if name.startswith(f"{prefix}.") and _layer(name).removeprefix(f"{prefix}.") in layers
    }


def _of(part: dict[str, Any], alphas: dict[str, Any] | None) -> dict[str, Any] | None:
    """The alphas of the layers in a part of a LoRA; None for none."""
    layers = {_layer(name) for name in part}
    return {name: alpha for name, alpha in (alphas or {}).items() if _layer(name) in layers} or None


def _layer(name: str) -> str:
    """The layer that a LoRA tensor changes, by the tensor's name."""
    for mark in (".lora", ".alpha", ".processor."):
        name = name.partition(mark)[0]
    return name


def merge(module: Any, scale: float) -> None:
    """Add a module's PEFT layers, at a scale, to the weights below them, and take the layers away."""
    from diffusers.utils import recurse_remove_peft_layers
    from peft.tuners.tuners_utils import BaseTunerLayer

    for layer in module.modules():
        if isinstance(layer, BaseTunerLayer):
            layer.scale_layer(scale)
            layer.merge()
    recurse_remove_peft_layers(module)
    for name in ("peft_config", "_hf_peft_config_loaded"):
        if hasattr(module, name):
            delattr(module, name)
    module.requires_grad_(False)


def _refusal(folder: ModelFolder, lora: Lora, why: str) -> ModelError:
    return ModelError(f"model {folder.identity!r}: the LoRA {lora.file.name} {why}")
