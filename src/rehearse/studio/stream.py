"""A project's events as a server-sent stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from pydantic import TypeAdapter
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from rehearse.studio import views
from rehearse.takes.store.events import events_after
from rehearse.takes.store.facts import last_event

if TYPE_CHECKING:
    from rehearse.studio.desk import Desk

HEARTBEAT_SECONDS = 10.0
"""How often a quiet line carries a comment; other programs' writes are looked for as often."""

_PORTION = 200
_EVENT: TypeAdapter[views.Event] = TypeAdapter(views.Event)


async def event_stream(desk: Desk, project: str, after: int) -> AsyncIterator[str]:
    """The stream's text: what the database has after an id, then what comes, until the hub closes."""
    yield "retry: 1000\n\n"
    with desk.hub.listen() as news:
        while not desk.hub.closed:
            news.clear()
            found = await run_in_threadpool(_read, desk, project, after)
            if found:
                yield "".join(f"id: {id}\nevent: {kind}\ndata: {text}\n\n" for id, kind, text in found)
                after = found[-1][0]
            if len(found) == _PORTION or desk.hub.closed:
                continue
            try:
                await asyncio.wait_for(news.wait(), HEARTBEAT_SECONDS)
            except TimeoutError:
                yield ": still here\n\n"


def read_events(session: Session, project: str, after: int, limit: int) -> views.EventList:
    """The same as typed documents."""
    found = events_after(session, project, after, limit)
    last = found[-1][0] if found else max(after, last_event(session, project))
    return views.EventList(events=[_EVENT.validate_json(text) for _, _, text in found], last=last)


def _read(desk: Desk, project: str, after: int) -> list[tuple[int, str, str]]:
    with desk.store.read() as session:
        return events_after(session, project, after, _PORTION)
