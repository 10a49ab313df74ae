"""The one error a shot raises, and how pydantic's findings become a sentence of it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import ValidationError

_ABSENT: Any = ...  # a singleton also after pickling: errors travel between processes
_LONGEST_VALUE = 60

# Alternatives of the instruction union. Pydantic puts the chosen one into an error's location, where it
# names no field.
_UNION_FIELD = "instructions"
_FORMS_FIELD_OF_KIND = "trajectory"
_TAGS = {"kind": "image, content, motion, trajectory or target", "form": "box, point or drag"}


class ShotError(ValueError):
    """Something in a shot cannot be accepted.

    `str(error)` is one sentence that names the field, the value and the remedy.

    Attributes:
        field: dotted path of the field at fault, such as `instructions[0].path.keyframes[1].time`; empty if
        none is. reason: what is wrong and what to do about it, without the field and the value.
        others: the sentences of further faults found in the same document.
        bound: the value at the end of the range that the field's value lies beyond; None where there is none.
    """

    bound: int | float | None = None

    def __init__(
        self,
        reason: str,
        *,
        field: str = "",
        value: object = _ABSENT,
        document: str = "",
        others: Iterable[str] = (),
    ) -> None:
        self.reason = reason
        self.field = field
        self.value = value
        self.others = tuple(others)
        super().__init__(_sentence(reason, field, value, document))

    def within(self, field: str) -> ShotError:
        """The same fault, told from outside: what it found wrong stands in ``field``."""
        inside = f"{field}.{self.field}" if self.field else field
        return ShotError(self.reason, field=inside, value=self.value, others=self.others)


def _sentence(reason: str, field: str, value: object, document: str) -> str:
    subject = field
    if value is not _ABSENT:
        subject = f"{field or 'the value'} is {show(value)}"
    text = ": ".join(part for part in (document, subject, reason) if part)
    return text if text.endswith(("?", ".")) else text + "."


def show(value: object) -> str:
    """A value as a message quotes it: JSON-like and short."""
    if isinstance(value, float):
        value = float(value)  # numpy's floats, too, read as plain numbers
    text = f'"{value}"' if isinstance(value, str) else repr(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 3] + "..."


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean "x"?` when a known name is near, else the known names."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    return f'did you mean "{close[0]}"?' if close else "known: " + ", ".join(names)


def join(*parts: str) -> str:
    """Join dotted field paths, leaving out empty ones."""
    joined = ""
    for part in parts:
        joined += "." + part if joined and part and not part.startswith("[") else part
    return joined


def explain(error: ValidationError, document: str = "") -> ShotError:
    """The ShotError for a pydantic error: the first fault in words, the rest under `others`.

    Args:
        error: what pydantic raised.
        document: what was being built ("box path"), put before the field; empty for a shot itself.
    """
    first, *more = faults(error, document)
    first.others = tuple(str(fault) for fault in more)
    return first


def faults(error: ValidationError, document: str = "") -> list[ShotError]:
    """Every fault of a pydantic error; see :func:`explain`."""
    entries = error.errors(include_url=False)
    places = [entry["loc"] for entry in entries]
    return [_fault(entry, document) for entry in entries if not _follows(entry, places)]


def _fault(entry: Mapping[str, Any], document: str) -> ShotError:
    field = _field(entry["loc"])
    context: Mapping[str, Any] = entry.get("ctx", {})
    own = context.get("error")
    if isinstance(own, ShotError):
        value = own.value
        if value is _ABSENT and not own.field and _is_plain(entry["input"]):
            value = entry["input"]
        told = ShotError(own.reason, field=join(field, own.field), value=value, document=document)
        told.bound = own.bound
        return told
    kind: str = entry["type"]
    if kind == "union_tag_not_found":
        name = context["discriminator"].strip("'")
        return ShotError(f"it needs the field {name}: {_TAGS[name]}", field=field, document=document)
    if kind == "union_tag_invalid":
        tag, tags = context["tag"], [name.strip(" '") for name in context["expected_tags"].split(",")]
        discriminator = context["discriminator"].strip("'")
        return ShotError(
            f"there is no such {discriminator}; {nearest(tag, tags)}",
            field=join(field, discriminator), value=tag, document=document,
        )  # fmt: skip
    write = _REASONS.get(kind)
    reason = write(context) if write else entry["msg"][:1].lower() + entry["msg"][1:]
    value = entry["input"] if kind not in _WITHOUT_VALUE and _is_plain(entry["input"]) else _ABSENT
    fault = ShotError(reason, field=field, value=value, document=document)
    fault.bound = context.get("ge", context.get("le"))
    return fault


def _follows(entry: Mapping[str, Any], places: list[tuple[int | str, ...]]) -> bool:
    """Whether a list counts as too short only because an entry of it is at fault."""
    place = entry["loc"]
    return entry["type"] == "too_short" and any(
        len(other) > len(place) and other[: len(place)] == place for other in places
    )


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def _field(location: tuple[int | str, ...]) -> str:
    parts = list(location)
    for i in range(len(parts) - 2):
        if parts[i] == _UNION_FIELD and isinstance(parts[i + 1], int):
            kind = parts.pop(i + 2)
            if kind == _FORMS_FIELD_OF_KIND and len(parts) > i + 2:
                parts.pop(i + 2)
            break
    return join(*(f"[{part}]" if isinstance(part, int) else part for part in parts))


def _at_least_entries(context: Mapping[str, Any]) -> str:
    least = context["min_length"]
    return f"it needs at least {least} {_entries(least)}, {context['actual_length']} given"


def _at_most_entries(context: Mapping[str, Any]) -> str:
    return f"it takes at most {context['max_length']} {_entries(context['max_length'])}"


def _entries(count: int) -> str:
    return "entry" if count == 1 else "entries"


def _exact(limit: float) -> str:
    return str(limit) if isinstance(limit, int) else f"{limit:g}"


# A ValidationError's input is a whole document for these, or text too long to quote.
_WITHOUT_VALUE = {"missing", "json_invalid", "too_short", "too_long", "string_too_long"}

_REASONS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "missing": lambda _: "it is missing and must be given",
    "greater_than": lambda c: f"it must be more than {_exact(c['gt'])}",
    "greater_than_equal": lambda c: f"it must be at least {_exact(c['ge'])}",
    "less_than": lambda c: f"it must be less than {_exact(c['lt'])}",
    "less_than_equal": lambda c: f"it must be at most {_exact(c['le'])}",
    "literal_error": lambda c: f"it must be {c['expected']}",
    "string_type": lambda _: "it must be text",
    "string_unicode": lambda _: "it holds characters that are not valid Unicode",
    "string_too_short": lambda _: "it must not be empty",
    "string_too_long": lambda c: f"it must have at most {c['max_length']} characters",
    "bool_type": lambda _: "it must be true or false",
    "tuple_type": lambda _: "it must be a list",
    "too_short": _at_least_entries,
    "too_long": _at_most_entries,
    "model_type": lambda _: "it must be an object with named fields",
    "model_attributes_type": lambda _: "it must be an object with named fields",
    "json_invalid": lambda c: f"this is not valid JSON: {c['error']}",
}
