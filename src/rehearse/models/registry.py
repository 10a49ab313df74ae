"""From a name to a model: the embedded theatre, a folder, a hub id."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from rehearse.models.composition import compose, is_composed
from rehearse.models.errors import ModelError
from rehearse.models.folder import ModelFolder

if TYPE_CHECKING:
    from rehearse.models.model import VideoModel
    from rehearse.models.precision import PrecisionName
    from rehearse.models.unet import UNetModel

EMBEDDED = Path(__file__).resolve().parent.parent / "theatre" / "weights"
"""Where the models that ship with the package lie, one folder each."""

# What is fetched of a model on the hub: no weights outside the components' folders.
_OF_A_MODEL = ("model_index.json", "*.json", "*/*.json", "*/*.txt", "*/*.safetensors")

_MOTION = ("rehearse.models.motion_unet", "MotionUNetModel")

# Denoiser class in model_index.json -> module and class of its family.
_FAMILIES: dict[str, tuple[str, str]] = {
    "UNet3DConditionModel": ("rehearse.models.unet3d", "UNet3DModel"),
    "UNet2DConditionModel": ("rehearse.models.image", "ImageModel"),
    "UNetMotionModel": _MOTION,
}


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """An installed model: its name, family, folder and size of its weights in bytes."""

    name: str
    family: str
    path: Path
    size: int


def list_models() -> tuple[ModelEntry, ...]:
    """The models that ship with the package, by name. Loads nothing and imports no torch."""
    return tuple(_entries())


def _entries() -> Iterator[ModelEntry]:
    for path in sorted(path for path in EMBEDDED.glob("*") if _is_model(path)):
        folder = _whole(path, path.name)
        module, _ = _family_of(folder)
        size = sum(file.stat().st_size for file in path.glob("*/*.safetensors"))
        yield ModelEntry(folder.identity, module.rpartition(".")[2], path, size)


def _is_model(path: Path) -> bool:
    return (path / "model_index.json").is_file() or is_composed(path)


def _whole(path: Path, identity: str) -> ModelFolder:
    """The model in a folder, with what it stands on."""
    folder = ModelFolder(path, identity)
    return compose(folder, find_model, find_adapter) if is_composed(path) else folder


def find_model(name: str) -> ModelFolder:
    """The folder of a model. A hub id not in the cache is downloaded (safetensors and settings only).

    name: an embedded model's name, a folder, or a hub id ``owner/name``, ``owner/name@revision``.
    Raises ModelError.
    """
    if name and "/" not in name and _is_model(EMBEDDED / name):
        return _whole(EMBEDDED / name, name)
    path = Path(name).expanduser()
    if name and path.is_dir():
        if not _is_model(path):
            raise ModelError(
                f"model {name!r}: the folder has no model_index.json; give a whole diffusers model, "
                'or write a rehearse.json there whose "base" names the model it stands on'
            )
        return _whole(path, name)
    parts = name.partition("@")[0].split("/")
    if len(parts) == 2 and all(parts) and not name.startswith((".", "~")):
        return _from_hub(name)
    names = [entry.name for entry in list_models()]
    near = difflib.get_close_matches(name, names, n=1)
    remedy = f"did you mean {near[0]!r}?" if near else f"installed: {', '.join(names) or 'none'}"
    raise ModelError(f"there is no model {name!r}: {remedy} (or give a folder, or a hub id owner/name)")


def find_adapter(name: str) -> Path:
    """The folder of a motion adapter (``config.json`` and safetensors) on the hub; downloaded if need be.

    name: a hub id ``owner/name``, ``owner/name@revision``. Raises ModelError.
    """
    return _from_hub(name, ["config.json", "*.safetensors"]).path


def load_model(name: str, *, device: str = "auto", precision: PrecisionName | None = None) -> VideoModel:
    """The model of a name, ready to denoise; the last two are kept and handed out again.

    name: see :func:`find_model`. device: "auto" or a torch device name. precision: "float32" or "bfloat16";
    None lets the machine decide, and says what it decided. Raises ModelError.
    """
    folder = find_model(name)
    return _load(folder, device, precision, folder.stamp())


@lru_cache(maxsize=2)
def _load(
    folder: ModelFolder, device: str, precision: PrecisionName | None, stamp: tuple[tuple[str, int, int], ...]
) -> VideoModel:
    # The stamp is part of the key: a folder whose files changed is another model.
    from rehearse.models.precision import choose_precision

    module, kind = _family_of(folder)
    family: type[UNetModel] = getattr(importlib.import_module(module), kind)
    return family.load(folder, choose_precision(device, precision))


def _family_of(folder: ModelFolder) -> tuple[str, str]:
    if folder.adapter is not None:
        return _MOTION
    index = folder.index
    kind = folder.component_class("unet") if "unet" in index else str(index.get("_class_name"))
    if kind not in _FAMILIES:
        raise ModelError(
            f"model {folder.identity!r} is of a family that is not supported ({kind}); "
            f"supported denoisers: {', '.join(sorted(_FAMILIES))}"
        )
    return _FAMILIES[kind]


def _from_hub(name: str, patterns: Sequence[str] = _OF_A_MODEL) -> ModelFolder:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    repository, _, revision = name.partition("@")
    try:
        try:
            path = snapshot_download(
                repository, revision=revision or None, allow_patterns=list(patterns), local_files_only=True
            )
        except OSError:  # not in the cache
            path = snapshot_download(repository, revision=revision or None, allow_patterns=list(patterns))
    except (OSError, ValueError, HfHubHTTPError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"there is no folder {name!r}, and the hub could not give it ({reason}); "
            "check the spelling and the network, or give a folder"
        ) from None
    return ModelFolder(Path(path), name)
