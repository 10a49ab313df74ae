"""Bodies from outside, read only as far as they may go."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from rehearse.studio.problems import Refused

UPLOAD = ".upload-"
"""What names of folders begin with that hold a body while it is read."""


async def read_body(request: Request, most: int) -> bytes:
    """The whole body in memory. Refused (413) where it has more than ``most`` bytes."""
    parts: list[bytes] = []
    async for part in _parts(request, most):
        parts.append(part)
    return b"".join(parts)


@asynccontextmanager
async def spooled_body(request: Request, most: int, folder: Path) -> AsyncIterator[Path]:
    """The body as a temporary file below ``folder``, gone when the block ends. Refused (413) as above."""
    with tempfile.TemporaryDirectory(prefix=UPLOAD, dir=folder) as place:
        path = Path(place) / "body"
        with path.open("wb") as file:
            async for part in _parts(request, most):
                await run_in_threadpool(file.write, part)
        yield path


async def _parts(request: Request, most: int) -> AsyncIterator[bytes]:
    _refuse_above(int(request.headers.get("content-length") or 0), most)
    received = 0
    async for part in request.stream():
        received += len(part)
        _refuse_above(received, most)
        yield part
    if not received:
        raise Refused(422, "the body is empty; send the file itself as the body")


def _refuse_above(size: int, most: int) -> None:
    if size > most:
        raise Refused(413, f"the file has more than {most / 2**20:g} MiB; send a smaller one")
