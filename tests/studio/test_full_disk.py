"""A full disk, as the page tells it: the way out that it names is one the page has, and one that works."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

import hostile
import pytest
from fastapi.testclient import TestClient
from hand_engine import SHOT, HandEngine
from studio_process import until

from rehearse.studio import full_disk
from rehearse.studio.page import APP
from rehearse.studio.run import Run
from rehearse.takes.store.errors import DiskFull
from rehearse.takes.store.store import Store


def _on_the_desk(sentence: str) -> bool:
    return (
        sentence.startswith("the disk is full: nothing is lost")
        and full_disk.CONTROL in sentence
        and "rehearse takes" not in sentence
    )


def test_the_command_line_names_its_own_command() -> None:
    assert "rehearse takes prune tells what it would free" in str(DiskFull())


def test_a_command_that_finds_no_room_is_told_in_the_words_of_the_page(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        answer = client.post("/api/images", content=hostile.picture(), headers={"Content-Type": "image/png"})
    assert answer.status_code == 507
    assert _on_the_desk(answer.json()["error"])


def test_a_take_that_finds_no_room_pauses_and_says_so(client: TestClient, engine: HandEngine) -> None:
    project = client.post("/api/projects", json={"name": "Film"}).json()
    shot = client.post(f"/api/projects/{project['id']}/shots", json={"shot": SHOT}).json()
    take = client.post(f"/api/shots/{shot['id']}/takes", json={}).json()
    engine.open = True
    assert engine.listener is not None
    engine.listener.free()
    until(lambda: engine.claim is not None, 5, "a claim is handed out")
    assert engine.claim is not None

    def no_room(name: str) -> None:
        raise DiskFull

    Run(engine.store, engine.claim, lambda: None).play(no_room)  # type: ignore[arg-type]
    found = client.get(f"/api/takes/{take['id']}").json()
    assert found["status"] == "paused"
    assert _on_the_desk(found["error"])


def _held(client: TestClient, engine: HandEngine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Three takes, of which the first has found the disk full."""
    monkeypatch.setattr(Store, "free", lambda store: 0)  # whatever others do on this disk meanwhile
    project = client.post("/api/projects", json={"name": "Film"}).json()
    shot = client.post(f"/api/projects/{project['id']}/shots", json={"shot": SHOT}).json()
    takes = [client.post(f"/api/shots/{shot['id']}/takes", json={}).json()["id"] for _ in range(3)]
    engine.open = True
    _finds_no_room(client, engine, takes[0])
    until(lambda: client.get("/api/health").json()["trouble"] is not None, 30, "it is told")
    return takes


def _finds_no_room(client: TestClient, engine: HandEngine, take: str) -> None:
    _look(engine)
    until(lambda: engine.claim is not None, 30, "a claim is handed out")
    assert engine.claim is not None
    assert engine.claim.take == take

    def no_room(name: str) -> None:
        raise DiskFull

    Run(engine.store, engine.claim, lambda: None).play(no_room)  # type: ignore[arg-type]
    assert client.get(f"/api/takes/{take}").json()["status"] == "paused"
    engine.claim = None
    _look(engine)


def _look(engine: HandEngine) -> None:
    assert engine.listener is not None
    engine.listener.free()


def _statuses(client: TestClient, takes: list[str]) -> list[str]:
    return [client.get(f"/api/takes/{take}").json()["status"] for take in takes]


def test_a_full_disk_holds_the_queue(
    client: TestClient, engine: HandEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes = _held(client, engine, monkeypatch)
    assert client.get("/api/health").json()["trouble"] == full_disk.HELD
    assert client.get("/api/queue").json()["paused"]
    until(lambda: (engine.store.folder / "reserve").is_file(), 30, "the reserve is set aside again")
    assert engine.claim is None
    assert _statuses(client, takes) == ["paused", "queued", "queued"]
    monkeypatch.setattr(Store, "free", lambda store: 1 << 30)
    _look(engine)
    until(lambda: engine.claim is not None, 30, "the queue goes on by itself")
    assert client.get("/api/health").json()["trouble"] is None
    assert not client.get("/api/queue").json()["paused"]


def test_who_presses_play_tries_that_take_on_a_full_disk(
    client: TestClient, engine: HandEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes = _held(client, engine, monkeypatch)
    assert client.post(f"/api/takes/{takes[0]}/play", json={}).json()["queue_position"] == 0
    _finds_no_room(client, engine, takes[0])
    until(lambda: client.get("/api/queue").json()["paused"], 30, "the queue is held again")
    assert _statuses(client, takes) == ["paused", "queued", "queued"]
    client.post("/api/queue/resume")
    until(lambda: engine.claim is not None, 30, "the queue was told to go on")


def test_nothing_is_begun_without_room_for_the_last_words(
    client: TestClient, engine: HandEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A take that ends for want of room could not even say so."""
    project = client.post("/api/projects", json={"name": "Film"}).json()
    shot = client.post(f"/api/projects/{project['id']}/shots", json={"shot": SHOT}).json()
    with monkeypatch.context() as patch:
        patch.setattr(Store, "keep_reserve", lambda store: False)
        engine.open = True
        client.post(f"/api/shots/{shot['id']}/takes", json={})
        until(lambda: client.get("/api/health").json()["trouble"] == full_disk.HELD, 30, "it is told")
        assert engine.claim is None
    _look(engine)
    until(lambda: engine.claim is not None, 30, "there is room again")


def test_a_disk_too_full_to_begin_a_take_is_told(
    client: TestClient, engine: HandEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = client.post("/api/projects", json={"name": "Film"}).json()
    shot = client.post(f"/api/projects/{project['id']}/shots", json={"shot": SHOT}).json()
    client.post(f"/api/shots/{shot['id']}/takes", json={})

    @contextmanager
    def full(store: Store) -> Iterator[None]:
        raise DiskFull
        yield

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", full)
        engine.open = True
        _look(engine)
        until(lambda: client.get("/api/health").json()["trouble"] == full_disk.HELD, 30, "it is told")
    _look(engine)
    until(lambda: engine.claim is not None, 30, "there is room again")


def test_the_page_has_what_the_sentence_names() -> None:
    scripts = [path.read_text() for path in (APP / "assets").glob("*.js")]
    for label in (full_disk.CONTROL, full_disk.RELEASE):
        assert any(label in script for script in scripts)
