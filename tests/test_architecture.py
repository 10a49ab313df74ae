"""The table of docs/architecture.md as a contract: which room may import from which."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "src" / "rehearse"
CONTRACT = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
ROOMS = {
    path.stem
    for path in HOUSE.iterdir()
    if not path.name.startswith("_") and (path.suffix == ".py" or (path / "__init__.py").exists())
}


def test_the_contracts_hold() -> None:
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    path = os.pathsep.join([str(HOUSE.parent), os.environ.get("PYTHONPATH", "")])
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout


def test_every_room_is_in_the_contract_and_in_the_table() -> None:
    named = {name for layer in CONTRACT["layers"] for name in re.findall(r"rehearse\.(\w+)", layer)}
    assert named - {"__main__"} == ROOMS
    table = (ROOT / "docs" / "architecture.md").read_text()
    told = {cell.rstrip("/").removesuffix(".py") for cell in re.findall(r"^\| `([\w./]+)`", table, re.M)}
    missing = ROOMS - {name.split("/")[0] for name in told}
    assert not missing, f"docs/architecture.md has no row for {sorted(missing)}"


def graph() -> dict[str, set[str]]:
    made = grimp.build_graph("rehearse", exclude_type_checking_imports=True, cache_dir=None)
    return {name: made.find_modules_directly_imported_by(name) for name in made.modules}


def test_no_files_import_each_other_in_a_circle() -> None:
    imports = graph()
    assert len(imports) > 300
    # A package's own door names what lies behind it.
    files = {
        name: {
            other for other in found if not name.startswith(f"{other}.") and not other.startswith(f"{name}.")
        }
        for name, found in imports.items()
    }
    try:
        TopologicalSorter(files).prepare()
    except CycleError as error:
        pytest.fail(f"these import each other: {' -> '.join(error.args[1])}")


def test_a_circle_would_be_found() -> None:
    with pytest.raises(CycleError):
        TopologicalSorter({**graph(), "rehearse.sites": {"rehearse.cli.app"}}).prepare()
