"""Pictures that shots refer to."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse

from rehearse.studio import views
from rehearse.studio.api.parts import FileDigest, OnDesk
from rehearse.studio.uploads import read_body

router = APIRouter(prefix="/images", tags=["images"])

_PICTURES = ("image/png", "image/jpeg", "image/webp")
_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}


@router.post(
    "",
    operation_id="uploadImage",
    summary="Upload a picture",
    status_code=201,
    openapi_extra={"requestBody": {"required": True, "content": dict.fromkeys(_PICTURES, _BINARY)}},
)
async def upload(request: Request, desk: OnDesk) -> views.ImageView:
    """The body is the picture file itself: PNG, JPEG or WebP, still, at most 32 MiB, 8192 pixels a side and
    40 megapixels. Uploading the same bytes again gives the same answer."""
    content = await read_body(request, desk.limits.image_bytes)
    return await run_in_threadpool(desk.images.add, content)


@router.get(
    "/{digest}",
    operation_id="getImage",
    summary="An uploaded picture",
    response_class=FileResponse,
    responses={200: {"content": dict.fromkeys(_PICTURES, _BINARY)}},
)
def get(digest: FileDigest, desk: OnDesk) -> FileResponse:
    """The bytes that were uploaded."""
    return desk.images.answer(digest)


@router.get(
    "/{digest}/shown",
    operation_id="getShownImage",
    summary="An uploaded picture as it is to be shown",
    response_class=FileResponse,
    responses={200: {"content": dict.fromkeys(_PICTURES, _BINARY)}},
)
def get_shown(digest: FileDigest, desk: OnDesk) -> FileResponse:
    """Upright, in sRGB, transparent parts on white: what a model is given."""
    return desk.images.shown(digest)
