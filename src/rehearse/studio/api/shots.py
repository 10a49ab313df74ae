"""Shots: documents in revisions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from rehearse.studio import views
from rehearse.studio.api.parts import OnCommand, OnDesk, ProjectId, ShotId

router = APIRouter(tags=["shots"])


@router.get("/projects/{project}/shots", operation_id="listShots", summary="Shots of a project")
def shots(project: ProjectId, desk: OnDesk, deleted: Annotated[bool, Query()] = False) -> views.ShotList:
    with desk.store.read() as session:
        return views.ShotList(shots=desk.shots.list(session, project, deleted=deleted))


@router.post(
    "/projects/{project}/shots",
    operation_id="createShot",
    summary="Put a shot into a project",
    status_code=201,
)
def create(project: ProjectId, body: views.NewShot, command: OnCommand) -> views.ShotView:
    return command.run(views.ShotView, lambda s: command.desk.shots.create(s, project, body.shot, body.name))


@router.get("/shots/{shot}", operation_id="getShot", summary="A shot, at its newest or a given revision")
def get(
    shot: ShotId, desk: OnDesk, revision: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None
) -> views.ShotView:
    with desk.store.read() as session:
        return desk.shots.get(session, shot, revision)


@router.put("/shots/{shot}", operation_id="changeShot", summary="Give a shot a new revision")
def change(shot: ShotId, body: views.ShotChange, command: OnCommand) -> views.ShotView:
    """409 where somebody else changed it since the revision named; nothing is overwritten."""
    return command.run(
        views.ShotView,
        lambda s: command.desk.shots.change(s, shot, body.revision, body.shot, body.name),
    )


@router.get(
    "/shots/{shot}/revisions", operation_id="listRevisions", summary="Revisions of a shot, newest first"
)
def revisions(
    shot: ShotId, desk: OnDesk, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> views.ShotHistory:
    with desk.store.read() as session:
        return views.ShotHistory(revisions=desk.shots.history(session, shot, limit))


@router.delete("/shots/{shot}", operation_id="deleteShot", summary="Put a shot into the bin")
def delete(shot: ShotId, command: OnCommand) -> views.ShotView:
    """Its takes stay. `restoreShot` undoes it."""
    return command.run(views.ShotView, lambda s: command.desk.shots.delete(s, shot, deleted=True))


@router.post("/shots/{shot}/restore", operation_id="restoreShot", summary="Take a shot out of the bin")
def restore(shot: ShotId, command: OnCommand) -> views.ShotView:
    return command.run(views.ShotView, lambda s: command.desk.shots.delete(s, shot, deleted=False))
