"""Pictures by what they were made of: nothing unchanged is computed twice.

A stage's key is the hash of its own instruction and of the key of the stage before, so a change in the third
instruction leaves the first two stages where they are.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST_BYTES = 256 * 2**20


def key_of(**parts: Any) -> str:
    """A key over JSON-ready parts, the same in every process."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


class PictureCache:
    """Pictures by key, in memory; the least recently used go first. May be shared between threads.

    most_bytes: of all pictures together. hits, misses: how often :meth:`get` had the picture and had not.
    """

    def __init__(self, most_bytes: int = LARGEST_BYTES) -> None:
        self.most_bytes = most_bytes
        self.hits = 0
        self.misses = 0
        self._pictures: OrderedDict[str, NDArray[np.uint8]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def __contains__(self, key: str) -> bool:
        return key in self._pictures

    def __len__(self) -> int:
        return len(self._pictures)

    def get(self, key: str) -> NDArray[np.uint8] | None:
        """The picture (read-only) or None."""
        with self._lock:
            found = self._pictures.get(key)
            if found is None:
                self.misses += 1
                return None
            self.hits += 1
            self._pictures.move_to_end(key)
            return found

    def put(self, key: str, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Keep a copy of the picture and return it, read-only."""
        kept = picture.copy()
        kept.flags.writeable = False
        with self._lock:
            before = self._pictures.pop(key, None)
            self._bytes += kept.nbytes - (0 if before is None else before.nbytes)
            self._pictures[key] = kept
            # The newest stays even where it alone is too large: its successors start from it.
            while self._bytes > self.most_bytes and len(self._pictures) > 1:
                _, gone = self._pictures.popitem(last=False)
                self._bytes -= gone.nbytes
        return kept

    def clear(self) -> None:
        """Forget all pictures."""
        with self._lock:
            self._pictures.clear()
            self._bytes = 0


SHARED = PictureCache()
"""What :func:`rehearse.pictures.make_intermediate` uses where it is given no cache."""
