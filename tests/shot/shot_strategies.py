"""Arbitrary shots and parts of them, for property tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from rehearse.shot import (
    EASINGS,
    SITE_KINDS,
    BlendSettings,
    Box,
    BoxKeyframe,
    BoxPath,
    BoxTrajectory,
    ContentInstruction,
    ControlSettings,
    DragMove,
    DragTrajectory,
    ImageInstruction,
    ImageRef,
    Mask,
    MotionInstruction,
    PointKeyframe,
    PointPath,
    PointTrajectory,
    Shot,
    Stroke,
    TargetInstruction,
    WeightKeyframe,
)

PHRASES = ("red ball", "blue crane", "the meadow", "green hand", "boat")
PROMPT = "A red  ball and a blue crane cross the meadow; a green hand lifts the boat"

fractions = st.floats(0, 1)
easings = st.sampled_from(EASINGS)
texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30).filter(str.strip)
points = st.tuples(fractions, fractions)
free_points = st.tuples(st.floats(-1, 2), st.floats(-1, 2))


def intervals(low: float, high: float) -> st.SearchStrategy[tuple[float, float]]:
    ends = st.tuples(st.floats(low, high), st.floats(low, high)).map(lambda pair: (min(pair), max(pair)))
    return ends.filter(lambda pair: pair[1] - pair[0] > 1e-5)


def boxes(low: float = 0.0, high: float = 1.0) -> st.SearchStrategy[Box]:
    return st.builds(lambda x, y: Box(x[0], y[0], x[1], y[1]), intervals(low, high), intervals(low, high))


def times(most: int = 5) -> st.SearchStrategy[list[float]]:
    return st.lists(fractions, min_size=1, max_size=most, unique=True).map(sorted)


@st.composite
def box_paths(draw: st.DrawFn, easing: st.SearchStrategy[Any] = easings) -> BoxPath:
    leaves = draw(st.booleans())
    box = boxes(-1, 2) if leaves else boxes()
    own = st.none() | easing
    keyframes = [BoxKeyframe(time, draw(box), draw(own)) for time in draw(times())]
    return BoxPath(keyframes, easing=draw(easing), leaves_frame=leaves)


@st.composite
def point_paths(draw: st.DrawFn) -> PointPath:
    leaves = draw(st.booleans())
    keyframes = [
        PointKeyframe(time, draw(free_points if leaves else points), draw(st.none() | easings))
        for time in draw(times())
    ]
    radius = draw(st.none() | st.floats(0.01, 1))
    return PointPath(keyframes, easing=draw(easings), radius=radius, leaves_frame=leaves)


@st.composite
def strokes(draw: st.DrawFn) -> Stroke:
    line = draw(st.lists(free_points, min_size=1, max_size=4))
    pressure = draw(st.none() | st.lists(fractions, min_size=len(line), max_size=len(line)))
    colour = draw(st.sampled_from(["red", "#00ff7f", "#ABC", "hsl(120, 50%, 50%)"]))
    return Stroke(line, width=draw(st.floats(0.01, 0.3)), colour=colour, pressure=pressure)


_PICTURES = [ImageRef.embed(np.full((8 + i, 16, 3), 40 * i + 30, dtype=np.uint8)) for i in range(3)]
pictures = st.sampled_from(_PICTURES)

masks = st.one_of(
    boxes().map(lambda box: Mask(box=box)),
    pictures.map(lambda picture: Mask(image=picture)),
    st.just(Mask(polygon=[(0.1, 0.1), (0.9, 0.2), (0.4, 0.8)], strokes=[Stroke([(0.5, 0.5)], erase=True)])),
)


@st.composite
def drags(draw: st.DrawFn) -> DragTrajectory:
    handle = draw(points)
    target = draw(points.filter(lambda point: point != handle))
    start, end = draw(intervals(0, 1))
    move = DragMove(handle, target, via=draw(st.lists(points, max_size=2)))
    method = draw(st.sampled_from([None, "warp", "optimise"]))
    return DragTrajectory(moves=(move,), start=start, end=end, easing=draw(easings), method=method)


maybe = st.none() | fractions
images = st.builds(ImageInstruction, image=pictures, strength=maybe, time=fractions)
contents = st.builds(
    ContentInstruction,
    prompt=texts,
    negative_prompt=st.none() | texts,
    strokes=st.lists(strokes(), max_size=2).map(tuple),
    mask=st.none() | masks,
    feather=st.none() | st.floats(0, 0.5),
    strength=maybe,
)
motions = st.builds(
    MotionInstruction,
    text=st.none() | texts,
    magnitude=st.sampled_from([None, "small", "moderate", "large"]) | fractions,
    loop=st.booleans(),
    restyle=st.booleans(),
)
trajectories = st.one_of(
    st.builds(BoxTrajectory, phrase=st.sampled_from(PHRASES), path=box_paths()),
    st.builds(PointTrajectory, phrase=st.none() | st.sampled_from(PHRASES), path=point_paths()),
    drags(),
)
targets = st.builds(
    TargetInstruction,
    phrase=st.sampled_from(PHRASES),
    occurrence=st.none() | st.just(1),
    mask=masks,
    role=st.sampled_from(["target", "source"]),
)
instructions = st.one_of(images, contents, motions, trajectories, targets)

step_counts = st.integers(0, 1000) | st.floats(0, 1, exclude_min=True, exclude_max=True)
sites = st.lists(st.sampled_from(SITE_KINDS), max_size=4).map(tuple)
blends = st.one_of(
    st.builds(
        BlendSettings, weight=maybe, region=st.none() | masks, original=st.sampled_from([None, "kept"])
    ),
    times().map(lambda at: BlendSettings(over_time=tuple(WeightKeyframe(t, 1 - t) for t in at))),
)
controls = st.builds(
    ControlSettings,
    frozen_steps=st.none() | step_counts,
    mask_sites=st.none() | sites,
    normalization=st.sampled_from([None, "none", "global", "regional"]),
    normalization_strength=maybe,
    temporal_prior=st.sampled_from([None, "none", "noise", "x0"]),
    temporal_prior_steps=st.none() | step_counts,
    target_attention=st.none() | st.floats(0, 100),
    target_attention_steps=st.none() | step_counts,
    initial_noise=st.sampled_from([None, "random", "freetraj"]),
    blend=st.none() | blends,
    frame_alignment=st.none() | st.booleans(),
)


@st.composite
def shots(draw: st.DrawFn) -> Shot:
    shot = Shot(
        PROMPT,
        negative_prompt=draw(st.none() | texts),
        seed=draw(st.integers(0, 2**53 - 1)),
        frames=draw(st.none() | st.integers(1, 10_000)),
        width=draw(st.none() | st.integers(8, 8192)),
        fps=draw(st.none() | st.floats(0.1, 240)),
        guidance=draw(st.none() | st.floats(0, 100)),
        scheduler=draw(st.sampled_from([None, "ddim", "dpm++", "unipc", "euler"])),
        control=draw(controls),
    )
    for instruction in draw(st.lists(instructions, max_size=4)):
        shot = shot.add(instruction)
    return shot
