"""Wakes those who wait for events. It carries nothing itself: what there is, the database says."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator


class Hub:
    """Told by any thread, waited on in any event loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self.closed = False

    def tell(self) -> None:
        """Something new is in the database."""
        with self._lock:
            for event, loop in self._waiting.items():
                with contextlib.suppress(RuntimeError):  # a loop that has ended needs no waking
                    loop.call_soon_threadsafe(event.set)

    def close(self) -> None:
        """Nothing more will come: streams end."""
        self.closed = True
        self.tell()

    @contextlib.contextmanager
    def listen(self) -> Iterator[asyncio.Event]:
        """An event of the running loop that is set at every :meth:`tell`."""
        event = asyncio.Event()
        with self._lock:
            self._waiting[event] = asyncio.get_running_loop()
        try:
            yield event
        finally:
            with self._lock:
                self._waiting.pop(event, None)
