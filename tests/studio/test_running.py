"""Takes in a real worker: played, paused, branched, and killed at random moments."""

from __future__ import annotations

import base64
import io
import random
import time
from functools import partial

import numpy as np
import pytest
from PIL import Image
from studio_process import EventReader, StudioProcess, until

import rehearse as rh
from rehearse.models import load_model

pytestmark = pytest.mark.slow

STEPS = 8


def _document(model: str, **more: object) -> dict[str, object]:
    return {"prompt": "a red ball over the meadow", "model": model, "seed": 3, "steps": STEPS, **more}


@pytest.fixture(scope="module")
def undisturbed(studio: StudioProcess, toy_model: str) -> dict[str, object]:
    """A take that nobody disturbed."""
    _, shot = studio.shot(_document(toy_model))
    return studio.wait(studio.post(f"/shots/{shot['id']}/takes")["id"])


def test_a_take_is_played_step_by_step_and_told(studio: StudioProcess, toy_model: str) -> None:
    project, shot = studio.shot(_document(toy_model))
    reader = EventReader(studio, project["id"])
    take = studio.wait(studio.post(f"/shots/{shot['id']}/takes")["id"])
    assert take["status"] == "finished", take["error"]
    assert take["kept_steps"] == list(range(STEPS + 1))
    until(
        lambda: any(e["kind"] == "take" and e["take"]["status"] == "finished" for e in reader.events),
        10,
        "told",
    )
    reader.end()
    steps = [event["step"] for event in reader.events if event["kind"] == "step"]
    assert steps == list(range(STEPS + 1))
    listed = studio.get(f"/takes/{take['id']}/steps")["steps"]
    assert [step["step"] for step in listed] == steps
    clip = studio.http.get(f"/api/takes/{take['id']}/clip.mp4", headers={"Range": "bytes=0-9"})
    assert (clip.status_code, len(clip.content)) == (206, 10)


def test_paused_and_played_on_is_the_same_clip(
    studio: StudioProcess, toy_model: str, undisturbed: dict[str, object]
) -> None:
    _, shot = studio.shot(_document(toy_model))
    take = studio.wait(studio.post(f"/shots/{shot['id']}/takes", {"until": 3})["id"])
    assert (take["status"], take["step"]) == ("paused", 3)
    assert take["look"] is not None
    studio.post(f"/takes/{take['id']}/play", {"until": 5})
    assert studio.wait(take["id"])["step"] == 5
    studio.post(f"/takes/{take['id']}/play")
    assert studio.wait(take["id"])["look"] == undisturbed["look"]


def test_a_branch_owns_its_steps_and_an_unchanged_one_ends_alike(
    studio: StudioProcess, toy_model: str, undisturbed: dict[str, object]
) -> None:
    same = studio.wait(studio.post(f"/takes/{undisturbed['id']}/fork", {"at": 3})["id"])
    assert same["look"] == undisturbed["look"]
    steps = studio.get(f"/takes/{same['id']}/steps")["steps"]
    assert [step["inherited"] for step in steps] == [True] * 4 + [False] * 5
    shot = _document(toy_model) | {"prompt": "a blue star in the snow"}
    other = studio.wait(studio.post(f"/takes/{undisturbed['id']}/fork", {"at": 3, "shot": shot})["id"])
    assert other["status"] == "finished", other["error"]
    assert other["look"] != undisturbed["look"]
    blend = {"control": {"blend": {"weight": 0.5}}}
    mixed = studio.wait(
        studio.post(f"/takes/{undisturbed['id']}/fork", {"at": 3, "shot": shot | blend, "until": 5})["id"]
    )
    assert mixed["status"] == "paused", mixed["error"]
    studio.post(f"/takes/{mixed['id']}/play")
    mixed = studio.wait(mixed["id"])
    straight = studio.wait(
        studio.post(f"/takes/{undisturbed['id']}/fork", {"at": 3, "shot": shot | blend})["id"]
    )
    assert mixed["look"] == straight["look"] != other["look"]


def test_what_a_clip_starts_from_can_be_looked_at(
    studio: StudioProcess, toy_model: str, toy_animator: str
) -> None:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((96, 64)).convert("RGB").save(file, "PNG")
    image = studio.http.post("/api/images", content=file.getvalue()).json()
    drag = {"kind": "trajectory", "form": "drag", "moves": [{"handle": [0.3, 0.5], "target": [0.7, 0.5]}]}
    shot = _document(toy_animator) | {
        "width": 64, "height": 64, "steps": 3,
        "instructions": [{"kind": "image", "image": image["reference"]}, drag],
    }  # fmt: skip
    _, kept = studio.shot(shot)
    take = studio.wait(studio.post(f"/shots/{kept['id']}/takes")["id"])
    assert take["status"] == "finished", take["error"]
    answer = studio.http.get(f"/api/takes/{take['id']}/picture")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert studio.http.get(f"/api/previews/{take['picture']}").content == answer.content
    inline = {"kind": "image", "image": f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"}
    asked = rh.Shot.model_validate(shot | {"instructions": [inline, drag]})
    expected = rh.picture(asked, model=load_model(toy_animator))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(answer.content))), np.asarray(expected))
    # The drag is in it: without, it is another picture.
    straight = rh.picture(asked.with_(instructions=asked.instructions[:1]), model=load_model(toy_animator))
    assert not np.array_equal(np.asarray(straight), np.asarray(expected))
    branch = studio.wait(studio.post(f"/takes/{take['id']}/fork", {"at": 1})["id"])
    assert branch["picture"] == take["picture"]
    _, plain = studio.shot(_document(toy_model))
    from_noise = studio.wait(studio.post(f"/shots/{plain['id']}/takes", {"until": 1})["id"])
    refused = studio.http.get(f"/api/takes/{from_noise['id']}/picture")
    assert (refused.status_code, refused.json()["error"]) == (404, "this take starts from no picture")


