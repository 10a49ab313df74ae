"""A model on disk in diffusers' layout: what is in it, and whether its weights may be loaded at all.

Only safetensors are read. A folder whose weights are pickles is refused by name, before anything is opened.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rehearse.json_text import JsonFault, has_mark, read_json_file
from rehearse.models.errors import ModelError

_LARGEST_HEADER = 100 * 1024 * 1024

# Weights as diffusers and transformers name them, with an older way of naming shards among them.
_WEIGHTS = re.compile(
    r"(?:model|diffusion_pytorch_model)(?:-\d+-of-\d+)?(?:\.(?P<variant>\w+))?(?:-\d+-of-\d+)?\.safetensors$"
)
PICKLES = (".bin", ".ckpt", ".pt", ".pth")
"""How files end whose loading may run code that is in them."""
_VARIANTS = ("fp16", "bf16", "fp32")

# Of rehearse.json, what changes the model itself; its defaults are the plan's.
_SAID_OF_THE_MODEL = ("scheduler", "picture_guidance", "dynamic_guidance", "closeness", "guidance_ramp")
INPUT_LAYER = "conv_in.safetensors"
"""The file of an input layer that takes the place of its base's."""


@dataclass(frozen=True, slots=True)
class Lora:
    """A LoRA file (safetensors) and the scale it is added with.

    pictures: whether the image model beside a video model gets it too. beside: whether this is for such a
    model, which may lack a part of what it changes.
    """

    file: Path
    scale: float
    pictures: bool = True
    beside: bool = False

    @property
    def settings(self) -> Path:
        """Where PEFT's settings of it lie, if there are any: they may state its alpha."""
        return self.file.with_name("adapter_config.json")

    @property
    def files(self) -> list[Path]:
        """The files that decide what it does."""
        return [self.file, *([self.settings] if self.settings.is_file() else [])]


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder with a ``model_index.json``, or one that stands on another model (see ``composition``).

    identity: what the user called it, for messages. base: the model it stands on, None for a whole one: a
    component that this folder does not have is the base's. adapter: where its motion adapter lies, None for
    none. loras: what is added to the weights. target_adapter: the file or folder of its target adapter, and
    the scale of its LoRA; None for none.
    """

    path: Path
    identity: str
    base: ModelFolder | None = None
    adapter: Path | None = None
    loras: tuple[Lora, ...] = ()
    target_adapter: Lora | None = None

    @property
    def input_layer(self) -> Path | None:
        """The file of an input layer in place of the whole model's (``conv_in.safetensors``), this folder's
        own or its base's; None where there is none."""
        if self.base is None:
            return None
        file = self.path / INPUT_LAYER
        return file if file.is_file() else self.base.input_layer

    @property
    def index(self) -> dict[str, Any]:
        """The model index: component name -> [library, class]."""
        own = self.path / "model_index.json"
        if self.base is not None and not own.is_file():
            return self.base.index
        return read_json(own, self.identity)

    def place(self, component: str) -> Path:
        """The folder of a component: this model's own, else its base's."""
        own = self.path / component
        if component == "motion_adapter" and self.adapter is not None:
            return self.adapter
        return own if self.base is None or own.is_dir() else self.base.place(component)

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
        return read_json(self.place(component) / name, self.identity)

    def settings(self) -> dict[str, Any]:
        """What this folder's own ``rehearse.json`` says, empty where there is none."""
        path = self.path / "rehearse.json"
        return read_json(path, self.identity) if path.is_file() else {}

    def inherited_settings(self) -> dict[str, Any]:
        """What ``rehearse.json`` says, this folder's own over its base's, object by object."""
        own = self.settings()
        if self.base is None:
            return own
        merged = {**self.base.inherited_settings(), **own}
        for name, value in self.base.inherited_settings().items():
            if isinstance(value, dict) and isinstance(own.get(name), dict):
                merged[name] = {**value, **own[name]}
        return merged

    def optional(self, name: str) -> dict[str, Any] | list[Any] | None:
        """A JSON file beside the index, this model's own or its base's; None where there is none."""
        path = self.path / name
        if path.is_file():
            return _parse(path, self.identity)
        return None if self.base is None else self.base.optional(name)

    def weights(self, component: str) -> list[Path]:
        """The component's safetensors files, every header read and found sound.

        Raises ModelError: none there, only pickles there, a file cut off, corrupt or not safetensors.
        """
        folder = self.place(component)
        files = sorted(folder.glob("*.safetensors"))
        if not files:
            pickles = sorted(p.name for p in folder.glob("*") if p.suffix in PICKLES)
            found = f" (only {', '.join(pickles)}, which can run code when loaded)" if pickles else ""
            raise ModelError(
                f"model {self.identity!r}: {component}/ has no .safetensors weights{found}; "
                "convert them to safetensors"
            )
        for file in files:
            check_safetensors(file, self.identity)
        variant = self.variant(component)
        middle = "" if variant is None else f".{variant}"
        shards = folder / f"{_index_stem(files)}.safetensors.index{middle}.json"
        if shards.is_file():
            names = set(read_json(shards, self.identity).get("weight_map", {}).values())
            missing = sorted(str(name) for name in names - {file.name for file in files})
            if missing:
                raise ModelError(
                    f"model {self.identity!r}: {component}/{missing[0]} is missing, its index names it; "
                    "copy the whole folder again"
                )
        return files

    def check_json(self, component: str) -> None:
        """Raise ModelError where a JSON file of a component does not parse, or begins with a byte order mark:
        the libraries that read it next say neither the file nor the line, and take no mark."""
        for path in sorted(self.place(component).glob("*.json")):
            _parse(path, self.identity)
            with path.open("rb") as file:
                marked = has_mark(file.read(4))
            if marked:
                raise ModelError(
                    f"model {self.identity!r}: {path.parent.name}/{path.name} begins with a byte order mark, "
                    "which the library that reads it does not take; save it as UTF-8 without one"
                )

    def variant(self, component: str) -> str | None:
        """Which variant of a component's weights is read (``fp16``); None where plain ones are there."""
        names = (file.name for file in self.place(component).glob("*.safetensors"))
        found = {match["variant"] for name in names if (match := _WEIGHTS.match(name))}
        if None in found or not found:
            return None
        return next((one for one in _VARIANTS if one in found), min(found))

    def stamp(self) -> tuple[tuple[str, int, int], ...]:
        """Name, size and time of change of every file that counts: tells cheaply whether a folder changed."""
        own = tuple((name, *_size_and_time(self.path / name)) for name in self._files())
        outside = [self.path / "rehearse.json", *self._adapter_files(), *self.target_files()]
        outside += [file for lora in self.loras for file in lora.files]
        outside += [file for file in (self.input_layer,) if file is not None]
        added = tuple((str(file), *_size_and_time(file)) for file in outside)
        return own + added + (self.base.stamp() if self.base is not None else ())

    def fingerprint(self) -> str:
        """Sha256 (hex) over names and bytes of all weights and settings; computed once per process."""
        own = _digest(self.path, tuple((name, *_size_and_time(self.path / name)) for name in self._files()))
        said = {key: value for key, value in self.settings().items() if key in _SAID_OF_THE_MODEL}
        if self.base is None and not self.loras and not said and self.target_adapter is None:
            return own
        base = "" if self.base is None else self.base.fingerprint()
        whole = hashlib.sha256(f"{own}\0{base}".encode())
        outside = [(file, "1.0") for file in self._adapter_files()]
        outside += [(file, "input layer") for file in (self.input_layer,) if file is not None]
        target = 1.0 if self.target_adapter is None else self.target_adapter.scale
        outside += [(file, repr(target)) for file in self.target_files()]
        outside += [
            (file, f"{lora.scale!r}{'' if lora.pictures else ' of clips'}")
            for lora in self.loras
            for file in lora.files
        ]
        for file, use in outside:
            content = _digest(file.parent, ((file.name, *_size_and_time(file)),))
            whole.update(f"\0{content}\0{use}".encode())
        whole.update(json.dumps(said, sort_keys=True).encode())
        return whole.hexdigest()

    def target_files(self) -> list[Path]:
        """The safetensors files of the target adapter."""
        if self.target_adapter is None:
            return []
        place = self.target_adapter.file
        return sorted(place.glob("*.safetensors")) if place.is_dir() else [place]

    def _files(self) -> tuple[str, ...]:
        """Names of this folder's own files that count."""
        names = (p.relative_to(self.path) for p in sorted(self.path.rglob("*")) if p.is_file())
        return tuple(name.as_posix() for name in names if _counts(name))

    def _adapter_files(self) -> list[Path]:
        """Files of an adapter that lies elsewhere."""
        if self.adapter is None or self.adapter.is_relative_to(self.path):
            return []
        return [*sorted(self.adapter.glob("*.safetensors")), self.adapter / "config.json"]


