"""What a LoRA file holds: its layers, by the names the file gives them, and the scales it states.

Nothing of a file is passed over: a tensor that belongs to no form that is read is kept by name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from rehearse.json_text import JsonFault, parse_json, read_json_file
from rehearse.models.finite import flaw_of
from rehearse.models.folder import check_safetensors

# PEFT may put the adapter's name between a part and ".weight": lora_A.default.weight.
_NAMED = r"(?:\.(?!weight$|bias$)\w+)?"
_PARTS: tuple[tuple[re.Pattern[str], str | None], ...] = tuple(
    (re.compile(rf"^(?P<layer>.+?){pattern}$"), part)
    for pattern, part in (
        (rf"(?:\.lora_(?:A|down)|[._]lora\.down|\.lora_linear_layer\.down){_NAMED}(?:\.weight)?", "down"),
        (rf"(?:\.lora_(?:B|up)|[._]lora\.up|\.lora_linear_layer\.up){_NAMED}(?:\.weight)?", "up"),
        (rf"\.lora_(?:B|up){_NAMED}\.bias", "up_bias"),
        (r"\.lora_mid(?:\.weight)?", "mid"),
        (rf"\.lora_embedding_A{_NAMED}", "embedding_down"),
        (rf"\.lora_embedding_B{_NAMED}", "embedding_up"),
        (rf"\.lora_magnitude_vector{_NAMED}(?:\.weight)?", "magnitude"),
        (r"\.dora_scale", "dora_scale"),
        (r"(?:[._]lora)?\.(?:lora_|network_)?alpha", "alpha"),
        # The others keep their own names: hada_w1_a, lokr_w2, diff, diff_b, w_norm, b_norm, ...
        (rf"\.(?P<part>hada_(?:w[12]_[ab]|t[12])|lokr_(?:w[12](?:_[ab])?|t2)){_NAMED}", None),
        (r"\.(?P<part>diff|diff_b|w_norm|b_norm)", None),
    )
)
_ALPHA_OF_ALL = ("alpha", "lora_alpha", "network_alpha")

_OTHER_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"lora_projection\."), "the patch projection of a target adapter"),
    (re.compile(r"oft_|boft_"), "OFT"),
    (re.compile(r"\.on_input$|\.ia3_"), "IA3"),
    (re.compile(r"\.[ab][12]\.weight$"), "GLoRA"),
    (re.compile(r"\.bias_(?:indices|values|size)$"), "sparse differences of biases"),
    (re.compile(r"\.set_weight$|\.(?:weight|bias)$"), "whole weights"),
    (re.compile(r"^(?:emb_params|bundle_emb)|\.string_to_param"), "a textual inversion's embedding"),
    (re.compile(r"vera_|vblora|\.loha|fourierft|\.hra_|\.poly"), "another form of PEFT's"),
)
# Where trainers' headers name the model: kohya's, and the one of a common standard.
_BASES = ("ss_base_model_version", "modelspec.architecture", "ss_sd_model_name")
_CONFIG = "adapter_config.json"  # PEFT's name
_PEFT_STEM = "adapter_model"  # PEFT's name of the file that it is beside
_PEFT_PREFIX = "base_model.model."


class LoraFlaw(ValueError):
    """A LoRA file is not one, or not whole. ``str(error)`` ends "the LoRA NAME ..."."""


@dataclass(frozen=True, eq=False)
class LoraLayer:
    """One layer's change. name: what the file calls the layer. parts: its tensors by kind (``down``, ``up``,
    ``hada_w1_a``, ``diff``, ...)."""

    name: str
    parts: Mapping[str, Tensor]

    @property
    def form(self) -> str:
        """LoRA, DoRA, LoHa, LoKr, or a difference of weights."""
        if self.parts.keys() & {"dora_scale", "magnitude"}:
            return "DoRA"
        if any(part.startswith("hada_") for part in self.parts):
            return "LoHa"
        if any(part.startswith("lokr_") for part in self.parts):
            return "LoKr"
        return "LoRA" if self.parts.keys() & {"down", "up", "embedding_down"} else "differences of weights"

    @property
    def rank(self) -> int | None:
        """Of the products it is made of; None where there is none."""
        inner = ("down", "hada_w1_b", "lokr_w2_b", "lokr_w1_b", "embedding_down")
        return next((int(self.parts[name].shape[0]) for name in inner if name in self.parts), None)


@dataclass(frozen=True)
class StatedScales:
    """Alphas that stand in a file's header or in PEFT's settings beside it, for layers without their own."""

    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """PEFT's settings by component: ``unet``, ``transformer``, ``text_encoder``, or "" for any."""
    alpha: float | None = None
    conv_alpha: float | None = None
    """Of convolutions wider than one pixel, where it differs (LoCon)."""

    def factor(self, layer: LoraLayer, components: Iterable[str], names: Iterable[str]) -> float:
        """Alpha over rank of a layer (over its root with rsLoRA); 1 where nothing states an alpha.

        components: names its model part goes by. names: names of the layer itself.
        """
        said = next((self.settings[name] for name in components if name in self.settings), {})
        rank: float | None = layer.rank
        if "alpha" in layer.parts:
            if {"lokr_w1", "lokr_w2"} <= layer.parts.keys():
                return 1.0  # two whole factors have no rank that alpha could be set against
            alpha: float | None = float(layer.parts["alpha"])
        else:
            alpha = _matching(said.get("alpha_pattern"), names)
            alpha = _number(said.get("lora_alpha", said.get("alpha"))) if alpha is None else alpha
            alpha = self._of_kohya(layer) if alpha is None else alpha
            if rank is None:
                rank = _matching(said.get("rank_pattern"), names) or _number(said.get("r"))
        if alpha is None or not rank:
            return 1.0
        return alpha / (math.sqrt(rank) if said.get("use_rslora") is True else rank)

    def _of_kohya(self, layer: LoraLayer) -> float | None:
        down = layer.parts.get("down")
        wide = down is not None and down.ndim > 2 and math.prod(down.shape[2:]) > 1
        return self.conv_alpha if wide and self.conv_alpha is not None else self.alpha


