"""A process to be killed: goes on with the take of a folder and tells each step. usage: it.py DIR"""

from __future__ import annotations

import sys

from rehearse.takes.folder import TakeFolder

folder = TakeFolder.open(sys.argv[1])
with folder.running():
    take = folder.take()
    print("ready", flush=True)
    for event in take.play():
        print(event.step, flush=True)
