"""Cases: deterministic, balanced, in frame, held out."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from rehearse.evaluation.theatre.prompts import gate_prompts, held_out_scene, trained_captions
from rehearse.evaluation.trajectory.cases import proportions, trajectory_cases
from rehearse.evaluation.trajectory.paths import FAMILIES, LONGEST
from rehearse.shot import ControlSettings
from rehearse.theatre.data import HELD_OUT, rng_of
from rehearse.theatre.world import BACKDROPS, COLOURS, MOTIONS, PUPPETS, render, sample_scene
from rehearse.theatre.world.vocabulary import words


def test_more_cases_continue_fewer_and_seeds_differ():
    assert trajectory_cases(7, seed=3) == trajectory_cases(20, seed=3)[:7]
    assert trajectory_cases(7, seed=3) != trajectory_cases(7, seed=4)


def test_balance_over_two_hundred():
    cases = trajectory_cases(200)
    families = Counter(case.family for case in cases)
    assert set(families) == set(FAMILIES) and max(families.values()) - min(families.values()) <= 1
    first = Counter(case.subjects[0].kind for case in cases)
    assert set(first) == set(PUPPETS) and max(first.values()) - min(first.values()) <= 1
    assert sum(len(case.subjects) == 2 for case in cases) == 40
    assert {case.family for case in cases if len(case.subjects) == 2} == set(FAMILIES)
    assert len({case.seed for case in cases}) == 200


def test_boxes_have_puppet_size_and_stay_mostly_in_frame():
    for case in trajectory_cases(80):
        for subject in case.subjects:
            boxes = subject.path.resample(16)
            sides = boxes[:, 2:] - boxes[:, :2]
            assert sides.max(axis=1).min() >= 0.19 and sides.max() <= 0.49
            seen = boxes.clip(0, 1)
            share = (seen[:, 2:] - seen[:, :2]).prod(axis=1) / sides.prod(axis=1)
            assert share.min() > 0.7
            length = np.hypot(*np.diff((boxes[:, :2] + boxes[:, 2:]) / 2, axis=0).T).sum()
            assert 0.2 < length <= LONGEST + 1e-6


def test_paths_are_no_motion_of_the_world():
    """Each family does what straight lines, one arc and bounces in place do not: turns back, stops, goes
    both ways at once or grows on its way."""
    for case in trajectory_cases(64):
        boxes = case.subjects[0].path.resample(16)
        steps = np.diff((boxes[:, :2] + boxes[:, 2:]) / 2, axis=0)
        turns_back = (steps.min(axis=0) < -0.01) & (steps.max(axis=0) > 0.01)
        stops = (np.abs(steps).max(axis=1) < 1e-3).any()
        slanted = (np.abs(steps).min(axis=1) > 0.01).mean() > 0.8
        assert turns_back.any() or stops or slanted, case.family


def test_two_subjects_share_neither_kind_nor_colour_and_hardly_touch():
    cover = []
    for case in trajectory_cases(100):
        if len(case.subjects) == 2:
            a, b = case.subjects
            assert a.kind != b.kind and a.colour != b.colour
            p, q = a.path.resample(16), b.path.resample(16)
            sides = (np.minimum(p[:, 2:], q[:, 2:]) - np.maximum(p[:, :2], q[:, :2])).clip(min=0)
            cover.append(sides.prod(axis=1).mean())
    assert np.mean(cover) < 0.03


@pytest.mark.parametrize("wording", ["bare", "still"])
def test_prompts_name_the_subjects_and_no_motion(wording):
    known = set(words())
    for case in trajectory_cases(60, wording=wording):
        said = case.prompt.replace(",", "").split()
        assert set(said) <= known
        assert not {"moves", "arcs", "bounces", "grows", "shrinks", "turns"} & set(said)
        assert (said.count("stands") == len(case.subjects)) == (wording == "still")
        assert all(subject.phrase in case.prompt for subject in case.subjects)
        shot = case.shot("theatre-video", ControlSettings(frozen_steps=4), steps=6)
        assert len(shot.instructions) == len(case.subjects) and shot.seed == case.seed and shot.steps == 6


def test_boxes_have_the_puppets_proportions():
    car, balloon = proportions("car"), proportions("balloon")
    assert car[0] > 1.3 * car[1] and balloon[1] > 1.3 * balloon[0]


def test_no_cases_is_refused():
    with pytest.raises(ValueError, match="cases: 0"):
        trajectory_cases(0)


def test_gate_prompts_are_balanced_and_mostly_unseen():
    seen = trained_captions(data_seed=2, samples=400)
    prompts = gate_prompts(256, trained=seen)
    for values, name in ((PUPPETS, "kind"), (COLOURS, "colour"), (MOTIONS, "motion")):
        counts = Counter(getattr(prompt, name) for prompt in prompts)
        assert set(counts) == set(values) and max(counts.values()) - min(counts.values()) <= 1
    backdrops = Counter(prompt.backdrop for prompt in prompts)
    assert min(backdrops[b] for b in BACKDROPS) > 25
    assert not any(prompt.caption in seen for prompt in prompts)
    assert prompts == gate_prompts(256, trained=seen)
    assert all(prompt.motion in prompt.caption and prompt.motion not in prompt.still for prompt in prompts)


def test_trained_captions_are_those_of_the_data_set_and_their_mirror_images():
    drawn = {render(sample_scene(rng_of(2, i)), frames=1, size=16).caption for i in range(30)}
    trained = trained_captions(2, 30)
    assert drawn <= trained
    sideways = [text for text in drawn if " right " in text and " left " not in text]
    assert sideways and all(text.replace(" right ", " left ") in trained for text in sideways)
    assert len(trained) <= 2 * len(drawn)


def test_held_out_scenes_come_from_beyond_the_data_sets():
    scene, _ = held_out_scene(1, 3)
    assert scene == sample_scene(rng_of(1, HELD_OUT + 3))
    assert len({held_out_scene(1, i)[0] for i in range(6)}) == 6
    assert all(a != b for a, b in pairwise(held_out_scene(1, i)[0] for i in range(6)))
