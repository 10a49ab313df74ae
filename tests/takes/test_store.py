"""The store: files, migrations, room on the disk, projects that travel."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearse.shot import Shot
from rehearse.studio.strips import cut_strip, put_strip
from rehearse.takes.store import projects, shots, tree
from rehearse.takes.store.blobs import Blobs
from rehearse.takes.store.errors import DiskFull, StoreError
from rehearse.takes.store.events import events_after
from rehearse.takes.store.exchange import export_project, import_project
from rehearse.takes.store.images import add_image, take_in
from rehearse.takes.store.keeping import prune
from rehearse.takes.store.recording import claim_next, interrupt, record_end, record_plan, record_step
from rehearse.takes.store.schema import Base
from rehearse.takes.store.store import DATABASE, Store
from rehearse.takes.store.upgrade import HEAD

STEPS = 12


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "projects")
    yield store
    store.close()


def a_project(store: Store, name: str = "Film") -> str:
    with store.write() as session:
        return str(projects.create_project(session, name)["id"])


def a_take(store: Store, project: str, steps: int = STEPS, done: int = STEPS, **order: Any) -> str:
    """A take that a worker played so far by hand."""
    shot = Shot("a red ball", seed=1, steps=steps)
    document = json.dumps(shot.model_dump(mode="json", exclude_none=True))
    with store.write() as session:
        made = shots.create_shot(session, project, None, shot.prompt, document)["id"]
        asked = tree.Order(document, shot.prompt, shot.model, 1, steps=steps, **order)
        take = str(tree.create_take(session, made, 1, asked, "", play=True)["id"])
        claim = claim_next(session)
    assert claim is not None
    assert claim.take == take
    sizes = {"steps": steps, "frames": 2, "width": 8, "height": 8, "fps": 8.0}
    with store.write() as session:
        record_plan(session, claim, sizes, None)
    for step in range(done + 1):
        checkpoint = store.blobs.put(checkpoint_of(take, step))
        preview = put_strip(store.blobs, np.full((2, 4, 4, 3), step, np.uint8))
        with store.write() as session:
            record_step(session, claim, step, checkpoint, preview, 0.1)
    if done == steps:
        look = put_strip(store.blobs, np.full((2, 8, 8, 3), 99, np.uint8))
        with store.write() as session:
            record_end(session, claim, "finished", look=look)
    return take


def checkpoint_of(take: str, step: int) -> bytes:
    from safetensors.numpy import save

    said = hashlib.sha256(f"{take} {step}".encode()).digest() * 64
    return save({"latents": np.frombuffer(said, np.uint8)}, {"format": "rehearse-checkpoint"})


def kept(store: Store, take: str) -> list[int]:
    with store.read() as session:
        return [row.step for row in tree.steps_of(session, take) if row.checkpoint]


def test_the_migrations_make_the_tables_of_the_schema(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with store._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert context.get_current_revision() == HEAD


def test_an_older_database_is_brought_up(store: Store) -> None:
    take = a_take(store, a_project(store), done=1)
    with store._engine.begin() as connection:
        for column in ("asked", "notes"):
            connection.execute(sqlalchemy.text(f"alter table take drop column {column}"))
        connection.execute(sqlalchemy.text("update alembic_version set version_num = '0001'"))
    store.close()
    again = Store(store.folder)
    with again.write() as session:
        assert tree.pause_take(session, take, None, "")[1] is not None
    with again.write() as session:
        assert interrupt(session, "the server ended while it ran") == [take]
        assert tree.take_row(session, take).status == "paused"
    again.close()


def test_a_reserve_that_was_cut_short_is_set_aside_anew(store: Store) -> None:
    (store.folder / "reserve").write_bytes(b"cut")
    assert store.keep_reserve()
    assert (store.folder / "reserve").stat().st_size == 1 << 20


def test_a_database_of_a_newer_version_is_refused(store: Store) -> None:
    with store._engine.begin() as connection:
        connection.execute(sqlalchemy.text("update alembic_version set version_num = '9999'"))
    with pytest.raises(StoreError, match=r"newer version of Rehearse \(database 9999.*update"):
        Store(store.folder)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"hello" * 1000)
    with pytest.raises(StoreError, match="damaged or no database"):
        Store(tmp_path)


def test_the_server_side_imports_no_torch() -> None:
    code = (
        "import sys, rehearse.studio.app, rehearse.studio.serve, rehearse.studio.engines.local;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@given(st.binary(max_size=300))
@settings(max_examples=30, deadline=None)
def test_a_blob_is_named_by_its_content(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    blobs = Blobs(tmp_path_factory.getbasetemp() / "blobs")
    digest = blobs.put(content)
    assert digest == hashlib.sha256(content).hexdigest()
    assert blobs.get(digest) == content
    assert blobs.put(content) == digest


@pytest.mark.parametrize(
    "digest", ["", "..", "../../etc/passwd", "a" * 63, "A" * 64, "a" * 64 + "\n", "/" * 64]
)
def test_no_digest_leads_out(tmp_path: Path, digest: str) -> None:
    with pytest.raises(StoreError, match="64 hex digits"):
        Blobs(tmp_path).path(digest)


@given(st.integers(1, 9), st.integers(1, 5), st.integers(1, 5), st.integers(1, 4000))
@settings(max_examples=25, deadline=None)
def test_a_strip_gives_its_frames_back(
    tmp_path_factory: pytest.TempPathFactory, frames: int, height: int, width: int, stretch: int
) -> None:
    from PIL import Image

    width = width * stretch
    blobs = Blobs(tmp_path_factory.getbasetemp() / "strips")
    clip = np.random.default_rng(frames).integers(0, 256, (frames, height, width, 3), np.uint8)
    strip = put_strip(blobs, clip)
    sheet = np.asarray(Image.open(blobs.path(strip["digest"])))
    assert sheet.shape[1] <= max(8192, width)
    assert (cut_strip(sheet, frames, strip["columns"], width, height) == clip).all()


def test_prune_tells_first_and_keeps_what_the_policy_says(store: Store) -> None:
    project = a_project(store)
    take, pinned = a_take(store, project), a_take(store, project)
    with store.write() as session:
        tree.pin_take(session, pinned, True, None)
        branch = str(
            tree.fork_take(session, take, 7, tree.Order("{}", "x", "m", 1, steps=STEPS), "", play=False)["id"]
        )
    told = prune(store, every=5)
    assert kept(store, take) == list(range(STEPS + 1))
    done = prune(store, every=5, dry_run=False)
    assert told == done
    assert done.checkpoints == 9 + 5
    assert kept(store, take) == [0, 5, 10, 12]
    assert kept(store, branch) == [0, 5, 7]
    assert kept(store, pinned) == list(range(STEPS + 1))
    with store.read() as session:
        for row in [*tree.steps_of(session, take), *tree.steps_of(session, branch)]:
            assert store.blobs.has(row.preview["digest"])
            assert row.checkpoint is None or store.blobs.has(row.checkpoint)
    # Step 7 of the take went, its file stays: the branch stands on it.
    assert done.files == 8
    assert prune(store, every=5, dry_run=False).checkpoints == 0


def test_prune_leaves_running_takes_and_new_files_alone(store: Store) -> None:
    project = a_project(store)
    take = a_take(store, project, done=6)
    fresh, old = store.blobs.put(b"being written"), store.blobs.put(b"left by a crash")
    hours_ago = time.time() - 7200
    os.utime(store.blobs.path(old), (hours_ago, hours_ago))
    prune(store, every=100, dry_run=False)
    assert kept(store, take) == list(range(7))
    assert store.blobs.has(fresh)
    assert not store.blobs.has(old)


def test_an_export_comes_back_whole_here_and_elsewhere(store: Store, tmp_path: Path) -> None:
    import io

    from PIL import Image

    project = a_project(store)
    take = a_take(store, project)
    a_take(store, project, done=3)  # runs: it comes back paused
    file = io.BytesIO()
    Image.new("RGB", (16, 16)).save(file, "PNG")
    with store.write() as session:
        add_image(session, store.blobs, file.getvalue())
        drawn = take_in(session, store.blobs, Shot("a ball").image(file.getvalue()))
        shots.create_shot(session, project, "drawn", "a ball", drawn.to_json())
    target = tmp_path / "film.rehearse"
    export_project(store, project, target)
    again = tmp_path / "again.rehearse"
    export_project(store, project, again)
    assert target.read_bytes() == again.read_bytes()

    other = Store(tmp_path / "elsewhere")
    for place, home in ((tmp_path / "a", other), (tmp_path / "b", store)):
        place.mkdir()
        brought = import_project(home, target, place)
        with home.read() as session:
            facts = tree.list_takes(session, brought)
            original = facts[0]
            assert (brought == project) == (home is other), "new ids where they clash"
            assert [fact["status"] for fact in facts] == ["finished", "paused"]
            assert original["kept_steps"] == list(range(STEPS + 1))
            assert len(shots.list_shots(session, brought)) == 3
            assert events_after(session, brought, 0, 100)
            for row in tree.steps_of(session, original["id"]):
                assert row.checkpoint is not None
                assert home.blobs.get(row.checkpoint) == checkpoint_of(take, row.step)


def test_a_full_disk_is_one_word_and_nothing_is_lost(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    take = a_take(store, a_project(store), done=2)

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(DiskFull, match="nothing is lost"):
            store.blobs.put(b"new")
    assert list((store.folder / "blobs").glob(".*")) == []
    assert kept(store, take) == [0, 1, 2]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_known_by_its_number_in_any_language(
    store: Store, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def full(handle: int) -> None:
        raise OSError(code, "kein Platz mehr")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(DiskFull):
            store.blobs.put(b"new")


def test_a_database_without_room_is_a_full_disk(store: Store) -> None:
    with pytest.raises(DiskFull), store.write() as session:
        session.connection().exec_driver_sql("PRAGMA max_page_count = 1")
        projects.create_project(session, "x" * 1_000_000)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"this machine lets nobody mount a small disk: {mounted.stderr.decode().strip()}")
    yield place
    # A test that failed may still hold the store open.
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path) -> None:
    rest = os.statvfs(disk)
    (disk / "filler").write_bytes(bytes(rest.f_bavail * rest.f_bsize))


def test_a_disk_that_is_really_full(small: Path) -> None:
    store = Store(small)
    take = a_take(store, a_project(store), done=1)
    fill(small)
    with pytest.raises(DiskFull):
        store.blobs.put(os.urandom(100_000))
    with store.write_at_last() as session:
        assert interrupt(session, "the disk is full") == [take]
    (small / "filler").unlink()
    assert kept(store, take) == [0, 1]
    assert store.blobs.put(os.urandom(100_000))
    store.close()


def test_a_full_disk_can_be_pruned(small: Path) -> None:
    """The remedy that the sentence names needs room itself: it finds it, and sets it aside again."""
    store = Store(small)
    take = a_take(store, a_project(store))
    fill(small)
    with pytest.raises(DiskFull), store.write() as session:
        projects.create_project(session, "x" * 100_000)
    (small / "reserve").rename(small / "taken")
    with pytest.raises(StoreError, match="delete any other file"):
        prune(store, dry_run=False)
    assert kept(store, take) == list(range(STEPS + 1))
    (small / "taken").rename(small / "reserve")
    freed = prune(store, dry_run=False)
    assert (freed.checkpoints, freed.files) == (9, 9)
    assert kept(store, take) == [0, 5, 10, 12]
    (small / "filler").unlink()
    prune(store, dry_run=False)
    assert (small / "reserve").stat().st_size == 1 << 20
    store.close()
