"""The target evaluation on oracles whose contact is known, and once on a toy model of the real classes."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from oracle_target import BASE, Oracle, Skill
from PIL import Image
from safetensors.torch import load_file

from rehearse.cli import run
from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.target.arms import FULL, STANDARD, TargetArm, parse_arm
from rehearse.evaluation.target.cases import TRAINING_SEED, target_cases
from rehearse.evaluation.target.findings import TargetFindings
from rehearse.evaluation.target.protocol import TargetProtocol
from rehearse.evaluation.target.report import outlined, write_target_report
from rehearse.evaluation.target.study import run_target
from rehearse.evaluation.target.training import TrainingSettings, write_training_set
from rehearse.evaluation.target.verdicts import sooner
from rehearse.theatre.data import HELD_OUT
from rehearse.theatre.recipes import TARGET

SIZE = TrainingSettings(clips=3, steps=40)
GOOD = {
    "modulation:4": Skill(obeys=0.4),
    "target:0": Skill(obeys=0.0),
    "target:0.1": Skill(obeys=1.0),
}


def protocol(**said: Any) -> TargetProtocol:
    given = {"arms": ("modulation", "data", "target:0", "target"), "cases": 8, "swaps": 2, "looks": 2}
    return TargetProtocol(**{"model": BASE, "seeds": 2, "training": SIZE, **given, **said})


def evaluated(oracle: Oracle, folder: Path, say: Any = lambda line: None) -> tuple[TargetFindings, Any]:
    return run_target(oracle.protocol, folder, oracle.work(say))


def test_contact_swaps_and_attention_are_what_the_oracle_does(tmp_path: Path) -> None:
    oracle = Oracle(protocol(), GOOD)
    found, store = evaluated(oracle, tmp_path)
    assert found.gate.passes and found.value(FULL, "right").value == 1.0
    assert found.columns[FULL]["right"].shape == (2, 8)
    assert found.columns[parse_arm("modulation")]["right"].shape == (1, 8)
    nothing = parse_arm("target:0")
    for arm in (parse_arm("base"), nothing):
        columns = found.columns[arm]
        assert (columns["right"] + columns["wrong"] == columns["any"]).all()
        assert columns["any"].all() and columns["visible"].all()
        assert 0 < columns["right"].mean() < 0.8
    assert found.swaps[FULL].followed.tolist() == [[1, 1], [1, 1]]
    # Noise alone decides: whichever prop is marked it goes to the same one.
    assert np.allclose(found.swaps[nothing].followed, 1 / 3)
    assert not found.swaps[nothing].all_followed.any()
    assert found.attention[FULL].ratio.mean() > 1 > 0.5 > found.attention[nothing].ratio.mean()
    assert {arm.kind for arm in found.attention} == {"base", "data", "target"}
    # The same number of steps for all, after a trial of the first.
    assert oracle.steps[0] == ("data", 0, 5)
    assert sorted(oracle.steps[1:]) == sorted(
        (name, seed, 40) for name in ("data", "target:0", "target:0.1") for seed in (0, 1)
    )

    files = write_target_report(found, store, tmp_path / "out", "rehearse evaluate target", {})
    page, numbers = files[0].read_text(), json.loads(files[1].read_text())
    assert "## The gate: passed" in page and "- holds: `target:0.1`: right-target contact" in page
    assert "target:0.1" in page and ".896" in page
    told = {entry["arm"]: entry for entry in numbers["arms"]}
    assert told["target:0.1"]["right_by_seed"] == [1.0, 1.0]
    assert told["target:0.1"]["swap"]["followed"]["value"] == 1.0
    for sheet in files[2:]:
        assert Image.open(sheet).width > 9 * 128
    assert (tmp_path / "out" / "target-swaps.jpg") in files


def test_a_stopped_evaluation_goes_on_and_a_finished_one_does_nothing_again(tmp_path: Path) -> None:
    small = protocol(cases=4, arms=("data", "target"), swaps=1, looks=1)
    cut = Oracle(small, GOOD, stop_after=9)
    with pytest.raises(KeyboardInterrupt):
        evaluated(cut, tmp_path)
    rest = Oracle(small, GOOD)
    said: list[str] = []
    found, _ = evaluated(rest, tmp_path, said.append)
    whole, _ = evaluated(Oracle(small, GOOD), tmp_path / "whole")
    assert rest.steps == [] and cut.clips + rest.clips == 4 + 2 * 2 * 4 + 2 * 2
    for arm, columns in whole.columns.items():
        for key, values in columns.items():
            assert (found.columns[arm][key] == values).all()
    idle = Oracle(small, GOOD)
    evaluated(idle, tmp_path)
    assert idle.clips == 0 and idle.steps == []
    # What is added later leaves what is there alone; other settings train anew.
    more = Oracle(protocol(cases=4, arms=("data", "target", "target+t2v"), swaps=0, looks=0), GOOD)
    evaluated(more, tmp_path)
    assert {name for name, _, _ in more.steps} == {"target:0.1+t2v"} and more.clips == 8
    other = TrainingSettings(clips=3, steps=41)
    longer = Oracle(protocol(cases=4, arms=("target",), swaps=0, looks=0, seeds=1, training=other), GOOD)
    evaluated(longer, tmp_path)
    assert [steps for _, _, steps in longer.steps] == [5, 41]


def test_a_training_that_was_cut_is_not_taken_for_a_finished_one(tmp_path: Path) -> None:
    small = protocol(cases=2, arms=("target",), swaps=0, looks=0, seeds=1)
    cut = Oracle(small, GOOD)

    def until_the_trial(training: Any, steps: int) -> float:
        if steps > 5:
            raise KeyboardInterrupt
        return Oracle.train(cut, training, steps)

    cut.train = until_the_trial  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        evaluated(cut, tmp_path)
    rest = Oracle(small, GOOD)
    evaluated(rest, tmp_path)
    assert [steps for _, _, steps in rest.steps] == [5, 40]


def test_arms_are_measured_on_their_way_and_told_apart_by_who_learns_sooner(tmp_path: Path) -> None:
    skills = GOOD | {
        "target:0": lambda steps: Skill(obeys=1.0 if steps >= 40 else 0.0),
        "target:0.1": lambda steps: Skill(obeys=1.0 if steps >= 20 else 0.0),
    }
    staged = protocol(arms=("target:0", "target"), cases=24, seeds=4, swaps=0, looks=0, stages=(20, 10))
    oracle = Oracle(staged, skills)
    said: list[str] = []
    found, store = evaluated(oracle, tmp_path, said.append)
    assert said[0].startswith("3 arms: 8 trainings of 40 steps and 600 clips in all")
    steps = [steps for name, seed, steps in oracle.steps if (name, seed) == ("target:0.1", 1)]
    assert steps == [10, 20, 40]
    assert found.curve is not None and found.curve.steps == (10, 20, 40)
    early, middle, late = (values.mean() for values in found.curve.right[FULL])
    assert early < 0.8 and middle == late == 1.0
    nothing = parse_arm("target:0")
    assert found.difference(FULL, nothing, "right").value == 0
    lead = found.curve.through(FULL) - found.curve.through(nothing)
    assert np.allclose(
        lead,
        (found.curve.right[FULL][1] - found.curve.right[nothing][1]) / 3
        + (found.curve.right[FULL][0] - found.curve.right[nothing][0]) / 3,
    )
    told = {one.text: one.verdict for one in sooner(found)}
    assert told == {"the loss is what matters: a weight of .1 is above none": "holds"}

    files = write_target_report(found, store, tmp_path / "out", "rehearse evaluate target", {})
    page, numbers = files[0].read_text(), json.loads(files[1].read_text())
    assert "## How soon it is learnt" in page and "(target-curve.svg)" in page and "| 10 steps |" in page
    assert "base, not trained" in (tmp_path / "out" / "target-curve.svg").read_text()
    assert numbers["curve"]["steps"] == [10, 20, 40]
    assert numbers["curve"]["right"]["target:0.1"][1]["value"] == 1.0

    again = Oracle(staged, skills)
    evaluated(again, tmp_path)
    assert again.steps == [] and again.clips == 0
    # A training that is measured on its way is another run of the same; one that is not has no such part.
    plain = Oracle(protocol(arms=("target",), cases=2, seeds=1, swaps=0, looks=0), skills)
    found, store = evaluated(plain, tmp_path)
    assert [steps for _, _, steps in plain.steps] == [5, 40] and found.curve is None
    assert "How soon" not in write_target_report(found, store, tmp_path / "out", "c", {})[0].read_text()


def test_a_training_that_was_cut_on_its_way_goes_on_from_the_last_stage(tmp_path: Path) -> None:
    staged = protocol(cases=2, arms=("target",), swaps=0, looks=0, seeds=1, stages=(10, 20))
    cut = Oracle(staged, GOOD)

    def until_the_second(training: Any, steps: int) -> float:
        if steps > 10:
            raise KeyboardInterrupt
        return Oracle.train(cut, training, steps)

    cut.train = until_the_second  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        evaluated(cut, tmp_path)
    rest = Oracle(staged, GOOD)
    evaluated(rest, tmp_path)
    assert [steps for _, _, steps in rest.steps] == [5, 20, 40]
    models = {path.name[-5:] for path in (tmp_path / "trainings").iterdir() if "-at-" in path.name}
    assert models == {"at-10", "at-20"}


@pytest.mark.parametrize("stages", [(0,), (10, 40), (41,)])
def test_steps_that_no_training_passes_are_refused(stages: tuple[int, ...]) -> None:
    with pytest.raises(EvaluationError, match="is not on the way to 40 training steps; give 1 to 39"):
        protocol(stages=stages)


def test_a_failed_gate_stops_the_rest_and_the_page_says_so(tmp_path: Path) -> None:
    lazy = GOOD | {"base": Skill(touches=0.3)}
    oracle = Oracle(protocol(), lazy)
    found, store = evaluated(oracle, tmp_path)
    assert not found.gate.passes and oracle.clips == 8 and not oracle.steps
    files = write_target_report(found, store, tmp_path / "out", "command", {})
    page, numbers = files[0].read_text(), json.loads(files[1].read_text())
    assert "The gate: FAILED" in page and "the rest would say nothing" in page and "## Aims" not in page
    assert numbers["gate"]["passes"] is False and "arms" not in numbers

    forced = Oracle(protocol(cases=6, swaps=1, looks=1, seeds=1, force=True), lazy)
    found, store = evaluated(forced, tmp_path)
    page = write_target_report(found, store, tmp_path / "out", "command", {})[0].read_text()
    assert forced.steps and "The gate: FAILED" in page and "--force" in page and "## Aims" in page


def test_the_estimate_tells_what_is_left(tmp_path: Path) -> None:
    said: list[str] = []
    evaluated(Oracle(protocol(cases=2, arms=("target",), swaps=1, looks=0), GOOD), tmp_path, said.append)
    assert said[0].startswith("2 arms: 2 trainings of 40 steps and 10 clips in all")
    estimate = next(line for line in said if line.startswith("left:"))
    assert "2 trainings of 40 steps at 0.50 s (40 s)" in estimate and "8 clips" in estimate


def test_trained_clips_base_clips_and_cases_are_all_different(tmp_path: Path) -> None:
    cases = target_cases(3)
    assert all(case.place >= HELD_OUT for case in cases) and TARGET.data_seed != TRAINING_SEED
    assert len({case.place for seed in range(3) for case in target_cases(3, seed)}) == 9
    data = write_training_set(tmp_path, 3, lambda line: None)
    rows = [json.loads(line) for line in data.read_text().splitlines()]
    assert len(rows) == 3 and set(rows[0]) == {"video", "mask", "caption", "target"}
    assert all((tmp_path / row["mask"]).is_file() for row in rows)
    before = data.stat().st_mtime_ns
    assert write_training_set(tmp_path, 3, pytest.fail).stat().st_mtime_ns == before


def test_every_arm_asks_for_the_same_but_its_own() -> None:
    case = target_cases(1)[0]
    shots = {name: parse_arm(name).shot(case, "m") for name in STANDARD}
    plain = shots["base"]
    assert shots["data"] == plain and len(plain.instructions) == 1
    assert shots["target"] == shots["target:0"] == shots["target+t2v"]
    assert shots["modulation"].control.target_attention == 4.0 and not plain.control.target_attention
    assert {(shot.prompt, shot.seed, shot.frames) for shot in shots.values()} == {
        (case.caption, case.seed, 8)
    }
    assert parse_arm("target:.1+t2v").name == "target:0.1+t2v" and parse_arm("target") == FULL
    assert parse_arm("target+blocks:0-2/5") == TargetArm("target", weight=0.1, blocks="0-2/5")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ours", "'ours' is unknown"),
        ("data+t2v", "data takes no options"),
        ("modulation:0", "a strength above 0"),
        ("modulation+t2v", "trains nothing"),
        ("target:much", "a weight of 0 or more"),
        ("target:-1", "a weight of 0 or more"),
        ("target+blocks", "'blocks' is unknown"),
    ],
)
def test_arms_that_are_not_understood_are_named(text: str, says: str) -> None:
    with pytest.raises(EvaluationError, match=says):
        parse_arm(text)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--arms", "ours"], "'ours' is unknown"),
        (["--swap-arms", "data"], "takes no mask that could be swapped"),
        (["--model", "no-such-model"], "no-such-model"),
        (["--measure-at", "some"], "--measure-at: 'some' is no list of steps"),
        (["--measure-at", "2000"], "2000 is not on the way to 2000 training steps"),
    ],
)
def test_bad_input_is_one_sentence(
    arguments: list[str], says: str, capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["evaluate", "target", *arguments]) in (1, 2)
    told = capsys.readouterr().err
    assert says in told and "Traceback" not in told and told.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--rate", "nan"], "arm 'data' cannot be trained: --rate is nan"),
        (["--normalise", "text"], "arm 'target:0.1+t2v' cannot be trained: --normalise is text"),
        (["--arms", "target+blocks:1-9"], "--blocks is '1-9': the model's blocks are 0 to 1"),
        (["--arms", "target+blocks:some"], "arm 'target:0.1+blocks:some' cannot be trained: --blocks is"),
    ],
)
def test_what_the_trainer_would_refuse_is_refused_before_the_gate(
    arguments: list[str], says: str, capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toy_models import save_toy_cogvideox

    base = save_toy_cogvideox(tmp_path / "base", vae="tiny")
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    capsys.readouterr()
    assert run(["evaluate", "target", "--model", str(base), *arguments]) == 2
    told = capsys.readouterr().err
    assert says in told and told.count("\n") == 1
    assert list(place.iterdir()) == []


def test_a_model_that_is_no_base_is_named_by_its_option(
    capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, video_folder: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["evaluate", "target", "--model", str(video_folder)]) == 2
    assert f"--model is '{video_folder}': it is no CogVideoX image-to-video model" in capsys.readouterr().err


def test_the_outline_runs_around_the_prop_and_not_over_it() -> None:
    case = target_cases(1)[0]
    drawn = outlined(case.frame, case.props[case.chosen])
    changed = (drawn != case.frame).any(axis=2)
    assert changed.any() and not (changed & case.props[case.chosen]).any()
    assert changed.sum() < 4 * case.props[case.chosen].sum()


@pytest.mark.slow
def _learned(training: Path) -> torch.Tensor:
    """What training has added to the weights: the second factors of a LoRA, which begin at zero."""
    files = [file for file in training.glob("*.safetensors") if not file.name.startswith("checkpoint-")]
    tensors = {name: tensor for file in files for name, tensor in load_file(file).items()}
    return torch.cat([tensors[name].flatten().float() for name in sorted(tensors) if "lora_B" in name])


def test_the_whole_on_a_toy_model(tmp_path: Path, capfd: Any) -> None:
    from toy_models import save_toy_cogvideox

    from rehearse.theatre.world.target_scene import target_words

    base = save_toy_cogvideox(
        tmp_path / "base",
        vae="tiny",
        words=list(target_words()),
        settings={"defaults": {"frames": 8, "width": 128, "height": 128, "steps": 2, "guidance": 2.0}},
    )
    command = ["evaluate", "target", "--model", str(base), "--cases", "2", "--seeds", "1", "--steps", "1"]
    command += ["--train-steps", "2", "--train-clips", "2", "--batch", "2", "--rank", "2", "--force"]
    # The first steps of a warm-up are small.
    command += ["--rate", "0.5"]
    command += ["--arms", "modulation,data,target,target+t2v"]
    command += ["--swap-cases", "1", "--attention-cases", "1"]
    command += ["--work", str(tmp_path / "work"), "--out", str(tmp_path / "out")]
    assert run(command) == 0, capfd.readouterr().err
    told = capfd.readouterr().err
    assert "left: 3 trainings of 2 steps" in told and "trainings: 3 of 3" in told
    numbers = json.loads((tmp_path / "out" / "target.json").read_text())
    assert [arm["arm"] for arm in numbers["arms"]][:3] == ["base", "modulation:4", "data"]
    looks = {arm["arm"]: arm["attention"] for arm in numbers["arms"] if "attention" in arm}
    assert len(looks["base"]["inside_by_block"]) == 2
    assert 0 < looks["base"]["inside"]["value"] < 1
    # Two steps of training have moved it, and the arms apart: seen in the weights, as a report's figures are
    # rounded.
    changes = [_learned(mark.parent) for mark in (tmp_path / "work").rglob("finished.json")]
    assert len(changes) == 3 and all(change.any() for change in changes)
    assert not any(torch.equal(a, b) for a, b in combinations(changes, 2))
    assert all(0 < look["inside"]["value"] < 1 for look in looks.values())
    assert (tmp_path / "out" / "target-target-0.1-t2v.jpg").stat().st_size > 1000
    made = (tmp_path / "work" / "clips.jsonl").read_text()
    assert run(command) == 0
    assert (tmp_path / "work" / "clips.jsonl").read_text() == made
