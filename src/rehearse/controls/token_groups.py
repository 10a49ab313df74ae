"""Which keys each query of a site may see, as index tensors made once per grid and set of subjects.

The rule (Peekaboo; docs/methods.md, section 2.1): a query may attend to a key iff both belong to the same
owner - each subject is an owner, the background is one. Two shapes hold it:

- a *grouping*: blocks of queries that see the same keys, frames with equally large groups side by side,
  so that a block is one small dense attention without any mask;
- a *mask*: additive, for sites so small that gathering tokens costs more than it saves.

Everything here is cached: a denoising step looks the tensors up and loops over no frame.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from rehearse.controls.mask_normalization import Regions
from rehearse.controls.subject import Subject, ownership
from rehearse.sites import Grid, SiteKind


@dataclass(frozen=True, eq=False, slots=True)
class Block:
    """Queries of one group in ``rows`` batch rows with equally many of them, and the keys they see.

    queries: int64 ``[rows * n]``, positions in the flattened ``[batch * queries]`` tokens.
    keys: int64 ``[rows * m]``, positions in the flattened ``[batch * keys]`` tokens, that they see.
    rest: int64 ``[rows * (keys - m)]``, those that they do not see.
    """

    rows: int
    queries: Tensor
    keys: Tensor
    rest: Tensor


Grouping = tuple[Block, ...]

JOINT_BLOCKS: frozenset[SiteKind] = frozenset({"cross", "spatial", "temporal"})
"""The blocks of a joint site's attention, by the kind of site that they correspond to."""


def masks_anything(grouping: Grouping) -> bool:
    """Whether some query of the grouping is kept from some key."""
    return any(block.rest.numel() > 0 for block in grouping)


@lru_cache(maxsize=64)
def spatial_groups(subjects: tuple[Subject, ...], grid: Grid, repeats: int, device: torch.device) -> Grouping:
    """Groups of a spatial site: pixels of one frame see the pixels of the same owner in that frame.

    repeats: branches x clips, the number of times the frames repeat along the batch axis.
    """
    with torch.inference_mode(False):
        owner = ownership(subjects, grid).flatten(1)
        parts = [(owner == index) for index in range(len(subjects) + 1)]
        return _blocks(((part, part) for part in parts), repeats, device)


@lru_cache(maxsize=64)
def cross_groups(
    subjects: tuple[Subject, ...],
    grid: Grid,
    tokens: int,
    blocked: tuple[int, ...],
    repeats: int,
    device: torch.device,
) -> Grouping:
    """Groups of a cross site: pixels of a subject see its phrase, the background every other token."""
    with torch.inference_mode(False):
        owner = ownership(subjects, grid).flatten(1)
        sees = text_sight(subjects, tokens, blocked)
        parts = (
            (owner == index, sees[index].expand(grid.frames, tokens)) for index in range(len(subjects) + 1)
        )
        return _blocks(parts, repeats, device)


@lru_cache(maxsize=32)
def joint_groups(
    subjects: tuple[Subject, ...],
    grid: Grid,
    length: int,
    text: tuple[int, int],
    blocked: tuple[int, ...],
    repeats: int,
    device: torch.device,
    blocks: frozenset[SiteKind] = JOINT_BLOCKS,
) -> Grouping:
    """Groups of a joint site: pixels of all frames see pixels of the same owner in any frame, and the
    prompt as at a cross site; the prompt's own tokens see everything.

    length: tokens of the sequence; text: where the prompt starts and ends in it (0, 0 for none).
    blocks: which parts of the joint matrix the rule holds in: "spatial" (pixels of one frame), "temporal"
    (pixels of different frames), "cross" (pixels to prompt); in the others pixels see everything.
    """
    video = grid.frames * grid.area
    start, stop = text
    if length - (stop - start) != video:
        raise ValueError(
            f"joint site: a sequence of {length} tokens with {stop - start} of text does not hold the grid's "
            f"{grid.frames} x {grid.height} x {grid.width} tokens; describe the site with its true grid"
        )
    with torch.inference_mode(False):
        pixels = torch.cat([torch.arange(start), torch.arange(stop, length)])
        owner = torch.full((length,), -1)
        owner[pixels] = ownership(subjects, grid).flatten()
        frame = torch.full((length,), -1)
        frame[pixels] = torch.arange(grid.frames).repeat_interleave(grid.area)
        parts = [((owner == -1)[None], torch.ones(1, length, dtype=torch.bool))] if stop > start else []
        sees = text_sight(subjects, stop - start, blocked)
        sees[:] |= "cross" not in blocks
        within, across = "spatial" in blocks, "temporal" in blocks
        for index in range(len(subjects) + 1):
            same = owner == index
            # Where frames differ in what they see of each other, each is a group of its own.
            for own in [frame >= 0] if within == across else [frame == f for f in range(grid.frames)]:
                keys = torch.where(own, same | (not within), same | (not across))
                keys[start:stop] = sees[index]
                parts.append(((same & own)[None], keys[None]))
        return _blocks(parts, repeats, device)


