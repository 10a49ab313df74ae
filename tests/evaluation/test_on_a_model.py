"""All arms and the shift probe through the public API, on a toy model with random weights."""

from __future__ import annotations

import json

import pytest
from oracle_theatre import Oracle
from toy_models import save_tokenizer, save_toy_model

from rehearse.evaluation.kit.engine import load_engine, model_fingerprint
from rehearse.evaluation.kit.judging import Bench
from rehearse.evaluation.kit.measure import Tools
from rehearse.evaluation.shift import ShiftOptions, measure_shift, run_on_model
from rehearse.evaluation.theatre.reference import reference_clips
from rehearse.evaluation.trajectory.ablation import Ablation, Protocol
from rehearse.evaluation.trajectory.report import write_trajectory_report
from rehearse.shot.methods import AttentionMasking
from rehearse.theatre.world.vocabulary import words


def quiet(line: str) -> None:
    pass


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A toy video model that reads the theatre's words."""
    folder = save_toy_model(tmp_path_factory.mktemp("models") / "toy-theatre")
    save_tokenizer(folder / "tokenizer", [*words(), ","])
    return str(folder)


def test_every_arm_runs_and_every_control_acts(model, tmp_path):
    engine, frames = load_engine(model), {}

    def remembering(shot):
        made = engine(shot)
        frames.setdefault(shot.seed, {})[shot.control.model_dump_json()] = made.tobytes()
        return made

    reference = reference_clips(Bench(Oracle(), "oracle"), 3, tmp_path, quiet, frames=4, size=64)
    protocol = Protocol(model=model, cases=2, frozen=(0.5,), steps=4, replicates=20)
    ablation = Ablation(
        protocol,
        tmp_path / "work",
        lambda: Tools(remembering, Oracle()),
        reference,
        (model_fingerprint(model),),
        say=quiet,
    )
    found = ablation.run()
    # Seven arms, perhaps their combination: every one makes another clip of the same case.
    for clips in frames.values():
        assert len(clips) >= 7 and len(set(clips.values())) == len(clips)
    # Noise shows no puppets: nothing is found, and the report says so without failing.
    assert not found.aims[0].holds
    write_trajectory_report(found, ablation.store, tmp_path / "out", "command", {})
    numbers = json.loads((tmp_path / "out" / "trajectory.json").read_text())
    assert numbers["points"][0]["metrics"]["coverage"]["value"] == 0
    assert numbers["points"][0]["metrics"]["distance"]["value"] is None


def test_normalization_brings_statistics_back(model):
    options = ShiftOptions(model, cases=1, frozen=2, steps=4)
    sites = measure_shift(options, run_on_model(model), quiet)
    assert {site.kind for site in sites["mn-a"]} == set(AttentionMasking().mask_sites)
    # A box covers a few tokens of a toy grid, so the masks do move something.
    assert sum(site.before for site in sites["mn-a"]) > 0
    for site in sites["mn-a"]:
        assert site.measurements == 2
        assert site.after <= 0.05 * site.before + 1e-6
