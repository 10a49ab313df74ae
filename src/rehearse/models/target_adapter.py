"""Target adapters: what makes a CogVideoX image-to-video model follow a mask (docs/methods.md, section 5.1).

One safetensors file holds all of it:

- the LoRA, under the names diffusers and PEFT give it, ``transformer.<layer>.lora_A.weight``, so that
  ``load_lora_weights`` of a stock pipeline reads that part as it is, beside other LoRAs;
- the patch projection, ``lora_projection.weight`` and ``.bias``: the whole widened one
  (``[width, channels + masks, ...]``), or the columns of the masks alone;
- in the header, as JSON: ``rehearse_target`` (what it was trained on and how) and ``lora_adapter_metadata``
  (rank and alpha, where diffusers looks for them).

The authors of the method publish two files: a LoRA as diffusers saves it, run at alpha = rank where it
states none, and the projection's state alone (``weight``, ``bias``) as ``patch_embed_conv2d.pth``. A folder
with both is read too, whatever the files are called, once ``rehearse models convert`` has made safetensors of
the second.
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rehearse.models.errors import ModelError
from rehearse.models.finite import flaw_of
from rehearse.models.first_line import first_line
from rehearse.models.folder import PICKLES, check_safetensors, conversion_of
from rehearse.models.lora import put
from rehearse.models.lora_change import product
from rehearse.models.lora_file import (
    LoraFlaw,
    LoraLayer,
    StatedScales,
    few,
    one_number,
    place_of,
    settings_beside,
    stated_scales,
)
from rehearse.models.lora_names import Part, find_layer
from rehearse.models.target_conditioning import TRIGGERS, grow_for_masks

_LOG = logging.getLogger(__name__)

FAMILY = "cogvideox"
_FACTS = "rehearse_target"
_LORA_FACTS = "lora_adapter_metadata"  # diffusers' name
_PROJECTION = "lora_projection"  # diffusers takes no tensor for a LoRA's whose name does not say so
_PEFT = re.compile(r"^(?:base_model\.model\.|transformer\.|(?:model\.)?diffusion_model\.)+")
_ALONE = ("weight", "bias", "proj.weight", "proj.bias")  # a projection saved by itself
_SIDES = {"down": "lora_A", "up": "lora_B"}


@dataclass(frozen=True, eq=False)
class TargetAdapter:
    """A target adapter in memory.

    lora: ``<layer>.lora_A.weight`` ``[rank, in]`` and ``<layer>.lora_B.weight`` ``[out, rank]``, named from
    the transformer down. projection: ``weight`` and perhaps ``bias`` of the patch projection. facts: what the
    header says; ``alpha``, ``masks`` and ``trigger`` are always there, others (``base_fingerprint``,
    ``modules``, ``steps``, ...) where they are known. source: what messages call it.
    """

    lora: Mapping[str, Tensor]
    projection: Mapping[str, Tensor]
    facts: Mapping[str, Any] = field(default_factory=dict)
    source: str = "target adapter"

    @property
    def rank(self) -> int:
        """Of the LoRA; 0 where there is none."""
        return next((int(x.shape[0]) for name, x in self.lora.items() if ".lora_A." in name), 0)

    @property
    def alpha(self) -> float:
        return float(self.facts["alpha"])

    @property
    def masks(self) -> int:
        """Mask channels: 1 (target) or 2 (target, source)."""
        return int(self.facts["masks"])

    @property
    def trigger(self) -> str:
        """The word it was trained to take for the target's mark."""
        return str(self.facts["trigger"])

    @property
    def base_fingerprint(self) -> str | None:
        """Of the model it was trained on; None where the file does not say."""
        said = self.facts.get("base_fingerprint")
        return said if isinstance(said, str) and said else None


