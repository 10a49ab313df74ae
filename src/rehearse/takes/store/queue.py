"""The queue: one order over all projects."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rehearse.takes.store import events
from rehearse.takes.store.errors import StoreError
from rehearse.takes.store.facts import Facts
from rehearse.takes.store.schema import ProjectRow, SettingRow, TakeRow
from rehearse.takes.store.tree import take_row

_PAUSED = "queue.paused"


def queue_facts(session: Session, limit: int) -> Facts:
    """What runs and what waits, the first ``limit`` of it."""
    waits = (TakeRow.status == "queued", TakeRow.deleted.is_(None))
    waiting = select(TakeRow).where(*waits).order_by(TakeRow.position)
    running = select(TakeRow).where(TakeRow.status == "running").order_by(TakeRow.created)
    entries = [_entry(row, None) for row in session.scalars(running)]
    entries += [_entry(row, place) for place, row in enumerate(session.scalars(waiting.limit(limit)))]
    length = session.scalar(select(func.count()).where(*waits)) or 0
    return {"paused": is_paused(session), "length": length, "entries": entries}


def _entry(row: TakeRow, place: int | None) -> Facts:
    return {
        "take": row.id,
        "project": row.project_id,
        "name": row.name,
        "status": row.status,
        "client": row.client,
        "position": place,
    }


def is_paused(session: Session) -> bool:
    """Whether no further take is begun."""
    row = session.get(SettingRow, _PAUSED)
    return row is not None and row.value == "yes"


def pause_queue(session: Session, *, paused: bool) -> None:
    """Begin no further take, or begin takes again."""
    session.merge(SettingRow(name=_PAUSED, value="yes" if paused else "no"))
    projects = select(ProjectRow.id).where(ProjectRow.deleted.is_(None))
    _announce(session, list(session.scalars(projects)))


def order_queue(session: Session, takes: Sequence[str], client: str) -> None:
    """Takes of this client share out, in the order given, the places they hold now.

    Raises StoreError: a take is unknown, named twice, another's, or waits no longer.
    """
    if len(set(takes)) != len(takes):
        raise StoreError("a take is named twice; name each once", "invalid", "takes")
    rows = [take_row(session, take) for take in takes]
    for index, row in enumerate(rows):
        if row.client != client:
            raise StoreError(
                "another client queued this take; only who queued it can move it",
                "forbidden",
                f"takes[{index}]",
            )
        if row.status != "queued":
            raise StoreError(
                f"the take {row.name!r} is {row.status} and waits no longer; load the queue again",
                "conflict",
                f"takes[{index}]",
            )
    places = sorted(row.position for row in rows if row.position is not None)
    for row, place in zip(rows, places, strict=True):
        row.position = place
    session.flush()
    _announce(session, sorted({row.project_id for row in rows}))


def _announce(session: Session, projects: list[str]) -> None:
    paused = is_paused(session)
    for project in projects:
        events.append(session, project, "queue", {"paused": paused})
