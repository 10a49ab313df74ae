"""How quickly the desk answers while a take runs: the API's percentiles, and events from step to client.

``python benchmarks/desk.py`` prints JSON. An event's delay is from the moment its row was written (its
``at``) to the moment a client on this machine has read it. Beside how long an answer takes stands what it is
made of, as Linux counts it for the server's threads: time on a core, and time in which it could have run and
no core was free. The second says how busy the machine is, the first what the server costs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from studio_process import EventReader, Json, StudioProcess, until


def percentile(values: list[float], share: float) -> float:
    """The value that ``share`` of all values do not exceed, in milliseconds."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 2)


def cores(process: int) -> tuple[float, float]:
    """Seconds that a process's living threads have run, and have waited for a core; zeros where the system
    does not say."""
    ran = waited = 0
    for thread in Path(f"/proc/{process}/task").glob("*/schedstat"):
        try:
            running, waiting, _ = map(int, thread.read_text().split())
        except (OSError, ValueError):
            continue
        ran, waited = ran + running, waited + waiting
    return ran / 1e9, waited / 1e9


def measure(studio: StudioProcess, model: str, seconds: float) -> Json:
    """Ask what a page asks, in turn, while a take runs."""
    document = {"prompt": "a red ball over the meadow", "model": model, "seed": 3, "steps": 200}
    project, shot = studio.shot(document)
    reader = EventReader(studio, project["id"])
    take = studio.post(f"/shots/{shot['id']}/takes")["id"]
    until(lambda: studio.get(f"/takes/{take}")["step"] >= 1, 180, "the take runs")
    revision = 1
    taken: dict[str, list[float]] = {}
    on_core: dict[str, list[float]] = {}
    waited: dict[str, list[float]] = {}

    def timed(name: str, method: str, path: str, **more: object) -> Json:
        before = cores(studio.pid)
        begun = time.perf_counter()
        answer = studio.http.request(method, f"/api{path}", **more)  # type: ignore[arg-type]
        taken.setdefault(name, []).append(time.perf_counter() - begun)
        ran, queued = (after - earlier for after, earlier in zip(cores(studio.pid), before, strict=True))
        on_core.setdefault(name, []).append(ran)
        waited.setdefault(name, []).append(queued)
        answer.raise_for_status()
        found: Json = answer.json()
        return found

    end = time.monotonic() + seconds
    while time.monotonic() < end and studio.get(f"/takes/{take}")["status"] == "running":
        timed("get take", "GET", f"/takes/{take}")
        timed("list takes", "GET", f"/projects/{project['id']}/takes")
        timed("list steps", "GET", f"/takes/{take}/steps")
        timed("get shot", "GET", f"/shots/{shot['id']}")
        body = {"revision": revision, "shot": {**document, "seed": revision}}
        revision = timed("change shot", "PUT", f"/shots/{shot['id']}", json=body)["revision"]
        waiting = timed("create take", "POST", f"/shots/{shot['id']}/takes", json={})
        timed("stop take", "POST", f"/takes/{waiting['id']}/stop", json={})
        time.sleep(0.02)
    studio.post(f"/takes/{take}/stop")
    reader.end()
    delays = [
        received - event["at"]
        for event, received in zip(reader.events, reader.received, strict=False)
        if event["kind"] == "step"
    ]
    every = [value for values in taken.values() for value in values]
    return {
        "requests": len(every),
        "api_p50_ms": percentile(every, 0.5),
        "api_p99_ms": percentile(every, 0.99),
        "by_operation_p99_ms": {name: percentile(values, 0.99) for name, values in taken.items()},
        "on_a_core_p50_ms": {name: percentile(values, 0.5) for name, values in on_core.items()},
        "on_a_core_p99_ms": {name: percentile(values, 0.99) for name, values in on_core.items()},
        "waited_for_a_core_p99_ms": {name: percentile(values, 0.99) for name, values in waited.items()},
        "steps": len(delays),
        "event_p50_ms": round(statistics.median(delays) * 1000, 2) if delays else None,
        "event_max_ms": round(max(delays) * 1000, 2) if delays else None,
    }


def main() -> int:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("--model", default="theatre-video")
    asked.add_argument("--seconds", type=float, default=30.0)
    said = asked.parse_args()
    with tempfile.TemporaryDirectory() as place:
        models = [said.model] if "/" in said.model else []
        with StudioProcess(Path(place) / "projects", models=models) as studio:
            studio.worker_ready()
            known = "the models are known"
            until(lambda: studio.http.get("/api/models").json()["ready"], 600, known)
            print(json.dumps(measure(studio, said.model, said.seconds), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
