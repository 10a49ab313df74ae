"""Takes in the store: made, branched, queued, paused, stopped, named, pinned, binned.

A take is a state machine::

    queued -> running -> finished
      ^         |-> paused, stopped, failed
      |         '-> interrupted (its worker died)
      '--- play of any of these

Each change is one transaction with its event, and refuses what does not fit where the take stands.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rehearse.takes.store import events
from rehearse.takes.store.errors import StoreError
from rehearse.takes.store.facts import Facts, take_facts, takes_facts
from rehearse.takes.store.projects import expect, project_row, touch
from rehearse.takes.store.schema import StepRow, TakeRow
from rehearse.takes.store.shots import shot_row

LIVE = ("queued", "running")
PLAYABLE = ("paused", "stopped", "failed", "interrupted")


@dataclass(frozen=True, slots=True)
class Order:
    """What a take is to show. document: the shot as JSON, pictures by digest. steps, frames, width, height,
    fps: 0 or None where only the model knows. until: pause after this step. name: None numbers it."""

    document: str
    prompt: str
    model: str
    seed: int
    steps: int = 0
    frames: int | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    until: int | None = None
    name: str | None = None


def take_row(session: Session, take: str) -> TakeRow:
    """A take's row. StoreError (missing) where there is none."""
    row = session.get(TakeRow, take)
    if row is None:
        raise StoreError(f"there is no take {take}", "missing")
    return row


def list_takes(session: Session, project: str, *, deleted: bool = False) -> list[Facts]:
    """Takes of a project, or those of its bin, first made first."""
    project_row(session, project)
    binned = TakeRow.deleted
    query = (
        select(TakeRow)
        .where(TakeRow.project_id == project, binned.is_not(None) if deleted else binned.is_(None))
        .order_by(TakeRow.created, TakeRow.id)
    )
    return takes_facts(session, list(session.scalars(query)))


def steps_of(session: Session, take: str) -> list[StepRow]:
    """The steps of a take that are done, those of its parent included."""
    take_row(session, take)
    return list(session.scalars(select(StepRow).where(StepRow.take_id == take).order_by(StepRow.step)))


def create_take(
    session: Session, shot: str, revision: int | None, order: Order, client: str, *, play: bool
) -> Facts:
    """A take of a shot from the start, queued if ``play``."""
    made_of = shot_row(session, shot)
    touch(session, made_of.project_id)
    return _made(session, _new(session, made_of.project_id, shot, revision, order, client), play)


def fork_take(session: Session, take: str, at: int, order: Order, client: str, *, play: bool) -> Facts:
    """A branch that takes over the steps up to ``at``.

    Raises StoreError (conflict) where the take does not keep that step.
    """
    parent = take_row(session, take)
    touch(session, parent.project_id)
    if parent.deleted is not None:
        raise StoreError("the take was deleted; restore it first", "conflict")
    steps = [row for row in steps_of(session, take) if row.step <= at]
    if at and not any(row.step == at and row.checkpoint for row in steps):
        kept = ", ".join(map(str, take_facts(session, parent)["kept_steps"]))
        raise StoreError(f"the take does not keep step {at}; it keeps {kept}", "conflict", "at")
    row = _new(session, parent.project_id, parent.shot_id, None, order, client)
    row.parent_id, row.branch_step, row.step = take, at, at
    row.seconds = parent.seconds
    if order.document == parent.document:
        row.shot_revision = parent.shot_revision
    for name in ("steps", "frames", "width", "height", "fps"):
        if at and not getattr(row, name):
            setattr(row, name, getattr(parent, name))
    session.flush()
    # Rows are small and their files shared: a branch can be looked at and continued by itself.
    for step in steps if at else ():
        session.add(
            StepRow(
                take_id=row.id, step=step.step, checkpoint=step.checkpoint, preview=step.preview,
                look=step.look, inherited=True, seconds=step.seconds, created=step.created,
            )
        )  # fmt: skip
        row.preview = step.preview
    return _made(session, row, play)


def _new(
    session: Session, project: str, shot: str, revision: int | None, order: Order, client: str
) -> TakeRow:
    now = time.time()
    count = session.scalar(select(func.count()).where(TakeRow.project_id == project)) or 0
    row = TakeRow(
        id=uuid.uuid4().hex, project_id=project, shot_id=shot, shot_revision=revision, parent_id=None,
        branch_step=None, document=order.document, prompt=order.prompt, model=order.model, seed=order.seed,
        status="paused", step=0, steps=order.steps, until=order.until, frames=order.frames,
        width=order.width, height=order.height, fps=order.fps, name=order.name or f"Take {count + 1}",
        pinned=False, client=client, error=None, revision=0, begun=False, run=None, falls=0, position=None,
        seconds=None, preview=None, look=None, picture=None, created=now, changed=now, deleted=None,
    )  # fmt: skip
    session.add(row)
    return row


