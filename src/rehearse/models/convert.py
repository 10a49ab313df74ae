"""From a pickle of weights (``.pth``, ``.pt``, ``.bin``, ``.ckpt``) to safetensors, in another process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from rehearse.models.errors import ModelError


def convert_weights(path: Path | str, output: Path | str | None = None) -> tuple[Path, tuple[str, ...]]:
    """Write the tensors of a pickle as safetensors: the file, and the names of what was left out, which were
    no tensors.

    output: None for the same name beside it, as diffusers and transformers name it. The pickle is opened by
    torch's restricted unpickler in another process, and stays as it is. Raises ModelError.
    """
    path = Path(path)
    output = _beside(path) if output is None else Path(output)
    if not path.is_file():
        raise ModelError(f"there is no file {str(path)!r}; give the file to convert")
    if path.suffix == ".safetensors":
        raise ModelError(f"{str(path)!r} is safetensors already; use it as it is")
    if output.suffix != ".safetensors":
        raise ModelError(f"{str(output)!r} does not end in .safetensors; name it so")
    if output.exists():
        raise ModelError(f"{str(output)!r} is there already; move it away, or name another with -o")
    partial = output.with_name(f".{output.name}.part")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        partial.touch()
        mode = partial.stat().st_mode
        told = _told(path, partial)
        partial.chmod(mode)  # safetensors makes a file that nobody but its owner may read
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)
    return output, told


def _told(path: Path, partial: Path) -> tuple[str, ...]:
    command = [sys.executable, "-m", "rehearse.models.unpickle", str(path.resolve()), str(partial.resolve())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        said = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError) as error:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise ModelError(f"{str(path)!r} could not be converted ({lines[-1][:200]})") from error
    if "refused" in said:
        raise ModelError(f"{str(path)!r} {said['refused']}")
    return tuple(said["left"])


def _beside(path: Path) -> Path:
    name = path.stem.replace("pytorch_model", "model") if path.stem.startswith("pytorch_model") else path.stem
    return path.with_name(f"{name}.safetensors")
