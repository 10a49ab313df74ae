"""Branches as a worker plays them, here in this process: begun late, halted at once, under other models."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from rehearse.models.model import VideoModel
from rehearse.shot import Shot
from rehearse.shot.methods import BlendSettings
from rehearse.studio.run import Run, unfit
from rehearse.studio.shots import compact
from rehearse.takes.store import projects, shots, tree
from rehearse.takes.store.exchange import export_project, import_project
from rehearse.takes.store.keeping import prune
from rehearse.takes.store.recording import claim_next
from rehearse.takes.store.schema import StepRow, TakeRow
from rehearse.takes.store.store import Store

STEPS = 4
OTHER = "somebody/else"


class Worker:
    """A store and who plays its takes. asked: the names of the models it was to load."""

    def __init__(self, folder: Path, model: VideoModel) -> None:
        self.store, self.model = Store(folder), model
        self.asked: list[str] = []
        with self.store.write() as session:
            self.project = str(projects.create_project(session, "Film")["id"])

    def load(self, name: str) -> VideoModel:
        self.asked.append(name)
        return self.model

    def take(self, shot: Shot) -> str:
        """A take of a shot, played to its end."""
        with self.store.write() as session:
            made = shots.create_shot(session, self.project, None, shot.prompt, compact(shot))["id"]
            take = str(tree.create_take(session, made, 1, order(shot), "", play=True)["id"])
        return self.play(take)

    def fork(self, take: str, at: int, shot: Shot, *, play: bool = True) -> str:
        with self.store.write() as session:
            return str(tree.fork_take(session, take, at, order(shot), "", play=play)["id"])

    def play(self, take: str, *, halt: bool = False) -> str:
        """Play the take, which is first of the queue. halt: before it has begun."""
        with self.store.write() as session:
            if tree.take_row(session, take).status in tree.PLAYABLE:
                tree.play_take(session, take, None, None, "")
            claim = claim_next(session)
        assert claim is not None
        assert claim.take == take
        run = Run(self.store, claim, lambda: None)
        if halt:
            run.halt("paused")
        run.play(self.load)
        return take

    def row(self, take: str) -> TakeRow:
        with self.store.read() as session:
            return tree.take_row(session, take)

    def kept(self, take: str) -> list[int]:
        with self.store.read() as session:
            return [step.step for step in tree.steps_of(session, take) if step.checkpoint]

    def rename_model(self, take: str, model: str) -> None:
        """As an import would bring it."""
        with self.store.write() as session:
            row = tree.take_row(session, take)
            shot = Shot.model_validate_json(row.document).with_(model=model)
            row.document, row.model = compact(shot), model


def order(shot: Shot) -> tree.Order:
    return tree.Order(compact(shot), shot.prompt, shot.model, shot.seed, steps=shot.steps or 0)


@pytest.fixture
def worker(tmp_path: Path, video_model: VideoModel) -> Iterator[Worker]:
    worker = Worker(tmp_path / "projects", video_model)
    yield worker
    worker.store.close()


@pytest.fixture
def shot(video_folder: Path) -> Shot:
    shot = Shot("a red ball over the meadow", model=str(video_folder), seed=2, steps=STEPS, frames=3)
    return shot.with_(width=48, height=40)


def mixing(shot: Shot, **blend: Any) -> Shot:
    changed = shot.with_prompt("a red ball over the snow")
    return changed.with_control(blend=BlendSettings(**{"weight": 0.5, **blend}))


def test_a_blend_at_0_that_is_halted_before_its_first_step_goes_on(
    worker: Worker, shot: Shot, tmp_path: Path
) -> None:
    parent = worker.take(shot)
    undisturbed = worker.row(worker.play(worker.fork(parent, 0, mixing(shot))))
    halted = worker.play(worker.fork(parent, 0, mixing(shot)), halt=True)
    assert (worker.row(halted).status, worker.row(halted).step, worker.kept(halted)) == ("paused", 0, [0])
    assert worker.row(halted).preview is not None

    target, place = tmp_path / "film.rehearse", tmp_path / "parts"
    export_project(worker.store, worker.project, target)
    place.mkdir()
    other = Store(tmp_path / "elsewhere")
    import_project(other, target, place)
    with other.read() as session:
        assert [step.step for step in tree.steps_of(session, halted)] == [0]
        assert tree.take_row(session, halted).begun

    found = worker.row(worker.play(halted))
    assert found.status == "finished", found.error
    assert found.look == undisturbed.look
    assert worker.kept(halted) == list(range(STEPS + 1))
    again = worker.row(worker.play(worker.fork(halted, 0, mixing(shot))))
    assert again.look == undisturbed.look, "the noise it began with, its parent's, is kept"


def test_one_that_an_older_version_left_without_its_first_state_goes_on(
    worker: Worker, shot: Shot, tmp_path: Path
) -> None:
    parent = worker.take(shot)
    halted = worker.play(worker.fork(parent, 0, mixing(shot)), halt=True)
    with worker.store.write() as session:
        session.execute(delete(StepRow).where(StepRow.take_id == halted))
    target = tmp_path / "film.rehearse"
    export_project(worker.store, worker.project, target)
    with zipfile.ZipFile(target) as pack:
        entries = {info.filename: pack.read(info) for info in pack.infolist()}
    whole = json.loads(entries["project.json"])
    for take in whole["takes"]:
        take["begun"] = True  # as the older version would have said
    entries["project.json"] = json.dumps(whole).encode()
    with zipfile.ZipFile(target, "w") as pack:
        for name, content in entries.items():
            pack.writestr(name, content)
    place = tmp_path / "parts"
    place.mkdir()
    other = Store(tmp_path / "elsewhere")
    import_project(other, target, place)
    with other.read() as session:
        assert not tree.take_row(session, halted).begun
    found = worker.row(worker.play(halted))
    assert found.status == "finished", found.error
    assert worker.kept(halted) == list(range(STEPS + 1))


@pytest.mark.parametrize("changed", ["same", "words", "blend"])
def test_a_branch_that_waits_stands_on_its_own_step(worker: Worker, shot: Shot, changed: str) -> None:
    asked = {"same": shot, "words": shot.with_prompt("a blue star"), "blend": mixing(shot)}[changed]
    parent = worker.take(shot)
    expected = worker.row(worker.play(worker.fork(parent, 3, asked)))
    waits = worker.fork(parent, 3, asked, play=False)
    prune(worker.store, every=5, dry_run=False)
    assert worker.kept(parent) == [0, STEPS]
    assert worker.kept(waits) == [0, 3]
    found = worker.row(worker.play(waits))
    assert found.status == "finished", found.error
    assert found.look == expected.look


def test_prune_leaves_what_a_waiting_blend_has_yet_to_take(worker: Worker, shot: Shot) -> None:
    parent = worker.take(shot)
    waits = worker.fork(parent, 1, mixing(shot, original="kept"))
    prune(worker.store, every=5, dry_run=False)
    found = worker.row(worker.play(waits))
    assert found.status == "finished", found.error
    prune(worker.store, every=5, dry_run=False)
    assert worker.kept(parent) == [0, STEPS]


def test_a_blend_with_a_finished_blend_has_all_that_was_kept_of_its_original(
    worker: Worker, shot: Shot
) -> None:
    parent = worker.take(shot)
    first = worker.play(worker.fork(parent, 1, mixing(shot, original="kept")))
    second = mixing(shot, weight=0.25, original="computed").with_prompt("a blue star over the snow")
    found = worker.row(worker.play(worker.fork(first, 2, second)))
    assert found.status == "finished", found.error


@pytest.mark.parametrize("at", [0, 2, STEPS])
def test_a_branch_under_other_weights_of_the_same_name_is_refused(
    worker: Worker, shot: Shot, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = worker.take(shot)
    asked = mixing(shot) if at == 0 else shot.with_prompt("a blue star")
    monkeypatch.setattr(type(worker.model), "fingerprint", "0" * 64)
    found = worker.row(worker.play(worker.fork(parent, at, asked)))
    assert found.status == "failed"
    assert found.error is not None
    assert "the take it leaves was begun with other weights" in found.error
    assert worker.row(parent).status == "finished"


def test_the_model_of_a_parent_is_never_loaded(worker: Worker, shot: Shot) -> None:
    parent = worker.take(shot)
    worker.rename_model(parent, OTHER)
    with worker.store.read() as session:
        document = tree.take_row(session, parent).document
    for at, asked, sentence in (
        (2, shot, f"a branch at step 2 keeps the model of its take ({OTHER}, not {shot.model})"),
        (0, mixing(shot), f"a blend with its take keeps the model of its take ({OTHER}, not {shot.model})"),
        (2, mixing(shot), "branch at 0 without a blend to change it"),
    ):
        found = worker.row(worker.play(worker.fork(parent, at, asked)))
        assert found.status == "failed"
        assert sentence in (found.error or "")
        finding = unfit(worker.store, compact(asked), document, at, worker.load)
        assert finding is not None
        assert sentence in finding[0]
        assert finding[1] == "model"
    assert set(worker.asked) == {shot.model}


def test_a_branch_at_0_needs_no_model_but_its_own(worker: Worker, shot: Shot) -> None:
    parent = worker.take(shot)
    worker.rename_model(parent, OTHER)
    with worker.store.read() as session:
        document = tree.take_row(session, parent).document
    assert unfit(worker.store, compact(shot), document, 0, worker.load) is None
    found = worker.row(worker.play(worker.fork(parent, 0, shot)))
    assert found.status == "finished", found.error
    assert found.look == worker.row(parent).look
    assert set(worker.asked) == {shot.model}


def test_a_blend_at_0_is_told_what_it_keeps_before_it_runs(worker: Worker, shot: Shot) -> None:
    finding = unfit(worker.store, compact(mixing(shot).with_seed(9)), compact(shot), 0, worker.load)
    assert finding == (
        "a blend with its take keeps the seed of its take (2, not 9); "
        "branch at 0 without a blend to change it",
        "seed",
    )


def test_a_step_of_numbers_that_are_none_fails_the_take_and_it_plays_on_from_the_one_before(
    worker: Worker, shot: Shot, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = worker.model.denoise, [0]

    def denoise(*given: Any) -> Any:
        calls[0] += 1
        answer = real(*given)
        return answer * float("nan") if calls[0] > 2 else answer

    monkeypatch.setattr(worker.model, "denoise", denoise)
    take = worker.take(shot)
    found = worker.row(take)
    assert (found.status, found.step) == ("failed", 2)
    assert (found.error or "").startswith("step 3 of 4 made latents that hold NaN; likely ")
    monkeypatch.undo()
    found = worker.row(worker.play(take))
    assert (found.status, found.step, found.error) == ("finished", STEPS, None)


def test_what_a_run_was_warned_of_is_kept_and_travels(worker: Worker, shot: Shot, tmp_path: Path) -> None:
    noted = shot.with_prompt("a (red ball:1.3)").with_(negative_prompt="bird", guidance=1)
    take = worker.play(worker.fork(worker.take(shot), 0, noted))
    said = worker.row(take).notes
    assert said is not None and len(said) == 2
    assert said[0].startswith("the prompt has “(red ball:1.3)”: weights are not read")
    assert said[1].startswith("the negative prompt is not used at guidance 1")
    assert worker.row(worker.take(shot)).notes is None

    target, place = tmp_path / "film.rehearse", tmp_path / "parts"
    export_project(worker.store, worker.project, target)
    place.mkdir()
    other = Store(tmp_path / "elsewhere")
    import_project(other, target, place)
    with other.read() as session:
        assert tree.take_row(session, take).notes == said
