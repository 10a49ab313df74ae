"""The built web app, or a plain page that says how to build it."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

APP = Path(__file__).resolve().parent / "app"
"""Where ``web/`` is built to."""

_MISSING = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Rehearse</title>
<h1>The studio's page is not built</h1>
<p>The server runs, and its API answers below <a href="api/health">/api</a>. To build the page:
<code>make web</code> in the project, then load this page again.</p></html>"""


_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".mp4": "video/mp4",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webm": "video/webm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
"""Types by ending. A machine's registry may say otherwise: on Windows .js is often text/plain, which no
browser runs."""


class _App(StaticFiles):
    """Names of assets carry a hash of their content, so that they may be cached; the page itself is asked for
    anew."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        answer = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        scope = args[2] if len(args) > 2 else kwargs.get("scope")
        hashed = isinstance(scope, dict) and "/assets/" in str(scope.get("path"))
        ending = Path(str(args[0] if args else kwargs.get("full_path"))).suffix.lower()
        answer.headers["Content-Type"] = _TYPES.get(ending, "application/octet-stream")
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return answer

    async def get_response(self, path: str, scope: Scope) -> Response:
        try:
            return await super().get_response(path, scope)
        except HTTPException as error:
            # The page's own addresses are the page's to read.
            page = APP / "index.html"
            api = path.split("/", 1)[0] == "api"
            if error.status_code != 404 or api or "." in path.rsplit("/", 1)[-1] or not page.is_file():
                raise
            # The page asks for its parts by addresses relative to its own.
            below = str(scope["path"]).count("/") - 1
            if below > 0:
                return RedirectResponse("../" * below, 303)
            headers = {"Cache-Control": "no-cache"}
            return FileResponse(page, media_type="text/html", headers=headers)


def serve_page(app: FastAPI) -> None:
    """Everything outside ``/api`` is the web app."""
    if (APP / "index.html").is_file():
        app.mount("/", _App(directory=APP, html=True), name="page")
        return

    @app.get("/", include_in_schema=False)
    def missing() -> Response:
        page = APP / "index.html"
        # Built meanwhile: the server needs no restart to show it, but to serve its parts.
        return HTMLResponse(_MISSING if not page.is_file() else "Restart the server to see the page.")
