"""The API over an engine played by hand: documents, conflicts, repeated commands, the queue, who may what."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hand_engine import SHOT, HandEngine
from hypothesis import HealthCheck, given, settings
from PIL import Image
from shot_strategies import shots
from studio_process import until

from rehearse.media import read_frames, read_shot
from rehearse.shot import Shot
from rehearse.studio.app import create_app
from rehearse.studio.engines.engine import Finding
from rehearse.studio.limits import ServerLimits
from rehearse.studio.strips import put_strip
from rehearse.takes.store.recording import Claim, Lost, record_end
from rehearse.takes.store.tree import Order, create_take

Json = dict[str, Any]


def made(client: TestClient, **shot: Any) -> tuple[Json, Json]:
    project = client.post("/api/projects", json={"name": "Film"}).json()
    answer = client.post(f"/api/projects/{project['id']}/shots", json={"shot": {**SHOT, **shot}})
    assert answer.status_code == 201, answer.text
    return project, answer.json()


def queued(client: TestClient, shot: Json, who: str = "me", **body: Any) -> Json:
    answer = client.post(f"/api/shots/{shot['id']}/takes", json=body, headers={"X-Rehearse-Client": who})
    assert answer.status_code == 201, answer.text
    return answer.json()


def begun(client: TestClient, engine: HandEngine) -> Claim:
    engine.open = True
    assert engine.listener is not None
    engine.listener.free()
    until(lambda: engine.claim is not None, 5, "a claim is handed out")
    engine.open = False
    assert engine.claim is not None
    return engine.claim


def test_a_shot_is_kept_in_revisions(client: TestClient) -> None:
    _, shot = made(client)
    changed = client.put(
        f"/api/shots/{shot['id']}", json={"revision": 1, "shot": {**SHOT, "prompt": "a blue car"}}
    ).json()
    assert (changed["revision"], changed["shot"]["prompt"], changed["name"]) == (
        2,
        "a blue car",
        shot["name"],
    )
    assert client.get(f"/api/shots/{shot['id']}?revision=1").json()["shot"]["prompt"] == SHOT["prompt"]
    revisions = client.get(f"/api/shots/{shot['id']}/revisions").json()["revisions"]
    assert [revision["revision"] for revision in revisions] == [2, 1]


def test_of_two_clients_who_edit_one_shot_one_is_told(client: TestClient) -> None:
    _, shot = made(client)

    def edit(seed: int) -> tuple[int, Json]:
        answer = client.put(f"/api/shots/{shot['id']}", json={"revision": 1, "shot": {**SHOT, "seed": seed}})
        return answer.status_code, answer.json()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(edit, range(8)))
    assert sorted(status for status, _ in answers) == [200] + [409] * 7
    refused = next(body for status, body in answers if status == 409)
    assert "has moved on to revision 2" in refused["error"]
    assert client.get(f"/api/shots/{shot['id']}").json()["revision"] == 2


def test_a_repeated_command_is_done_once_and_answered_alike(client: TestClient) -> None:
    project, shot = made(client)

    def send(_: int) -> Json:
        answer = client.post(f"/api/shots/{shot['id']}/takes", json={}, headers={"Idempotency-Key": "k1"})
        assert answer.status_code == 201
        return answer.json()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(16)))
    assert all(answer == answers[0] for answer in answers)
    assert len(client.get(f"/api/projects/{project['id']}/takes").json()["takes"]) == 1
    other = client.post(f"/api/shots/{shot['id']}/takes", json={"seed": 1}, headers={"Idempotency-Key": "k1"})
    assert other.status_code == 409
    assert "make up a new one" in other.json()["error"]


def test_a_take_moves_through_its_states(client: TestClient, engine: HandEngine) -> None:
    project, shot = made(client)
    take = queued(client, shot)
    assert (take["status"], take["queue_position"], take["steps"]) == ("queued", 0, 4)
    claim = begun(client, engine)
    engine.plan(claim)
    for step in range(3):
        engine.step(claim, step)
    found = client.get(f"/api/takes/{take['id']}").json()
    assert (found["status"], found["step"], found["kept_steps"]) == ("running", 2, [0, 1, 2])
    assert found["seconds_left"] == pytest.approx(1.0)
    client.post(f"/api/takes/{take['id']}/pause", json={}, headers={"X-Rehearse-Client": "me"})
    assert engine.halts == [(claim.run, "paused")]
    engine.finish(claim, "paused")
    again = client.post(f"/api/takes/{take['id']}/play", json={"until": 1})
    assert again.status_code == 422
    fork = client.post(f"/api/takes/{take['id']}/fork", json={"at": 1, "play": False}).json()
    assert (fork["status"], fork["step"], fork["parent"], fork["branch_step"]) == ("paused", 1, take["id"], 1)
    assert client.post(f"/api/takes/{take['id']}/fork", json={"at": 3}).status_code == 409
    kinds = [e["kind"] for e in client.get(f"/api/projects/{project['id']}/history").json()["events"]]
    assert kinds.count("step") == 3


def test_a_run_that_lost_its_take_writes_nothing(client: TestClient, engine: HandEngine) -> None:
    _, shot = made(client)
    take = queued(client, shot)
    claim = begun(client, engine)
    engine.plan(claim)
    engine.step(claim, 0)
    assert engine.listener is not None
    engine.listener.died(claim, "the worker was killed")
    found = client.get(f"/api/takes/{take['id']}").json()
    assert found["status"] == "queued", "it is to go on by itself"
    with pytest.raises(Lost):
        engine.step(claim, 1)
    engine.claim = None
    second = begun(client, engine)
    assert second.take == claim.take
    with pytest.raises(Lost, match="cannot follow"):
        engine.step(second, 3)
    engine.step(second, 1)


def test_a_take_that_kills_its_worker_again_and_again_waits(client: TestClient, engine: HandEngine) -> None:
    _, shot = made(client)
    take = queued(client, shot)
    for _ in range(3):
        claim = begun(client, engine)
        assert engine.listener is not None
        engine.listener.died(claim, "the worker was killed (SIGKILL)")
        engine.claim = None
    found = client.get(f"/api/takes/{take['id']}").json()
    assert found["status"] == "interrupted"
    assert found["error"].startswith("the worker was killed (SIGKILL), 3 times")
    assert client.post(f"/api/takes/{take['id']}/play", json={}).json()["status"] == "queued"


def test_only_who_queued_a_take_cancels_or_moves_it(client: TestClient) -> None:
    _, shot = made(client)
    mine = [queued(client, shot, "me") for _ in range(3)]
    theirs = queued(client, shot, "you")
    answer = client.post(f"/api/takes/{theirs['id']}/stop", json={}, headers={"X-Rehearse-Client": "me"})
    assert answer.status_code == 403
    paused = client.post(f"/api/takes/{theirs['id']}/pause", json={}, headers={"X-Rehearse-Client": "me"})
    assert (paused.status_code, "only who queued it can pause it" in paused.json()["error"]) == (403, True)
    order = [mine[2]["id"], mine[0]["id"]]
    moved = client.put("/api/queue/order", json={"takes": order}, headers={"X-Rehearse-Client": "me"}).json()
    assert [entry["take"] for entry in moved["entries"]] == [
        mine[2]["id"], mine[1]["id"], mine[0]["id"], theirs["id"]
    ]  # fmt: skip
    refused = client.put(
        "/api/queue/order", json={"takes": [theirs["id"]]}, headers={"X-Rehearse-Client": "me"}
    )
    assert refused.status_code == 403
    stopped = client.post(f"/api/takes/{mine[0]['id']}/stop", json={}, headers={"X-Rehearse-Client": "me"})
    assert stopped.json()["status"] == "stopped"
    paused = client.post(f"/api/takes/{theirs['id']}/pause", json={}, headers={"X-Rehearse-Client": "you"})
    assert paused.json()["status"] == "paused"


def test_only_who_queued_a_take_pauses_it_as_it_runs(client: TestClient, engine: HandEngine) -> None:
    _, shot = made(client)
    take = queued(client, shot, "you")
    claim = begun(client, engine)
    pause = f"/api/takes/{take['id']}/pause"
    assert client.post(pause, json={}, headers={"X-Rehearse-Client": "me"}).status_code == 403
    assert engine.halts == []
    assert client.post(pause, json={}, headers={"X-Rehearse-Client": "you"}).status_code == 200
    assert engine.halts == [(claim.run, "paused")]


def test_a_paused_queue_begins_nothing(client: TestClient, engine: HandEngine) -> None:
    _, shot = made(client)
    client.post("/api/queue/pause")
    queued(client, shot)
    engine.open = True
    assert engine.listener is not None
    engine.listener.free()
    with pytest.raises(RuntimeError):
        until(lambda: engine.claim is not None, 0.5, "a claim")
    assert client.post("/api/queue/resume").json()["paused"] is False
    until(lambda: engine.claim is not None, 5, "a claim")


def test_a_thousand_takes_wait_in_order(client: TestClient, engine: HandEngine) -> None:
    project, shot = made(client)
    with engine.store.write() as session:
        order = Order(document=json.dumps(shot["shot"]), prompt="a red ball", model="toy", seed=1)
        takes = [create_take(session, shot["id"], 1, order, "me", play=True)["id"] for _ in range(999)]
    takes.append(queued(client, shot)["id"])
    listed = client.get(f"/api/projects/{project['id']}/takes").json()["takes"]
    assert [take["queue_position"] for take in listed] == list(range(1000))
    queue = client.get("/api/queue?limit=5").json()
    assert queue["length"] == 1000
    assert [entry["take"] for entry in queue["entries"]] == takes[:5]
    assert begun(client, engine).take == takes[0]
    entries = client.get("/api/queue?limit=2").json()["entries"]
    assert [(entry["take"], entry["position"]) for entry in entries] == [
        (takes[0], None), (takes[1], 0), (takes[2], 1)
    ]  # fmt: skip


def test_what_is_deleted_comes_back(client: TestClient, engine: HandEngine) -> None:
    project, shot = made(client)
    take = queued(client, shot, play=False)
    for kind, id in (("takes", take["id"]), ("shots", shot["id"]), ("projects", project["id"])):
        assert client.delete(f"/api/{kind}/{id}").json()["deleted"] is True
        if kind == "takes":
            assert client.post(f"/api/takes/{id}/play", json={}).status_code == 409
            assert client.get(f"/api/projects/{project['id']}/takes").json()["takes"] == []
            assert len(client.get(f"/api/projects/{project['id']}/takes?deleted=true").json()["takes"]) == 1
        assert client.post(f"/api/{kind}/{id}/restore").json()["deleted"] is False


def test_a_fault_is_one_sentence_and_a_field(client: TestClient, engine: HandEngine) -> None:
    project, shot = made(client)
    post = f"/api/projects/{project['id']}/shots"
    bad = {**SHOT, "instructions": [{"kind": "trajectory", "form": "box", "phrase": "red ball",
           "path": {"keyframes": [{"time": 2, "box": [0.1, 0.1, 0.4, 0.4]}]}}]}  # fmt: skip
    for shown, field in (
        (bad, "shot.instructions[0].path.keyframes[0].time"),
        ({**SHOT, "model": "/etc/passwd"}, "shot.model"),
        ({**SHOT, "frames": 2000}, "shot.frames"),
        ({**SHOT, "width": 8192, "height": 8192}, "shot.width"),
    ):
        # It is kept as it is, and is not run.
        draft = client.post(post, json={"shot": shown})
        assert draft.status_code == 201, draft.text
        assert shown.items() <= draft.json()["shot"].items()
        answer = client.post(f"/api/shots/{draft.json()['id']}/takes", json={})
        assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text
        assert answer.json()["problems"] == draft.json()["problems"] != []
    for shown, field in (
        ({**SHOT, "promt": "x"}, "shot.promt"),
        ({**SHOT, "prompt": 3}, "shot.prompt"),
        ({**SHOT, "instructions": [{"kind": "zoom"}]}, "shot.instructions[0].kind"),
        ({**SHOT, "instructions": [{"kind": "image", "image": "/etc/passwd"}]}, "shot.instructions[0].image"),
        ({**SHOT, "instructions": [{"kind": "image", "image": "a.png"}]}, "shot.instructions[0].image"),
        ({**SHOT, "instructions": [{"kind": "image", "image": f"sha256:{'0' * 64}"}]},
         "shot.instructions[0].image"),
    ):  # fmt: skip
        answer = client.post(post, json={"shot": shown})
        assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text
    assert client.post(post, content=b"{", headers={"Content-Type": "application/json"}).status_code == 422
    lone = b'{"shot": {"prompt": "\\ud800"}}'
    assert client.post(post, content=lone, headers={"Content-Type": "application/json"}).status_code == 422
    engine.finding = Finding("prompt: too long.", "prompt")
    answer = client.post(f"/api/shots/{shot['id']}/takes", json={})
    said = {"field": "prompt", "sentence": "Too long.", "fixes": []}
    assert (answer.status_code, answer.json()) == (
        422,
        {"error": "prompt: too long.", "field": "shot.prompt", "problems": [said]},
    )
    assert client.get(f"/api/takes/{'0' * 32}").json() == {
        "error": f"there is no take {'0' * 32}",
        "field": None,
    }
    assert client.get("/api/nothing").json()["error"] == "there is nothing at this address"


def test_strange_hosts_and_other_sites_are_refused(client: TestClient) -> None:
    assert client.get("/api/projects", headers={"Host": "evil.example"}).status_code == 421
    assert client.get("/api/projects", headers={"Host": "localhost.evil.example"}).status_code == 421
    assert client.get("/api/projects", headers={"Host": "127.0.0.1:7860"}).status_code == 200
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert client.post("/api/projects", json={"name": "x"}, headers=headers).status_code == 403
    own = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/api/projects", json={"name": "x"}, headers=own).status_code == 201
    said = client.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in said
    assert "unsafe" not in said


def test_a_token_is_needed_and_goes_into_a_cookie(tmp_path: Path) -> None:
    app = create_app(tmp_path, HandEngine(), "word", hosts=["desk.local"])
    with TestClient(app, base_url="http://desk.local") as client:
        assert client.get("/api/health").json()["token"] is True
        assert client.get("/api/projects").status_code == 401
        assert client.get("/api/projects?token=word").status_code == 401
        assert (
            client.get("/api/projects", headers={"Authorization": "Bearer wörd".encode()}).status_code == 401
        )
        assert client.get("/api/projects", headers={"Authorization": "Bearer word"}).status_code == 200
        answer = client.get("/?token=word", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "./")
        assert "HttpOnly" in answer.headers["set-cookie"]
        # Browsers withhold a strict cookie on the redirect where another site's page held the link.
        assert "SameSite=lax" in answer.headers["set-cookie"]
        assert client.get("/api/projects").status_code == 200
        followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        assert client.get("/", headers=followed).status_code == 200
        assert client.post("/api/projects", json={"name": "x"}, headers=followed).status_code == 403


def test_nothing_is_changed_by_a_get(client: TestClient) -> None:
    """The token's cookie comes along where another site's page leads a browser here."""
    project, shot = made(client)
    take = queued(client, shot, play=False)
    known = {
        "project": project["id"],
        "shot": shot["id"],
        "take": take["id"],
        "digest": "0" * 64,
        "ending": "mp4",
    }
    before = client.get(f"/api/projects/{project['id']}/history").json()
    ways = client.get("/api/openapi.json").json()["paths"]
    asked = [path for path, ways in ways.items() if "get" in ways and not path.endswith("/events")]
    assert len(asked) > 15
    for path in asked:
        client.get(path.format(**known))
    assert client.get(f"/api/projects/{project['id']}/history").json() == before
    assert client.get("/api/projects").json()["projects"] == [
        client.get(f"/api/projects/{project['id']}").json()
    ]


def test_a_finished_clip_comes_in_every_format(
    client: TestClient, engine: HandEngine, tmp_path: Path
) -> None:
    _, shot = made(client)
    take = queued(client, shot)
    claim = begun(client, engine)
    engine.plan(claim)
    for step in range(5):
        engine.step(claim, step)
    frames = np.zeros((3, 16, 24, 3), np.uint8)
    for shade, frame in zip(((250, 0, 0), (0, 250, 0), (0, 0, 250)), frames, strict=True):
        frame[:] = shade
    with engine.store.write() as session:
        record_end(session, claim, "finished", look=put_strip(engine.store.blobs, frames))
    for ending, kind in (
        ("webm", "video/webm"),
        ("mp4", "video/mp4"),
        ("gif", "image/gif"),
        ("png", "image/png"),
    ):
        answer = client.get(f"/api/takes/{take['id']}/clip.{ending}?download=true")
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
        assert answer.headers["content-disposition"].endswith(f'.{ending}"')
        path = tmp_path / f"clip.{ending}"
        path.write_bytes(answer.content)
        back = read_frames(path)
        assert back.shape == frames.shape, ending
        assert np.abs(back.astype(int) - frames).mean() < (1 if ending == "png" else 20), ending
        assert read_shot(path).prompt == SHOT["prompt"]
        if ending in ("gif", "png"):
            with Image.open(path) as picture:
                assert (picture.n_frames, picture.size, picture.info["duration"]) == (
                    3,
                    (24, 16),
                    125 if ending == "png" else 120,
                )
    for frame in range(3):
        still = client.get(f"/api/takes/{take['id']}/still.png?frame={frame}")
        with Image.open(io.BytesIO(still.content)) as picture:
            assert (np.asarray(picture) == frames[frame]).all()
    assert client.get(f"/api/takes/{take['id']}/still.png?frame=3").status_code == 422


def test_a_command_may_not_be_larger_than_it_may(tmp_path: Path) -> None:
    app = create_app(tmp_path, HandEngine(), limits=ServerLimits(json_bytes=1000))
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        said = client.post("/api/projects", json={"name": "x" * 2000})
        unsaid = client.post(
            "/api/projects",
            content=iter([b'{"name": "' + b"x" * 900, b"x" * 900]),
            headers={"Content-Type": "application/json"},
        )
    assert (said.status_code, unsaid.status_code) == (413, 413)


def test_the_stream_replays_and_goes_on(client: TestClient) -> None:
    # The transport of the test client reads a stream to its end, so the hub is closed at the end.
    project, _ = made(client)
    events = client.get(f"/api/projects/{project['id']}/history").json()["events"]
    client.app.state.desk.hub.closed = False
    import asyncio

    from rehearse.studio.stream import event_stream

    async def read(after: int) -> str:
        text = ""
        async for part in event_stream(client.app.state.desk, project["id"], after):
            text += part
            if f"id: {events[-1]['id']}\n" in text:
                return text
        return text

    text = asyncio.run(read(0))
    assert [line for line in text.splitlines() if line.startswith("id:")] == [
        f"id: {e['id']}" for e in events
    ]
    assert f"id: {events[0]['id']}\n" not in asyncio.run(read(events[0]["id"]))
    assert client.get(f"/api/projects/{'0' * 32}/events").status_code == 404


def test_every_shot_there_is_can_be_kept(client: TestClient) -> None:
    project = client.post("/api/projects", json={"name": "p"}).json()["id"]

    @given(shots())
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    def keep(shot: Shot) -> None:
        document = shot.model_dump(mode="json", exclude_none=True) | {"model": "toy"}
        answer = client.post(f"/api/projects/{project}/shots", json={"shot": document})
        # A picture may be a file; nothing else is refused.
        if answer.status_code == 422:
            assert "pictures are not read from files" in answer.text, answer.text
            return
        assert answer.status_code == 201, answer.text
        kept = answer.json()["shot"]
        again = client.post(f"/api/projects/{project}/shots", json={"shot": kept}).json()["shot"]
        assert again == kept

    keep()


def test_a_change_after_the_last_step_is_refused_in_words(client: TestClient, engine: HandEngine) -> None:
    _, shot = made(client)
    take = queued(client, shot)
    claim = begun(client, engine)
    engine.plan(claim)
    for step in range(5):
        engine.step(claim, step)
    engine.finish(claim)
    changed = {**shot["shot"], "prompt": "a blue car"}
    answer = client.post(f"/api/takes/{take['id']}/fork", json={"at": 4, "shot": changed})
    assert answer.status_code == 422
    assert answer.json() == {
        "error": "at is 4: the take has 4 steps, and none is left for the changed shot to act in; branch at "
        "3 or earlier.",
        "field": "at",
    }
    for body in ({"at": 4}, {"at": 4, "shot": shot["shot"]}, {"at": 3, "shot": changed},
                 {"at": 4, "shot": {**shot["shot"], "fps": 30}}):  # fmt: skip
        answer = client.post(f"/api/takes/{take['id']}/fork", json={**body, "play": False})
        assert answer.status_code == 201, answer.text
