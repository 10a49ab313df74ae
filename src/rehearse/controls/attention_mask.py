"""Attention masks: a subject and its words keep to each other, so the subject appears where its box is.

The rule (Peekaboo; docs/methods.md, section 2.1): a query may attend to a key iff both belong to the same
owner, each subject and the background being an owner of its own.

- cross: pixels of a subject see the tokens of its phrase; background pixels see every token but the subjects'
  (end-of-text and padding included); the begin-of-text token is kept from both.
- spatial: pixels of one frame see the pixels of the same owner in that frame.
- temporal: at one position, frames see the frames in which that position has the same owner.
- video: pixels see the pixels of the same owner in all frames; of the blocks of the matrix, those within a
  frame are the spatial kind's and those between frames the temporal kind's.
- joint: as video, and the prompt as at a cross site; the prompt's tokens see everything: what they say to the
  pixels is bounded already, and a prompt that saw a part of the frame would be another prompt. Each block of
  the matrix can be left out (``joint_blocks``).

The code that Peekaboo released does something else in two places (``variant`` "released"): its coarser grids
take the top-left latent cell for the whole (:attr:`Subject.corners_of`), and the second temporal attention of
a block is not masked. Instead background tokens are zeroed before that attention's normalization, and what
it gives them is dropped:

    out = fg * Attn(norm(fg * hidden))          at the second temporal attention of a block.

It acts in the first ``frozen_steps`` steps only. Both guidance branches are masked alike, at the positions of
the conditional prompt's tokens, as Peekaboo's code does. A query that may see nothing sees everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from rehearse.controls.control import Control, Moment
from rehearse.controls.grouped_attention import attend_by_groups
from rehearse.controls.mask_normalization import MaskNormalization, normalization_of
from rehearse.controls.shift_probe import ShiftProbe
from rehearse.controls.small_mask import attend_with_mask, attend_with_mask_at, is_small
from rehearse.controls.subject import Subject
from rehearse.controls.token_groups import (
    JOINT_BLOCKS,
    Grouping,
    cross_groups,
    cross_mask,
    foreground,
    joint_groups,
    masks_anything,
    regions,
    spatial_groups,
    spatial_mask,
    temporal_mask,
)
from rehearse.shot.fields import steps_of
from rehearse.shot.methods import AttentionMasking
from rehearse.sites import AttentionCall, Site, SiteKind, SitePart, chosen

if TYPE_CHECKING:
    from rehearse.controls.material import Material


def build(material: Material) -> Iterator[AttentionMask]:
    """The mask of a shot's subjects, with its normalization."""
    resolved = material.resolved
    said = resolved.method(AttentionMasking)
    frozen, joint = steps_of(said.frozen_steps, resolved.steps), resolved.card.is_joint
    sites = frozenset[SiteKind](said.mask_sites)
    if not (material.subjects and frozen and sites):
        return
    yield AttentionMask(
        material.subjects,
        frozen_steps=frozen,
        # Joint attention is one site of all kinds: the kinds chosen are the blocks of its matrix.
        sites=frozenset[SiteKind]({"joint"}) if joint else sites,
        parts=frozenset[SitePart](said.mask_parts) | {"body"},
        joint_blocks=sites if joint else JOINT_BLOCKS,
        variant=said.mask_variant,
        normalization=normalization_of(resolved),
        # Of begin-of-text: an encoder whose first token stands for words has none.
        blocked=material.begins,
    )


