"""What the desk says of a full disk: the way out is the page's own, not the command line's."""

from __future__ import annotations

from rehearse.takes.store.errors import DiskFull

CONTROL = "Bin and disk space"
"""What the page calls the button, and the dialog behind it, that frees room."""

SENTENCE = str(DiskFull(f'"{CONTROL}", above the takes,'))

HELD = (
    f'the disk is full, so no further take is begun; free some room ("{CONTROL}", above the takes, '
    "tells what it would free) and the queue goes on by itself, or press play to try at once"
)
"""Why the queue stands still after a take has found no room."""