def save_target_adapter(
    path: Path | str, lora: Mapping[str, Tensor], projection: Mapping[str, Tensor], facts: Mapping[str, Any]
) -> None:
    """Write an adapter to one safetensors file, whole or not at all.

    lora: as ``peft.get_peft_model_state_dict`` gives it, names with or without ``transformer.`` or
    ``base_model.model.`` before them; may be empty. projection: ``weight`` (and ``bias``) of the widened
    patch projection, under any name that ends so. facts: JSON values; ``alpha``, ``masks`` and
    ``base_fingerprint`` are needed (alpha only with a LoRA), ``trigger`` is "target" unless given.

    Raises ModelError for tensors or facts that are no adapter's, OSError where it cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    path = Path(path)
    known = {_PEFT.sub("", name): value for name, value in lora.items()}
    parts = {name.rpartition(".")[2]: value for name, value in projection.items()}
    for needed in ("masks", "base_fingerprint", *(("alpha",) if lora else ())):
        if facts.get(needed) in (None, ""):
            raise ModelError(f"target adapter: its facts lack {needed}; give it")
    adapter = _checked(known, parts, dict(facts), f"target adapter {path.name!r}")
    facts = {"family": FAMILY, "format": 1, "rank": adapter.rank, **adapter.facts}
    tensors = {f"transformer.{name}": value for name, value in adapter.lora.items()}
    tensors |= {f"{_PROJECTION}.{name}": value for name, value in adapter.projection.items()}
    header = {"format": "pt", _FACTS: json.dumps(facts, sort_keys=True)}
    if adapter.lora:
        header[_LORA_FACTS] = json.dumps(
            {f"transformer.{name}": value for name, value in _lora_config(adapter).items()}, sort_keys=True
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    try:
        partial.touch()
        mode = partial.stat().st_mode
        save_file(
            {name: x.detach().cpu().contiguous() for name, x in tensors.items()}, partial, metadata=header
        )
        # safetensors puts a file of its own there, which nobody but its owner may read.
        partial.chmod(mode)
        partial.replace(path)
    except SafetensorError as error:
        raise OSError(f"cannot write {path}: {error}") from error
    finally:
        partial.unlink(missing_ok=True)


def load_target_adapter(path: Path | str) -> TargetAdapter:
    """Read an adapter: a file that :func:`save_target_adapter` wrote, or a folder with the LoRA and the
    projection in safetensors files of their own.

    Each layer of the LoRA is taken at its own alpha over its own rank: its tensor's, else the header's, else
    that of PEFT's ``adapter_config.json`` beside it, else 1, as its authors run it. Raises ModelError.
    """
    path = Path(path)
    source = f"target adapter {path.name!r}"
    if not path.exists():
        raise ModelError(f"{source}: there is no such file or folder")
    files = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
    pickles = sorted(one for one in path.glob("*") if one.suffix in PICKLES) if path.is_dir() else [path]
    if not files or (path.is_file() and path.suffix != ".safetensors"):
        how = f"; convert it: {conversion_of(pickles[0])}" if pickles else ""
        what = "has no safetensors file in it" if path.is_dir() else "is not safetensors"
        raise ModelError(f"{source} {what}{how}")
    tensors: dict[str, Tensor] = {}
    headers: dict[str, str] = {}
    # A run's own folder has checkpoints beside its adapter, which says what it is.
    own = [file for file in files if _FACTS in _header(file, source)]
    if len(own) > 1:
        names = " and ".join(file.name for file in own)
        raise ModelError(f"{source} has several adapters in it: {names}; name one of the files")
    held: dict[str, str] = {}
    for file in own or files:
        found, header = _read(file, source)
        if twice := sorted(found.keys() & tensors.keys()):
            raise ModelError(
                f"{source} has {twice[0]} in two files, {held[twice[0]]} and {file.name}; leave one of "
                "them in the folder"
            )
        held |= dict.fromkeys(found, file.name)
        tensors |= found
        headers |= header
    facts = _json(headers.get(_FACTS), source)
    lora, projection, alphas = _sorted(tensors, source)
    if "weight" not in projection and pickles and path.is_dir():
        raise ModelError(
            f"{source} has no patch projection in safetensors; convert {pickles[0].name}: "
            f"{conversion_of(pickles[0])}"
        )
    try:
        said = stated_scales(headers, None if own else settings_beside(files[0]))
    except LoraFlaw as flaw:
        raise ModelError(f"{source} {flaw}") from flaw
    if lora and isinstance(facts.setdefault("alpha", said.alpha), int | float | None):
        lora, facts["alpha"] = _of_one_scale(lora, alphas, replace(said, alpha=facts["alpha"]))
        if facts["alpha"] == 0:
            _LOG.warning("%s: the alpha of its LoRA is 0, so that its layers change nothing", source)
    return _checked(lora, projection, facts, source)


def _of_one_scale(
    lora: Mapping[str, Tensor], alphas: Mapping[str, Tensor], said: StatedScales
) -> tuple[dict[str, Tensor], float]:
    """The LoRA with layers of one rank and one alpha, and that alpha. Where ranks or scales differ by layer,
    the smaller ranks are filled up with zeros and the scales multiplied in, which leaves the products."""
    layers = {name.partition(".lora_")[0] for name in lora}
    factors: dict[str, float] = {}
    for layer in layers:
        parts = {
            part: lora[f"{layer}.{side}.weight"]
            for part, side in _SIDES.items()
            if f"{layer}.{side}.weight" in lora
        }
        parts |= {"alpha": alphas[layer]} if layer in alphas else {}
        factors[layer] = said.factor(LoraLayer(layer, parts), ("transformer", ""), (layer,))
    ranks = {int(x.shape[0]) for name, x in lora.items() if ".lora_A." in name}
    most = max(ranks, default=0)
    if len(ranks) <= 1 and len(set(factors.values())) == 1:
        return dict(lora), next(iter(factors.values())) * most
    made = {}
    for name, value in lora.items():
        layer, _, side = name.partition(".lora_")
        axis = 0 if side.startswith("A") else 1
        room = list(value.shape)
        room[axis] = most - room[axis]
        full = torch.cat([value.float(), torch.zeros(room)], dim=axis)
        made[name] = full if axis == 0 else full * factors[layer]
    return made, float(most)


def _sorted(
    tensors: Mapping[str, Tensor], source: str
) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]:
    """The LoRA, the projection and the layers' alphas in an adapter's tensors. ModelError for any other
    tensor, for one that is there twice, and for values that are not finite."""
    ends = [f"{place}.{part}" for place in (_PROJECTION, "patch_embed.proj") for part in ("weight", "bias")]
    lora: dict[str, Tensor] = {}
    projection: dict[str, Tensor] = {}
    alphas: dict[str, Tensor] = {}
    strange: list[str] = []
    for name, value in tensors.items():
        if flaw := flaw_of(value):
            raise ModelError(f"{source} holds {flaw} ({name}); it is damaged, or its training went wrong")
        layer, part = place_of(name) or ("", "")
        layer = _PEFT.sub("", layer)
        place: dict[str, Tensor]
        if name in _ALONE or any(name == end or name.endswith(f".{end}") for end in ends):
            place, key = projection, name.rpartition(".")[2]
        elif part in _SIDES:
            place, key = lora, f"{layer}.{_SIDES[part]}.weight"
        elif part == "alpha":
            place, key = alphas, layer
            try:
                one_number(name, value)
            except LoraFlaw as error:
                raise ModelError(f"{source} {error}") from error
        else:
            strange.append(name)
            continue
        if key in place:
            raise ModelError(f"{source} gives the same twice ({name}); leave one of them out")
        place[key] = value
    if strange:
        raise ModelError(
            f"{source} has tensors that are none of an adapter's ({few(strange)}); give a LoRA and a patch "
            "projection"
        )
    return lora, projection, alphas


def check_base(adapter: TargetAdapter, fingerprint: str) -> None:
    """Raise ModelError where the adapter says that it was trained on a model of another fingerprint."""
    said = adapter.base_fingerprint
    if said is not None and said != fingerprint:
        raise ModelError(
            f"{adapter.source} was trained on another base ({said[:12]}, and this is {fingerprint[:12]}); "
            "use the base that it was trained on"
        )


def apply_target_adapter(
    transformer: Any, adapter: TargetAdapter, *, scale: float = 1.0, merged: bool = True
) -> None:
    """Grow a CogVideoXTransformer3DModel for the adapter's masks, give it the projection, and add the LoRA.

    scale: of the LoRA, on top of alpha over rank. merged: the LoRA becomes part of the weights; else it stays
    the PEFT adapter "target", beside others, for which peft must be there. Raises ModelError, before anything
    is changed, where the transformer is none of CogVideoX's or of other shapes.
    """
    if type(transformer).__name__ != "CogVideoXTransformer3DModel":
        raise ModelError(
            f"{adapter.source} is for CogVideoX, and this base is a {type(transformer).__name__}; "
            "choose a CogVideoX image-to-video model"
        )
    adapter = replace(adapter, lora=_as_called(transformer, adapter.lora))
    _refuse_misfit(transformer, adapter)
    grow_for_masks(transformer, adapter.masks)
    proj = transformer.patch_embed.proj
    with torch.no_grad():
        weight = adapter.projection["weight"].to(proj.weight)
        proj.weight[:, proj.weight.shape[1] - weight.shape[1] :] = weight
        if "bias" in adapter.projection and proj.bias is not None:
            proj.bias.copy_(adapter.projection["bias"].to(proj.bias))
    if not adapter.lora:
        return
    if merged:
        _merge(transformer, adapter, scale)
        return
    state = {f"transformer.{name}": value for name, value in adapter.lora.items()}
    config = {f"transformer.{name}": value for name, value in _lora_config(adapter).items()}
    try:
        transformer.load_lora_adapter(state, prefix="transformer", adapter_name="target", metadata=config)
    except (KeyError, ValueError, RuntimeError, TypeError) as error:
        reason = first_line(error)
        raise ModelError(
            f"{adapter.source} does not fit this base ({reason}); use the base it was trained on"
        ) from error
    if scale != 1.0:
        transformer.set_adapters(["target"], [scale])


def _as_called(transformer: Any, lora: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The LoRA with its layers called what the transformer calls them; those that it lacks as they are."""
    parts = [Part("denoiser", transformer)]
    made = {}
    for name, value in lora.items():
        layer, dot, side = name.partition(".lora_")
        found = find_layer(layer, parts)
        made[f"{layer if found is None else found[1]}{dot}{side}"] = value
    return made


