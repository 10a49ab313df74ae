"""The published JSON Schema: `python -m rehearse.shot.schema docs/shot.schema.json` writes it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rehearse.shot import Shot, ShotError
from rehearse.shot.files import write_whole


def schema_text() -> str:
    """The JSON Schema of a shot document, as the text of its file."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Shot.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the schema to the path given, or to standard output. Returns the exit code."""
    if len(arguments) > 1:
        print("usage: python -m rehearse.shot.schema [PATH]", file=sys.stderr)
        return 2
    if not arguments:
        sys.stdout.write(schema_text())
        return 0
    try:
        write_whole(Path(arguments[0]), schema_text().encode())
    except ShotError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
