"""How UNets hand their attention over: processors, sites and grids.

Each attention module of a UNet gets a :class:`SiteProcessor`. It asks the :class:`Stage` (what is known about
the running forward pass) whether a control wants this site; if so it builds the canonical
:class:`~rehearse.sites.AttentionCall`, else it computes plain attention itself.

Spatial extents are read where they are known for certain, from the tensor that enters the transformer around
the attention (``[batch, channels, height, width]``), so they hold for any size, square or not, also where
the height is no multiple of the UNet's downsampling.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from rehearse.sites import Attend, AttentionCall, Grid, Site, SiteKind, SitePart

_ATTENTION = re.compile(r"^(?P<transformer>.+)\.transformer_blocks\.\d+\.(?P<which>attn[12])$")


@dataclass(slots=True)
class Stage:
    """The running forward pass: who attends, and how the batch is made up."""

    attend: Attend | None = None
    branches: int = 1
    clips: int = 1
    frames: int = 1


@dataclass(slots=True)
class Extent:
    """Height and width, in tokens, of what entered a transformer last."""

    height: int = 0
    width: int = 0


@dataclass(slots=True)
class SiteProcessor:
    """Attention processor of one site, in place of diffusers' own."""

    site: Site
    stage: Stage
    extent: Extent = field(default_factory=Extent)
    entrance: Callable[[Tensor], Tensor] | None = None
    """What the block does to its tokens before this attention: the normalization, and positions in time."""

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        """``hidden_states`` ``[batch, queries, channels]`` -> the same, after the output projection."""
        stage, heads = self.stage, self.site.heads
        source = hidden_states
        repeats = 1
        if self.site.kind == "cross" and encoder_hidden_states is not None:
            # The UNet repeats the text for every frame; its keys and values are needed once per clip.
            repeats = stage.frames
            source = encoder_hidden_states[::repeats]
        query, key, value = projected(attn, hidden_states, source, heads)

        project = output_projection(attn)
        attend = stage.attend
        if attend is not None and attend.wants(self.site):
            call = AttentionCall(
                site=self.site,
                grid=Grid(stage.frames, self.extent.height, self.extent.width),
                query=query,
                key=key.repeat_interleave(repeats, dim=0) if repeats > 1 else key,
                value=value.repeat_interleave(repeats, dim=0) if repeats > 1 else value,
                project=project,
                branches=stage.branches,
                clips=stage.clips,
                scale=attn.scale,
                blank=self._blank(attn, hidden_states) if self.site.kind == "temporal" else None,
            )
            output = attend(call)
            return call.plain() if output is None else output.to(hidden_states.dtype)

        if repeats > 1:
            # All frames of a clip ask the same keys: one call with the frames side by side among the queries.
            batch, _, queries, width = query.shape
            side = query.unflatten(0, (-1, repeats)).transpose(1, 2).flatten(2, 3)
            output = scaled_dot_product_attention(side, key, value, scale=attn.scale)
            output = output.unflatten(2, (repeats, queries)).transpose(1, 2)
            return project(output.reshape(batch, heads, queries, width))
        return project(scaled_dot_product_attention(query, key, value, scale=attn.scale))

    def _blank(self, attn: Any, hidden_states: Tensor) -> Callable[[], tuple[Tensor, Tensor, Tensor]] | None:
        entrance = self.entrance
        if entrance is None:
            return None

        def blank() -> tuple[Tensor, Tensor, Tensor]:
            tokens = entrance(torch.zeros_like(hidden_states[:1]))
            return projected(attn, tokens, tokens, self.site.heads)

        return blank


