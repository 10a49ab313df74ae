"""The program as a process: how fast help is, and how it stops."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import rehearse

ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(Path(rehearse.__file__).resolve().parent.parent),
    "OMP_NUM_THREADS": "1",
}
COMMAND = [sys.executable, "-m", "rehearse"]


def start(folder: Path, *arguments: object) -> subprocess.Popen[str]:
    # A shell starts its background jobs with Ctrl-C ignored, and children inherit that: these tests press it.
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    process = start(tmp_path, "generate", "--help")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "SHOT_OR_PROMPT" in out
    code = (
        "import sys; from rehearse.cli import run; run(['--help']);"
        "print('heavy:', *sorted({'torch', 'diffusers', 'transformers', 'numpy', 'av'} & set(sys.modules)))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    assert loaded.stdout.splitlines()[-1].strip() == "heavy:"


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopping_in_the_middle_leaves_nothing(
    tmp_path: Path, slow_toy: Path, sent: signal.Signals, code: int
) -> None:
    process = start(
        tmp_path, "generate", "a red ball", "-m", slow_toy, "-o", "clip.mp4", "--sheet", "sheet.png"
    )
    assert process.stderr is not None
    told = ""
    while "step " not in told:
        line = process.stderr.readline()
        assert line, f"it ended before the first step: {told}"
        told += line
    process.send_signal(sent)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert out == ""
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
    if sent is signal.SIGINT:
        assert err.splitlines()[-1] == "rehearse: stopped; no file is left half-written."


@pytest.mark.parametrize("delay", [0.2, 1.0, 2.5])
def test_stopping_while_it_starts_is_as_clean(tmp_path: Path, slow_toy: Path, delay: float) -> None:
    process = start(tmp_path, "generate", "a red ball", "-m", slow_toy, "-o", "clip.mp4")
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    # Within the first moments Python itself is still starting and dies of the signal in its own way.
    assert process.returncode in ((130, -signal.SIGINT) if delay < 1 else (130,))
    assert list(tmp_path.iterdir()) == []
    assert delay < 1 or "Traceback" not in err


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stop_that_some_library_swallows_comes_again(
    tmp_path: Path, slow_toy: Path, sent: signal.Signals, code: int
) -> None:
    swallowed = (
        "import os, sys; from rehearse.cli import interrupt, run\n"
        "interrupt.listen()\n"
        "try: os.kill(os.getpid(), int(sys.argv[1]))\n"
        "except BaseException: print('swallowed')\n"
        "sys.exit(run(sys.argv[2:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", swallowed, str(int(sent)), "generate", "a red ball", "-m", slow_toy,
         "-o", "clip.mp4"],
        cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=60,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("swallowed\n", code)
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_leaves_is_no_disaster(tmp_path: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m rehearse generate --help | head -1",
        shell=True, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
