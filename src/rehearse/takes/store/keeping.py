"""Room on the disk: which checkpoints stay, and which files nobody needs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from rehearse.takes.store.errors import DiskFull, StoreError
from rehearse.takes.store.events import take_changed
from rehearse.takes.store.projects import project_row
from rehearse.takes.store.schema import ImageRow, StepRow, TakeRow
from rehearse.takes.store.store import Store

DEFAULT_EVERY = 5
_ORPHAN_SECONDS = 3600.0
"""A file that no row names may be one whose row is being written; after this long it is not."""


@dataclass(frozen=True, slots=True)
class Freed:
    """checkpoints: that are dropped. files, bytes: what that and files nobody needs free."""

    checkpoints: int
    files: int
    bytes: int


def prune(
    store: Store, *, project: str | None = None, every: int = DEFAULT_EVERY, dry_run: bool = True
) -> Freed:
    """Drop checkpoints, and delete files that nothing needs; with ``dry_run`` only tell.

    Of every take the first and the last checkpoint stay, and every ``every``-th; of a take in the bin the
    last; of a pinned one all. Takes that wait or run are left alone, and so is what a branch that waits has
    yet to leave: its blend may need any of it. project: None for all.
    Raises StoreError.
    """
    if every < 1:
        raise StoreError(f"every is {every}: give 1 to keep all, n to keep every n-th", field="every")
    with store.read() if dry_run else _making_room(store) as session:
        if project is not None:
            project_row(session, project)
        spare = list(_spare(session, project, every))
        needed = _needed(session, {(row.take_id, row.step) for row in spare})
        freed = {row.checkpoint for row in spare if row.checkpoint is not None} - needed
        if not dry_run:
            _drop(session, spare)
    # Rows first: a crash here leaves files that the next prune finds.
    files = size = 0
    for path in _unneeded(store, needed, freed):
        with contextlib.suppress(FileNotFoundError):
            size += path.stat().st_size
            files += 1
            if not dry_run:
                path.unlink()
    if not dry_run:
        store.keep_reserve()
    return Freed(len(spare), files, size)


@contextlib.contextmanager
def _making_room(store: Store) -> Iterator[Session]:
    """A transaction that gets through on a full disk: who makes room there has to write that down first."""
    try:
        with store.write_at_last() as session:
            yield session
    except DiskFull as error:
        raise StoreError(
            "the disk is so full that even freeing room finds none to begin with; delete any other file on "
            "it, or move one away, and try again",
            "conflict",
        ) from error


def _spare(session: Session, project: str | None, every: int) -> Iterator[StepRow]:
    busy = ("queued", "running")
    left = select(TakeRow.parent_id).where(
        TakeRow.status.in_(busy), TakeRow.begun.is_(False), TakeRow.parent_id.is_not(None)
    )
    query = select(TakeRow).where(
        TakeRow.pinned.is_(False), TakeRow.status.not_in(busy), TakeRow.id.not_in(left)
    )
    if project is not None:
        query = query.where(TakeRow.project_id == project)
    for take in session.scalars(query):
        kept = select(StepRow).where(StepRow.take_id == take.id, StepRow.checkpoint.is_not(None))
        rows = list(session.scalars(kept.order_by(StepRow.step)))
        for row in rows[:-1]:
            if take.deleted is not None or (row is not rows[0] and row.step % every):
                yield row


def _needed(session: Session, without: set[tuple[str, int]]) -> set[str]:
    """The digests that rows name, those of the checkpoints of some steps aside."""
    needed = set(session.scalars(select(ImageRow.digest)))
    for step in session.scalars(select(StepRow)):
        needed.add(step.preview["digest"])
        if step.look:
            needed.add(step.look["digest"])
        if step.checkpoint and (step.take_id, step.step) not in without:
            needed.add(step.checkpoint)
    for preview, look, picture in session.execute(select(TakeRow.preview, TakeRow.look, TakeRow.picture)):
        needed |= {strip["digest"] for strip in (preview, look) if strip}
        if picture:
            needed.add(picture)
    return needed


def _drop(session: Session, spare: list[StepRow]) -> None:
    for row in spare:
        row.checkpoint = None
    session.flush()
    for take in sorted({row.take_id for row in spare}):
        found = session.get(TakeRow, take)
        assert found is not None
        take_changed(session, found)


def _unneeded(store: Store, needed: set[str], freed: set[str]) -> Iterator[Path]:
    old = time.time() - _ORPHAN_SECONDS
    for digest in store.blobs.all():
        path = store.blobs.path(digest)
        if digest in freed or (digest not in needed and _changed(path) < old):
            yield path
    for folder, pattern in (("blobs", ".*.part"), ("clips", "*")):
        # Clips are encoded again when somebody asks.
        for path in sorted((store.folder / folder).glob(pattern)):
            if _changed(path) < old:
                yield path


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()
