"""One space for frames, clips and captions: small towers on top of the frozen judge.

A frame is embedded from what the judge sees in it: which puppets of which colour stand where, how large and
how turned, the backdrop, and the judge's features. A clip is embedded from the same over time, so that moving
left and moving right lie apart. A caption is embedded from its words in order, so that it matters whose
colour is whose. Embeddings have length 1: their cosine, times 100, is the alignment that evaluation reports.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn import functional as F

from rehearse.theatre.world.vocabulary import BACKDROPS, COLOURS, PUPPETS, words

FILE = "space.safetensors"
WIDTH = 64
"""Length of an embedding."""
SLOTS = 4
"""Puppets kept of a clip: one more than a scene has, because a doubtful one may count twice."""
TIMES = 8
"""Frames of a clip that are looked at, evenly spaced."""
MEASURES = 11
"""Numbers about a puppet in a frame, see :class:`Sights`."""
FEATURES = 224
MOST_WORDS = 32
_LEAST = 12 / 4096
"""Share of a frame that a puppet must cover to count as seen: what :mod:`judge` calls a find."""


class SpaceError(ValueError):
    """The space cannot be used. ``str(error)`` is one sentence with the remedy."""


@dataclass(frozen=True)
class Sights:
    """What the judge sees of ``n`` clips of ``t`` frames, as the towers read it.

    kinds, colours: int64 [n, SLOTS], index in PUPPETS and in COLOURS of the pairs that cover most of the
    clip, most first. tracks: float32 [n, t, SLOTS, MEASURES], for each of them in each frame: 1 where it is
    seen (else all are 0); the root of the share of the frame it covers; its centre x, y in [-1, 1]; and,
    relative to that size, its second (xx, xy, yy) and third (xxx, xxy, xyy, yyy) central moments, which say
    how it is shaped and turned. backdrops: float32 [n, t, len(BACKDROPS)], probabilities. features: float32
    [n, t, FEATURES].
    """

    kinds: Tensor
    colours: Tensor
    tracks: Tensor
    backdrops: Tensor
    features: Tensor

    def __len__(self) -> int:
        return len(self.kinds)

    def frames(self, times: Tensor) -> Sights:
        """One frame of each clip as a clip of one frame; times: int64 [n]."""
        rows = torch.arange(len(self))
        return Sights(
            self.kinds,
            self.colours,
            self.tracks[rows, times].unsqueeze(1),
            self.backdrops[rows, times].unsqueeze(1),
            self.features[rows, times].unsqueeze(1),
        )


def looked_at(frames: int) -> list[int]:
    """Indices of the TIMES frames that are looked at in a clip of ``frames`` frames; of a short clip some are
    looked at twice."""
    return [round(k * (frames - 1) / (TIMES - 1)) for k in range(TIMES)]


def see(outputs: tuple[Tensor, Tensor, Tensor, Tensor], frames: int) -> Sights:
    """Sights of clips from the judge's outputs for all their frames in order.

    outputs: kind logits [n * frames, kinds + 1, h, w], colour logits [n * frames, colours, h, w], backdrop
    logits and features, as :class:`rehearse.theatre.judge.JudgeNetwork` gives them.
    """
    kind_logits, colour_logits, backdrop_logits, features = (part.float() for part in outputs)
    count = len(kind_logits) // frames
    moments = torch.cat(
        [
            _moments(kinds, colours)
            for kinds, colours in zip(kind_logits.split(32), colour_logits.split(32), strict=True)
        ]
    ).view(count, frames, len(PUPPETS) * len(COLOURS), -1)
    chosen = moments[..., 0].sum(1).topk(SLOTS, dim=1).indices
    at = chosen.view(count, 1, SLOTS, 1).expand(-1, frames, -1, moments.shape[-1])
    return Sights(
        kinds=chosen // len(COLOURS),
        colours=chosen % len(COLOURS),
        tracks=_central(moments.gather(2, at)),
        backdrops=backdrop_logits.softmax(1).view(count, frames, -1),
        features=features.view(count, frames, -1),
    )


def _moments(kind_logits: Tensor, colour_logits: Tensor) -> Tensor:
    """Raw moments [n, kinds * colours, 10] of each kind in each colour up to the third order, as means over
    the frame, coordinates in [-1, 1]."""
    count, _, height, width = kind_logits.shape
    kinds = kind_logits.softmax(1)
    # A little doubt in every pixel of the backdrop would outweigh a small puppet.
    kinds = (kinds[:, 1:] * (kinds[:, :1] < 0.5)).flatten(2)
    colours = colour_logits.softmax(1).flatten(2)
    y = ((torch.arange(height) + 0.5) * 2 / height - 1).view(-1, 1).expand(height, width).flatten()
    x = ((torch.arange(width) + 0.5) * 2 / width - 1).expand(height, width).flatten()
    basis = torch.stack([torch.ones_like(x), x, y, x * x, x * y, y * y, x**3, x * x * y, x * y * y, y**3]).to(
        kinds
    )
    weighted = (colours.unsqueeze(2) * basis).flatten(1, 2)
    raw = torch.einsum("nkp,nmp->nkm", kinds, weighted) / (height * width)
    return raw.view(count, -1, len(basis))


def _central(raw: Tensor) -> Tensor:
    """Raw moments [..., 10] to the MEASURES of :class:`Sights`; the higher ones are brought to about 1, and
    cut where scattered pixels make them larger than any puppet's."""
    mass = raw[..., 0]
    seen = (mass >= _LEAST).to(raw)
    x, y, xx, xy, yy, xxx, xxy, xyy, yyy = (raw[..., 1:] / mass.clamp(min=_LEAST).unsqueeze(-1)).unbind(-1)
    size = mass.clamp(min=_LEAST).sqrt()
    area = 4 * size**2
    second = [(xx - x * x) / area, (xy - x * y) / area, (yy - y * y) / area]
    third = [
        xxx - 3 * x * xx + 2 * x**3,
        xxy - 2 * x * xy - y * xx + 2 * x * x * y,
        xyy - 2 * y * xy - x * yy + 2 * x * y * y,
        yyy - 3 * y * yy + 2 * y**3,
    ]
    shape = [(5 * moment).clamp(-3, 3) for moment in second]
    turn = [(20 * moment / area**1.5).clamp(-3, 3) for moment in third]
    return torch.stack([torch.ones_like(x), size, x, y, *shape, *turn], -1) * seen.unsqueeze(-1)


