"""JSON as files hold it: byte order marks are read, and a fault is told by its line."""

from __future__ import annotations

import codecs
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

# The longer marks first: UTF-32's little one begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SHOWN = 40
_SAID = {
    "Expecting ',' delimiter": "a comma is missing before it",
    "Expecting ':' delimiter": "a colon is missing before it",
    "Extra data": "there is more behind the end",
    "Invalid control character at": "a text holds a line break or another control character; write \\n",
    "Invalid \\escape": "a backslash in a text is written twice (\\\\)",
}


class JsonFault(ValueError):
    """A text is not JSON. ``str(error)`` says what is wrong and where, to stand behind the file's name."""


def has_mark(content: bytes) -> bool:
    """Whether a file's bytes begin with a byte order mark, which JSON has none of by its standard."""
    return content.startswith(tuple(mark for mark, _ in _MARKS))


def decode_text(content: bytes) -> str:
    """The text of a file's bytes, without its byte order mark: UTF-8, or as the mark says (UTF-16, -32).

    UTF-16 without a mark is known by the zero in its first character, as JSON's first standard has it. Raises
    JsonFault where the bytes are no such text.
    """
    mark, encoding = next(
        (pair for pair in _MARKS if content.startswith(pair[0])), (b"", _without_mark(content))
    )
    try:
        return content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, len(mark) + error.start) + 1
        said = f"line {line} " if encoding == "utf-8" else ""
        raise JsonFault(f"{said}is not {encoding[:6].upper()} text; save it as UTF-8") from error


def _without_mark(content: bytes) -> str:
    if len(content) % 2 == 0 and len(content) >= 2 and (content[0] == 0) != (content[1] == 0):
        return "utf-16-be" if content[0] == 0 else "utf-16-le"
    return "utf-8"


def once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON whose names are all different. Raises JsonFault for one that is there twice, of which
    JSON's readers would take the last in silence."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise JsonFault(f"it has {json.dumps(name, ensure_ascii=False)} twice; leave one of them out")
        found[name] = value
    return found


def parse_json(
    content: bytes | str, object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None
) -> Any:
    """What JSON text says, as :func:`json.loads` gives it; of bytes, see :func:`decode_text`.

    Raises JsonFault: no text, empty, or where the first fault stands.
    """
    text = decode_text(content) if isinstance(content, bytes) else content.removeprefix("\ufeff")
    if not text.strip():
        raise JsonFault("it is empty")
    try:
        return json.loads(text, object_pairs_hook=object_pairs_hook)
    except json.JSONDecodeError as error:
        raise JsonFault(_told(error)) from error
    except RecursionError as error:
        raise JsonFault("its brackets are nested too deep") from error
    except JsonFault:  # of the hook
        raise
    except ValueError as error:  # Python reads no numbers of thousands of digits
        raise JsonFault("a number in it is too long") from error


def read_json_file(path: str | os.PathLike[str]) -> Any:
    """What a JSON file says. Raises OSError, and JsonFault where it is not JSON."""
    return parse_json(Path(path).read_bytes())


def _told(error: json.JSONDecodeError) -> str:
    line = error.doc.split("\n")[error.lineno - 1].strip()
    before = error.doc[: error.pos].rstrip()
    if error.pos >= len(error.doc.rstrip()):
        what = "it ends before it is complete"
    elif before.endswith(",") and error.doc[error.pos] in "]}":
        what = "there is a comma with nothing behind it"
    elif error.doc.startswith(("//", "/*", "#"), error.pos):
        what = "JSON has no comments"
    elif error.doc[error.pos] in "'\u2018\u2019\u201c\u201d\u00ab\u00bb":
        what = 'texts stand between straight double quotes ("...")'
    elif error.doc.startswith(("True", "False", "None"), error.pos):
        what = "JSON writes true, false and null"
    else:
        what = _SAID.get(error.msg, error.msg[:1].lower() + error.msg[1:])
    shown = line if len(line) <= _SHOWN else line[:_SHOWN] + "..."
    return f"line {error.lineno}, column {error.colno}: {what}" + (f" ({shown})" if shown else "")
