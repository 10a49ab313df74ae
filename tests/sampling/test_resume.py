"""A take that is stopped at any step, saved and continued elsewhere ends bit for bit where it would have."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from toy_models import SCHEDULER_CONFIGS

from rehearse.schedulers import SCHEDULERS
from rehearse.shot import Box, Shot
from rehearse.takes import Take

STEPS = 6
COMBINATIONS = [
    (name, prediction)
    for name in SCHEDULERS
    for prediction in SCHEDULER_CONFIGS
    if (name, prediction) != ("ddim", "flow_prediction")
] + [("ddim", "cogvideox"), ("dpm++", "cogvideox"), ("unipc", "wan"), ("euler", "wan")]


def shot_of(folder: Path, scheduler: str, prior: str = "noise") -> Shot:
    """A shot whose controls act before, in and after the attention, in the first four of six steps."""
    shot = Shot("a red ball moves right over the meadow", model=str(folder), seed=11, scheduler=scheduler)  # type: ignore[arg-type]
    shot = shot.follow("red ball", [(0, Box(0.1, 0.3, 0.5, 0.8)), (1, Box(0.5, 0.2, 0.9, 0.7))])
    height = 48 if folder.name in ("cogvideox", "wan") else 40  # their patches are two cells wide
    frames = 5 if folder.name == "wan" else 3
    return shot.with_(steps=STEPS, frames=frames, width=48, height=height, guidance=2.5).with_control(
        frozen_steps=4, temporal_prior=prior, temporal_prior_steps=4, initial_noise="freetraj"
    )


@cache
def uninterrupted(folder: Path, scheduler: str, prior: str) -> torch.Tensor:
    take = Take.start(shot_of(folder, scheduler, prior)).finish()
    assert take._state is not None
    return take._state.latents


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    combination=st.sampled_from(COMBINATIONS),
    stop=st.integers(0, STEPS - 1),
    prior=st.sampled_from(["noise", "x0"]),
)
def test_resumed_from_a_file_by_a_fresh_loop(
    prediction_folders: dict[str, Path], combination: tuple[str, str], stop: int, prior: str
) -> None:
    scheduler, prediction = combination
    folder = prediction_folders[prediction]
    take = Take.start(shot_of(folder, scheduler, prior))
    for _ in take.play(until=stop):
        pass
    with TemporaryDirectory() as place:
        resumed = Take.load(take.save(Path(place) / "take.safetensors"))
    assert resumed.step == stop
    resumed.finish()
    assert resumed._state is not None
    assert torch.equal(resumed._state.latents, uninterrupted(folder, scheduler, prior))


def test_resumed_by_another_process_for_every_scheduler_and_prediction(
    prediction_folders: dict[str, Path], tmp_path: Path
) -> None:
    arguments: list[str] = []
    for index, (scheduler, prediction) in enumerate(COMBINATIONS):
        take = Take.start(shot_of(prediction_folders[prediction], scheduler))
        for _ in take.play(until=1 + index % (STEPS - 1)):
            pass
        name = tmp_path / f"{scheduler}-{prediction}"
        arguments += [str(take.save(f"{name}.take")), f"{name}.end"]
    worker = Path(__file__).with_name("resume_worker.py")
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    done = subprocess.run(
        [sys.executable, str(worker), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for scheduler, prediction in COMBINATIONS:
        end = load_file(tmp_path / f"{scheduler}-{prediction}.end")["latents"]
        expected = uninterrupted(prediction_folders[prediction], scheduler, "noise")
        assert torch.equal(end, expected), (scheduler, prediction)
        assert end.isfinite().all()


@pytest.mark.parametrize("scheduler", ["dpm++", "unipc"])
def test_the_history_matters(prediction_folders: dict[str, Path], scheduler: str) -> None:
    """Guards the tests above: without the history a multistep solver ends elsewhere."""
    folder = prediction_folders["epsilon"]
    take = Take.start(shot_of(folder, scheduler))
    for _ in take.play(until=3):
        pass
    state = take._state
    assert state is not None
    bare = take._loop.start().scheduler.restore()
    bare.set_begin_index(3)
    latents = state.latents
    for step in range(3, STEPS):
        fresh = type(state)(
            step, latents, type(state.scheduler).capture(bare), state.generator
        )  # fmt: skip
        after = take._loop.step(fresh)
        latents, bare = after.latents, after.scheduler.restore()
    assert (latents - uninterrupted(folder, scheduler, "noise")).abs().max() > 1e-3
