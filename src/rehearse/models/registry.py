"""From a name to a model: the embedded theatre, a folder, a hub id."""

from __future__ import annotations

import difflib
import importlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from rehearse.home import HomelessPath, at_home
from rehearse.json_text import JsonFault, read_json_file
from rehearse.models.composition import beside, compose, is_composed, is_described
from rehearse.models.errors import ModelError
from rehearse.models.first_line import first_line
from rehearse.models.folder import ModelFolder

if TYPE_CHECKING:
    from rehearse.models.model import VideoModel
    from rehearse.models.precision import Precision, PrecisionName

EMBEDDED = Path(__file__).resolve().parent.parent / "theatre" / "weights"
"""Where the models that ship with the package lie, one folder each."""

# What is fetched of a model on the hub: no weights outside the components' folders.
# T5's tokenizer is a sentencepiece table, spiece.model.
_OF_A_MODEL = ("model_index.json", "*.json", "*/*.json", "*/*.txt", "*/spiece.model", "*/*.safetensors")

# Of the theatre, what an installation may be without: it can be trained again.
_TO_BE_TRAINED = ("theatre-target", "theatre-reach")

_MOTION = ("rehearse.models.motion_unet", "MotionUNetModel")

# Denoiser class in model_index.json -> module and class of its family.
_FAMILIES: dict[str, tuple[str, str]] = {
    "UNet3DConditionModel": ("rehearse.models.unet3d", "UNet3DModel"),
    "UNet2DConditionModel": ("rehearse.models.image", "ImageModel"),
    "UNetMotionModel": _MOTION,
    "CogVideoXTransformer3DModel": ("rehearse.models.cogvideox", "CogVideoX"),
    "WanTransformer3DModel": ("rehearse.models.wan", "Wan"),
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
    for path in sorted(path for path in EMBEDDED.glob("*") if is_described(path)):
        try:
            folder = _whole(path, path.name)
        except ModelError:  # a damaged installation: using the model says how
            continue
        module, _ = _family_of(folder)
        size = sum(file.stat().st_size for file in path.rglob("*.safetensors"))
        yield ModelEntry(folder.identity, module.rpartition(".")[2], path, size)


def _whole(path: Path, identity: str) -> ModelFolder:
    """The model in a folder, with what it stands on. Raises ModelError."""
    folder = ModelFolder(path, identity)
    if is_composed(path, identity):
        return compose(folder, find_model, find_adapter)
    if not os.path.lexists(path / "model_index.json"):
        if is_described(path):
            raise ModelError(
                f'model {identity!r}: its rehearse.json names no "base", and it has no model_index.json; '
                'name the model it stands on as "base"'
            )
        raise ModelError(
            f"model {identity!r}: the folder has no model_index.json{_misnamed(path)}; give a whole "
            'diffusers model, or write a rehearse.json there whose "base" names the model it stands on'
        )
    return folder


def _misnamed(path: Path) -> str:
    """Files that only look like those that make a folder a model: a Windows editor adds endings unseen."""
    due = {name + more for name in ("model_index.json", "rehearse.json") for more in ("", ".txt", ".json")}
    found = sorted(file.name for file in path.iterdir() if file.name.lower() in due)
    return f" (there is {found[0]!r}: rename it)" if found else ""


def find_model(name: str) -> ModelFolder:
    """The folder of a model. A hub id not in the cache is downloaded (safetensors and settings only).

    name: an embedded model's name, a folder, or a hub id ``owner/name``, ``owner/name@revision``.
    Raises ModelError.
    """
    if name and "/" not in name and is_described(EMBEDDED / name):
        return _whole(EMBEDDED / name, name)
    try:
        path = at_home(name)
    except HomelessPath as error:
        raise ModelError(f"model {name!r}: {error}") from error
    if name and path.is_dir():
        return _whole(path, name)
    if name and path.is_file():
        raise ModelError(
            f"model {name!r} is a file; give the folder it lies in, which a model_index.json or a "
            "rehearse.json makes a model"
        )
    parts = name.partition("@")[0].split("/")
    if len(parts) == 2 and all(parts) and not name.startswith((".", "~")):
        return _from_hub(name)
    if name in _TO_BE_TRAINED:
        raise ModelError(
            f"model {name!r} does not ship with this version; rehearse train {name} --export DIR makes it, "
            "and its folder in DIR is a model"
        )
    names = [entry.name for entry in list_models()]
    near = difflib.get_close_matches(name, names, n=1)
    remedy = f"did you mean {near[0]!r}?" if near else f"installed: {', '.join(names) or 'none'}"
    raise ModelError(f"there is no model {name!r}: {remedy} (or give a folder, or a hub id owner/name)")


def find_inpainting(folder: ModelFolder) -> ModelFolder | None:
    """The model that draws in regions of an image model's pictures, as its ``rehearse.json`` names it: a
    folder beside it, or any name of :func:`find_model`; None where it names none. Raises ModelError."""
    said_by: ModelFolder | None = folder
    while said_by is not None and "inpainting" not in said_by.settings():
        said_by = said_by.base
    if said_by is None:
        return None
    name = said_by.settings()["inpainting"]
    said = f"model {folder.identity!r}: rehearse.json: inpainting"
    if not isinstance(name, str) or not name:
        raise ModelError(f"{said} cannot be {name!r}; name a model or a folder")
    near = beside(said_by, name)
    try:
        return find_model(str(near) if near.is_dir() else name)
    except ModelError as error:
        raise ModelError(f"{said}: {error}") from error


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

    return load_family(folder, choose_precision(device, precision))


def load_family(folder: ModelFolder, precision: Precision) -> VideoModel:
    """The model in a folder, by the class of its denoiser; not kept. Raises ModelError."""
    # Not above: whoever only looks for a model loads no torch.
    from rehearse.models.said import tell_unknown

    tell_unknown(folder)
    module, kind = _family_of(folder)
    loaded: VideoModel = getattr(importlib.import_module(module), kind).load(folder, precision)
    return loaded


def _family_of(folder: ModelFolder) -> tuple[str, str]:
    index = folder.index
    named = next((component for component in ("unet", "transformer") if component in index), None)
    kind = str(index.get("_class_name")) if named is None else folder.component_class(named)
    if folder.target_adapter is not None and kind != "CogVideoXTransformer3DModel":
        raise ModelError(
            f"model {folder.identity!r}: a target adapter goes on a CogVideoX image-to-video model, and its "
            f"base is a {kind}; name another base"
        )
    if folder.adapter is not None:
        return _MOTION
    if kind not in _FAMILIES:
        raise ModelError(
            f"model {folder.identity!r} is of a family that is not supported ({kind}); "
            f"supported denoisers: {', '.join(sorted(_FAMILIES))}"
        )
    return _FAMILIES[kind]


def _from_hub(name: str, patterns: Sequence[str] = _OF_A_MODEL) -> ModelFolder:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    model = patterns is _OF_A_MODEL
    repository, _, revision = name.partition("@")
    try:
        try:
            path = snapshot_download(
                repository, revision=revision or None, allow_patterns=list(patterns), local_files_only=True
            )
            whole = not model or _is_whole(Path(path))
        except OSError:  # not in the cache
            whole = False
        if not whole:
            path = snapshot_download(repository, revision=revision or None, allow_patterns=list(patterns))
    except (OSError, ValueError, HfHubHTTPError) as error:
        raise ModelError(f"there is no folder {name!r}, and {_why_not(error)}") from error
    return ModelFolder(Path(path), name)


def _is_whole(path: Path) -> bool:
    """Whether a snapshot in the cache has weights for its model: a download may have been cut off."""
    try:
        index = read_json_file(path / "model_index.json")
        named = [key for key in ("unet", "transformer", "vae", "text_encoder") if index.get(key)]
    except (JsonFault, AttributeError):
        return True  # there, and damaged: reading it says so, fetching it again would not
    except OSError:
        return False
    return all(any((path / component).glob("*.safetensors")) for component in named)


def _why_not(error: Exception) -> str:
    """Why the hub gave no model, and what can be done, by the error of huggingface_hub."""
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, OfflineModeIsEnabled
    from huggingface_hub.errors import RepositoryNotFoundError as NotFound
    from huggingface_hub.errors import RevisionNotFoundError as NoRevision

    if isinstance(error, GatedRepoError):
        return "the hub gives it only to those who accepted its terms; do so there and log in (hf auth login)"
    if isinstance(error, NotFound):
        return "the hub has no public model of that name; check the spelling, or log in (hf auth login)"
    if isinstance(error, NoRevision):
        return "the hub's model has no such revision; check what stands behind the @"
    if isinstance(error, OfflineModeIsEnabled) or os.environ.get("HF_HUB_OFFLINE", "") in ("1", "true"):
        return "it is not in the cache and HF_HUB_OFFLINE forbids fetching it; unset that, or give a folder"
    reason = first_line(error)
    if isinstance(error, HfHubHTTPError | ValueError):
        return f"the hub could not give it ({reason}); check the spelling, or give a folder"
    return (
        "it is not in the cache and the hub cannot be reached; check the spelling and the network, or copy "
        "the model here and give its folder"
    )


def cached_models() -> tuple[ModelEntry, ...]:
    """Models of a supported family that lie whole in the hub's cache, by name. Imports no torch."""
    from huggingface_hub import constants, scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        repositories = scan_cache_dir(constants.HF_HUB_CACHE).repos
    except (CacheNotFound, OSError, ValueError):
        return ()
    found = []
    for repository in repositories:
        revision = next((one for one in repository.revisions if "main" in one.refs), None)
        if repository.repo_type != "model" or revision is None or not _is_whole(revision.snapshot_path):
            continue
        try:
            module, _ = _family_of(ModelFolder(revision.snapshot_path, repository.repo_id))
        except ModelError:
            continue
        size = sum(file.size_on_disk for file in revision.files if file.file_name.endswith(".safetensors"))
        found.append(ModelEntry(repository.repo_id, module.rpartition(".")[2], revision.snapshot_path, size))
    return tuple(sorted(found, key=lambda entry: entry.name))
