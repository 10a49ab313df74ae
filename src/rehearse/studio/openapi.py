"""The published OpenAPI document: `python -m rehearse.studio.openapi docs/openapi.json` writes it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rehearse.shot.files import write_whole


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