@dataclass(frozen=True, eq=False)
class LoraFile:
    """All of a LoRA file. states_alpha: whether it says the scale of any of its layers. of_peft: whether its
    layers are named as PEFT names them."""

    layers: tuple[LoraLayer, ...]
    scales: StatedScales
    states_alpha: bool
    of_peft: bool
    made_for: str | None = None
    """What its header calls the model it was trained on; None where it does not say."""

    @property
    def forms(self) -> str:
        """The forms it is written in, for a sentence."""
        return " and ".join(sorted({layer.form for layer in self.layers}))


def read_lora(path: Path, identity: str) -> LoraFile:
    """Read a safetensors LoRA whole. identity: what messages call the model it is for.

    Raises LoraFlaw: a tensor of no form that is read, a layer that lacks a part, values that are not finite,
    a header that cannot be read; ModelError: no safetensors file, or cut off.
    """
    check_safetensors(path, identity)
    with safe_open(str(path), framework="pt", device="cpu") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        header = dict(file.metadata() or {})
    if not tensors:
        raise LoraFlaw("is empty; copy or download it again")
    _refuse_other_forms(tensors)
    for name, value in tensors.items():
        if flaw := flaw_of(value):
            raise LoraFlaw(f"holds {flaw} ({name}); its training went wrong, or it is damaged: use another")
        if name in _ALPHA_OF_ALL or (place_of(name) or ("", ""))[1] == "alpha":
            one_number(name, value)
    layers: dict[str, dict[str, Tensor]] = {}
    of_all: dict[str, Tensor] = {}
    for name, value in tensors.items():
        if name in _ALPHA_OF_ALL:
            of_all["alpha"] = value
            continue
        layer, part = place_of(name) or ("", "")
        if part in layers.setdefault(layer, {}):
            raise LoraFlaw(f"gives {layer} twice ({name}); leave one of them out")
        layers[layer][part] = value
    found = tuple(LoraLayer(name, of_all | parts) for name, parts in sorted(layers.items()))
    for one in found:
        _refuse_unfinished(one)
    of_peft = all(name.startswith(_PEFT_PREFIX) for name in layers)
    # Whatever its layers are called, a file of this name is one half of PEFT's pair.
    scales = stated_scales(header, path.with_name(_CONFIG) if of_peft or path.stem == _PEFT_STEM else None)
    for settings in scales.settings.values():
        if settings.get("use_dora") is True and all(layer.form != "DoRA" for layer in found):
            raise LoraFlaw("says that it is DoRA and holds no magnitudes; save or download it again")
    states = any("alpha" in one.parts for one in found)
    states = states or scales.alpha is not None or bool(scales.settings)
    made_for = next((header[name] for name in _BASES if header.get(name) not in (None, "", "None")), None)
    return LoraFile(found, scales, states, of_peft, made_for)


def settings_beside(path: Path) -> Path | None:
    """PEFT's settings of a LoRA file, which lie beside it; None where there are none."""
    beside = path.with_name(_CONFIG)
    return beside if beside.is_file() else None


def place_of(name: str) -> tuple[str, str] | None:
    """The layer and the part that a tensor's name means; None for none that is read."""
    for pattern, part in _PARTS:
        if match := pattern.fullmatch(name):
            return match["layer"], part or match["part"]
    return None


