"""Takes as the API takes and gives them."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import event
from sqlalchemy.orm import Session

from rehearse.resolve.branching import acts_in_steps, last_step_with_room
from rehearse.shot import Shot, ShotError
from rehearse.shot.draft import read_draft
from rehearse.studio import views
from rehearse.studio.engines.engine import Engine
from rehearse.studio.limits import ServerLimits
from rehearse.studio.readiness import finding_of
from rehearse.studio.shots import NotReady, Shots, compact, stored_shot
from rehearse.takes.store import shots, tree
from rehearse.takes.store.facts import Facts, last_event, take_facts
from rehearse.takes.store.queue import let_go_queue
from rehearse.takes.store.store import Store

Halt = tuple[str, Literal["paused", "stopped"]]


class Takes:
    """Checks what is asked of takes, changes them in the store and tells the engine."""

    def __init__(self, store: Store, limits: ServerLimits, engine: Engine) -> None:
        self._shots = Shots(store, limits)
        self._limits = limits
        self._engine = engine

    def list(self, session: Session, project: str, *, deleted: bool) -> views.TakeList:
        """The tree of a project."""
        return views.TakeList(
            takes=[
                views.TakeView.model_construct(**facts)
                for facts in tree.list_takes(session, project, deleted=deleted)
            ],
            last_event=last_event(session, project),
        )

    def get(self, session: Session, take: str) -> views.TakeDetail:
        """A take with its shot."""
        row = tree.take_row(session, take)
        return views.TakeDetail(**take_facts(session, row), document=stored_shot(row.document))

    def steps(self, session: Session, take: str) -> views.StepList:
        """Its steps that are done."""
        return views.StepList(
            steps=[
                views.StepView(
                    step=row.step,
                    preview=views.Strip(**row.preview),
                    look=views.Strip(**row.look) if row.look else None,
                    kept=row.checkpoint is not None,
                    inherited=row.inherited,
                    seconds=row.seconds,
                )
                for row in tree.steps_of(session, take)
            ]
        )

    def check_new(self, session: Session, shot: str, asked: views.NewTake) -> None:
        """Whether the model can run what :meth:`create` would make. Raises ShotError, StoreError."""
        document, _ = self._asked(session, shot, asked, keep=False)
        self._check(document, None, 0)

    def create(self, session: Session, shot: str, asked: views.NewTake, client: str) -> views.TakeView:
        """A take of a shot. Raises ShotError, StoreError."""
        document, revision = self._asked(session, shot, asked)
        order = self._order(session, document, asked.until, asked.name)
        return _view(tree.create_take(session, shot, revision, order, client, play=asked.play))

    def _asked(
        self, session: Session, shot: str, asked: views.NewTake, *, keep: bool = True
    ) -> tuple[Shot, int | None]:
        row = shots.shot_row(session, shot)
        revision: int | None = asked.revision or row.revision
        document = read_draft(shots.document_of(session, shot, revision or row.revision))
        if asked.shot is not None:
            document, revision = asked.shot, None
        if asked.seed is not None:
            document = {**document, "seed": asked.seed}
        return self._shots.ready(session, document, keep=keep), revision

    def check_fork(self, session: Session, take: str, asked: views.Fork) -> None:
        """Whether the model can run what :meth:`fork` would make. Raises ShotError, StoreError."""
        parent = tree.take_row(session, take)
        if asked.until is not None and asked.until <= asked.at:
            raise ShotError(f"it must be after the step it branches at ({asked.at})", field="until")
        if asked.shot is not None:
            shot = self._shots.ready(session, asked.shot, keep=False)
            self._check(shot, parent.document, asked.at)

    def fork(self, session: Session, take: str, asked: views.Fork, client: str) -> views.TakeView:
        """A branch. Raises ShotError, StoreError."""
        parent = tree.take_row(session, take)
        shot = stored_shot(parent.document)
        if asked.shot is not None:
            shot = self._shots.ready(session, asked.shot)
        order = self._order(session, shot, asked.until, asked.name)
        if asked.at == parent.steps and acts_in_steps(
            stored_shot(parent.document), stored_shot(order.document)
        ):
            kept = (row.step for row in tree.steps_of(session, take) if row.checkpoint is not None)
            last = last_step_with_room(kept, asked.at)
            raise ShotError(
                f"the take has {parent.steps} steps, and none is left for the changed shot to act in; branch "
                f"at {last}{' or earlier' if last else ''}",
                field="at",
                value=asked.at,
            )
        return _view(tree.fork_take(session, take, asked.at, order, client, play=asked.play))

    def play(
        self, session: Session, take: str, until: int | None, revision: int | None, client: str
    ) -> views.TakeView:
        """Queue it to play on. Raises StoreError, and ShotError for a take that came with an import and asks
        for more than this server gives."""
        self._limits.check(stored_shot(tree.take_row(session, take).document))
        # Where takes found the disk full, who presses play tries with this one, before the others.
        held = let_go_queue(session)
        return _view(tree.play_take(session, take, until, revision, client, first=held))

    def pause(self, session: Session, take: str, revision: int | None, client: str) -> views.TakeView:
        """Pause it, now or after the step it is in."""
        facts, run = tree.pause_take(session, take, revision, client)
        return self._halted(session, facts, run, "paused")

    def stop(self, session: Session, take: str, revision: int | None, client: str) -> views.TakeView:
        """Cancel it, now or after the step it is in."""
        facts, run = tree.stop_take(session, take, revision, client)
        return self._halted(session, facts, run, "stopped")

    def pin(self, session: Session, take: str, pinned: bool, revision: int | None) -> views.TakeView:
        """Pin it or let it go."""
        return _view(tree.pin_take(session, take, pinned, revision))

    def rename(self, session: Session, take: str, name: str, revision: int | None) -> views.TakeView:
        """Another name."""
        return _view(tree.rename_take(session, take, name, revision))

    def delete(self, session: Session, take: str, client: str) -> views.TakeView:
        """Into the bin."""
        facts, run = tree.bin_take(session, take, client)
        return self._halted(session, facts, run, "stopped")

    def restore(self, session: Session, take: str) -> views.TakeView:
        """Out of the bin."""
        return _view(tree.restore_take(session, take))

    def _halted(
        self, session: Session, facts: Facts, run: str | None, status: Literal["paused", "stopped"]
    ) -> views.TakeView:
        if run is not None:
            # Only when it is on the disk: a worker that is not told now, because it has yet to begin, or
            # dies first, leaves a take that says itself what was asked of it.
            event.listen(session, "after_commit", lambda _: self._engine.halt(run, status), once=True)
        return _view(facts)

    def _order(self, session: Session, shot: Shot, until: int | None, name: str | None) -> tree.Order:
        if until is not None and shot.steps is not None and until > shot.steps:
            raise ShotError(f"the take has {shot.steps} steps; give one of them", field="until", value=until)
        self._limits.check(shot)
        return tree.Order(
            document=compact(shot), prompt=shot.prompt, model=shot.model, seed=shot.seed,
            steps=shot.steps or 0, frames=shot.frames, width=shot.width, height=shot.height, fps=shot.fps,
            until=until, name=name,
        )  # fmt: skip

    def _check(self, shot: Shot, parent: str | None, at: int) -> None:
        self._limits.check(shot)
        # Whether a model can run a shot is no matter of its seed; whether a branch fits its parent is.
        asked = shot.with_seed(0) if parent is None else shot
        finding = self._engine.check(compact(asked), parent, at)
        if finding is not None:
            draft = shot.model_dump(mode="json", exclude_none=True)
            problem = finding_of(draft, finding.sentence, finding.field)
            raise NotReady([problem], finding.sentence)


def _view(facts: Facts) -> views.TakeView:
    return views.TakeView.model_validate(facts)
