"""The published OpenAPI document: `python -m rehearse.studio.openapi docs/openapi.json` writes it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rehearse.shot import Shot
from rehearse.shot.files import write_whole


def with_documents(schema: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI document in which the marks of ``views.Shot`` are references to the shot's own schema."""
    shot = Shot.model_json_schema(ref_template="#/components/schemas/{model}")
    components = schema["components"]["schemas"]
    components |= {name: _plain(found) for name, found in sorted(shot.pop("$defs").items())}
    components["Shot"] = _plain(shot)
    found: dict[str, Any] = _referring(schema)
    return found


def _referring(value: Any) -> Any:
    if isinstance(value, list):
        return [_referring(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    if "x-document" not in value:
        return {name: _referring(entry) for name, entry in value.items()}
    return {"$ref": f"#/components/schemas/{value['x-document']}"}


def _plain(value: Any) -> Any:
    """Without discriminators: OpenAPI has none that nest, and constants in the alternatives say as much."""
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _plain(entry)
        for name, entry in value.items()
        if not (name == "discriminator" and isinstance(entry, dict) and "mapping" in entry)
    }


def openapi_text() -> str:
    """The document, as the text of its file."""
    from rehearse.studio.app import build

    return json.dumps(build().openapi(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the document to the path given, or to ``docs/openapi.json``; ``-`` is standard output."""
    if len(arguments) > 1:
        print("usage: python -m rehearse.studio.openapi [PATH]", file=sys.stderr)
        return 2
    target = arguments[0] if arguments else "docs/openapi.json"
    if target == "-":
        sys.stdout.write(openapi_text())
    else:
        write_whole(Path(target), openapi_text().encode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