def test_what_a_model_cannot_do_is_said_before_it_runs(studio: StudioProcess, toy_model: str) -> None:
    until(lambda: len(studio.get("/models")["models"]) > 1, 60, "the models are known")
    _, shot = studio.shot(_document(toy_model) | {"width": 12})
    answer = studio.http.post(f"/api/shots/{shot['id']}/takes", json={})
    assert answer.status_code == 422
    assert answer.json()["field"] == "shot.width"
    assert "multiple of 8" in answer.json()["error"]


def test_a_worker_killed_at_random_moments_changes_nothing(
    studio: StudioProcess, toy_model: str, undisturbed: dict[str, object]
) -> None:
    dice = random.Random(5)
    project, shot = studio.shot(_document(toy_model))
    reader = EventReader(studio, project["id"])
    take = studio.post(f"/shots/{shot['id']}/takes")["id"]
    made = -1
    for _ in range(3):
        # A step between two deaths, however slow the machine: after three without one, a take waits.
        until(partial(_goes_beyond, studio, take, made), 600, "it runs, and has made a step")
        time.sleep(dice.uniform(0, 0.4))
        studio.kill_worker()
        made = studio.get(f"/takes/{take}")["step"]
        assert studio.get("/health")["version"]
    found = studio.wait(take)
    assert found["look"] == undisturbed["look"]
    until(
        lambda: any(e["kind"] == "take" and e["take"]["status"] == "finished" for e in reader.events),
        10,
        "told",
    )
    reader.end()
    ids = [event["id"] for event in reader.events]
    assert ids == sorted(set(ids))
    assert [event["step"] for event in reader.events if event["kind"] == "step"] == list(range(STEPS + 1))


def _goes_beyond(studio: StudioProcess, take: str, step: int) -> bool:
    found = studio.get(f"/takes/{take}")
    return found["status"] == "finished" or (found["status"] == "running" and found["step"] > step)


def test_a_server_killed_and_restarted_goes_on(
    studio: StudioProcess, toy_model: str, undisturbed: dict[str, object]
) -> None:
    project, shot = studio.shot(_document(toy_model))
    reader = EventReader(studio, project["id"])
    take = studio.post(f"/shots/{shot['id']}/takes")["id"]
    until(lambda: studio.get(f"/takes/{take}")["step"] >= 2, 60, "two steps are done")
    studio.kill()
    studio.start()
    found = studio.wait(take)
    assert found["look"] == undisturbed["look"]
    until(
        lambda: any(e["kind"] == "take" and e["take"]["status"] == "finished" for e in reader.events),
        20,
        "told",
    )
    reader.end()
    assert [event["step"] for event in reader.events if event["kind"] == "step"] == list(range(STEPS + 1))
    assert any(
        event["kind"] == "take" and event["take"]["status"] == "interrupted" for event in reader.events
    )


def test_a_polite_end_pauses_what_runs(studio: StudioProcess, toy_model: str) -> None:
    _, shot = studio.shot(_document(toy_model, steps=200))
    take = studio.post(f"/shots/{shot['id']}/takes")["id"]
    until(lambda: studio.get(f"/takes/{take}")["step"] >= 2, 60, "two steps are done")
    assert studio.stop() == 128 + 15  # ended by SIGTERM, as every command of the house says it
    studio.start()
    found = studio.get(f"/takes/{take}")
    assert found["status"] == "paused"
    assert 2 <= found["step"] < 200


def test_a_stream_cut_again_and_again_loses_and_doubles_nothing(
    studio: StudioProcess, toy_model: str
) -> None:
    project, shot = studio.shot(_document(toy_model, steps=30))
    reader = EventReader(studio, project["id"])
    take = studio.post(f"/shots/{shot['id']}/takes")["id"]
    while studio.get(f"/takes/{take}")["status"] in ("queued", "running"):
        reader.cut()
        time.sleep(0.03)
    last = studio.get(f"/projects/{project['id']}")["last_event"]
    until(lambda: reader.last == last, 15, "all is read")
    reader.end()
    whole = studio.get(f"/projects/{project['id']}/history?limit=1000")["events"]
    assert [event["id"] for event in reader.events] == [event["id"] for event in whole]
    assert reader.cuts > 2
