"""The queue: one order over all projects."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rehearse.takes.store import events
from rehearse.takes.store.errors import StoreError
from rehearse.takes.store.facts import Facts, seconds_left
from rehearse.takes.store.schema import ProjectRow, SettingRow, TakeRow
from rehearse.takes.store.tree import take_row

_PAUSED = "queue.paused"
_FULL = "queue.full"


def queue_facts(session: Session, limit: int) -> Facts:
    """What runs and what waits, the first ``limit`` of it."""
    waits = (TakeRow.status == "queued", TakeRow.deleted.is_(None))
    waiting = select(TakeRow).where(*waits).order_by(TakeRow.position)
    running = select(TakeRow).where(TakeRow.status == "running").order_by(TakeRow.created)
    entries = [_entry(row, None) for row in session.scalars(running)]
    entries += [_entry(row, place) for place, row in enumerate(session.scalars(waiting.limit(limit)))]
    length = session.scalar(select(func.count()).where(*waits)) or 0
    return {"paused": stands_still(session), "length": length, "entries": entries}


def _entry(row: TakeRow, place: int | None) -> Facts:
    return {
        "take": row.id,
        "project": row.project_id,
        "name": row.name,
        "prompt": row.prompt,
        "seed": row.seed,
        "status": row.status,
        "asked": row.asked,
        "step": row.step,
        "steps": row.steps,
        "seconds_left": seconds_left(row),
        "client": row.client,
        "position": place,
    }


def stands_still(session: Session) -> bool:
    """Whether no further take is begun: a person paused the queue, or it is held for want of room."""
    row = session.get(SettingRow, _PAUSED)
    return (row is not None and row.value == "yes") or wanted_room(session) is not None


def pause_queue(session: Session, *, paused: bool) -> None:
    """Begin no further take, or begin takes again, also where the queue was held for want of room."""
    session.merge(SettingRow(name=_PAUSED, value="yes" if paused else "no"))
    if not paused:
        _forget_room(session)
    _announce_to_all(session)


def hold_queue(session: Session, wanted: int) -> None:
    """A take found the disk full: the others would too, so none is begun until so many bytes are free."""
    session.merge(SettingRow(name=_FULL, value=str(wanted)))
    _announce_to_all(session)


def let_go_queue(session: Session) -> bool:
    """Undo :func:`hold_queue`; whether the queue was held."""
    if not _forget_room(session):
        return False
    _announce_to_all(session)
    return True


def wanted_room(session: Session) -> int | None:
    """The bytes that must be free before a take is begun, None where the queue is not held for them."""
    row = session.get(SettingRow, _FULL)
    return None if row is None else int(row.value)


def _forget_room(session: Session) -> bool:
    row = session.get(SettingRow, _FULL)
    if row is None:
        return False
    session.delete(row)
    session.flush()
    return True


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


def _announce_to_all(session: Session) -> None:
    projects = select(ProjectRow.id).where(ProjectRow.deleted.is_(None))
    _announce(session, list(session.scalars(projects)))


def _announce(session: Session, projects: list[str]) -> None:
    paused = stands_still(session)
    for project in projects:
        events.append(session, project, "queue", {"paused": paused})
