"""Rendering of target scenes: frames, and the ground truth that goes with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .backdrops import backdrop
from .paper import tones
from .puppets import Piece, pieces
from .render import EDGE, frame_times, lay
from .target_actors import ACTOR_COLOURS, crane, frog, hand
from .target_scene import FRAMES, TargetScene


@dataclass(frozen=True)
class TargetClip:
    """A rendered target scene of K props with its ground truth.

    frames: uint8 [F, H, W, 3]. props: bool [K, H, W], each prop's pixels in the first frame. boxes: float32
    [K + 1, F, 4], (x0, y0, x1, y1) as fractions of the frame, the actor's last. owners: uint8 [F, H, W],
    0 backdrop, k + 1 the front-most prop k, K + 1 the actor. touched_at: the first frame in which the
    actor lies on the prop it reaches, None where it stops short.
    """

    frames: NDArray[np.uint8]
    props: NDArray[np.bool_]
    boxes: NDArray[np.float32]
    owners: NDArray[np.uint8]
    touched_at: int | None
    scene: TargetScene

    @property
    def caption(self) -> str:
        """The caption, the same whichever prop is reached."""
        return self.scene.caption

    @property
    def mask(self) -> NDArray[np.bool_]:
        """The target's pixels in the first frame, [H, W]."""
        chosen: NDArray[np.bool_] = self.props[self.scene.chosen]
        return chosen

    @property
    def actor_mask(self) -> NDArray[np.bool_]:
        """The actor's pixels in the first frame, [H, W]."""
        return np.asarray(self.owners[0] == len(self.props) + 1)


def prop_rigid(scene: TargetScene, index: int, t: float, size: int) -> tuple[complex, complex]:
    """A prop's similarity transform at time t, in pixels: centre x + iy, and scale times e^(i angle)."""
    x, y, angle = scene.prop_at(index, t)
    extent = (scene.props[index].size - 2 * EDGE) * size
    return complex(x, y) * size, extent * complex(np.cos(angle), np.sin(angle))


def _lay_prop(scene: TargetScene, index: int, t: float, canvas: Image.Image, mask: Image.Image) -> Box:
    parts, _ = pieces(scene.props[index].kind, 0.0, 0.0)
    centre, turn = prop_rigid(scene, index, t, canvas.width)
    points = np.concatenate([part.points for part in parts])
    z = (points[:, 0] + 1j * points[:, 1]) * turn + centre
    tone = tones(scene.props[index].colour)
    return lay(parts, np.stack([z.real, z.imag], axis=1), tone, canvas, mask, index)


def _lay_actor(scene: TargetScene, t: float, canvas: Image.Image, mask: Image.Image) -> Box:
    point, air = scene.actor_at(t)
    parts: Sequence[Piece]
    if scene.actor == "hand":
        parts = hand(point, scene.shoulder)
    else:
        parts = crane(point) if scene.actor == "crane" else frog(point, air)
    points = np.concatenate([part.points for part in parts]) * canvas.width
    return lay(parts, points, tones(ACTOR_COLOURS[scene.actor]), canvas, mask, len(scene.props))


Box = tuple[float, ...] | None


def render_target(scene: TargetScene, frames: int = FRAMES, size: int = 128) -> TargetClip:
    """The scene as a clip of ``frames`` frames of size x size pixels, with its ground truth."""
    if frames < 1 or size < 32:
        raise ValueError(
            f"a target clip needs at least 1 frame of at least 32 pixels, not {frames} of {size}"
        )
    count = len(scene.props)
    boxes = np.full((count + 1, frames, 4), np.nan, dtype=np.float32)

    def with_props(t: float) -> tuple[Image.Image, Image.Image, list[Box]]:
        # Always in the same order, whichever is chosen: where soft shadows meet, it shows by a grey level.
        canvas = backdrop(scene.backdrop, scene.backdrop_seed, size).copy()
        mask = Image.new("L", (size, size), 0)
        return canvas, mask, [_lay_prop(scene, k, t, canvas, mask) for k in range(count)]

    at_rest, still = scene.prop_at(scene.chosen, 0.0), with_props(0.0)
    alone = np.array(still[1])
    props = np.stack([alone == k + 1 for k in range(count)])
    pictures, owners = [], []
    for f, t in enumerate(frame_times(frames)):
        laid = still if scene.prop_at(scene.chosen, t) == at_rest else with_props(t)
        canvas, mask = laid[0].copy(), laid[1].copy()
        for k, box in enumerate(laid[2]):
            if box is not None:
                boxes[k, f] = box
        if (box := _lay_actor(scene, t, canvas, mask)) is not None:
            boxes[count, f] = box
        pictures.append(np.array(canvas))
        owners.append(np.array(mask))
    owned = np.stack(owners)
    on_it = (owned == count + 1)[:, props[scene.chosen]].any(axis=1)
    touched = int(on_it.argmax()) if on_it.any() else None
    return TargetClip(np.stack(pictures), props, boxes, owned, touched, scene)
