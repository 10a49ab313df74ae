"""The ablation end to end on engines whose merits are known."""

from __future__ import annotations

import json
import multiprocessing
import os
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from oracle_theatre import Oracle, by_settings, grainy, perfect, static, tools

from rehearse.evaluation.kit.choice import Comparer, choose_normalization, choose_prior
from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.kit.judging import Bench
from rehearse.evaluation.theatre.reference import reference_clips
from rehearse.evaluation.trajectory.ablation import BASE, Ablation, Protocol
from rehearse.evaluation.trajectory.arms import STANDARD, Point, combine, parse_arm, point
from rehearse.evaluation.trajectory.report import write_trajectory_report
from rehearse.shot import ShotError


def quiet(line):
    pass


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    return reference_clips(Bench(Oracle(), "oracle"), 24, folder, quiet, frames=8, size=64)


def ablation(folder, engine, reference, **protocol):
    options = {"cases": 6, "frozen": (0.33,), "arms": ("base", "mask"), "replicates": 100} | protocol
    return Ablation(Protocol(**options), folder, lambda: tools(engine), reference, ("model",), 1, quiet)


def value(findings, at, key):
    return findings.comparer.value(findings.tables[at], key).value


def test_a_perfect_renderer_scores_near_one_and_a_static_one_low(tmp_path, reference):
    good = ablation(tmp_path / "good", perfect, reference, cases=16).run()
    at = point(BASE, 0.33)
    assert value(good, at, "miou") > 0.85
    assert value(good, at, "coverage") == 1 and value(good, at, "text") == 1
    assert value(good, at, "ap50") > 0.95 and value(good, at, "distance") < 0.03
    bad = ablation(tmp_path / "bad", static, reference, cases=16).run()
    assert value(bad, at, "miou") < 0.35 and value(bad, at, "distance") > 0.1
    assert value(bad, at, "coverage") > 0.9
    assert value(bad, at, "motion") < 0.005 < 0.03 < value(good, at, "motion")
    # Both look like the world, whatever they do; only the one that moves as asked also changes like it.
    grain = ablation(tmp_path / "grain", lambda shot: grainy(perfect(shot), 1), reference, cases=16).run()
    assert abs(value(good, at, "kid") - value(bad, at, "kid")) < 0.15
    assert value(grain, at, "kid") > value(good, at, "kid") + 0.5
    assert value(good, at, "kid_change") + 0.2 < value(bad, at, "kid_change")


def test_methods_are_chosen_by_the_rule_and_reported(tmp_path, reference):
    run = ablation(
        tmp_path / "work", by_settings, reference, cases=10, arms=STANDARD, frozen=(0.33, 0.5), sweep_cases=6
    )
    found = run.run()
    # by_settings: normalization removes grain, either prior makes every case follow.
    assert found.normalization.arm is not None and found.prior.arm is not None
    assert found.combined == combine(found.normalization.arm, found.prior.arm)
    assert found.combined.groups == {"mask", "mn", "tid"}
    assert [aim.holds for aim in found.aims] == [True, True, True, True]
    assert "Peekaboo" in found.aims[2].text
    assert {at.frozen for at in found.tables if at.arm == found.combined} == {0.33, 0.5}
    assert len(found.tables[Point(found.mask, 0.5)].cases) == 6

    out = tmp_path / "results"
    files = write_trajectory_report(found, run.store, out, "rehearse evaluate trajectory", {"reference": 24})
    assert all(file.stat().st_size > 0 for file in files)
    numbers = json.loads((out / "trajectory.json").read_text())
    assert numbers["choice"]["combined"] == found.combined.name and all(a["holds"] for a in numbers["aims"])
    mask = next(p for p in numbers["points"] if p["label"] == "mask @ 33%")
    assert mask["metrics"]["miou"]["low"] < mask["metrics"]["miou"]["value"] < mask["metrics"]["miou"]["high"]
    assert mask["against"]["base"]["miou"]["value"] > 0 and mask["cases"] == 10
    page = (out / "trajectory.md").read_text()
    assert "All aims hold." in page and "rehearse evaluate trajectory" in page and "mask+mn-b @ 33%" in page
    picture = ET.fromstring((out / "trajectory-curve.svg").read_text())
    lines = [node for node in picture.iter() if node.tag.endswith("polyline")]
    assert len(lines) >= 3
    assert (out / "trajectory-mask-33.jpg").exists() and (out / "trajectory-base.jpg").exists()


