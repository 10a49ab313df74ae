"""Every module, public class and public function of the library says what it is."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1] / "src" / "rehearse"
FILES = sorted(HOUSE.rglob("*.py"))


def _has_summary(definition: ast.AST) -> bool:
    """A route of the API is told by its ``summary``: a docstring would be published beside it."""
    decorators = getattr(definition, "decorator_list", [])
    return any(
        isinstance(one, ast.Call) and any(k.arg == "summary" for k in one.keywords) for one in decorators
    )


def undocumented(module: ast.Module) -> list[str]:
    """Names of what has no docstring and should: the module, its public classes and functions."""
    found = [] if ast.get_docstring(module) else ["the module"]
    for definition in module.body:
        if not isinstance(definition, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if definition.name.startswith("_") or ast.get_docstring(definition) or _has_summary(definition):
            continue
        found.append(definition.name)
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(HOUSE).as_posix())
def test_what_is_public_has_a_docstring(file: Path) -> None:
    assert not undocumented(ast.parse(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("", ["the module"]),
        ('"""A."""\ndef said(): "B."\nclass Bare: ...\ndef bare(): ...\ndef _own(): ...', ["Bare", "bare"]),
        ('"""A."""\n@router.get("/", summary="One")\ndef one(): ...\n@cache\ndef two(): ...', ["two"]),
    ],
)
def test_what_is_bare_is_found(source: str, named: list[str]) -> None:
    assert undocumented(ast.parse(source)) == named
