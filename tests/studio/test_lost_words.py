"""What was asked of a take or written about it holds, whoever dies in between."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from fastapi.testclient import TestClient
from hand_engine import SHOT, HandEngine
from studio_process import StudioProcess, until

from rehearse.studio.app import create_app
from rehearse.studio.limits import ServerLimits
from rehearse.studio.run import Run
from rehearse.takes.store import tree
from rehearse.takes.store.errors import StoreError
from rehearse.takes.store.recording import Claim
from rehearse.takes.store.store import Store

ENDS = [("pause", "paused"), ("stop", "stopped")]


def queued(client: TestClient) -> str:
    project = client.post("/api/projects", json={"name": "Film"}).json()
    shot = client.post(f"/api/projects/{project['id']}/shots", json={"shot": SHOT}).json()
    return str(client.post(f"/api/shots/{shot['id']}/takes", json={}).json()["id"])


def begun(engine: HandEngine) -> Claim:
    engine.open = True
    assert engine.listener is not None
    engine.listener.free()
    until(lambda: engine.claim is not None, 30, "a claim is handed out")
    engine.open = False
    assert engine.claim is not None
    return engine.claim


def statuses(client: TestClient, take: str) -> list[str]:
    project = client.get(f"/api/takes/{take}").json()["project"]
    events = client.get(f"/api/projects/{project}/history").json()["events"]
    return [event["take"]["status"] for event in events if event["kind"] == "take"]


def no_model(name: str) -> Any:
    raise AssertionError("the take was to end, not to begin")


@pytest.mark.parametrize(("word", "status"), ENDS)
def test_what_was_asked_holds_when_the_worker_dies_in_that_step(
    client: TestClient, engine: HandEngine, word: str, status: str
) -> None:
    take = queued(client)
    claim = begun(engine)
    engine.plan(claim)
    engine.step(claim, 0)
    assert client.post(f"/api/takes/{take}/{word}", json={}).json()["status"] == "running"
    assert engine.listener is not None
    engine.listener.died(claim, "the worker was killed")
    engine.claim = None
    found = client.get(f"/api/takes/{take}").json()
    assert (found["status"], found["error"], found["step"]) == (status, None, 0)
    assert statuses(client, take)[-2:] == ["running", status]
    # Played again it is asked nothing any more.
    client.post(f"/api/takes/{take}/play", json={})
    engine.listener.died(begun(engine), "the worker was killed")
    engine.claim = None
    assert client.get(f"/api/takes/{take}").json()["status"] == "queued"


@pytest.mark.parametrize(("word", "status"), ENDS)
def test_what_was_asked_holds_when_the_server_is_killed(tmp_path: Path, word: str, status: str) -> None:
    first, second = HandEngine(), HandEngine()
    limits = ServerLimits(further_models=("toy",))
    app = create_app(tmp_path, first, limits=limits)
    with TestClient(app, base_url="http://localhost") as client:
        take = queued(client)
        begun(first)
        client.post(f"/api/takes/{take}/{word}", json={})
    with TestClient(create_app(tmp_path, second, limits=limits), base_url="http://localhost") as client:
        assert client.get(f"/api/takes/{take}").json()["status"] == status


@pytest.mark.parametrize(("word", "status"), ENDS)
def test_what_was_asked_before_the_worker_had_the_take_ends_it_at_once(
    client: TestClient, engine: HandEngine, word: str, status: str
) -> None:
    take = queued(client)
    claim = begun(engine)
    client.post(f"/api/takes/{take}/{word}", json={})
    Run(engine.store, claim, lambda: None).play(no_model)
    assert client.get(f"/api/takes/{take}").json()["status"] == status


def test_the_worker_is_told_what_is_on_the_disk_already(
    client: TestClient, engine: HandEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told before, it could begin in between, and neither hear nor read it."""
    take = queued(client)
    claim = begun(engine)
    seen = []

    def halt(run: str, status: Literal["paused", "stopped"]) -> None:
        with engine.store.read() as session:
            seen.append((run, status, tree.take_row(session, take).asked))

    monkeypatch.setattr(engine, "halt", halt)
    client.post(f"/api/takes/{take}/stop", json={})
    assert seen == [(claim.run, "stopped", "stopped")]


def test_a_take_that_was_to_stop_is_not_paused_by_a_server_that_ends(
    client: TestClient, engine: HandEngine
) -> None:
    take = queued(client)
    claim = begun(engine)
    client.post(f"/api/takes/{take}/stop", json={})
    engine.finish(claim, "paused")
    assert client.get(f"/api/takes/{take}").json()["status"] == "stopped"


def test_an_end_that_could_not_be_written_is_put_right(
    client: TestClient, engine: HandEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = queued(client)
    claim = begun(engine)

    @contextmanager
    def locked(store: Store) -> Iterator[None]:
        raise StoreError("the projects are being written to by another program; try again", "conflict")
        yield

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", locked)
        with pytest.raises(StoreError):
            Run(engine.store, claim, lambda: None).play(no_model)
    assert client.get(f"/api/takes/{take}").json()["status"] == "running"
    engine.claim = None
    assert engine.listener is not None
    engine.listener.free()
    until(lambda: client.get(f"/api/takes/{take}").json()["status"] == "queued", 30, "it waits again")
    assert "could not be written down" in client.get(f"/api/takes/{take}").json()["error"]
    assert begun(engine).take == take


def test_a_fault_in_the_queue_does_not_end_it(
    client: TestClient, engine: HandEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    queued(client)

    def broken() -> bool:
        raise RuntimeError("out of threads")

    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(engine, "ready", broken)
        assert engine.listener is not None
        engine.listener.free()
        until(lambda: "the queue cannot go on" in caplog.text, 30, "it is logged")
    begun(engine)


def test_what_exports_and_uploads_of_a_killed_server_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".export-1a2b").write_bytes(b"half a project")
    (tmp_path / ".upload-x").mkdir()
    (tmp_path / ".upload-x" / "body").write_bytes(b"half a clip")
    (tmp_path / ".import-x").mkdir()  # of a command line that may be at work
    with TestClient(create_app(tmp_path, HandEngine()), base_url="http://localhost"):
        left = {path.name for path in tmp_path.iterdir()}
    assert not {".export-1a2b", ".upload-x"} & left
    assert ".import-x" in left


@pytest.mark.slow
def test_a_worker_killed_as_it_is_asked_to_pause(studio: StudioProcess, toy_model: str) -> None:
    document = {"prompt": "a red ball over the meadow", "model": toy_model, "seed": 3, "steps": 200}
    _, shot = studio.shot(document)
    for word, status in ENDS:
        take = studio.post(f"/shots/{shot['id']}/takes")["id"]
        until(lambda take=take: studio.get(f"/takes/{take}")["step"] >= 2, 60, "two steps are done")
        studio.post(f"/takes/{take}/{word}")
        studio.kill_worker()
        assert studio.wait(take, over=("finished", "paused", "stopped", "failed"))["status"] == status
