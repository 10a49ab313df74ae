"""A project's stream of events, replayed from the database."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from rehearse.studio import views
from rehearse.studio.api.parts import OnDesk, ProjectId
from rehearse.studio.desk import Desk
from rehearse.studio.stream import event_stream, read_events
from rehearse.takes.store.facts import last_event
from rehearse.takes.store.projects import project_row

router = APIRouter(prefix="/projects/{project}", tags=["events"])

_After = Annotated[int | None, Query(ge=0, le=2**53 - 1)]


@router.get(
    "/events",
    operation_id="streamEvents",
    summary="Server-sent events of a project",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def events(
    project: ProjectId,
    desk: OnDesk,
    after: _After = None,
    last_event_id: Annotated[str | None, Header(max_length=30)] = None,
) -> StreamingResponse:
    """Every event after `Last-Event-ID`, else after `after`, else from now on; `event:` is the kind, `data:`
    an `Event` as JSON. Nothing is left out and nothing comes twice. A comment now and then keeps the line."""
    start = int(last_event_id) if last_event_id and last_event_id.isdecimal() else after
    start = await run_in_threadpool(_start, desk, project, start)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(
        event_stream(desk, project, start), media_type="text/event-stream", headers=headers
    )


@router.get("/history", operation_id="listEvents", summary="Events of a project as a list")
def history(
    project: ProjectId, desk: OnDesk, after: _After = None, limit: Annotated[int, Query(ge=1, le=1000)] = 200
) -> views.EventList:
    """The same entries that the stream sends, after the id given."""
    with desk.store.read() as session:
        project_row(session, project)
        return read_events(session, project, after or 0, limit)


def _start(desk: Desk, project: str, after: int | None) -> int:
    with desk.store.read() as session:
        project_row(session, project)
        return last_event(session, project) if after is None else after
