"""The HTTP application."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from rehearse import __version__
from rehearse.studio.api import router
from rehearse.studio.desk import Desk
from rehearse.studio.engines.engine import Engine
from rehearse.studio.limits import ServerLimits
from rehearse.studio.page import serve_page
from rehearse.studio.prefix import Prefix
from rehearse.studio.problems import answer_problems
from rehearse.studio.security import Guard
from rehearse.studio.shot_in_openapi import with_documents
from rehearse.studio.views import Problem

_ABOUT = """Projects hold shots, shots are played as takes, takes branch.

Commands are answered once under an `Idempotency-Key`, and refused (409) where a `revision` they name is
not the present one. Every fault is a `Problem`. What happens is told on a project's event stream, replayed
from any id."""


def create_app(
    store_dir: str | os.PathLike[str],
    engine: Engine,
    token: str | None = None,
    *,
    hosts: Iterable[str] = (),
    allowed: Iterable[str] = (),
    root_path: str = "",
    limits: ServerLimits | None = None,
) -> FastAPI:
    """The studio's server.

    store_dir: folder of the projects, made if it is missing. engine: runs the takes. token: what requests
    must show, None for a server that only this machine reaches. hosts: names it answers to, beside loopback.
    allowed: further ones, of proxies, whose pages may give commands whatever name the proxy asks for.
    root_path: of a proxy that leaves it in front of the paths, such as ``/rehearse``.
    Raises StoreError where the folder cannot be used.
    """
    desk = Desk(Path(store_dir), engine, limits, token)
    app = build(lifespan=_lifespan)
    app.state.desk = desk
    app.add_middleware(
        Guard, token=token, hosts=tuple(hosts), allowed=tuple(allowed), json_bytes=desk.limits.json_bytes
    )
    app.add_middleware(Prefix, path=root_path)
    serve_page(app)
    return app


def build(lifespan: object = None) -> FastAPI:
    """The routes alone, for the OpenAPI document."""
    app = FastAPI(
        title="Rehearse studio",
        version=__version__,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        responses={"default": {"model": Problem, "description": "What went wrong"}},
        separate_input_output_schemas=False,
        lifespan=lifespan,  # type: ignore[arg-type]
    )
    app.include_router(router)
    answer_problems(app)
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        # FastAPI keeps its own under the same name, so that it is asked once.
        if "Shot" not in (app.openapi_schema or plain())["components"]["schemas"]:
            app.openapi_schema = with_documents(plain())
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    desk: Desk = app.state.desk
    await run_in_threadpool(desk.open)
    try:
        yield
    finally:
        await run_in_threadpool(desk.close)
