"""Contact is read from pixels: it names the prop that was touched, and none where none was."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.target.contact import Contact, actor_mask, any_contact, contact, read_contact
from rehearse.theatre.data import HELD_OUT
from rehearse.theatre.target_data import target_clip
from rehearse.theatre.world import TargetClip, render_target

COUNT = 30


@lru_cache(maxsize=1)
def clips() -> tuple[TargetClip, ...]:
    return tuple(target_clip(4, HELD_OUT + 5000 + i) for i in range(COUNT))


def found_in(clip: TargetClip) -> Contact:
    return contact(clip.frames, clip.scene.actor, clip.props)


def test_the_prop_that_is_touched_is_named_and_no_other() -> None:
    for clip in clips():
        found = found_in(clip)
        assert found.touched == (clip.scene.chosen,), clip.caption
        assert found.reached(clip.scene.chosen) and not found.strayed(clip.scene.chosen)
        assert found.visible and found.seen == 1.0
        assert found.frame is not None and clip.touched_at is not None
        assert abs(found.frame - clip.touched_at) <= 1


def test_an_actor_that_stops_short_touches_nothing() -> None:
    for clip in clips()[:12]:
        found = found_in(render_target(replace(clip.scene, short=0.08)))
        assert found.touched == () and found.first is None and found.visible


def test_the_gate_is_the_share_of_clips_with_contact() -> None:
    whole = [(clip.frames, clip.scene.actor, clip.props) for clip in clips()[:4]]
    short = [
        (render_target(replace(clip.scene, short=0.08)).frames, clip.scene.actor, clip.props)
        for clip in clips()[4:8]
    ]
    share = any_contact([*whole, *short])
    assert share.value == 0.5 and 0 < share.low < 0.5 < share.high < 1


def test_the_actor_is_found_where_it_is() -> None:
    for clip in clips()[:9]:
        truth = clip.owners[0] == len(clip.props) + 1
        seen = actor_mask(clip.frames[0], clip.scene.actor)
        assert (seen & truth).sum() / (seen | truth).sum() > 0.7, clip.caption


def test_a_clip_without_its_actor_says_so() -> None:
    clip = clips()[0]
    backdrop = np.full_like(clip.frames, 200)
    found = contact(backdrop, clip.scene.actor, clip.props)
    assert found == Contact(touched=(), frame=None, seen=0.0) and not found.visible


def test_two_props_are_told_in_the_order_of_their_touch() -> None:
    first, second = (replace(clips()[0].scene, chosen=k) for k in (0, 1))
    one, other = render_target(first), render_target(second)
    found = contact(np.concatenate([one.frames, other.frames[1:]]), first.actor, one.props)
    assert found.touched == (0, 1) and found.first == 0 and found.strayed(0)


@given(st.sampled_from(("green", "purple")), st.integers(0, 90), st.integers(0, 90))
@settings(max_examples=30, deadline=None)
def test_a_smear_between_two_props_touches_neither(colour: str, x: int, y: int) -> None:
    """The centre of two patches may lie on a prop: the patches themselves do not."""
    actor = {"green": "frog", "purple": "hand"}[colour]
    paper = {"green": (32, 156, 66), "purple": (130, 56, 192)}[colour]
    frames = np.full((2, 128, 128, 3), 220, np.uint8)
    props = np.zeros((1, 128, 128), np.bool_)
    props[0, y : y + 24, x : x + 24] = True
    for left in (x - 30, x + 34):
        frames[:, y : y + 20, max(left, 0) : max(left + 20, 0)] = paper
    assert contact(frames, actor, props).touched == ()


def test_a_stray_cut_of_paper_is_no_actor() -> None:
    frame = np.full((128, 128, 3), 220, np.uint8)
    frame[10:16, 10:16] = (32, 156, 66)
    assert not actor_mask(frame, "frog").any()


@pytest.mark.parametrize(
    ("frames", "actor", "props", "named"),
    [
        ((8, 16, 16, 3), "dog", (3, 16, 16), "dog"),
        ((8, 16, 16, 3), "frog", (3, 8, 8), "do not fit"),
        ((8, 16, 16, 3), "frog", (3, 16, 16), "prop 0"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    frames: tuple[int, ...], actor: str, props: tuple[int, ...], named: str
) -> None:
    with pytest.raises(EvaluationError, match=named):
        contact(np.zeros(frames, np.uint8), actor, np.zeros(props, np.bool_))


def test_a_touch_is_read_again_from_what_was_covered() -> None:
    covered = np.array([[0.5, 0.0], [0.0, 0.02], [0.05, 0.0], [0.3, 0.15], [0.3, 0.0]])
    read = read_contact(covered, 0.8)
    assert (read.touched, read.frame, read.seen) == ((0, 1), 2, 0.8)  # the first frame counts for nothing
    assert read_contact(covered, 0.8, least=0.1).touched == (0, 1)
    assert read_contact(covered, 0.8, least=0.2).touched == (0,)
    in_a_row = read_contact(covered, 0.8, frames=2)
    assert (in_a_row.touched, in_a_row.frame) == ((0,), 2)
    assert read_contact(covered, 0.8, least=0.1, frames=3).touched == ()
