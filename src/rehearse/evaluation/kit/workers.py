"""Work spread over processes, one thread each, with tools (a model, a judge) loaded once per process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from typing import Any, TypeVar

from rehearse.evaluation.kit.errors import EvaluationError

Tools = TypeVar("Tools")
Task = TypeVar("Task")
Result = TypeVar("Result")

_tools: Any = None


def run_tasks(
    tasks: Sequence[Task],
    work: Callable[[Tools, Task], Result],
    make_tools: Callable[[], Tools],
    processes: int = 1,
) -> Iterator[Result]:
    """Results of ``work(tools, task)``, as they are finished.

    With one process the work is done here, in order. With more, ``work`` and ``make_tools`` are sent to
    spawned processes (so they are functions of a module). Leaving the iteration, Ctrl-C included, drops what
    has not begun and waits for what has. EvaluationError for fewer than one process.
    """
    if processes < 1:
        raise EvaluationError(f"processes: {processes} is below 1")
    if not tasks:
        return
    if processes == 1:
        tools = make_tools()
        for task in tasks:
            yield work(tools, task)
        return
    pool = ProcessPoolExecutor(
        min(processes, len(tasks)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(make_tools,),
    )
    waiting = iter(tasks)
    running: set[Future[Result]] = set()
    try:
        while True:
            # Two tasks a process are enough to keep all busy; results are not hoarded.
            for task in islice(waiting, 2 * processes - len(running)):
                running.add(pool.submit(_do, work, task))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin(make_tools: Callable[[], Any]) -> None:
    global _tools
    import torch

    torch.set_num_threads(1)
    # Ctrl-C reaches the whole group: the parent alone decides what is finished and what is not.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _tools = make_tools()


def _end_with_parent() -> None:
    """A killed parent must not leave workers behind that wait for tasks for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(work: Callable[[Any, Any], Any], task: Any) -> Any:
    return work(_tools, task)
