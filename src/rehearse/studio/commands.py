"""Commands: an effect and its answer in one transaction, so that a repeated request acts once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import Header, Request
from pydantic import BaseModel
from sqlalchemy.orm import Session

from rehearse.studio.desk import Desk
from rehearse.studio.views import TakeView
from rehearse.takes.store.answers import known_answer, remember_answer

V = TypeVar("V", bound=BaseModel)

Act = Callable[[Session], V]

ClientName = Annotated[
    str,
    Header(
        max_length=100,
        pattern=r"^[\x21-\x7e]*$",
        description="Who is asking: a name that a browser makes up once and keeps. What one client has "
        "queued, another cannot stop.",
    ),
]
"""The header of a request that names its client."""


class Command:
    """One request that changes something. client: who asks. key: its Idempotency-Key, or None."""

    def __init__(self, desk: Desk, client: str, key: str | None, fingerprint: str) -> None:
        self.desk = desk
        self.client = client
        self.key = key
        self.fingerprint = fingerprint

    def run(self, kind: type[V], act: Act[V], check: Callable[[Session], object] | None = None) -> V:
        """What ``act`` answers, written together with what it did; a repeated key gives that answer again.

        check: looked at beforehand, outside the transaction, so that no one waits for it to write.
        Raises StoreError where the key was used for another request, and what ``act`` and ``check`` raise.
        """
        with self.desk.store.read() as session:
            known = self._known(kind, session)
            if known is not None:
                return known
            if check is not None:
                check(session)
        with self.desk.store.write() as session:
            known = self._known(kind, session)
            if known is not None:
                return known
            answer = act(session)
            if self.key is not None:
                remember_answer(session, self.client, self.key, self.fingerprint, answer.model_dump_json())
        self.desk.changed()
        return answer

    def take(self, act: Act[TakeView], check: Callable[[Session], object] | None = None) -> TakeView:
        """:meth:`run` for commands that answer with a take."""
        return self.run(TakeView, act, check)

    def _known(self, kind: type[V], session: Session) -> V | None:
        if self.key is None:
            return None
        found = known_answer(session, self.client, self.key, self.fingerprint)
        return None if found is None else kind.model_validate_json(found)


async def command_of(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=200,
            pattern=r"^[\x21-\x7e]+$",
            description="A name for this one command: sent again, it is not done again but answered again.",
        ),
    ] = None,
    x_rehearse_client: ClientName = "",
) -> Command:
    """The command that a request is."""
    said = hashlib.sha256()
    for part in (request.method.encode(), request.url.path.encode(), await request.body()):
        said.update(len(part).to_bytes(8, "big") + part)
    desk: Desk = request.app.state.desk
    return Command(desk, x_rehearse_client, idempotency_key, said.hexdigest())
