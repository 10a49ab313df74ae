"""Shots as the API takes and gives them."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from rehearse.shot import Shot, ShotError
from rehearse.shot.draft import Draft, check_draft, draft_text, prompt_of, read_draft
from rehearse.studio import views
from rehearse.studio.limits import ServerLimits
from rehearse.studio.model_facts import Facts
from rehearse.studio.readiness import problems_of, subjects_of
from rehearse.studio.remarks import notes_of
from rehearse.takes.store import shots
from rehearse.takes.store.facts import Facts as Row
from rehearse.takes.store.images import kept_reference, take_in
from rehearse.takes.store.models import known_models
from rehearse.takes.store.store import Store

_FACTS_LAST = 5.0
"""Seconds in which the models' files are not looked at again."""


class NotReady(ShotError):
    """A shot that cannot be run as it is. problems: all that keeps it from that."""

    def __init__(self, problems: Sequence[views.ShotProblem], sentence: str | None = None) -> None:
        first = problems[0]
        super().__init__(sentence or first.sentence)
        self.field = first.field
        self.problems = list(problems)


class Shots:
    """Checks shots from outside, takes their pictures in and keeps their revisions.

    A shot on the desk is a draft: it is kept in whatever state it is, and its view says what keeps it from
    being run. Only :meth:`ready` asks for more.
    """

    def __init__(self, store: Store, limits: ServerLimits) -> None:
        self._store = store
        self._limits = limits
        self._known: tuple[float, list[Facts]] = (0.0, [])

    def list(self, session: Session, project: str, *, deleted: bool) -> list[views.ShotSummary]:
        """Shots of a project."""
        return [views.ShotSummary(**facts) for facts in shots.list_shots(session, project, deleted=deleted)]

    def get(self, session: Session, shot: str, revision: int | None = None) -> views.ShotView:
        """A shot at a revision, None: the newest."""
        facts, document = shots.get_shot(session, shot, revision)
        return self._view(session, facts, read_draft(document))

    def create(self, session: Session, project: str, shot: Any, name: str | None) -> views.ShotView:
        """A new shot. Raises ShotError, StoreError."""
        text = self.kept(session, shot)
        draft = read_draft(text)
        facts = shots.create_shot(session, project, name, prompt_of(draft), text)
        return self._view(session, facts, draft)

    def change(
        self, session: Session, shot: str, revision: int, changed: Any, name: str | None
    ) -> views.ShotView:
        """A new revision. Raises ShotError, StoreError."""
        text = None if changed is None else self.kept(session, changed)
        prompt = None if text is None else prompt_of(read_draft(text))
        shots.change_shot(session, shot, revision, name, prompt, text)
        return self.get(session, shot)

    def history(self, session: Session, shot: str, limit: int) -> list[views.ShotRevision]:  # type: ignore[valid-type]
        """Revisions, newest first."""
        return [
            views.ShotRevision(revision=row.revision, created=row.created, shot=read_draft(row.document))
            for row in shots.history(session, shot, limit)
        ]

    def delete(self, session: Session, shot: str, *, deleted: bool) -> views.ShotView:
        """Into the bin, or out of it."""
        shots.bin_shot(session, shot, deleted=deleted)
        return self.get(session, shot)

    def kept(self, session: Session, shot: Any) -> str:
        """A shot, finished or not, as the store keeps it, every picture by digest. Raises ShotError where it
        is no draft of one, or names a picture that is not here."""
        try:
            return compact(take_in(session, self._store.blobs, Shot.model_validate(shot)))
        except ShotError:
            return draft_text(check_draft(shot, lambda uri: kept_reference(session, self._store.blobs, uri)))

    def ready(self, session: Session, shot: Any, *, keep: bool = True) -> Shot:
        """The shot that a draft is, as it may be run. keep: whether its inline pictures are put into the
        store, which a session that only reads cannot; every picture is by digest then.

        Raises NotReady, and ShotError where it is no draft.
        """
        draft = read_draft(self.kept(session, shot)) if keep else check_draft(shot)
        problems = self.problems(session, draft)
        if problems:
            raise NotReady(problems)
        return Shot.model_validate(draft)

    def problems(self, session: Session, draft: Draft) -> Sequence[views.ShotProblem]:
        """What keeps a draft from being run."""
        return problems_of(draft, self._models(session), self._limits)

    def _view(self, session: Session, facts: Row, draft: Draft) -> views.ShotView:
        models = self._models(session)
        return views.ShotView(
            **facts,
            shot=draft,
            problems=problems_of(draft, models, self._limits),
            notes=notes_of(draft),
            subjects=[
                views.Subject(phrase=noun.phrase, occurrence=noun.occurrence)
                for noun in subjects_of(draft, models)
            ],
        )

    def _models(self, session: Session) -> Sequence[Facts]:
        read, found = self._known
        if not found or time.monotonic() - read > _FACTS_LAST:
            found = list(known_models(session, self._limits.models) or ())
            self._known = time.monotonic(), found
        return found


def stored_shot(document: str) -> Shot:
    """A shot out of the store."""
    return Shot.model_validate_json(document)


def compact(shot: Shot) -> str:
    """A shot as the store keeps it: two that ask for the same are the same text."""
    return json.dumps(
        shot.model_dump(mode="json", exclude_none=True), ensure_ascii=False, separators=(",", ":")
    )
