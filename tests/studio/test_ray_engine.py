"""Ray actors behind the studio: two takes at once, an actor killed in the middle of one, the same clips."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from studio_process import StudioProcess, until

from rehearse.cli import run

pytest.importorskip("ray", reason="needs Ray; pip install 'rehearse[ray]'")
pytestmark = pytest.mark.slow

# So many that both takes are still on their way when an actor is killed.
STEPS = 80


@pytest.fixture(scope="module")
def on_ray(tmp_path_factory: pytest.TempPathFactory, toy_model: str) -> Iterator[StudioProcess]:
    """A studio with two CPU actors."""
    folder = tmp_path_factory.mktemp("ray") / "projects"
    more = ["--engine", "ray", "--device", "cpu", "--device", "cpu"]
    with StudioProcess(folder, models=[toy_model], more=more) as process:
        yield process


def _actors(studio: StudioProcess) -> set[int]:
    """Processes of the workers that are actors."""
    # Ray's own daemons stand between the server and them.
    family = psutil.Process(studio.pid).children(recursive=True)
    return {one.pid for one in family if one.is_running() and "ray::Stage" in " ".join(one.cmdline())}


def _played(studio: StudioProcess, model: str, seeds: list[int]) -> list[dict[str, object]]:
    document = {"prompt": "a red ball over the meadow", "model": model, "seed": 0, "steps": STEPS}
    _, shot = studio.shot(document)
    return [studio.post(f"/shots/{shot['id']}/takes", {"seed": seed}) for seed in seeds]


def test_an_actor_killed_in_the_middle_of_a_take_changes_no_clip(
    on_ray: StudioProcess, toy_model: str
) -> None:
    until(lambda: len(_actors(on_ray)) == 2, 120, "two actors are up")
    until(lambda: on_ray.get("/health")["worker"] == "idle", 240, "they are ready")
    # On the same engine: with another number of threads sums are rounded otherwise.
    undisturbed = [on_ray.wait(take["id"], 400)["look"] for take in _played(on_ray, toy_model, [1, 2])]
    takes = [take["id"] for take in _played(on_ray, toy_model, [1, 2])]

    def standing() -> list[dict[str, object]]:
        return [on_ray.get(f"/takes/{take}") for take in takes]

    # Each has an actor of its own, so that whichever is killed is in the middle of a take.
    until(
        lambda: all(found["status"] == "running" and found["step"] >= 2 for found in standing()),
        180,
        "both run at the same time",
        lambda: str(standing()),
    )
    before = _actors(on_ray)
    os.kill(min(before), signal.SIGKILL)
    ended = [on_ray.wait(take, 400) for take in takes]
    assert [take["look"] for take in ended] == undisturbed
    told = [
        event["take"]["error"]
        for take in ended
        for event in on_ray.get(f"/projects/{take['project']}/history?limit=1000")["events"]
        if event["kind"] == "take" and event["take"]["status"] == "interrupted"
    ]
    assert told
    assert all("its Ray actor died" in sentence for sentence in told)
    until(lambda: len(_actors(on_ray)) == 2, 120, "a new actor is up")
    assert _actors(on_ray) != before


def test_a_paused_take_goes_on_at_its_step(
    on_ray: StudioProcess, studio: StudioProcess, toy_model: str
) -> None:
    straight = studio.wait(_played(studio, toy_model, [5])[0]["id"])
    take = _played(on_ray, toy_model, [5])[0]["id"]
    until(lambda: on_ray.get(f"/takes/{take}")["step"] >= 2, 120, "it runs")
    on_ray.post(f"/takes/{take}/pause")
    paused = on_ray.wait(take)
    assert (paused["status"], paused["step"] < STEPS) == ("paused", True)
    on_ray.post(f"/takes/{take}/play")
    assert on_ray.wait(take, 400)["look"] == straight["look"]


def test_more_gpus_than_ray_has_are_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = [word for _ in range(64) for word in ("--device", "cuda")]
    code = run(["studio", "--engine", "ray", *many, "-p", str(tmp_path), "--port", "0", "--no-browser"])
    assert code == 2
    assert "asks for 64 GPUs" in capsys.readouterr().err
