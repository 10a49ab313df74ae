"""What the desk says of a full disk: the way out is the page's own, not the command line's."""

from __future__ import annotations

from rehearse.takes.store.errors import DiskFull

CONTROL = "Deleted items and disk space"
"""What the page calls the button, and the dialog behind it, that frees room."""

RELEASE = "Release queue"
"""What the page calls the button that lets a held queue go on."""

SENTENCE = str(DiskFull(f'"{CONTROL}", above the takes,'))

HELD = (
    f'the disk is full, so no further take is begun; free some room ("{CONTROL}", above the takes, '
    f'tells what it would free) and the queue goes on by itself, or press "{RELEASE}" to try at once'
)
"""Why the queue stands still after a take has found no room."""
