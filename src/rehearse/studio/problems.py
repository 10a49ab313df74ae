"""Every fault as one JSON shape, ``{"error": sentence, "field": place or null}``; of a shot that is not ready
to be run with its ``problems``."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from rehearse.media.errors import MediaError
from rehearse.shot import ShotError
from rehearse.shot.errors import explain, join
from rehearse.studio import full_disk
from rehearse.studio.shots import NotReady
from rehearse.studio.views import ShotProblem
from rehearse.takes.store.errors import DiskFull, StoreError

_LOG = logging.getLogger(__name__)
_MEANINGS = {
    404: "there is nothing at this address",
    405: "this address does not take that method",
}
_STATUS = {"missing": 404, "conflict": 409, "forbidden": 403, "invalid": 422}


class Refused(HTTPException):
    """A request is answered with a status and one sentence. field: what is at fault, or None."""

    def __init__(self, status: int, sentence: str, field: str | None = None) -> None:
        super().__init__(status, sentence)
        self.field = field


def problem(
    status: int, sentence: str, field: str | None = None, problems: Sequence[ShotProblem] = ()
) -> Response:
    """The answer for a fault. ASCII, so that no character of a sentence can spoil it."""
    said: dict[str, Any] = {"error": sentence, "field": field or None}
    if problems:
        said["problems"] = [each.model_dump(mode="json") for each in problems]
    content = json.dumps(said, ensure_ascii=True)
    return Response(content, status, media_type="application/json")


def answer_problems(app: FastAPI) -> None:
    """Turn every error of the house into its answer."""

    @app.exception_handler(Refused)
    def refused(request: Request, error: Refused) -> Response:
        return problem(error.status_code, error.detail, error.field)

    @app.exception_handler(ShotError)
    def bad_shot(request: Request, error: ShotError) -> Response:
        field = error.field
        outside = field in ("at", "until")  # of the command, not of the shot in it
        found = error.problems if isinstance(error, NotReady) else ()
        return problem(422, str(error), field if outside else join("shot", field), found)

    @app.exception_handler(MediaError)
    def bad_media(request: Request, error: MediaError) -> Response:
        return problem(422, str(error))

    @app.exception_handler(DiskFull)
    def full(request: Request, error: DiskFull) -> Response:
        return problem(507, full_disk.SENTENCE)

    @app.exception_handler(StoreError)
    def store(request: Request, error: StoreError) -> Response:
        return problem(_STATUS[error.kind], str(error), error.field)

    @app.exception_handler(RequestValidationError)
    def bad_request(request: Request, error: RequestValidationError) -> Response:
        found = _explained(error.errors())
        return problem(422, str(found), found.field)

    @app.exception_handler(UnicodeEncodeError)
    def no_text(request: Request, error: UnicodeEncodeError) -> Response:
        # JSON can spell halves of characters; nothing that keeps or sends text can.
        return problem(422, "the request holds characters that are not valid Unicode")

    @app.exception_handler(HTTPException)
    def plain(request: Request, error: HTTPException) -> Response:
        sentence = _MEANINGS.get(error.status_code, str(error.detail))
        answer = problem(error.status_code, sentence)
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> Response:
        _LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return problem(500, f"the server failed unexpectedly ({type(error).__name__}); its log says where")


class _Findings:
    """Looks like pydantic's error to the shot's own explanation."""

    def __init__(self, entries: Sequence[dict[str, Any]]) -> None:
        self._entries = entries

    def errors(self, include_url: bool = True) -> list[dict[str, Any]]:
        return list(self._entries)


def _explained(entries: Sequence[Any]) -> ShotError:
    plain = []
    for entry in entries:
        where, *rest = entry["loc"]
        if entry["type"] == "json_invalid":
            entry = {**entry, "ctx": {"error": entry.get("ctx", {}).get("error", "it cannot be read")}}
            rest = []
        plain.append({**entry, "loc": tuple(rest) if where in _PLACES else entry["loc"]})
    try:
        return explain(cast(ValidationError, _Findings(plain)))
    except (KeyError, IndexError, TypeError):
        first = plain[0]
        return ShotError(str(first["msg"]), field=".".join(map(str, first["loc"])))


_PLACES = ("body", "query", "path", "header", "cookie")
