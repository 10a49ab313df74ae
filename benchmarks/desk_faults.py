"""The fault evidence of the desk, in numbers.

``python benchmarks/desk_faults.py --kills 100 --server-kills 50 --cuts 100 --queued 1000 --edits 50`` kills
workers and servers at random moments, cuts streams, lets two clients edit one shot and fills the disk, and
prints what was lost: takes, events, bits of clips. Exit code 1 where anything was.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from studio_process import EventReader, Json, StudioProcess, until

Counts = dict[str, int]
_STEPS = 24
_LOADING_SECONDS = 3.0
_GOING = ("running", "queued", "interrupted")


class Evidence:
    """Runs the faults one after another against one studio."""

    def __init__(self, studio: StudioProcess, model: str, seed: int) -> None:
        self._studio = studio
        self._document: Json = {
            "prompt": "a red ball over the meadow", "model": model, "seed": 3, "steps": _STEPS, "frames": 4,
        }  # fmt: skip
        self._dice = random.Random(seed)
        self._project, self._shot = studio.shot(self._document)
        self._clean = self._finished(self._take())
        self._pace = float(self._clean["seconds_per_step"])

    def worker_kills(self, count: int) -> Counts:
        """SIGKILL to the worker at random moments of runs."""
        return self._killed(count, self._studio.kill_worker)

    def server_kills(self, count: int) -> Counts:
        """SIGKILL to the server at random moments of runs; it is started again."""

        def kill() -> bool:
            self._studio.kill()
            self._studio.start()
            return True

        return self._killed(count, kill)

    def cuts(self, count: int) -> Counts:
        """An event stream that is cut again and again while takes run."""
        reader = EventReader(self._studio, self._project["id"], self._last())
        begun = reader.last
        take = ""
        while reader.cuts < count:
            if not take or self._studio.get(f"/takes/{take}")["status"] not in _GOING:
                take = self._take()
            reader.cut()
            time.sleep(self._dice.uniform(0, 0.1))
        self._finished(take)
        return {"cuts": reader.cuts, **self._events(reader, begun)}

    def edits(self, count: int) -> Counts:
        """Two clients that edit one shot at the same moment; every edit is kept or refused in words."""
        _, shot = self._studio.shot(self._document)
        path = f"/api/shots/{shot['id']}"

        def edit(who: int) -> int:
            made = 0
            for _ in range(count):
                now = self._studio.get(f"/shots/{shot['id']}")
                changed = {**self._document, "negative_prompt": f"{who} {made}"}
                body = {"revision": now["revision"], "shot": changed}
                answer = self._studio.http.put(path, json=body)
                made += answer.status_code == 200
                if answer.status_code not in (200, 409):
                    raise RuntimeError(answer.text)
            return made

        with ThreadPoolExecutor(2) as pool:
            kept = sum(pool.map(edit, range(2)))
        revision = self._studio.get(f"/shots/{shot['id']}")["revision"]
        return {"edits": 2 * count, "kept": kept, "refused": 2 * count - kept, "lost": kept + 1 - revision}

    def queue(self, count: int) -> Json:
        """So many takes at once; the slowest answer of the API while they wait."""
        self._studio.post("/queue/pause")
        _, shot = self._studio.shot(self._document)
        slowest = 0.0
        for seed in range(count):
            begun = time.perf_counter()
            self._studio.post(f"/shots/{shot['id']}/takes", {"seed": seed})
            slowest = max(slowest, time.perf_counter() - begun)
        found = self._studio.get("/queue?limit=10000")
        return {
            "queued": count,
            "lost": count - sum(entry["status"] == "queued" for entry in found["entries"]),
            "slowest_ms": round(slowest * 1000),
        }

    def _killed(self, count: int, kill: Any) -> Counts:
        reader = EventReader(self._studio, self._project["id"], self._last())
        begun = reader.last
        kills = takes = different = lost = 0
        while kills < count:
            take = self._take()
            takes += 1
            while kills < count:
                self._until_it_runs(take)
                if self._status(take) not in _GOING:
                    break
                self._wait_for_a_moment(take)
                kills += bool(kill())
            found = self._finished(take)
            lost += found["status"] != "finished"
            different += found["look"] != self._clean["look"]
        return {
            "kills": kills, "takes": takes, "takes_lost": lost, "clips_different": different,
            **self._events(reader, begun),
        }  # fmt: skip

    def _wait_for_a_moment(self, take: str) -> None:
        """Some moment of a run: half of them while the worker comes up and loads, half among its steps."""
        if self._dice.random() < 0.5:
            time.sleep(self._dice.uniform(0, _LOADING_SECONDS))
            return
        step = self._studio.get(f"/takes/{take}")["step"]
        end = time.monotonic() + 60

        def moved() -> bool:
            found = self._studio.get(f"/takes/{take}")
            return found["step"] > step or found["status"] not in _GOING or time.monotonic() > end

        until(moved, 90, f"{take} makes a step")
        time.sleep(self._dice.uniform(0, self._pace * _STEPS / 4))

    def _until_it_runs(self, take: str) -> None:
        def runs() -> bool:
            self._play_stuck(take)
            return self._status(take) not in ("queued", "interrupted")

        until(runs, 180, f"{take} runs")

    def _play_stuck(self, take: str) -> None:
        """Workers died under it too often without a step; a person would play it on now, and so does this."""
        found = self._studio.get(f"/takes/{take}")
        if found["status"] == "interrupted" and found["queue_position"] is None:
            self._studio.http.post(f"/api/takes/{take}/play", json={})

    def _events(self, reader: EventReader, begun: int) -> Counts:
        last = self._last()
        until(lambda: reader.last >= last, 60, "all events are read")
        reader.end()
        path = f"/projects/{self._project['id']}/history?limit=1000&after="
        whole: list[int] = []
        while len(whole) == 0 or whole[-1] < last:
            whole += [e["id"] for e in self._studio.get(f"{path}{whole[-1] if whole else begun}")["events"]]
        seen = [event["id"] for event in reader.events]
        steps = [(event["take"], event["step"]) for event in reader.events if event["kind"] == "step"]
        return {
            "events": len(whole),
            "events_lost": len(set(whole) - set(seen)),
            "events_doubled": len(seen) - len(set(seen)) + len(steps) - len(set(steps)),
        }

    def _take(self) -> str:
        return str(self._studio.post(f"/shots/{self._shot['id']}/takes")["id"])

    def _status(self, take: str) -> str:
        return str(self._studio.get(f"/takes/{take}")["status"])

    def _finished(self, take: str) -> Json:
        def over() -> bool:
            self._play_stuck(take)
            return self._status(take) not in _GOING

        until(over, 300, f"{take} is over")
        return self._studio.get(f"/takes/{take}")

    def _last(self) -> int:
        return int(self._studio.get(f"/projects/{self._project['id']}")["last_event"])


def disk_full(model: str, place: Path) -> Json:
    """A take on a disk that fills up while it runs; then room is made and it plays on."""
    small = place / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(small)], check=False, capture_output=True
    )
    if mounted.returncode:
        return {"skipped": f"no small disk can be mounted here: {mounted.stderr.decode().strip()}"}
    try:
        with StudioProcess(small / "projects", models=[model]) as studio:
            document = {"prompt": "a red ball", "model": model, "seed": 3, "steps": _STEPS, "frames": 4}
            _, shot = studio.shot(document)
            clean = studio.wait(studio.post(f"/shots/{shot['id']}/takes")["id"])
            take = studio.post(f"/shots/{shot['id']}/takes", {"until": 2})["id"]
            studio.wait(take)
            rest = os.statvfs(small)
            (small / "filler").write_bytes(bytes(max(0, rest.f_bavail * rest.f_bsize - 200_000)))
            studio.http.post(f"/api/takes/{take}/play", json={})
            full = studio.wait(take)
            alive = studio.get("/health")["version"] != ""
            (small / "filler").unlink()
            studio.post(f"/takes/{take}/play")
            found = studio.wait(take)
            return {
                "status_when_full": full["status"], "said": full["error"], "step_when_full": full["step"],
                "server_up": alive, "clips_different": int(found["look"] != clean["look"]),
            }  # fmt: skip
    finally:
        subprocess.run(["umount", str(small)], check=False)


def main() -> int:
    """Run the faults that were asked for and print their counts as JSON."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name, default in (("kills", 5), ("server-kills", 3), ("cuts", 20), ("queued", 200), ("edits", 10)):
        asked.add_argument(f"--{name}", type=int, default=default)
    asked.add_argument("--model", default="theatre-video", help="a model of the theatre, or a folder")
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--disk", action=argparse.BooleanOptionalAction, default=True)
    asked.add_argument("--json", type=Path, help="write the counts here as well")
    said = asked.parse_args()
    found: Json = {}
    with tempfile.TemporaryDirectory() as place:
        models = [said.model] if "/" in said.model else []
        with StudioProcess(Path(place) / "projects", models=models) as studio:
            studio.worker_ready()
            evidence = Evidence(studio, said.model, said.seed)
            for name, run, count in (
                ("worker_kills", evidence.worker_kills, said.kills),
                ("server_kills", evidence.server_kills, said.server_kills),
                ("stream", evidence.cuts, said.cuts),
                ("two_clients", evidence.edits, said.edits),
                ("queue", evidence.queue, said.queued),
            ):
                if count:
                    found[name] = run(count)
                    print(json.dumps({name: found[name]}), flush=True)
        if said.disk:
            found["disk_full"] = disk_full(said.model, Path(place))
            print(json.dumps({"disk_full": found["disk_full"]}), flush=True)
    bad = ("lost", "doubled", "different")
    faults = sum(
        count
        for counts in found.values()
        for name, count in counts.items()
        if name.endswith(bad) and isinstance(count, int)
    )
    print(f"{faults} faults")
    if said.json:
        asked_for = {name: value for name, value in vars(said).items() if name != "json"}
        said.json.write_text(json.dumps({"asked": asked_for, **found, "faults": faults}, indent=1) + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
