"""The gates on models and judges whose quality is known."""

from __future__ import annotations

import json

import numpy as np
import pytest
from oracle_theatre import Maps, Oracle, prompted, remember, static, tools

from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.theatre import gates as gates_module
from rehearse.evaluation.theatre.gates import GateOptions, judge_gates, run_gates
from rehearse.evaluation.theatre.report import write_gate_report
from rehearse.theatre.world import render_frame


def quiet(line: str) -> None:
    pass


def run(folder, engine, **options):
    given = {"images": 14, "videos": 33, "renders": 0} | options
    return run_gates(
        GateOptions(**given),
        folder,
        lambda model: lambda: tools(engine),
        Oracle(),
        lambda model: (model,),
        say=quiet,
    )


def values(findings):
    return {gate.name: gate.value.value for gate in findings.gates}


def test_a_model_that_does_as_told_passes_and_is_reported(tmp_path):
    findings, store = run(tmp_path / "work", prompted)
    assert all(gate.passes for gate in findings.gates)
    assert [gate.value.value for gate in findings.gates] == [1, 1, 1]
    assert findings.gates[2].count == sum(f.moved is not None for f in findings.videos) == 18
    assert len(store.journal) == 47

    files = write_gate_report(findings, store, tmp_path / "out", "rehearse evaluate theatre", {})
    assert all(file.stat().st_size > 0 for file in files)
    numbers = json.loads((tmp_path / "out" / "theatre.json").read_text())
    assert [gate["passes"] for gate in numbers["gates"]] == [True] * 3
    assert numbers["gates"][0]["low"] < 1 == numbers["gates"][0]["value"]
    assert "All gates pass." in (tmp_path / "out" / "theatre.md").read_text()


def test_a_model_that_stands_still_fails_on_direction_alone(tmp_path):
    findings, store = run(tmp_path / "work", static)
    assert [gate.passes for gate in findings.gates] == [True, True, False]
    assert findings.gates[2].value.value == 0
    write_gate_report(findings, store, tmp_path / "out", "command", {})
    assert "1 of 3 gates fail." in (tmp_path / "out" / "theatre.md").read_text()


def test_a_model_with_the_wrong_colour_fails(tmp_path):
    def always_red(shot):
        words = shot.prompt.split()
        red = shot.with_(prompt=" ".join(["a", "red", *words[2:]]))
        return prompted(red)

    findings, _ = run(tmp_path, always_red, images=16, videos=0)
    (gate,) = findings.gates
    assert gate.value.value == pytest.approx(1 / 8) and not gate.passes
    assert gate.extra["by_colour"]["red"] == 1 and gate.extra["by_colour"]["blue"] == 0


def test_stopped_and_continued_is_the_same(tmp_path):
    whole, _ = run(tmp_path / "a", prompted, images=4, videos=5)
    left = [5]

    def dying(shot):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return prompted(shot)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "b", dying, images=4, videos=5)
    made = []
    resumed, _ = run(tmp_path / "b", lambda shot: made.append(shot) or prompted(shot), images=4, videos=5)
    assert len(made) == 4
    assert values(resumed) == values(whole) and resumed.videos == whole.videos


class Knowing(Oracle):
    """An oracle for held-out renders: render_frame tells it what it draws."""

    flaw = ""

    def segment(self, frames):
        maps = super().segment(frames)
        if self.flaw == "colour":
            return Maps(maps.kind, np.where(maps.colour > 0, 1, 0))
        if self.flaw == "thin":
            maps.kind[:, :, ::2] = 0
        return maps


@pytest.fixture
def told(monkeypatch):
    def telling(scene, t, size):
        still = render_frame(scene, t, size)
        remember(still.frame[None], still.masks[None], scene)
        return still

    monkeypatch.setattr(gates_module, "render_frame", telling)


def test_the_judge_is_judged(told):
    perfect = judge_gates(Knowing(), 20, quiet, size=96)
    assert [gate.value.value for gate in perfect] == [1, 1, 1] and all(gate.passes for gate in perfect)
    assert perfect[2].extra["box_iou"] == pytest.approx(1)
    assert perfect[2].extra["finds_what_is_absent"] == 0 and perfect[2].extra["asked_for_absent"] > 20

    colourless = Knowing()
    colourless.flaw = "colour"
    kind, colour, mask = judge_gates(colourless, 20, quiet, size=96)
    assert kind.passes and mask.passes and not colour.passes and colour.value.value < 0.5

    thin = Knowing()
    thin.flaw = "thin"
    assert judge_gates(thin, 10, quiet, size=96)[2].value.value == pytest.approx(0.5, abs=0.05)


def test_the_judge_alone_can_be_asked(told, tmp_path):
    findings, store = run_gates(
        GateOptions(images=0, videos=0, renders=4), tmp_path, pytest.fail, Knowing(), pytest.fail, say=quiet
    )
    assert len(findings.gates) == 3
    files = write_gate_report(findings, store, tmp_path / "out", "command", {})
    assert [file.name for file in files] == ["theatre.md", "theatre.json"]
    assert "judge: mask IoU" in files[0].read_text() and "not there" in files[0].read_text()


def test_negative_counts_are_refused():
    with pytest.raises(EvaluationError, match="videos: -1"):
        GateOptions(videos=-1)
