"""What the documents tell a reader to type: every command parses, every piece of Python runs."""

from __future__ import annotations

import re
import runpy
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from PIL import Image

from rehearse.cli.app import app
from rehearse.models import load_model
from rehearse.planning import plan

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# The pieces of the architecture page are sketches of interfaces.
RUNNABLE = [page for page in PAGES if page.name != "architecture.md"]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in FENCE.findall(page.read_text()) if kind == language]


def command_lines() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for block in blocks(page, "sh"):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith("rehearse "):
                    yield page.name, line


def leaves(command: Any) -> Iterator[Any]:
    for below in getattr(command, "commands", {}).values():
        yield from leaves(below)
    # A group may do something by itself, where no command below it is named.
    if not hasattr(command, "commands") or command.invoke_without_command:
        yield command


@pytest.mark.parametrize(("page", "line"), list(command_lines()))
def test_a_command_of_the_documents_parses(page: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    command = typer.main.get_command(app)
    for leaf in leaves(command):
        monkeypatch.setattr(leaf, "callback", lambda name=leaf.name, **given: called.append(name))
    command.main(args=shlex.split(line, comments=True)[1:], prog_name="rehearse", standalone_mode=False)
    assert len(called) == 1 or called[:-1] == ["models"]


def test_there_are_commands_to_try() -> None:
    pages = [page for page, _ in command_lines()]
    assert pages.count("README.md") > 10 and pages.count("guide.md") > 8


@pytest.mark.parametrize(
    ("page", "code"),
    [(page.name, code) for page in RUNNABLE for code in blocks(page, "python")],
)
def test_python_of_the_documents_runs(
    page: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (128, 128), "#88aa66").save("house.png")
    exec(compile(code, page, "exec"), {})
    for clip in re.findall(r'save\("([\w.]+)"\)', code):
        assert (tmp_path / clip).stat().st_size > 1000


def test_the_shots_of_the_example_are_possible() -> None:
    """``examples/direct_a_picture.py``, as far as before its first clip."""
    example = runpy.run_path(str(ROOT / "examples" / "direct_a_picture.py"))
    model = load_model("theatre-animate", device="cpu")
    plans = [plan(shot, model) for shot in example["takes"]().values()]
    assert len(plans) == 5 and all(each.condition is not None for each in plans)
