"""A real studio in a process of its own: started, spoken to, killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx

Json = dict[str, Any]
_OVER = ("finished", "failed", "stopped", "paused")


class StudioProcess:
    """``rehearse studio`` over a folder. client: speaks to it, ``post`` and ``get`` give JSON. more: words
    for its command line."""

    def __init__(
        self,
        folder: Path,
        *,
        models: Sequence[str] = (),
        client: str = "harness",
        more: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self._models = tuple(models)
        self._more = tuple(more)
        self._port = 0
        self._process: subprocess.Popen[str] | None = None
        self._log = folder.with_name(f"{folder.name}.log")
        self._client = client
        self.http = httpx.Client()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, on the port it had before, and wait until it answers."""
        command = [sys.executable, "-m", "rehearse", "studio", "--no-browser", "--port", str(self._port)]
        command += ["--projects", str(self.folder), *self._more]
        for model in self._models:
            command += ["--model", model]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self._log.open("a"), text=True, env={**os.environ}
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if "http://" not in line:
            raise RuntimeError(f"the studio did not start: {line} {self._log.read_text()[-2000:]}")
        address = line.split()[4].rstrip("/")
        self._port = int(address.rpartition(":")[2])
        self.http.close()
        self.http = httpx.Client(base_url=address, timeout=60, headers={"X-Rehearse-Client": self._client})
        until(lambda: self._answers(), 60, "the studio answers")

    def kill(self) -> None:
        """SIGKILL to the server."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(90)

    def worker(self) -> int | None:
        """Process id of its worker, None while there is none."""
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(status.read_text().rpartition(")")[2].split()[1])
                command = (status.parent / "cmdline").read_bytes()
            except (OSError, ValueError, IndexError):
                continue
            if parent == self.pid and b"rehearse.studio.worker" in command:
                return int(status.parent.name)
        return None

    def kill_worker(self) -> bool:
        """SIGKILL to its worker; False where there was none."""
        worker = self.worker()
        if worker is None:
            return False
        os.kill(worker, signal.SIGKILL)
        return True

    def get(self, path: str) -> Json:
        """JSON of an address below ``/api``."""
        return _read(self.http.get(f"/api{path}"))

    def post(self, path: str, body: Json | None = None, **headers: str) -> Json:
        """JSON that a command answers."""
        return _read(self.http.post(f"/api{path}", json={} if body is None else body, headers=headers))

    def shot(self, document: Json) -> tuple[Json, Json]:
        """A new project with one shot."""
        project = self.post("/projects", {"name": "Harness"})
        return project, self.post(f"/projects/{project['id']}/shots", {"shot": document})

    def wait(self, take: str, seconds: float = 180, over: Sequence[str] = _OVER) -> Json:
        """The take, when it is over; RuntimeError where that takes longer."""
        found: Json = {}

        def look() -> bool:
            nonlocal found
            found = self.get(f"/takes/{take}")
            return found["status"] in over

        until(look, seconds, f"take {take} is over", lambda: f"{found} {self._log.read_text()[-2000:]}")
        return found

    def worker_ready(self) -> None:
        """Wait until the worker could begin a take."""
        until(lambda: self.get("/health")["worker"] in ("idle", "busy"), 120, "the worker is up")

    def _answers(self) -> bool:
        try:
            return self.http.get("/api/health").status_code == 200
        except httpx.HTTPError:
            return False


class EventReader:
    """Follows a project's stream in a thread, and goes on where it was after every cut."""

    def __init__(self, studio: StudioProcess, project: str, after: int = 0) -> None:
        self.events: list[Json] = []
        self.received: list[float] = []
        self.cuts = 0
        self.last = after
        self._studio = studio
        self._project = project
        self._ended = threading.Event()
        self._cut = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Hang up at the next word, and call again."""
        self._cut.set()

    def end(self) -> None:
        """Read no more."""
        self._ended.set()

    def _follow(self) -> None:
        while not self._ended.is_set():
            try:
                with self._studio.http.stream(
                    "GET",
                    f"/api/projects/{self._project}/events",
                    params={"after": 0},
                    headers={"Last-Event-ID": str(self.last)},
                    timeout=httpx.Timeout(20, connect=5),
                ) as answer:
                    self._read(answer.iter_lines())
            except (httpx.HTTPError, RuntimeError):
                time.sleep(0.05)
            self.cuts += 1

    def _read(self, lines: Iterator[str]) -> None:
        id = None
        for line in lines:
            if self._ended.is_set():
                return
            if self._cut.is_set():
                # Also in the middle of an entry: it is not counted, so it must come again.
                self._cut.clear()
                return
            name, _, value = line.partition(": ")
            if name == "id":
                id = int(value)
            elif name == "data":
                self.events.append(json.loads(value))
                self.received.append(time.time())
                self.last = id or self.last


@contextmanager
def studio(folder: Path, **options: Any) -> Iterator[StudioProcess]:
    """A running studio, ended with the block."""
    with StudioProcess(folder, **options) as process:
        yield process


def until(true: Callable[[], bool], seconds: float, what: str, more: Callable[[], str] = lambda: "") -> None:
    """Wait until something is true; RuntimeError after so many seconds."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise RuntimeError(f"after {seconds:g} s still not: {what}. {more()}")
        time.sleep(0.02)


def _read(answer: httpx.Response) -> Json:
    found: Json = answer.json()
    if answer.status_code >= 400:
        raise RuntimeError(f"{answer.request.url} answered {answer.status_code}: {found}")
    return found
