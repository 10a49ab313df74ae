"""The rules of docs/methods.md, section 2.1, written out plainly: what the fast code is held against."""

from __future__ import annotations

import torch
from hypothesis import strategies as st
from torch import Tensor

from rehearse.controls import Moment, Subject, ownership
from rehearse.shot import Box, BoxPath
from rehearse.sites import AttentionCall, Grid, Site, SiteKind, SitePart

NOW = Moment(step=0, steps=10, timestep=999.0)
CHANNELS = 6


def still(*corners: float) -> BoxPath:
    return BoxPath([(0, Box(*corners))], leaves_frame=True)


def moving(first: tuple[float, ...], last: tuple[float, ...]) -> BoxPath:
    return BoxPath([(0, Box(*first)), (1, Box(*last))], leaves_frame=True)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    """Any box: thinner than a token, larger than the frame, partly or wholly out of it."""
    x0, y0 = draw(st.floats(-0.8, 1.3)), draw(st.floats(-0.8, 1.3))
    return Box(x0, y0, x0 + draw(st.floats(0.01, 1.5)), y0 + draw(st.floats(0.01, 1.5)))


@st.composite
def casts(draw: st.DrawFn, least: int = 1, most: int = 3) -> tuple[Subject, ...]:
    """Subjects with phrases of one or two tokens out of positions 1 to 6."""
    count = draw(st.integers(least, most))
    return tuple(
        Subject(
            phrase=f"subject {index}",
            tokens=tuple(range(1 + 2 * index, 1 + 2 * index + draw(st.integers(1, 2)))),
            path=BoxPath([(0, draw(boxes())), (1, draw(boxes()))], leaves_frame=True),
            depth=draw(st.integers(0, 2)),
        )
        for index in range(count)
    )


def make_call(
    kind: SiteKind,
    grid: Grid,
    *,
    tokens: int = 9,
    text: slice | None = None,
    branches: int = 2,
    clips: int = 1,
    dtype: torch.dtype = torch.float64,
    part: SitePart = "up",
    seed: int = 0,
) -> AttentionCall:
    """A call with random queries, keys, values and output projection, in the layout that models use."""
    generator = torch.Generator().manual_seed(seed)
    heads, width, repeats = 2, 4, branches * clips
    batch, queries, keys = {
        "spatial": (repeats * grid.frames, grid.area, grid.area),
        "cross": (repeats * grid.frames, grid.area, tokens),
        "temporal": (repeats * grid.area, grid.frames, grid.frames),
        "joint": (repeats, tokens + grid.frames * grid.area, tokens + grid.frames * grid.area),
    }[kind]

    def draw(count: int) -> Tensor:
        drawn = torch.randn(batch, count, heads, width, generator=generator, dtype=torch.float64)
        return (2.0 * drawn).to(dtype).transpose(1, 2)

    weight = torch.randn(CHANNELS, heads * width, generator=generator, dtype=torch.float64).to(dtype)
    bias = torch.randn(CHANNELS, generator=generator, dtype=torch.float64).to(dtype)
    return AttentionCall(
        site=Site(f"{kind} site", kind, part, heads),
        grid=grid,
        query=draw(queries),
        key=draw(keys),
        value=draw(keys),
        project=lambda x: torch.nn.functional.linear(x.transpose(1, 2).flatten(2), weight, bias),
        branches=branches,
        clips=clips,
        text=text,
    )


def allowed(call: AttentionCall, subjects: tuple[Subject, ...], blocked: tuple[int, ...] = (0,)) -> Tensor:
    """Who may see whom, bool ``[batch, queries, keys]``, token by token from the rule."""
    kind, grid = call.site.kind, call.grid
    owner = ownership(subjects, grid).flatten(1).tolist()
    batch, queries, keys = call.query.shape[0], call.query.shape[2], call.key.shape[2]
    sees = torch.zeros(batch, queries, keys, dtype=torch.bool)

    def word(who: int, token: int) -> bool:
        if who > 0:
            return token in subjects[who - 1].tokens
        return token not in blocked and not any(token in subject.tokens for subject in subjects)

    def place(row: int, index: int) -> tuple[int, int]:
        if kind == "temporal":
            return index, row % grid.area
        return row % grid.frames, index

    for row in range(batch):
        for q in range(queries):
            if kind == "joint":
                sees[row, q] = _joint_row(call, q, owner, word)
                continue
            frame, pixel = place(row, q)
            mine = owner[frame][pixel]
            for k in range(keys):
                if kind == "cross":
                    sees[row, q, k] = word(mine, k)
                else:
                    other_frame, other_pixel = place(row, k)
                    sees[row, q, k] = owner[other_frame][other_pixel] == mine
    sees[~sees.any(dim=2)] = True
    return sees


def _joint_row(call: AttentionCall, q: int, owner: list[list[int]], word) -> Tensor:
    text = call.text or slice(0, 0)
    length = call.key.shape[2]
    pixels = [owner[f][p] for f in range(call.grid.frames) for p in range(call.grid.area)]
    whose = [-1] * length
    for index, who in zip([i for i in range(length) if not text.start <= i < text.stop], pixels, strict=True):
        whose[index] = who
    if whose[q] == -1:
        return torch.ones(length, dtype=torch.bool)
    return torch.tensor(
        [word(whose[q], k - text.start) if whose[k] == -1 else whose[k] == whose[q] for k in range(length)]
    )


def dense(call: AttentionCall, sees: Tensor) -> Tensor:
    """Attention under a mask, by its definition, after the output projection."""
    scale = call.query.shape[-1] ** -0.5 if call.scale is None else call.scale
    logits = call.query @ call.key.transpose(-1, -2) * scale
    weights = logits.masked_fill(~sees[:, None], -torch.inf).softmax(dim=-1)
    return call.project(weights @ call.value)
