"""The paper world: deterministic rendering, and ground truth that agrees with the pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rehearse.theatre.world import (
    BACKDROPS,
    COLOURS,
    MOTIONS,
    PUPPETS,
    Actor,
    Scene,
    caption,
    contact_sheet,
    render,
    render_frame,
    sample_scene,
    still_caption,
    through,
    words,
)
from rehearse.theatre.world.scene import SIZES_MORE, SIZES_ONE


def box_of(mask: np.ndarray) -> np.ndarray:
    """The (x0, y0, x1, y1) of a mask, in fractions."""
    ys, xs = np.nonzero(mask)
    h, w = mask.shape
    return np.array([xs.min() / w, ys.min() / h, (xs.max() + 1) / w, (ys.max() + 1) / h])


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    w = max(min(a[2], b[2]) - max(a[0], b[0]), 0.0)
    h = max(min(a[3], b[3]) - max(a[1], b[1]), 0.0)
    area = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return float(w * h / (area - w * h))


def centres(boxes: np.ndarray) -> np.ndarray:
    """The centre of each box, in fractions."""
    return np.stack([(boxes[..., 0] + boxes[..., 2]) / 2, (boxes[..., 1] + boxes[..., 3]) / 2], axis=-1)


def still(kind: str = "ball", colour: str = "red", size: float = 0.35, **more: object) -> Actor:
    """An actor standing in the middle."""
    return Actor(kind, colour, through([(0.5, 0.5), (0.5, 0.5)]), size=size, **more)  # type: ignore[arg-type]


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**31))
def test_the_same_seed_gives_the_same_bytes(seed: int) -> None:
    first = sample_scene(np.random.default_rng(seed))
    second = sample_scene(np.random.default_rng(seed))
    assert first == second
    a, b = render(first, frames=4, size=64), render(second, frames=4, size=64)
    for name in ("frames", "masks", "flow"):
        assert getattr(a, name).tobytes() == getattr(b, name).tobytes()
    np.testing.assert_array_equal(a.boxes, b.boxes)


def test_shapes_and_types() -> None:
    scene = sample_scene(np.random.default_rng(3), subjects=2)
    clip = render(scene, frames=5, size=96)
    assert (clip.frames.shape, clip.frames.dtype) == ((5, 96, 96, 3), np.uint8)
    assert (clip.boxes.shape, clip.boxes.dtype) == ((2, 5, 4), np.float32)
    assert (clip.masks.shape, clip.masks.dtype) == ((5, 96, 96), np.uint8)
    assert (clip.flow.shape, clip.flow.dtype) == ((4, 96, 96, 2), np.float16)
    one = render(scene, frames=1, size=33)
    assert one.flow.shape == (0, 33, 33, 2)
    np.testing.assert_array_equal(render_frame(scene, 0.5, 96).frame, clip.frames[2])


@pytest.mark.parametrize("kind", PUPPETS)
def test_every_puppet_has_its_size_and_place(kind: str) -> None:
    for size in (0.3, 0.42):
        boxes = []
        for phase in np.arange(8) / 8:
            shot = render_frame(Scene("meadow", (still(kind, size=size, phase=float(phase)),)))
            boxes.append(shot.boxes[0])
            assert iou(box_of(shot.masks == 1), shot.boxes[0]) > 0.86
        extent = max(max(b[2] - b[0], b[3] - b[1]) for b in boxes)
        assert extent == pytest.approx(size, abs=0.035)
        assert centres(np.mean(boxes, axis=0)) == pytest.approx([0.5, 0.5], abs=0.03)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("backdrop", BACKDROPS)
def test_every_colour_stands_out(colour: str, backdrop: str) -> None:
    shot = render_frame(Scene(backdrop, (still("car", colour),), backdrop_seed=5), size=64)
    bare = render_frame(Scene(backdrop, (), backdrop_seed=5), size=64)
    gap = np.abs(shot.frame.astype(int) - bare.frame.astype(int)).max(axis=-1)[shot.masks == 1]
    assert np.mean(gap > 20) > 0.75


def test_colours_are_told_apart() -> None:
    means = []
    for colour in COLOURS:
        shot = render_frame(Scene("city", (still("ball", colour),)), size=64)
        means.append(np.median(shot.frame[shot.masks == 1], axis=0))
    for i, a in enumerate(means):
        for b in means[i + 1 :]:
            assert np.abs(a - b).max() > 40


def test_puppets_are_told_apart_by_silhouette() -> None:
    shapes = [render_frame(Scene("sea", (still(kind, size=0.9),)), size=32).masks == 1 for kind in PUPPETS]
    for i, a in enumerate(shapes):
        for b in shapes[i + 1 :]:
            assert (a & b).sum() / (a | b).sum() < 0.85


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31))
@example(6694)  # a sliver along the left edge
def test_boxes_agree_with_masks(seed: int) -> None:
    clip = render(sample_scene(np.random.default_rng(seed), subjects=1), frames=4)
    for f in range(4):
        box, seen = clip.boxes[0, f], clip.masks[f] == 1
        if seen.sum() < 200:
            continue
        assert np.all((box >= 0) & (box <= 1))
        assert np.abs(box_of(seen) - box).max() < 0.025
        assert iou(box_of(seen), box) > 0.8


@pytest.mark.parametrize("motion", MOTIONS)
def test_motion_agrees_with_its_caption(motion: str) -> None:
    for seed in range(4):
        scene = sample_scene(np.random.default_rng(seed), subjects=1, motions=[motion], kinds=["ball"])
        clip = render(scene, frames=31, size=64)
        assert f" ball {motion} " in clip.caption
        assert not np.isnan(clip.boxes).any()
        poses = np.array([scene.actors[0].pose(i / 30) for i in range(31)])
        way = poses[-1] - poses[0]
        sides = clip.boxes[0, :, 2:] - clip.boxes[0, :, :2]
        axis, sign = {"right": (0, 1), "left": (0, -1), "down": (1, 1), "up": (1, -1)}.get(
            motion.split()[-1], (0, 0)
        )
        inside = np.mean(np.all((poses[:, :2] > 0) & (poses[:, :2] < 1), axis=1))
        assert inside > 0.8
        if sign:
            assert way[axis] * sign >= 0.35
            seen = centres(clip.boxes[0])
            assert (seen[-1, axis] - seen[0, axis]) * sign > 0.3
            assert scene.actors[0].flip == (motion.endswith("left")) or axis == 1
        if motion.startswith("arcs"):
            assert poses[15, 1] < poses[0, 1] - 0.2 and poses[15, 1] < poses[-1, 1] - 0.2
        if motion == "bounces":
            rises = np.diff(np.sign(np.diff(poses[:, 1])))
            assert np.ptp(poses[:, 0]) == 0 and np.ptp(poses[:, 1]) > 0.15 and (rises > 0).sum() >= 2
        if motion == "grows":
            assert sides[-1].max() > 1.6 * sides[0].max()
        if motion == "shrinks":
            assert sides[0].max() > 1.6 * sides[-1].max()
        if motion in ("stands still", "turns"):
            assert np.ptp(poses[:, :3], axis=0).max() == 0
            assert (abs(way[3]) > 4) == (motion == "turns")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([None, 1, 2, 3]))
def test_captions_use_known_words(seed: int, subjects: int | None) -> None:
    scene = sample_scene(np.random.default_rng(seed), subjects)
    assert set((caption(scene) + " " + still_caption(scene)).replace(",", "").split()) <= set(words())
    assert subjects is None or len(scene.actors) == subjects
    assert len({(a.kind, a.colour) for a in scene.actors}) == len(scene.actors)


def test_the_grammar_of_captions() -> None:
    path = through([(0.2, 0.5), (0.8, 0.5)])
    ball = Actor("ball", "red", path, "moves right")
    fish = Actor("fish", "blue", path, "bounces")
    cat = Actor("cat", "orange", path, "stands still")
    assert caption(Scene("meadow", (ball,))) == "a red ball moves right over the meadow"
    assert (
        caption(Scene("sea", (ball, fish))) == "a red ball moves right and a blue fish bounces over the sea"
    )
    assert (
        caption(Scene("forest", (ball, fish, cat)))
        == "a red ball moves right, a blue fish bounces and an orange cat stands still in the forest"
    )
    assert (
        still_caption(Scene("night", (cat, Actor("umbrella", "red", path))))
        == "an orange cat and a red umbrella at night"
    )
    with pytest.raises(ValueError, match="custom"):
        caption(Scene("meadow", (Actor("ball", "red", path),)))


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.25, 0.75), st.floats(0.25, 0.75)), min_size=2, max_size=5),
    st.sampled_from(PUPPETS),
)
def test_a_custom_path_is_followed(points: list[tuple[float, float]], kind: str) -> None:
    actor = Actor(kind, "green", through(points), size=0.3, flip=True)
    clip = render(Scene("snow", (actor,)), frames=2 * len(points) - 1, size=96)
    assert clip.caption == "" and clip.still_caption == f"a green {kind} in the snow"
    assert np.abs(centres(clip.boxes[0, ::2]) - np.array(points)).max() < 0.07


def test_flow_carries_the_mask_along() -> None:
    path = ((0.0, 0.3, 0.4, 0.8, 0.0), (1.0, 0.6, 0.6, 1.2, 0.9))
    clip = render(Scene("desert", (Actor("house", "blue", path, size=0.4),)), frames=6)
    assert not clip.flow[clip.masks[:-1] == 0].any()
    for f in range(5):
        ys, xs = np.nonzero(clip.masks[f])
        x = np.rint(xs + clip.flow[f, ys, xs, 0]).astype(int)
        y = np.rint(ys + clip.flow[f, ys, xs, 1]).astype(int)
        assert np.mean(clip.masks[f + 1, y, x] == 1) > 0.96


def test_later_actors_stand_in_front_and_boxes_are_amodal() -> None:
    back, front = still("house", "red", size=0.5), still("ball", "blue", size=0.25)
    alone, both = render_frame(Scene("sea", (back,))), render_frame(Scene("sea", (back, front)))
    assert both.masks[64, 64] == 2
    np.testing.assert_array_equal(alone.boxes[0], both.boxes[0])


def test_out_of_frame_has_no_box() -> None:
    clip = render(Scene("city", (Actor("car", "red", through([(0.5, 0.5), (2.0, 0.5)])),)), frames=3, size=64)
    assert np.isnan(clip.boxes[0, -1]).all() and not clip.masks[-1].any()


def test_subject_mix_avoidance_and_first_overlap() -> None:
    rng = np.random.default_rng(0)
    scenes = [sample_scene(rng, avoid={("ball", "red")}) for _ in range(300)]
    counts = np.bincount([len(s.actors) for s in scenes], minlength=4)[1:] / 300
    assert counts == pytest.approx([0.70, 0.22, 0.08], abs=0.09)
    actors = [a for s in scenes for a in s.actors]
    assert all((a.kind, a.colour) != ("ball", "red") for a in actors)
    assert {a.kind for a in actors} == set(PUPPETS) and {a.motion for a in actors} == set(MOTIONS)
    for scene in scenes:
        low, high = SIZES_ONE if len(scene.actors) == 1 else SIZES_MORE
        assert all(low <= a.size <= high for a in scene.actors)


@pytest.mark.parametrize(
    "bad",
    [
        {"kind": "dog"},
        {"colour": "mauve"},
        {"motion": "flies"},
        {"path": ()},
        {"size": 0.0},
        {"path": ((0.5, 0, 0, 1, 0), (0.5, 1, 1, 1, 0))},
    ],
)
def test_unknown_things_are_refused(bad: dict[str, object]) -> None:
    good: dict[str, object] = {"kind": "ball", "colour": "red", "path": through([(0, 0), (1, 1)])}
    with pytest.raises(ValueError):
        Actor(**(good | bad))  # type: ignore[arg-type]


def test_contact_sheet() -> None:
    sheet = contact_sheet(np.random.default_rng(0), rows=2, cols=3, size=48)
    assert sheet.width > 3 * 48 and sheet.height > 2 * 48