@dataclass(frozen=True)
class AttentionMask(Control):
    """Masks attention by ownership of tokens.

    subjects: who is where, with their tokens; none leaves attention alone.
    frozen_steps: number of first steps that are masked, 0 or more.
    sites, parts: kinds of site and parts of the denoiser that are masked. Peekaboo masks a UNet's mid and up
        path; for a transformer give ``parts`` with "body", and ``sites`` with "joint" where it attends
        jointly. "spatial" and "temporal" choose the blocks of a video site.
    joint_blocks: of a joint site, what is masked: cross (pixels to prompt), spatial (pixels of one frame),
        temporal (pixels of different frames).
    variant: "paper", the rule at every attention, or "released", as above.
    normalization: brings masked outputs back to the unmasked statistics; None for bare masks. Nothing is
        masked at the second temporal attention of "released", nor normalized.
    blocked: prompt tokens that no pixel sees: CLIP's begin-of-text. Give () for an encoder without one.
    probe: collects the shift of statistics at every masked site.
    """

    subjects: tuple[Subject, ...]
    frozen_steps: int
    sites: frozenset[SiteKind]
    parts: frozenset[SitePart]
    joint_blocks: frozenset[SiteKind] = JOINT_BLOCKS
    variant: Literal["paper", "released"] = "paper"
    normalization: MaskNormalization | None = None
    blocked: tuple[int, ...] = (0,)
    probe: ShiftProbe | None = field(default=None, compare=False, repr=False)

    name = "attention mask"

    def __post_init__(self) -> None:
        if self.frozen_steps < 0:
            raise ValueError(f"attention mask frozen_steps: {self.frozen_steps} is below 0; use 0 for none")

    def wants(self, site: Site, moment: Moment) -> bool:
        return (
            moment.step < self.frozen_steps
            and bool(self.subjects)
            and chosen(site.kind, self.sites)
            and site.part in self.parts
        )

    def attend(self, call: AttentionCall, moment: Moment) -> Tensor | None:
        if not self.wants(call.site, moment):
            return None
        if call.site.second and self.variant == "released":
            return self._of_foreground(call)
        outputs = self._temporal(call) if call.site.kind == "temporal" else self._masked(call)
        if outputs is None:
            return None
        masked, unmasked = outputs
        if unmasked is None:
            return masked
        return self._finish(call, moment, masked, unmasked)

    def _normalizes(self, kind: SiteKind) -> bool:
        return (
            self.normalization is not None
            and self.normalization.strength > 0.0
            and chosen(kind, self.normalization.sites)
        )

    def _compares(self, kind: SiteKind) -> bool:
        """Whether the unmasked output is needed beside the masked one."""
        return self.probe is not None or self._normalizes(kind)

    def _masked(self, call: AttentionCall) -> tuple[Tensor, Tensor | None] | None:
        """Masked and perhaps unmasked output after the projection; None where nothing is masked."""
        compares = self._compares(call.site.kind)
        if call.site.kind not in ("video", "joint") and is_small(call, unmasked=compares):
            mask = self._mask(call)
            if mask is None:
                return None
            heads, whole = attend_with_mask(call, mask, unmasked=compares)
        else:
            grouping = self._grouping(call)
            if not masks_anything(grouping):
                return None
            heads, whole = attend_by_groups(call, grouping, unmasked=compares)
        return call.project(heads), None if whole is None else call.project(whole)

    def _mask(self, call: AttentionCall) -> Tensor | None:
        repeats, device, dtype = call.branches * call.clips, call.query.device, call.query.dtype
        if call.site.kind == "spatial":
            return spatial_mask(self.subjects, call.grid, repeats, device, dtype)
        tokens = call.key.shape[2]
        return cross_mask(self.subjects, call.grid, tokens, self.blocked, repeats, device, dtype)

    def _grouping(self, call: AttentionCall) -> Grouping:
        repeats, device, keys = call.branches * call.clips, call.query.device, call.key.shape[2]
        if call.site.kind == "spatial":
            return spatial_groups(self.subjects, call.grid, repeats, device)
        if call.site.kind == "cross":
            return cross_groups(self.subjects, call.grid, keys, self.blocked, repeats, device)
        text = (call.text.start or 0, call.text.stop) if call.text else (0, 0)
        whole = call.site.kind == "joint" or "video" in self.sites
        blocks = self.joint_blocks if whole else self.sites
        return joint_groups(self.subjects, call.grid, keys, text, self.blocked, repeats, device, blocks)

    def _temporal(self, call: AttentionCall) -> tuple[Tensor, Tensor | None] | None:
        """Plain attention everywhere, redone under the mask at the positions that change owner."""
        repeats = call.branches * call.clips
        rule = temporal_mask(self.subjects, call.grid, repeats, call.query.device, call.query.dtype)
        if rule is None:
            return None
        heads, whole = attend_with_mask_at(call, rule.mask, rule.rows)
        changed, unmasked = call.project(heads), call.project(whole)
        if self._compares("temporal"):
            return unmasked.index_copy(0, rule.rows, changed), unmasked
        return unmasked.index_copy_(0, rule.rows, changed), None

    def _of_foreground(self, call: AttentionCall) -> Tensor:
        """What the released code has for a second temporal attention: background tokens are blank, and get
        nothing."""
        if call.blank is None:
            raise ValueError(f"attention mask: {call.site.name} cannot tell what blank tokens would be there")
        repeats, device = call.branches * call.clips, call.query.device
        inside = foreground(self.subjects, call.grid, repeats, device)
        seen = inside[:, None, :, None]
        pairs = zip((call.query, call.key, call.value), call.blank(), strict=True)
        query, key, value = (torch.where(seen, x, blank.to(x.dtype)) for x, blank in pairs)
        output = call.project(scaled_dot_product_attention(query, key, value, scale=call.scale))
        return output * inside[..., None].to(output.dtype)

    def _finish(self, call: AttentionCall, moment: Moment, masked: Tensor, unmasked: Tensor) -> Tensor:
        """Normalize the masked output (all but the prompt's own tokens) and let the probe see it."""
        kind, grid, samples = call.site.kind, call.grid, call.branches * call.clips
        text = call.text if kind == "joint" else None
        pixels = [x if text is None else _without(x, text) for x in (masked, unmasked)]
        # Positions and frames of a sample share their statistics at temporal sites, else a frame's tokens do.
        sets = samples if kind == "temporal" else samples * grid.frames
        a, u = (x.reshape(sets, -1, x.shape[-1]) for x in pixels)
        y = a
        if self.normalization is not None and self._normalizes(kind):
            where = regions(self.subjects, grid, kind == "temporal", samples, a.device)
            y = self.normalization(a, u, where)
        if self.probe is not None:
            self.probe.record(moment.step, call.site.name, kind, a, y, u)
        if y is a:
            return masked
        if text is None:
            return y.reshape(masked.shape)
        flat = y.reshape(masked.shape[0], -1, masked.shape[-1])
        start = text.start or 0
        return torch.cat([flat[:, :start], masked[:, text], flat[:, start:]], dim=1)


def _without(x: Tensor, text: slice) -> Tensor:
    """The sequence ``[batch, tokens, channels]`` without the prompt's tokens."""
    return torch.cat([x[:, : text.start or 0], x[:, text.stop :]], dim=1)
