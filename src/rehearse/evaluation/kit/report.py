"""What every report is made of: tables in Markdown, numbers in JSON, files written whole."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rehearse.evaluation.kit.intervals import Interval
from rehearse.media.files import replacing


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all, its folder made where there is none. Raises MediaError, OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Likewise as JSON; NaN becomes null."""
    write_text(path, json.dumps(_plain(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; the first column to the left, the others to the right."""
    rule = ["---", *("---:" for _ in head[1:])]
    lines = [head, rule, *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines)


def as_json(number: Interval) -> dict[str, float]:
    """An interval as JSON holds it."""
    return {"value": number.value, "low": number.low, "high": number.high}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
