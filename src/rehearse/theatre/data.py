"""Data sets of the world: rendered once into a folder, read as memory maps.

``stills`` holds single frames for the image model, the codec and the judge; ``clips`` whole clips for the
video models. Element ``i`` depends on the seed and ``i`` alone, so a set can be made by any number of
processes, and continued.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rehearse.theatre.parts import part_map
from rehearse.theatre.world import render, render_frame, sample_scene
from rehearse.theatre.world.render import frame_times
from rehearse.theatre.world.vocabulary import BACKDROPS, COLOURS, PUPPETS

FRAMES, SIZE, CELL = 16, 128, 8
CHUNK = 256
HELD_OUT = 1_000_000_000
"""Indices from here on are never trained on; evaluation draws from them."""


def rng_of(seed: int, index: int) -> np.random.Generator:
    """The random generator of element ``index`` of the data set with this seed."""
    return np.random.default_rng([seed, index])


def labels_of(scene: Any) -> dict[str, Any]:
    """What the judge learns of a scene: indices of each actor's kind and colour, and of the backdrop."""
    return {
        "kinds": [PUPPETS.index(actor.kind) for actor in scene.actors],
        "colours": [COLOURS.index(actor.colour) for actor in scene.actors],
        "backdrop": BACKDROPS.index(scene.backdrop),
    }


