"""One clip: made by the engine, read by the judge, kept as one row and one small picture."""

from __future__ import annotations

import base64
import hashlib
import io
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rehearse.evaluation.kit.engine import Engine
from rehearse.evaluation.kit.judging import Judge, find_subjects
from rehearse.evaluation.kit.look import look
from rehearse.evaluation.kit.motion import pixel_change
from rehearse.evaluation.kit.quality import FRAMES, ClipFeatures
from rehearse.shot import Shot

SHOWN = 8
"""Frames of a clip that its picture keeps, evenly spaced, the first and the last among them."""


@dataclass(frozen=True)
class Tools:
    """What a process that measures holds."""

    engine: Engine
    judge: Judge


@dataclass(frozen=True)
class Task:
    """A clip to make and measure. key: see :func:`key_of`. subjects: (kind, colour) of what to look for.
    shapes: whether its row also says what the first subject's silhouettes are like
    (:mod:`rehearse.evaluation.kit.look`)."""

    key: str
    shot: Shot
    subjects: tuple[tuple[str, str], ...]
    shapes: bool = False


@dataclass(frozen=True)
class Measured:
    """A row for the journal, and the clip's picture as JPEG: SHOWN frames side by side."""

    row: dict[str, Any]
    picture: bytes


def key_of(shot: Shot, *fingerprints: str) -> str:
    """What decides a measurement, as one short text: the shot, and the fingerprints of model and judge."""
    return hashlib.sha256("\n".join([shot.digest(), *fingerprints]).encode()).hexdigest()[:24]


def measure(tools: Tools, task: Task) -> Measured:
    """Make and measure one clip. The row holds boxes [subjects][F] (four numbers or null), features as
    base64 of little-endian float32, the pixel change and the seconds it took."""
    began = time.perf_counter()
    frames = tools.engine(task.shot)
    seconds = time.perf_counter() - began
    boxes = find_subjects(tools.judge, frames, task.subjects)
    features = ClipFeatures.of(tools.judge.features(frames))
    row = {
        "key": task.key,
        "prompt": task.shot.prompt,
        "boxes": [[None if np.isnan(b).any() else [round(float(v), 6) for v in b] for b in t] for t in boxes],
        "look": pack(features.look),
        "change": pack(features.change),
        "pixel_change": pixel_change(frames),
        "aspect": frames.shape[2] / frames.shape[1],
        "seconds": round(seconds, 3),
    }
    if task.shapes:
        row["look_at_shapes"] = look(tools.judge, frames, *task.subjects[0])
    return Measured(row, filmstrip(frames))


def boxes_of(row: dict[str, Any]) -> NDArray[np.float64]:
    """The boxes of a row: [subjects, F, 4], NaN where not found."""
    absent = [float("nan")] * 4
    return np.array([[absent if box is None else box for box in track] for track in row["boxes"]])


def features_of(row: dict[str, Any]) -> ClipFeatures:
    """The features of a row's clip."""
    change = unpack(row["change"])
    return ClipFeatures(unpack(row["look"]).reshape(1, FRAMES, -1), change[None])


def pack(features: NDArray[np.float32]) -> str:
    """Numbers as base64 of little-endian float32."""
    return base64.b64encode(features.astype("<f4").tobytes()).decode("ascii")


def unpack(text: str) -> NDArray[np.float32]:
    """What :func:`pack` packed, as one row."""
    return np.frombuffer(base64.b64decode(text), dtype="<f4").astype(np.float32)


def shown_frames(count: int) -> NDArray[np.int64]:
    """Which frames a picture keeps."""
    return np.linspace(0, count - 1, min(count, SHOWN)).round().astype(np.int64)


def filmstrip(frames: NDArray[np.uint8]) -> bytes:
    """Some frames side by side, as JPEG."""
    strip = np.concatenate(list(frames[shown_frames(len(frames))]), axis=1)
    buffer = io.BytesIO()
    Image.fromarray(strip).save(buffer, format="JPEG", quality=88)
    return buffer.getvalue()
