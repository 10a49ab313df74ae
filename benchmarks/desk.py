"""How quickly the desk answers while a take runs: the API's percentiles, and events from step to client.

``python benchmarks/desk.py`` prints JSON. An event's delay is from the moment its row was written (its
``at``) to the moment a client on this machine has read it.
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


def measure(studio: StudioProcess, model: str, seconds: float) -> Json:
    """Ask what a page asks, in turn, while a take runs."""
    document = {"prompt": "a red ball over the meadow", "model": model, "seed": 3, "steps": 200}
    project, shot = studio.shot(document)
    reader = EventReader(studio, project["id"])
    take = studio.post(f"/shots/{shot['id']}/takes")["id"]
    until(lambda: studio.get(f"/takes/{take}")["step"] >= 1, 180, "the take runs")
    revision = 1
    taken: dict[str, list[float]] = {}

    def timed(name: str, method: str, path: str, **more: object) -> Json:
        begun = time.perf_counter()
        answer = studio.http.request(method, f"/api{path}", **more)  # type: ignore[arg-type]
        taken.setdefault(name, []).append(time.perf_counter() - begun)
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
            studio.get("/models")
            print(json.dumps(measure(studio, said.model, said.seconds), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
