"""LoRAs: small trained changes of a model's weights, merged into them when the model is loaded.

Merged weights cost nothing at each step, and leave the attention modules as the controls expect them.

Read here, without peft, in safetensors: LoRA (of convolutions too, with LoCon's core tensors), DoRA, LoHa,
LoKr and plain differences of weights, norms and biases (:mod:`rehearse.models.lora_change`), under the names
of diffusers, PEFT, kohya, ComfyUI, LyCORIS, AnimateDiff and older ones (:mod:`rehearse.models.lora_names`),
each layer at its own alpha over rank (:mod:`rehearse.models.lora_file`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from rehearse.models.errors import ModelError
from rehearse.models.finite import flaw_of
from rehearse.models.folder import Lora, ModelFolder
from rehearse.models.lora_change import Misfit, changed
from rehearse.models.lora_file import LoraFile, LoraFlaw, LoraLayer, few, read_lora
from rehearse.models.lora_names import Part, find_layer, is_of_motion, naming_of

_LOG = logging.getLogger(__name__)

# What PEFT's settings in a header call a part of a model.
_COMPONENTS = {"denoiser": ("unet", "transformer", ""), "text": ("text_encoder", "")}


def add_loras(folder: ModelFolder, denoiser: Any, text_encoder: Any | None = None) -> None:
    """Merge the folder's LoRAs into a denoiser and its text encoder, in the order they are listed.

    text_encoder: None where it is not there to be changed. Every tensor of a file is used, or told of in a
    warning, or the file is refused; a scale of 0 leaves its file out. What a model beside the one that a file
    was given to does not have, such as motion modules, is passed over there in silence. Raises ModelError.
    """
    if not folder.loras:
        return
    parts = [Part("denoiser", denoiser)]
    if text_encoder is not None:
        parts.append(Part("text", text_encoder))
    for lora in folder.loras:
        try:
            file = read_lora(lora.file, folder.identity)
            if lora.scale != 0:
                _add(folder, lora, file, parts)
        except LoraFlaw as flaw:
            raise ModelError(f"{_named(folder, lora)} {flaw}") from flaw


def _add(folder: ModelFolder, lora: Lora, file: LoraFile, parts: Iterable[Part]) -> None:
    left: list[str] = []
    idle: list[str] = []
    called: dict[int, str] = {}
    for layer in file.layers:
        found = find_layer(layer.name, parts)
        if found is None:
            left.append(layer.name)
            continue
        part, name, module = found
        if (other := called.setdefault(id(module), layer.name)) != layer.name:
            raise LoraFlaw(f"gives {name} twice, as {other} and as {layer.name}; leave one of them out")
        factor = file.scales.factor(layer, _COMPONENTS[part.kind], (name, layer.name))
        try:
            if not _change(layer, name, module, lora.scale, factor):
                idle.append(layer.name)
        except Misfit as misfit:
            raise LoraFlaw(
                f"does not fit this model ({name} {misfit}){_made_for(file)}; use one made for its base"
            ) from misfit
    if lora.beside:
        return
    if len(left) == len(file.layers):
        raise LoraFlaw(_nothing_fits(file, parts))
    if idle:
        _LOG.warning(
            "%s: %s of its layers change nothing, as their alphas or their tensors are 0: %s",
            _named(folder, lora), "all" if len(idle) == len(file.layers) else len(idle), few(idle),
        )  # fmt: skip
    if left:
        _LOG.warning(
            "%s: %d of its %d layers are not in this model and are left out: %s",
            _named(folder, lora), len(left), len(file.layers), few(left),
        )  # fmt: skip
    if file.of_peft and not file.states_alpha:
        _LOG.warning(
            "%s states no alpha, which PEFT keeps in an adapter_config.json; it is taken at alpha = rank: "
            "put that file beside it if it says otherwise",
            _named(folder, lora),
        )


def _change(layer: LoraLayer, name: str, module: Any, scale: float, factor: float) -> bool:
    """Whether the layer's numbers, before they are rounded to its format, became others. Raises Misfit."""
    weight, bias = module.weight, getattr(module, "bias", None)
    made = changed(layer, weight.detach(), None if bias is None else bias.detach(), scale, factor)
    changes = False
    for old, new in ((weight, made.weight), (bias, made.bias)):
        if old is not None and new is not None:
            changes = changes or not torch.equal(new, old.to(new.dtype))
            put(old, new, name)
    return changes


def _made_for(file: LoraFile) -> str:
    return f"; it says that it is for {file.made_for}" if file.made_for else ""


def put(parameter: Tensor, value: Tensor, name: str) -> None:
    """Give a parameter its changed value, in its own format. LoraFlaw where that is not finite."""
    with torch.no_grad():
        parameter.copy_(value)
    if flaw := flaw_of(parameter):
        raise LoraFlaw(f"makes {flaw} of {name}; use it at a lower scale, or use another")


def _nothing_fits(file: LoraFile, parts: Iterable[Part]) -> str:
    names = [layer.name for layer in file.layers]
    classes = " or ".join(type(part.module).__name__ for part in parts)
    read = f"it was read as {file.forms} {naming_of(names)}"
    if all(is_of_motion(name) for name in names):
        return (
            f"holds nothing for this model: {read}, for motion modules, and this model has none such; use it "
            "with the motion adapter it was made for"
        )
    return (
        f"holds nothing for this model: {read}, and no layer of its {classes} is called {few(names, 2)}"
        f"{_made_for(file)}; use one made for its base, with layers named as there"
    )


def _named(folder: ModelFolder, lora: Lora) -> str:
    return f"model {folder.identity!r}: the LoRA {lora.file.name}"