def projected(attn: Any, asking: Tensor, source: Tensor, heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """Query of the asking tokens, key and value of the source's, each ``[batch, heads, tokens, width]``."""
    query = split_heads(attn.to_q(asking), heads)
    key, value = split_heads(attn.to_k(source), heads), split_heads(attn.to_v(source), heads)
    if attn.norm_q is not None:
        query = attn.norm_q(query)
    if attn.norm_k is not None:
        key = attn.norm_k(key)
    return query, key, value


def split_heads(tokens: Tensor, heads: int) -> Tensor:
    """``[batch, tokens, channels]`` to ``[batch, heads, tokens, channels / heads]``."""
    return tokens.unflatten(-1, (heads, -1)).transpose(1, 2)


def output_projection(attn: Any) -> Callable[[Tensor], Tensor]:
    """What an attention module does last: heads put together again, and its output layers."""

    def project(heads: Tensor) -> Tensor:
        merged: Tensor = heads.transpose(1, 2).flatten(2)
        projected: Tensor = attn.to_out[1](attn.to_out[0](merged))
        return projected

    return project


def describe(name: str, heads: int) -> Site | None:
    """The site of an attention module by its dotted path; None for a module that is no transformer's."""
    match = _ATTENTION.match(name)
    if match is None:
        return None
    transformer = match["transformer"]
    temporal = transformer == "transformer_in" or any(
        f".{room}." in transformer for room in ("temp_attentions", "motion_modules")
    )
    kind: SiteKind = "temporal" if temporal else "cross" if match["which"] == "attn2" else "spatial"
    first = name.partition(".")[0]
    # transformer_in sits before the first block: it belongs to the way down.
    part: SitePart = "mid" if first == "mid_block" else "up" if first == "up_blocks" else "down"
    second = temporal and match["which"] == "attn2"
    return Site(name=name, kind=kind, part=part, heads=heads, second=second)


def install(denoiser: nn.Module, stage: Stage) -> tuple[Site, ...]:
    """Give every transformer attention of a UNet a SiteProcessor; the sites, in the order of the modules."""
    sites: list[Site] = []
    extents: dict[str, Extent] = {}
    for name, module in denoiser.named_modules():
        if not (hasattr(module, "to_q") and hasattr(module, "set_processor")):
            continue
        site = describe(name, int(module.heads))
        if site is None or not _is_plain(module):
            continue  # keeps diffusers' own processor; no control can act there
        transformer = name.partition(".transformer_blocks.")[0]
        if transformer not in extents:
            extents[transformer] = _watch(denoiser.get_submodule(transformer))
        block = denoiser.get_submodule(name.rpartition(".")[0])
        module.set_processor(SiteProcessor(site, stage, extents[transformer], _entrance(block, name)))
        sites.append(site)
    return tuple(sites)


def _entrance(block: Any, name: str) -> Callable[[Tensor], Tensor] | None:
    """The way into an attention of a transformer block; None for a norm that wants more than the tokens."""
    norm = block.norm2 if name.endswith("attn2") else block.norm1
    if not isinstance(norm, nn.LayerNorm):
        return None
    positions = getattr(block, "pos_embed", None)

    def enter(tokens: Tensor) -> Tensor:
        # A layer normalization that kept its float32 weights takes no half precision beside them.
        kept = tokens if norm.weight is None else tokens.to(norm.weight.dtype)
        normed: Tensor = norm(kept)
        placed: Tensor = normed if positions is None else positions(normed)
        return placed.to(tokens.dtype)

    return enter


def _is_plain(attn: Any) -> bool:
    """Whether the module does nothing beyond q, k, v, attention and the output projection."""
    extras = (attn.group_norm, attn.spatial_norm, attn.norm_cross, attn.add_k_proj)
    return not attn.residual_connection and attn.rescale_output_factor == 1 and not any(extras)


def _watch(transformer: nn.Module) -> Extent:
    extent = Extent()

    def note(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        entering: Tensor = args[0] if args else kwargs["hidden_states"]
        extent.height, extent.width = int(entering.shape[-2]), int(entering.shape[-1])

    transformer.register_forward_pre_hook(note, with_kwargs=True)
    return extent


def spread_text(text: Tensor, batch: int) -> tuple[Tensor, int, int]:
    """Text for every clip of the batch ``[batch, tokens, width]``, and the number of branches and of clips.

    text: ``[branches, tokens, width]``, one prompt for all clips, or ``[branches, clips, tokens, width]``.
    """
    branches = text.shape[0]
    clips = batch // branches
    if branches * clips != batch or (text.ndim == 4 and text.shape[1] != clips):
        raise ValueError(f"text {tuple(text.shape)} does not fit {batch} clips in {branches} branches")
    if text.ndim == 4:
        return text.flatten(0, 1), branches, clips
    return text.repeat_interleave(clips, dim=0), branches, clips


def with_condition(latents: Tensor, condition: Tensor | None, branches: int, clips: int) -> Tensor:
    """Latents ``[branches*clips, channels, frames, h, w]`` with a condition behind them, along the channels.

    condition: ``[branches or 1, extra channels, frames, h, w]``, the same for all clips of a branch; None
    leaves the latents alone.
    """
    if condition is None:
        return latents
    behind = condition.expand(branches, -1, -1, -1, -1).repeat_interleave(clips, dim=0)
    return torch.cat([latents, behind.to(latents.dtype)], dim=1)