def test_a_missed_aim_is_said(tmp_path, reference):
    run = ablation(tmp_path / "work", static, reference, arms=("mask+mn-a", "mask+tid-a"))
    found = run.run()
    assert [aim.holds for aim in found.aims[:2]] == [False, False]
    write_trajectory_report(found, run.store, tmp_path / "out", "command", {})
    page = (tmp_path / "out" / "trajectory.md").read_text()
    assert "2 of 3 aims are missed." in page and page.count("**MISSED**") == 2


def results(run, out):
    write_trajectory_report(run.run(), run.store, out, "command", {})
    return (out / "trajectory.json").read_bytes(), (out / "trajectory.md").read_bytes()


def test_killed_and_resumed_is_the_same(tmp_path, reference):
    """A process killed in the middle of a clip, and a line torn in two, change nothing in the results."""
    options = {"arms": ("mask+mn-a", "mask+tid-a"), "frozen": (0.33, 0.5)}
    whole = results(ablation(tmp_path / "a", by_settings, reference, **options), tmp_path / "out-a")

    folder = tmp_path / "b"
    child = multiprocessing.get_context("fork").Process(
        target=_die_after, args=(9, folder, reference, options)
    )
    child.start()
    child.join(60)
    assert child.exitcode == 9
    journal = folder / "clips.jsonl"
    torn = journal.read_bytes()
    assert torn.count(b"\n") == 9
    journal.write_bytes(torn[:-40])

    made = []
    counting = ablation(folder, lambda shot: made.append(shot) or by_settings(shot), reference, **options)
    assert len(counting.store.journal) == 8
    resumed = results(counting, tmp_path / "out-b")
    assert resumed == whole
    total = len(ablation(tmp_path / "a", by_settings, reference, **options).store.journal)
    assert len(made) == total - 8
    again = ablation(folder, pytest.fail, reference, **options)
    assert results(again, tmp_path / "out-c") == whole


def _die_after(clips, folder, reference, options):
    left = [clips]

    def engine(shot):
        if not left[0]:
            os._exit(9)
        left[0] -= 1
        return by_settings(shot)

    ablation(folder, engine, reference, **options).run()


def test_more_cases_and_other_fingerprints(tmp_path, reference):
    made = []

    def engine(shot):
        made.append(shot.digest())
        return static(shot)

    ablation(tmp_path, engine, reference, cases=3).run()
    first = len(made)
    assert first == 6
    ablation(tmp_path, engine, reference, cases=5).run()
    assert len(made) == first + 4
    # The combination of nothing with nothing is masks alone, base ignores frozen steps: nothing is made
    # twice.
    assert len(set(made)) == len(made)
    other = Ablation(
        Protocol(cases=3, frozen=(0.33,), arms=("mask",)),
        tmp_path,
        lambda: tools(engine),
        reference,
        ("retrained",),
    )
    other._say = quiet
    other.run()
    assert len(made) == first + 4 + 6


def test_every_arm_gets_the_same_noise_prompt_and_paths(tmp_path, reference):
    run = ablation(tmp_path, static, reference, arms=STANDARD)
    tasks = run.tasks([point(arm, 0.33) for arm in run.protocol.parsed_arms()], 4)
    for index in range(4):
        shots = [task.shot for (_, case), task in tasks.items() if case == index]
        assert len(shots) == len(STANDARD) == len({shot.digest() for shot in shots})
        assert len({(shot.seed, shot.prompt, shot.instructions) for shot in shots}) == 1


def test_arms_made_one_after_the_other_are_reported_as_if_made_at_once(tmp_path, reference):
    options = {"arms": ("mask+mn-a", "mask+tid-a"), "frozen": (0.33, 0.5), "sweep": "all"}
    whole = results(ablation(tmp_path / "a", by_settings, reference, **options), tmp_path / "out-a")
    made = []

    def engine(shot):
        made.append(shot.digest())
        return by_settings(shot)

    folder = tmp_path / "b"
    ablation(folder, engine, reference, **options | {"arms": ("mask+tid-a",)}).make()
    assert len(made) == 2 * 6, "the named arm at both numbers of frozen steps, and no other"
    ablation(folder, engine, reference, **options | {"arms": ("base", "mask"), "sweep": "none"}).make()
    assert len(made) == 4 * 6
    assert results(ablation(folder, engine, reference, **options), tmp_path / "out-b") == whole
    assert len(set(made)) == len(made) == len(ablation(folder, engine, reference).store.journal)