def _merge(transformer: Any, adapter: TargetAdapter, scale: float) -> None:
    """Add the LoRA to the weights, in float32."""
    factor = scale * adapter.alpha / adapter.rank
    for name in sorted(name for name in adapter.lora if ".lora_A." in name):
        layer = name.partition(".lora_")[0]
        weight = transformer.get_submodule(layer).weight
        parts = {"down": adapter.lora[name].float(), "up": adapter.lora[f"{layer}.lora_B.weight"].float()}
        change = product(parts, weight.shape)
        assert change is not None
        try:
            put(weight, weight.detach().float() + factor * change, layer)
        except LoraFlaw as flaw:
            raise ModelError(f"{adapter.source} {flaw}") from flaw


def _lora_config(adapter: TargetAdapter) -> dict[str, Any]:
    """What PEFT needs to know of the LoRA."""
    ranks = {n.partition(".lora_")[0]: int(x.shape[0]) for n, x in adapter.lora.items() if ".lora_A." in n}
    layers = sorted(ranks)
    return {"r": adapter.rank, "lora_alpha": adapter.alpha, "target_modules": layers, "peft_type": "LORA"}


def _refuse_misfit(transformer: Any, adapter: TargetAdapter) -> None:
    """ModelError unless every tensor has its place and shape in the transformer."""
    remedy = "use the base that it was trained on"
    weights = {name: x.shape for name, x in transformer.named_parameters()}
    proj = transformer.patch_embed.proj.weight
    channels = int(transformer.config.in_channels)
    per_channel = math.prod(proj.shape[1:]) // channels
    weight = adapter.projection["weight"]
    given = math.prod(weight.shape[1:])
    if (
        weight.ndim != proj.ndim
        or weight.shape[0] != proj.shape[0]
        or weight.shape[2:] != proj.shape[2:]
        or given not in (adapter.masks * per_channel, (channels + adapter.masks) * per_channel)
    ):
        raise ModelError(
            f"{adapter.source} is of another base: its projection is {list(weight.shape)}, and this base's "
            f"{list(proj.shape)} would take {adapter.masks} mask channels more; {remedy}"
        )
    for name, value in adapter.lora.items():
        layer, _, which = name.partition(".lora_")
        shape = weights.get(f"{layer}.weight")
        axis = 1 if which.startswith("A") else 0
        if shape is None or len(shape) != 2 or value.ndim != 2 or value.shape[axis] != shape[axis]:
            there = "is not there" if shape is None else f"is {list(shape)}"
            raise ModelError(
                f"{adapter.source} is of another base: {name} is {list(value.shape)}, and the layer {there}; "
                f"{remedy}"
            )


