"""PIA's affinity at any length: the published lists where they apply, and what must hold everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearse.models.affinity import affinity

LOOPS = [
    [1.0, 0.9, 0.85, 0.85, 0.85, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.85, 0.85, 0.9, 1.0],
    [1.0, 0.8, 0.8, 0.8, 0.79, 0.78, 0.75, 0.75, 0.75, 0.75, 0.75, 0.78, 0.79, 0.8, 0.8, 1.0],
    [1.0, 0.8, 0.7, 0.7, 0.7, 0.7, 0.6, 0.5, 0.5, 0.6, 0.7, 0.7, 0.7, 0.7, 0.8, 1.0],
]
"""PIA's released lists of loops: small, moderate, large."""
LENGTHS = st.integers(1, 80)
AMOUNTS = st.floats(0, 1)
TIMES = st.floats(0, 1)


@pytest.mark.parametrize("scale", [0, 1, 2])
@pytest.mark.parametrize("restyle", [False, True])
@pytest.mark.parametrize("time", [0.0, 0.2, 1.0])
def test_clips_of_16_frames_get_the_published_lists(scale: int, restyle: bool, time: float) -> None:
    from diffusers.pipelines.deprecated.pia.pipeline_pia import prepare_mask_coef_by_statistics

    amount = (0.25, 0.5, 0.75)[scale]
    published = prepare_mask_coef_by_statistics(16, round(time * 15), scale + 6 * restyle)
    assert affinity(16, amount, restyle=restyle, time=time) == pytest.approx(published)


@pytest.mark.parametrize("scale", [0, 1, 2])
def test_loops_of_16_frames_are_the_published_ones(scale: int) -> None:
    from diffusers.pipelines.deprecated.pia.pipeline_pia import RANGE_list

    ours = affinity(16, (0.25, 0.5, 0.75)[scale], loop=True)
    assert ours == tuple(LOOPS[scale]) and ours == pytest.approx(RANGE_list[3 + scale])


@pytest.mark.parametrize("scale", [0, 1, 2])
@pytest.mark.parametrize("frames", [2, 3, 5, 8, 15, 17, 24, 31, 61])
def test_loops_of_any_length_pass_the_published_values(scale: int, frames: int) -> None:
    found = affinity(frames, (0.25, 0.5, 0.75)[scale], loop=True)
    where = np.arange(frames) * 15 / (frames - 1)
    assert found == pytest.approx(np.interp(where, np.arange(16), LOOPS[scale]))
    assert found[0] == found[-1] == 1.0


@given(LENGTHS, AMOUNTS, AMOUNTS, TIMES, st.booleans())
def test_more_motion_is_nowhere_closer(frames: int, one: float, two: float, time: float, loop: bool) -> None:
    less, more = sorted((one, two))
    near = np.array(affinity(frames, less, time=time, loop=loop))
    far = np.array(affinity(frames, more, time=time, loop=loop))
    assert (far <= near + 1e-12).all() and ((far >= 0.2 - 1e-12) & (near <= 1)).all()


@given(LENGTHS, AMOUNTS, AMOUNTS, st.booleans())
def test_more_motion_is_less_close_in_the_mean_when_restyled(
    frames: int, one: float, two: float, loop: bool
) -> None:
    # The published restyling lists cross at one frame; their means do not, at any length but the shortest.
    less, more = sorted((one, two))
    near = affinity(max(frames, 8), less, restyle=True, loop=loop)
    far = affinity(max(frames, 8), more, restyle=True, loop=loop)
    assert np.mean(far) <= np.mean(near) + 1e-12
    assert max(near) == pytest.approx(0.5)


@given(LENGTHS, TIMES, st.booleans(), st.booleans())
def test_stillness_keeps_every_frame_at_the_picture(
    frames: int, time: float, loop: bool, restyle: bool
) -> None:
    assert set(affinity(frames, 0, time=time, loop=loop, restyle=restyle)) == {0.5 if restyle else 1.0}


@given(LENGTHS, AMOUNTS, TIMES, st.booleans(), st.booleans())
def test_the_picture_s_own_frame_is_the_closest_and_distance_only_loosens(
    frames: int, amount: float, time: float, loop: bool, restyle: bool
) -> None:
    found = np.array(affinity(frames, amount, time=time, loop=loop, restyle=restyle))
    assert len(found) == frames
    own = round(time * (frames - 1))
    assert found[own] == found.max()
    if not loop or frames == 1:
        away = np.abs(np.arange(frames) - own)
        assert (np.diff(found[np.argsort(away, kind="stable")]) <= 1e-12).all()
        return
    # Once round from the picture: away first, then back.
    circle = np.append(np.roll(found[:-1], -(own % (frames - 1))), found[own])
    farthest = int(circle.argmin())
    assert (np.diff(circle[: farthest + 1]) <= 1e-12).all() and (np.diff(circle[farthest:]) >= -1e-12).all()


@given(st.integers(2, 80), AMOUNTS, TIMES, st.booleans())
def test_a_loop_ends_where_it_begins_and_is_a_circle(
    frames: int, amount: float, time: float, restyle: bool
) -> None:
    found = affinity(frames, amount, loop=True, restyle=restyle, time=time)
    assert found[0] == found[-1]
    circle, own = found[:-1], round(time * (frames - 1)) % (frames - 1)
    turned = circle[own:] + circle[:own]
    # Whenever the picture is shown, the way from it is the same.
    assert turned == pytest.approx(affinity(frames, amount, loop=True, restyle=restyle)[:-1])


@given(st.integers(2, 40), AMOUNTS)
def test_a_clip_twice_as_long_passes_the_same_values(frames: int, amount: float) -> None:
    long = affinity(2 * frames - 1, amount)
    assert long[::2] == pytest.approx(affinity(frames, amount))


OWN = {"small": (1.0, 0.8), "moderate": (1.0, 0.6), "large": (1.0, 0.4)}


@given(LENGTHS, AMOUNTS, TIMES, st.booleans())
def test_a_model_s_own_lists_are_spread_over_the_clip(
    frames: int, amount: float, time: float, loop: bool
) -> None:
    found = np.array(affinity(frames, amount, time=time, loop=loop, lists=OWN))
    last = max(frames - 1, 1)
    away = np.abs(np.arange(frames) - round(time * (frames - 1))) / last
    if loop:
        away = np.minimum(away, 1 - away) if frames > 1 else away
    # These lists fall in a straight line, to 1 - .8 amount at the far end.
    assert found == pytest.approx(1 - 0.8 * amount * away)
    half = affinity(frames, amount, time=time, loop=loop, lists=OWN, restyle=True)
    assert half == pytest.approx(found / 2)
