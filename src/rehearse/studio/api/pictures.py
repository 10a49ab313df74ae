"""What takes look like: previews, clips, the intermediate picture."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import FileResponse

from rehearse.studio.api.parts import FileDigest, OnDesk, TakeId

router = APIRouter(tags=["pictures"])

_CLIPS = {"mp4": "video/mp4", "webm": "video/webm", "gif": "image/gif", "png": "image/png"}
_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}


@router.get(
    "/previews/{digest}",
    operation_id="getPreview",
    summary="All frames of a step as one strip",
    response_class=FileResponse,
    responses={200: {"content": {"image/png": _BINARY}}},
)
def preview(digest: FileDigest, desk: OnDesk) -> FileResponse:
    """A PNG, see `Strip` for where the frames are. It never changes and may be cached for ever."""
    return desk.pictures.preview(digest)


@router.get(
    "/takes/{take}/clip.{ending}",
    operation_id="getClip",
    summary="The finished clip as a file, the shot inside",
    response_class=FileResponse,
    responses={
        200: {"content": dict.fromkeys(_CLIPS.values(), _BINARY)},
        206: {"description": "The part asked for", "content": dict.fromkeys(_CLIPS.values(), _BINARY)},
    },
)
def clip(
    take: TakeId,
    ending: Literal["mp4", "webm", "gif", "png"],
    desk: OnDesk,
    download: Annotated[bool, Query(description="Offer it as a file to save.")] = False,
) -> FileResponse:
    """Answers Range requests. 409 while the take is not finished."""
    return desk.pictures.clip(take, ending, download)


@router.get(
    "/takes/{take}/still.png",
    operation_id="getStill",
    summary="One frame of a take",
    response_class=FileResponse,
    responses={200: {"content": {"image/png": _BINARY}}},
)
def still(
    take: TakeId,
    desk: OnDesk,
    frame: Annotated[int, Query(ge=0, le=100_000)] = 0,
    step: Annotated[int | None, Query(ge=0, le=1000)] = None,
) -> FileResponse:
    """Of the finished clip, or of the take as it was seen at a step."""
    return desk.pictures.still(take, frame, step)


@router.get(
    "/takes/{take}/picture",
    operation_id="getPicture",
    summary="The intermediate picture that instructions made of the image",
    response_class=FileResponse,
    responses={200: {"content": {"image/png": _BINARY}}},
)
def picture(take: TakeId, desk: OnDesk) -> FileResponse:
    """What the clip starts from, known as soon as the take is planned. 404 where it starts from none."""
    return desk.pictures.intermediate(take)