def _made(session: Session, row: TakeRow, play: bool) -> Facts:
    if play:
        _queue(session, row)
    return changed(session, row)


def play_take(
    session: Session, take: str, until: int | None, revision: int | None, client: str, *, first: bool = False
) -> Facts:
    """Queue a take to play on from where it stands. first: before all others.

    One that waits or runs already, to the same step, stays as it is. Raises StoreError (conflict) where it is
    finished, waits or runs to another step, or lies in the bin.
    """
    row = _usable(session, take, revision)
    if row.status in LIVE and row.until == until and row.asked is None:
        return take_facts(session, row)
    if row.status == "finished":
        raise StoreError("the take is finished; branch it at an earlier step to go on", "conflict")
    if row.status not in PLAYABLE:
        raise StoreError(f"the take is {row.status} already", "conflict")
    if until is not None and until <= row.step:
        raise StoreError(
            f"until is {until} and the take stands at step {row.step}; give a later step", "invalid", "until"
        )
    row.until, row.client, row.falls = until, client, 0
    _queue(session, row, first=first)
    return changed(session, row)


def _queue(session: Session, row: TakeRow, *, first: bool = False) -> None:
    edge = func.min(TakeRow.position) if first else func.max(TakeRow.position)
    at = session.scalar(select(edge).where(TakeRow.status == "queued"))
    row.position = (at or 0.0) + (-1.0 if first else 1.0)
    row.status, row.error, row.run, row.asked = "queued", None, None, None


def settle(session: Session, row: TakeRow, status: str, error: str | None = None) -> Facts:
    """The take runs and waits no longer, and stands so."""
    row.status, row.error, row.run, row.asked, row.position = status, error, None, None, None
    return changed(session, row)


def pause_take(session: Session, take: str, revision: int | None, client: str) -> tuple[Facts, str | None]:
    """Pause a waiting take; a running one is asked, and its run, given back, is to be told.

    One that neither waits nor runs stays as it is: it may have ended while the command was on its way.
    Raises StoreError (forbidden) where another client queued it, whose place in the queue would be lost.
    """
    row = _usable(session, take, revision)
    if row.status not in LIVE:
        return take_facts(session, row), None
    _own(row, client, "pause")
    if row.status == "running":
        return _asked(session, row, "paused"), row.run
    return settle(session, row, "paused"), None


def _asked(session: Session, row: TakeRow, status: str) -> Facts:
    """A running take is asked to become something once its step is done, and every desk is told so."""
    if row.asked == status:
        return take_facts(session, row)
    row.asked = status
    return changed(session, row)


def stop_take(session: Session, take: str, revision: int | None, client: str) -> tuple[Facts, str | None]:
    """Cancel a take; a running one is asked, and its run, given back, is to be told.

    One that is over stays as it is: it may have ended while the command was on its way.
    Raises StoreError (forbidden) where another client queued it.
    """
    row = _usable(session, take, revision)
    if row.status in ("finished", "failed", "stopped"):
        return take_facts(session, row), None
    if row.status in LIVE:
        _own(row, client)
    if row.status == "running":
        return _asked(session, row, "stopped"), row.run
    return settle(session, row, "stopped"), None


def pin_take(session: Session, take: str, pinned: bool, revision: int | None) -> Facts:
    """Pin it, so that its checkpoints are never pruned, or let it go."""
    row = _usable(session, take, revision)
    row.pinned = pinned
    return changed(session, row)


def rename_take(session: Session, take: str, name: str, revision: int | None) -> Facts:
    """Another name."""
    row = _usable(session, take, revision)
    row.name = name
    return changed(session, row)


def bin_take(session: Session, take: str, client: str) -> tuple[Facts, str | None]:
    """Into the bin; where it runs, the run that is to be told. StoreError (forbidden) as for stopping."""
    row = take_row(session, take)
    touch(session, row.project_id)
    if row.deleted is not None:
        return take_facts(session, row), None
    run = None
    if row.status in LIVE:
        _own(row, client)
        run, row.run, row.status, row.asked, row.position = row.run, None, "stopped", None, None
    row.deleted = time.time()
    return changed(session, row), run


def restore_take(session: Session, take: str) -> Facts:
    """Out of the bin."""
    row = take_row(session, take)
    touch(session, row.project_id)
    if row.deleted is None:
        return take_facts(session, row)
    row.deleted = None
    return changed(session, row)


def changed(session: Session, row: TakeRow) -> Facts:
    """Write the take's event; the take as it now is."""
    return events.take_changed(session, row)


def _usable(session: Session, take: str, revision: int | None) -> TakeRow:
    row = take_row(session, take)
    touch(session, row.project_id)
    if row.deleted is not None:
        raise StoreError("the take was deleted; restore it first", "conflict")
    expect(revision, row.revision, "the take")
    return row


def _own(row: TakeRow, client: str, act: str = "cancel") -> None:
    if row.client != client:
        raise StoreError(f"another client queued this take; only who queued it can {act} it", "forbidden")
