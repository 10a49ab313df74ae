"""The shot's own schema inside the document of the API."""

from __future__ import annotations

from typing import Any

from rehearse.shot import Shot


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
