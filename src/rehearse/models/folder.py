"""A model on disk in diffusers' layout: what is in it, and whether its weights may be loaded at all.

Only safetensors are read. A folder whose weights are pickles is refused by name, before anything is opened.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rehearse.models.errors import ModelError

_LARGEST_HEADER = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder with a ``model_index.json``. ``identity`` is what the user called it, for messages."""

    path: Path
    identity: str

    @property
    def index(self) -> dict[str, Any]:
        """The model index: component name -> [library, class]."""
        return read_json(self.path / "model_index.json", self.identity)

    def component_class(self, component: str) -> str:
        """Class name of a component by the index; ModelError where the index has none."""
        entry = self.index.get(component)
        if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[1], str)):
            raise ModelError(
                f"model {self.identity!r}: model_index.json names no {component}; it needs [library, class]"
            )
        return entry[1]

    def config(self, component: str, name: str = "config.json") -> dict[str, Any]:
        """A component's configuration."""
        return read_json(self.path / component / name, self.identity)

    def optional(self, name: str) -> dict[str, Any] | list[Any] | None:
        """A JSON file beside the index, None where there is none."""
        path = self.path / name
        return _parse(path, self.identity) if path.is_file() else None

    def weights(self, component: str) -> list[Path]:
        """The component's safetensors files, every header read and found sound.

        Raises ModelError: none there, only pickles there, a file cut off, corrupt or not safetensors.
        """
        folder = self.path / component
        files = sorted(folder.glob("*.safetensors"))
        if not files:
            pickles = sorted(p.name for p in folder.glob("*") if p.suffix in {".bin", ".ckpt", ".pt", ".pth"})
            found = f" (only {', '.join(pickles)}, which can run code when loaded)" if pickles else ""
            raise ModelError(
                f"model {self.identity!r}: {component}/ has no .safetensors weights{found}; "
                "convert them to safetensors"
            )
        for file in files:
            check_safetensors(file, self.identity)
        shards = folder / f"{_index_stem(files)}.safetensors.index.json"
        if shards.is_file():
            names = set(read_json(shards, self.identity).get("weight_map", {}).values())
            missing = sorted(str(name) for name in names - {file.name for file in files})
            if missing:
                raise ModelError(
                    f"model {self.identity!r}: {component}/{missing[0]} is missing, its index names it; "
                    "copy the whole folder again"
                )
        return files

    def stamp(self) -> tuple[tuple[str, int, int], ...]:
        """Name, size and time of change of every file that counts: tells cheaply whether a folder changed."""
        files = [p for p in sorted(self.path.rglob("*")) if p.is_file() and _counts(p.relative_to(self.path))]
        return tuple(
            (p.relative_to(self.path).as_posix(), p.stat().st_size, p.stat().st_mtime_ns) for p in files
        )

    def fingerprint(self) -> str:
        """Sha256 (hex) over names and bytes of all weights and settings; computed once per process."""
        return _digest(self.path, self.stamp())


def _index_stem(files: list[Path]) -> str:
    return "model" if files[0].name.startswith("model") else "diffusion_pytorch_model"


def _counts(relative: Path) -> bool:
    """Files that change what the model makes: weights, settings, tokenizer tables; not cards or sheets."""
    if any(part.startswith(".") for part in relative.parts):
        return False
    inside = len(relative.parts) == 2
    return (
        inside and relative.suffix in {".safetensors", ".json", ".txt"}
    ) or relative.name == "model_index.json"


@lru_cache(maxsize=16)
def _digest(root: Path, stamp: tuple[tuple[str, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for name, size, _ in stamp:
        digest.update(f"{name}\0{size}\0".encode())
        with (root / name).open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _parse(path: Path, identity: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f"model {identity!r}: {path.parent.name}/{path.name} is missing; copy the whole folder again"
        ) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(
            f"model {identity!r}: {path.parent.name}/{path.name} is not readable JSON: {error}"
        ) from None


def read_json(path: Path, identity: str) -> dict[str, Any]:
    """A JSON object from a file; ModelError where the file is missing or holds anything else."""
    content = _parse(path, identity)
    if not isinstance(content, dict):
        raise ModelError(f"model {identity!r}: {path.parent.name}/{path.name} must hold a JSON object")
    return content


def check_safetensors(path: Path, identity: str) -> None:
    """Raise ModelError unless the file is whole: a header that parses and exactly the data it promises."""
    named = f"model {identity!r}: {path.parent.name}/{path.name}"
    remedy = "copy or download it again"
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            if len(start) < 8:
                raise ModelError(f"{named} is not a safetensors file (only {size} bytes); {remedy}")
            (length,) = struct.unpack("<Q", start)
            if not 2 <= length <= min(size - 8, _LARGEST_HEADER):
                raise ModelError(f"{named} is not a safetensors file, or is cut off; {remedy}")
            header = json.loads(file.read(length))
    except OSError as error:
        raise ModelError(f"{named} cannot be read: {error.strerror or error}") from None
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise ModelError(f"{named} is not a safetensors file: its header does not parse; {remedy}") from None
    try:
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    except (AttributeError, KeyError, IndexError, TypeError):
        raise ModelError(f"{named} is not a safetensors file: its header is malformed; {remedy}") from None
    promised = 8 + length + max(ends, default=0)
    if size != promised:
        raise ModelError(f"{named} is cut off or corrupt ({size} bytes where {promised} are due); {remedy}")
