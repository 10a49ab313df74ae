"""Answers of commands, so that a repeated command is answered again and not done again."""

from __future__ import annotations

import time

from sqlalchemy import delete
from sqlalchemy.orm import Session

from rehearse.takes.store.errors import StoreError
from rehearse.takes.store.schema import AnswerRow

KEPT_SECONDS = 7 * 24 * 3600.0
"""How long an answer is remembered."""


def known_answer(session: Session, client: str, key: str, fingerprint: str) -> str | None:
    """What the command of this key answered, or None. fingerprint: of the request.

    Raises StoreError (conflict) where the key was used for another request.
    """
    row = session.get(AnswerRow, (client, key))
    if row is None:
        return None
    if row.fingerprint != fingerprint:
        raise StoreError(
            f"the Idempotency-Key {key!r} was used for another command; make up a new one", "conflict"
        )
    return row.answer


def remember_answer(session: Session, client: str, key: str, fingerprint: str, answer: str) -> None:
    """Remember an answer in the transaction that did what it says."""
    session.add(
        AnswerRow(client=client, key=key, fingerprint=fingerprint, answer=answer, created=time.time())
    )


def forget_answers(session: Session) -> None:
    """Forget those that nobody will ask for again."""
    session.execute(delete(AnswerRow).where(AnswerRow.created < time.time() - KEPT_SECONDS))