def _refuse_other_forms(names: Iterable[str]) -> None:
    strange = [name for name in names if name not in _ALPHA_OF_ALL and place_of(name) is None]
    if not strange:
        return
    forms = {name: next((form for p, form in _OTHER_FORMS if p.search(name)), None) for name in strange}
    known = sorted({form for form in forms.values() if form is not None})
    what = f"is or has {' and '.join(known)}" if known else "has tensors of a form that is not known"
    if known == [_OTHER_FORMS[0][1]]:
        raise LoraFlaw(f'has {known[0]} ({strange[0]}); name it as "target_adapter", not among "loras"')
    raise LoraFlaw(
        f"{what}, which is not read ({few(strange)}); LoRA, DoRA, LoHa, LoKr and differences of weights "
        "are: use one in such a form"
    )


def _refuse_unfinished(layer: LoraLayer) -> None:
    has = layer.parts.keys()
    lora = bool(has & {"down", "up", "mid", "up_bias"})
    hada = any(part.startswith("hada_") for part in has)
    lokr = any(part.startswith("lokr_") for part in has)
    embedding = bool(has & {"embedding_down", "embedding_up"})
    whole = bool(has & {"diff", "diff_b", "w_norm", "b_norm"})
    if sum((lora, hada, lokr, embedding)) > 1:
        raise LoraFlaw(f"has {layer.name} in two forms at once; leave one of them out")
    needed: set[str] = set()
    if lora:
        needed = {"down", "up"}
    elif hada:
        needed = {"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"}
        needed |= {"hada_t1", "hada_t2"} if has & {"hada_t1", "hada_t2"} else set()
    elif embedding:
        needed = {"embedding_down", "embedding_up"}
    elif lokr:
        for side in ("lokr_w1", "lokr_w2"):
            needed |= {side} if side in has else {f"{side}_a", f"{side}_b"}
    elif not whole:
        needed = {"down", "up"}  # a scale or a magnitude alone
    if lacking := sorted(needed - has):
        raise LoraFlaw(f"is cut short: {layer.name} lacks its {' and '.join(lacking)}; download it again")


def one_number(name: str, value: Tensor) -> float:
    """The number that an alpha's tensor holds. Raises LoraFlaw where it holds none, or several."""
    if value.numel() != 1:
        raise LoraFlaw(
            f"holds {value.numel()} numbers as {name}, where one is due; it is damaged: use another"
        )
    return float(value)


def stated_scales(header: Mapping[str, str], config: Path | None) -> StatedScales:
    """The scales in a header, or in PEFT's settings in a file of their own. Raises LoraFlaw."""
    settings: dict[str, dict[str, Any]] = {}
    for name, value in _object(header.get("lora_adapter_metadata"), "lora_adapter_metadata").items():
        component, _, key = name.rpartition(".")
        settings.setdefault(component, {})[key] = value
    if config is not None and config.is_file():
        settings.setdefault("", _settings_in(config))
    arguments = _object(header.get("ss_network_args"), "ss_network_args")
    stated = next(
        (
            header[name]
            for name in ("ss_network_alpha", "lora_alpha", "network_alpha", "alpha")
            if name in header
        ),
        None,
    )
    return StatedScales(settings, _number(stated), _number(arguments.get("conv_alpha")))


def _settings_in(config: Path) -> dict[str, Any]:
    try:
        content = read_json_file(config)
    except OSError as error:
        raise LoraFlaw(f"has an {config.name} beside it that cannot be opened; copy it again") from error
    except JsonFault as fault:
        raise LoraFlaw(
            f"has an {config.name} beside it that cannot be read ({fault}); copy it again"
        ) from fault
    if not isinstance(content, dict):
        raise LoraFlaw(f"has an {config.name} beside it that holds no settings; copy it again")
    return content


def _object(text: str | None, name: str) -> dict[str, Any]:
    if not text or text in ("None", "null"):  # as kohya's trainers write what was not given
        return {}
    try:
        content = parse_json(text)
    except JsonFault:
        content = None
    if not isinstance(content, dict):
        raise LoraFlaw(f"has a header whose {name} is not readable JSON; save or download it again")
    return content


def _number(value: object) -> float | None:
    """A finite number, as JSON or a header's text has it; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _matching(patterns: object, names: Iterable[str]) -> float | None:
    """What PEFT's patterns, a layer's name or its end as a regular expression, say of a layer."""
    if not isinstance(patterns, dict):
        return None
    for name in names:
        for pattern, value in patterns.items():
            try:
                fits = re.fullmatch(rf"(?:.*\.)?(?:{pattern})", name)
            except re.error:
                fits = None
            if fits or name == pattern:
                return _number(value)
    return None


def few(names: Iterable[str], most: int = 3) -> str:
    """Some names for a sentence: the first few, and how many more there are."""
    listed = list(names)
    more = len(listed) - most
    return ", ".join(listed[:most]) + (f" and {more} more" if more > 0 else "")


def as_float(value: Tensor) -> Tensor:
    """In float32, in which changes are computed whatever a file keeps them in."""
    return value.to(torch.float32)
