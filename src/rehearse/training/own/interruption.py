"""Ctrl-C, heard at the end of a step, where all processes of a run can agree on it."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

import torch


class Stopped(KeyboardInterrupt):
    """Ctrl-C at a step's end, after a checkpoint."""


class Interruption:
    """While it is entered, Ctrl-C waits for :meth:`asked`.

    Where one process trains, a second Ctrl-C does not wait. Where several do, further ones change nothing: a
    launcher passes on the one that the terminal has sent to every process already.
    """

    def __init__(self, accelerator: Any) -> None:
        self._several = accelerator.num_processes > 1
        # Of its own, and on the CPU: to ask it does not wait for what a GPU is computing.
        self._group: Any = torch.distributed.new_group(backend="gloo") if self._several else None
        self._heard = threading.Event()
        self._before: Any = None

    def __enter__(self) -> Self:
        # Python hears signals in the main thread alone.
        if threading.current_thread() is threading.main_thread():
            self._before = signal.getsignal(signal.SIGINT)
            signal.signal(signal.SIGINT, self._hear)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self._heard.set()
        if not self._several:
            signal.signal(signal.SIGINT, self._before)

    def asked(self) -> bool:
        """Whether any process was told to stop: one answer in all of them, each of which must ask, once a
        step."""
        if not self._several:
            return self._heard.is_set()
        told = torch.tensor([int(self._heard.is_set())])
        torch.distributed.all_reduce(told, group=self._group)
        return bool(told.item())
