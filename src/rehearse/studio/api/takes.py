"""Takes: make, play, pause, stop, branch, name, pin, delete."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from rehearse.studio import views
from rehearse.studio.api.parts import OnCommand, OnDesk, ProjectId, ShotId, TakeId

router = APIRouter(tags=["takes"])


@router.post(
    "/shots/{shot}/takes",
    operation_id="createTake",
    summary="Make a take of a shot and queue it",
    status_code=201,
)
def create(shot: ShotId, body: views.NewTake, command: OnCommand) -> views.TakeView:
    """422, in one sentence that names the field, where the model cannot do what the shot asks."""
    takes = command.desk.takes
    return command.take(
        lambda s: takes.create(s, shot, body, command.client), lambda s: takes.check_new(s, shot, body)
    )


@router.get("/projects/{project}/takes", operation_id="listTakes", summary="The tree of takes of a project")
def takes(project: ProjectId, desk: OnDesk, deleted: Annotated[bool, Query()] = False) -> views.TakeList:
    with desk.store.read() as session:
        return desk.takes.list(session, project, deleted=deleted)


@router.get("/takes/{take}", operation_id="getTake", summary="One take and its shot")
def get(take: TakeId, desk: OnDesk) -> views.TakeDetail:
    with desk.store.read() as session:
        return desk.takes.get(session, take)


@router.get("/takes/{take}/steps", operation_id="listSteps", summary="Steps of a take and their previews")
def steps(take: TakeId, desk: OnDesk) -> views.StepList:
    with desk.store.read() as session:
        return desk.takes.steps(session, take)


@router.post("/takes/{take}/play", operation_id="playTake", summary="Queue a take to play on")
def play(take: TakeId, body: views.Play, command: OnCommand) -> views.TakeView:
    """From where it stands; a stopped, failed or interrupted take goes on at its last checkpoint."""
    return command.take(lambda s: command.desk.takes.play(s, take, body.until, body.revision, command.client))


@router.post("/takes/{take}/pause", operation_id="pauseTake", summary="Pause a take after the step it is in")
def pause(take: TakeId, body: views.Expect, command: OnCommand) -> views.TakeView:
    """A running take answers at once, with `asked`, and is `paused` when its step is done: the stream says
    when. One that neither waits nor runs stays as it is."""
    return command.take(lambda s: command.desk.takes.pause(s, take, body.revision, command.client))


@router.post("/takes/{take}/stop", operation_id="stopTake", summary="Cancel a take")
def stop(take: TakeId, body: views.Expect, command: OnCommand) -> views.TakeView:
    """Out of the queue, or out of the run after the step it is in; one that is over stays as it is. 403 where
    another client queued it."""
    return command.take(lambda s: command.desk.takes.stop(s, take, body.revision, command.client))


@router.post(
    "/takes/{take}/fork", operation_id="forkTake", summary="Go back to a step and branch", status_code=201
)
def fork(take: TakeId, body: views.Fork, command: OnCommand) -> views.TakeView:
    """A new take that owns the steps up to `at` and pays for the later ones only; the old one stays."""
    takes = command.desk.takes
    return command.take(
        lambda s: takes.fork(s, take, body, command.client), lambda s: takes.check_fork(s, take, body)
    )


@router.post("/takes/{take}/pin", operation_id="pinTake", summary="Pin a take, or let it go")
def pin(take: TakeId, body: views.Pin, command: OnCommand) -> views.TakeView:
    return command.take(lambda s: command.desk.takes.pin(s, take, body.pinned, body.revision))


@router.post("/takes/{take}/name", operation_id="nameTake", summary="Name a take")
def name(take: TakeId, body: views.Rename, command: OnCommand) -> views.TakeView:
    return command.take(lambda s: command.desk.takes.rename(s, take, body.name, body.revision))


@router.delete("/takes/{take}", operation_id="deleteTake", summary="Put a take into the bin")
def delete(take: TakeId, command: OnCommand) -> views.TakeView:
    """It is stopped first if it waits or runs. Its branches stay. `restoreTake` undoes it."""
    return command.take(lambda s: command.desk.takes.delete(s, take, command.client))


@router.post("/takes/{take}/restore", operation_id="restoreTake", summary="Take a take out of the bin")
def restore(take: TakeId, command: OnCommand) -> views.TakeView:
    return command.take(lambda s: command.desk.takes.restore(s, take))