def conversion_of(file: Path) -> str:
    """The command that makes safetensors of a pickle, for a sentence."""
    return f"rehearse models convert {shlex.quote(str(file))}"


def _index_stem(files: list[Path]) -> str:
    return "model" if files[0].name.startswith("model") else "diffusion_pytorch_model"


def _size_and_time(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:  # gone since it was found; whoever opens it says so
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _counts(relative: Path) -> bool:
    """Files that change what the model makes: weights, settings, tokenizer tables; not cards or sheets."""
    if any(part.startswith(".") for part in relative.parts):
        return False
    inside = len(relative.parts) == 2
    return (
        inside and (relative.suffix in {".safetensors", ".json", ".txt"} or relative.name == "spiece.model")
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
    named = f"model {identity!r}: {path.parent.name}/{path.name}"
    try:
        return read_json_file(path)
    except FileNotFoundError as error:
        if path.is_symlink():
            raise ModelError(
                f"{named} is a link to a file that is not there; copy the whole folder again"
            ) from error
        raise ModelError(f"{named} is missing; copy the whole folder again") from error
    except OSError as error:
        raise ModelError(f"{named} cannot be read: {(error.strerror or str(error)).lower()}") from error
    except JsonFault as error:
        raise ModelError(f"{named} is not readable JSON: {error}; mend it") from error


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
        raise ModelError(f"{named} cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(f"{named} is not a safetensors file: its header does not parse; {remedy}") from error
    try:
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise ModelError(f"{named} is not a safetensors file: its header is malformed; {remedy}") from error
    promised = 8 + length + max(ends, default=0)
    if size != promised:
        raise ModelError(f"{named} is cut off or corrupt ({size} bytes where {promised} are due); {remedy}")
