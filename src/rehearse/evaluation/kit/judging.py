"""What evaluation asks of a judge, whoever it is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rehearse.evaluation.kit.errors import EvaluationError


class Segmentation(Protocol):
    """Per pixel int [N, H, W]: ``kind`` 0 backdrop or puppet index + 1; ``colour`` 0 backdrop or index +
    1."""

    @property
    def kind(self) -> NDArray[np.int64]: ...
    @property
    def colour(self) -> NDArray[np.int64]: ...


class Judge(Protocol):
    """Frames are uint8 [N, H, W, 3]."""

    def segment(self, frames: NDArray[np.uint8]) -> Segmentation:
        """Kind and colour of every pixel."""
        ...

    def detect(
        self, frames: NDArray[np.uint8], kind: str, colour: str
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Boxes [N, 4] as fractions (x0, y0, x1, y1), NaN where not found, and scores [N]."""
        ...

    def features(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embeddings [N, D]."""
        ...


@dataclass(frozen=True)
class Bench:
    """Who answers the questions: ``judge``, and its ``fingerprint``, which every stored answer names."""

    judge: Judge
    fingerprint: str


def load_bench() -> Bench:
    """The shipped judge. EvaluationError where it is not installed or was trained on another world."""
    from rehearse.theatre.judge import Judge as Network
    from rehearse.theatre.judge import default_folder

    mark = judge_fingerprint(default_folder())
    return Bench(Network.load(), mark)


class Embedder(Judge, Protocol):
    """A judge that embeds too: rows of length 1 in one space."""

    def embed_frames(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Of frames [N, H, W, 3]: [N, D]."""
        ...

    def embed_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Of clips [N, F, H, W, 3]: [N, D]."""
        ...

    def embed_captions(self, captions: Sequence[str]) -> NDArray[np.float32]:
        """Of captions: [N, D]."""
        ...


@dataclass(frozen=True)
class EmbeddingBench:
    """A judge that embeds, and the fingerprint of it and its towers."""

    judge: Embedder
    fingerprint: str


def load_embedding_bench() -> EmbeddingBench:
    """The shipped judge with its towers. EvaluationError where either is missing or they do not fit."""
    from rehearse.theatre.judge import Judge as Network
    from rehearse.theatre.judge import default_folder
    from rehearse.theatre.judge_space import FILE, SpaceError

    folder = default_folder()
    mark = judge_fingerprint(folder)
    judge = Network.load()
    try:
        judge.space  # noqa: B018 (loads the towers)
    except SpaceError as error:
        raise EvaluationError(str(error)) from error
    towers = (folder / FILE).read_bytes()
    return EmbeddingBench(judge, hashlib.sha256(mark.encode() + towers).hexdigest())


def judge_fingerprint(folder: Path) -> str:
    """Sha256 over the judge's weights. EvaluationError where there are none."""
    try:
        return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    except OSError as error:
        raise EvaluationError(
            "the judge is not installed (theatre/weights/theatre-judge has no model.safetensors); "
            "train it with `rehearse train theatre-judge`"
        ) from error


def find_subjects(
    judge: Judge, frames: NDArray[np.uint8], subjects: Sequence[tuple[str, str]]
) -> NDArray[np.float32]:
    """The boxes [subjects, F, 4] of (kind, colour) pairs in the frames [F, H, W, 3], NaN where not found."""
    return np.stack([judge.detect(frames, kind, colour)[0] for kind, colour in subjects])
