"""Whole projects as one file, shots out of clips, and room on the disk."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse

from rehearse.studio import views
from rehearse.studio.api.parts import OnDesk, ProjectId
from rehearse.studio.uploads import spooled_body

router = APIRouter(tags=["exchange"])

_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_ZIP = {"application/zip": _BINARY}
_CLIP = {"application/octet-stream": _BINARY}


@router.get(
    "/projects/{project}/export",
    operation_id="exportProject",
    summary="A project as one file",
    response_class=FileResponse,
    responses={200: {"content": _ZIP}},
)
def export(project: ProjectId, desk: OnDesk) -> FileResponse:
    """Shots, takes, kept checkpoints, previews and pictures."""
    return desk.exchange.export(project)


@router.post(
    "/projects/import",
    operation_id="importProject",
    summary="A project out of a file",
    status_code=201,
    openapi_extra={"requestBody": {"required": True, "content": _ZIP}},
)
async def bring(request: Request, desk: OnDesk) -> views.Imported:
    """The body is the file that `exportProject` gave. All of it is checked before anything is taken in."""
    async with spooled_body(request, desk.limits.project_bytes, desk.store.folder) as file:
        return await run_in_threadpool(desk.exchange.bring, file)


@router.post(
    "/clips",
    operation_id="readClip",
    summary="The shot inside a clip made by Rehearse",
    openapi_extra={"requestBody": {"required": True, "content": _CLIP}},
)
async def clip(request: Request, desk: OnDesk) -> views.ClipShot:
    """The body is the file: mp4, webm, gif, apng or png. Its pictures are taken in as images."""
    async with spooled_body(request, desk.limits.clip_bytes, desk.store.folder) as file:
        return await run_in_threadpool(desk.exchange.shot_of_clip, file)


@router.post("/projects/{project}/prune", operation_id="pruneProject", summary="Free room on the disk")
def prune(project: ProjectId, body: views.KeepPolicy, desk: OnDesk, dry_run: bool = True) -> views.Pruned:
    """Drops checkpoints that the policy does not keep. Previews, clips and the takes themselves stay."""
    return desk.exchange.prune(project, body.every, dry_run)
