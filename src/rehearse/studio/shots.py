"""Shots as the API takes and gives them."""

from __future__ import annotations

import json

from sqlalchemy.orm import Session

from rehearse.shot import Shot
from rehearse.studio import views
from rehearse.studio.limits import ServerLimits
from rehearse.takes.store import shots
from rehearse.takes.store.images import take_in
from rehearse.takes.store.store import Store


class Shots:
    """Checks shots from outside, takes their pictures in and keeps their revisions."""

    def __init__(self, store: Store, limits: ServerLimits) -> None:
        self._store = store
        self._limits = limits

    def list(self, session: Session, project: str, *, deleted: bool) -> list[views.ShotSummary]:
        """Shots of a project."""
        return [views.ShotSummary(**facts) for facts in shots.list_shots(session, project, deleted=deleted)]

    def get(self, session: Session, shot: str, revision: int | None = None) -> views.ShotView:
        """A shot at a revision, None: the newest."""
        facts, document = shots.get_shot(session, shot, revision)
        return views.ShotView(**facts, shot=stored_shot(document))

    def create(self, session: Session, project: str, shot: Shot, name: str | None) -> views.ShotView:
        """A new shot. Raises ShotError, StoreError."""
        shot = self.checked(session, shot)
        facts = shots.create_shot(session, project, name, shot.prompt, compact(shot))
        return views.ShotView(**facts, shot=shot)

    def change(
        self, session: Session, shot: str, revision: int, changed: Shot | None, name: str | None
    ) -> views.ShotView:
        """A new revision. Raises ShotError, StoreError."""
        if changed is not None:
            changed = self.checked(session, changed)
        document = None if changed is None else compact(changed)
        prompt = None if changed is None else changed.prompt
        shots.change_shot(session, shot, revision, name, prompt, document)
        return self.get(session, shot)

    def history(self, session: Session, shot: str, limit: int) -> list[views.ShotRevision]:  # type: ignore[valid-type]
        """Revisions, newest first."""
        return [
            views.ShotRevision(revision=row.revision, created=row.created, shot=stored_shot(row.document))
            for row in shots.history(session, shot, limit)
        ]

    def delete(self, session: Session, shot: str, *, deleted: bool) -> views.ShotView:
        """Into the bin, or out of it."""
        shots.bin_shot(session, shot, deleted=deleted)
        return self.get(session, shot)

    def checked(self, session: Session, shot: Shot) -> Shot:
        """The shot as it may be stored: within the limits, every picture by digest. Raises ShotError."""
        self._limits.check(shot)
        return take_in(session, self._store.blobs, shot)


def stored_shot(document: str) -> Shot:
    """A shot out of the store."""
    return Shot.model_validate_json(document)


def compact(shot: Shot) -> str:
    """A shot as the store keeps it: two that ask for the same are the same text."""
    return json.dumps(
        shot.model_dump(mode="json", exclude_none=True), ensure_ascii=False, separators=(",", ":")
    )
