"""The worker: a process of its own that runs takes, told what to do by lines of JSON.

``python -m rehearse.studio.worker FOLDER DEVICE`` reads orders on standard input::

    {"do": "play", "take": ..., "run": ..., "project": ...}
    {"do": "halt", "run": ..., "status": "paused"}
    {"do": "check", "id": ..., "document": ..., "parent": ..., "at": 0}
    {"do": "describe", "models": [...]}

and tells on standard output ``ready``, ``news``, ``over``, ``checked``, ``described``. What it makes it
writes to the store itself. When its server is gone, its input ends, and it ends with it: the store is whole
at every moment.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

_LOG = logging.getLogger(__name__)
NICENESS = 5
"""How far a worker stands back behind its server."""

Say = Callable[..., None]


class Worker:
    """Plays one claim after another in the main thread, and answers questions beside it."""

    def __init__(self, folder: Path, device: str, say: Say) -> None:
        from rehearse.studio.plans import Plans
        from rehearse.takes.store.store import Store

        self._store = Store(folder)
        self._device = device
        self._say = say
        self._claims: queue.Queue[dict[str, Any]] = queue.Queue()
        self._questions: queue.Queue[dict[str, Any]] = queue.Queue()
        # A plan may load the model that draws its pictures; libraries load in one thread at a time only.
        self._loading = threading.RLock()
        self._plans = Plans()
        self._lock = threading.Lock()
        self._run: Any = None
        self._halts: dict[str, str] = {}

    def order(self, order: dict[str, Any]) -> None:
        """Take an order, from the thread that reads them."""
        if order["do"] == "play":
            self._claims.put(order)
        elif order["do"] == "halt":
            with self._lock:
                self._halts[order["run"]] = order["status"]
                if self._run is not None and self._run.claim.run == order["run"]:
                    self._run.halt(order["status"])
        else:
            self._questions.put(order)

    def work(self) -> None:
        """Play claims for ever."""
        from rehearse.studio.run import Run
        from rehearse.takes.store.recording import Claim

        threading.Thread(target=self._answer, daemon=True).start()
        self._say("ready")
        while True:
            order = self._claims.get()
            claim = Claim(order["take"], order["run"], order["project"])
            run = Run(self._store, claim, lambda: self._say("news"), self._loading, self._plans)
            with self._lock:
                self._run = run
                if claim.run in self._halts:
                    run.halt(self._halts[claim.run])  # type: ignore[arg-type]
            try:
                run.play(self._load)
            except Exception:
                _LOG.exception("a run failed")
            finally:
                with self._lock:
                    self._run = None
                    self._halts.clear()
                self._say("over", run=claim.run)

    def _load(self, name: str) -> Any:
        from rehearse.models import load_model

        # Two threads ask; a model is loaded once.
        with self._loading:
            return load_model(name, device=self._device)

    def _answer(self) -> None:
        while True:
            question = self._questions.get()
            if question["do"] == "check":
                self._say("checked", id=question["id"], finding=self._finding(question))
            elif question["do"] == "describe":
                found = [facts for name in question["models"] if (facts := self._described(name))]
                self._say("described", models=found)

    def _finding(self, question: dict[str, Any]) -> Any:
        from rehearse.studio.run import unfit

        try:
            with self._loading:
                return unfit(
                    self._store, question["document"], question["parent"], question["at"], self._load,
                    self._plans,
                )  # fmt: skip
        except Exception:
            _LOG.exception("a shot could not be checked")
            return None  # the run itself will say

    def _described(self, name: str) -> dict[str, Any] | None:
        from rehearse.models import ModelError
        from rehearse.models.card_of import card_of
        from rehearse.studio.model_facts import facts_of

        try:
            model = self._load(name)
        except ModelError as error:
            _LOG.warning("%s", error)
            return None
        return facts_of(name, card_of(model))


def _speaker(stream: TextIO) -> Say:
    lock = threading.Lock()

    def say(what: str, **more: Any) -> None:
        with lock:
            stream.write(json.dumps({"say": what, **more}) + "\n")
            stream.flush()

    return say


def give_way() -> None:
    """The server answers first: the worker takes the cores that are left, and interrupts nobody for them."""
    os.nice(NICENESS)
    if hasattr(os, "SCHED_BATCH"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def main(arguments: list[str]) -> None:
    """Run a worker until its input ends."""
    folder, device = arguments
    # Libraries that print must not be taken for the worker.
    said = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    logging.basicConfig(level=logging.WARNING, format="worker: %(message)s")
    give_way()
    worker = Worker(Path(folder), device, _speaker(said))

    def listen() -> None:
        for line in sys.stdin:
            worker.order(json.loads(line))
        # The server is gone. Nothing here is needed any more, and what is half done is done again.
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    worker.work()


if __name__ == "__main__":
    main(sys.argv[1:])
