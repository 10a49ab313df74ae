"""Ctrl-C and a polite kill, which no library may lose.

Python turns a signal into an exception wherever the program happens to be. Where that is a finaliser, or a
bare ``except`` of some library while it is imported, the exception is dropped and the program would run on.
So it is noted as well, and raised again at the next step.
"""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn

_TERMINATED = 128 + signal.SIGTERM

_heard: BaseException | None = None


def listen() -> None:
    """From now on, SIGINT and SIGTERM end the program by an exception, so that it cleans up after itself."""
    # Whoever starts a job in the background has SIGINT ignored for it, and means it.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _hear)
    signal.signal(signal.SIGTERM, _hear)


def heed() -> None:
    """Raise what was heard earlier and got lost; to be called between steps."""
    if _heard is not None:
        raise _heard


def _hear(number: int, frame: FrameType | None) -> NoReturn:
    global _heard
    _heard = KeyboardInterrupt() if number == signal.SIGINT else SystemExit(_TERMINATED)
    raise _heard
