"""An engine of hands: each hand is one worker somewhere, plays one claim at a time, and is brought up again
when it dies. Where its worker lives, a process of this machine or an actor of Ray, is the hand's own affair.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from rehearse.studio.engines.engine import EngineState, Finding, Listener
from rehearse.takes.store.recording import Claim

_LOG = logging.getLogger(__name__)
_CHECK_SECONDS = 2.0
_AGAIN_SECONDS = (0.0, 0.5, 2.0, 5.0, 15.0)
"""Pauses before a worker that keeps dying is brought up again."""
_HEALTHY_SECONDS = 20.0
_MOST_FITTING = 64

Question = tuple[str, str | None, int]


class Crew:
    """The :class:`~rehearse.studio.engines.engine.Engine` over hands. models: names whose facts
    :meth:`models` gives."""

    def __init__(self, models: Sequence[str], hands: Sequence[Hand]) -> None:
        self._names = tuple(models)
        self._hands = tuple(hands)
        self._described = threading.Event()
        self._facts: list[dict[str, Any]] = []
        self._answers: dict[int, tuple[threading.Event, list[Any]]] = {}
        self._ids = itertools.count()
        self._fitting: OrderedDict[Question, None] = OrderedDict()
        self.listener = Listener(news=lambda: None, free=lambda: None, died=lambda claim, why: None)
        self.closing = False

    def start(self, folder: Path, listener: Listener) -> None:
        self.listener = listener
        for hand in self._hands:
            hand.start(folder, self)

    @property
    def state(self) -> EngineState:
        states = [hand.state for hand in self._hands]
        return next((state for state in ("busy", "idle", "starting") if state in states), "down")

    @property
    def trouble(self) -> str | None:
        return next((hand.trouble for hand in self._hands if hand.trouble is not None), None)

    def ready(self) -> bool:
        return any(hand.state == "idle" for hand in self._hands)

    def play(self, claim: Claim) -> None:
        for hand in self._hands:
            if hand.begin(claim):
                return
        self.listener.died(claim, "the worker died before it began")

    def runs(self) -> set[str]:
        return {claim.run for hand in self._hands if (claim := hand.claim) is not None}

    def halt(self, run: str, status: Literal["paused", "stopped"]) -> None:
        for hand in self._hands:
            if (claim := hand.claim) is not None and claim.run == run:
                hand.send({"do": "halt", "run": run, "status": status})

    def check(self, document: str, parent: str | None, at: int) -> Finding | None:
        question = (document, parent, at)
        if question in self._fitting:
            return None  # takes of one shot with other seeds are the commonest thing on the desk
        hand = next((h for h in self._hands if h.state in ("idle", "busy")), None)
        if hand is None or not self._described.is_set():
            return None  # it would have to load the model first
        id, done, answer = next(self._ids), threading.Event(), list[Any]()
        self._answers[id] = (done, answer)
        try:
            hand.send({"do": "check", "id": id, "document": document, "parent": parent, "at": at})
            found = answer[0] if done.wait(_CHECK_SECONDS) else None
        finally:
            self._answers.pop(id, None)
        if answer and found is None:
            self._fitting[question] = None
            while len(self._fitting) > _MOST_FITTING:
                self._fitting.popitem(last=False)
        return Finding(found[0], found[1]) if found else None

    def models(self, wait: float) -> list[dict[str, Any]]:
        self._described.wait(wait)
        return list(self._facts)

    def close(self, wait: float) -> None:
        self.closing = True
        for hand in self._hands:
            if (claim := hand.claim) is not None:
                hand.send({"do": "halt", "run": claim.run, "status": "paused"})
        end = time.monotonic() + wait
        while any(hand.claim is not None for hand in self._hands) and time.monotonic() < end:
            time.sleep(0.02)
        for hand in self._hands:
            hand.end()

    def heard(self, hand: Hand, told: dict[str, Any]) -> None:
        """A worker's word, from the thread that listens to it."""
        match told["say"]:
            case "ready":
                if not self._described.is_set():
                    hand.send({"do": "describe", "models": self._names})
                self.listener.free()
            case "news":
                self.listener.news()
            case "over":
                self.listener.news()
                self.listener.free()
            case "described":
                self._facts = told["models"]
                self._described.set()
            case "checked":
                done, answer = self._answers.get(told["id"], (threading.Event(), []))
                answer.append(told["finding"])
                done.set()


class Hand(ABC):
    """One worker. name: of the thread that keeps it up. trouble: why it died, until the next is up."""

    def __init__(self, name: str) -> None:
        self.state: EngineState = "down"
        self.claim: Claim | None = None
        self.trouble: str | None = None
        self.folder = Path()
        self._name = name
        self._did_something = False
        self._crew: Crew | None = None
        self._lock = threading.Lock()

    def start(self, folder: Path, crew: Crew) -> None:
        """Bring the worker up, and again whenever it dies, until the crew closes; returns at once."""
        self.folder, self._crew = folder, crew
        threading.Thread(target=self._keep_up, args=(crew,), name=self._name, daemon=True).start()

    def begin(self, claim: Claim) -> bool:
        """Hand it a claim; False where it is not free. A claim it dies under before it reads it is told."""
        with self._lock:
            if self.state != "idle":
                return False
            self.state, self.claim = "busy", claim
        self.send({"do": "play", "take": claim.take, "run": claim.run, "project": claim.project})
        return True

    def hear(self, told: dict[str, Any]) -> None:
        """Pass on what the worker told."""
        # What got something done before it died is no worker that cannot live.
        self._did_something |= told["say"] in ("news", "over")
        if told["say"] == "ready":
            self.state, self.trouble = "idle", None
        elif told["say"] == "over":
            with self._lock:
                self.state, self.claim = "idle", None
        if self._crew is not None:
            self._crew.heard(self, told)

    @abstractmethod
    def live(self) -> str:
        """Bring a worker up and :meth:`hear` it until it has died; why it did, in one sentence."""

    @abstractmethod
    def send(self, order: dict[str, Any]) -> None:
        """Give the worker an order that :mod:`rehearse.studio.worker` knows; nothing where it is dying."""

    @abstractmethod
    def end(self) -> None:
        """End the worker."""

    def _keep_up(self, crew: Crew) -> None:
        falls = 0
        while not crew.closing:
            time.sleep(_AGAIN_SECONDS[min(falls, len(_AGAIN_SECONDS) - 1)])
            begun, self._did_something = time.monotonic(), False
            self.state = "starting"
            try:
                why = self.live()
            except Exception as error:
                # If this thread ended, nobody would bring the worker up again.
                _LOG.exception("the worker is lost")
                why = f"the worker was lost ({type(error).__name__}: {error})"
            lived = self._did_something or time.monotonic() - begun > _HEALTHY_SECONDS
            falls = 0 if lived else falls + 1
            with self._lock:
                self.state, self.trouble = "down", why
            if not crew.closing:
                self._bury(crew, why)
            # Not before its death is told: a take that runs in nobody's hands is put right elsewhere.
            with self._lock:
                self.claim = None

    def _bury(self, crew: Crew, why: str) -> None:
        _LOG.warning("%s", why)
        with contextlib.suppress(Exception):
            self.end()  # of one that was given up, something may live on
        try:
            crew.listener.died(self.claim, why)
        except Exception:
            _LOG.exception("the worker's death could not be told")
