"""The engine of one machine: a worker process for each device."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

from rehearse.durable import because
from rehearse.studio.engines.crew import Crew, Hand


class LocalEngine(Crew):
    """Worker processes on this machine. devices: one worker each, ``auto`` or torch device names."""

    def __init__(self, models: Sequence[str], devices: Sequence[str] = ("auto",)) -> None:
        super().__init__(models, [_Process(device) for device in devices])


class _Process(Hand):
    """A worker that is a process, spoken to by lines of JSON."""

    def __init__(self, device: str) -> None:
        super().__init__(f"worker {device}")
        self._device = device
        self._process: subprocess.Popen[str] | None = None
        self._writing = threading.Lock()

    def live(self) -> str:
        command = [sys.executable, "-m", "rehearse.studio.worker", str(self.folder), self._device]
        try:
            process = self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
                # A Ctrl-C in the terminal is the server's to answer: it pauses what runs.
                start_new_session=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}, errors="replace",
            )  # fmt: skip
        except OSError as error:
            return f"the worker cannot be started ({because(error)}); end other programs, it is tried again"
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                told = _told(line)
                if told is not None:
                    self.hear(told)
                elif line.endswith("\n"):  # else it died in the middle of a word
                    process.kill()
                    process.wait()
                    return "the worker said what cannot be understood, and was ended"
        return _why(process.wait())

    def send(self, order: dict[str, Any]) -> None:
        process = self._process
        if process is None or process.stdin is None:
            return
        # A worker that is dying reads no more: who listens to it hears of that.
        with contextlib.suppress(OSError, ValueError), self._writing:
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


def _told(line: str) -> dict[str, Any] | None:
    """What a worker's line says; None where it is cut or garbled."""
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) and "say" in told else None


def _why(code: int) -> str:
    if code >= 0:
        return f"the worker ended by itself (exit code {code})"
    name = signal.Signals(-code).name
    memory = ", as the system does when memory runs out" if name == "SIGKILL" else ""
    return f"the worker was killed ({name}){memory}"
