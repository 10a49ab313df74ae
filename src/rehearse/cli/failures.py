"""From an exception to one sentence and an exit code."""

from __future__ import annotations

import os
import sys
import traceback

FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130

_EXTRAS = {
    "tensorboard": "tensorboard",
    "accelerate": "train",
    "peft": "train",
    "scipy": "evaluate",
    "torchmetrics": "evaluate",
    "alembic": "studio",
    "fastapi": "studio",
    "ray": "ray",
    "sqlalchemy": "studio",
    "starlette": "studio",
    "uvicorn": "studio",
}
"""Libraries that the main job does without, and the extra that brings each."""


class Failure(Exception):
    """Something failed on the way although the input was good. ``str(error)`` is one sentence."""


class Paused(Exception):
    """A take in a folder was stopped before its end. ``str(error)`` says where it stands and how to go on."""


class BadWord(ValueError):
    """A word on the command line that cannot be read. ``str(error)`` is one sentence with the remedy."""


def tell(error: BaseException) -> int:
    """Tell on stderr what went wrong and return the exit code that says it."""
    if os.environ.get("REHEARSE_DEBUG") == "1" and not isinstance(error, SystemExit):
        traceback.print_exception(error)
    code, sentence = _read(error)
    if sentence:
        _say(sentence)
    return code


def _read(error: BaseException) -> tuple[int, str]:
    if isinstance(error, SystemExit):
        return (error.code if isinstance(error.code, int) else FAILED), ""
    name = type(error).__name__
    # Typer turns Ctrl-C into Abort.
    if isinstance(error, KeyboardInterrupt) or name in ("Abort", "Cancelled"):
        return INTERRUPTED, "stopped; no file is left half-written"
    # Usage errors, of typer's own click or of the library: told apart by what they can do.
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):
        return int(error.exit_code), _usage(error)
    if isinstance(error, Failure):
        return FAILED, str(error)
    if isinstance(error, Paused):
        return INTERRUPTED, str(error)
    # Every room has one error of its own, a ValueError whose text is a sentence for the user.
    if isinstance(error, ValueError) and type(error).__module__.startswith("rehearse."):
        return BAD_INPUT, str(error)
    missing = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if missing in _EXTRAS:
        return (
            FAILED,
            f"this needs {missing}, which is not installed; pip install 'rehearse[{_EXTRAS[missing]}]'",
        )
    if isinstance(error, MemoryError) or name == "OutOfMemoryError":
        return FAILED, "the memory does not suffice; ask for fewer frames or a smaller size"
    if isinstance(error, OSError) and error.strerror:
        about = f"{error.filename}: " if error.filename else ""
        return FAILED, f"{about}{error.strerror.lower()}"
    lines = str(error).strip().splitlines()
    told = f"{name}: {lines[0]}" if lines else name
    return FAILED, f"it failed unexpectedly ({told}); REHEARSE_DEBUG=1 shows where"


def _usage(error: BaseException) -> str:
    context = getattr(error, "ctx", None)
    path = getattr(context, "command_path", "rehearse")
    message = " ".join(str(error.format_message()).split()).rstrip(".")  # type: ignore[attr-defined]
    # An empty message is the help itself, shown already.
    return f"{message[:1].lower()}{message[1:]}; {path} --help explains" if message else ""


def _say(sentence: str) -> None:
    end = "" if sentence.endswith((".", "?", "!")) else "."
    print(f"rehearse: {sentence}{end}", file=sys.stderr)
