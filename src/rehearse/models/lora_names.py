"""Which layer a LoRA means by a name: diffusers', PEFT's, kohya's, ComfyUI's, AnimateDiff's and older ones.

Names are compared with every dot as an underscore, which is how kohya's trainers flatten them: one table
serves them all. What comes before a layer's own name tells which part of the model it is of, or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["denoiser", "text"]

# Prefix, the part of the model it means (None: any), and what the naming is called.
_PREFIXES: tuple[tuple[str, Kind | None, str], ...] = (
    ("base_model.model.", None, "PEFT's"),
    ("lora_unet_", "denoiser", "kohya's"),
    ("lora_transformer_", "denoiser", "kohya's"),
    ("lora_te_", "text", "kohya's"),
    ("lora_te1_", "text", "kohya's"),
    ("lora_text_encoder_", "text", "kohya's"),
    ("lycoris_", None, "LyCORIS'"),
    ("lora_", None, "kohya's"),
    ("model.diffusion_model.", "denoiser", "ComfyUI's"),
    ("diffusion_model.", "denoiser", "ComfyUI's"),
    ("text_encoders.clip_l.transformer.", "text", "ComfyUI's"),
    ("text_encoders.clip_l.", "text", "ComfyUI's"),
    ("text_encoders.t5xxl.transformer.", "text", "ComfyUI's"),
    ("text_encoders.t5xxl.", "text", "ComfyUI's"),
    ("clip_l.transformer.", "text", "ComfyUI's"),
    ("clip_l.", "text", "ComfyUI's"),
    ("t5xxl.transformer.", "text", "ComfyUI's"),
    ("t5xxl.", "text", "ComfyUI's"),
    ("cond_stage_model.transformer.", "text", "Stable Diffusion's"),
    ("unet.", "denoiser", "diffusers'"),
    ("transformer.", "denoiser", "diffusers'"),
    ("text_encoder.", "text", "diffusers'"),
    ("te1.", "text", "diffusers'"),
    ("te.", "text", "diffusers'"),
    ("module.", None, "AnimateDiff's"),
    ("model.", None, "a"),
)
_FLAT = tuple((prefix.replace(".", "_"), kind, naming) for prefix, kind, naming in _PREFIXES)

# Spellings inside a name that are none of diffusers' own today.
_REWRITTEN = (
    (re.compile(r"(?<![a-z])processor_"), ""),
    (re.compile(r"temporal_transformer_"), ""),
    (re.compile(r"attention_blocks_(\d+)"), lambda found: f"attn{int(found[1]) + 1}"),
    (re.compile(r"(attn\d+_to_out)$"), r"\1_0"),
)
_OF_OLD_TEXT = (
    (re.compile(r"self_attn_to_([qkv])$"), r"self_attn_\1_proj"),
    (re.compile(r"self_attn_to_out$"), "self_attn_out_proj"),
)
_TEXT_LEVEL = "text_model_"

_MOTION = re.compile(r"motion_modules|temporal_transformer")


@dataclass(frozen=True, eq=False)
class Part:
    """One part of a model that a LoRA may change. kind: its denoiser or its text encoder. module: with its
    class's own names. layers: its layers with weights, by flat name."""

    kind: Kind
    module: Any
    layers: dict[str, tuple[str, Any]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found: dict[str, tuple[str, Any]] = {}
        aliases = _stable_diffusion_names(self.module) if self.kind == "denoiser" else {}
        for name, module in self.module.named_modules():
            if getattr(module, "weight", None) is None:
                continue
            for spelled in (name, _renamed(name, aliases)):
                found[self._key(flat(spelled))] = (name, module)
        object.__setattr__(self, "layers", found)

    def find(self, name: str) -> tuple[str, Any] | None:
        """The layer of a flat name without prefix: its own name and module."""
        for spelled in (name, *_respelled(name, self.kind)):
            if (found := self.layers.get(self._key(spelled))) is not None:
                return found
        return None

    def _key(self, name: str) -> str:
        # CLIP's text model had a level of this name, which transformers took away and may bring back.
        return name.removeprefix(_TEXT_LEVEL) if self.kind == "text" else name


def flat(name: str) -> str:
    """A name with underscores for its dots."""
    return name.replace(".", "_")


def find_layer(name: str, parts: Iterable[Part]) -> tuple[Part, str, Any] | None:
    """The layer that a LoRA's name means, in one of the parts: its part, own name and module; None for none.

    A name is tried as it is before anything is taken off its front.
    """
    parts = tuple(parts)
    for kind, rest in _without_prefixes(flat(name)):
        for part in parts:
            if kind in (None, part.kind) and (found := part.find(rest)) is not None:
                return part, *found
    return None


def naming_of(names: Iterable[str]) -> str:
    """How a file names its layers, for a sentence: "in kohya's naming (lora_unet_...)"."""
    found: dict[str, None] = {}
    for name in names:
        here = [(p, naming) for p, _, naming in _PREFIXES if name.startswith(p)]
        if not here:
            found["without a prefix"] = None
        else:
            prefix, naming = here[0]
            found[f"in {naming} naming ({prefix}...)"] = None
    return " and ".join(found)


def is_of_motion(name: str) -> bool:
    """Whether a LoRA's name means a layer of a motion module."""
    return _MOTION.search(name) is not None


def _without_prefixes(name: str) -> Iterator[tuple[Kind | None, str]]:
    """A flat name as it is, then without one prefix, two, ...: with the part of a model these tell of."""
    waiting: list[tuple[Kind | None, str]] = [(None, name)]
    seen = set(waiting)
    while waiting:
        kind, rest = waiting.pop(0)
        yield kind, rest
        for prefix, means, _ in _FLAT:
            if not rest.startswith(prefix) or (kind and means and kind != means):
                continue
            # A root without a name of its own leaves an underscore: lora_unet__transformer_blocks.
            shorter = (means or kind, rest[len(prefix) :].lstrip("_"))
            if shorter not in seen:
                seen.add(shorter)
                waiting.append(shorter)


def _respelled(name: str, kind: Kind) -> Iterator[str]:
    rules = (*_REWRITTEN, *_OF_OLD_TEXT) if kind == "text" else _REWRITTEN
    spelled = name
    for pattern, by in rules:
        spelled = pattern.sub(by, spelled)
    if spelled != name:
        yield spelled


def _renamed(name: str, aliases: dict[str, str]) -> str:
    """A layer's name in the original code: its block's and what it is called inside of it."""
    for block, original in aliases.items():
        if name == block:
            return original
        if name.startswith(f"{block}."):
            head, dot, rest = name[len(block) + 1 :].partition(".")
            return f"{original}.{_IN_A_RESNET.get(head, head) if '.resnets.' in name else head}{dot}{rest}"
    return name


_IN_A_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}