def _checked(
    lora: dict[str, Tensor], projection: dict[str, Tensor], facts: dict[str, Any], source: str
) -> TargetAdapter:
    """An adapter of these parts, its facts filled in. ModelError where they are none."""
    family = facts.get("family", FAMILY)
    if family != FAMILY:
        raise ModelError(f"{source} is for the family {family!r}; only {FAMILY} has target adapters")
    if "weight" not in projection:
        raise ModelError(f"{source} has no patch projection; it is a LoRA alone, or the wrong file")
    sides = {name.replace(".lora_A.", ".lora_B."): name for name in lora if ".lora_A." in name}
    if sides.keys() != {name for name in lora if ".lora_B." in name}:
        raise ModelError(f"{source} is cut short: a layer of its LoRA lacks one of its two sides")
    ranks = {int(x.shape[0] if ".lora_A." in name else x.shape[1]) for name, x in lora.items()}
    if len(ranks) > 1:
        raise ModelError(f"{source} has LoRA layers of several ranks ({sorted(ranks)}); only one is read")
    facts = {**facts}
    facts.setdefault("masks", 1)
    facts.setdefault("trigger", TRIGGERS["target"])
    facts.setdefault("alpha", float(next(iter(ranks), 0)))
    if facts["masks"] not in (1, len(TRIGGERS)):
        raise ModelError(f"{source} says masks {facts['masks']!r}; there are 1 or {len(TRIGGERS)}")
    trigger = facts["trigger"]
    if not isinstance(trigger, str) or not re.fullmatch(r"\w+", trigger):
        raise ModelError(f"{source} says trigger {trigger!r}, which is no word")
    if isinstance(facts["alpha"], bool) or not isinstance(facts["alpha"], int | float):
        raise ModelError(f"{source} says alpha {facts['alpha']!r}, which is no number")
    return TargetAdapter(lora, projection, facts, source)


def _header(file: Path, source: str) -> dict[str, str]:
    with _opened(file, source) as opened:
        return dict(opened.metadata() or {})


def _read(file: Path, source: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    with _opened(file, source) as opened:
        return {name: opened.get_tensor(name) for name in opened.keys()}, dict(opened.metadata() or {})  # noqa: SIM118


def _opened(file: Path, source: str) -> Any:
    """The file, found whole, as safetensors opens it."""
    from safetensors import SafetensorError, safe_open

    try:
        check_safetensors(file, file.name)
    except ModelError as error:
        raise ModelError(f"{source}: {str(error).partition(': ')[2]}") from error
    try:
        return safe_open(file, framework="pt")
    except SafetensorError as error:
        raise ModelError(f"{source}: {file.name} is corrupt ({error}); copy or train it again") from error


def _json(text: str | None, source: str) -> dict[str, Any]:
    try:
        content = json.loads(text) if text else {}
    except json.JSONDecodeError:
        content = None
    if not isinstance(content, dict):
        raise ModelError(f"{source}: its header is not readable JSON; copy or train it again")
    return content
