"""The elastic drag: a region is cut out of a picture, bent by its handles and laid down again. Instant.

The algorithm, also for the studio, which shows it live in the browser. Positions are pixel centres: fraction
x of a picture of width W is ``x * W - 0.5``. Colours are 0 to 255, opacity A is 0 to 1.

1. *Opacity.* A region with any value strictly between 0 and 1 is the opacity A. Another one gets an edge one
   pixel wide, inside its outline only: ``A = region * max(1/2, 2 b - 1)`` with b the region blurred by
   (1, 2, 1)/4 along rows and columns (the frame's edge repeats outward).
2. *Plate.* The picture B without the region: pixels with A > 0 are filled from around them
   (:mod:`~rehearse.pictures.prefill`). Round a region with an outline lies a halo, 1/40 of the frame's
   shorter side wide: what a thing leaves behind, its outline's last pixels and its shadow, is filled with it.
   None lies round a soft matte, which holds all of the thing: there more than a tenth of the values strictly
   between 0 and 1 have neither a 0 nor a 1 among their eight neighbours (an outline that crosses pixels has
   next to none, wherever it lies on their grid). A drag may say itself which of them its region is.
3. *Layer.* Colour times opacity with what shone through the soft edge taken out again:
   ``L = clip(C - (1 - A) B, 0, 255 A)``. Laid down where it was, it gives the picture C back.
4. *Lay.* For each pixel v of the result read (L', A') bilinearly at ``source(v)``
   (:mod:`~rehearse.pictures.elastic`; transparent beyond the frame) and set ``L' + (1 - A') B``, rounded.
   A halo pixel is the picture's own where the region is still within the halo's width of it, and B elsewhere.
   Where a pixel lies neither in region or halo nor under the region afterwards, it is the picture's own, bit
   for bit.

Several regions are cut out of the one picture first, then laid in their order, the later ones in front.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from rehearse.pictures.elastic import Elastic
from rehearse.pictures.prefill import box_of, prefill
from rehearse.pictures.region import find_region
from rehearse.resolve.instructions.drags import DragFault, Part, Region, check_region

Move = tuple[tuple[float, float], tuple[float, float]]
"""A handle and its target, (x, y) each, in fractions of the frame."""

HALO = 1 / 40
_CELL = 8
_LEAST_VISIBLE = 1.0
_SAME_REGION = 0.5
_DEEP = 0.1


@dataclass(frozen=True, eq=False, slots=True)
class Drag:
    """A region (bool, or float in [0, 1], ``[H, W]``; None: found from the handles) and the moves of its
    handles. halo: whether one lies round the region; None: by its values."""

    moves: Sequence[Move]
    region: Region | None = None
    halo: bool | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Warped:
    """What a drag made of a picture.

    picture: uint8 ``[H, W, 3]``; the bared area holds a smooth guess from around the region.
    exposed: bool ``[H, W]``: pixels of the region that it left and covers less than half of now, and of the
        halo that it is no longer near: they ask to be painted anew.
    moved: float32 ``[H, W]`` in [0, 1]: how much of each pixel the region covers where it is now.
    flow: float32 ``[H, W, 2]``, (x, y) in pixels: what is shown at a pixel that the region covers was read at
    the
        pixel plus its flow (backward displacement); 0 elsewhere.
    """

    picture: NDArray[np.uint8]
    exposed: NDArray[np.bool_]
    moved: NDArray[np.float32]
    flow: NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class Cut:
    """Regions cut out of a picture: made once, laid down for every frame or every move of the mouse.

    picture: the original. plate: it without the regions and their halo, filled. halo: bool ``[H, W]``, round
    the regions. opacity: one ``[H, W]`` a region. layers: colour times opacity and opacity, float32
    ``[h, w, 4]``, of the box that starts at the origins' (row, column).
    """

    picture: NDArray[np.uint8]
    plate: NDArray[np.uint8]
    halo: NDArray[np.bool_]
    opacity: tuple[NDArray[np.float32], ...]
    layers: tuple[NDArray[np.float32], ...]
    origins: tuple[tuple[int, int], ...]

    def lay(self, moves: Sequence[Sequence[Move]]) -> Warped:
        """Lay every region down by its moves (one sequence a region, in order).

        Raises:
            ShotError: a region would leave the frame altogether.
        """
        height, width = self.picture.shape[:2]
        moved = np.zeros((height, width), dtype=np.float32)
        flow = np.zeros((height, width, 2), dtype=np.float32)
        region = np.zeros((height, width), dtype=bool)
        canvas = self.picture.astype(np.float32)
        for opacity in self.opacity:
            region |= opacity > 0
        landed: list[tuple[tuple[slice, slice], NDArray[np.float32], NDArray[np.float32]]] = []
        for k, own in enumerate(moves):
            elastic = elastic_of(own, height, width)
            rows, columns = self._landing(k, elastic)
            y, x = np.mgrid[rows, columns].astype(np.float32)
            source_x, source_y = elastic.source(x, y)
            layer = _read(self.layers[k], source_x - self.origins[k][1], source_y - self.origins[k][0])
            cover = layer[..., 3]
            if float(cover.sum()) < min(_LEAST_VISIBLE, 0.5 * float(self.opacity[k].sum())):
                raise _vanished(own, k, len(moves) > 1)
            landed.append(((rows, columns), layer, np.stack([source_x - x, source_y - y], axis=-1)))
            np.maximum(moved[rows, columns], cover, out=moved[rows, columns])
        left = self.halo & ~widened(moved >= 0.5, halo_of(height, width)) if self.halo.any() else self.halo
        bared = region | left
        canvas[bared] = self.plate[bared]
        touched = bared.copy()
        moved[:] = 0
        for (rows, columns), layer, way in landed:
            cover = layer[..., 3]
            here = canvas[rows, columns]
            here *= 1 - cover[..., None]
            here += layer[..., :3]
            shown = cover > 0
            touched[rows, columns] |= shown
            front = (cover >= 0.5) | (shown & (moved[rows, columns] == 0))
            flow[rows, columns][front] = way[front]
            np.maximum(moved[rows, columns], cover, out=moved[rows, columns])
        picture = self.picture.copy()
        picture[touched] = np.rint(np.clip(canvas[touched], 0, 255)).astype(np.uint8)
        return Warped(picture, (region & (moved < 0.5)) | left, moved, flow)

    def _landing(self, k: int, elastic: Elastic) -> tuple[slice, slice]:
        """Rows and columns outside of which the region cannot be after the map."""
        height, width = self.picture.shape[:2]
        y, x = (np.append(np.arange(0, size - 1, _CELL), size - 1) for size in (height, width))
        grid_x, grid_y = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
        source_x, source_y = elastic.source(grid_x, grid_y)
        top, left = self.origins[k]
        tall, wide = self.layers[k].shape[:2]
        # A cell may show the region if the box of its corners' sources touches the region's box. The map
        # bends within a cell: a quarter of the box on each side allows for it.
        hit = np.ones((len(y) - 1, len(x) - 1), dtype=bool) if min(len(y), len(x)) > 1 else None
        if hit is None:
            return slice(0, height), slice(0, width)
        for source, low, high in ((source_x, left, left + wide), (source_y, top, top + tall)):
            corners = np.stack([source[:-1, :-1], source[1:, :-1], source[:-1, 1:], source[1:, 1:]])
            least, most = corners.min(axis=0), corners.max(axis=0)
            room = 1 + (most - least) / 4
            hit &= (most + room >= low) & (least - room <= high)
        if not hit.any():
            return slice(0, 0), slice(0, 0)
        rows, columns = box_of(hit)
        return (
            slice(int(y[rows.start]), int(y[rows.stop]) + 1),
            slice(int(x[columns.start]), int(x[columns.stop]) + 1),
        )


def warp_picture(picture: NDArray[np.uint8], moves: Sequence[Move], region: Region | None = None) -> Warped:
    """Drag one region of a picture: every handle onto its target, elastically.

    picture: uint8 ``[H, W, 3]``. moves: handle and target, fractions of the frame. region: ``[H, W]``, bool
    or the share of each pixel that belongs to it; None: found from the handles
    (:func:`~rehearse.pictures.region.find_region`).

    Raises:
        ShotError: empty region, handle outside it, two moves with one handle or one target, a move that takes
        the
            region out of the frame.
    """
    return warp_drags(picture, [Drag(moves, region)])


def warp_drags(picture: NDArray[np.uint8], drags: Sequence[Drag]) -> Warped:
    """Several drags of one picture; all regions are those of the original, the later drags lie in front.

    Raises:
        ShotError: as :func:`warp_picture`; also two drags of one region.
    """
    return cut(picture, drags).lay([drag.moves for drag in drags])


def cut(picture: NDArray[np.uint8], drags: Sequence[Drag]) -> Cut:
    """Cut the regions of drags out of a picture. Raises ShotError, as :func:`warp_drags`."""
    height, width = picture.shape[:2]
    regions: list[Region] = []
    for k, drag in enumerate(drags):
        several = len(drags) > 1
        check_moves(drag.moves, k, several)
        handles = [handle for handle, _ in drag.moves]
        region = find_region(picture, handles) if drag.region is None else drag.region
        check_region(region, handles, height, width, k, several)
        regions.append(region)
    done = cut_out(picture, regions, [drag.halo for drag in drags])
    for i, j in combinations(range(len(drags)), 2):
        _refuse_same(done.opacity[i], done.opacity[j], i, j)
    return done


def cut_out(picture: NDArray[np.uint8], regions: Sequence[Region], halos: Sequence[bool | None]) -> Cut:
    """Cut regions, each with its :attr:`Drag.halo`, out of a picture, wherever they go then: none is checked,
    and each must hold something."""
    height, width = picture.shape[:2]
    opacities = [opacity_of(region) for region in regions]
    support, outlined = np.zeros((2, height, width), dtype=bool)
    for region, opacity, with_halo in zip(regions, opacities, halos, strict=True):
        support |= opacity > 0
        if with_halo or (with_halo is None and not is_matte(region)):
            outlined |= opacity > 0
    halo = widened(outlined, halo_of(height, width)) & ~support
    plate = prefill(picture, support | halo)
    layers, origins = [], []
    for opacity in opacities:
        rows, columns = box_of(opacity > 0)
        a = opacity[rows, columns, None]
        behind = plate[rows, columns].astype(np.float32)
        colour = np.clip(picture[rows, columns] - (1 - a) * behind, 0, 255 * a)
        layers.append(np.concatenate([colour, a], axis=2).astype(np.float32))
        origins.append((rows.start, columns.start))
    return Cut(picture, plate, halo, tuple(opacities), tuple(layers), tuple(origins))


def halo_of(height: int, width: int) -> int:
    """Width of the halo in pixels."""
    return max(1, round(HALO * min(height, width)))


def widened(marked: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """What is marked and all within ``reach`` pixels of it along rows and columns (a square's distance)."""
    wide = marked.copy()
    for axis in (0, 1):
        done = 0
        while done < reach:
            # What is wide by d already, moved by d + 1 either way at most, is wide by 2 d + 1.
            step = min(done + 1, reach - done)
            source = wide.swapaxes(0, axis).copy()
            wide.swapaxes(0, axis)[step:] |= source[:-step]
            wide.swapaxes(0, axis)[:-step] |= source[step:]
            done += step
    return wide


def opacity_of(region: Region) -> NDArray[np.float32]:
    """Step 1 of the module's algorithm: float32 ``[H, W]``, above 0 exactly where the region is."""
    matte = np.clip(region.astype(np.float32), 0, 1)
    if _between(matte).any():
        return matte
    padded = np.pad(matte, 1, mode="edge")
    blurred = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    blurred = (blurred[:, :-2] + 2 * blurred[:, 1:-1] + blurred[:, 2:]) / 16
    return np.asarray(matte * np.maximum(0.5, 2 * blurred - 1), dtype=np.float32)


def is_matte(region: Region) -> bool:
    """Whether a region ``[H, W]`` says how far each pixel is the thing's; else it has an outline."""
    between = _between(region)
    # What an outline leaves of a pixel lies beside what is wholly inside or outside of it.
    return bool((between & ~widened(~between, 1)).sum() > _DEEP * between.sum())


def _between(region: Region) -> NDArray[np.bool_]:
    return np.asarray((region > 0) & (region < 1))


def elastic_of(moves: Sequence[Move], height: int, width: int) -> Elastic:
    """The map of moves in fractions on a picture of this size."""
    ends = np.asarray(moves, dtype=np.float64).reshape(-1, 2, 2)
    places = ends[..., 0] * width - 0.5 + 1j * (ends[..., 1] * height - 0.5)
    return Elastic(places[:, 0], places[:, 1])


def check_moves(moves: Sequence[Move], drag: int = 0, several: bool = False) -> None:
    """Raise DragFault for moves that cannot be one drag. drag: its number, among several."""

    def fault(what: str, remedy: str, part: Part, move: int, value: object = ...) -> DragFault:
        return DragFault(what, remedy, drag=drag, several=several, part=part, move=move, value=value)

    if not moves:
        raise fault("a drag needs at least one move, a handle and its target", "add one", "moves", 0)
    for i, (handle, target) in enumerate(moves):
        if not all(np.isfinite([*handle, *target])):
            raise fault("its positions must be finite numbers", "set them", "move", i, [*handle, *target])
        if not (0 <= handle[0] <= 1 and 0 <= handle[1] <= 1):
            raise fault(
                "it is outside the picture", "positions are fractions from 0 to 1", "handle", i, list(handle)
            )
        if any(tuple(handle) == tuple(other) for other, _ in moves[:i]):
            raise fault("another move has this handle", "take each point once", "handle", i, list(handle))
        if any(tuple(target) == tuple(other) for _, other in moves[:i]):
            raise fault(
                "another move of this region ends there too", "give each handle its own target",
                "target", i, list(target),
            )  # fmt: skip


def _refuse_same(a: NDArray[np.float32], b: NDArray[np.float32], i: int, j: int) -> None:
    both, either = np.minimum(a, b).sum(), np.maximum(a, b).sum()
    if both > _SAME_REGION * either:
        raise DragFault(
            "{other} pulls the same region", "put both handles into the moves of one drag",
            drag=j, several=True, part="region", other=i,
        )  # fmt: skip


def _vanished(moves: Sequence[Move], drag: int, several: bool) -> DragFault:
    outside = [i for i, (_, (x, y)) in enumerate(moves) if not (0 <= x <= 1 and 0 <= y <= 1)]
    i = outside[0] if outside else 0
    return DragFault(
        "nothing of the region would be left in the frame", "end the move nearer to the picture",
        drag=drag, several=several, part="target", move=i, value=list(moves[i][1]),
    )  # fmt: skip


def _read(layer: NDArray[np.float32], x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
    """A layer ``[h, w, 4]`` read bilinearly at places of its own, 0 beyond it; ``[*x.shape, 4]``."""
    height, width = layer.shape[:2]
    result = np.zeros((*x.shape, 4), dtype=np.float32)
    inside = (x > -1) & (y > -1) & (x < width) & (y < height)
    if not inside.any():
        return result
    at_x, at_y = x[inside] + 1, y[inside] + 1
    column, row = at_x.astype(np.int32), at_y.astype(np.int32)
    part_x, part_y = (at_x - column)[:, None], (at_y - row)[:, None]
    stride = width + 2
    flat = np.pad(layer, ((1, 1), (1, 1), (0, 0))).reshape(-1, 4)
    first = row * stride + column
    top = flat[first] * (1 - part_x) + flat[first + 1] * part_x
    bottom = flat[first + stride] * (1 - part_x) + flat[first + stride + 1] * part_x
    result[inside] = top * (1 - part_y) + bottom * part_y
    return result