def _stable_diffusion_names(unet: Any) -> dict[str, str]:
    """Blocks of an image UNet by the names of Stable Diffusion's original code (``input_blocks.1.1``); empty
    for other denoisers."""
    if type(unet).__name__ not in ("UNet2DConditionModel", "UNetMotionModel"):
        return {}
    names = {
        "conv_in": "input_blocks.0.0",
        "time_embedding.linear_1": "time_embed.0",
        "time_embedding.linear_2": "time_embed.2",
        "conv_norm_out": "out.0",
        "conv_out": "out.2",
        "mid_block.resnets.0": "middle_block.0",
        "mid_block.attentions.0": "middle_block.1",
        "mid_block.resnets.1": "middle_block.2",
    }
    # The first input block is conv_in. Downsamplers are blocks of their own, upsamplers end the one before.
    place = 1
    for index, block in enumerate(unet.down_blocks):
        place, _ = _name_layers(names, block, f"down_blocks.{index}", "input_blocks", place)
        if block.downsamplers:
            names[f"down_blocks.{index}.downsamplers.0.conv"] = f"input_blocks.{place}.0.op"
            place += 1
    place = 0
    for index, block in enumerate(unet.up_blocks):
        place, attends = _name_layers(names, block, f"up_blocks.{index}", "output_blocks", place)
        if block.upsamplers:
            at = 2 if attends else 1
            names[f"up_blocks.{index}.upsamplers.0.conv"] = f"output_blocks.{place - 1}.{at}.conv"
    return names


def _name_layers(names: dict[str, str], block: Any, own: str, original: str, place: int) -> tuple[int, bool]:
    """Add a block's layers to the names, from ``place`` in the original code's list on; the place behind
    them, and whether they attend."""
    attends = bool(getattr(block, "attentions", None))
    for layer in range(len(block.resnets)):
        names[f"{own}.resnets.{layer}"] = f"{original}.{place}.0"
        if attends:
            names[f"{own}.attentions.{layer}"] = f"{original}.{place}.1"
        place += 1
    return place, attends