def text_sight(subjects: tuple[Subject, ...], tokens: int, blocked: tuple[int, ...]) -> Tensor:
    """Which prompt tokens each owner's pixels may see: bool ``[subjects + 1, tokens]``, background first.

    An owner left with no token sees them all: attention over nothing is undefined
    (docs/methods.md, section 2.1).
    blocked: tokens that no pixel sees (the begin-of-text token) unless they belong to its own phrase.
    Raises ValueError when a subject names a token that the prompt does not have.
    """
    sees = torch.zeros(len(subjects) + 1, tokens, dtype=torch.bool)
    sees[0] = True
    sees[0, [token for token in blocked if token < tokens]] = False
    for index, subject in enumerate(subjects):
        outside = [token for token in subject.tokens if not 0 <= token < tokens]
        if outside and tokens:
            raise ValueError(
                f"subject {subject.phrase!r}: token {outside[0]} is not among the {tokens} of the encoded "
                "prompt; give indices into the prompt that the model sees"
            )
        own = [token for token in subject.tokens if token < tokens]
        sees[0, own] = False
        sees[index + 1, own] = True
    sees[~sees.any(dim=1)] = True
    return sees


@lru_cache(maxsize=64)
def spatial_mask(
    subjects: tuple[Subject, ...], grid: Grid, repeats: int, device: torch.device, dtype: torch.dtype
) -> Tensor | None:
    """The spatial rule as an additive mask ``[repeats * frames, 1, area, area]``; None: it masks nothing."""
    with torch.inference_mode(False):
        owner = ownership(subjects, grid).flatten(1)
        allowed = owner[:, :, None] == owner[:, None, :]
        return _additive(allowed, repeats, device, dtype)


@lru_cache(maxsize=64)
def cross_mask(
    subjects: tuple[Subject, ...],
    grid: Grid,
    tokens: int,
    blocked: tuple[int, ...],
    repeats: int,
    device: torch.device,
    dtype: torch.dtype,
) -> Tensor | None:
    """The cross rule as an additive mask ``[repeats * frames, 1, area, tokens]``; None: it masks nothing."""
    with torch.inference_mode(False):
        owner = ownership(subjects, grid).flatten(1)
        return _additive(text_sight(subjects, tokens, blocked)[owner], repeats, device, dtype)


@dataclass(frozen=True, eq=False, slots=True)
class TemporalMask:
    """The temporal rule, only where it says something: positions that change owner during the clip.

    rows: int64 ``[repeats * positions]``, their rows in the batch of ``repeats * area``.
    mask: additive ``[repeats * positions, 1, frames, frames]``.
    """

    rows: Tensor
    mask: Tensor


@lru_cache(maxsize=64)
def temporal_mask(
    subjects: tuple[Subject, ...], grid: Grid, repeats: int, device: torch.device, dtype: torch.dtype
) -> TemporalMask | None:
    """Frames at one position see the frames of the same owner there; None if no position changes owner."""
    with torch.inference_mode(False):
        owner = ownership(subjects, grid).flatten(1).T
        positions = (owner != owner[:, :1]).any(dim=1).nonzero()[:, 0]
        if positions.numel() == 0:
            return None
        owner = owner[positions]
        mask = _additive(owner[:, :, None] == owner[:, None, :], repeats, device, dtype)
        if mask is None:
            return None
        rows = torch.arange(repeats)[:, None] * grid.area + positions
        return TemporalMask(rows.flatten().to(device), mask)


@lru_cache(maxsize=64)
def foreground(subjects: tuple[Subject, ...], grid: Grid, repeats: int, device: torch.device) -> Tensor:
    """Which tokens of a temporal site any subject owns: bool ``[repeats * area, frames]``."""
    with torch.inference_mode(False):
        inside = (ownership(subjects, grid) > 0).flatten(1).T
        return inside.repeat(repeats, 1).to(device)


@lru_cache(maxsize=64)
def regions(
    subjects: tuple[Subject, ...], grid: Grid, temporal: bool, repeats: int, device: torch.device
) -> Regions:
    """Where any subject is: a set of ``area`` tokens per frame, or at temporal sites a set of all tokens
    (position by position) per clip."""
    with torch.inference_mode(False):
        inside = (ownership(subjects, grid) > 0).flatten(1)
        inside = inside.T.reshape(1, -1) if temporal else inside
        return Regions.of(inside.repeat(repeats, 1).to(device))


def _blocks(parts: Iterable[tuple[Tensor, Tensor]], repeats: int, device: torch.device) -> Grouping:
    """One block per group and pair of sizes, from each group's queries and keys (bool, a row per frame)."""
    blocks = []
    for queries, keys in parts:
        sizes = torch.stack([queries.sum(dim=1), keys.sum(dim=1)], dim=1)
        for n, m in sizes.unique(dim=0).tolist():
            if n == 0:
                continue
            frames = ((sizes[:, 0] == n) & (sizes[:, 1] == m)).nonzero()[:, 0]
            blocks.append(
                Block(
                    rows=repeats * frames.numel(),
                    queries=_flat(queries, frames, repeats).to(device),
                    keys=_flat(keys, frames, repeats).to(device),
                    rest=_flat(~keys, frames, repeats).to(device),
                )
            )
    return tuple(blocks)


def _flat(chosen: Tensor, frames: Tensor, repeats: int) -> Tensor:
    """Flat positions of the chosen tokens of some frames, for every repeat of the frames in the batch."""
    total, width = chosen.shape
    tokens = chosen[frames].nonzero()[:, 1].view(frames.numel(), -1)
    rows = torch.arange(repeats)[:, None, None] * total + frames[:, None]
    return (rows * width + tokens).flatten()


def _additive(allowed: Tensor, repeats: int, device: torch.device, dtype: torch.dtype) -> Tensor | None:
    """0 where allowed and -inf elsewhere, repeated along the batch axis, with an axis for the heads."""
    if bool(allowed.all()):
        return None
    mask = torch.zeros(allowed.shape, dtype=dtype).masked_fill_(~allowed, -torch.inf)
    return mask.repeat(repeats, 1, 1)[:, None].to(device)