def test_the_sampler_is_part_of_the_clip_and_of_the_report(tmp_path, reference):
    shots = []

    def engine(shot):
        shots.append(shot)
        return static(shot)

    out = tmp_path / "out"
    options = {"cases": 2, "steps": 12, "arms": ("mask",), "frozen": (0.33, 0.5), "sweep": "none"}
    quick = ablation(tmp_path / "work", engine, reference, scheduler="dpm++", **options)
    write_trajectory_report(quick.run(), quick.store, out, "command", {})
    assert {(shot.steps, shot.scheduler) for shot in shots} == {(12, "dpm++")}
    numbers = json.loads((out / "trajectory.json").read_text())
    assert (numbers["steps"], numbers["scheduler"]) == (12, "dpm++")
    page = (out / "trajectory.md").read_text()
    assert "12 steps of dpm++" in page and "33 % of the steps frozen (4 of 12)" in page
    own = ablation(tmp_path / "work", engine, reference, **options | {"steps": None})
    about = {"model_defaults": {"steps": 24, "scheduler": "ddim"}}
    write_trajectory_report(own.run(), own.store, out, "command", about)
    assert len(shots) == 8, "clips of another sampler are other clips"
    assert "24 steps of ddim" in (out / "trajectory.md").read_text()


class Stub:
    """A table of given per-case mIoU, KID and motion."""

    def __init__(self, miou, kid, motion=0.05, count=40, asked=0.05):
        rng = np.random.default_rng(0)
        noise = rng.normal(0, 0.01, count)
        self.cases = tuple(range(count))
        self._values = {"miou": miou + noise, "kid": kid + noise, "motion": motion + noise / 10}
        self._values["excess"] = self._values["motion"] - asked

    def first(self, count):
        return self

    def values(self, key, weights):
        return weights @ self._values[key] / weights.sum(axis=1)


def arms_of(**tables):
    return {parse_arm(name.replace("_", "+").replace("x", "-")): table for name, table in tables.items()}


def test_rule_for_normalization():
    compare, mask = Comparer(replicates=50), parse_arm("mask")
    base = Stub(0.50, 0.30)
    tables = arms_of(mask=base, mask_mnxa=Stub(0.47, 0.10), mask_mnxb=Stub(0.495, 0.20))
    pick = choose_normalization(tables, mask, compare)
    assert pick.arm == parse_arm("mask+mn-b") and "mask+mn-a" in pick.why  # A is better but loses 3 points
    tables = arms_of(mask=base, mask_mnxa=Stub(0.47, 0.10), mask_mnxb=Stub(0.48, 0.20))
    assert choose_normalization(tables, mask, compare).arm is None
    tables = arms_of(mask=base, mask_mnxa=Stub(0.495, 0.10), mask_mnxb=Stub(0.60, 0.20))
    assert choose_normalization(tables, mask, compare).arm == parse_arm("mask+mn-a")


def test_rule_for_the_prior():
    compare, mask = Comparer(replicates=50), parse_arm("mask")
    base = Stub(0.50, 0.30)
    tables = arms_of(mask=base, mask_tidxa=Stub(0.70, 0.40), mask_tidxb=Stub(0.60, 0.30))
    pick = choose_prior(tables, mask, compare)
    assert pick.arm == parse_arm("mask+tid-b") and "KID x100 rises by 10.00" in pick.why
    tables = arms_of(mask=base, mask_tidxa=Stub(0.70, 0.30, motion=0.02), mask_tidxb=Stub(0.60, 0.30))
    pick = choose_prior(tables, mask, compare)
    assert pick.arm == parse_arm("mask+tid-b") and "motion x100 falls by 3.00" in pick.why
    tables = arms_of(mask=base, mask_tidxa=Stub(0.70, 0.30), mask_tidxb=Stub(0.60, 0.30))
    assert choose_prior(tables, mask, compare).arm == parse_arm("mask+tid-a")
    # What masks alone move beyond the asked way is jitter: losing that is no loss.
    jittery = Stub(0.50, 0.30, motion=0.08)
    calm, frozen = Stub(0.70, 0.30, motion=0.055), Stub(0.80, 0.30, motion=0.03)
    tables = arms_of(mask=jittery, mask_tidxa=calm, mask_tidxb=frozen)
    assert choose_prior(tables, mask, compare).arm == parse_arm("mask+tid-a")
    # FreeTraj is the control arm, never a candidate.
    tables = arms_of(mask=base, mask_freetraj=Stub(0.9, 0.1))
    assert choose_prior(tables, mask, compare).arm is None


