"""The queue of the worker, over all projects."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from rehearse.studio import views
from rehearse.studio.api.parts import OnCommand, OnDesk
from rehearse.studio.commands import Command
from rehearse.takes.store.queue import order_queue, pause_queue, queue_facts

router = APIRouter(prefix="/queue", tags=["queue"])

_SHOWN = 200


@router.get("", operation_id="getQueue", summary="What runs and what waits, in order")
def get(desk: OnDesk, limit: Annotated[int, Query(ge=1, le=10_000)] = _SHOWN) -> views.QueueView:
    with desk.store.read() as session:
        return views.QueueView(**queue_facts(session, limit))


@router.put("/order", operation_id="orderQueue", summary="Reorder one's own waiting takes")
def order(body: views.QueueOrder, command: OnCommand) -> views.QueueView:
    """The takes named share out, in the new order, the places they hold now; nobody else's moves."""

    def act(session: Session) -> views.QueueView:
        order_queue(session, body.takes, command.client)
        return views.QueueView(**queue_facts(session, _SHOWN))

    return command.run(views.QueueView, act)


@router.post("/pause", operation_id="pauseQueue", summary="Begin no further take")
def pause(command: OnCommand) -> views.QueueView:
    """The one that runs plays on."""
    return _paused(command, True)


@router.post("/resume", operation_id="resumeQueue", summary="Begin takes again")
def resume(command: OnCommand) -> views.QueueView:
    return _paused(command, False)


def _paused(command: Command, paused: bool) -> views.QueueView:
    def act(session: Session) -> views.QueueView:
        pause_queue(session, paused=paused)
        return views.QueueView(**queue_facts(session, _SHOWN))

    return command.run(views.QueueView, act)
