"""The engine on Ray: an actor for each device group, which holds its model and the take it plays.

A take stays with its actor while it runs. When the actor dies, the take goes back to the head of the queue
and goes on, on whichever actor is free first, at its last checkpoint: a claim and the store are all it needs.

Ray hands out the devices: a group is one GPU, or a share of the machine's cores. The actors run on the
studio's own machine, also where Ray spans more: SQLite's write-ahead log is for processes of one machine.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from rehearse.studio.engines.crew import Crew, Hand
from rehearse.studio.worker import NICENESS, Worker
from rehearse.takes.store.errors import StoreError

_POLL_SECONDS = 5.0


class RayEngine(Crew):
    """Ray actors on this machine, one for each of ``groups``: ``cpu``, a GPU (``cuda``; Ray says which), or
    ``auto``, a GPU where Ray has one.

    Joins the Ray that ``RAY_ADDRESS`` names, or starts one that ends with this process. models: as for
    :class:`~rehearse.studio.engines.crew.Crew`. Raises StoreError where Ray does not start or has fewer GPUs
    than asked for.
    """

    def __init__(self, models: Sequence[str], groups: Sequence[str] = ("auto",)) -> None:
        self._own = not ray.is_initialized()
        if self._own:
            # Ray's own habit is 15, which starves a worker on a machine that does anything else.
            os.environ.setdefault("RAY_worker_niceness", str(NICENESS))
            try:
                ray.init(
                    namespace="rehearse",
                    include_dashboard=False,
                    configure_logging=False,
                    log_to_driver=False,
                )
            except (ConnectionError, RuntimeError, ValueError, OSError) as error:
                raise StoreError(f"Ray does not start: {str(error).splitlines()[0]}") from error
        here = ray.get_runtime_context().get_node_id()
        has: dict[str, float] = next(
            (node["Resources"] for node in ray.nodes() if node["NodeID"] == here), {}
        )
        wanted = [_wants_gpu(group, has.get("GPU", 0)) for group in groups]
        if sum(wanted) > has.get("GPU", 0):
            raise StoreError(
                f"--device asks for {sum(wanted)} GPUs, one each, and Ray has {has.get('GPU', 0):g} here; "
                "ask for fewer, or for cpu"
            )
        # Whole cores, the same for every actor of a group: a resumed take must be computed alike.
        share = max(1, int(has.get("CPU", 1)) // len(groups))
        super().__init__(
            models,
            [
                _Actor(f"group {number}", group, here, gpus=int(gpu), cores=1 if gpu else share)
                for number, (group, gpu) in enumerate(zip(groups, wanted, strict=True))
            ],
        )

    def close(self, wait: float) -> None:
        super().close(wait)
        if self._own:
            ray.shutdown()


def _wants_gpu(group: str, there: float) -> bool:
    return group.startswith("cuda") or (group == "auto" and there > 0)


class _Actor(Hand):
    """A worker that is an actor. node: its machine. gpus, cores: what Ray sets aside for it."""

    def __init__(self, name: str, device: str, node: str, *, gpus: int, cores: int) -> None:
        super().__init__(name)
        # Ray shows an actor its own GPU only, so that it is the first whatever its number.
        self._device = "cuda" if gpus else device
        self._options = {
            "num_gpus": gpus,
            "num_cpus": cores,
            "max_concurrency": 8,
            "scheduling_strategy": NodeAffinitySchedulingStrategy(node, soft=False),
        }
        self._actor: Any = None

    def live(self) -> str:
        try:
            self._actor = ray.remote(Stage).options(**self._options).remote(str(self.folder), self._device)
            while True:
                for told in ray.get(self._actor.told.remote(_POLL_SECONDS)):
                    self.hear(told)
        except RayError as error:
            return f"the worker was lost: its Ray actor died ({type(error).__name__})"
        except Exception as error:  # Ray itself is gone, or cannot place the actor
            return f"the worker cannot be reached through Ray ({type(error).__name__})"

    def send(self, order: dict[str, Any]) -> None:
        # An actor that is dying takes no orders: who listens to it hears of that.
        with contextlib.suppress(Exception):
            self._actor.order.remote(order)

    def end(self) -> None:
        with contextlib.suppress(Exception):
            ray.kill(self._actor, no_restart=True)


class Stage:
    """In the actor's process: a worker, its orders, and what it tells."""

    def __init__(self, folder: str, device: str) -> None:
        logging.basicConfig(level=logging.WARNING, format="worker: %(message)s")
        self._told: queue.Queue[dict[str, Any]] = queue.Queue()
        self._worker = Worker(
            Path(folder), device, lambda what, **more: self._told.put({"say": what, **more})
        )
        threading.Thread(target=self._work, name="stage", daemon=True).start()

    def order(self, order: dict[str, Any]) -> None:
        """Take an order."""
        self._worker.order(order)

    def told(self, wait: float) -> list[dict[str, Any]]:
        """What the worker has told since it was asked last; waits at most so many seconds for a word."""
        found = []
        with contextlib.suppress(queue.Empty):
            found.append(self._told.get(timeout=wait))
            while True:
                found.append(self._told.get_nowait())
        return found

    def _work(self) -> None:
        try:
            self._worker.work()
        finally:
            os._exit(1)  # a worker that has stopped working must not look alive
