"""Projects in the store."""

from __future__ import annotations

import time
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from rehearse.takes.store import events
from rehearse.takes.store.errors import StoreError
from rehearse.takes.store.facts import Facts, project_facts
from rehearse.takes.store.schema import ProjectRow


def list_projects(session: Session, *, deleted: bool = False) -> list[Facts]:
    """All projects, or those in the bin, last changed first."""
    query = select(ProjectRow).order_by(ProjectRow.changed.desc(), ProjectRow.id)
    binned = ProjectRow.deleted
    query = query.where(binned.is_not(None) if deleted else binned.is_(None))
    return [project_facts(session, row) for row in session.scalars(query)]


def project_row(session: Session, project: str) -> ProjectRow:
    """A project's row. StoreError (missing) where there is none."""
    row = session.get(ProjectRow, project)
    if row is None:
        raise StoreError(f"there is no project {project}", "missing")
    return row


def get_project(session: Session, project: str) -> Facts:
    """One project, in the bin or not."""
    return project_facts(session, project_row(session, project))


def create_project(session: Session, name: str) -> Facts:
    """A new project."""
    now = time.time()
    row = ProjectRow(id=uuid.uuid4().hex, name=name, revision=1, created=now, changed=now, deleted=None)
    session.add(row)
    return _done(session, row)


def rename_project(session: Session, project: str, name: str, revision: int | None) -> Facts:
    """Another name. StoreError (conflict) where the project is not at the revision given."""
    row = project_row(session, project)
    expect(revision, row.revision, f"the project {row.name!r}")
    row.name, row.revision = name, row.revision + 1
    return _done(session, row)


def bin_project(session: Session, project: str, *, deleted: bool) -> Facts:
    """Into the bin, or out of it again."""
    row = project_row(session, project)
    if (row.deleted is not None) == deleted:
        return project_facts(session, row)
    row.deleted, row.revision = time.time() if deleted else None, row.revision + 1
    return _done(session, row)


def expect(revision: int | None, found: int, what: str) -> None:
    """Raise StoreError (conflict) unless ``revision`` is None or the one found."""
    if revision is not None and revision != found:
        raise StoreError(
            f"{what} has moved on to revision {found} since revision {revision}; load it again and repeat "
            "the change",
            "conflict",
            "revision",
        )


def touch(session: Session, project: str) -> None:
    """Something in the project changed. StoreError where there is none, or it lies in the bin."""
    row = project_row(session, project)
    if row.deleted is not None:
        raise StoreError(f"the project {row.name!r} was deleted; restore it first", "conflict")
    row.changed = time.time()


def _done(session: Session, row: ProjectRow) -> Facts:
    row.changed = time.time()
    session.flush()
    events.project_changed(session, row)
    session.flush()
    return project_facts(session, row)
