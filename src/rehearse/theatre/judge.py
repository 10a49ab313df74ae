"""The judge: a small network, trained on renders only, that says what stands where in a frame.

It segments puppets by kind and colour, names the backdrop, and gives the features that FID and KID are
computed from. It has seen no generated frame, so it cannot favour a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from rehearse.json_text import read_json_file
from rehearse.theatre.judge_space import SpaceError, SpaceNetwork, load_space, looked_at, see, word_ids
from rehearse.theatre.world.vocabulary import BACKDROPS, COLOURS, PUPPETS

WIDTHS = (24, 48, 96, 128)
SMALLEST = 48
"""Fewest pixels (at 128 x 128) that count as a found puppet: half of what the smallest one covers."""


@dataclass(frozen=True)
class Segmentation:
    """What the judge sees. ``kind`` int64 [N, H, W]: 0 backdrop, else index in PUPPETS + 1; ``colour``
    int64 [N, H, W]: index in COLOURS + 1 where a puppet is, else 0; ``kind_probability`` float32
    [N, len(PUPPETS) + 1, h, w] and ``colour_probability`` float32 [N, len(COLOURS), h, w] at half size."""

    kind: NDArray[np.int64]
    colour: NDArray[np.int64]
    kind_probability: NDArray[np.float32]
    colour_probability: NDArray[np.float32]


def _block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1), nn.GroupNorm(8, outputs), nn.SiLU()
    )


class JudgeNetwork(nn.Module):
    """Encoder and decoder with skips: 3 x H x W to maps at half size; H and W multiples of 16."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d = WIDTHS
        self.stem = _block(3, a, 2)
        self.down1 = nn.Sequential(_block(a, b, 2), _block(b, b))
        self.down2 = nn.Sequential(_block(b, c, 2), _block(c, c))
        self.down3 = nn.Sequential(_block(c, d, 2), _block(d, d))
        self.up2 = _block(d + c, c)
        self.up1 = _block(c + b, b)
        self.up0 = _block(b + a, 32)
        self.kind = nn.Conv2d(32, len(PUPPETS) + 1, 1)
        self.colour = nn.Conv2d(32, len(COLOURS), 1)
        self.backdrop = nn.Linear(c + d, len(BACKDROPS))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Pictures in [-1, 1] to kind logits, colour logits, backdrop logits and features [N, 224]."""
        x0 = self.stem(pictures)
        x1 = self.down1(x0)
        x2 = self.down2(x1)
        x3 = self.down3(x2)
        features = torch.cat([x2.mean((2, 3)), x3.mean((2, 3))], 1)
        y = self.up2(torch.cat([F.interpolate(x3, scale_factor=2.0), x2], 1))
        y = self.up1(torch.cat([F.interpolate(y, scale_factor=2.0), x1], 1))
        y = self.up0(torch.cat([F.interpolate(y, scale_factor=2.0), x0], 1))
        return self.kind(y), self.colour(y), self.backdrop(features), features


def to_input(frames: NDArray[np.uint8] | Tensor) -> Tensor:
    """uint8 [N, H, W, 3] to float32 [N, 3, H, W] in [-1, 1]."""
    if isinstance(frames, np.ndarray) and not frames.flags.writeable:
        frames = frames.copy()
    pictures = torch.as_tensor(frames)
    return pictures.permute(0, 3, 1, 2).float() / 127.5 - 1.0


def default_folder() -> Path:
    """Where the shipped judge lies."""
    return Path(__file__).parent / "weights" / "theatre-judge"


class Judge:
    """The trained network with the questions that evaluation asks. Frames are uint8 [N, H, W, 3].

    folder: where the towers lie that embed (:mod:`rehearse.theatre.judge_space`); they are loaded when they
    are first asked.
    """

    def __init__(self, network: JudgeNetwork, batch: int = 32, folder: Path | None = None) -> None:
        self.network = network.eval()
        self.batch = batch
        self.folder = folder

    @classmethod
    def load(cls, folder: Path | None = None) -> Judge:
        """Load from a folder of safetensors (default: the shipped one)."""
        folder = folder or default_folder()
        network = JudgeNetwork()
        config = read_json_file(folder / "config.json")
        if config["puppets"] != list(PUPPETS) or config["colours"] != list(COLOURS):
            raise ValueError(f"the judge in {folder} was trained on another world; train it again")
        state = {name: value.float() for name, value in load_file(str(folder / "model.safetensors")).items()}
        network.load_state_dict(state)
        return cls(network, folder=folder)

    @torch.inference_mode()
    def _run(self, frames: NDArray[np.uint8]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        parts = [
            self.network(to_input(np.ascontiguousarray(frames[at : at + self.batch])))
            for at in range(0, len(frames), self.batch)
        ]
        kinds, colours, backdrops, features = (torch.cat(column) for column in zip(*parts, strict=True))
        return kinds, colours, backdrops, features

    def segment(self, frames: NDArray[np.uint8]) -> Segmentation:
        """Kind and colour of every pixel."""
        kind_logits, colour_logits, _, _ = self._run(frames)
        size = frames.shape[1:3]
        kind = F.interpolate(kind_logits, size=size, mode="bilinear").argmax(1)
        colour = F.interpolate(colour_logits, size=size, mode="bilinear").argmax(1) + 1
        return Segmentation(
            kind=kind.numpy(),
            colour=torch.where(kind > 0, colour, torch.zeros_like(colour)).numpy(),
            kind_probability=kind_logits.softmax(1).numpy(),
            colour_probability=colour_logits.softmax(1).numpy(),
        )

    def detect(
        self, frames: NDArray[np.uint8], kind: str, colour: str
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The puppet of this kind and colour in each frame: boxes float32 [N, 4] as fractions (x0, y0, x1,
        y1), NaN where it is not found, and scores [N] in [0, 1].

        The largest connected component of pixels that are more likely this kind and this colour than not.
        """
        from scipy import ndimage

        kind_logits, colour_logits, _, _ = self._run(frames)
        match = (
            kind_logits.softmax(1)[:, PUPPETS.index(kind) + 1]
            * colour_logits.softmax(1)[:, COLOURS.index(colour)]
        )
        height, width = frames.shape[1:3]
        full = F.interpolate(match.unsqueeze(1), size=(height, width), mode="bilinear").squeeze(1).numpy()
        boxes = np.full((len(frames), 4), np.nan, np.float32)
        scores = np.zeros(len(frames), np.float32)
        least = SMALLEST * height * width / (128 * 128)
        for index, picture in enumerate(full):
            labels, count = ndimage.label(picture > 0.3)
            if not count:
                continue
            areas = np.bincount(labels.ravel())[1:]
            best = int(areas.argmax())
            if areas[best] < least:
                continue
            rows, columns = ndimage.find_objects(labels)[best]
            boxes[index] = (
                columns.start / width, rows.start / height, columns.stop / width, rows.stop / height,
            )  # fmt: skip
            scores[index] = picture[labels == best + 1].mean()
        return boxes, scores

    def features(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Features float32 [N, 224] for FID and KID."""
        features: NDArray[np.float32] = self._run(frames)[3].numpy()
        return features

    def backdrop(self, frames: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Index in BACKDROPS of each frame's backdrop."""
        backdrops: NDArray[np.int64] = self._run(frames)[2].argmax(1).numpy()
        return backdrops

    @cached_property
    def space(self) -> SpaceNetwork:
        """The towers that embed. SpaceError where there are none for this judge."""
        if self.folder is None:
            raise SpaceError("this judge was not loaded from a folder, so it has no towers that embed")
        return load_space(self.folder)

    @torch.inference_mode()
    def embed_frames(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embeddings float32 [N, 64] of length 1; they lie near the captions that name no motion."""
        sights = self.space.standardised(see(self._run(frames), 1))
        embedded: NDArray[np.float32] = self.space.frames(sights).numpy()
        return embedded

    @torch.inference_mode()
    def embed_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embeddings float32 [N, 64] of length 1 of clips [N, F, H, W, 3]; near captions with motions."""
        chosen = looked_at(clips.shape[1])
        parts = [see(self._run(clip[chosen]), len(chosen)) for clip in clips]
        embedded = [self.space.clips(self.space.standardised(sights)) for sights in parts]
        clip_embeddings: NDArray[np.float32] = torch.cat(embedded).numpy()
        return clip_embeddings

    @torch.inference_mode()
    def embed_captions(self, captions: Sequence[str]) -> NDArray[np.float32]:
        """Embeddings float32 [N, 64] of length 1. SpaceError names a word that is not the theatre's."""
        embedded: NDArray[np.float32] = self.space.captions(word_ids(captions)).numpy()
        return embedded


@lru_cache(maxsize=1)
def shipped_judge() -> Judge:
    """The shipped judge, loaded once."""
    return Judge.load()