def test_arms_say_every_setting():
    for text in STANDARD:
        arm = parse_arm(text)
        assert arm.name == text
        control = arm.settings(0.33 if "mask" in arm.groups else None)
        assert control.frozen_steps == (0.33 if text != "base" else 0)
        for field in ("normalization", "temporal_prior", "initial_noise"):
            assert getattr(control, field) is not None
        # Where nothing is masked there is nothing to say of masks: a clip of the base keeps its key.
        for field in ("mask_sites", "mask_parts", "mask_inset"):
            assert (getattr(control, field) is not None) == (text != "base")
    arm = parse_arm("tid-a:steps=.5:strength=.6+mask:sites=spatial/cross")
    control = arm.settings(4)
    assert arm.name == "mask:sites=spatial/cross+tid-a:steps=.5:strength=.6"
    assert control.mask_sites == ("cross", "spatial") and control.frozen_steps == 4
    assert (control.temporal_prior, control.temporal_prior_strength, control.temporal_prior_steps) == (
        "noise",
        0.6,
        0.5,
    )
    control = parse_arm("mask:parts=up/down:inset=.5").settings(0.5)
    assert control.mask_parts == ("down", "up") and control.mask_inset == 0.5
    published = parse_arm("peekaboo").settings(0.5)
    assert (published.mask_sites, published.mask_parts, published.mask_inset) == (
        ("cross", "spatial", "temporal"),
        ("mid", "up"),
        0,
    )
    assert point(BASE, 0.1) == point(BASE, 0.5) and point(arm, 0.1).label.endswith("@ 10%")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mask+mn-c", "'mn-c' is no method"),
        ("mask+mn-a+mn-b", "exclude each other"),
        ("mn-a", "needs masks"),
        ("mask+mn-a:power=2", "'power=2' is no option of mn-a"),
        ("mask:sites=joint", "joint unknown"),
        ("mask+tid-a:strength=much", "must be a number"),
        ("", "is no method"),
    ],
)
def test_bad_arms_are_refused_by_name(text, says):
    with pytest.raises(EvaluationError, match=says):
        parse_arm(text)


def test_bad_protocols_are_refused():
    with pytest.raises(ShotError, match="normalization_strength"):
        parse_arm("mask+mn-a:strength=3")
    with pytest.raises(EvaluationError, match="sweep cases"):
        Protocol(cases=10, sweep_cases=20)
    with pytest.raises(EvaluationError, match="cases: 1"):
        Protocol(cases=1)
    with pytest.raises(EvaluationError, match="frozen"):
        Protocol(frozen=())
    with pytest.raises(EvaluationError, match="scheduler: there is no 'dpm'"):
        Protocol(scheduler="dpm")
    with pytest.raises(EvaluationError, match=r"0\.1 and 0\.2 are both 1 of 4 steps"):
        Protocol(frozen=(0.5, 0.1, 0.2), steps=4)
    with pytest.raises(EvaluationError, match="13 is more than the 12 steps"):
        Protocol(frozen=(13,), steps=12)
    assert Protocol(steps=12).frozen == Protocol().frozen, "the standard fractions are four at 12 steps too"


def test_reference_is_computed_once_and_survives_damage(tmp_path):
    bench = Bench(Oracle(), "oracle")
    first = reference_clips(bench, 3, tmp_path, quiet, frames=2, size=32)
    (file,) = tmp_path.iterdir()
    again = reference_clips(Bench(None, "oracle"), 3, tmp_path, quiet, 2, 32)
    assert np.array_equal(again.world.look, first.world.look)
    assert np.array_equal(again.asked.change, first.asked.change)
    file.write_bytes(b"torn")
    assert np.array_equal(reference_clips(bench, 3, tmp_path, quiet, 2, 32).world.look, first.world.look)
    with pytest.raises(EvaluationError, match="reference: 1"):
        reference_clips(bench, 1, tmp_path, quiet)
