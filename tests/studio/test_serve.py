"""Starting a studio: what is refused before anything is served."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from rehearse.cli import run
from rehearse.studio import serve


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


def test_no_strangers_without_a_token(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["studio", "--host", "0.0.0.0", "--projects", str(tmp_path), "--no-browser"]) == 2
    assert "--token" in told(capsys)
    assert list(tmp_path.iterdir()) == []


def test_one_studio_to_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with FileLock(tmp_path / "lock"):
        assert run(["studio", "--projects", str(tmp_path), "--port", "0", "--no-browser"]) == 2
    assert "open already" in told(capsys)


def test_a_port_that_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(["studio", "--projects", str(tmp_path), "--port", str(port), "--no-browser"]) == 2
    assert "give another port" in told(capsys)


def test_answers_do_not_wait_for_each_other() -> None:
    with (
        serve._listening("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()[:2]),
        listener.accept()[0] as taken,
    ):
        assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_takes_are_listed_pruned_and_travel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from rehearse.takes.store.projects import create_project
    from rehearse.takes.store.store import Store

    here, there, file = tmp_path / "here", tmp_path / "there", tmp_path / "film.rehearse"
    assert run(["takes", "list", "--projects", str(here)]) == 2
    assert "there are no projects" in told(capsys)
    with Store(here).write() as session:
        create_project(session, "Film")
    assert run(["takes", "export", "Flim", "-o", str(file), "-p", str(here)]) == 2
    assert "'Film'" in told(capsys)
    assert run(["takes", "export", "Film", "-o", str(file), "-p", str(here)]) == 0
    assert run(["takes", "import", str(file), "-p", str(there)]) == 0
    assert run(["takes", "list", "-p", str(there)]) == 0
    assert "Film" in capsys.readouterr().out
    assert run(["takes", "prune", "-p", str(there)]) == 0
    assert "would free 0.0 MiB" in capsys.readouterr().out
    (tmp_path / "bad").write_bytes(b"hello")
    assert run(["takes", "import", str(tmp_path / "bad"), "-p", str(there)]) == 2
    assert "not a whole project file" in told(capsys)


@pytest.mark.parametrize("library", ["uvicorn", "fastapi", "sqlalchemy"])
def test_a_missing_extra_is_named(tmp_path: Path, library: str) -> None:
    code = (
        f"import sys; sys.modules[{library!r}] = None; from rehearse.cli import run;"
        f"sys.exit(run(['studio', '--projects', {str(tmp_path)!r}, '--no-browser']))"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "pip install 'rehearse[studio]'" in ended.stderr
