"""A full disk, as the page tells it: the way out that it names is one the page has, and one that works."""

from __future__ import annotations

import errno
import os

import hostile
import pytest
from fastapi.testclient import TestClient
from hand_engine import SHOT, HandEngine
from studio_process import until

from rehearse.studio import full_disk
from rehearse.studio.page import APP
from rehearse.studio.run import Run
from rehearse.takes.store.errors import DiskFull


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


def test_the_page_has_what_the_sentence_names() -> None:
    scripts = [path.read_text() for path in (APP / "assets").glob("*.js")]
    assert any(full_disk.CONTROL in script for script in scripts)
