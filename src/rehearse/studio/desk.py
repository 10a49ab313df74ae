"""The desk: a store, an engine, and what the routes ask of them."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from rehearse import __version__
from rehearse.studio import full_disk, views
from rehearse.studio.abilities import abilities
from rehearse.studio.engines.engine import Engine, Listener
from rehearse.studio.exchanges import Exchange
from rehearse.studio.hub import Hub
from rehearse.studio.limits import ServerLimits
from rehearse.studio.pictures import Images, Pictures
from rehearse.studio.shots import Shots
from rehearse.studio.takes import Takes
from rehearse.takes.store.answers import forget_answers
from rehearse.takes.store.errors import DiskFull, StoreError
from rehearse.takes.store.models import known_models, remember_models
from rehearse.takes.store.queue import let_go_queue, wanted_room
from rehearse.takes.store.recording import Claim, claim_next, interrupt, running
from rehearse.takes.store.store import Store

_LOG = logging.getLogger(__name__)
_FIRST_LOOK_SECONDS = 60.0

SCHEDULERS = ("ddim", "dpm++", "unipc", "euler")
DEFAULT_MODEL = "theatre-video"


class Desk:
    """Everything behind the routes. :meth:`open` before use, :meth:`close` after."""

    def __init__(
        self, folder: Path, engine: Engine, limits: ServerLimits | None = None, token: str | None = None
    ) -> None:
        self.store = Store(folder)
        self.engine = engine
        self.limits = limits or ServerLimits()
        self.token = token
        self.hub = Hub()
        self.shots = Shots(self.store, self.limits)
        self.takes = Takes(self.store, self.limits, engine)
        self.images = Images(self.store)
        self.pictures = Pictures(self.store)
        self.exchange = Exchange(self.store, self.changed)
        self._wake = threading.Event()
        self._open = False
        self._full: str | None = None
        self._dispatcher: threading.Thread | None = None

    def open(self) -> None:
        """Take up what an earlier server left behind and begin the queue."""
        self.exchange.sweep()
        try:
            with self.store.write() as session:
                forget_answers(session)
                interrupt(session, "the server ended while it ran")
        except DiskFull as error:
            # The page is where a person frees room; what ran is put right as soon as that can be written.
            _LOG.error("%s", error)
        self.engine.start(
            self.store.folder, Listener(news=self.hub.tell, free=self._wake.set, died=self._died)
        )
        self._open = True
        self._dispatcher = threading.Thread(target=self._dispatch, name="dispatcher", daemon=True)
        self._dispatcher.start()

    def close(self, wait: float = 60.0) -> None:
        """Pause what runs, end the streams and the workers."""
        if not self._open:
            return
        self._open = False
        self._wake.set()
        if self._dispatcher is not None:
            self._dispatcher.join()
        self.engine.close(wait)
        self.hub.close()
        self.store.close()

    def changed(self) -> None:
        """Something was written: streams look, and the queue may have work."""
        self.hub.tell()
        self._wake.set()

    def health(self) -> views.Health:
        """Whether all is up."""
        return views.Health(
            version=__version__,
            worker=self.engine.state,
            token=self.token is not None,
            trouble=self.engine.trouble or self._full,
        )

    def models(self) -> views.ModelList:
        """What is installed; without any, and not ready, as long as no worker could say."""
        with self.store.read() as session:
            found = known_models(session, self.limits.models)
        if not found:
            found = self.engine.models(_FIRST_LOOK_SECONDS)
            if found:
                with self.store.write() as session:
                    remember_models(session, found)
        return views.ModelList(
            ready=bool(found),
            models=[views.ModelView.model_validate(facts) for facts in found],
            abilities=list(abilities()),
            schedulers=list(SCHEDULERS),
            default=DEFAULT_MODEL,
        )

    def _dispatch(self) -> None:
        while self._open:
            self._wake.wait(timeout=5.0)
            self._wake.clear()
            try:
                self._put_right()
                while self._open and self._room() and self.engine.ready() and self._begin_next():
                    pass
            except StoreError as error:
                _LOG.error("the queue cannot go on: %s", error)
                if isinstance(error, DiskFull):
                    self._full = full_disk.HELD
            except Exception:
                _LOG.exception("the queue cannot go on")  # now; it is tried again

    def _put_right(self) -> None:
        """Takes that are said to run and are in no worker's hands: their end could not be written down."""
        with self.store.read() as session:
            said = running(session)
        # Asked afterwards: a worker lets go of a run when its end is written, and only here runs are begun.
        runs = self.engine.runs()
        for claim in said:
            if claim.run not in runs:
                with self.store.write_at_last() as session:
                    interrupt(session, "how it ended could not be written down", only=claim)
                self.hub.tell()

    def _room(self) -> bool:
        """Whether the disk has room for a take; a queue that was held for it goes on when there is again."""
        kept = self.store.keep_reserve()
        with self.store.read() as session:
            wanted = wanted_room(session)
        if kept and wanted is not None and self.store.free() >= wanted:
            with self.store.write() as session:
                if wanted_room(session) == wanted:  # else another take found it full meanwhile
                    let_go_queue(session)
                wanted = wanted_room(session)
            self.hub.tell()
        self._full = None if kept and wanted is None else full_disk.HELD
        return self._full is None

    def _begin_next(self) -> bool:
        with self.store.write() as session:
            claim = claim_next(session)
        if claim is None:
            return False
        self.hub.tell()
        self.engine.play(claim)
        return True

    def _died(self, claim: Claim | None, sentence: str) -> None:
        if claim is not None:
            try:
                with self.store.write_at_last() as session:
                    interrupt(session, sentence, only=claim)
            except StoreError as error:
                _LOG.error("%s, and that cannot be written down: %s", sentence, error)
        self.changed()
