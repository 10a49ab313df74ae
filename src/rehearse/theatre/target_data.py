"""Data sets of the target scene: clip ``i`` depends on the seed and ``i`` alone.

The base model learns from encoded clips (:func:`make_target_clips`) and never sees a mask. Masks of every
prop come with the clip itself: :func:`target_clip` renders it again in milliseconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rehearse.theatre.data import CELL, SIZE, Clips, make_clips, rng_of
from rehearse.theatre.parts import target_part_map
from rehearse.theatre.world.render import frame_times
from rehearse.theatre.world.target_render import TargetClip, render_target
from rehearse.theatre.world.target_scene import FPS, FRAMES, TargetScene, sample_target_scene


def target_scene(seed: int, index: int) -> TargetScene:
    """The scene of clip ``index``; evaluation draws from :data:`rehearse.theatre.data.HELD_OUT` on."""
    return sample_target_scene(rng_of(seed, index))


def target_clip(seed: int, index: int) -> TargetClip:
    """Clip ``index`` of the data set with this seed, with its ground truth."""
    return render_target(target_scene(seed, index), FRAMES, SIZE)


def row_of(clip: TargetClip) -> dict[str, Any]:
    """What a data set's row says of a clip: caption and target phrase; actor, kind and colour of the props;
    which prop was touched and in which frame; boxes (of the props, then the actor) in each frame, with
    None for one out of frame."""
    scene = clip.scene
    boxes = [
        [None if np.isnan(box).any() else [round(float(v), 4) for v in box] for box in track]
        for track in clip.boxes
    ]
    return {
        "caption": clip.caption,
        "phrase": scene.phrase,
        "actor": scene.actor,
        "kind": scene.target.kind,
        "colour": scene.target.colour,
        "backdrop": scene.backdrop,
        "chosen": scene.chosen,
        "touched_at": clip.touched_at,
        "boxes": boxes,
    }


def _chunk(
    task: tuple[int, int, int],
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.int8], list[dict[str, Any]]]:
    seed, first, count = task
    frames = np.empty((count, FRAMES, SIZE, SIZE, 3), np.uint8)
    owners = np.empty((count, FRAMES, SIZE, SIZE), np.uint8)
    parts = np.empty((count, FRAMES, SIZE // CELL, SIZE // CELL, 5), np.int8)
    rows = []
    for k in range(count):
        clip = target_clip(seed, first + k)
        frames[k], owners[k] = clip.frames, clip.owners
        for at, t in enumerate(frame_times(FRAMES)):
            parts[k, at] = target_part_map(clip.scene, t, clip.owners[at], CELL)
        rows.append(row_of(clip))
    return frames, owners, parts, rows


def make_target_clips(
    folder: Path,
    count: int,
    seed: int,
    encode: Callable[[NDArray[np.uint8]], NDArray[np.float16]],
    **options: Any,
) -> Clips:
    """Render and encode ``count`` clips into ``folder``, continued where it stopped; options and ``encode``
    as in :func:`rehearse.theatre.data.make_clips`. Rows hold :func:`row_of` each clip."""
    return make_clips(folder, count, seed, encode, render_chunk=_chunk, length=FRAMES, **options)


def write_target_rows(
    folder: Path, count: int, seed: int, first: int = 0, *, actors: bool = True, name: str = "data.jsonl"
) -> Path:
    """Clips as files for ``rehearse train target``: ``clips/`` (lossless), ``masks/`` of target and actor in
    the first frame, and the rows, whose path is returned. Files that are there are replaced.

    actors: whether actors are masked and named too. name: of the file of rows.
    """
    from rehearse.media import write_clip, write_picture

    for part in ("clips", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    lines = []
    for index in range(first, first + count):
        clip = target_clip(seed, index)
        row = {
            "video": f"clips/{index:06d}.apng",
            "mask": f"masks/{index:06d}.png",
            "caption": clip.caption,
            "target": clip.scene.phrase,
        }
        masks = {"mask": clip.mask}
        if actors:
            row |= {"actor_mask": f"masks/{index:06d}-actor.png", "actor": clip.scene.actor}
            masks["actor_mask"] = clip.actor_mask
        write_clip(folder / row["video"], clip.frames, FPS)
        for field, mask in masks.items():
            write_picture(folder / row[field], Image.fromarray(mask.astype(np.uint8) * 255))
        lines.append(json.dumps(row) + "\n")
    data = folder / name
    data.write_text("".join(lines), encoding="utf-8")
    return data
