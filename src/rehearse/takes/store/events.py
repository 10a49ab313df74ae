"""The append-only stream of each project."""

from __future__ import annotations

import json
import time

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rehearse.takes.store.facts import Facts, shot_facts, take_facts
from rehearse.takes.store.schema import EventRow, ProjectRow, ShotRow, TakeRow


def append(session: Session, project_id: str, kind: str, data: Facts) -> None:
    """Add an entry; it is announced when the transaction is on the disk, not before."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    session.add(EventRow(project_id=project_id, kind=kind, data=text, at=time.time()))


def project_changed(session: Session, row: ProjectRow) -> None:
    """The project was made, renamed, deleted or restored."""
    append(
        session,
        row.id,
        "project",
        {"project": row.id, "name": row.name, "deleted": row.deleted is not None},
    )


def shot_changed(session: Session, row: ShotRow) -> None:
    """The shot was made, changed, deleted or restored."""
    append(session, row.project_id, "shot", {"shot": shot_facts(row)})


def take_changed(session: Session, row: TakeRow) -> Facts:
    """The take was made or stands otherwise than before; counts its revision up. The take as it now is."""
    row.revision += 1
    row.changed = time.time()
    session.flush()
    facts = take_facts(session, row)
    append(session, row.project_id, "take", {"take": facts})
    return facts


def events_after(session: Session, project_id: str, after: int, limit: int) -> list[tuple[int, str, str]]:
    """Entries after an id, in order: id, kind, and the entry as JSON text."""
    query = (
        select(EventRow)
        .where(EventRow.project_id == project_id, EventRow.id > after)
        .order_by(EventRow.id)
        .limit(limit)
    )
    return [
        (row.id, row.kind, f'{{"id":{row.id},"kind":"{row.kind}","at":{row.at!r},{row.data[1:]}')
        for row in session.scalars(query)
    ]


def newest(session: Session) -> int:
    """Id of the last event of all projects."""
    return session.scalar(select(func.max(EventRow.id))) or 0
