"""References to ``docs/methods.md`` lead to a section of it, and the files it names are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
METHODS = (ROOT / "docs/methods.md").read_text()
SECTIONS = set(re.findall(r"^##+ (\d+(?:\.\d+)?)\.? ", METHODS, re.M))

REFERENCE = re.compile(r"docs/methods\.md, sections? (\d+(?:\.\d+)?)(?:(?:,| and) (\d+(?:\.\d+)?))*")
MENTION = re.compile(r"methods\.md\b|\bmethods, section", re.I)


def _faults(text: str) -> list[str]:
    """Mentions of the methods in a source text that lead to no section of them."""
    plain = re.sub(r"\s+(?:#:? )?", " ", text)
    ends = {match.start() + len("docs/"): match for match in REFERENCE.finditer(plain)}
    faults = []
    for mention in MENTION.finditer(plain):
        match = ends.get(mention.start())
        cited = re.findall(r"\d+(?:\.\d+)?", match[0].partition("section")[2]) if match else []
        if not cited or not set(cited) <= SECTIONS:
            faults.append(plain[max(0, mention.start() - 20) : mention.end() + 30])
    return faults


def _sources() -> list[Path]:
    folders = ("src", "tests", "benchmarks", "examples")
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in found if path != Path(__file__)]


def test_every_reference_to_the_methods_leads_to_a_section() -> None:
    faults = {str(path.relative_to(ROOT)): _faults(path.read_text()) for path in _sources()}
    assert {path: found for path, found in faults.items() if found} == {}


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("(docs/methods.md, section 2.1)", True),
        ("(docs/methods.md, sections 3.2\nand 3.3)", True),
        ("(docs/methods.md, section 99.1)", False),
        ("(docs/methods.md, sections 3.2 and 99.3)", False),
        ("(methods, section 2)", False),
        ("see methods.md", False),
    ],
)
def test_a_reference_is_looked_up(text: str, good: bool) -> None:
    assert (not _faults(text)) is good


def test_sections_are_numbered_in_order() -> None:
    numbers = re.findall(r"^##+ (\d+(?:\.\d+)?)\.? ", METHODS, re.M)
    assert len(re.findall(r"^##", METHODS, re.M)) == len(numbers)
    parts = [tuple(map(int, number.split("."))) for number in numbers]
    assert parts == sorted(set(parts))


def test_the_files_it_names_are_there() -> None:
    named = set(re.findall(r"`([a-z_]+/[a-z_/]+\.py|[a-z_]+\.py)`", METHODS))
    assert named
    assert [name for name in sorted(named) if not (ROOT / "src/rehearse" / name).is_file()] == []
