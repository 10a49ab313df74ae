"""A file that grows by one line per finished piece of work, so that an evaluation can be killed at any
time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class Journal:
    """Rows by key, in a JSON-lines file with one ``key`` a row.

    What a kill left half-written at the end is cut off; any other line that cannot be read counts as not
    done. One evaluation at a time may write to a file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows: dict[str, Row] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            whole = path.read_bytes()
            end = whole.rfind(b"\n") + 1
            if end < len(whole):
                with path.open("r+b") as file:
                    file.truncate(end)
            for line in whole[:end].splitlines():
                try:
                    row = json.loads(line)
                    self._rows[str(row["key"])] = row
                except (ValueError, TypeError, KeyError):
                    continue

    def __contains__(self, key: str) -> bool:
        return key in self._rows

    def __getitem__(self, key: str) -> Row:
        return self._rows[key]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def append(self, row: Row) -> None:
        """Keep a row under its ``key``, on disk at once."""
        line = json.dumps(row, separators=(",", ":"), allow_nan=False)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        self._rows[str(row["key"])] = row
