"""What a worker writes while a take runs, and what is written when it does not come back.

A run holds a take by a word of its own (``TakeRow.run``). Whoever lost the take, to a stop, a restart or
a new run, finds another word there and is refused: two workers never write one take.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rehearse.takes.store import events
from rehearse.takes.store.errors import StoreError
from rehearse.takes.store.queue import stands_still
from rehearse.takes.store.schema import ProjectRow, StepRow, TakeRow
from rehearse.takes.store.tree import changed, settle, take_row

MOST_FALLS = 3
"""How often a take is tried again by itself when workers die under it without a step in between."""

_SMOOTH = 0.3


class Lost(StoreError):
    """This run does not hold the take any longer; it must stop and write nothing."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A take handed to a worker. run: the word it must show with everything it writes."""

    take: str
    run: str
    project: str


def claim_next(session: Session) -> Claim | None:
    """Hand out the first of the queue, or None where nothing waits or the queue stands still."""
    if stands_still(session):
        return None
    query = (
        select(TakeRow)
        .join(ProjectRow, ProjectRow.id == TakeRow.project_id)
        .where(TakeRow.status == "queued", TakeRow.deleted.is_(None), ProjectRow.deleted.is_(None))
        .order_by(TakeRow.position)
        .limit(1)
    )
    row = session.scalar(query)
    if row is None:
        return None
    row.status, row.run, row.position = "running", uuid.uuid4().hex, None
    changed(session, row)
    return Claim(row.id, row.run, row.project_id)


def running(session: Session) -> list[Claim]:
    """The claims of all takes that are said to run."""
    rows = session.scalars(select(TakeRow).where(TakeRow.status == "running"))
    return [Claim(row.id, row.run or "", row.project_id) for row in rows]


def held(session: Session, claim: Claim) -> TakeRow:
    """The claim's take. Raises Lost where this run holds it no longer."""
    row = take_row(session, claim.take)
    if row.run != claim.run:
        raise Lost("another run holds this take now", "conflict")
    return row


def record_plan(
    session: Session,
    claim: Claim,
    sizes: Mapping[str, Any],
    checkpoint: str | None,
    picture: str | None = None,
    preview: Mapping[str, Any] | None = None,
) -> None:
    """The worker has planned the take. sizes: steps, frames, width, height, fps.

    checkpoint: for a branch, the digest of its first state, which may carry more than the parent's.
    picture: digest of the intermediate picture, None for a model that starts from none. preview: of the first
    state, for a branch that has no row of it: one at 0 takes none over from its parent.
    """
    row = held(session, claim)
    for name, value in sizes.items():
        setattr(row, name, value)
    if checkpoint is not None:
        step = session.get(StepRow, (row.id, row.branch_step))
        if step is not None:
            step.checkpoint = checkpoint
        elif preview is not None:
            session.add(
                StepRow(
                    take_id=row.id, step=row.branch_step or 0, checkpoint=checkpoint, preview=dict(preview),
                    look=None, inherited=True, seconds=None, created=time.time(),
                )
            )  # fmt: skip
            row.preview = dict(preview)
    row.begun = row.begun or checkpoint is not None
    row.picture = picture
    changed(session, row)


def record_notes(session: Session, claim: Claim, notes: Iterable[str]) -> None:
    """Keep what the run was warned of, beside what runs before it were. Raises Lost."""
    row = held(session, claim)
    kept = list(dict.fromkeys([*(row.notes or ()), *notes]))
    if kept != (row.notes or []):
        row.notes = kept
        changed(session, row)


def record_step(
    session: Session,
    claim: Claim,
    step: int,
    checkpoint: str,
    preview: Mapping[str, Any],
    seconds: float,
) -> None:
    """A step is done and its files are on the disk: the row and its event, together.

    Raises Lost, also where the step is not the next one.
    """
    row = held(session, claim)
    if step != (row.step + 1 if row.begun else 0):
        raise Lost(f"the take stands at step {row.step}, so step {step} cannot follow", "conflict")
    strip = dict(preview)
    session.add(
        StepRow(
            take_id=row.id, step=step, checkpoint=checkpoint, preview=strip, look=None, inherited=False,
            seconds=seconds, created=time.time(),
        )
    )  # fmt: skip
    row.step, row.preview, row.look, row.begun = step, strip, None, True
    row.falls, row.error = 0, None
    if step:
        row.seconds = seconds if row.seconds is None else row.seconds + _SMOOTH * (seconds - row.seconds)
    row.revision += 1
    row.changed = time.time()
    end = row.steps if row.until is None else row.until
    session.flush()
    events.append(
        session,
        row.project_id,
        "step",
        {
            "take": row.id,
            "step": step,
            "steps": row.steps,
            "kept": True,
            "preview": strip,
            "seconds": seconds,
            "seconds_left": (row.seconds or seconds) * max(0, end - step),
        },
    )


def record_end(
    session: Session,
    claim: Claim,
    status: str,
    *,
    look: Mapping[str, Any] | None = None,
    error: str | None = None,
) -> None:
    """The run is over. look: the frames as decoded now. What would pause and was asked to stop, stops."""
    row = held(session, claim)
    if status == "paused" and row.asked is not None:
        status = row.asked
    if look is not None:
        row.look = dict(look)
        step = session.get(StepRow, (row.id, row.step))
        if step is not None:
            step.look = dict(look)
    settle(session, row, status, error)


def interrupt(session: Session, sentence: str, *, only: Claim | None = None) -> list[str]:
    """Takes that are said to run, and whose worker is gone, are interrupted; their ids.

    They are queued again, first, to go on at their last checkpoint, unless workers died under one
    :data:`MOST_FALLS` times without a step in between. One that was asked to pause or to stop does that.
    only: this claim's take alone.
    """
    query = select(TakeRow).where(TakeRow.status == "running").order_by(TakeRow.changed.desc())
    found = []
    for row in session.scalars(query):
        if only is not None and (row.id, row.run) != (only.take, only.run):
            continue
        found.append(row.id)
        if row.asked is not None:
            settle(session, row, row.asked)
            continue
        row.falls += 1
        again = row.falls < MOST_FALLS
        more = "" if again else f", {row.falls} times at this step; it waits for you to play it on"
        settle(session, row, "interrupted", f"{sentence}{more}")
        if again:
            row.status, row.position = "queued", _front(session)
            changed(session, row)
    return found


def _front(session: Session) -> float:
    first = session.scalar(
        select(TakeRow.position).where(TakeRow.status == "queued").order_by(TakeRow.position).limit(1)
    )
    return (first or 0.0) - 1.0
