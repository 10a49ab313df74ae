"""Accounts without a home folder: empty, unset, not there, not to be written to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import rehearse
from rehearse import home
from rehearse.home import HomelessPath, at_home
from rehearse.models import ModelError, load_model
from rehearse.takes.store.errors import StoreError
from rehearse.takes.store.store import Store

HOMES: dict[str, str | None] = {"unset": None, "empty": "", "not there": "/nonexistent/home"}


def said(
    arguments: list[str], name: str, folder: Path, before: str = "pass"
) -> subprocess.CompletedProcess[str]:
    """A command line in a process whose account has no home."""
    environment = {key: value for key, value in os.environ.items() if key not in ("HOME", "REHEARSE_DEBUG")}
    home = HOMES[name]
    environment |= {} if home is None else {"HOME": home}
    environment["PYTHONPATH"] = str(Path(rehearse.__file__).parents[1])
    code = f"import sys; {before}; from rehearse.cli import run; sys.exit(run(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        check=False, capture_output=True, text=True, cwd=folder, env=environment,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["empty", "not there"])
def test_a_clip_is_made(toy: Path, tmp_path: Path, name: str) -> None:
    asked = ["generate", "a red ball over the meadow", "-m", str(toy), "--steps", "1", "-o", "a.gif", "-q"]
    ended = said(asked, name, tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["a.gif"]


NOBODY = "import pwd; pwd.getpwuid = lambda uid: {}[uid]"
"""The account is in no list, as in a container that was given a number to run as."""


@pytest.mark.parametrize("name", ["unset", "empty"])
@pytest.mark.parametrize("asked", [["takes", "list"], ["studio", "--no-browser", "--port", "0"]])
def test_projects_are_not_put_just_anywhere(tmp_path: Path, asked: list[str], name: str) -> None:
    ended = said(asked, name, tmp_path, NOBODY)
    assert ended.returncode == 2, ended.stderr
    assert "this account has no home folder; give the folder's whole path" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1 and list(tmp_path.iterdir()) == []


def test_a_home_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(StoreError, match=r"cannot use ~/Rehearse for projects.*--projects"):
        Store("~/Rehearse")


def test_a_path_that_begins_at_home_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(self: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    assert at_home("a/b") == Path("a/b")
    monkeypatch.setattr(home.Path, "expanduser", unknown)
    with pytest.raises(HomelessPath):
        at_home("~/a")
    with pytest.raises(ModelError, match="no home folder"):
        load_model("~/model")
    with pytest.raises(StoreError, match=r"no home folder; give the folder's whole path with --projects"):
        Store("~/Rehearse")
