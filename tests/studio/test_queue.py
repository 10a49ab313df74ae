"""What is told of takes that run and wait, and what is asked of one that has ended meanwhile."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from hand_engine import HandEngine
from test_api import begun, made, queued

ME = {"X-Rehearse-Client": "me"}


def test_an_entry_tells_prompt_seed_and_its_place_among_all_projects(
    client: TestClient, engine: HandEngine
) -> None:
    _, shot = made(client)
    first = queued(client, shot, seed=41)
    _, elsewhere = made(client, prompt="a blue boat")
    queued(client, elsewhere, "you", seed=42)
    last = queued(client, shot, seed=43)
    claim = begun(client, engine)
    engine.plan(claim)
    for step in range(3):
        engine.step(claim, step)
    entries = client.get("/api/queue").json()["entries"]
    told = [(entry["position"], entry["prompt"], entry["seed"], entry["step"]) for entry in entries]
    assert told == [
        (None, "a red ball over the meadow", 41, 2),
        (0, "a blue boat", 42, 0),
        (1, "a red ball over the meadow", 43, 0),
    ]
    assert [entry["seconds_left"] for entry in entries] == [pytest.approx(1.0), None, None]
    assert [entry["take"] for entry in entries][::2] == [first["id"], last["id"]]


@pytest.mark.parametrize(("command", "becomes"), [("pause", "paused"), ("stop", "stopped")])
def test_what_a_running_take_is_asked_is_told_to_every_desk(
    client: TestClient, engine: HandEngine, command: str, becomes: str
) -> None:
    project, shot = made(client)
    take = queued(client, shot)
    claim = begun(client, engine)
    answer = client.post(f"/api/takes/{take['id']}/{command}", json={}, headers=ME).json()
    assert (answer["status"], answer["asked"]) == ("running", becomes)
    again = client.post(f"/api/takes/{take['id']}/{command}", json={}, headers=ME).json()
    assert again["revision"] == answer["revision"]
    events = client.get(f"/api/projects/{project['id']}/history").json()["events"]
    assert events[-1]["take"]["asked"] == becomes
    assert client.get("/api/queue").json()["entries"][0]["asked"] == becomes
    engine.finish(claim, becomes)
    ended = client.get(f"/api/takes/{take['id']}").json()
    assert (ended["status"], ended["asked"]) == (becomes, None)


@pytest.mark.parametrize("command", ["pause", "stop"])
@pytest.mark.parametrize("ended", ["finished", "failed"])
def test_a_take_that_ended_before_the_command_came_stays_as_it_is(
    client: TestClient, engine: HandEngine, command: str, ended: str
) -> None:
    _, shot = made(client)
    take = queued(client, shot)
    engine.finish(begun(client, engine), ended)
    before = client.get(f"/api/takes/{take['id']}").json()
    answer = client.post(f"/api/takes/{take['id']}/{command}", json={}, headers=ME)
    assert (answer.status_code, answer.json()["status"]) == (200, ended)
    assert answer.json()["revision"] == before["revision"]


def test_playing_what_waits_or_runs_already_changes_nothing(client: TestClient, engine: HandEngine) -> None:
    _, shot = made(client)
    take = queued(client, shot)
    play = f"/api/takes/{take['id']}/play"
    assert client.post(play, json={}).json()["revision"] == take["revision"]
    begun(client, engine)
    assert (client.post(play, json={}).json()["status"]) == "running"
    other = client.post(play, json={"until": 2})
    assert (other.status_code, other.json()["error"]) == (409, "the take is running already")


def test_models_that_no_worker_has_looked_at_are_no_fault(client: TestClient, engine: HandEngine) -> None:
    known, engine.known = engine.known, []
    answer = client.get("/api/models")
    assert (answer.status_code, answer.json()["ready"], answer.json()["models"]) == (200, False, [])
    engine.known = known
    answer = client.get("/api/models").json()
    assert (answer["ready"], len(answer["models"])) == (True, 1)
