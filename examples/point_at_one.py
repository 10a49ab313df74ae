"""One frame, three things that are alike, and each of them marked in turn: the actor goes to the marked one.

    python examples/point_at_one.py [folder]

Writes one video a mask and ``sheet.png``: a row a mask, the marked thing outlined in the first picture. Takes
less than a minute on a laptop's CPU; no network, no GPU.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

import rehearse as rh
from rehearse.evaluation.target.report import outlined
from rehearse.media.sheet import Row, write_sheet
from rehearse.theatre.world import render_target, sample_target_scene


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", nargs="?", default="pointed", type=Path, help="where to write")
    parser.add_argument("--seed", type=int, default=12, help="decides the scene")
    given = parser.parse_args()
    folder: Path = given.folder
    folder.mkdir(parents=True, exist_ok=True)
    world = render_target(sample_target_scene(np.random.default_rng(given.seed)), 1)
    rows = []
    for number, prop in enumerate(world.props, start=1):
        shot = rh.Shot(world.caption, model="theatre-reach").image(Image.fromarray(world.frames[0]))
        # The words and the noise are the same: the mask alone says which one is meant.
        clip = rh.generate(shot.target(world.scene.phrase, prop.astype(np.uint8) * 255))
        clip.save(folder / f"{number}.mp4")
        print(f"mask {number} -> {folder / f'{number}.mp4'}")
        marked = outlined(world.frames[0], prop)
        rows.append(Row(np.stack([marked, *clip.frames]), f"{world.caption}: number {number}"))
    write_sheet(folder / "sheet.png", rows, every=1)
    print(f"Look at {folder / 'sheet.png'}.")


if __name__ == "__main__":
    main()
