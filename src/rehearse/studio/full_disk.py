"""What the desk says of a full disk: the way out is the page's own, not the command line's."""

from __future__ import annotations

from rehearse.takes.store.errors import DiskFull

CONTROL = "Deleted takes and disk space"
"""What the page calls the button, and the dialog behind it, that frees room."""

SENTENCE = str(DiskFull(f'"{CONTROL}", above the takes,'))
