"""The engine of one machine: a worker process for each device."""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
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


class LocalEngine:
    """Worker processes on this machine. devices: one worker each, ``auto`` or torch device names.

    models: names whose facts :meth:`models` gives.
    """

    def __init__(self, models: Sequence[str], devices: Sequence[str] = ("auto",)) -> None:
        self._names = tuple(models)
        self._workers = [_Worker(device, self) for device in devices]
        self._described = threading.Event()
        self._facts: list[dict[str, Any]] = []
        self._answers: dict[int, tuple[threading.Event, list[Any]]] = {}
        self._ids = itertools.count()
        self.listener = Listener(news=lambda: None, free=lambda: None, died=lambda claim, why: None)
        self.closing = False

    def start(self, folder: Path, listener: Listener) -> None:
        self.listener = listener
        for worker in self._workers:
            worker.start(folder)

    @property
    def state(self) -> EngineState:
        states = [worker.state for worker in self._workers]
        return next((state for state in ("busy", "idle", "starting") if state in states), "down")

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers that are up."""
        return [worker.pid for worker in self._workers if worker.pid is not None]

    def ready(self) -> bool:
        return any(worker.state == "idle" for worker in self._workers)

    def play(self, claim: Claim) -> None:
        for worker in self._workers:
            if worker.begin(claim):
                return
        self.listener.died(claim, "the worker died before it began")

    def halt(self, run: str, status: Literal["paused", "stopped"]) -> None:
        for worker in self._workers:
            if worker.claim is not None and worker.claim.run == run:
                worker.send({"do": "halt", "run": run, "status": status})

    def check(self, document: str, parent: str | None, at: int) -> Finding | None:
        worker = next((w for w in self._workers if w.state in ("idle", "busy")), None)
        if worker is None or not self._described.is_set():
            return None  # it would have to load the model first
        id, done, answer = next(self._ids), threading.Event(), list[Any]()
        self._answers[id] = (done, answer)
        try:
            worker.send({"do": "check", "id": id, "document": document, "parent": parent, "at": at})
            found = answer[0] if done.wait(_CHECK_SECONDS) else None
        finally:
            self._answers.pop(id, None)
        return Finding(found[0], found[1]) if found else None

    def models(self, wait: float) -> list[dict[str, Any]]:
        self._described.wait(wait)
        return list(self._facts)

    def close(self, wait: float) -> None:
        self.closing = True
        for worker in self._workers:
            if worker.claim is not None:
                worker.send({"do": "halt", "run": worker.claim.run, "status": "paused"})
        end = time.monotonic() + wait
        while any(worker.claim is not None for worker in self._workers) and time.monotonic() < end:
            time.sleep(0.02)
        for worker in self._workers:
            worker.end()

    def heard(self, worker: _Worker, told: dict[str, Any]) -> None:
        """A worker's word, from the thread that listens to it."""
        match told["say"]:
            case "ready":
                if not self._described.is_set():
                    worker.send({"do": "describe", "models": self._names})
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


class _Worker:
    """One process, brought up again when it dies."""

    def __init__(self, device: str, engine: LocalEngine) -> None:
        self.state: EngineState = "down"
        self.claim: Claim | None = None
        self._device = device
        self._engine = engine
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._folder = Path()

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self, folder: Path) -> None:
        self._folder = folder
        threading.Thread(target=self._keep_up, name=f"worker {self._device}", daemon=True).start()

    def begin(self, claim: Claim) -> bool:
        """Hand it a claim; False where it is not free. A claim it dies under before it reads it is told."""
        with self._lock:
            if self.state != "idle":
                return False
            self.state, self.claim = "busy", claim
        self.send({"do": "play", "take": claim.take, "run": claim.run, "project": claim.project})
        return True

    def send(self, order: dict[str, Any]) -> None:
        process = self._process
        if process is None or process.stdin is None:
            return
        # A worker that is dying reads no more: who listens to it hears of that.
        with contextlib.suppress(OSError, ValueError), self._lock:
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()

    def end(self) -> None:
        """Close its input, which ends it; kill it where that does not."""
        process = self._process
        if process is None:
            return
        with contextlib.suppress(OSError, ValueError):
            if process.stdin is not None:
                process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _keep_up(self) -> None:
        falls = 0
        while not self._engine.closing:
            time.sleep(_AGAIN_SECONDS[min(falls, len(_AGAIN_SECONDS) - 1)])
            begun = time.monotonic()
            self.state = "starting"
            why = self._live()
            falls = 0 if time.monotonic() - begun > _HEALTHY_SECONDS else falls + 1
            with self._lock:
                claim, self.claim, self.state = self.claim, None, "down"
            if not self._engine.closing:
                _LOG.warning("%s", why)
                self._engine.listener.died(claim, why)

    def _live(self) -> str:
        """From a process's beginning to its end; why it ended."""
        command = [sys.executable, "-m", "rehearse.studio.worker", str(self._folder), self._device]
        process = self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
            # A Ctrl-C in the terminal is the server's to answer: it pauses what runs.
            start_new_session=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            told = json.loads(line)
            if told["say"] == "ready":
                self.state = "idle"
            elif told["say"] == "over":
                with self._lock:
                    self.state, self.claim = "idle", None
            self._engine.heard(self, told)
        return _why(process.wait())


def _why(code: int) -> str:
    if code >= 0:
        return f"the worker ended by itself (exit code {code})"
    name = signal.Signals(-code).name
    memory = ", as the system does when memory runs out" if name == "SIGKILL" else ""
    return f"the worker was killed ({name}){memory}"
