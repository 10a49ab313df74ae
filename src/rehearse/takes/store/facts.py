"""Rows as plain values, in the words of the API and of the events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rehearse.takes.store.schema import EventRow, ProjectRow, ShotRow, StepRow, TakeRow

Facts = dict[str, Any]


def project_facts(session: Session, row: ProjectRow) -> Facts:
    """A project with its counts and the id of its last event."""
    count = select(func.count())
    shots = session.scalar(count.where(ShotRow.project_id == row.id, ShotRow.deleted.is_(None)))
    takes = session.scalar(count.where(TakeRow.project_id == row.id, TakeRow.deleted.is_(None)))
    return {
        "id": row.id,
        "name": row.name,
        "revision": row.revision,
        "created": row.created,
        "changed": row.changed,
        "deleted": row.deleted is not None,
        "shots": shots,
        "takes": takes,
        "last_event": last_event(session, row.id),
    }


def last_event(session: Session, project_id: str) -> int:
    """Id of a project's last event, 0 before the first."""
    return session.scalar(select(func.max(EventRow.id)).where(EventRow.project_id == project_id)) or 0


def shot_facts(row: ShotRow) -> Facts:
    """A shot without its document."""
    return {
        "id": row.id,
        "project": row.project_id,
        "name": row.name,
        "revision": row.revision,
        "created": row.created,
        "changed": row.changed,
        "deleted": row.deleted is not None,
        "prompt": row.prompt,
    }


def take_facts(session: Session, row: TakeRow) -> Facts:
    """A take without its shot."""
    return takes_facts(session, [row])[0]


def takes_facts(session: Session, rows: Sequence[TakeRow]) -> list[Facts]:
    """Many takes, in a fixed number of queries."""
    kept = _kept_steps(session, [row.id for row in rows])
    places = _places(session, rows)
    return [_take(row, kept[row.id], places.get(row.id)) for row in rows]


def seconds_left(row: TakeRow) -> float | None:
    """How long a take that is not over has yet to run, as its last steps say; None where they do not."""
    if row.seconds is None or not row.steps:
        return None
    if row.status not in ("running", "queued", "paused", "interrupted"):
        return None
    return row.seconds * max(0, (row.steps if row.until is None else row.until) - row.step)


def _take(row: TakeRow, kept: list[int], place: int | None) -> Facts:
    return {
        "id": row.id,
        "project": row.project_id,
        "shot": row.shot_id,
        "shot_revision": row.shot_revision,
        "parent": row.parent_id,
        "branch_step": row.branch_step,
        "status": row.status,
        "asked": row.asked,
        "step": row.step,
        "steps": row.steps,
        "until": row.until,
        "seed": row.seed,
        "model": row.model,
        "prompt": row.prompt,
        "name": row.name,
        "pinned": row.pinned,
        "client": row.client,
        "error": row.error,
        "notes": row.notes or [],
        "revision": row.revision,
        "created": row.created,
        "changed": row.changed,
        "deleted": row.deleted is not None,
        "kept_steps": sorted({0, *kept}),
        "queue_position": place,
        "seconds_per_step": row.seconds,
        "seconds_left": seconds_left(row),
        "frames": row.frames,
        "width": row.width,
        "height": row.height,
        "fps": row.fps,
        "preview": row.preview,
        "look": row.look,
        "picture": row.picture,
    }


def _kept_steps(session: Session, ids: list[str]) -> defaultdict[str, list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for some in _portions(ids):
        query = select(StepRow.take_id, StepRow.step).where(
            StepRow.take_id.in_(some), StepRow.checkpoint.is_not(None)
        )
        for take, step in session.execute(query):
            found[take].append(step)
    return found


def _places(session: Session, rows: Sequence[TakeRow]) -> dict[str, int]:
    queued = [row for row in rows if row.status == "queued"]
    if not queued:
        return {}
    waiting = (TakeRow.status == "queued", TakeRow.deleted.is_(None))
    if len(queued) == 1:
        before = select(func.count()).where(*waiting, TakeRow.position < queued[0].position)
        return {queued[0].id: session.scalar(before) or 0}
    order = session.scalars(select(TakeRow.id).where(*waiting).order_by(TakeRow.position))
    return {take: place for place, take in enumerate(order)}


def _portions(ids: list[str], size: int = 500) -> Iterable[list[str]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))
