"""Shots in the store: a name and a row of revisions, each a whole document."""

from __future__ import annotations

import time
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from rehearse.takes.store import events
from rehearse.takes.store.errors import StoreError
from rehearse.takes.store.facts import Facts, shot_facts
from rehearse.takes.store.projects import expect, project_row, touch
from rehearse.takes.store.schema import RevisionRow, ShotRow

_NAME = 80
_UNNAMED = "Untitled shot"


def list_shots(session: Session, project: str, *, deleted: bool = False) -> list[Facts]:
    """Shots of a project, or those of its bin, first made first."""
    project_row(session, project)
    binned = ShotRow.deleted
    query = (
        select(ShotRow)
        .where(ShotRow.project_id == project, binned.is_not(None) if deleted else binned.is_(None))
        .order_by(ShotRow.created, ShotRow.id)
    )
    return [shot_facts(row) for row in session.scalars(query)]


def shot_row(session: Session, shot: str) -> ShotRow:
    """A shot's row. StoreError (missing) where there is none."""
    row = session.get(ShotRow, shot)
    if row is None:
        raise StoreError(f"there is no shot {shot}", "missing")
    return row


def document_of(session: Session, shot: str, revision: int) -> str:
    """The document of a revision as JSON. StoreError (missing) where there is none."""
    row = session.get(RevisionRow, (shot, revision))
    if row is None:
        raise StoreError(f"the shot has no revision {revision}", "missing", "revision")
    return row.document


def get_shot(session: Session, shot: str, revision: int | None = None) -> tuple[Facts, str]:
    """A shot and its document at a revision, None: the newest."""
    row = shot_row(session, shot)
    document = document_of(session, shot, row.revision if revision is None else revision)
    facts = shot_facts(row)
    return (facts if revision is None else {**facts, "revision": revision}), document


def create_shot(session: Session, project: str, name: str | None, prompt: str, document: str) -> Facts:
    """A new shot at revision 1. name: None takes the prompt, if it says anything."""
    touch(session, project)
    now = time.time()
    row = ShotRow(
        id=uuid.uuid4().hex,
        project_id=project,
        name=name or prompt.strip()[:_NAME] or _UNNAMED,
        revision=1,
        prompt=prompt,
        created=now,
        changed=now,
        deleted=None,
    )
    session.add(row)
    session.flush()
    session.add(RevisionRow(shot_id=row.id, revision=1, document=document, created=now))
    return _done(session, row)


def change_shot(
    session: Session, shot: str, revision: int, name: str | None, prompt: str | None, document: str | None
) -> Facts:
    """A new revision on top of the one named. prompt, document: None for the same.

    Raises StoreError (conflict) where the shot has moved on.
    """
    row = shot_row(session, shot)
    touch(session, row.project_id)
    if row.deleted is not None:
        raise StoreError(f"the shot {row.name!r} was deleted; restore it first", "conflict")
    expect(revision, row.revision, f"the shot {row.name!r}")
    document = document_of(session, shot, revision) if document is None else document
    row.revision, row.name = revision + 1, name or row.name
    row.prompt = row.prompt if prompt is None else prompt
    session.add(RevisionRow(shot_id=shot, revision=row.revision, document=document, created=time.time()))
    return _done(session, row)


def bin_shot(session: Session, shot: str, *, deleted: bool) -> Facts:
    """Into the bin, or out of it again."""
    row = shot_row(session, shot)
    touch(session, row.project_id)
    if (row.deleted is not None) == deleted:
        return shot_facts(row)
    row.deleted = time.time() if deleted else None
    return _done(session, row)


def history(session: Session, shot: str, limit: int) -> list[RevisionRow]:
    """Revisions, newest first."""
    shot_row(session, shot)
    query = (
        select(RevisionRow)
        .where(RevisionRow.shot_id == shot)
        .order_by(RevisionRow.revision.desc())
        .limit(limit)
    )
    return list(session.scalars(query))


def _done(session: Session, row: ShotRow) -> Facts:
    row.changed = time.time()
    session.flush()
    events.shot_changed(session, row)
    return shot_facts(row)
