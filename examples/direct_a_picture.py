"""A picture, directed: an edit, paint, drags and a path, one after the other, each with its clip.

    python examples/direct_a_picture.py [folder]

Writes one video a take and ``sheet.png``: a row a take, with what was drawn on it. Takes a minute or two on a
laptop's CPU; no network, no GPU.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image

import rehearse as rh
from rehearse.media.overlay import draw_overlay, traces_of
from rehearse.media.sheet import Row, write_sheet
from rehearse.theatre.world import Actor, Scene, render_frame

BALLOON, CAR, STAR = (0.74, 0.28), (0.25, 0.74), (0.35, 0.2)
AT_REST = "{} and {} over the meadow"


def still() -> Image.Image:
    """A car and a balloon over a meadow."""
    places = (("car", "red", CAR), ("balloon", "blue", BALLOON))
    actors = tuple(
        Actor(kind, colour, ((0.0, *place, 1.0, 0.0),), size=0.36) for kind, colour, place in places
    )
    return Image.fromarray(render_frame(Scene("meadow", actors, backdrop_seed=4), 0.0, 128).frame)


def takes() -> dict[str, rh.Shot]:
    """By what is said, the shot: each goes on from the one before it."""
    two = AT_REST.format("a red car", "a blue balloon")
    shot = rh.Shot(two, model="theatre-animate", seed=2).image(still())
    found = {"words: the car moves right": shot.motion("a red car moves right over the meadow")}
    shot = shot.drag(BALLOON, (0.5, 0.3), via=[(0.62, 0.18)])
    found["drag: the balloon goes where it is dragged"] = shot
    road = [(0, rh.Box(0.07, 0.6, 0.43, 0.88)), (1, rh.Box(0.57, 0.6, 0.93, 0.88))]
    found["box path: and the red car drives"] = shot.follow("red car", road)
    green = rh.Shot(AT_REST.format("a green boat", "a blue balloon"), model="theatre-animate", seed=2)
    green = green.image(still()).edit("a green boat over the meadow", rh.Box(0.04, 0.56, 0.46, 0.92))
    found["edit: in this region, a boat; and both are dragged"] = green.drag(
        BALLOON, (0.5, 0.3), via=[(0.62, 0.18)]
    ).drag(CAR, (0.7, 0.74), region=rh.Box(0.04, 0.56, 0.46, 0.92))
    blob = rh.Stroke([(0.27, 0.2), (0.43, 0.2)], width=0.18, colour="#f2d16b")
    painted = rh.Shot(AT_REST.format("a red car", "a yellow star"), model="theatre-animate", seed=2)
    painted = painted.image(still()).paint(blob, prompt="a yellow star over the meadow")
    found["paint: a stroke becomes a star, which falls and comes back"] = painted.drag(
        STAR, (0.58, 0.5)
    ).motion(loop=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", nargs="?", default="directed", type=Path, help="where to write")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, (said, shot) in enumerate(takes().items(), start=1):
        clip = rh.generate(shot)
        clip.save(folder / f"{number}.mp4")
        print(f"{said} -> {folder / f'{number}.mp4'}")
        rows.append(Row(draw_overlay(clip.frames, traces_of(shot, len(clip.frames)), scale=1), said))
    write_sheet(folder / "sheet.png", rows, every=3)
    print(f"Look at {folder / 'sheet.png'}.")


if __name__ == "__main__":
    main()