class SightTower(nn.Module):
    """Sights of ``times`` frames to embeddings: every puppet a token, and one for the scene."""

    def __init__(self, times: int, width: int = 96, named: int = 24) -> None:
        super().__init__()
        self.times = times
        self.kind = nn.Embedding(len(PUPPETS), named)
        self.colour = nn.Embedding(len(COLOURS), named)
        self.track = nn.Sequential(nn.Linear(times * MEASURES, width), nn.SiLU(), nn.Linear(width, 2 * named))
        # These must mix within a puppet before puppets are added up: a sum forgets whose is whose.
        self.puppet = nn.Sequential(nn.Linear(4 * named, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))
        views = 1 if times == 1 else 2
        self.scene = nn.Linear(len(BACKDROPS) + views * FEATURES, width)
        self.mix = _layer(width)
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, WIDTH))

    def forward(self, sights: Sights) -> Tensor:
        """[n, WIDTH], of length 1. Features are expected standardised."""
        tracks = self.track(sights.tracks.transpose(1, 2).flatten(2))
        names = [self.kind(sights.kinds), self.colour(sights.colours)]
        puppets = self.puppet(torch.cat([*names, tracks], -1))
        scene = [sights.backdrops.mean(1), sights.features.mean(1)]
        if self.times > 1:
            scene.append(sights.features.std(1))
        tokens = torch.cat([self.scene(torch.cat(scene, -1)).unsqueeze(1), puppets], 1)
        absent = F.pad(sights.tracks[..., 0].amax(1) == 0, (1, 0))
        mixed = self.mix(tokens, src_key_padding_mask=absent)
        present = (~absent).unsqueeze(-1).to(mixed)
        return F.normalize(self.head((mixed * present).sum(1)), dim=-1)