def _still_chunk(
    task: tuple[int, int, int],
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.int8], list[dict[str, Any]]]:
    seed, first, count = task
    frames = np.empty((count, SIZE, SIZE, 3), np.uint8)
    masks = np.empty((count, SIZE, SIZE), np.uint8)
    parts = np.empty((count, SIZE // CELL, SIZE // CELL, 3), np.int8)
    rows = []
    for k in range(count):
        rng = rng_of(seed, first + k)
        # More than one subject in two fifths: the image model must learn whose colour is whose.
        scene = sample_scene(rng)
        t = float(rng.random())
        still = render_frame(scene, t, SIZE)
        frames[k], masks[k], parts[k] = still.frame, still.masks, part_map(scene, t, still.masks, CELL)
        rows.append({"caption": still.still_caption, **labels_of(scene)})
    return frames, masks, parts, rows


def _clip_chunk(
    length: int,
    task: tuple[int, int, int],
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.int8], list[dict[str, Any]]]:
    seed, first, count = task
    frames = np.empty((count, length, SIZE, SIZE, 3), np.uint8)
    masks = np.empty((count, length, SIZE, SIZE), np.uint8)
    parts = np.empty((count, length, SIZE // CELL, SIZE // CELL, 5), np.int8)
    rows = []
    for k in range(count):
        clip = render(sample_scene(rng_of(seed, first + k)), length, SIZE)
        frames[k], masks[k] = clip.frames, clip.masks
        for at, t in enumerate(frame_times(length)):
            parts[k, at] = part_map(clip.scene, t, clip.masks[at], CELL, moving=True)
        rows.append({"caption": clip.caption, **labels_of(clip.scene)})
    return frames, masks, parts, rows


def _chunks(
    work: Callable[[tuple[int, int, int]], Any], seed: int, first: int, count: int, workers: int
) -> Iterator[tuple[int, Any]]:
    """Rendered chunks in order, with the offset of each."""
    tasks = [(seed, first + at, min(CHUNK, count - at)) for at in range(0, count, CHUNK)]
    offsets = range(0, count, CHUNK)
    if workers <= 1:
        yield from ((at, work(task)) for at, task in zip(offsets, tasks, strict=True))
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from zip(offsets, pool.map(work, tasks), strict=True)


_Arrays = dict[str, tuple[type[np.generic], tuple[int, ...]]]
"""Type and shape of each array of a set, by its file's name."""


def _begun(folder: Path, arrays: _Arrays) -> tuple[int, list[NDArray[Any]]]:
    """How many elements of a set are there, and its arrays to write the others to.

    A set whose first array has another shape is begun anew; rows behind the last whole chunk are cut off.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows, name = folder / "rows.jsonl", next(iter(arrays))
    done = 0
    if rows.exists() and (folder / f"{name}.npy").exists():
        done = sum(1 for line in rows.open(encoding="utf-8") if line.endswith("\n")) // CHUNK * CHUNK
        if np.load(folder / f"{name}.npy", mmap_mode="r").shape != arrays[name][1]:
            done = 0
    mode: Literal["r+", "w+"] = "r+" if done else "w+"
    files: list[NDArray[Any]] = [
        np.lib.format.open_memmap(folder / f"{name}.npy", mode, kind, shape)
        for name, (kind, shape) in arrays.items()
    ]
    kept = rows.read_text(encoding="utf-8").splitlines(keepends=True)[:done] if done else []
    rows.write_text("".join(kept), encoding="utf-8")
    return done, files


def _fill(
    folder: Path,
    done: int,
    files: list[NDArray[Any]],
    chunks: Iterator[tuple[int, Any]],
    stored: Callable[..., tuple[NDArray[Any], ...]],
    progress: Callable[[int], None] | None,
) -> None:
    """Write rendered chunks behind what is done. stored: what the arrays hold of frames, owners and parts."""
    with (folder / "rows.jsonl").open("a", encoding="utf-8") as out:
        for at, (*drawn, rows) in chunks:
            start = done + at
            end = start + len(rows)
            for file, values in zip(files, stored(*drawn), strict=True):
                file[start:end] = values
            out.write("".join(json.dumps(row) + "\n" for row in rows))
            out.flush()
            if progress is not None:
                progress(end)


@dataclass(frozen=True)
class Stills:
    """Stills on disk: ``frames`` uint8 [N, H, W, 3], ``masks`` uint8 [N, H, W], ``parts`` int8 [N, h, w, 3]
    (see :mod:`rehearse.theatre.parts`), ``rows`` captions and labels.

    While a set is still being made, only its finished part is seen; :meth:`open` again to see more.
    """

    frames: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    parts: NDArray[np.int8]
    rows: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def open(cls, folder: Path) -> Stills:
        """Open the finished part of a set made by :func:`make_stills`."""
        with (folder / "rows.jsonl").open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines if line.endswith("\n")]
        frames = np.load(folder / "frames.npy", mmap_mode="r")
        masks = np.load(folder / "masks.npy", mmap_mode="r")
        parts = np.load(folder / "parts.npy", mmap_mode="r")
        return cls(frames=frames, masks=masks, parts=parts, rows=rows)


def make_stills(
    folder: Path,
    count: int,
    seed: int,
    workers: int = os.cpu_count() or 1,
    first: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Stills:
    """Render ``count`` stills into ``folder``; a set that is there already is continued, not made again."""
    arrays: _Arrays = {
        "frames": (np.uint8, (count, SIZE, SIZE, 3)),
        "masks": (np.uint8, (count, SIZE, SIZE)),
        "parts": (np.int8, (count, SIZE // CELL, SIZE // CELL, 3)),
    }
    done, files = _begun(folder, arrays)
    chunks = _chunks(_still_chunk, seed, first + done, count - done, workers)
    _fill(folder, done, files, chunks, lambda *drawn: drawn, progress)
    return Stills.open(folder)


def draw_stills(seed: int, indices: Sequence[int]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Frames uint8 [n, H, W, 3] and masks uint8 [n, H, W] of some elements of a set, which need not be on
    disk."""
    drawn = [_still_chunk((seed, int(index), 1)) for index in indices]
    return np.concatenate([one[0] for one in drawn]), np.concatenate([one[1] for one in drawn])


@dataclass(frozen=True)
class Clips:
    """Encoded clips on disk: ``latents`` float16 [N, F, C, h, w], ``subjects`` uint8 [N, F, h, w] (the share
    of each latent pixel that a puppet covers, 0 to 255), ``parts`` int8 [N, F, h, w, 5] (see
    :mod:`rehearse.theatre.parts`), ``rows`` captions and labels."""

    latents: NDArray[np.float16]
    subjects: NDArray[np.uint8]
    parts: NDArray[np.int8]
    rows: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def open(cls, folder: Path) -> Clips:
        """Open the finished part of a set made by :func:`make_clips`."""
        with (folder / "rows.jsonl").open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines if line.endswith("\n")]
        latents = np.load(folder / "latents.npy", mmap_mode="r")
        subjects = np.load(folder / "subjects.npy", mmap_mode="r")
        parts = np.load(folder / "parts.npy", mmap_mode="r")
        return cls(latents=latents, subjects=subjects, parts=parts, rows=rows)


def coverage(masks: NDArray[np.uint8], factor: int = 8) -> NDArray[np.uint8]:
    """Part of each ``factor`` x ``factor`` block that puppets cover, 0 to 255: [..., H, W] to [..., h, w]."""
    *lead, height, width = masks.shape
    blocks = (masks > 0).reshape(*lead, height // factor, factor, width // factor, factor)
    return (blocks.mean(axis=(-3, -1)) * 255).round().astype(np.uint8)


def make_clips(
    folder: Path,
    count: int,
    seed: int,
    encode: Callable[[NDArray[np.uint8]], NDArray[np.float16]],
    workers: int = os.cpu_count() or 1,
    first: int = 0,
    progress: Callable[[int], None] | None = None,
    *,
    render_chunk: Callable[[tuple[int, int, int]], Any] | None = None,
    length: int = FRAMES,
    stride: int = 1,
) -> Clips:
    """Render ``count`` clips and keep their latents; ``encode`` maps uint8 [n, H, W, 3] to [n, C, h, w].

    render_chunk: of a (seed, first, count), the frames, owners, part maps and rows of that many clips of
    ``length`` frames; None for clips of the world.
    stride: above 1, frames of one latent frame, of a codec that takes time together: ``encode`` maps whole
    clips, uint8 [n * length, H, W, 3] in their order, to [n * f, C, h, w], and subjects and parts are those
    of the last frame of each.
    """
    probe = encode(np.zeros((length if stride > 1 else 1, SIZE, SIZE, 3), np.uint8))
    kept = len(range(0, length, stride))
    clip = (kept, *probe.shape[1:])
    arrays: _Arrays = {
        "latents": (np.float16, (count, *clip)),
        "subjects": (np.uint8, (count, kept, *probe.shape[2:])),
        "parts": (np.int8, (count, kept, SIZE // CELL, SIZE // CELL, 5)),
    }

    def encoded(
        frames: NDArray[np.uint8], owners: NDArray[np.uint8], cells: NDArray[np.int8]
    ) -> tuple[NDArray[Any], ...]:
        latents = encode(frames.reshape(-1, SIZE, SIZE, 3)).reshape(len(frames), *clip)
        return latents, coverage(owners[:, ::stride]), cells[:, ::stride]

    done, files = _begun(folder, arrays)
    chunks = _chunks(render_chunk or partial(_clip_chunk, length), seed, first + done, count - done, workers)
    _fill(folder, done, files, chunks, encoded, progress)
    return Clips.open(folder)


def encode_stills(
    folder: Path,
    stills: Stills,
    encode: Callable[[NDArray[np.uint8]], NDArray[np.float16]],
    progress: Callable[[int], None] | None = None,
) -> Clips:
    """Keep the latents of a set of stills as clips of one frame, continued where it stopped.

    encode: maps uint8 [n, H, W, 3] to [n, C, h, w]. Of ``parts``, the last two numbers, velocities, are 0.
    """
    probe = encode(np.zeros((1, SIZE, SIZE, 3), np.uint8))
    count, cells = len(stills), stills.parts.shape[1:3]
    arrays: _Arrays = {
        "latents": (np.float16, (count, 1, *probe.shape[1:])),
        "subjects": (np.uint8, (count, 1, *probe.shape[2:])),
        "parts": (np.int8, (count, 1, *cells, 5)),
    }

    def chunks(done: int) -> Iterator[tuple[int, Any]]:
        for at in range(done, count, CHUNK):
            some = slice(at, min(at + CHUNK, count))
            yield at - done, (stills.frames[some], stills.masks[some], stills.parts[some], stills.rows[some])

    def encoded(
        frames: NDArray[np.uint8], owners: NDArray[np.uint8], cells: NDArray[np.int8]
    ) -> tuple[NDArray[Any], ...]:
        parts = np.pad(cells, ((0, 0), (0, 0), (0, 0), (0, 2)))
        return encode(frames)[:, None], coverage(owners)[:, None], parts[:, None]

    done, files = _begun(folder, arrays)
    _fill(folder, done, files, chunks(done), encoded, progress)
    return Clips.open(folder)
