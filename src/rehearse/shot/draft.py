"""A shot that need not be finished: the structure of the document without its ranges and its sense.

What a person is in the middle of writing is kept all the same: words that are not in the prompt yet, a number
that is out of range, a target that nobody has marked. Only what no desk could show is refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from rehearse.shot.errors import ShotError, join, nearest
from rehearse.shot.migrations import upgrade
from rehearse.shot.shot import Shot

Draft = dict[str, Any]
"""A shot as JSON that has the structure of one, finished or not."""

_PICTURE = "ImageRef"
_LARGEST = 1e300
_OPTIONS = ("oneOf", "anyOf")


def check_draft(value: Any, picture: Callable[[str], str] = lambda uri: uri) -> Draft:
    """The document as a draft of the current version, its pictures replaced by what ``picture`` gives.

    Any field may be left out or null, any text be empty and any number out of range; what is there has the
    type that a shot gives it, fields are known, lists no longer than a shot's.

    Raises:
        ShotError: it is no draft of a shot; the field, and what ``picture`` found wrong.
    """
    if not isinstance(value, dict):
        raise ShotError("it must be an object with named fields")
    return _Walk(picture).object(upgrade(value), _schema(), "")


def read_draft(text: str) -> Draft:
    """A draft out of the text that was made of one, in the current version."""
    return upgrade(json.loads(text))


def draft_text(draft: Draft) -> str:
    """A draft as one line of JSON."""
    return json.dumps(draft, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def prompt_of(draft: Mapping[str, Any]) -> str:
    """What a draft's prompt says so far; empty where it has none."""
    return str(draft.get("prompt") or "")


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:
    return Shot.model_json_schema()


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        node = _schema()["$defs"][node["$ref"].rpartition("/")[2]]
    return node


def _options(node: dict[str, Any]) -> list[dict[str, Any]]:
    """The alternatives of a node, those of alternatives included, null left out."""
    found = next((node[name] for name in _OPTIONS if name in node), None)
    if found is None:
        return [node]
    return [
        option
        for each in found
        if each.get("type") != "null"
        for option in ([each] if each.get("title") == _PICTURE else _options(_unless_picture(each)))
    ]


def _unless_picture(node: dict[str, Any]) -> dict[str, Any]:
    return node if str(node.get("$ref", "")).endswith(f"/{_PICTURE}") else _resolved(node)


class _Walk:
    """Goes through a document beside its schema."""

    def __init__(self, picture: Callable[[str], str]) -> None:
        self._picture = picture

    def object(self, value: Any, node: dict[str, Any], field: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ShotError("it must be an object with named fields", field=field)
        known = node["properties"]
        kept: dict[str, Any] = {}
        for name, inner in value.items():
            place = join(field, str(name))
            if name not in known:
                raise ShotError(f"there is no such field; {nearest(str(name), known)}", field=place)
            kept[name] = None if inner is None else self.value(inner, known[name], place)
        return kept

    def value(self, value: Any, node: dict[str, Any], field: str) -> Any:
        options = _options(_unless_picture(node))
        if len(options) > 1:
            return self._one_of(value, options, field)
        (node,) = options
        if str(node.get("$ref", "")).endswith(f"/{_PICTURE}"):
            return self._reference(value, field)
        node = _resolved(node)
        known = [node["const"]] if "const" in node else node.get("enum")
        if known is not None:
            if isinstance(value, bool) or value not in known:
                names = [str(name) for name in known]
                raise ShotError(
                    f"there is no such value; {nearest(str(value)[:60], names)}", field=field, value=value
                )
            return value
        match node.get("type"):
            case "object":
                return self.object(value, node, field)
            case "array":
                return self._list(value, node, field)
            case "boolean":
                return self._typed(value, bool, "true or false", field)
            case "string":
                return self._typed(value, str, "text", field)
            case _:
                return _number(value, field)

    def _list(self, value: Any, node: dict[str, Any], field: str) -> list[Any]:
        if not isinstance(value, list):
            raise ShotError("it must be a list", field=field)
        most = node.get("maxItems")
        places = node.get("prefixItems")
        if places is None:
            # An entry at fault is told before there being too many of them: the first costs nothing.
            kept = [self.value(item, node["items"], f"{field}[{i}]") for i, item in enumerate(value[:most])]
            if len(kept) < len(value):
                raise ShotError(f"it takes at most {most} entries", field=field)
            return kept
        if len(value) != len(places):
            raise ShotError(f"it needs {len(places)} numbers, {len(value)} given", field=field)
        return [self.value(item, places[i], f"{field}[{i}]") for i, item in enumerate(value)]

    def _one_of(self, value: Any, options: list[dict[str, Any]], field: str) -> Any:
        if isinstance(value, dict) and all("properties" in _resolved(option) for option in options):
            return self.object(value, _chosen(value, [_resolved(option) for option in options], field), field)
        fault = None
        for option in options:
            try:
                return self.value(value, option, field)
            except ShotError as error:
                fault = fault or error
        assert fault is not None
        raise fault

    def _reference(self, value: Any, field: str) -> str:
        uri = self._typed(value, str, "text", field)
        try:
            return self._picture(uri)
        except ShotError as error:
            raise ShotError(error.reason, field=field) from error

    @staticmethod
    def _typed(value: Any, kind: type, words: str, field: str) -> Any:
        if not isinstance(value, kind):
            raise ShotError(f"it must be {words}", field=field)
        if isinstance(value, str):
            try:
                value.encode()
            except (
                UnicodeEncodeError
            ) as error:  # JSON can spell halves of characters; nothing that keeps text can
                raise ShotError("it holds characters that are not valid Unicode", field=field) from error
        return value


def _number(value: Any, field: str) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ShotError("it must be a number", field=field)
    if not math.isfinite(value) if isinstance(value, float) else abs(value) > _LARGEST:
        raise ShotError("it must be a finite number", field=field)
    return value


def _chosen(value: dict[str, Any], options: list[dict[str, Any]], field: str) -> dict[str, Any]:
    """The alternative whose constants a value has; the first of them that tells some apart is named."""
    for name in ("kind", "form"):
        said = {option["properties"][name]["const"] for option in options if name in option["properties"]}
        if not said or (len(said) == 1 and len(options) == 1):
            continue
        if name not in value:
            raise ShotError(f"it needs the field {name}: {', '.join(sorted(said))}", field=field)
        if not isinstance(value[name], str) or value[name] not in said:
            raise ShotError(
                f"there is no such {name}; {nearest(str(value[name])[:60], said)}",
                field=join(field, name), value=value[name],
            )  # fmt: skip
        options = [
            option
            for option in options
            if name in option["properties"] and option["properties"][name]["const"] == value[name]
        ]
    return options[0]
