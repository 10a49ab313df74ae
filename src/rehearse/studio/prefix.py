"""A server below a path of a proxy."""

from __future__ import annotations

import re

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from rehearse.takes.store.errors import StoreError


def root_path_of(text: str) -> str:
    """A path that the server answers below, such as ``/rehearse``: with a slash in front and none behind;
    empty for none. Raises StoreError."""
    path = "/" + text.strip().strip("/") if text.strip().strip("/") else ""
    if (path and not re.fullmatch(r"(?:/[A-Za-z0-9_~.-]+)+", path)) or ".." in path.split("/"):
        raise StoreError(
            f"--root-path is {text!r}; write a path such as /rehearse, without a name or a query"
        )
    return path


class Prefix:
    """ASGI middleware: takes the path off that a proxy has left in front.

    Proxies that take it off themselves need nothing of the server: the page asks for all that it needs by
    addresses relative to its own. path: see :func:`root_path_of`.
    """

    def __init__(self, app: ASGIApp, *, path: str) -> None:
        self._app = app
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._path:
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        if path == self._path:
            # Relative addresses begin at the last slash, and here that would be the one before the path.
            query = scope["query_string"].decode("latin-1")
            there = f"{path.rsplit('/', 1)[1]}/" + (f"?{query}" if query else "")
            await RedirectResponse(there, 307)(scope, receive, send)
            return
        if path.startswith(f"{self._path}/"):
            raw: bytes = scope.get("raw_path") or b""
            front = self._path.encode()
            scope = {
                **scope,
                "path": path[len(self._path) :],
                "raw_path": raw[len(front) :] if raw.startswith(front) else raw,
            }
        await self._app(scope, receive, send)
