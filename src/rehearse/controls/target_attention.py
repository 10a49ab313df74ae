"""Attention modulation: a phrase's column of the attention is raised inside its mask and lowered outside.

The arm of the target-aware paper's table that trains nothing. At joint sites, with query i a video token, j a
token of the phrase and m_i in [0, 1] how much of the query's cell the mask marks (of its largest value),

    logit'[i, j] = logit[i, j] + strength (2 m_i - 1)

in the conditional branch; all other logits stay, the softmax is taken anew. The bias is a product of one more
entry in every query and key, so no matrix of the size of the attention is ever made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad, scaled_dot_product_attention

from rehearse.controls.control import Control, Moment
from rehearse.controls.mark import Mark
from rehearse.shot.fields import steps_of
from rehearse.shot.grid import pool
from rehearse.shot.methods import AttentionToTargets
from rehearse.sites import AttentionCall, Grid, Site

if TYPE_CHECKING:
    from rehearse.controls.material import Material

# Attention kernels want heads of a multiple of this width.
_ALIGNED = 8


def build(material: Material) -> Iterator[TargetAttention]:
    """The attention to a shot's targets, raised."""
    said = material.resolved.method(AttentionToTargets)
    if material.marks and said.target_attention:
        count = steps_of(said.target_attention_steps, material.resolved.steps)
        yield TargetAttention(material.marks, said.target_attention, count)


@dataclass(frozen=True, eq=False)
class TargetAttention(Control):
    """Raises the attention that pixels inside a mask pay to its words, and lowers that of all others.

    marks: words and their masks. strength: added to the logits inside, taken from them outside, 0 or more.
    steps: the first steps it acts in. frames: "first", the frame that the mask is of; "all" holds the mask
    still over the clip: what is reached for stays where it is until it is touched.
    Where attention masks act at a site in the same step, theirs come first and this does not act.
    """

    marks: tuple[Mark, ...]
    strength: float
    steps: int
    frames: Literal["first", "all"] = "all"

    name = "target attention"

    def __post_init__(self) -> None:
        if not self.strength >= 0.0:
            raise ValueError(f"target attention strength: {self.strength} is below 0; use 0 for none")
        if self.steps < 0:
            raise ValueError(f"target attention steps: {self.steps} is below 0; use 0 for none")

    def wants(self, site: Site, moment: Moment) -> bool:
        return moment.step < self.steps and self.strength > 0 and site.kind == "joint" and bool(self.marks)

    def attend(self, call: AttentionCall, moment: Moment) -> Tensor | None:
        if not self.wants(call.site, moment) or call.text is None:
            return None
        width = call.query.shape[-1]
        scale = width**-0.5 if call.scale is None else call.scale
        bias, chosen = self._bias(call), self._chosen(call)
        more = (-(width + len(self.marks))) % _ALIGNED
        query, key = (
            pad(torch.cat([x, _within(beside, x).expand(*x.shape[:3], -1)], dim=-1), (0, more))
            for x, beside in ((call.query, bias / scale), (call.key, chosen))
        )
        value = pad(call.value, (0, more + len(self.marks)))
        output = scaled_dot_product_attention(query, key, value, scale=scale)
        return call.project(output[..., :width])

    def _bias(self, call: AttentionCall) -> Tensor:
        """What each query adds to the logits of each mark's words, ``[batch, 1, queries, marks]``."""
        assert call.text is not None
        grid, length = call.grid, call.query.shape[2]
        bias = torch.zeros(call.branches * call.clips, 1, length, len(self.marks))
        video = torch.ones(length, dtype=torch.bool)
        video[call.text] = False
        inside = torch.stack([self._inside(mark, grid) for mark in self.marks], dim=-1)
        bias[-call.clips :, :, video] = self.strength * inside  # the conditional branch comes last
        return bias.to(call.query.device)

    def _inside(self, mark: Mark, grid: Grid) -> Tensor:
        """2 m - 1 of each video token, 0 in frames that the mask says nothing of: ``[tokens]``."""
        cells = torch.from_numpy(pool(np.asarray(mark.mask, dtype=np.float32), grid.height, grid.width))
        signed = 2 * cells / cells.max() - 1
        over_time = torch.zeros(grid.frames, grid.height, grid.width)
        over_time[: grid.frames if self.frames == "all" else 1] = signed
        return over_time.flatten()

    def _chosen(self, call: AttentionCall) -> Tensor:
        """1 at the words of each mark, ``[1, 1, keys, marks]``."""
        assert call.text is not None
        chosen = torch.zeros(1, 1, call.key.shape[2], len(self.marks))
        for index, mark in enumerate(self.marks):
            chosen[:, :, [(call.text.start or 0) + token for token in mark.tokens], index] = 1.0
        return chosen.to(call.key.device)


def _within(beside: Tensor, x: Tensor) -> Tensor:
    """``beside`` in the format of ``x``, no infinity among it: times 0 that would be no number."""
    most = min(torch.finfo(x.dtype).max, torch.finfo(beside.dtype).max)
    return beside.clamp(-most, most).to(x)
