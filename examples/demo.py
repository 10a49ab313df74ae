"""The main job, end to end: drawn paths become videos, and one of them is changed in the middle of its run.

    python examples/demo.py [folder]

Writes one video a shot and ``sheet.png`` (every third frame, the paths drawn on). Takes a minute or two on a
laptop's CPU; no network, no GPU.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import rehearse as rh
from rehearse.media.overlay import draw_overlay, traces_of
from rehearse.media.sheet import Row, write_sheet

SQUARE, WIDE = (0.36, 0.36), (0.46, 0.3)
"""Width and height of a box: about the shape that the subject has."""


def path(*centres: tuple[float, float], size: tuple[float, float] = SQUARE) -> list[tuple[float, rh.Box]]:
    """Keyframes at equal times, boxes round the centres."""
    width, height = size
    boxes = [rh.Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2) for x, y in centres]
    return [(index / (len(boxes) - 1), box) for index, box in enumerate(boxes)]


ARC = path((0.22, 0.65), (0.35, 0.35), (0.5, 0.24), (0.65, 0.35), (0.78, 0.65))
DIP = path((0.22, 0.3), (0.35, 0.6), (0.5, 0.74), (0.65, 0.6), (0.78, 0.3))
THERE_AND_BACK = path((0.27, 0.5), (0.73, 0.5), (0.27, 0.5), size=WIDE)

SHOTS = {
    "arc": rh.Shot("a red ball over the meadow", seed=7).follow("red ball", ARC),
    "there-and-back": rh.Shot("a blue fish over the sea", seed=3).follow("blue fish", THERE_AND_BACK),
    "climb": rh.Shot("a purple balloon in the snow", seed=5).follow(
        "purple balloon", path((0.3, 0.72), (0.35, 0.45), (0.65, 0.28))
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", nargs="?", default="demo", type=Path, help="where to write (default: demo)")
    parser.add_argument("--steps", type=int, default=None, help="denoising steps (default: the model's)")
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, planned in SHOTS.items():
        shot = planned if arguments.steps is None else planned.with_(steps=arguments.steps)
        take = rh.Take.start(shot)
        rows.append(run(name, take, folder))
        if name == "arc":
            # Back to an early step of the same run, with another path: only the steps after it are paid for.
            changed = take.fork(at=2, shot=shot.follow("red ball", DIP))
            rows.append(run("arc-changed-at-step-2", changed, folder))
    write_sheet(folder / "sheet.png", rows, every=3)
    print(f"Look at {folder / 'sheet.png'}; the videos lie beside it, each with its shot inside:")
    print(f"    rehearse shot {folder / 'arc.mp4'}")


def run(name: str, take: rh.Take, folder: Path) -> Row:
    """Finish a take, telling the steps, and write its video."""
    started = time.monotonic()
    for event in take.play():
        print(f"\r{name}: step {event.step}/{event.steps}", end="", flush=True)
    clip = take.clip
    clip.save(folder / f"{name}.mp4")
    print(f"\r{name}: {clip.shot.prompt!r}, {time.monotonic() - started:.1f} s -> {folder / name}.mp4")
    return Row(draw_overlay(clip.frames, traces_of(clip.shot, len(clip.frames)), scale=1), name)


if __name__ == "__main__":
    main()
