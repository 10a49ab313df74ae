"""What the worker found out about models, so that the next server knows it at once."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from rehearse.models import ModelError
from rehearse.models.registry import find_model
from rehearse.takes.store.schema import ModelRow

_FACTS = 2
"""Counts up when other facts are asked of models than before."""


def remember_models(session: Session, found: list[dict[str, Any]]) -> None:
    """Keep facts by ``name``, as long as the model's files stay as they are."""
    for facts in found:
        stamp = _stamp(facts["name"])
        if stamp is not None:
            session.merge(ModelRow(name=facts["name"], stamp=stamp, facts=facts))


def known_models(session: Session, names: tuple[str, ...]) -> list[dict[str, Any]] | None:
    """Facts of these models, or None where those of one are missing or older than its files."""
    found = []
    for name in names:
        row = session.get(ModelRow, name)
        if row is None or row.stamp != _stamp(name):
            return None
        found.append(row.facts)
    return found


def _stamp(name: str) -> str | None:
    try:
        return f"{_FACTS} {find_model(name).stamp()!r}"
    except ModelError:
        return None
