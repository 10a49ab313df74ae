"""A first take: words and a path become a clip; then the same take, branched in its middle.

    python examples/first_take.py [FOLDER]

Writes into FOLDER (default: first-take): ball.mp4, the same with its path drawn, a take that was sent another
way after a third of its steps, and a sheet that shows all of them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import rehearse as rh
from rehearse.media import Row, draw_overlay, traces_of, write_clip, write_sheet

HERE = Path(__file__).resolve().parent


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)

    # What is asked for. A shot is a document: every method returns a new one.
    shot = rh.Shot("a red ball over the meadow", seed=7)
    shot = shot.follow("red ball", [(0, rh.Box(0.05, 0.4, 0.37, 0.72)), (1, rh.Box(0.63, 0.4, 0.95, 0.72))])

    # One run of it. Nothing has run yet; every pass of the loop is one denoising step.
    take = rh.Take.start(shot)
    for event in take.play():
        print(f"\rstep {event.step} of {event.steps}", end="", flush=True)
    print()
    clip = take.clip
    clip.save(folder / "ball.mp4")  # the shot travels in the file: rehearse shot ball.mp4

    # Where the ball was sent, over where it went.
    drawn = draw_overlay(clip.frames, traces_of(shot, len(clip.frames)))
    write_clip(folder / "ball.paths.mp4", drawn, clip.fps, shot)

    # A path that no prompt describes, from a shot file.
    arc = rh.Shot.load(HERE / "arc.json")
    arc_clip = rh.generate(arc)
    arc_clip.save(folder / "arc.mp4")

    # The first take again, sent along the arc after a third of its steps: only the rest is paid for.
    branch = take.fork(at=take.steps // 3, shot=arc).finish()
    branch.clip.save(folder / "branch.mp4")

    write_sheet(
        folder / "sheet.png",
        [
            Row(drawn, "straight"),
            Row(
                draw_overlay(arc_clip.frames, traces_of(arc, len(arc_clip.frames))),
                "arc, from the first step",
            ),
            Row(
                draw_overlay(branch.clip.frames, traces_of(arc, len(branch.clip.frames))),
                f"arc, from step {take.steps // 3} of {take.steps}",
            ),
        ],
        every=5,
    )
    print(f"look at {folder / 'sheet.png'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("first-take"))