class CaptionTower(nn.Module):
    """Words in order to embeddings: words that stand together are joined first, then all are added up."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.word = nn.Embedding(len(vocabulary()) + 1, width, padding_idx=0)
        # "a red ball moves right": whatever belongs to a puppet lies within five words.
        self.phrase = nn.Sequential(
            nn.Conv1d(width, 2 * width, 5, padding=2), nn.SiLU(), nn.Conv1d(2 * width, width, 1)
        )
        self.place = nn.Parameter(torch.randn(MOST_WORDS, width) * 0.05)
        self.mix = _layer(width)
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, WIDTH))

    def forward(self, ids: Tensor) -> Tensor:
        """ids int64 [n, length] of :func:`word_ids` to [n, WIDTH], of length 1."""
        words_in = self.word(ids)
        tokens = words_in + self.phrase(words_in.transpose(1, 2)).transpose(1, 2) + self.place[: ids.shape[1]]
        mixed = self.mix(tokens, src_key_padding_mask=ids == 0)
        present = (ids > 0).unsqueeze(-1).to(mixed)
        return F.normalize(self.head((mixed * present).sum(1)), dim=-1)


def _layer(width: int) -> nn.TransformerEncoderLayer:
    return nn.TransformerEncoderLayer(
        width, 4, 2 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )


class SpaceNetwork(nn.Module):
    """The three towers; about a third of a million parameters."""

    centre: Tensor
    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.frames = SightTower(1)
        self.clips = SightTower(TIMES)
        self.captions = CaptionTower()
        self.sharpness = nn.Parameter(torch.tensor(math.log(12.0)))
        self.register_buffer("centre", torch.zeros(FEATURES))
        self.register_buffer("spread", torch.ones(FEATURES))

    def standardised(self, sights: Sights) -> Sights:
        """Features brought to mean 0 and spread 1 over the renders that the towers were trained on."""
        features = (sights.features - self.centre) / self.spread
        return Sights(sights.kinds, sights.colours, sights.tracks, sights.backdrops, features)


@lru_cache(maxsize=1)
def vocabulary() -> dict[str, int]:
    """Every word of a caption, and the comma, by its id; 0 is padding."""
    return {word: index + 1 for index, word in enumerate(sorted({*words(), ","}))}


def word_ids(captions: Sequence[str]) -> Tensor:
    """Captions to int64 [n, length], 0 behind the last word. SpaceError names a word that is not known."""
    known = vocabulary()
    rows = []
    for caption in captions:
        said = caption.lower().replace(",", " , ").split()
        unknown = [word for word in said if word not in known]
        if unknown:
            raise SpaceError(
                f"caption {caption!r}: the judge does not know {unknown[0]!r}; it knows: {' '.join(known)}"
            )
        if len(said) > MOST_WORDS:
            raise SpaceError(
                f"caption {caption!r}: {len(said)} words are too many; the judge reads {MOST_WORDS}"
            )
        rows.append([known[word] for word in said] or [0])
    length = max((len(row) for row in rows), default=1)
    return torch.tensor([row + [0] * (length - len(row)) for row in rows], dtype=torch.int64).view(-1, length)


def fingerprint(folder: Path) -> str:
    """Sha256 of the weights of the judge in a folder: towers fit the judge they were trained on only."""
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def load_space(folder: Path) -> SpaceNetwork:
    """The towers beside the judge in a folder. SpaceError where there are none, or none for this judge."""
    again = f"train it with `rehearse train theatre-judge-space --export {folder.parent}`"
    path = folder / FILE
    if not path.exists():
        raise SpaceError(f"the judge in {folder} has no {FILE}, so it cannot embed; {again}")
    network = SpaceNetwork()
    try:
        with safe_open(str(path), framework="pt") as file:
            judge = (file.metadata() or {}).get("judge", "")
            state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        if judge != fingerprint(folder):
            raise SpaceError(
                f"{path} was trained on another judge ({judge[:12] or 'unnamed'}) than the one beside it; "
                + again.replace("train it", "train it again")
            )
        network.load_state_dict(state)
    except (SafetensorError, RuntimeError) as error:
        raise SpaceError(f"{path} cannot be read ({str(error).splitlines()[0]}); {again}") from error
    return network.eval()
