"""Projects."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from rehearse.studio import views
from rehearse.studio.api.parts import OnCommand, OnDesk, ProjectId
from rehearse.takes.store import projects

router = APIRouter(prefix="/projects", tags=["projects"])


@router.get("", operation_id="listProjects", summary="All projects, last changed first")
def listed(desk: OnDesk, deleted: Annotated[bool, Query()] = False) -> views.ProjectList:
    """With `deleted`, those in the bin instead."""
    with desk.store.read() as session:
        return views.ProjectList(
            projects=[
                views.ProjectView(**facts) for facts in projects.list_projects(session, deleted=deleted)
            ]
        )


@router.post("", operation_id="createProject", summary="Make a project", status_code=201)
def create(body: views.NewProject, command: OnCommand) -> views.ProjectView:
    return command.run(
        views.ProjectView, lambda s: views.ProjectView(**projects.create_project(s, body.name))
    )


@router.get("/{project}", operation_id="getProject", summary="One project")
def get(project: ProjectId, desk: OnDesk) -> views.ProjectView:
    with desk.store.read() as session:
        return views.ProjectView(**projects.get_project(session, project))


@router.patch("/{project}", operation_id="renameProject", summary="Rename a project")
def rename(project: ProjectId, body: views.ProjectChange, command: OnCommand) -> views.ProjectView:
    return command.run(
        views.ProjectView,
        lambda s: views.ProjectView(**projects.rename_project(s, project, body.name, body.revision)),
    )


@router.delete("/{project}", operation_id="deleteProject", summary="Put a project into the bin")
def delete(project: ProjectId, command: OnCommand) -> views.ProjectView:
    """Its takes that wait are not begun while it is there. `restoreProject` undoes it."""
    return command.run(
        views.ProjectView, lambda s: views.ProjectView(**projects.bin_project(s, project, deleted=True))
    )


@router.post("/{project}/restore", operation_id="restoreProject", summary="Take a project out of the bin")
def restore(project: ProjectId, command: OnCommand) -> views.ProjectView:
    return command.run(
        views.ProjectView, lambda s: views.ProjectView(**projects.bin_project(s, project, deleted=False))
    )
