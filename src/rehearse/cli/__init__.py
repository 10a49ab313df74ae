"""``rehearse ...``: the command line. Thin: it reads words, calls the house and tells what happened.

Importing this room is light, and so is ``rehearse --help``: torch is imported by the commands that use it.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn

from rehearse.cli.interrupt import listen
from rehearse.home import without_empty_home

_INTERRUPTED = 130


def run(arguments: Sequence[str]) -> int:
    """Run one command line (without the program's name); the exit code.

    0: done. 1: it failed on the way. 2: bad input, found before any work. 130: stopped by Ctrl-C, or paused.
    What went wrong is told in one sentence on stderr; REHEARSE_DEBUG=1 shows the traceback too.
    """
    # Pillow warns of odd EXIF data by the lines of its own code; what matters of it is said in sentences.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    without_empty_home()
    try:
        from rehearse.cli.app import app

        code = app(args=list(arguments), prog_name="rehearse", standalone_mode=False)
        # Newer typers return this code for Ctrl-C, older ones raise Abort.
        if code == _INTERRUPTED:
            raise KeyboardInterrupt
        return code if isinstance(code, int) else 0
    except BaseException as error:
        from rehearse.cli.failures import tell

        return tell(error)


def main() -> NoReturn:
    """The ``rehearse`` program."""
    listen()
    code = run(sys.argv[1:])
    if code == _INTERRUPTED:
        # Python kills itself with SIGINT at exit where the interrupt fell into some exec(text), as imports
        # of dataclasses do; the code promised above would be lost. All is cleaned up at this point.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
